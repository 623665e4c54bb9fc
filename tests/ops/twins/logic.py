"""Twins of logic and of questions about numbers, by Python's own truth values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def by_truth(function: Callable[..., bool]) -> Callable[..., Any]:
    return np.vectorize(function, otypes=[np.bool_])


TWINS: Mapping[str, Callable[..., Any]] = {
    "logical_and": by_truth(lambda x, y: bool(x) and bool(y)),
    "logical_or": by_truth(lambda x, y: bool(x) or bool(y)),
    "logical_xor": by_truth(lambda x, y: bool(x) is not bool(y)),
    "logical_not": by_truth(lambda x: not x),
    "isnan": by_truth(lambda x: x != x),
    "isinf": by_truth(lambda x: abs(x) == math.inf),
    "isfinite": by_truth(lambda x: abs(x) < math.inf),
}
