"""Twins of rounding, by whole numbers of Python, and of clipping, by sorting out the cases."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.ops.twins.trigonometry import by_number


def round_to(x: Any, *, decimals: int = 0) -> Any:
    return by_number(lambda number: float(round(number, decimals)))(x)


def clip(x: Any, low: Any = -math.inf, high: Any = math.inf) -> Any:
    raised = np.where(np.less(x, low), low, x)
    return np.where(np.greater(raised, high), high, raised)


TWINS: Mapping[str, Callable[..., Any]] = {
    "floor": by_number(lambda x: float(math.floor(x))),
    "ceil": by_number(lambda x: float(math.ceil(x))),
    "trunc": by_number(lambda x: float(int(x))),
    "round": round_to,
    "clip": clip,
}
