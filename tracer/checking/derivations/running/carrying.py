"""What a name means that a loop over time carries from turn to turn: `dh = dz @ Wh.T` at its end is the next step's.

In a loop that runs back in time, `dh += ...` completes the gradient of this step; a later `dh = ...` that does not add
to it is what flows to the step before, and belongs to that one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tracer.checking.derivations.names import Family
from tracer.checking.derivations.reading import Program
from tracer.replay import affected
from tracer.traces import Trace


@dataclass(frozen=True)
class Carried:
    """The assignments of a derivation that hand a value on to the next turn of a loop.

    onward: those assignments, by identity. bare: the names that no assignment of the loop adds to.
    """

    onward: frozenset[int]
    bare: frozenset[str]


def carried(program: Program) -> Carried:
    """Which assignments in the loops of a derivation belong to the next turn.

    >>> from tracer.checking.derivations.reading import read
    >>> text = "for t in T:\\n  dh += dy\\n  dz = dh * 2\\n  dh = dz @ W\\n"
    >>> len(carried(read(text)).onward)
    1
    """
    onward, bare = set(), set()
    for loop in program.statements():
        if not isinstance(loop, ast.For):
            continue
        body = list(_flat(loop.body))
        for name in dict.fromkeys(filter(None, map(_assigned, body))):
            own = [each for each in body if _assigned(each) == name]
            if not _read_first(body, name):
                continue
            passed = [each for each in own if not _adds(each, name)]
            onward |= {id(each) for each in passed}
            if passed and len(passed) == len(own):
                bare.add(name)
    return Carried(frozenset(onward), frozenset(bare))


def is_whole(trace: Trace, family: Family) -> bool:
    """Whether all that flows back to a step comes from the next one, as where only the last step has a loss."""
    for first, second in zip(family.nodes, family.nodes[1:], strict=False):
        between = {*affected(trace, [first], second), second}
        for edge in trace.uses_of(first):
            if trace.edge_flows[edge] and int(trace.edge_consumer[edge]) not in between:
                return False
    return True


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, those of its conditions too."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from _flat(statement.body)
            yield from _flat(statement.orelse)


def _assigned(statement: ast.stmt) -> str:
    """The bare name that a statement assigns to; empty if it is none."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name
    return ""


def _read_first(body: Iterable[ast.stmt], name: str) -> bool:
    """Whether a turn uses a name before it gives it a value of its own."""
    for statement in body:
        if isinstance(statement, ast.AugAssign) and _assigned(statement) == name:
            return True
        heads = [statement.test] if isinstance(statement, ast.If) else [statement]
        parts = (part for head in heads for part in ast.walk(head))
        if any(
            isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Store)
            for part in parts
        ):
            return True
        if _assigned(statement) == name:
            return False
    return False


def _adds(statement: ast.stmt, name: str) -> bool:
    """Whether an assignment adds to the name: `dh += a`, `dh = dh + a`."""
    match statement:
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            return True
        case ast.Assign(value=value):
            return any(isinstance(term, ast.Name) and term.id == name for term in terms_of(value))
    return False


def terms_of(expression: ast.expr) -> Iterator[ast.expr]:
    """What an expression adds up."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        match part:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
                waiting += [left, right]
            case _:
                yield part
