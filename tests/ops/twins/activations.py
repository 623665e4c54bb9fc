"""Twins of the activations beyond sigmoid, tanh and relu: each number on its own, by Python's `math`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.ops.twins.exponentials import erfc
from tests.ops.twins.trigonometry import by_number


def of_params(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of one number and of parameters, on arrays."""
    return lambda x, **params: by_number(lambda number: function(number, **params))(x)


def sigma(x: float) -> float:
    """The sigmoid by whichever exponential cannot overflow."""
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x: float, beta: float = 1.0) -> float:
    scaled = beta * x
    small = math.log1p(math.exp(-abs(scaled)))
    return (scaled + small if scaled > 0 else small) / beta


def elu(x: float, alpha: float = 1.0) -> float:
    return x if x > 0 else alpha * math.expm1(x)


def gelu(x: float, approximate: str = "none") -> float:
    if approximate == "none":
        return x / 2 * erfc(-x / math.sqrt(2))
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x * sigma(2 * u)


def clipped(x: float, low: float = -1.0, high: float = 1.0) -> float:
    return sorted((low, x, high))[1]


def maxout(x: Any, *, pieces: int, axis: int = -1) -> Any:
    rows = np.moveaxis(x, axis, -1)
    each = [rows[..., k::pieces] for k in range(pieces)]
    return np.moveaxis(np.maximum.reduce(each), -1, axis)


def glu(x: Any, *, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * by_number(sigma)(b)


TWINS: Mapping[str, Callable[..., Any]] = {
    "leaky_relu": of_params(lambda x, negative_slope=0.01: max(x, 0) + negative_slope * min(x, 0)),
    "prelu": by_number(lambda x, weight: max(x, 0) + weight * min(x, 0)),
    "relu6": by_number(lambda x: clipped(x, 0, 6)),
    "hard_tanh": of_params(clipped),
    "hard_sigmoid": by_number(lambda x: clipped(x / 6 + 0.5, 0, 1)),
    "maxout": maxout,
    "elu": of_params(elu),
    "celu": of_params(lambda x, alpha=1.0: alpha * elu(x / alpha)),
    "selu": by_number(lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    "softplus": of_params(softplus),
    "softsign": by_number(lambda x: x / (1 - x) if x < 0 else x / (1 + x)),
    "silu": by_number(lambda x: x * sigma(x)),
    "mish": by_number(lambda x: x * math.tanh(softplus(x))),
    "gelu": of_params(gelu),
    "glu": glu,
}
