"""A sum over time steps of which only some are there: `h#2.T @ da#3 + h#3.T @ da#4` for all four."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import reduce

from .edits import Edit, Words, leaves, said
from .patching import replaced
from .places import places, plus
from .swaps import beside

MOST_STEPS = 12
"""Steps before and after the one that is there, at most."""


def every_step(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The terms of the steps that were left out, made like the one that is there."""
    for place in places(tree):
        if not place.is_sum:
            continue
        terms = _terms(place.part)
        for term in (terms[-1], terms[0]):
            every = [t for k in range(-MOST_STEPS, MOST_STEPS + 1) if (t := _moved(term, k, words))]
            if len(every) > max(len(terms), 1):
                text = f"{said(place.part)} is not of all {len(every)} time steps"
                yield Edit("truncated", text, place.part, reduce(plus, every))


def _terms(part: ast.expr) -> list[ast.expr]:
    match part:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*_terms(left), *_terms(right)]
    return [part]


def _moved(term: ast.expr, steps: int, words: Words) -> ast.expr | None:
    """A term some steps later or earlier; None where there is no such step, or no steps are in it."""
    result: ast.AST = term
    count = 0
    for leaf in leaves(term):
        there = beside(leaf, steps) if steps else leaf
        if beside(leaf, 1) is None and not _is_first(leaf):
            continue
        if there is None or ast.unparse(there) not in words.shapes:
            return None
        result = replaced(result, leaf, there)
        count += 1
    return result if count and isinstance(result, ast.expr) else None


def _is_first(leaf: ast.expr) -> bool:
    """Whether a name is that of a value before the first step, such as `h0`."""
    return isinstance(leaf, ast.Name) and leaf.id.endswith("0")
