"""Activations made of straight pieces: the leaky relatives of relu, the hard forms of tanh and sigmoid, maxout."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import elementwise, primitive
from ops.elementwise import maximum, minimum, pairs, singles, where
from ops.formula import Formula
from ops.primitive import Array, sample
from ops.reduce import max as largest
from ops.reduce import max_x
from ops.shape import reshape


def _name(text: str, tex: str) -> Formula:
    return Formula(f"{text}({{x}})", rf"\operatorname{{{{{tex}}}}}\left({{x}}\right)", symbol=text)


# ----- one corner


@elementwise(
    vjps={"x": lambda g, out, x, *, negative_slope: where(x > 0, g, g * negative_slope)},
    formula=_name("leaky_relu", "LeakyReLU"),
    samples=lambda rng: [
        *singles(0.0, 1e-3, -1e3)(rng),
        sample(rng.normal(size=4), negative_slope=0.3),
        sample(np.array([-2.0, 0.0, 2.0]), negative_slope=-0.5),
    ],
)
def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
    """x right of 0 and negative_slope · x left of it, so that no unit dies (Maas et al. 2013).

    At the kink, x = 0, the rule returns negative_slope, as PyTorch does.
    """
    return where(x > 0, x, x * negative_slope)


@elementwise(
    vjps={
        "x": lambda g, out, x, weight: where(x > 0, g, g * weight),
        "weight": lambda g, out, x, weight: where(x > 0, 0, g * x),
    },
    formula=Formula(
        "prelu({x}, {weight})",
        r"\operatorname{{PReLU}}_{{{weight}}}\left({x}\right)",
        symbol="prelu",
    ),
    samples=lambda rng: [
        *pairs((np.array([0.0, -1e3, 1e3]), np.array([0.25, 0.5, -0.5])))(rng),
        (-0.5, rng.normal(size=3)),
    ],
)
def prelu(x: Array, weight: Array) -> Array:
    """x right of 0 and weight · x left of it, with a slope that is learned (He et al. 2015).

    weight broadcasts against x as in numpy: one number, or (channels,) for a last axis of channels; where PyTorch means
    axis 1 of (N, C, H, W), give it the shape (C, 1, 1). At the kink, x = 0, the slope is weight, as in PyTorch.
    """
    return where(x > 0, x, x * weight)


# ----- two corners


@elementwise(
    vjps={"x": lambda g, out, x: where(x <= 0, 0, where(x >= 6, 0, g))},
    formula=_name("relu6", "ReLU6"),
    samples=singles(0.0, 6.0, -1e3, 1e3, 5.0, low=-3.0, high=9.0),
)
def relu6(x: Array) -> Array:
    """min(max(x, 0), 6). Slope 1 between 0 and 6, else 0, also at both kinks."""
    return minimum(maximum(x, 0), 6)


@elementwise(
    vjps={"x": lambda g, out, x, *, low, high: where(x <= low, 0, where(x >= high, 0, g))},
    formula=_name("hard_tanh", "hardtanh"),
    samples=lambda rng: [
        *singles(-1.0, 1.0, 0.25, -1e3, 1e3)(rng),
        sample(rng.normal(size=4) * 3, low=-2.0, high=0.5),
    ],
)
def hard_tanh(x: Array, *, low: float = -1.0, high: float = 1.0) -> Array:
    """tanh in three straight pieces: min(max(x, low), high). Slope 1 between the bounds, else 0, also at both kinks.

    Raises `ValueError` if low > high.
    """
    if low > high:
        raise ValueError(f"low={low} is above high={high}")
    return minimum(maximum(x, low), high)


@elementwise(
    vjps={"x": lambda g, out, x: where(x <= -3, 0, where(x >= 3, 0, g / 6))},
    formula=_name("hard_sigmoid", "hardsigmoid"),
    samples=singles(-3.0, 3.0, 1.5, -1e3, 1e3, low=-4.0, high=4.0),
)
def hard_sigmoid(x: Array) -> Array:
    """The sigmoid in three straight pieces: min(max(x + 3, 0), 6) / 6, as in PyTorch.

    Slope 1/6 between −3 and 3, else 0, also at both kinks.
    """
    return minimum(maximum(x + 3, 0), 6) / 6


# ----- the largest of several pieces


def _grouped(shape: tuple[int, ...], pieces: int, axis: int) -> tuple[int, ...]:
    """The shape in which an axis of n · pieces elements is split in two, n and pieces."""
    axis %= len(shape)
    return (*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1 :])


def maxout_x(g: Any, out: Any, x: Any, *, pieces: int, axis: int) -> Any:
    """The largest piece of each group receives the cotangent; ties share it equally."""
    groups = reshape(x, shape=_grouped(x.shape, pieces, axis))
    by_piece = max_x(g, out, groups, axis=axis % x.ndim + 1, keepdims=False)
    return reshape(by_piece, shape=x.shape)


def maxout_parts(x: Any, *, pieces: int, axis: int = -1) -> Any:
    """The pieces of a group side by side, and the largest of them."""
    groups = reshape(x, shape=_grouped(x.shape, pieces, axis))
    return largest(groups, axis=axis % x.ndim + 1)


@primitive(
    vjps={"x": maxout_x},
    formula=_name("maxout", "maxout"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 6)), pieces=3),
        sample(rng.normal(size=(4, 2, 2)), pieces=2, axis=0),
        sample(np.array([1.0, 1.0, 2.0, -3.0]), pieces=2),
        sample(rng.normal(size=3), pieces=1),
        sample(np.empty((0, 4)), pieces=2),
    ],
    parts=maxout_parts,
    hint="the size of the axis is a multiple of pieces; neighbours form a group",
)
def maxout(x: Array, *, pieces: int, axis: int = -1) -> Array:
    """The largest of every `pieces` neighbours along an axis (Goodfellow et al. 2013); ties share equally.

    x: float (..., n · pieces, ...), the affine pieces of a unit side by side.  Returns: float (..., n, ...).
    Raises `ValueError` if the size of the axis is no multiple of pieces.
    """
    if not -np.ndim(x) <= axis < np.ndim(x):
        raise ValueError(f"x of shape {np.shape(x)} has no axis {axis}")
    if pieces < 1 or x.shape[axis] % pieces:
        raise ValueError(f"axis {axis} of {x.shape} cannot be cut into groups of {pieces} pieces")
    return x.reshape(_grouped(x.shape, pieces, axis)).max(axis=axis % x.ndim + 1)
