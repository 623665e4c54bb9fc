"""Indices that name an element of an array, the words for those that do not, and numbers as memory keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.interpreter.faults import Found


def inside(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index names an element of an array of that shape.

    >>> inside((1, 2), (2, 3)), inside(-1, (5,)), inside(2, (2, 3))
    (True, False, False)
    """
    if type(index) is int and len(shape) == 1:  # the usual case, fast
        return 0 <= index < shape[0]
    parts = index if type(index) is tuple else (index,)
    if len(parts) != len(shape):
        return False
    for i, n in zip(parts, shape, strict=True):
        if not (type(i) is int or isinstance(i, int | np.integer)) or not 0 <= i < n:
            return False
    return True


def wrapped(value: int, dtype: np.dtype[Any]) -> int:
    """An integer as memory keeps it: its last bits.

    >>> wrapped(2**63, np.dtype("i8")) == -(2**63)
    True
    """
    bits = 8 * dtype.itemsize
    kept = value & ((1 << bits) - 1)
    return kept - (1 << bits) if dtype.kind == "i" and kept >> (bits - 1) else kept


def stored(value: Any, scalar: Any) -> Any:
    """A number as an array of some scalar type keeps it."""
    try:
        return scalar(value)
    except OverflowError:
        return scalar(wrapped(value, np.dtype(scalar)))


def refused(array: Any, index: Any) -> Found:
    """Why an index is none of an array."""
    shape: tuple[int, ...] = array.shape
    parts = index if type(index) is tuple else (index,)
    why = "is out of bounds"
    if any(isinstance(i, slice) or i is Ellipsis or i is None for i in parts):
        why = "is a slice, where a kernel names one element"
    elif len(parts) != len(shape):
        indices = "1 index" if len(parts) == 1 else f"{len(parts)} indices"
        why = f"has {indices}, where the array has {len(shape)}"
    elif other := [i for i in parts if not isinstance(i, int | np.integer)]:
        why = f"has an index that is no integer but a {type(other[0]).__name__}"
    elif any(-n <= i < 0 for i, n in zip(parts, shape, strict=True)):
        why = "has a negative index, and a kernel here counts elements from 0 (Numba would count this one from the end)"
    return Found("bounds", why, array, index)
