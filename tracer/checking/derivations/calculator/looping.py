"""What a `for` goes through, and the names that each turn gives values to."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from tracer.checking.derivations.refusals import RefusedError

from .complaints import applied, text_of
from .meanings import Steps, Value
from .vocabulary import MOST_TURNS

MOST_ZIPPED = 16
"""Lists that one `zip` goes through."""


def items(
    node: ast.expr,
    value: Callable[[ast.expr], Value],
    steps: Callable[[str], Steps | None],
) -> list[Value]:
    """What a `for` goes through: range, reversed, enumerate and zip of lists, arrays, and values at each step.

    value: gives an expression its value. steps: the steps of a name that means a value at each.
    """
    match node:
        case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if 1 <= len(args) <= 3:
            numbers = [value(arg) for arg in args]
            if not all(isinstance(n, (int, np.integer)) for n in numbers):
                raise RefusedError(
                    f"{text_of(node)} needs whole numbers", "range(T), or range(len(h))"
                )
            span = applied(node, range, *map(int, numbers))
            found = span if len(span) <= MOST_TURNS else None
        case ast.Call(func=ast.Name(id="reversed"), args=[inner], keywords=[]):
            return items(inner, value, steps)[::-1]
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *start]) if len(start) < 2:
            first = value(start[0]) if start else 0
            if not isinstance(first, (int, np.integer)):
                raise RefusedError(f"{text_of(node)} needs a whole number", "enumerate(x, 1)")
            return list(enumerate(items(inner, value, steps), int(first)))
        case ast.Call(func=ast.Name(id="zip"), args=args, keywords=[]) if len(args) <= MOST_ZIPPED:
            return list(zip(*(items(each, value, steps) for each in args), strict=False))
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner]):
            return items(inner, value, steps)
        case ast.Name(id=name) if (every := steps(name)) is not None:
            return every.all()
        case _:
            whole = value(node)
            table = isinstance(whole, np.ndarray) and whole.ndim and len(whole) <= MOST_TURNS
            if table or isinstance(whole, (tuple, list, dict)):
                found = whole
            else:
                raise RefusedError(
                    f"{text_of(node)} is nothing to go through", "for t in reversed(range(T)):"
                )
    if found is None:
        raise RefusedError(f"{text_of(node)} has more than {MOST_TURNS} turns", "a shorter loop")
    return list(found)


def unpacked(target: ast.expr, value: Value) -> dict[str, Value]:
    """The names of a target, each with its part of the value.

    >>> unpacked(ast.parse("a, (b, c)", mode="eval").body, (1, (2, 3)))
    {'a': 1, 'b': 2, 'c': 3}
    """
    if isinstance(target, ast.Name):
        return {target.id: value}
    several = isinstance(value, (tuple, list)) or np.ndim(value) > 0
    if isinstance(target, (ast.Tuple, ast.List)) and several:
        if len(value) != len(target.elts):
            raise RefusedError(
                f"{len(target.elts)} names for {len(value)} values", "as many names as values"
            )
        parts = list(value)
        found: dict[str, Value] = {}
        for each, part in zip(target.elts, parts, strict=True):
            found |= unpacked(each, part)
        return found
    raise RefusedError(f"{text_of(target)} cannot take the value", "one name for each value")
