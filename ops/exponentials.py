"""Powers and logarithms to other bases, roots, and the error function: smooth functions beside exp and log."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.activations import sigmoid
from ops.declaring import elementwise
from ops.elementwise import abs, exp, log1p, maximum, pairs, singles, sqrt, square, where
from ops.formula import MUL, POW, Formula, call
from ops.primitive import Array

LN_2, LN_10 = math.log(2), math.log(10)

# ----- exponentials and logarithms


@elementwise(
    vjps={"x": lambda g, out, x: g * exp(x)},
    kernel=np.expm1,
    formula=call("expm1", r"\operatorname{expm1}"),
    samples=singles(-800.0, -1e-12, 0.0, 20.0),
)
def expm1(x: Array) -> Array:
    """eˣ − 1, exact for small x. Slope eˣ, not out + 1: that would be 0 far on the left."""


@elementwise(
    vjps={"x": lambda g, out, x: g * (out * LN_2)},
    kernel=np.exp2,
    formula=Formula("2^{x}", "2^{{{x}}}", POW, (POW,), (0,), symbol="2^x"),
    samples=singles(-1100.0, 0.0, 20.0),
)
def exp2(x: Array) -> Array:
    """2 to the power x. Slope 2ˣ log 2."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (x * LN_2)},
    kernel=np.log2,
    formula=call("log2", r"\log_2"),
    samples=singles(1e-6, 1.0, 1e6, low=0.1, high=4.0),
)
def log2(x: Array) -> Array:
    """Logarithm to base 2. Slope 1/(x log 2)."""


@elementwise(
    vjps={"x": lambda g, out, x: g / (x * LN_10)},
    kernel=np.log10,
    formula=call("log10", r"\log_{10}"),
    samples=singles(1e-6, 1.0, 1e6, low=0.1, high=4.0),
)
def log10(x: Array) -> Array:
    """Logarithm to base 10. Slope 1/(x log 10)."""


def logaddexp_parts(x: Any, y: Any) -> Any:
    """The larger one, and what the smaller one adds to it; between equal ones, infinite or not, there is no gap."""
    gap = where(x == y, 0, x - y)
    return maximum(x, y) + log1p(exp(-abs(gap)))


@elementwise(
    vjps={
        "x": lambda g, out, x, y: g * sigmoid(x - y),
        "y": lambda g, out, x, y: g * sigmoid(y - x),
    },
    kernel=np.logaddexp,
    formula=Formula("logaddexp({x}, {y})", r"\log\left(e^{{{x}}} + e^{{{y}}}\right)"),
    samples=pairs((np.array([800.0, -800.0, 30.0, 0.5, 0.0]), np.zeros(1))),
    parts=logaddexp_parts,
)
def logaddexp(x: Array, y: Array) -> Array:
    """log(eˣ + eʸ) without overflow: the sum of two probabilities that are kept as logarithms.

    Slopes σ(x − y) and σ(y − x), the shares of the two; NaN for two infinite inputs of one sign, as IEEE has it, while
    the sum is that infinity.
    """


# ----- roots and reciprocals


@elementwise(
    vjps={"x": lambda g, out, x: -(g * (out * out))},
    formula=Formula("1 / {x}", r"\frac{{1}}{{{x}}}", MUL, (POW,), (0,), symbol="1/x"),
    samples=singles(1e-3, 1e3, -2.0, low=0.3, high=3.0),
)
def reciprocal(x: Array) -> Array:
    """1/x, also of integers. Slope −1/x²; IEEE results at 0."""
    return 1 / x


@elementwise(
    vjps={"x": lambda g, out, x: g * (-0.5 * out / x)},
    formula=Formula("1 / √({x})", r"\frac{{1}}{{\sqrt{{{x}}}}}", MUL, symbol="1/√x"),
    samples=singles(1e-4, 1e6, low=0.1, high=4.0),
)
def rsqrt(x: Array) -> Array:
    """1/√x, for x > 0. Slope −1/(2 x √x)."""
    return 1 / sqrt(x)


@elementwise(
    vjps={"x": lambda g, out, x: g / (3 * (out * out))},
    kernel=np.cbrt,
    formula=Formula("∛({x})", r"\sqrt[3]{{{x}}}", symbol="∛"),
    samples=singles(1e-3, -1e6, 8.0, low=0.1, high=4.0),
)
def cbrt(x: Array) -> Array:
    """The real cube root, also of negative numbers. Slope 1/(3 ∛x²); at 0 it is infinite."""


# ----- the error function

_SLOPE = 2 / math.sqrt(math.pi)


@elementwise(
    vjps={"x": lambda g, out, x: g * (_SLOPE * exp(-square(x)))},
    formula=call("erf", r"\operatorname{erf}"),
    samples=singles(-6.0, -1e-9, 0.0, 5.0),
)
def erf(x: Array) -> Array:
    """The error function, 2/√π ∫₀ˣ e^(−t²) dt. Slope 2/√π e^(−x²)."""
    from scipy import special  # here, for it takes longer to load than numpy

    return special.erf(x)


@elementwise(
    vjps={"x": lambda g, out, x: -(g * (_SLOPE * exp(-square(x))))},
    formula=call("erfc", r"\operatorname{erfc}"),
    samples=singles(-6.0, -1e-9, 0.0, 5.0, 26.0),
)
def erfc(x: Array) -> Array:
    """1 − erf x, with all its digits also far on the right. Slope −2/√π e^(−x²)."""
    from scipy import special

    return special.erfc(x)
