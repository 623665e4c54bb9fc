"""The output neuron of a small network, with four ways to connect its product p to its output y."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tracer as tr

Form = Callable[[Any, Any], tr.Tensor]
"""From p and b to y."""

HIDDEN = [1 / (1 + math.exp(-z)) for z in (1.0, -2.0)]
"""σ(1) and σ(-2), the hidden layer of Koehn's network for the input (1, 0): 0.731 0.119."""
WEIGHTS, BIAS, TARGET = [5.0, -5.0], -2.0, 1.0
"""Its output neuron."""
SCALE = 0.5


def squared_error(form: Form, bias: float) -> tr.Tensor:
    """p = W2 h, y from p and b, and e = (t - y)² / 2."""
    h = tr.tensor(HIDDEN)
    W2 = tr.parameter(WEIGHTS)
    b = tr.parameter(bias)
    t = tr.constant(TARGET)
    p = W2 @ h
    y = form(p, b)
    e = tr.square(t - y) / 2
    return e


def without_skip(p: Any, b: Any) -> tr.Tensor:
    """y = σ(s) with s = p + b."""
    with tr.scope("transform"):
        s = p + b
        y = tr.sigmoid(s)
    return y


def with_skip(p: Any, b: Any) -> tr.Tensor:
    """y = σ(s) + p."""
    with tr.scope("transform"):
        s = p + b
        a = tr.sigmoid(s)
    y = a + p
    return y


def with_scaled_skip(p: Any, b: Any, scale: float = SCALE) -> tr.Tensor:
    """y = σ(s) + W s, as the deck writes it."""
    W = tr.parameter(scale)
    s = p + b
    with tr.scope("transform"):
        a = tr.sigmoid(s)
    with tr.scope("skip"):
        scaled = W * s
    y = a + scaled
    return y


def gated(p: Any, b: Any) -> tr.Tensor:
    """y = σ(p) σ(s) + (1 - σ(p)) p."""
    with tr.scope("transform"):
        s = p + b
        a = tr.sigmoid(s)
    with tr.scope("gate"):
        g = tr.sigmoid(p)
        through = g * a
    with tr.scope("carry"):
        c = 1 - g
        past = c * p
    y = through + past
    return y


FORMS: dict[str, Form] = {
    "plain": without_skip,
    "residual": with_skip,
    "scaled": with_scaled_skip,
    "highway": gated,
}
