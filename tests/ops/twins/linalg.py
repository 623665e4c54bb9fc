"""Twins of linear algebra: sums written out over indices, and matrices of exact fractions."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

Array = Any
Matrix = list[list[Fraction]]


# ----- products, index by index


def summed(terms: list[str], result: str, operands: list[Array]) -> Array:
    """The sum over all letters that the result lacks, one product at a time; an axis of size 1 is read again."""
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]
    parts: dict[tuple[int, ...], list[float]] = {}
    for picked in itertools.product(*(range(n) for n in sizes.values())):
        at = dict(zip(sizes, picked, strict=True))
        factors = [
            x[tuple(0 if n == 1 else at[c] for c, n in zip(term, x.shape, strict=True))]
            for term, x in zip(terms, operands, strict=True)
        ]
        parts.setdefault(tuple(at[c] for c in result), []).append(math.prod(map(float, factors)))
    out = np.zeros([sizes[c] for c in result])
    for place, products in parts.items():
        out[place] = math.fsum(products)
    return out


def einsum(*operands: Array, equation: str) -> Array:
    arrays = [np.asarray(x) for x in operands]
    given, _, result = equation.replace("...", "*").partition("->")
    terms = given.split(",")
    dots = "WXYZ"
    terms = [
        term.replace("*", dots[len(dots) - (x.ndim - len(term) + 1) :])
        for term, x in zip(terms, arrays, strict=True)
    ]
    used = max((re.sub("[^WXYZ]", "", term) for term in terms), key=len)
    if "->" not in equation:
        letters = [c for c in given if c.isalpha()]
        result = "*" + "".join(sorted(c for c in letters if letters.count(c) == 1))
    return summed(terms, result.replace("*", used), arrays)


def tensordot(x: Array, y: Array, *, axes: Any) -> Array:
    x, y = np.asarray(x), np.asarray(y)
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    first, second = ([one] if isinstance(one, int) else list(one) for one in axes)
    of_x, of_y = list("abcdefg"[: x.ndim]), list("tuvwxyz"[: y.ndim])
    for k, j in zip(first, second, strict=True):
        of_y[j] = of_x[k]
    both = set(of_x) & set(of_y)
    result = "".join(c for c in of_x + of_y if c not in both)
    return summed(["".join(of_x), "".join(of_y)], result, [x, y])


def dot(x: Array, y: Array) -> Array:
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == 0 or y.ndim == 0:
        return tensordot(x, y, axes=0)
    return tensordot(x, y, axes=(x.ndim - 1, max(y.ndim - 2, 0)))


def linear(x: Array, weight: Array, bias: Array) -> Array:
    return tensordot(x, weight, axes=(x.ndim - 1, 1)) + bias


def matrix_trace(x: Array, *, offset: int) -> Array:
    rows, columns = x.shape[-2:]
    picked = [x[..., i, i + offset] for i in range(rows) if 0 <= i + offset < columns]
    return np.sum(picked, axis=0) if picked else np.zeros(x.shape[:-2])


# ----- matrices of exact fractions


def of_each(function: Callable[..., Any], rank: int) -> Callable[..., Array]:
    """The function of exact matrices, applied along stacks and rounded once; rank: that of its result."""

    def run(*stacks: Array, **params: Any) -> Array:
        stack = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
        spread = [np.broadcast_to(x, (*stack, *x.shape[-2:])) for x in stacks]
        sizes = spread[-1].shape[-2:] if rank else ()
        out = np.zeros((*stack, *sizes))
        for place in np.ndindex(stack):
            exact = [[[Fraction(float(v)) for v in row] for row in x[place]] for x in spread]
            out[place] = np.array(function(*exact, **params), dtype=float)
        return out

    return run


def determinant(a: Matrix) -> Fraction:
    """By the formula of Leibniz: a product for every permutation, with its sign."""
    total = Fraction(0)
    for order in itertools.permutations(range(len(a))):
        swaps = sum(order[i] > order[j] for j in range(len(a)) for i in range(j))
        total += (-1) ** swaps * math.prod(
            (a[i][k] for i, k in enumerate(order)), start=Fraction(1)
        )
    return total


def minors(a: Matrix) -> Iterator[tuple[int, int, Matrix]]:
    """What is left without row i and column j."""
    n = len(a)
    for i, j in itertools.product(range(n), range(n)):
        yield i, j, [[a[k][m] for m in range(n) if m != j] for k in range(n) if k != i]


def cofactors(a: Matrix) -> Matrix:
    out = [[Fraction(0)] * len(a) for _ in a]
    for i, j, minor in minors(a):
        out[i][j] = (-1) ** (i + j) * determinant(minor)
    return out


def cofactor_change(a: Matrix, direction: Matrix) -> Matrix:
    """A determinant is linear in each row: its change is the sum of those with one row exchanged."""
    out = [[Fraction(0)] * len(a) for _ in a]
    for (i, j, minor), (_, _, moved) in zip(minors(a), minors(direction), strict=True):
        changes = [[*minor[:k], moved[k], *minor[k + 1 :]] for k in range(len(minor))]
        out[i][j] = (-1) ** (i + j) * sum(map(determinant, changes), Fraction(0))
    return out


def inverse(a: Matrix) -> Matrix:
    """By Cramer's rule."""
    whole, table = determinant(a), cofactors(a)
    return [[table[j][i] / whole for j in range(len(a))] for i in range(len(a))]


def solved(a: Matrix, b: Matrix) -> Matrix:
    back = inverse(a)
    return [
        [sum((back[i][k] * b[k][j] for k in range(len(a))), Fraction(0)) for j in range(len(b[0]))]
        for i in range(len(a))
    ]


def solve(a: Array, b: Array) -> Array:
    if b.ndim == 1:
        return of_each(solved, 2)(a, b[:, None])[..., 0]
    return of_each(solved, 2)(a, b)


def cholesky(a: Array, *, upper: bool) -> Array:
    """Row by row: what is left of an element after the rows above, over the pivot."""
    a = (a + np.swapaxes(a, -1, -2)) / 2
    out = np.zeros(a.shape)
    for i, j in zip(*np.tril_indices(a.shape[-1]), strict=True):
        left = a[..., i, j] - sum(out[..., i, k] * out[..., j, k] for k in range(j))
        out[..., i, j] = np.sqrt(left) if i == j else left / out[..., j, j]
    return np.swapaxes(out, -1, -2) if upper else out


TWINS: Mapping[str, Callable[..., Any]] = {
    "cholesky": cholesky,
    "cofactor_change": of_each(cofactor_change, 2),
    "cofactors": of_each(cofactors, 2),
    "det": of_each(determinant, 0),
    "det_sign": lambda a: np.sign(of_each(determinant, 0)(a)),
    "dot": dot,
    "einsum": einsum,
    "inv": of_each(inverse, 2),
    "inverse_transpose": lambda a: np.swapaxes(of_each(inverse, 2)(a), -1, -2),
    "linear": linear,
    "log_abs_det": lambda a: np.log(np.abs(of_each(determinant, 0)(a))),
    "lower_half": lambda x: np.tril(x) - np.eye(x.shape[-1]) * x / 2,
    "matrix_trace": matrix_trace,
    "outer": lambda x, y: np.ravel(x)[:, None] * np.ravel(y),
    "solve": solve,
    "tensordot": tensordot,
}
