"""What products of arrays make, and how many numbers they multiply: matrix products, einsum, convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.checking.derivations.refusals import RefusedError
from tracer.format import shape

from .binding import Given
from .limits import Cost

FAST, SLOW = 0.1, 4.0
"""Work of a product of floats in BLAS, and of any other."""
PAIR = 0.5
"""Work of a product in a convolution."""
LOOP = 4
"""Work of a turn of the loop of an einsum."""


def matmul(given: Given) -> Cost:
    """`a @ b`: over leading axes that broadcast."""
    a, b = np.shape(given["x1"]), np.shape(given["x2"])
    if not a or not b:
        return _products(given, math.prod(a) * math.prod(b), 1)
    try:
        many = math.prod(np.broadcast_shapes(a[:-2], b[:-2]))
    except ValueError:  # numpy says so, and makes nothing
        many = 1
    return _products(given, many * math.prod((*a[-2:-1], *b[1:][-1:])), a[-1])


def dot(given: Given) -> Cost:
    """`np.dot`: every leading axis of one with every one of the other."""
    a, b = np.shape(given["a"]), np.shape(given["b"])
    if not a or not b:
        return _products(given, math.prod(a) * math.prod(b), 1)
    return _products(given, math.prod((*a[:-1], *b[:-2], *b[1:][-1:])), a[-1])


def inner(given: Given) -> Cost:
    """`np.inner`: over the last axes."""
    a, b = np.shape(given["a"]), np.shape(given["b"])
    if not a or not b:
        return _products(given, math.prod(a) * math.prod(b), 1)
    return _products(given, math.prod((*a[:-1], *b[:-1])), a[-1])


def outer(given: Given) -> Cost:
    """`np.outer`, `np.kron`: each with each."""
    made = int(np.size(given["a"])) * int(np.size(given["b"]))
    return Cost(made, 20 * made)


def vdot(given: Given) -> Cost:
    """`np.vdot`: one number."""
    return Cost(1, 20 * int(np.size(given["a"])))


def tensordot(given: Given) -> Cost:
    """`np.tensordot`: the axes that are kept of both."""
    a, b, axes = np.shape(given["a"]), np.shape(given["b"]), given.get("axes", 2)
    if isinstance(axes, (int, np.integer)):
        count = min(int(axes), len(a), len(b)) if axes > 0 else 0
        left, right = range(len(a) - count, len(a)), range(count)
    else:
        left, right = ([int(n) for n in np.ravel(np.asarray(each))] for each in axes)  # type: ignore[assignment]
    kept = [n for k, n in enumerate(a) if k not in left and k - len(a) not in left]
    kept += [n for k, n in enumerate(b) if k not in right and k - len(b) not in right]
    found = _products(given, math.prod(kept), math.prod(a[k] for k in left))
    copied = math.prod(a) + math.prod(b)
    return Cost(found.elements + copied, found.work + 10 * copied)


def convolve(given: Given) -> Cost:
    """`np.convolve`, `np.correlate`: each number of one with each of the other."""
    a, v = int(np.size(given["a"])), int(np.size(given["v"]))
    return Cost(a + v, int(PAIR * a * v))


def einsum(given: Given) -> Cost:
    """`np.einsum`: a loop over all of its letters."""
    spelled, arrays = given.get("subscripts"), given.get("operands", ())
    spelled = spelled.replace("...", "") if isinstance(spelled, str) else ""
    written, _, after = spelled.replace(" ", "").partition("->")
    groups = written.split(",")
    if not (written + after).replace(",", "").isalpha() or len(groups) != len(arrays):
        raise RefusedError(
            "einsum takes letters for axes, one group for each array",
            "np.einsum('bi,bj->ij', x, dy)",
        )
    lengths = _lengths(groups, arrays)
    turns = math.prod(lengths.values())
    kept = after if "->" in spelled else [n for n in lengths if written.count(n) == 1]
    made = math.prod(lengths.get(letter, 1) for letter in kept)
    if given.get("optimize"):  # by way of arrays in between, which are no larger than the loop
        made = turns
    return Cost(made, LOOP * turns)


def _lengths(groups: Sequence[str], arrays: Sequence[Any]) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for group, array in zip(groups, arrays, strict=True):
        if len(group) != np.ndim(array):
            raise RefusedError(
                f"einsum: {group!r} names {len(group)} axes, the array has shape {shape(np.shape(array))}",
                "one letter for each axis",
            )
        for letter, length in zip(group, np.shape(array), strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    return lengths


def _products(given: Given, made: int, length: int) -> Cost:
    """The cost of so many sums of products."""
    floats = all(np.asarray(each).dtype.kind == "f" for each in list(given.values())[:2])
    products = made * length
    return Cost(made, 10 * made + int((FAST if floats else SLOW) * products))
