"""How large the result of an operation on arrays will be, asked before it runs, so that nothing exhausts the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.format import shape

LARGEST = 10**8
"""Elements that one line of a derivation may make, and that all its names together may hold."""
WIDEST = 2**63
"""Whole numbers from here on are refused."""


class RefusedError(Exception):
    """An expression that is not allowed or not possible: the reason, and one thing to try."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


def afford(name: str, args: Sequence[Any], *, made: int = 0) -> int:
    """The elements made so far, with those that the function or operator of that name will make.

    Raises `RefusedError` if they are too many for one line.

    >>> afford("outer", (np.zeros(10**3), np.zeros(10**4)), made=5)
    10000005
    >>> afford("outer", (np.zeros(10**5), np.zeros(10**5)))
    Traceback (most recent call last):
    tracer.checking.derivations.sizes.RefusedError: outer would make an array of 10000000000 elements
    """
    size = _size(name, args)
    if made + size > LARGEST:
        raise RefusedError(
            f"{name} would make an array of {size} elements",
            f"lines that make at most {LARGEST} elements",
        )
    return made + size


def _size(name: str, args: Sequence[Any]) -> int:
    """An upper bound of the number of elements."""
    first = args[0] if args else 0
    match name:
        case "zeros" | "ones":
            return math.prod(_sizes(args[:1]))
        case "eye":
            return math.prod((*_sizes(args[:2]), *_sizes(args[:1]))[:2])
        case "broadcast_to":
            return math.prod(_sizes(args[1:2]))
        case "concatenate" | "stack":
            return (
                sum(np.size(part) for part in first) if isinstance(first, tuple) else np.size(first)
            )
        case "diag":
            return int(np.size(first)) ** (2 if np.ndim(first) == 1 else 1)
        case "outer":
            return math.prod(int(np.size(a)) for a in args[:2])
        case "matmul" | "dot" | "@":
            return _product(args)
        case "einsum":
            return _summed(args)
        case "[]":
            return _picked(*args)
    arrays = [a for a in args if isinstance(a, (np.ndarray, np.generic, int, float))]
    try:
        return math.prod(np.broadcast_shapes(*map(np.shape, arrays)))
    except ValueError:
        return max(int(np.size(a)) for a in arrays)


def _sizes(args: Sequence[Any]) -> list[int]:
    """The numbers in arguments that describe a shape: `3`, or `(3, 4)`."""
    flat = [n for a in args for n in (a if isinstance(a, tuple) else (a,)) if n is not None]
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in flat):
        raise RefusedError("a shape is made of whole numbers", "a shape such as x.shape or (3, 4)")
    return [int(n) for n in flat]


def _product(args: Sequence[Any]) -> int:
    a, b = (np.shape(x) for x in args[:2]) if len(args) > 1 else ((), ())
    if not a or not b:
        return math.prod(a) * math.prod(b)
    return math.prod((*a[:-1], *b[:-2], *b[1:][-1:]))


def _summed(args: Sequence[Any]) -> int:
    """The size of the loop of an einsum: the product over all of its letters."""
    spelled = args[0] if args and isinstance(args[0], str) else ""
    inputs = spelled.split("->")[0].replace(" ", "").split(",")
    letters = spelled.replace("->", "").replace(",", "").replace(" ", "")
    if not letters.isalpha() or len(inputs) != len(args) - 1:
        raise RefusedError(
            "einsum takes letters for axes, one group for each array",
            "np.einsum('bi,bj->ij', x, dy)",
        )
    lengths: dict[str, int] = {}
    for group, array in zip(inputs, args[1:], strict=True):
        if len(group) != np.ndim(array):
            raise RefusedError(
                f"einsum: {group!r} names {len(group)} axes, the array has shape {shape(np.shape(array))}",
                "one letter for each axis",
            )
        for letter, length in zip(group, np.shape(array), strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    return math.prod(lengths.values())


def _picked(array: Any, index: Any) -> int:
    """The most that an index can pick: the array, once for each entry of its index arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    times = math.prod(
        max(int(np.size(p)), 1) for p in parts if isinstance(p, np.ndarray) and p.dtype != bool
    )
    return int(np.size(array)) * times


def within_reach(value: Any) -> Any:
    """A value as it is, unless it is a whole number too large to compute with.

    >>> within_reach(2**70)
    Traceback (most recent call last):
    tracer.checking.derivations.sizes.RefusedError: a whole number beyond 2**63
    """
    if isinstance(value, int) and abs(value) >= WIDEST:
        raise RefusedError("a whole number beyond 2**63", "a float, such as 1e30")
    return value
