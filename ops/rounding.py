"""Rounding, whose derivative is 0 everywhere, and clipping, which passes the cotangent inside its bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import elementwise, primitive
from ops.elementwise import flat, maximum, minimum, singles, where
from ops.formula import Formula, call
from ops.primitive import NUMBERS, Array, sample

_FLAT = "Piecewise constant: its derivative is 0, also at the jumps."


def _rounds(name: str, ufunc: Any, text: str, tex: str, doc: str) -> Any:
    def kernel(x: Array) -> Array:
        return ufunc(x)

    kernel.__doc__ = f"{doc} {_FLAT}"
    kernel.__qualname__ = name
    declare = elementwise(
        vjps={"x": flat},
        kernel=ufunc,
        name=name,
        formula=Formula(text, tex, symbol=text.replace("{x}", "x")),
        samples=singles(-2.75, -0.25, 0.75, 6.5),
    )
    return declare(kernel)


floor = _rounds(
    "floor",
    np.floor,
    "⌊{x}⌋",
    r"\left\lfloor {x} \right\rfloor",
    "The largest whole number that is not above x.",
)
ceil = _rounds(
    "ceil",
    np.ceil,
    "⌈{x}⌉",
    r"\left\lceil {x} \right\rceil",
    "The smallest whole number that is not below x.",
)
trunc = _rounds(
    "trunc",
    np.trunc,
    "trunc({x})",
    r"\operatorname{{trunc}}\left({x}\right)",
    "The whole part of x: rounded towards 0.",
)


@elementwise(
    vjps={"x": lambda g, out, x, *, decimals: flat(g, out, x)},
    formula=call("round", r"\operatorname{round}"),
    samples=lambda rng: [
        *singles(-2.75, -0.25, 0.75, 6.25)(rng),
        sample(np.array([0.18, -0.73]), decimals=1),
        sample(np.array([1234.0, -27.0]), decimals=-2),
    ],
)
def round(x: Array, *, decimals: int = 0) -> Array:
    """The nearest number with so many decimals; halves go to the even one, as in numpy.

    Piecewise constant: its derivative is 0, also at the jumps.
    """
    return np.round(x, decimals)


def clip_x(g: Any, out: Any, x: Any, low: Any, high: Any) -> Any:
    """The cotangent where x lies within the bounds or on one of them, else 0."""
    return where(x < low, 0, where(x > high, 0, g))


def clip_low(g: Any, out: Any, x: Any, low: Any, high: Any) -> Any:
    """The cotangent where x was below the lower bound, unless the upper one is lower still."""
    return where(x < low, where(low > high, 0, g), 0)


def clip_high(g: Any, out: Any, x: Any, low: Any, high: Any) -> Any:
    """The cotangent where the upper bound was exceeded."""
    return where(maximum(x, low) > high, g, 0)


@primitive(
    vjps={"x": clip_x, "low": clip_low, "high": clip_high},
    optional={"low": -math.inf, "high": math.inf},
    formula=Formula(
        "clip({x}, {low}, {high})",
        r"\operatorname{{clip}}\left({x}, {low}, {high}\right)",
        symbol="clip",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)), -0.5, 0.5),
        (rng.normal(size=(2, 1, 3)), rng.uniform(-1, 0, size=(4, 1)), rng.uniform(0, 1, size=3)),
        (np.float64(0.3), np.float64(0.5), np.float64(1.0)),
        (rng.normal(size=4), 0.25),
        (np.empty((0, 3)), rng.normal(size=3), 1.0),
        (np.array([-1e3, -1.0, 0.0, 2.0, 1e3]), -1.0, 2.0),
        (np.array([-1.0, 2.5, 4.0]), np.array([3.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0])),
    ],
    hint="make the sizes equal or 1, axis by axis from the right",
    elementwise=True,
)
def clip(x: Array, low: Array, high: Array) -> Array:
    """x kept between two bounds, either of which may be left out; where low > high it is high, as in numpy.

    min(max(x, low), high). x receives the cotangent within the bounds and on them, as in PyTorch; beyond them the
    bound that was met receives it.
    """
    if not (type(low) in NUMBERS and low == -math.inf):
        x = maximum(x, low)
    return x if type(high) in NUMBERS and high == math.inf else minimum(x, high)
