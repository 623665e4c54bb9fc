"""A recurrent network of thirty steps whose loss stands at the last one: what reaches the first steps vanishes."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry

STEPS = 30
TURN = [[0.6, -0.8], [0.8, 0.6]]
"""A rotation: it changes no length, so waa = factor × TURN changes every length by the factor."""
FIRST, TARGET = [2e-6, -1e-6], [0.5, -0.5]
"""The first state is small, so that tanh is nearly the identity and each step back multiplies by the factor alone."""


def last_loss(factor: float) -> tr.Tensor:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩) with waa = factor × a rotation; L is the squared error of a⟨30⟩ alone."""
    waa = tr.parameter([[factor * entry for entry in row] for row in TURN])
    a = tr.tensor(FIRST, name="a0")
    for t in range(1, STEPS + 1):
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa @ a)
    loss = tr.sum((a - TARGET) ** 2)
    return loss


def vanishing() -> tr.Tensor:
    """Each step back halves the gradient: after thirty it has lost nine decimals."""
    return last_loss(0.5)


def exploding() -> tr.Tensor:
    """Each step back makes the gradient half as large again: the first state gets a hundred thousand times the last."""
    return last_loss(1.5)


SOURCE = "Farrahi & Hare, BatchNorm and RNNs (Southampton 2019); Pascanu, Mikolov & Bengio (2013)"

VANISHING = Entry(
    name="vanishing",
    build=vanishing,
    caption="thirty steps of a recurrent network: dL/da<t> halves with every step back in time",
    source=SOURCE,
    note="the lecture gives no weights: waa is a half times a rotation, so that every factor can be checked by hand",
)

EXPLODING = Entry(
    name="vanishing:exploding",
    build=exploding,
    caption="the same with one and a half times a rotation: dL/da<t> grows by half with every step back",
    source=SOURCE,
)
