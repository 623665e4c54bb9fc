"""Loops and conditions written otherwise: what the gradients come to if a loop goes one step further, or backwards.

A line that is right by itself comes to wrong numbers where a loop leaves out a step, or takes the steps in another
order. So each `for` and `if` is tried with other bounds, another direction or another comparison, and each `+=` in a
loop as an `=`.
"""

from __future__ import annotations

import ast
import copy
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tracer.checking.derivations.reading import Program, spoken
from tracer.checking.derivations.running.carrying import carried
from tracer.checking.derivations.running.interpreter import BeyondStepsError, Run
from tracer.errors import DerivationError

Array = Any
"""A numpy array or numpy scalar."""

SECONDS = 3.0
"""So long ways to write loops and conditions are tried; a right derivation has none tried."""
MOST_WORK = 2 * 10**7
"""Numbers that may be computed in all, an assignment counted as a thousand."""
NUMBER = 100
"""The work of a number among these, in billionths of a second."""
COMPARED: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


@dataclass(frozen=True, eq=False)
class Head:
    """A loop or condition written otherwise, and what the gradients then come to, by node.

    line: its line. kind, text: how that differs from what stands there. fix: what it should say.
    """

    line: int
    kind: str
    text: str
    fix: str
    results: Mapping[int, Array]


class Heads:
    """The loops and conditions of a derivation, each written otherwise in turn, when somebody asks."""

    def __init__(self, program: Program, run: Run) -> None:
        self.program, self.run = program, run
        self._left = MOST_WORK
        self._until = math.inf

    def about(self, targets: Collection[str]) -> Iterator[Head]:
        """The ways to write the loops and conditions in which one of these names gets a value."""
        for at, names in self._giving.items():
            if not names.isdisjoint(targets):
                yield from self._tried(at)

    @cached_property
    def _giving(self) -> dict[int, set[str]]:
        """The loops and conditions, by their place among the statements, and the names that they give values to."""
        if self.program.lines:
            return {}
        sums = {
            id(part)
            for each in self.program.statements()
            if isinstance(each, ast.For)
            for part in ast.walk(each)
            if _is_sum(part)
        }
        return {
            at: set(_given(each))
            for at, each in enumerate(self.program.statements())
            if isinstance(each, (ast.For, ast.If)) or id(each) in sums
        }

    def _tried(self, at: int) -> Sequence[Head]:
        if at not in self._found:
            self._found[at] = tuple(self._each(at))
        return self._found[at]

    @cached_property
    def _found(self) -> dict[int, tuple[Head, ...]]:
        return {}

    def _each(self, at: int) -> Iterator[Head]:
        """One loop or condition, in all ways that can be carried out."""
        head = [*self.program.statements()][at]
        self._until = min(self._until, time.monotonic() + SECONDS)
        if isinstance(head, ast.AugAssign):
            yield from self._given_anew(at, head)
            return
        assert isinstance(head, (ast.For, ast.If))
        ways = self._ways(head) if isinstance(head, ast.For) else _conditions(head.test)
        for expression in ways:
            if self._left <= 0 or time.monotonic() > self._until:
                return
            copied = replace(self.program, body=copy.deepcopy(self.program.body))
            there = [*copied.statements()][at]
            if isinstance(there, ast.For):
                there.iter = expression
            elif isinstance(there, ast.If):
                there.test = expression
            found = self._carried_out(copied)
            if found is not None:
                own, results = found
                kind, text = self._differs(head, own)
                yield Head(head.lineno, kind, text, _written(there), results)

    def _given_anew(self, at: int, added: ast.AugAssign) -> Iterator[Head]:
        """A `+=` in a loop as an `=`."""
        copied = replace(self.program, body=copy.deepcopy(self.program.body))
        statements = [*copied.statements()]
        there = statements[at]
        assert isinstance(there, ast.AugAssign)
        anew = ast.copy_location(ast.Assign([there.target], there.value), there)
        for parent in statements:
            for body in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
                if isinstance(body, list):
                    body[:] = [anew if each is there else each for each in body]
        found = self._carried_out(copied)
        if found is not None:
            name = spoken(ast.unparse(added.target))
            fix = spoken(f"{name} = {ast.unparse(added.value)}")
            text = f"`+=` keeps the {name} of the step before in it: `=` belongs here"
            yield Head(added.lineno, "stale", text, fix, found[1])

    def _ways(self, loop: ast.For) -> Iterator[ast.expr]:
        """What else a loop may go through."""
        match loop.iter:
            case ast.Call(func=ast.Name(id="reversed"), args=[inner]):
                turned = inner
            case inner:
                turned = _call("reversed", inner)
        yield turned
        match inner:
            case ast.Call(func=ast.Name(id="range"), args=[_, *_] as args):
                for bounds in _bounds(args):
                    span = _call("range", *bounds)
                    yield span if inner is loop.iter else _call("reversed", span)
        short = self.run.spans.short.get(loop.lineno)
        if short is not None:
            first, last = min(short.whole), max(short.whole) + 1
            span = _call("range", *map(ast.Constant, (first, last) if first else (last,)))
            yield _call("reversed", span) if short.whole[0] > short.whole[-1] else span

    def _carried_out(self, program: Program) -> tuple[Run, dict[int, Array]] | None:
        """A run on the user's own numbers, and what each gradient comes to by itself; None if it cannot be."""
        setting = replace(self.run.setting, carried=carried(program), right={}, meant={})
        most = 4 * self.run.statements + 100
        work = min(4 * self.run.work + 10**8, NUMBER * self._left)
        own = alone = None
        try:
            own = Run(program, setting, most, work)
            own.all()
            final = {done.node: done.number for done in own.done if done.node >= 0}
            right = {number: node for node, number in final.items()}
            alone = Run(program, replace(setting, right=right), most, work)
            alone.all()
        except (DerivationError, BeyondStepsError):
            self._left -= 1000 * self.run.statements
            return None
        finally:
            self._left -= sum(each.work for each in (own, alone) if each is not None) // NUMBER
        self._left -= sum(2 * (1000 + _size(done.result)) for done in own.done)
        return own, {node: alone.done[number].result for node, number in final.items()}

    def _differs(self, head: ast.For | ast.If, own: Run) -> tuple[str, str]:
        """What kind of mistake it is to write a head as it stands, and what is said of it."""
        line = head.lineno
        if isinstance(head, ast.If):
            before, after = (sum(run.truths.get(line, ())) for run in (self.run, own))
            kind = "truncated" if after > before else "doubled path"
            return kind, "the condition leaves steps out" if after > before else (
                "the condition holds at too many steps"
            )
        variable, now = self.run.spans.latest.get(line, ("", ()))
        _, then = own.spans.latest.get(line, ("", ()))
        lacking, needless = set(then) - set(now), set(now) - set(then)
        if not lacking and not needless:
            return "reversed", "the loop runs in the wrong direction"
        if not needless:
            return "truncated", f"the loop leaves out {said(variable, lacking)}"
        if not lacking:
            return "shift", f"the loop should leave out {said(variable, needless)}"
        return "shift", f"the loop should go through {said(variable, then)}"


def said(variable: str, numbers: Collection[int]) -> str:
    """The turns of a loop in words.

    >>> said("t", (0, 1)), said("k", (3,)), said("t", (1, 2, 3, 4))
    ('t = 0 and 1', 'k = 3', 't = 1 to 4')
    """
    turns = sorted(numbers)
    if len(turns) > 2 and turns == list(range(turns[0], turns[-1] + 1)):
        return f"{variable} = {turns[0]} to {turns[-1]}"
    return f"{variable} = " + " and ".join(map(str, turns))


def _given(head: ast.AST) -> Iterator[str]:
    """The names that get values below a loop or condition, or elements."""
    for part in ast.walk(head):
        match part:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")):
                yield name


def _is_sum(part: ast.AST) -> bool:
    """Whether a part of a program is a `+=` to a name, on a line of its own."""
    match part:
        case ast.AugAssign(target=ast.Name(), op=ast.Add()):
            return part.lineno == part.end_lineno
    return False


def _bounds(args: Sequence[ast.expr]) -> Iterator[list[ast.expr]]:
    """The bounds of a range, each one more and one less, then both together; of plain numbers two, too."""
    start, stop, *step = args if len(args) > 1 else (ast.Constant(0), *args)
    near = ((0, 1), (-1, 0), (0, -1), (1, 0), (1, 1), (-1, -1))
    far = [(0, 2), (0, -2)] * isinstance(stop, ast.Constant)
    far += [(-2, 0), (2, 0)] * isinstance(start, ast.Constant)
    for first, last in (*near, *far):
        yield [_more(start, first), _more(stop, last), *step]


def _conditions(test: ast.expr) -> Iterator[ast.expr]:
    """A comparison with a bound one more or less, or with another sign."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for by in (1, -1):
                yield ast.Compare(left, [op], [_more(right, by)])
            for other in COMPARED:
                if not isinstance(op, other):
                    yield ast.Compare(left, [other()], [right])


def _more(expression: ast.expr, by: int) -> ast.expr:
    """An expression and a small number.

    >>> [ast.unparse(_more(ast.parse(code, mode="eval").body, 1)) for code in ("T", "T - 1", "T + 1", "3")]
    ['T + 1', 'T', 'T + 2', '4']
    """
    inner: ast.expr | None
    match expression:
        case ast.Constant(value=int() as number):
            inner = None
        case ast.BinOp(left=inner, op=ast.Add(), right=ast.Constant(value=int() as number)):
            pass
        case ast.BinOp(left=inner, op=ast.Sub(), right=ast.Constant(value=int() as less)):
            number = -less
        case inner:
            number = 0
    number += by
    if inner is None:
        return ast.Constant(number)
    if not number:
        return inner
    sign = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(inner, sign, ast.Constant(abs(number)))


def _call(name: str, *args: ast.expr) -> ast.Call:
    match name, args:
        case "range", [ast.Constant(value=0), stop]:
            args = (stop,)
    return ast.Call(ast.Name(name, ast.Load()), [*args], [])


def _written(head: ast.stmt) -> str:
    """The head of a loop or condition as text."""
    if isinstance(head, ast.For):
        return spoken(f"for {ast.unparse(head.target)} in {ast.unparse(head.iter)}:")
    assert isinstance(head, ast.If)
    return spoken(f"if {ast.unparse(head.test)}:")


def _size(value: Any) -> int:
    return int(value.size) if isinstance(value, np.ndarray) else 1
