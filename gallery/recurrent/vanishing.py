"""A recurrent network of many steps whose loss stands at the last one: what reaches the first steps vanishes."""

from __future__ import annotations

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob
from gallery.recurrent.memory import TRAINING, TURN
from gallery.recurrent.terms import norm
from tracer.plots import Axis, Curve, Plot

FIRST, TARGET = [2e-6, -1e-6], [0.5, -0.5]
"""The first state is small, so that tanh is nearly the identity and each step back multiplies by the factor alone."""


def vanishing(factor: float = 0.5, length: int = 30) -> tr.Tensor:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩) with waa = factor × a rotation; L is the squared error of the last a alone."""
    waa = tr.parameter([[factor * entry for entry in row] for row in TURN])
    a = tr.tensor(FIRST, name="a0")
    for t in range(1, length + 1):
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa @ a)
    loss = tr.sum((a - TARGET) ** 2)
    return loss


def exploding(factor: float = 1.5, length: int = 30) -> tr.Tensor:
    """Each step back makes the gradient half as large again: the first state gets a hundred thousand times the last."""
    return vanishing(factor, length)


def shrinks(trace: tr.Trace) -> float:
    """How much of the gradient of the last of thirty states reaches the first."""
    return norm(trace.gradient("a#1")) / norm(trace.gradient("a#30"))


def by_factor(factor: float = 0.5, length: int = 30) -> tuple[Plot, ...]:
    """dL/da⟨t⟩ by time step for several factors: below 1 it vanishes towards the first step, above 1 it explodes."""
    steps = range(1, length + 1)
    curves = []
    for each in sorted({0.5, 0.9, 1.0, 1.1, 1.5, factor}):
        trace = tr.trace(vanishing(each, length))
        sizes = [norm(trace.gradient(f"a#{t}")) for t in steps]
        curves.append(Curve(f"|waa| = {each:g}", steps, sizes, dashed=each != factor))
    note = "Every step back multiplies by |waa|, as long as tanh' is nearly 1; where a grows, tanh' is smaller."
    plot = Plot(
        "dL/da<t> of a loss at the last step",
        curves,
        Axis("time step t"),
        Axis("norm of the gradient", "log"),
        note,
    )
    return (plot,)


SOURCE = "Farrahi & Hare, BatchNorm and RNNs (Southampton 2019); Pascanu, Mikolov & Bengio (2013)"

DERIVATION = """\
# Every step back multiplies by the transpose of waa, and by tanh' = 1 - a**2, which is at most 1.
dL/da[T] = 2 * (a[T] - TARGET)
dL/dwaa  = zeros_like(waa)
for t in reversed(range(1, T + 1)):
    dz = dL/da[t] * (1 - a[t]**2)
    dL/dwaa   += outer(dz, a[t-1])
    dL/da[t-1] = waa.T @ dz
"""

LENGTH = Knob("length", 30, "time steps", low=2, high=200)
WORDS = "what waa multiplies lengths by"

VANISHING = Entry(
    name="vanishing",
    build=vanishing,
    caption="thirty steps of a recurrent network: dL/da<t> halves with every step back in time",
    source=SOURCE,
    facts=(Fact("|dL/da<1>| / |dL/da<30>|, which is 0.5^29", "1.86e-9", shrinks),),
    derivation=DERIVATION,
    note="the lecture gives no weights: waa is a half times a rotation, so that every factor can be checked by hand",
    knobs=(Knob("factor", 0.5, WORDS, low=0.0, high=2.0), LENGTH),
    orders=("end", "view layers"),
    plots=by_factor,
    training=TRAINING,
)

EXPLODING = Entry(
    name="vanishing:exploding",
    build=exploding,
    caption="the same with one and a half times a rotation: dL/da<t> grows by half with every step back",
    source=SOURCE,
    derivation=DERIVATION,
    knobs=(Knob("factor", 1.5, WORDS, low=0.0, high=2.0), LENGTH),
    orders=("end", "view layers"),
    plots=by_factor,
)
