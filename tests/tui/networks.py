"""Networks whose graphs are large, scoped, or unrolled over time."""

from __future__ import annotations

import random

import numpy as np

import tracer as tr
from tracer.traces import Trace


def layers_of_scalars(*sizes: int, inputs: int = 3) -> Trace:
    """Neurons of single numbers in scopes of their own, inside the scopes of their layers."""
    rng = random.Random(0)
    values = [tr.tensor(rng.random(), name=f"x{n}") for n in range(inputs)]
    for layer, size in enumerate(sizes):
        with tr.scope(f"layer{layer}"):
            after = []
            for neuron in range(size):
                with tr.scope(f"neuron{neuron}"):
                    total = tr.parameter(0.1, name="b")
                    for x in values:
                        total = total + tr.parameter(rng.uniform(-1, 1), name="w") * x
                    after.append(tr.tanh(total))
            values = after
    return tr.trace(values[0] * values[0])


def unrolled(steps: int, size: int = 3) -> Trace:
    """A recurrent network, unrolled: every step in a scope of its own, the weights outside."""
    rng = np.random.default_rng(0)
    wx, wh = (tr.parameter(rng.normal(size=(size, size)), name=name) for name in ("wx", "wh"))
    h = tr.tensor(np.zeros(size), name="h0")
    for t in range(steps):
        with tr.scope("rnn", t=t):
            x = tr.constant(rng.normal(size=size), name="x")
            h = tr.tanh(wx @ x + wh @ h)
    return tr.trace(tr.sum(h * h))


def wide(count: int) -> Trace:
    """Many nodes in no scope at all."""
    x, w = tr.tensor(1.0, name="x"), tr.parameter(1.00001, name="w")
    a = b = x
    for _ in range(count // 3):
        a, b = a * w, b + a
        a = a + b
    return tr.trace(a)
