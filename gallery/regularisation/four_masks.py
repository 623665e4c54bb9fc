"""All four ways to drop two inputs of a neuron, enumerated: why the test multiplies by p."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.entry import Entry, Fact
from gallery.knobs import Knob

MASKS = ((0, 0), (0, 1), (1, 0), (1, 1))
P = 0.5


def four_masks(p: float = P) -> tr.Tensor:
    """E[a] over the masks r of a = r0 w0 x + r1 w1 y, each with its probability.  p: the probability to stay."""
    x, y = tr.tensor(1.0), tr.tensor(2.0)
    w0, w1 = tr.parameter(2.0), tr.parameter(3.0)
    u = w0 * x
    v = w1 * y
    parts = []
    for r0, r1 in MASKS:
        with tr.scope("mask", r=f"{r0}{r1}"):
            a = r0 * u + r1 * v
            share = (p if r0 else 1 - p) * (p if r1 else 1 - p)
            part = share * a
        parts.append(part)
    none, second, first, both = parts
    E = (none + second) + (first + both)
    return E


def scaled_at_test(trace: tr.Trace) -> float:
    """E[a] less p (w0 x + w1 y), which is what the test computes; p is read off the mask that drops nothing."""
    both = trace.value("u") + trace.value("v")
    p = float(np.sqrt(trace.value("part#4") / both))
    return float(trace.value("E") - p * both)


FOUR_MASKS = Entry(
    name="dropout:four_masks",
    build=four_masks,
    caption="two inputs, four masks: E[a] = (w0 x + w1 y) / 2, so the test scales by p and drops nothing",
    source="Bajwa, NLP CS-472: Review of Neural Networks (NUST 2023)",
    values={"u": "2", "v": "6", "a#1": "0", "a#2": "6", "a#3": "2", "a#4": "8", "E": "4"},
    gradients={"w0": "0.5", "w1": "1.0", "x": "1.0", "y": "1.5"},
    facts=(
        Fact(
            "(w0 x + w1 y) / 2",
            "4",
            lambda t: (t.value("w0") * t.value("x") + t.value("w1") * t.value("y")) / 2,
        ),
        Fact("E[a] less p (w0 x + w1 y)", "0.0000000000", scaled_at_test),
    ),
    derivation="""\
# Two of the four masks keep the first input, and two the second: 1/4 + 1/4 = p.
dL/du  = dL/da#3 + dL/da#4
dL/dv  = dL/da#2 + dL/da#4
dL/dw0 = dL/du * x
dL/dx  = dL/du * w0
dL/dw1 = dL/dv * y
dL/dy  = dL/dv * w1
""",
    style="circuit",
    note="the slide has no numbers: w0 x = 2 and w1 y = 6 are ours",
    knobs=(Knob("p", P, "the probability to stay", 0.0, 1.0),),
    orders=("run E", "run u"),
)
