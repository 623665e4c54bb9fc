"""The namespace `math` of an interpreted kernel: functions that take and give numbers of the kernel's dtype.

As on a GPU nothing raises: the logarithm of 0 is -inf, of -1 NaN, and exp(1000) is inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

ROUNDED = (
    "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees erf erfc exp expm1 fabs floor fmod gamma "
    "hypot lgamma log log10 log1p log2 pow radians remainder sin sinh sqrt tan tanh trunc"
).split()
"""What gives a number of the dtype: all that Numba knows on a GPU."""

FACTS = ("isnan", "isinf", "isfinite")
CONSTANTS = ("pi", "e", "inf", "nan", "tau")

WHOLE: Mapping[str, Any] = {
    "ceil": lambda x: math.copysign(math.ceil(x), x),
    "floor": lambda x: math.copysign(math.floor(x), x),
    "trunc": lambda x: math.copysign(math.trunc(float(x)), x),
}
"""What Python gives as an integer, and a GPU as a float that keeps the sign of zero."""

INSTEAD: Mapping[str, Any] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atanh": np.arctanh,
    "pow": np.power,
    "lgamma": lambda x: np.inf,
    "gamma": lambda x: np.copysign(np.inf, x) if x == 0 or x > 0 else np.nan,
}
"""Where Python raises: numpy's function of that name gives inf or NaN, these where it has none."""


@cache
def rounding(scalar: Any) -> SimpleNamespace:
    """`math` for a scalar type: every result rounded to it.

    >>> rounding(np.float32).exp(np.float32(1))
    np.float32(2.7182817)
    >>> rounding(np.float64).log(np.float64(0))
    np.float64(-inf)
    """
    given: dict[str, Any] = {name: _rounded(name, scalar) for name in ROUNDED}
    given |= {name: getattr(math, name) for name in FACTS + CONSTANTS}
    return SimpleNamespace(**given)


def _rounded(name: str, scalar: Any) -> Callable[..., Any]:
    exact = WHOLE.get(name) or getattr(math, name)
    instead = INSTEAD.get(name) or getattr(np, name, None)

    def function(*args: Any) -> Any:
        try:
            return scalar(exact(*args))
        except (TypeError, ValueError, OverflowError):
            # floor of inf, log of 0, exp of 1000, trunc of a float32: numpy says what the number is
            with np.errstate(all="ignore"):
                return scalar(instead(*[np.float64(x) for x in args]))  # type: ignore[misc]

    function.__name__ = name
    return function
