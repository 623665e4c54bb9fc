"""A recurrent network that learns to write on, character by character, in truncated windows over one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

import tracer as tr
from gallery.entry import Entry
from gallery.knobs import Knob
from gallery.recurrent.terms import norm
from gallery.training import History, Moment, Training
from tracer.plots import Array, Axis, Curve, Plot

TEXT = (
    "Alice was beginning to get very tired of sitting by her sister on the bank, and of having "
    "nothing to do: once or twice she had peeped into the book her sister was reading, but it had no "
    "pictures or conversations in it, 'and what is the use of a book,' thought Alice 'without "
    "pictures or conversations?' "
)
"""The first sentence of Alice's Adventures in Wonderland, by Lewis Carroll (1865)."""
CHARACTERS = sorted(set(TEXT))
SIZE = len(CHARACTERS)
GUESSING = math.log(SIZE)
"""The loss of a network that holds all characters for equally likely."""


def one_hot(place: int) -> Array:
    """The character at a place of the text as a vector; after the last one the text begins anew."""
    return np.eye(SIZE)[CHARACTERS.index(TEXT[place % len(TEXT)])]


def weights(hidden: int, seed: int) -> tuple[tr.Parameter, ...]:
    """The five shared weights; those of the output are small, so that at first all characters are equally likely."""
    rng = np.random.default_rng(seed)
    waa = tr.parameter(rng.normal(size=(hidden, hidden)) / math.sqrt(hidden))
    wax = tr.parameter(rng.normal(size=(hidden, SIZE)))
    ba = tr.parameter(np.zeros(hidden))
    wya = tr.parameter(0.01 * rng.normal(size=(SIZE, hidden)))
    by = tr.parameter(np.zeros(SIZE))
    return waa, wax, ba, wya, by


class Window(NamedTuple):
    """What one window of the text records: its states, the scores of the next character, and the losses."""

    states: list[tr.Tensor]
    scores: list[tr.Tensor]
    losses: list[tr.Tensor]


def window(shared: Sequence[tr.Parameter], start: int, length: int, before: Array) -> Window:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩ + wax x⟨t⟩ + ba), and the cross-entropy of softmax(wya a⟨t⟩ + by) with what comes next.

    before: float (hidden,), the state in front of the window, a constant: no gradient goes back beyond it.
    """
    waa, wax, ba, wya, by = shared
    a = tr.constant(before, name="a0")
    states, scores, losses = [], [], []
    for t in range(1, length + 1):
        with tr.scope("rnn", t=t):
            x = tr.constant(one_hot(start + t - 1))
            y = tr.constant(one_hot(start + t))
            a = tr.tanh(waa @ a + wax @ x + ba)
            s = wya @ a + by
            L = tr.cross_entropy(s, y)
        states.append(a)
        scores.append(s)
        losses.append(L)
    return Window(states, scores, losses)


def char_rnn(hidden: int = 32, length: int = 25, seed: int = 0) -> tr.Tensor:
    """The mean loss of the first window, before any training."""
    loss = tr.mean(tr.stack(window(weights(hidden, seed), 0, length, np.zeros(hidden)).losses))
    return loss


def learn(hidden: int, length: int, seed: int, lr: float, clip: float) -> Iterator[Moment]:
    """Adam over one window after the other, each beginning with the last state of the one before.

    Where all gradients together are longer than clip, they are shortened to it.
    """
    shared = weights(hidden, seed)
    optimiser = tr.optim.Adam(shared, lr=lr)
    start, before = 0, np.zeros(hidden)
    while True:
        states, scores, losses = window(shared, start, length, before)
        loss = tr.mean(tr.stack(losses))
        optimiser.zero_grad()
        loss.backward()
        size = tr.optim.clip_grad_norm(shared, clip)
        optimiser.step()
        guesses = [int(np.argmax(s.value)) for s in scores]
        right = [np.argmax(one_hot(start + t)) == guess for t, guess in enumerate(guesses, 1)]
        yield Moment(
            loss,
            {"next character right": float(np.mean(right)), "norm of all gradients": size},
            {"a<1>": states[0], f"a<{length}>": states[-1]},
        )
        start, before = (start + length) % len(TEXT), states[-1].value


def sample(trace: tr.Trace, count: int = 80, seed: int = 0) -> str:
    """What the network of a trace writes: each character drawn from the softmax, and read again as the next input.

    It begins after the last character of the text, a space, with a state of zeros.
    """
    waa, wax, ba, wya, by = (trace.value(name) for name in ("waa", "wax", "ba", "wya", "by"))
    rng = np.random.default_rng(seed)
    a, x, written = np.zeros(len(ba)), one_hot(-1), ""
    for _ in range(count):
        a = np.tanh(waa @ a + wax @ x + ba)
        s = wya @ a + by
        shares = np.exp(s - s.max())
        drawn = rng.choice(SIZE, p=shares / shares.sum())
        written += CHARACTERS[drawn]
        x = np.eye(SIZE)[drawn]
    return written


def reach(hidden: int = 32, length: int = 25, seed: int = 0) -> tuple[Plot, ...]:
    """How much of the last character's loss reaches each state of the first window, before any training."""
    last = window(weights(hidden, seed), 0, length, np.zeros(hidden)).losses[-1]
    trace, steps = tr.trace(last), range(1, length + 1)
    curve = Curve("before training", steps, [norm(trace.gradient(f"a#{t}")) for t in steps])
    title = f"what the loss of character {length} sends back to each state"
    return (Plot(title, [curve], Axis("time step t"), Axis("norm of dL/da<t>", "log")),)


def report(history: History, length: int, **settings: float) -> tuple[Plot, ...]:
    """What reaches each state of the windows that were kept, and what the network writes at those steps."""
    kept = {f"step {number}": trace for number, trace in history.traces.items()}
    written = [f'at {step} it writes "{sample(trace)}"' for step, trace in kept.items()]
    steps = range(1, length + 1)
    curves = [
        Curve(label, steps, [norm(trace.gradient(f"a#{t}")) for t in steps])
        for label, trace in kept.items()
    ]
    time = Axis("time step t in the window")
    title = "what reaches each state of a window"
    return (Plot(title, curves, time, Axis("norm of dL/da<t>", "log"), "; ".join(written)),)


SOURCE = (
    "Farrahi & Hare, BatchNorm and RNNs (Southampton 2019), with characters for words; "
    "text: Carroll, Alice's Adventures in Wonderland (1865)"
)

DERIVATION = """\
# From the last character to the first; `ahead` is what a<t> receives from a<t+1>, and y the next character.
T = len(x)
dL/dwaa = zeros_like(waa)
dL/dwax = zeros_like(wax)
dL/dba  = zeros_like(ba)
dL/dwya = zeros_like(wya)
dL/dby  = zeros_like(by)
ahead = zeros_like(ba)
for t in reversed(range(1, T + 1)):
    dL/ds[t] = (softmax(s[t]) - y[t]) / T
    dL/dwya += outer(dL/ds[t], a[t])
    dL/dby  += dL/ds[t]
    dL/da[t] = wya.T @ dL/ds[t] + ahead
    dz = dL/da[t] * (1 - a[t]**2)
    dL/dwaa += outer(dz, a[t-1])
    dL/dwax += outer(dz, x[t])
    dL/dba  += dz
    ahead = waa.T @ dz
"""

CHAR_RNN = Entry(
    name="char_rnn",
    build=char_rnn,
    caption="a network that learns to write on: twenty-five characters of Alice, then the next twenty-five",
    source=SOURCE,
    values={"loss": "3.30"},
    derivation=DERIVATION,
    note="the sentence is read in windows; the state goes on from one to the next, the gradient does not (truncated)",
    knobs=(
        Knob("hidden", 32, "units of the state", low=1, high=512),
        Knob("length", 25, "characters in a window: how far back a gradient goes", low=2, high=300),
        Knob("seed", 0, "random seed of the weights", low=0, high=2**32 - 1),
    ),
    orders=("end", "view layers"),
    plots=reach,
    training=Training(
        learn,
        steps=400,
        keep=(1, 10, 100, 400),
        plots=report,
        knobs=(
            Knob("lr", 0.015, "learning rate of Adam", low=0.0, high=10.0),
            Knob("clip", 1.0, "norm to which longer gradients are shortened", low=1e-6, high=1e6),
        ),
        claim="The loss begins at log 27 = 3.30, that of guessing, and falls to under half of it within a "
        "hundred steps; what it writes turns from single letters into pieces of the sentence.",
    ),
)
