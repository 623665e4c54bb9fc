"""Activations in which x is multiplied by a gate between 0 and 1: silu, mish, gelu, and the gated linear unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.activations import sigmoid, tanh
from ops.declaring import elementwise, primitive
from ops.elementwise import exp, maximum, minimum, singles, square
from ops.exponentials import erfc
from ops.formula import call
from ops.primitive import Array, sample
from ops.shape import concatenate, getitem
from ops.smooth_rectifiers import softplus


def silu_x(g: Any, out: Any, x: Any) -> Any:
    """s (1 + x (1 − s)), with the gate s = σ(x)."""
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


def silu_parts(x: Any) -> Any:
    """The gate, and x times the gate."""
    return x * sigmoid(x)


@elementwise(
    vjps={"x": silu_x},
    kernel=silu_parts,
    parts=silu_parts,
    formula=call("silu", r"\operatorname{SiLU}"),
    samples=singles(-800.0, -40.0, 0.0, 40.0, 800.0),
)
def silu(x: Array) -> Array:
    """x · σ(x), also called swish (Elfwing et al. 2017, Ramachandran et al. 2017). Slope σ (1 + x (1 − σ)).

    Its least value is −0.278, at x = −1.278.
    """


swish = silu


def mish_x(g: Any, out: Any, x: Any) -> Any:
    """t + x σ(x) (1 − t²), with the gate t = tanh(softplus(x))."""
    t = tanh(softplus(x))
    return g * (t + x * sigmoid(x) * (1 - t * t))


def mish_parts(x: Any) -> Any:
    """The gate, and x times the gate."""
    return x * tanh(softplus(x))


@elementwise(
    vjps={"x": mish_x},
    kernel=mish_parts,
    parts=mish_parts,
    formula=call("mish", r"\operatorname{Mish}"),
    samples=singles(-800.0, -40.0, 0.0, 40.0, 800.0),
)
def mish(x: Array) -> Array:
    """x · tanh(softplus(x)) (Misra 2020). Slope t + x σ(x) (1 − t²), with t = tanh(softplus(x))."""


# ----- gelu

_HALF_ROOT = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_SCALE, _CUBIC = math.sqrt(2 / math.pi), 0.044715
_FLAT = 30.0
"""From here on the tanh form is x or 0 to the last bit, and x³ is not asked for, which overflows far out."""
_FORMS = ("none", "tanh")


def _inner(x: Any) -> Any:
    """√(2/π) (x + 0.044715 x³), of which tanh comes close to erf(x/√2)."""
    return _SCALE * (x + _CUBIC * (x * x * x))


def gelu_x(g: Any, out: Any, x: Any, *, approximate: str) -> Any:
    """Φ(x) + x φ(x); of the tanh form s + x s (1 − s) 2u′ with s = σ(2u)."""
    if approximate == "tanh":
        near = maximum(minimum(x, _FLAT), -_FLAT)
        s = sigmoid(2 * _inner(near))
        slope = (2 * _SCALE) * (1 + (3 * _CUBIC) * (near * near))
        return g * (s + near * (s * (1 - s)) * slope)
    share = 0.5 * erfc(-_HALF_ROOT * x)
    density = _DENSITY * exp(-0.5 * square(x))
    return g * (share + x * density)


def gelu_parts(x: Any, *, approximate: str = "none") -> Any:
    """The gate, and x times the gate."""
    if approximate == "tanh":
        return x * sigmoid(2 * _inner(x))
    return x * (0.5 * erfc(-_HALF_ROOT * x))


@elementwise(
    vjps={"x": gelu_x},
    parts=gelu_parts,
    formula=call("gelu", r"\operatorname{GELU}"),
    samples=lambda rng: [
        *singles(-5.0, -1e-9, 0.0, 5.0, 40.0)(rng),
        sample(rng.normal(size=4), approximate="tanh"),
        sample(np.array([-30.0, -6.0, 0.0, 6.0, 30.0]), approximate="tanh"),
    ],
)
def gelu(x: Array, *, approximate: str = "none") -> Array:
    """x · Φ(x), with Φ the distribution function of the normal distribution (Hendrycks & Gimpel 2016).

    "none": x · erfc(−x/√2)/2, which keeps its digits on the left, where 1 + erf cancels. "tanh": Φ is approximated by
    (1 + tanh u)/2 = σ(2u) with u = √(2/π) (x + 0.044715 x³). Slope Φ(x) + x φ(x).
    Raises `ValueError` for another `approximate`.
    """
    if approximate not in _FORMS:
        raise ValueError(f"approximate is 'none' or 'tanh', not {approximate!r}")
    return gelu_parts(x, approximate=approximate)


# ----- the gated linear unit


def _halves(x: Any, axis: int) -> tuple[Any, Any]:
    """The first and the second half along an axis."""
    axis %= x.ndim
    before, half = (slice(None),) * axis, x.shape[axis] // 2
    return (
        getitem(x, (*before, slice(0, half))),
        getitem(x, (*before, slice(half, 2 * half))),
    )


def glu_x(g: Any, out: Any, x: Any, *, axis: int) -> Any:
    """g s for the values a, and g a s (1 − s) for what opens their gates s = σ(b)."""
    a, b = _halves(x, axis)
    s = sigmoid(b)
    return concatenate(g * s, g * a * (s * (1 - s)), axis=axis)


def glu_parts(x: Any, *, axis: int = -1) -> Any:
    """The two halves, the gate, and their product."""
    if not -len(x.shape) <= axis < len(x.shape):
        raise ValueError(f"x of shape {x.shape} has no axis {axis}")
    if x.shape[axis] % 2:
        raise ValueError(f"axis {axis} of {x.shape} cannot be halved")
    a, b = _halves(x, axis)
    return a * sigmoid(b)


@primitive(
    vjps={"x": glu_x},
    parts=glu_parts,
    formula=call("glu", r"\operatorname{GLU}"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(2, 3, 2)), axis=0),
        (np.array([1.0, -2.0, 3.0, -800.0, 0.0, 800.0]),),
        (np.empty((0, 2)),),
    ],
    hint="the size of the axis is even: values first, then what opens their gates",
)
def glu(x: Array, *, axis: int = -1) -> Array:
    """The first half of an axis times the sigmoid of the second, a · σ(b) (Dauphin et al. 2017).

    x: float (..., 2n, ...), [a, b] along the axis.  Returns: float (..., n, ...).
    Raises `ValueError` if the size of the axis is odd.
    """
    return glu_parts(x, axis=axis)
