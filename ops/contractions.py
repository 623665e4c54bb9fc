"""Sums of products by index notation: einsum, whose rule is an einsum again, and the trace of a matrix."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula, call
from ops.primitive import Array, sample
from ops.products import as_arrays
from ops.shape import (
    Shape,
    broadcast_to,
    reshape,
    room,
    scatter_add,
    shape_of,
    sum_to,
    transpose,
)

LARGE = 32768
"""From so many products on numpy looks for a way through BLAS; below, the search took longer than the sum."""

LETTERS = string.ascii_uppercase + string.ascii_lowercase
"""What may name an axis. Dots become letters that the equation does not use."""


# ----- the notation


@lru_cache(maxsize=1024)
def terms_of(equation: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The letters of every operand, and those of the result: one for each axis, also for those behind dots.

    Without an arrow the result has the dots, then the letters that stand only once, in alphabetical order.
    Raises `ValueError` for an equation that cannot be read, or that does not fit the ranks.

    >>> terms_of("ij,jk", (2, 2)), terms_of("...ij,jk->...ik", (3, 2))
    ((('ij', 'jk'), 'ik'), (('Aij', 'jk'), 'Aik'))
    """
    bare = equation.replace(" ", "")
    given, arrow, result = bare.partition("->")
    terms = given.split(",")
    for term in (*terms, result):
        if set(term.replace("...", "", 1)) - set(LETTERS):
            raise ValueError(
                f"{term!r} in {equation!r} is not letters, with three dots at most once"
            )
    if len(terms) != len(ranks):
        raise ValueError(f"{equation!r} is for {len(terms)} operands, but {len(ranks)} are given")
    behind = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    for term, rank, more in zip(terms, ranks, behind, strict=True):
        if more < 0 or (more and "..." not in term):
            raise ValueError(f"{term!r} in {equation!r} is for another rank than {rank}")
    widest = max(behind)
    dots = "".join(letter for letter in LETTERS if letter not in bare)[:widest]
    spelled = tuple(
        term.replace("...", dots[widest - more :]) for term, more in zip(terms, behind, strict=True)
    )
    if not arrow:
        return spelled, dots + "".join(sorted(c for c in LETTERS if given.count(c) == 1))
    return spelled, _checked(equation, result, given, dots)


def _checked(equation: str, result: str, given: str, dots: str) -> str:
    """The letters of a result that the equation names."""
    letters = result.replace("...", "")
    twice = [c for c in letters if letters.count(c) > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} stands twice in the result of {equation!r}")
    new = set(letters) - set(given)
    if new:
        raise ValueError(f"{min(new)!r} in the result of {equation!r} is in none of its operands")
    if dots and "..." not in result:
        raise ValueError(f"the result of {equation!r} has no place for the axes behind the dots")
    return result.replace("...", dots)


def sizes_of(terms: Sequence[str], shapes: Sequence[Shape]) -> Mapping[str, int]:
    """The size behind every letter. Sizes of one letter are equal, or 1, which broadcasts.

    >>> sizes_of(("ij", "jk"), ((2, 1), (3, 4)))
    {'i': 2, 'j': 3, 'k': 4}
    """
    sizes: dict[str, int] = {}
    for number, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for letter, size in zip(term, shape, strict=True):
            before = sizes.setdefault(letter, size)
            if size not in (before, 1) and before != 1:
                raise ValueError(
                    f"letter {letter!r} has size {before}, but {size} in operand {number}, {term!r}"
                )
            sizes[letter] = size if before == 1 else before
        own = dict(zip(term, shape, strict=True))
        if any(own[letter] != size for letter, size in zip(term, shape, strict=True)):
            raise ValueError(
                f"operand {number}, {term!r}, repeats a letter at different sizes, {shape}"
            )
    return sizes


# ----- the diagonal


def on_diagonals(values: Any, counts: Sequence[int]) -> Any:
    """Zeros with the values where an index repeats: axis k of the values becomes counts[k] axes side by side.

    >>> on_diagonals(np.array([1.0, 2.0]), [2])
    array([[1., 0.],
           [0., 2.]])
    """
    sizes = values.shape
    steps = [sum_of_powers(n, count) for n, count in zip(sizes, counts, strict=True)]
    flat = tuple(n**count for n, count in zip(sizes, counts, strict=True))
    spread = scatter_add(values, tuple(slice(None, None, step) for step in steps), shape=flat)
    repeated = [n for n, count in zip(sizes, counts, strict=True) for _ in range(count)]
    return reshape(spread, shape=tuple(repeated))


def sum_of_powers(n: int, count: int) -> int:
    """1 + n + n² + ...: how far apart the elements of a diagonal lie in an array of n by n by ..., read in order.

    >>> sum_of_powers(3, 2)
    4
    """
    return sum(n**k for k in range(count))


# ----- einsum


def einsum_operand(g: Any, out: Any, *operands: Any, equation: str, position: int) -> Any:
    """The einsum of the cotangent with the other operands that leaves the letters of this one.

    A letter that stands nowhere else was summed alone: its axis receives copies. A letter that stands twice read a
    diagonal: the rest of the square receives 0. An axis of size 1 that was stretched receives the sum.
    """
    terms, result = terms_of(equation, tuple(len(shape_of(x)) for x in operands))
    mine, shape = terms[position], operands[position].shape
    others = (*terms[:position], *terms[position + 1 :])
    rest = (*operands[:position], *operands[position + 1 :])
    letters = "".join(dict.fromkeys(mine))
    reached = "".join(c for c in letters if c in result or any(c in term for term in others))
    flow = _einsum(g, *rest, equation=f"{','.join((result, *others))}->{reached}")
    flow = _fitted(flow, reached, letters, dict(zip(mine, shape, strict=True)))
    if len(letters) == len(mine):
        return flow
    flow = on_diagonals(flow, [mine.count(c) for c in letters])
    return _in_order(flow, [c for c in letters for _ in range(mine.count(c))], mine)


def _fitted(flow: Any, reached: str, letters: str, sizes: Mapping[str, int]) -> Any:
    """The flow with an axis for every letter, of its size: copied along axes that it lacks, summed where it is 1."""
    have = dict(zip(reached, flow.shape, strict=True))
    whole = tuple(have.get(c, 1) for c in letters)
    if whole != flow.shape:
        flow = reshape(flow, shape=whole)
    summed = tuple(1 if sizes[c] == 1 else n for c, n in zip(letters, whole, strict=True))
    if summed != whole:
        flow = sum_to(flow, shape=summed)
    shape = tuple(sizes[c] for c in letters)
    return flow if shape == summed else broadcast_to(flow, shape=shape)


def _in_order(flow: Any, have: Sequence[str], want: str) -> Any:
    """Axes permuted so that the letters stand as wanted; equal letters are interchangeable."""
    places = sorted(range(len(have)), key=have.__getitem__)
    axes = [0] * len(have)
    for target, source in zip(sorted(range(len(want)), key=want.__getitem__), places, strict=True):
        axes[target] = source
    return flow if axes == sorted(axes) else transpose(flow, axes=tuple(axes))


def _einsum_size(*operands: Any, equation: str) -> float:
    """Of the result and of every operand stretched; where numpy finds no way pair by pair, of all products."""
    if len(equation) > _LONGEST:
        raise ValueError(f"an equation of {len(equation)} characters")
    shapes = [shape_of(x) for x in operands]
    terms, result = terms_of(equation, tuple(map(len, shapes)))
    sizes = sizes_of(terms, shapes)
    every = room(*sizes.values())
    ways = [(terms, result), *((_turned(terms, result, k), term) for k, term in enumerate(terms))]
    if len(terms) <= 2 or every < LARGE or all(_pair_by_pair(*way, sizes) for way in ways):
        return sum(room(*(sizes[c] for c in set(term))) for term in (*terms, result))
    return every


def _turned(terms: Sequence[str], result: str, place: int) -> tuple[str, ...]:
    """The operands of a rule: the result in place of the one that is asked for."""
    return (*terms[:place], result, *terms[place + 1 :])


_MANY = 16
"""For so many operands a way is still found in no time."""
_LONGEST = 1000
"""Of more characters no equation of an array is: it names up to 64 axes of a few operands."""


def _pair_by_pair(terms: Sequence[str], result: str, sizes: Mapping[str, int]) -> bool:
    """Whether numpy multiplies these operands two at a time, through nothing larger than the largest of them."""
    if len(terms) > _MANY:
        return False
    stand_ins = [np.broadcast_to(0.0, tuple(sizes[c] for c in term)) for term in terms]
    way = np.einsum_path(f"{','.join(terms)}->{result}", *stand_ins, optimize="greedy")[0]
    return all(len(step) <= 2 for step in way[1:])


@primitive(
    vjps={"operands": einsum_operand},
    size=_einsum_size,
    formula=Formula(
        "einsum('{equation}', {operands})",
        r"\operatorname{{einsum}}_{{\mathtt{{{equation}}}}}\left({operands}\right)",
        symbol="einsum",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), equation="ij,jk->ik"),
        sample(rng.normal(size=(2, 3)), rng.normal(size=(3, 2)), equation="ij,jk"),
        sample(rng.normal(size=(3, 2)), equation="ba"),
        sample(rng.normal(size=(3, 3)), equation="ii"),
        sample(rng.normal(size=(2, 3, 2)), equation="iji->ji"),
        sample(rng.normal(size=(2, 2, 2, 2)), rng.normal(size=2), equation="ijij,j->i"),
        sample(rng.normal(size=(2, 3)), equation="ij->j"),
        sample(rng.normal(size=(2, 3)), rng.normal(size=4), equation="ij,k->jk"),
        sample(rng.normal(size=(2, 1, 3)), rng.normal(size=(4, 3)), equation="...i,...i->..."),
        sample(rng.normal(size=(2, 2)), rng.normal(size=(3, 2, 2)), equation="...ij,...jk"),
        sample(rng.normal(size=(3, 1)), rng.normal(size=(2, 4)), equation="ij,kj->ik"),
        sample(
            rng.normal(size=(2, 3)),
            rng.normal(size=(3, 2)),
            rng.normal(size=2),
            equation="ij,jk,k->i",
        ),
        sample(2.0, rng.normal(size=3), np.float64(0.5), equation=",i,->i"),
        sample(rng.normal(size=(0, 3)), rng.normal(size=3), equation="ij,j->i"),
    ],
    hint="a letter names an axis, equal letters have equal sizes: 'ij,jk->ik' for (2, 3) and (3, 4)",
    name="einsum",
)
def _einsum(*operands: Array, equation: str) -> Array:
    """Sum of products in index notation: a letter for each axis, and those that the result lacks are summed over.

    `ij,jk->ik` is x @ y, `ii->i` the diagonal, `...ij,...jk->...ik` a product of stacks, which broadcast. Without an
    arrow the result has the letters that stand once, in alphabetical order.

    Its rule is an einsum again: the cotangent takes the place of the operand that is asked for.
    """
    if not isinstance(equation, str):
        raise TypeError(f"the equation is text, such as 'ij,jk->ik', not {equation!r}")
    arrays = as_arrays(operands) if operands else []
    terms, result = terms_of(equation, tuple(x.ndim for x in arrays))
    sizes = sizes_of(terms, [x.shape for x in arrays])
    large = math.prod(sizes.values()) >= LARGE
    return np.einsum(f"{','.join(terms)}->{result}", *arrays, optimize=large)


def einsum(equation: str, *operands: Any) -> Any:
    """Sum of products in index notation, as numpy's and PyTorch's: `einsum("ij,jk->ik", x, y)` is x @ y.

    equation: a letter for each axis of each operand; letters that the result lacks are summed over; `...` stands for
    any axes, which broadcast. Without an arrow the result has the letters that stand once, in alphabetical order.
    Raises `ShapeError` for an equation that cannot be read, or that does not fit the operands.

    >>> einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.])
    """
    return _einsum(*operands, equation=equation)


# ----- the trace of a matrix


def matrix_trace_x(g: Any, out: Any, x: Any, *, offset: int) -> Any:
    """The cotangent on the diagonal, 0 elsewhere."""
    *stack, rows, columns = x.shape
    count = min(rows + min(offset, 0), columns - max(offset, 0))
    start = offset if offset >= 0 else -offset * columns
    stop = start + (count - 1) * (columns + 1) + 1
    diagonal = slice(start, stop, columns + 1) if count > 0 else slice(0, 0)
    index, flat = (Ellipsis, diagonal), (*stack, rows * columns)
    return reshape(scatter_add(reshape(g, shape=(*g.shape, 1)), index, shape=flat), shape=x.shape)


@primitive(
    vjps={"x": matrix_trace_x},
    formula=call("tr", r"\operatorname{tr}"),
    samples=lambda rng: [
        (rng.normal(size=(3, 3)),),
        sample(rng.normal(size=(2, 3, 4)), offset=1),
        sample(rng.normal(size=(2, 4, 2)), offset=-2),
        sample(rng.normal(size=(2, 2)), offset=3),
        (rng.normal(size=(0, 2, 2)),),
    ],
    hint="x is a matrix, or a stack of matrices on its last two axes",
)
def matrix_trace(x: Array, *, offset: int = 0) -> Array:
    """The sum of a diagonal of every matrix in a stack: numpy's `linalg.trace`. The diagonal receives the cotangent.

    x: float (..., n, m). offset: which diagonal, above the main one if positive.  Returns: float (...).
    """
    if len(shape_of(x)) < 2:
        raise ValueError(f"x has rank {len(shape_of(x))}, but a matrix has two axes")
    return np.trace(x, offset, -2, -1)
