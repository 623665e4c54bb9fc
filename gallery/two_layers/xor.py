"""Koehn's two-layer network with given weights: nearly an exclusive or."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.two_layers.training_xor import INPUTS, TARGETS, TRAINING
from tracer.plots import Axis, Contours, Plot, Points


def two_layers(inputs: Any, targets: Any) -> tr.Tensor:
    """h = σ(W1 x + b1), y = σ(W2 h + b2), and the squared error e = (t - y)² / 2 of each input.

    inputs: (2,) or (inputs, 2). targets: () or (inputs,).  Returns: float, shaped as the targets.
    """
    x = tr.constant(inputs)
    t = tr.constant(targets)
    W1 = tr.parameter([[3.0, 4.0], [2.0, 3.0]])
    b1 = tr.parameter([-2.0, -4.0])
    W2 = tr.parameter([5.0, -5.0])
    b2 = tr.parameter(-2.0)
    with tr.scope("hidden"):
        z1 = x @ W1.T + b1
        h = tr.sigmoid(z1)
    with tr.scope("output"):
        z2 = h @ W2 + b2
        y = tr.sigmoid(z2)
    e = tr.square(t - y) / 2
    return e


def xor() -> tr.Tensor:
    """All four inputs of the table at once, one row each; the loss is the sum of their errors."""
    loss = tr.sum(two_layers(INPUTS, TARGETS))
    return loss


def one_zero() -> tr.Tensor:
    """The input (1, 0) with the target 1, which the lecture follows through the graph."""
    return two_layers(INPUTS[2], TARGETS[2])


def over_the_plane() -> tuple[Plot, ...]:
    """The output for inputs around the four of the table, as lines of equal height."""
    trace = tr.trace(two_layers(INPUTS[0], TARGETS[0]))
    W1, b1, W2, b2 = (trace.value(name) for name in ("W1", "b1", "W2", "b2"))
    side = np.linspace(-0.25, 1.25, 61)
    x1, x2 = np.meshgrid(side, side)
    h = 1 / (1 + np.exp(-(np.stack([x1, x2], axis=-1) @ W1.T + b1)))
    y = 1 / (1 + np.exp(-(h @ W2 + b2)))
    right = [point for point, target in zip(INPUTS, TARGETS, strict=True) if target]
    wrong = [point for point, target in zip(INPUTS, TARGETS, strict=True) if not target]
    marks = (
        Contours(side, side, y, [0.3, 0.4, 0.5, 0.6, 0.7], "y"),
        Points("target 1", *np.transpose(right)),
        Points("target 0", *np.transpose(wrong)),
    )
    return (Plot("the output over the plane of inputs", marks, Axis("x1"), Axis("x2")),)


def from_rounded(trace: tr.Trace) -> Any:
    """The second sum from hidden values rounded to three decimals, as the book computes it."""
    return np.round(trace.value("h"), 3) @ trace.value("W2") + trace.value("b2")


SOURCE = "Koehn, Neural Machine Translation, table 5.1, in Simion, Lecture 4: Neural networks (Columbia 2023)"

XOR = Entry(
    name="xor",
    build=xor,
    caption="two sigmoid layers that nearly compute x1 xor x2, for all four inputs",
    source=SOURCE,
    origin=PUBLISHED,
    values={
        "h": "0.119 0.018 0.881 0.269 0.731 0.119 0.993 0.731",
        "y": "0.183 0.743 0.743 0.334",
    },
    derivation="""\
# A row for each input: what four inputs send to one weight adds up.
dL/dy  = y - t
dL/dz2 = dL/dy * y * (1 - y)
dL/dW2 = h.T @ dL/dz2
dL/db2 = sum(dL/dz2)
dL/dh  = outer(dL/dz2, W2)
dL/dz1 = dL/dh * h * (1 - h)
dL/dW1 = dL/dz1.T @ x
dL/db1 = sum(dL/dz1, axis=0)
""",
    orders=("run loss", "select h", "view tensor"),
    plots=over_the_plane,
    training=TRAINING,
)

ONE_ZERO = Entry(
    name="xor:one_zero",
    build=one_zero,
    caption="the same network for the input (1, 0) with target 1",
    source=SOURCE.replace("table 5.1", "table 5.1 and figures 6.1, 6.2"),
    origin=PUBLISHED,
    ours=("z2",),
    values={"z1": "1 -2", "h": "0.731 0.119", "z2": "1.0593", "y": "0.743"},
    derivation="""\
dL/dy  = y - t
dL/dz2 = dL/dy * y * (1 - y)
dL/dW2 = dL/dz2 * h
dL/db2 = dL/dz2
dL/dh  = dL/dz2 * W2
dL/dz1 = dL/dh * h * (1 - h)
dL/dW1 = outer(dL/dz1, x)
dL/db1 = dL/dz1
""",
    facts=(Fact("z2 from the rounded hidden values", "1.060", from_rounded, origin=PUBLISHED),),
    orders=("run W1", "verify"),
    note="the book prints 1.060 for z2, computed from the rounded hidden values 0.731 and 0.119",
)
