"""How much a derivation may make and do: numbers, entries of lists, and work, asked before anything runs."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

from tracer.checking.derivations.refusals import RefusedError
from tracer.tensors import Tensor

LARGEST = 10**8
"""Elements that one line of a derivation may make, and that all its names together may hold."""
WIDEST = 2**63
"""Whole numbers from here on are refused."""
MOST_WORK = 10**9
"""Work of one call: a second, in billionths of one, as far as it can be told beforehand."""
STEP = 4_000
"""The work of a call or an operator beside what numpy does in it: that of walking over the expression."""
TOLD = 10**6
"""Work after which the clock is looked at."""
MOST_AXES = 32
"""Axes of an array; numpy itself broadcasts no more in every version."""
ENTRY = 4
"""Numbers that an entry of a list takes the room of."""
NUMBERS = (bool, int, float, np.number, np.bool_, np.ndarray, Tensor, list, tuple)
"""What a list may hold that becomes an array."""


class Cost(NamedTuple):
    """What an operation takes: the elements it makes, and its work, in billionths of a second."""

    elements: int
    work: int


def within_reach(value: Any) -> Any:
    """A value as it is, unless it is a whole number too large to compute with, or no array of numbers.

    >>> within_reach(2**70)
    Traceback (most recent call last):
    tracer.checking.derivations.refusals.RefusedError: a whole number beyond 2**63
    """
    if isinstance(value, int) and abs(value) >= WIDEST:
        raise RefusedError("a whole number beyond 2**63", "a float, such as 1e30")
    if isinstance(value, np.ndarray) and value.dtype.kind not in "fiub":
        raise RefusedError("it makes an array of no real numbers", "numbers alone, in rows alike")
    if isinstance(value, np.ndarray) and value.ndim > MOST_AXES:
        raise RefusedError(f"an array of {value.ndim} axes", f"at most {MOST_AXES} axes")
    return value


def listed_in(argument: Any) -> int:
    """How many numbers a list holds, as an argument; 0 for an array or number. Raises `RefusedError` for what is none.

    >>> listed_in(2.0), listed_in([1, 2])
    (0, 10)
    >>> listed_in([1, None])
    Traceback (most recent call last):
    tracer.checking.derivations.refusals.RefusedError: a list that holds more than numbers
    """
    if isinstance(argument, (dict, slice, EllipsisType)):
        raise RefusedError("an argument that is no number and no array", "an array")
    if isinstance(argument, (list, tuple)):
        return numbers_in(argument, strict=True)
    return 0


def numbers_in(value: Any, *, strict: bool = False) -> int:
    """How many numbers a value holds, with the room that entries of lists take; what is shared counts each time.

    strict: refuse lists that hold anything but numbers, arrays and lists.

    >>> numbers_in([np.zeros(100), (1.0, 2.0)])
    118
    >>> twice = [1.0]
    >>> for _ in range(100):
    ...     twice = [twice, twice]
    >>> numbers_in(twice) > 2**100
    True
    """
    if not isinstance(value, (list, tuple, dict)):
        return _size(value)
    known: dict[int, int] = {}
    waiting: list[Any] = [value]
    while waiting:
        whole = waiting[-1]
        parts = list(whole.values()) if isinstance(whole, dict) else whole
        tables = {id(part): part for part in parts if isinstance(part, (list, tuple, dict))}
        unknown = [part for key, part in tables.items() if key not in known]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        if strict and not all(isinstance(part, NUMBERS) for part in parts):
            raise RefusedError("a list that holds more than numbers", "numbers and arrays")
        known[id(whole)] = sum(
            ENTRY + (known[id(part)] if id(part) in tables else _size(part)) for part in parts
        )
    return known[id(value)]


def _size(value: Any) -> int:
    return int(value.size) if isinstance(value, np.ndarray) else 1
