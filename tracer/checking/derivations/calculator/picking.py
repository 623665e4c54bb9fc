"""What an index picks out of an array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .limits import STEP, Cost


def picked(array: Any, index: Any) -> Cost:
    """What indexing makes: index arrays broadcast against each other, beside the axes that are left whole.

    >>> picked(np.zeros((100, 10)), (np.zeros(100, int), np.zeros(100, int))).elements
    100
    >>> picked(np.zeros((1, 50)), ([0, 0, 0],)).elements
    150
    """
    sizes = np.shape(array)
    parts = index if isinstance(index, tuple) else (index,)
    spread: list[tuple[int, ...]] = []
    left, at = 1, 0
    for place, part in enumerate(parts):
        if part is None:
            continue
        if part is Ellipsis:
            behind = sum(map(_axes, parts[place + 1 :]))
            skipped = max(len(sizes) - behind - at, 0)
            left *= math.prod(sizes[at : at + skipped])
            at += skipped
            continue
        if isinstance(part, slice):
            left *= math.prod(sizes[at : at + 1])
        elif isinstance(part, (np.ndarray, list, tuple, bool)):
            found = np.asarray(part)
            shape = (int(np.count_nonzero(found)),) if found.dtype == bool else found.shape
            spread.append(shape)
        at += _axes(part)
    made = left * math.prod(sizes[at:])
    if not spread:
        return Cost(16, STEP)  # a view
    made *= math.prod(np.broadcast_shapes(*spread))
    return Cost(made, STEP + 20 * made)


def _axes(part: Any) -> int:
    """How many axes a part of an index is for."""
    if part is None or part is Ellipsis:
        return 0
    if isinstance(part, (np.ndarray, list, bool, np.bool_)):
        found = np.asarray(part)
        return found.ndim if found.dtype == bool else 1
    return 1
