"""Which statements of a kernel all threads of a block pass together: only there may a barrier stand.

Read off the source, on the safe side: a branch or a loop is passed by all if it already holds a barrier, or if nothing
that differs from thread to thread decides about it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

OWN = frozenset(
    "threadIdx grid laneid atomic local shfl_sync shfl_up_sync shfl_down_sync shfl_xor_sync".split()
)
"""The attributes of `cuda` that differ from thread to thread."""


class Common(NamedTuple):
    """The innermost list of statements that all threads pass and that holds two lines."""

    first: ast.stmt
    """The statement of it with the first line."""
    last: ast.stmt
    """The statement of it with the last line."""
    loop: ast.stmt | None
    """The innermost loop around it."""


def common(
    tree: ast.FunctionDef,
    first: int,
    last: int,
    waiting: Collection[int],
    given: Collection[str] = (),
) -> Common | None:
    """Where two lines meet, `waiting` being the lines with a barrier. None if a line lies elsewhere.

    given: the arguments that may differ from thread to thread.
    """
    own = differing(tree, given)
    body: Sequence[ast.stmt] = tree.body
    loop: ast.stmt | None = None
    while True:
        held = [_holding(body, line) for line in (first, last)]
        if held[0] is None or held[1] is None:
            return None
        at = held[0]
        if at is held[1] and _together(at, own, waiting):
            for inner in _bodies(at):
                if _holding(inner, first) and _holding(inner, last):
                    body, loop = inner, at if isinstance(at, ast.For | ast.While) else loop
                    break
            else:
                return Common(held[0], held[1], loop)
        else:
            return Common(held[0], held[1], loop)


def differing(tree: ast.FunctionDef, given: Collection[str] = ()) -> frozenset[str]:
    """The names whose value may differ from thread to thread of a block, those of the arguments that are given too."""
    found = set[str](given)
    while True:
        before = len(found)
        _spread(tree.body, found, within=False)
        if len(found) == before:
            return frozenset(found)


def numbers_given(tree: ast.FunctionDef) -> frozenset[str]:
    """The arguments of a device function that are no arrays: each thread may give others."""
    arrays = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
    }
    return frozenset(each.arg for each in tree.args.args) - arrays


def differs(node: ast.AST, own: Collection[str]) -> bool:
    """Whether an expression may differ from thread to thread."""
    return any(
        (isinstance(n, ast.Attribute) and n.attr in OWN)
        or (isinstance(n, ast.Name) and n.id in own)
        for n in ast.walk(node)
    )


def returns_before(tree: ast.FunctionDef, line: int) -> bool:
    """Whether a thread may have returned before the others come to a line: above it, or in a loop around it."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
    around = [loop for loop in loops if loop.lineno <= line <= end_of(loop)]
    returns = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return any(
        at < line or any(loop.lineno <= at <= end_of(loop) for loop in around) for at in returns
    )


def end_of(node: ast.stmt) -> int:
    """The last line of a statement."""
    return node.end_lineno or node.lineno


def _spread(body: Sequence[ast.stmt], found: set[str], *, within: bool) -> None:
    for node in body:
        decided = within or _decides(node, found)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For) and (
            decided or (not isinstance(node, ast.For) and differs(node, found))
        ):
            found |= {
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
        for inner in _bodies(node):
            _spread(inner, found, within=decided)


def _decides(node: ast.stmt, own: Collection[str]) -> bool:
    """Whether something that differs decides which threads come into a branch or a loop, and how often."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            return differs(test, own)
        case ast.For(iter=turns):
            return differs(turns, own)
    return False


def _together(node: ast.stmt, own: Collection[str], waiting: Collection[int]) -> bool:
    inside = any(node.lineno < line <= end_of(node) for line in waiting)
    return inside or not _decides(node, own)


def _bodies(node: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    if isinstance(node, ast.If | ast.While | ast.For):
        yield node.body
        yield node.orelse


def _holding(body: Sequence[ast.stmt], line: int) -> ast.stmt | None:
    return next((node for node in body if node.lineno <= line <= end_of(node)), None)
