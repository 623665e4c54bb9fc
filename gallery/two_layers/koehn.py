"""Koehn's network as a computation graph: every product, sum and sigmoid a node, and an error at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tracer as tr
from gallery.entry import PUBLISHED, Entry, Fact
from gallery.knobs import Knob


def koehn(x1: float = 1.0, x2: float = 0.0, t: Any = 1.0) -> tr.Tensor:
    """Product, sum, sigmoid, product, sum, sigmoid, and e = (t - y)² / 2."""
    x = tr.constant([x1, x2])
    t = tr.constant(t)
    W1 = tr.parameter([[3.0, 4.0], [2.0, 3.0]])
    b1 = tr.parameter([-2.0, -4.0])
    W2 = tr.parameter([5.0, -5.0])
    b2 = tr.parameter(-2.0)
    with tr.scope("hidden"):
        p1 = W1 @ x
        s1 = p1 + b1
        h = tr.sigmoid(s1)
    with tr.scope("output"):
        p2 = W2 @ h
        s2 = p2 + b2
        y = tr.sigmoid(s2)
    with tr.scope("error"):
        d = t - y
        e = tr.square(d) / 2
    return e


def local(of: str, by: str) -> Callable[[tr.Trace], Any]:
    """The local gradients of a gate's outputs by one of its inputs, element by element."""

    def slopes(trace: tr.Trace) -> Any:
        return tr.certify(trace, by, of, cotangent=np.ones_like(trace.value(of))).automatic

    return slopes


KOEHN = Entry(
    name="koehn",
    build=koehn,
    caption="the same network as a computation graph: local gradients from the error back to every weight",
    source="Koehn, Neural Machine Translation, figures 6.1, 6.2, in Simion, Lecture 4: Neural networks (Columbia 2023)",
    origin=PUBLISHED,
    ours=("p1", "p2", "s2", "W2"),
    values={
        "p1": "3 2",
        "s1": "1 -2",
        "h": "0.731 0.119",
        "p2": "3.0593",
        "s2": "1.0593",
        "y": "0.743",
    },
    gradients={"W2": "-0.0360 -0.0059"},
    facts=(
        Fact("de/dy = y - t", "-0.257", local("e", "y")),
        Fact("dy/ds2 = σ(s2)(1 - σ(s2))", "0.191", local("y", "s2")),
        Fact("ds2/db2", "1", local("s2", "b2")),
        Fact("ds2/dp2", "1", local("s2", "p2")),
        Fact("dp2/dW2 = h", "0.731 0.119", local("p2", "W2")),
        Fact("dp2/dh = W2", "5 -5", local("p2", "h")),
        Fact("dh/ds1 = σ(s1)(1 - σ(s1))", "0.197 0.105", local("h", "s1")),
        Fact("ds1/db1", "1 1", local("s1", "b1")),
        Fact("ds1/dp1", "1 1", local("s1", "p1")),
        Fact("dp1/dW1 = x, for each row", "1 0 1 0", local("p1", "W1")),
    ),
    derivation="""\
# Each line: the gradient above it times one local gradient.
dL/dy  = -(t - y)
dL/ds2 = dL/dy * y * (1 - y)   # sigmoid
dL/db2 = dL/ds2                # sum
dL/dp2 = dL/ds2
dL/dW2 = (y - t) * sigmoid(s2) * (1 - sigmoid(s2)) * h   # product: dL/dp2 h, written out as in the lecture
dL/dh  = dL/dp2 * W2
dL/ds1 = dL/dh * h * (1 - h)   # sigmoid
dL/db1 = dL/ds1                # sum
dL/dp1 = dL/ds1
dL/dW1 = outer(dL/dp1, x)      # product
""",
    note="the local gradients are the deck's formulas; their numbers follow from table 5.1 with t = 1",
    knobs=(
        Knob("x1", 1.0, "the first input"),
        Knob("x2", 0.0, "the second input"),
        Knob("t", 1.0, "the target"),
    ),
    orders=("run W2", "verify"),
)
