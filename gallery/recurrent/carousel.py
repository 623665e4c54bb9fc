"""How far back a gradient reaches: a plain recurrent network beside one whose cell passes it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tracer as tr
from gallery.recurrent.terms import norm
from tracer.plots import Array, Axis, Curve, Plot

STEPS = 30
STEP = range(1, STEPS + 1)
INPUTS = [[0.9, -0.4], [-0.3, 0.8], [0.5, 0.1], [-1.1, 0.6]]
FIRST, TARGET = [0.2, -0.1], [0.6, -0.2]
"""a⟨0⟩, and what a⟨T⟩ should be."""


def x_at(t: int) -> list[float]:
    """The input of a time step, from 1; after the last one they begin anew."""
    return INPUTS[(t - 1) % len(INPUTS)]


def plain(weights: Array, bias: Sequence[float]) -> tr.Tensor:
    """a⟨t⟩ = tanh(W [a⟨t−1⟩, x⟨t⟩] + b), and the squared error of a⟨30⟩: the network without gates.

    weights: float (2, 4), the columns of a before those of x. bias: (2,).
    """
    W, b = tr.parameter(weights), tr.parameter(bias)
    a = tr.tensor(FIRST, name="a0")
    for t in range(1, STEPS + 1):
        with tr.scope("rnn", t=t):
            x = tr.constant(x_at(t))
            a = tr.tanh(W @ tr.concatenate([a, x]) + b)
    return tr.sum(tr.square(a - TARGET))


def carousel(
    gated: Mapping[str, tr.Tensor],
    name: str,
    weights: Array,
    bias: Sequence[float],
    note: str,
) -> Plot:
    """dL/d⟨name⟩ by time step for networks with gates, by label, and dL/da⟨t⟩ of the plain one."""
    curves = [Curve(label, STEP, by_step(tr.trace(loss), name)) for label, loss in gated.items()]
    without = by_step(tr.trace(plain(weights, bias)), "a")
    return Plot(
        f"how much of dL/d{name}<{STEPS}> is left at step t",
        [*curves, Curve("no gates", STEP, without, dashed=True)],
        Axis("time step t"),
        Axis(f"|dL/d{name}<t>| / |dL/d{name}<{STEPS}>|", "log"),
        note,
    )


def by_step(trace: tr.Trace, name: str) -> list[float]:
    """The norm of dL/d⟨name⟩ at each of the thirty steps, as a multiple of that at the last."""
    sizes = [norm(trace.gradient(f"{name}#{t}")) for t in STEP]
    return [size / sizes[-1] for size in sizes]
