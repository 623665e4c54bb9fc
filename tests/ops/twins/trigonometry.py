"""Twins of the trigonometric functions: Python's `math`, number by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def by_number(function: Callable[..., float]) -> Callable[..., Array]:
    """A function of numbers on arrays; NaN outside its domain, inf where it overflows."""

    def one(*numbers: float) -> float:
        try:
            return function(*numbers)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return np.vectorize(one, otypes=[np.float64])


TWINS: Mapping[str, Callable[..., Any]] = {
    "sin": by_number(math.sin),
    "cos": by_number(math.cos),
    "tan": by_number(math.tan),
    "arcsin": by_number(math.asin),
    "arccos": by_number(math.acos),
    "arctan": by_number(math.atan),
    "arctan2": by_number(math.atan2),
    "sinh": by_number(math.sinh),
    "cosh": by_number(math.cosh),
    "arcsinh": by_number(math.asinh),
    "arccosh": by_number(math.acosh),
    "arctanh": lambda x: 0.5 * (np.log1p(x) - np.log1p(-np.asarray(x))),
    "hypot": by_number(math.hypot),
}
