"""Activation functions of the lectures: elementwise, with the slope that makes them saturate or die."""

from __future__ import annotations

import numpy as np

from ops.declaring import elementwise
from ops.elementwise import exp, where
from ops.formula import Formula, call
from ops.primitive import Array


@elementwise(
    vjps={"x": lambda g, out, x: g * (out * (1.0 - out))},
    formula=Formula("σ({x})", r"\sigma\left({x}\right)", symbol="σ"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        (np.empty((0, 2)),),
        (np.float64(1.0),),
        (np.array([-800.0, -40.0, 0.0, 40.0, 800.0]),),
    ],
)
def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ). Slope s · (1 − s): at most 0.25, at 0; saturates on both sides."""
    return 1 / (1 + exp(-x))


@elementwise(
    vjps={"x": lambda g, out, x: g * (1.0 - out * out)},
    kernel=np.tanh,
    formula=call("tanh", r"\tanh"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        (np.empty((0, 2)),),
        (np.float64(0.5),),
        (np.array([-40.0, -1e-9, 0.0, 40.0]),),
    ],
)
def tanh(x: Array) -> Array:
    """Hyperbolic tangent. Slope 1 − tanh²: 1 at 0, saturates on both sides, zero-centred."""


def _relu(x: Array) -> Array:
    if type(x) is np.float64:
        return x if x > 0 or x != x else np.float64(0.0)  # four times faster than the ufunc
    return np.maximum(x, 0)


@elementwise(
    vjps={"x": lambda g, out, x: where(x <= 0, 0, g)},
    kernel=_relu,
    formula=Formula("relu({x})", r"\operatorname{{ReLU}}\left({x}\right)", symbol="relu"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        (np.empty((0, 2)),),
        (np.float64(-0.5),),
        (np.array([0.0, -0.0, 1e-3, -1e3]),),
    ],
)
def relu(x: Array) -> Array:
    """max(x, 0). Slope 1 right of 0 and 0 left of it; at the kink the rule returns 0; NaN lets the cotangent pass."""
