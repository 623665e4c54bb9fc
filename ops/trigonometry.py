"""Trigonometric and hyperbolic functions, their inverses, and the angle and length of a point. Radians."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import elementwise
from ops.elementwise import pairs, singles, sqrt, where
from ops.formula import ATOM, Formula, call
from ops.primitive import Array

# ----- the functions


def sin_x(g: Any, out: Any, x: Any) -> Any:
    """The cotangent times cos x."""
    return g * cos(x)


@elementwise(
    vjps={"x": sin_x},
    kernel=np.sin,
    formula=call("sin", r"\sin"),
    samples=singles(0.0, -1e-9, 100.0),
)
def sin(x: Array) -> Array:
    """Sine. Slope cos x."""


@elementwise(
    vjps={"x": lambda g, out, x: -(g * sin(x))},
    kernel=np.cos,
    formula=call("cos", r"\cos"),
    samples=singles(0.0, -1e-9, 100.0),
)
def cos(x: Array) -> Array:
    """Cosine. Slope −sin x."""


@elementwise(
    vjps={"x": lambda g, out, x: g * (1 + out * out)},
    kernel=np.tan,
    formula=call("tan", r"\tan"),
    samples=singles(0.0, -1e-9, 100.0, low=-1.2, high=1.2),
)
def tan(x: Array) -> Array:
    """Tangent. Slope 1 + tan² x."""


def sinh_x(g: Any, out: Any, x: Any) -> Any:
    """The cotangent times cosh x."""
    return g * cosh(x)


@elementwise(
    vjps={"x": sinh_x},
    kernel=np.sinh,
    formula=call("sinh", r"\sinh"),
    samples=singles(0.0, -1e-9, 20.0),
)
def sinh(x: Array) -> Array:
    """Hyperbolic sine. Slope cosh x."""


@elementwise(
    vjps={"x": lambda g, out, x: g * sinh(x)},
    kernel=np.cosh,
    formula=call("cosh", r"\cosh"),
    samples=singles(0.0, -1e-9, 20.0),
)
def cosh(x: Array) -> Array:
    """Hyperbolic cosine. Slope sinh x."""


# ----- their inverses


@elementwise(
    vjps={"x": lambda g, out, x: g / sqrt((1 - x) * (1 + x))},
    kernel=np.arcsin,
    formula=call("arcsin", r"\arcsin"),
    samples=singles(0.0, -1e-9, 0.999, low=-0.9, high=0.9),
)
def arcsin(x: Array) -> Array:
    """The angle in [−π/2, π/2] whose sine is x. Slope 1/√(1 − x²), infinite at −1 and 1; NaN beyond them."""


@elementwise(
    vjps={"x": lambda g, out, x: -g / sqrt((1 - x) * (1 + x))},
    kernel=np.arccos,
    formula=call("arccos", r"\arccos"),
    samples=singles(0.0, -1e-9, 0.999, low=-0.9, high=0.9),
)
def arccos(x: Array) -> Array:
    """The angle in [0, π] whose cosine is x. Slope −1/√(1 − x²), infinite at −1 and 1; NaN beyond them."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (1 + x * x)},
    kernel=np.arctan,
    formula=call("arctan", r"\arctan"),
    samples=singles(0.0, -1e-9, 1e3),
)
def arctan(x: Array) -> Array:
    """The angle in (−π/2, π/2) whose tangent is x. Slope 1/(1 + x²)."""


def arcsinh_x(g: Any, out: Any, x: Any) -> Any:
    """The cotangent over √(x² + 1), whose square may overflow."""
    return g / hypot(x, 1)


@elementwise(
    vjps={"x": arcsinh_x},
    kernel=np.arcsinh,
    formula=call("arcsinh", r"\operatorname{arcsinh}"),
    samples=singles(0.0, -1e-9, 1e6),
)
def arcsinh(x: Array) -> Array:
    """Inverse of the hyperbolic sine. Slope 1/√(x² + 1)."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (sqrt(x - 1) * sqrt(x + 1))},
    kernel=np.arccosh,
    formula=call("arccosh", r"\operatorname{arccosh}"),
    samples=singles(1.01, 1e6, low=1.2, high=4.0),
)
def arccosh(x: Array) -> Array:
    """Inverse of the hyperbolic cosine, for x >= 1. Slope 1/√(x² − 1), infinite at 1; NaN below it."""


@elementwise(
    vjps={"x": lambda g, out, x: g / ((1 - x) * (1 + x))},
    kernel=np.arctanh,
    formula=call("arctanh", r"\operatorname{arctanh}"),
    samples=singles(0.0, -1e-9, 0.999, low=-0.9, high=0.9),
)
def arctanh(x: Array) -> Array:
    """Inverse of the hyperbolic tangent, for −1 < x < 1. Slope 1/(1 − x²); infinite at −1 and 1, NaN beyond."""


# ----- a point of the plane


def hypot_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """x / √(x² + y²), and 0 at the origin."""
    return g * (x / where(out == 0, 1, out))


def hypot_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """y / √(x² + y²), and 0 at the origin."""
    return g * (y / where(out == 0, 1, out))


@elementwise(
    vjps={"x": hypot_x, "y": hypot_y},
    kernel=np.hypot,
    formula=Formula(
        "hypot({x}, {y})",
        r"\sqrt{{{{{x}}}^2 + {{{y}}}^2}}",
        tex_needs=(ATOM, ATOM),
        symbol="hypot",
    ),
    samples=pairs(
        (np.array([0.0, 3.0, 300.0]), np.array([0.0, -4.0, 0.0])),
    ),
)
def hypot(x: Array, y: Array) -> Array:
    """√(x² + y²) without overflow. At the kink, the origin, both rules return 0."""


def arctan2_y(g: Any, out: Any, y: Any, x: Any) -> Any:
    """x / r² with r = √(x² + y²), and 0 at the origin; divided twice, lest r² overflow."""
    r = hypot(x, y)
    r = where(r == 0, 1, r)
    return g * (x / r) / r


def arctan2_x(g: Any, out: Any, y: Any, x: Any) -> Any:
    """−y / r² with r = √(x² + y²), and 0 at the origin; divided twice, lest r² overflow."""
    r = hypot(x, y)
    r = where(r == 0, 1, r)
    return -(g * (y / r)) / r


@elementwise(
    vjps={"y": arctan2_y, "x": arctan2_x},
    kernel=np.arctan2,
    formula=Formula(
        "arctan2({y}, {x})", r"\operatorname{{arctan2}}\left({y}, {x}\right)", symbol="arctan2"
    ),
    samples=pairs((np.array([1e-9, 2.0, -3.0]), np.array([5.0, 0.0, 0.0]))),
)
def arctan2(y: Array, x: Array) -> Array:
    """The angle of the point (x, y) in (−π, π], y first as in numpy.

    Slopes x/(x² + y²) by y and −y/(x² + y²) by x. At the origin, where there is no angle, both rules return 0.
    """
