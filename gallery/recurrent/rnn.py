"""A recurrent network that marks the names in a sentence, unrolled over its eight words."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import TORCH, Entry, Fact
from gallery.knobs import Knob
from gallery.recurrent.terms import norm, terms
from tracer.plots import Array, Axis, Curve, Plot

SENTENCE = ["Kate", "Farrahi", "and", "Jonathon", "Hare", "teach", "deep", "learning"]
IS_NAME = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]

# The lecture gives no weights. These are normal numbers (random seed 2019), scaled and rounded to two decimals.
WAA = [[-0.08, 0.91, -0.64], [-0.70, -0.60, -0.49], [-0.71, -0.23, 0.34]]
WAX = [
    [-0.27, -0.05, -0.07, -0.07, 0.77, 0.23, -0.91, 1.30],
    [0.37, 0.82, -0.54, 1.27, -1.49, 0.12, -0.69, -0.04],
    [0.13, 0.35, 0.83, -0.98, -0.15, 0.84, -0.43, -0.81],
]
BA = [0.15, -0.72, -0.21]
WYA = [-0.92, 1.13, -0.96]
BY = -0.05


def one_hot(word: str) -> list[float]:
    """The word as a vector over the vocabulary, which is the sentence itself."""
    return [float(word == other) for other in SENTENCE]


def losses(scale: float = 1.0) -> list[tr.Tensor]:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩ + wax x⟨t⟩ + ba), ŷ⟨t⟩ = σ(wya a⟨t⟩ + by), and the cross-entropy L⟨t⟩ of each step."""
    waa = tr.parameter([[scale * w for w in row] for row in WAA])
    wax = tr.parameter(WAX)
    ba = tr.parameter(BA)
    wya = tr.parameter(WYA)
    by = tr.parameter(BY)
    a = tr.tensor([0.0, 0.0, 0.0], name="a0")
    steps = []
    for t, (word, target) in enumerate(zip(SENTENCE, IS_NAME, strict=True), start=1):
        with tr.scope("rnn", t=t):
            with tr.scope(word):
                x = tr.constant(one_hot(word))
            a = tr.tanh(waa @ a + wax @ x + ba)
            yhat = tr.sigmoid(wya @ a + by)
            L = tr.binary_cross_entropy(yhat, target)
        steps.append(L)
    return steps


def rnn(scale: float = 1.0) -> tr.Tensor:
    """The loss of the sentence: L = Σₜ L⟨t⟩."""
    loss = tr.sum(tr.stack(losses(scale)))
    return loss


def third(scale: float = 1.0) -> tr.Tensor:
    """The loss of the third word alone: its gradient by waa is a sum of three terms, one for each step back."""
    return losses(scale)[2]


def every_step(trace: tr.Trace, name: str) -> list[object]:
    """A value at each of the eight words."""
    return [trace.value(f"{name}#{t}") for t in range(1, 9)]


def back_to_the_first(trace: tr.Trace) -> Array:
    """∂a⟨3⟩/∂a⟨1⟩ = ∂a⟨3⟩/∂a⟨2⟩ · ∂a⟨2⟩/∂a⟨1⟩, each of them diag(1 − a⟨t⟩²) waa.  Returns: float (3, 3)."""
    last, before = (
        (1 - trace.value(f"a#{t}") ** 2)[:, np.newaxis] * trace.value("waa") for t in (3, 2)
    )
    return last @ before


def by_steps_back(scale: float = 1.0) -> tuple[Plot, ...]:
    """How large each term of dL⟨8⟩/dwaa is, by how many steps back the weight was used; waa several times as large."""
    curves = []
    for each in sorted({0.5, 1.0, 2.0, scale}):
        sizes = {8 - t: norm(term) for t, term in terms(tr.trace(losses(each)[7]), "waa").items()}
        label = "waa" if each == 1 else f"{each:g} waa"
        curves.append(Curve(label, [*sizes], [*sizes.values()], dashed=each != scale))
    plot = Plot(
        "each term of dL<8>/dwaa",
        curves,
        Axis("steps back"),
        Axis("norm of the term", "log"),
        "Each step further back is one more factor da<t>/da<t-1>; the use at t = 1 adds nothing, for a<0> is 0.",
    )
    return (plot,)


SOURCE = "Farrahi & Hare, BatchNorm and RNNs (Southampton 2019)"

DERIVATION = """\
# From the last word to the first; `ahead` is what a<t> receives from a<t+1>.
y = [1, 1, 0, 1, 1, 0, 0, 0]
dL/dwaa = zeros_like(waa)
dL/dwax = zeros_like(wax)
dL/dba  = zeros_like(ba)
dL/dwya = zeros_like(wya)
dL/dby  = 0
ahead = zeros_like(ba)
for t in reversed(range(1, 9)):
    dL/dyhat[t] = -y[t-1] / yhat[t] + (1 - y[t-1]) / (1 - yhat[t])
    ds = dL/dyhat[t] * yhat[t] * (1 - yhat[t])
    dL/dwya += ds * a[t]
    dL/dby  += ds
    dL/da[t] = ds * wya + ahead
    dz = dL/da[t] * (1 - a[t]**2)
    dL/dwaa += outer(dz, a[t-1])
    dL/dwax += outer(dz, x[t])
    dL/dba  += dz
    ahead = waa.T @ dz
"""

DERIVATION_OF_THIRD = """\
# L<3> = -log(1 - yhat<3>), for the word is no name. The gradient of waa has three terms: a<3>, a<2> and a<1>.
dL/dyhat = 1 / (1 - yhat)
ds       = dL/dyhat * yhat * (1 - yhat)
dL/dwya  = ds * a#3
dL/dby   = ds
dL/da#3  = ds * wya
dz3      = dL/da#3 * (1 - a#3**2)
dL/da#2  = waa.T @ dz3
dz2      = dL/da#2 * (1 - a#2**2)
dL/da#1  = waa.T @ dz2
dz1      = dL/da#1 * (1 - a#1**2)
dL/dwaa  = outer(dz3, a#2) + outer(dz2, a#1) + outer(dz1, a0)
dL/dwax  = outer(dz3, x#3) + outer(dz2, x#2) + outer(dz1, x#1)
dL/dba   = dz3 + dz2 + dz1
"""

SCALE = Knob("scale", 1.0, "what waa is multiplied by", low=0.0, high=10.0)

RNN = Entry(
    name="rnn",
    build=rnn,
    caption="the names in 'Kate Farrahi and Jonathon Hare teach deep learning': backpropagation through time",
    source=SOURCE,
    origin=TORCH,
    values={"loss": "5.5436"},
    gradients={
        "waa": "0.1780 0.0076 -0.1446 -0.0300 -0.5115 0.0098 -0.2851 1.2274 -0.1977",
        "ba": "0.5775 0.1450 -0.1035",
        "wya": "-0.8297 0.1957 0.0291",
        "by": "-0.4319",
    },
    facts=(
        Fact(
            "yhat<1> to yhat<8>",
            "0.4394 0.5691 0.1271 0.8840 0.1385 0.3970 0.5366 0.4764",
            lambda trace: every_step(trace, "yhat"),
            origin=TORCH,
        ),
        Fact(
            "L<1> to L<8>",
            "0.8223 0.5637 0.1359 0.1232 1.9766 0.5059 0.7691 0.6469",
            lambda trace: every_step(trace, "L"),
            origin=TORCH,
        ),
    ),
    derivation=DERIVATION,
    note="the lecture gives no weights: ours stand in gallery/recurrent/rnn.py, the numbers are held against PyTorch's",
    knobs=(SCALE,),
    orders=("break waa", "continue", "select waa"),
    plots=by_steps_back,
)

THIRD = Entry(
    name="rnn:third",
    build=third,
    caption="the loss of the third word: dL<3>/dwaa has three terms, one for each step back",
    source=SOURCE,
    origin=TORCH,
    values={"L": "0.1359"},
    gradients={
        "wya": "0.0352 -0.1157 0.0785",
        "waa": "0.0103 -0.0581 -0.0325 0.0060 0.0368 0.0130 0.0074 -0.0400 -0.0226",
    },
    facts=(
        Fact(
            "term of dL<3>/dwaa at t = 3, outer(dL/dz<3>, a<2>)",
            "0.0156 -0.0433 -0.0290 -0.0035 0.0098 0.0066 0.0109 -0.0302 -0.0202",
            lambda trace: terms(trace, "waa")[3],
            origin=TORCH,
        ),
        Fact(
            "term at t = 2, one step back",
            "-0.0053 -0.0148 -0.0035 0.0096 0.0270 0.0064 -0.0035 -0.0098 -0.0023",
            lambda trace: terms(trace, "waa")[2],
            origin=TORCH,
        ),
        Fact(
            "term at t = 1, two steps back: zero, for a<0> is",
            "0 0 0 0 0 0 0 0 0",
            lambda trace: terms(trace, "waa")[1],
            origin=TORCH,
        ),
        Fact(
            "da<3>/da<1> = da<3>/da<2> da<2>/da<1>",
            "-0.0985 -0.3628 -0.4857 0.1248 -0.0371 0.0907 -0.0206 -0.3643 0.3999",
            back_to_the_first,
            origin=TORCH,
        ),
    ),
    derivation=DERIVATION_OF_THIRD,
    knobs=(SCALE,),
    orders=("break waa", "continue", "select waa"),
    plots=by_steps_back,
)
