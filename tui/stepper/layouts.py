"""How arguments lie in memory: the way from one element to the next, and which of them are the same memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Layout(NamedTuple):
    """Where the elements of an array lie in its allocation, in bytes."""

    offset: int
    """Of the first element, behind the start of the allocation."""
    strides: tuple[int, ...]
    """From an element to the next one along each axis."""


def layout_of(array: np.ndarray[Any, Any]) -> Layout:
    """The layout of an array; a view begins somewhere inside the memory of which it is a view.

    >>> layout_of(np.zeros((4, 3), np.float32, order="F")), layout_of(np.zeros(9)[1::2])
    (Layout(offset=0, strides=(4, 16)), Layout(offset=8, strides=(16,)))
    """
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return Layout(_address(array) - _address(owner), array.strides)


def first_of_each(arguments: Sequence[Any]) -> list[int]:
    """For each argument the number of the first one that is the same memory.

    >>> x = np.zeros(3)
    >>> first_of_each([x, 2, x, x[:2]])
    [0, 1, 0, 3]
    """
    known: dict[Any, int] = {}
    found = []
    for k, each in enumerate(arguments):
        if isinstance(each, np.ndarray) and each.size:
            key = (_address(each), each.shape, each.strides, each.dtype.str)
            found.append(known.setdefault(key, k))
        else:
            found.append(k)
    return found


def _address(array: np.ndarray[Any, Any]) -> int:
    return int(array.__array_interface__["data"][0])
