"""A neural language model: the next word from the vectors of the three words before it, all learned together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Plot, Points

KINDS = {
    "animals": "cat dog bird mouse".split(),
    "people": "man woman boy girl".split(),
    "places": "mat rug tree house".split(),
    "what animals do": "sat ran sang slept".split(),
    "what people do": "saw fed heard called".split(),
}
"""Words that stand in the same places of a sentence."""
ARTICLES, PREPOSITIONS = ("the", "a"), ("on", "in")
OF_A_KIND = [word for words in KINDS.values() for word in words]
VOCABULARY = sorted([*OF_A_KIND, *ARTICLES, *PREPOSITIONS, "."])
SENTENCES = 1000
WINDOW, FEATURES, HIDDEN = 3, 4, 12


@cache
def text() -> tuple[str, ...]:
    """A thousand sentences such as "the cat sat on a mat ." and "a man saw the dog .", words drawn from their kinds."""
    rng = np.random.default_rng(0)

    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    said: list[str] = []
    for _ in range(SENTENCES):
        if rng.integers(2):
            said += [one(ARTICLES), one(KINDS["animals"]), one(KINDS["what animals do"])]
            said += [one(PREPOSITIONS), one(ARTICLES), one(KINDS["places"]), "."]
        else:
            said += [one(ARTICLES), one(KINDS["people"]), one(KINDS["what people do"])]
            said += [one(ARTICLES), one(KINDS["animals"]), "."]
    return tuple(said)


def windows() -> tuple[Array, Array]:
    """The three words before each word, and the word. Returns: int (samples, 3) and (samples,)."""
    numbers = np.array([VOCABULARY.index(word) for word in text()])
    contexts = np.lib.stride_tricks.sliding_window_view(numbers[:-1], WINDOW)
    return contexts.copy(), numbers[WINDOW:]


def parameters(seed: int) -> dict[str, tr.Parameter]:
    """Word vectors C, hidden layer H and d, output U and b; no W from the vectors to the output, which is optional."""
    rng = np.random.default_rng(seed)
    words, joined = len(VOCABULARY), WINDOW * FEATURES
    shapes = {
        "C": (words, FEATURES),
        "H": (HIDDEN, joined),
        "d": (HIDDEN,),
        "U": (words, HIDDEN),
        "b": (words,),
    }
    scale = {"C": 0.3, "H": joined**-0.5, "U": HIDDEN**-0.5, "d": 0.0, "b": 0.0}
    return {
        name: tr.parameter(0.0 + scale[name] * rng.normal(size=shape), name=name)
        for name, shape in shapes.items()  # 0 + -0 is 0
    }


def moment(
    p: Mapping[str, tr.Parameter], contexts: Array, target: Array, *, one_hot: bool = False
) -> Moment:
    """x = the vectors of the context, y = b + U tanh(d + H x), the loss the cross-entropy of softmax(y).

    one_hot: the vectors as a linear layer on one-hot words, which is what a look-up is.
    contexts: int (samples, 3). target: int (samples,).
    """
    target_words = tr.constant(target, name="target")
    with tr.scope("embedding"):
        if one_hot:
            words = tr.constant(np.eye(len(VOCABULARY))[contexts], name="words")
            vectors = words @ p["C"]
        else:
            words = tr.constant(contexts, name="words")
            vectors = tr.embedding(words, p["C"])
        x = vectors.reshape(len(contexts), WINDOW * FEATURES)
    with tr.scope("hidden"):
        a = x @ p["H"].T + p["d"]
        h = tr.tanh(a)
    with tr.scope("output"):
        y = h @ p["U"].T + p["b"]
    loss = tr.cross_entropy(y, target_words)
    return Moment(loss, layers={"x": x, "h": h, "y": y})


def bengio(seed: int = 0) -> tr.Tensor:
    """The first eight windows of the text."""
    contexts, target = windows()
    return moment(parameters(seed), contexts[:8], target[:8]).loss


def one_hot(seed: int = 0) -> tr.Tensor:
    """The same windows with one-hot words."""
    contexts, target = windows()
    return moment(parameters(seed), contexts[:8], target[:8], one_hot=True).loss


def epochs(lr: float = 0.02, seed: int = 0) -> Iterator[Moment]:
    """Adam on the whole text at each step; the word vectors are parameters like any other."""
    p = parameters(seed)
    optimizer = tr.optim.Adam(p.values(), lr)
    contexts, target = windows()
    first = p["C"].value
    while True:
        optimizer.zero_grad()
        loss, _, layers = moment(p, contexts, target)
        loss.backward()
        optimizer.step()
        moved = np.linalg.norm(p["C"].value - first) / np.linalg.norm(first)
        with np.errstate(over="ignore"):  # a rate that is too large ends in infinity
            perplexity = float(np.exp(loss.value))
        measures = {
            "perplexity": perplexity,
            "words whose nearest is of their kind": of_their_kind(p["C"].value),
            "way of the word vectors": float(moved),
        }
        yield Moment(loss, measures, layers)


def of_their_kind(vectors: Array) -> float:
    """The share of words whose nearest word, among those of all kinds, is of their own. vectors: float (25, 4)."""
    kinds = np.repeat(np.arange(len(KINDS)), [len(words) for words in KINDS.values()])
    at = vectors[[VOCABULARY.index(word) for word in OF_A_KIND]]
    with np.errstate(all="ignore"):  # a rate that is too large ends in infinity
        apart = np.linalg.norm(at[:, None] - at, axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(np.mean(kinds[apart.argmin(axis=1)] == kinds))


# ----- pictures


def plots(seed: int = 0) -> tuple[Plot, ...]:
    """The word vectors before training."""
    return (_vectors("word vectors before training", parameters(seed)["C"].value),)


def trained(history: History, lr: float, seed: int) -> tuple[Plot, ...]:
    """The word vectors of the last step that was kept."""
    if not history.traces:
        return ()
    step, trace = max(history.traces.items())
    return (_vectors(f"word vectors at step {step}", np.asarray(trace.value("C"))),)


def _vectors(title: str, vectors: Array) -> Plot:
    """The vectors along their two directions of largest variance."""
    centred = vectors - vectors.mean(axis=0)
    flat = centred @ np.linalg.svd(centred)[2][:2].T
    marks = []
    for kind, words in KINDS.items():
        at = flat[[VOCABULARY.index(word) for word in words]]
        marks.append(Points(kind + ": " + " ".join(words), at[:, 0], at[:, 1]))
    return Plot(title, marks, Axis("first principal component"), Axis("second"))


# ----- entries


def distance(trace: tr.Trace) -> float:
    """Largest difference between both forms, over the loss and the gradients of all parameters."""
    other = tr.trace(one_hot())
    off = [np.abs(trace.value("loss") - other.value("loss")).max()]
    for name in ("C", "H", "d", "U", "b"):
        off.append(np.abs(np.asarray(trace.gradient(name)) - other.gradient(name)).max())
    return float(max(off))


DERIVATION = """\
# Softmax with cross-entropy; then the hidden layer, and the word vectors that it read.
n = len(y)
dL/dy = (softmax(y, axis=1) - eye({words})[target]) / n
dL/dU = dL/dy.T @ h
dL/db = sum(dL/dy, axis=0)
dL/dh = dL/dy @ U
dL/da = dL/dh * (1 - h**2)
dL/dH = dL/da.T @ x
dL/dd = sum(dL/da, axis=0)
dL/dx = dL/da @ H
dL/dvectors = dL/dx.reshape(n, {window}, {features})
"""
LOOKED_UP = """\
# A word's vector receives the sum over the places where it was looked up.
dL/dC = sum(eye({words})[words].reshape(-1, {words}, 1) * dL/dvectors.reshape(-1, 1, {features}), axis=0)
"""
MULTIPLIED = """\
# The same product as for any linear layer: one-hot inputs pick the rows.
dL/dC = words.reshape(-1, {words}).T @ dL/dvectors.reshape(-1, {features})
"""
SIZES = {"words": len(VOCABULARY), "window": WINDOW, "features": FEATURES}
SOURCE = (
    "Bengio et al. 2003, in Bajwa, NLP CS-472 (NUST 2023) and Simion, Lecture 4 (Columbia 2023): "
    "neural language model"
)
KNOBS = (Knob("seed", 0, "random seed of the weights", low=0),)

BENGIO = Entry(
    name="bengio",
    build=bengio,
    caption="a language model: the next word from three learned word vectors, inputs and parameters trained together",
    source=SOURCE,
    facts=(Fact("difference between look-up and one-hot layer", "0.0000000000", distance),),
    derivation=(DERIVATION + LOOKED_UP).format(**SIZES),
    note="a thousand sentences made by a grammar; the paper's W from the vectors straight to the output is left out",
    knobs=KNOBS,
    orders=("continue", "select C", "view tensor"),
    plots=plots,
    training=Training(
        epochs,
        steps=100,
        knobs=(Knob("lr", 0.02, "learning rate", low=0.0),),
        keep=(1, 10, 100),
        plots=trained,
        claim="words that stand in the same places get vectors that lie together",
    ),
)

ONE_HOT = Entry(
    name="bengio:one_hot",
    build=one_hot,
    caption="the same with the word vectors as a linear layer on one-hot words",
    source=SOURCE,
    derivation=(DERIVATION + MULTIPLIED).format(**SIZES),
    knobs=KNOBS,
    orders=("continue", "select C", "view tensor"),
)
