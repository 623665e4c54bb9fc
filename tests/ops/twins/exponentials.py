"""Twins of powers, logarithms, roots and the error function; the last by quadrature of its integral."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.ops.twins.trigonometry import by_number

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def integral(function: Callable[[Any], Any], low: float, high: float, panels: int = 8) -> float:
    """Gauss-Legendre quadrature of a function of one sign over equal panels."""
    edges = np.linspace(low, high, panels + 1)
    centres, half = (edges[1:] + edges[:-1]) / 2, (high - low) / panels / 2
    return half * math.fsum((WEIGHTS * function(centres[:, None] + half * NODES)).ravel().tolist())


def erf(x: float) -> float:
    """2x/√π ∫₀¹ e^(−x²t²) dt where little is missing to 0, else 1 − erfc."""
    if abs(x) > 1:
        return math.copysign(1 - erfc(abs(x)), x)
    return 2 * x / math.sqrt(math.pi) * integral(lambda t: np.exp(-((x * t) ** 2)), 0, 1)


def erfc(x: float) -> float:
    """2/√π e^(−x²) ∫₀^∞ e^(−t² − 2xt) dt: nothing cancels."""
    if x < 0.5:
        return 1 - erf(x)
    tail = integral(lambda t: np.exp(-t * t - 2 * x * t), 0, min(7, 40 / x))
    return 2 / math.sqrt(math.pi) * math.exp(-x * x) * tail


def cube_root(x: float) -> float:
    return math.copysign(math.exp(math.log(abs(x)) / 3), x) if x else 0.0


def logaddexp(x: float, y: float) -> float:
    """Shifted by the mean, unless the larger one is all that counts."""
    if abs(x - y) > 100:
        return max(x, y)
    middle = (x + y) / 2
    return middle + math.log(2 * math.cosh((x - y) / 2))


TWINS: Mapping[str, Callable[..., Any]] = {
    "expm1": by_number(math.expm1),
    "exp2": by_number(lambda x: 2.0**x),
    "log2": by_number(math.log2),
    "log10": by_number(math.log10),
    "logaddexp": by_number(logaddexp),
    "reciprocal": lambda x: np.power(np.asarray(x, float), -1),
    "rsqrt": lambda x: np.power(np.asarray(x, float), -0.5),
    "cbrt": by_number(cube_root),
    "erf": by_number(erf),
    "erfc": by_number(erfc),
}
