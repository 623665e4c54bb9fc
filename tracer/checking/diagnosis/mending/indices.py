"""Changes of the steps that a line reads: the one before or after, an axis that runs backwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .edits import Edit, Words, leaves, said
from .places import constant, minus, number_of, places


def shifts(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The step before or after; an axis that runs backwards."""
    for place in places(tree):
        part = place.part
        if not isinstance(part, ast.Subscript):
            continue
        index = part.slice
        if _is_flip(index):
            text = f"{said(part)} should not be reversed"
            yield Edit("reversed", text, part, part.value)
            continue
        for other in _near(index, words):
            new = ast.Subscript(part.value, other, ast.Load())
            kind = "size" if "shape" in ast.unparse(part.value) else "shift"
            if _runs_back(index) != _runs_back(other):
                kind = "reversed"
            yield Edit(kind, f"{said(part)} should be {said(new)}", part, new)
    for place in places(tree):
        if number_of(place.part) is not None or isinstance(place.part, ast.BinOp):
            continue
        for text, flip in _FLIPS:
            new = ast.Subscript(place.part, flip, ast.Load())
            why = f"{said(place.part)} should be reversed, {text}"
            yield Edit("reversed", why, place.part, new)


def _near(index: ast.expr, words: Words) -> Iterator[ast.expr]:
    """The indices that may have been meant: those beside one, `t - 1` and `t + 1` for `t`, and those of other loops."""
    match index:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=1)):
            yield left
            other: ast.operator = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield ast.BinOp(left, other, constant(1))
            yield from _beside(index, words)
        case ast.Name() | ast.BinOp():
            yield minus(index, constant(1))
            yield ast.BinOp(index, ast.Add(), constant(1))
            yield from _beside(index, words)
        case ast.Slice(lower=lower, upper=upper, step=None):
            for step in (1, -1):
                yield ast.Slice(_moved(lower, step), _moved(upper, step), None)
            for a in (None, 1, 2):
                for b in (None, -1, -2):
                    yield ast.Slice(_bound(a), _bound(b), None)
        case _ if (n := number_of(index)) is not None:
            for k in sorted({n - 1, n + 1, *range(4)}, key=lambda k: (k < 0, abs(k - n), k)):
                if k != n:
                    yield constant(k)
            yield from _beside(index, words)
        case ast.Tuple(elts=parts):
            for k, part in enumerate(parts):
                for near in _near(part, words):
                    yield ast.Tuple([*parts[:k], near, *parts[k + 1 :]], ast.Load())


def _runs_back(index: ast.expr) -> bool:
    """Whether an index falls as time goes on, as `T - t` does."""
    return any(
        isinstance(part, ast.BinOp)
        and isinstance(part.op, ast.Sub)
        and isinstance(part.right, ast.Name)
        for part in ast.walk(index)
    )


def _beside(index: ast.expr, words: Words) -> Iterator[ast.expr]:
    text = ast.unparse(index)
    yield from (other for other in words.indices if ast.unparse(other) != text)


def _bound(n: int | None) -> ast.expr | None:
    return None if n is None else constant(n)


def _moved(bound: ast.expr | None, step: int) -> ast.expr | None:
    """The bound of a slice one step further."""
    if bound is None:
        return None
    n = number_of(bound)
    if n is not None:
        return constant(n + step)
    match bound:
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int(k))):
            return left if k + step == 0 else ast.BinOp(left, ast.Add(), constant(k + step))
    return ast.BinOp(bound, ast.Add() if step > 0 else ast.Sub(), constant(1))


def _is_flip(index: ast.expr) -> bool:
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(
        isinstance(p, ast.Slice) and p.step is not None and number_of(p.step) == -1 for p in parts
    )


def _flip() -> ast.Slice:
    return ast.Slice(None, None, constant(-1))


_FLIPS: tuple[tuple[str, ast.expr], ...] = (
    ("as time runs backwards", _flip()),
    ("along its second axis", ast.Tuple([ast.Slice(None, None, None), _flip()], ast.Load())),
    ("along its last two axes", ast.Tuple([ast.Constant(...), _flip(), _flip()], ast.Load())),
    ("along its last axis", ast.Tuple([ast.Constant(...), _flip()], ast.Load())),
)


def steps(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A bare name where the element of a step belongs: `h` for `h[t]`."""
    indices = {ast.unparse(s.slice): s.slice for s in leaves(tree) if isinstance(s, ast.Subscript)}
    for leaf in leaves(tree):
        if isinstance(leaf, ast.Name):
            for index in indices.values():
                new = ast.Subscript(leaf, index, ast.Load())
                yield Edit("shift", f"{said(leaf)} should be {said(new)}", leaf, new)
