"""The assignments of a derivation: what they give to which name, and what is kept of it.

Values are never changed in place: `dx += a` gives dx a new value, and `dW[i] = a` a new array. So nothing recorded can
be written to, and every assignment stays as it was, to be looked at afterwards. Where numpy would have changed another
name too, a note says so.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator import evaluate, text_of
from tracer.checking.derivations.reading import Line, Program
from tracer.checking.derivations.refusals import RefusedError

from .claiming import Claiming
from .room import Room
from .scope import BeyondError, Bound, Key, Scope
from .setting import Meant, Setting
from .sharing import Sharing
from .storing import (
    added_at,
    appended,
    frozen,
    is_whole_number,
    part_of,
    shaped_as,
    storing,
    unmade,
    with_part,
)
from .tape import Done, Put


class Assignments:
    """Carries out assignments in a scope: `done` lists them."""

    def __init__(self, program: Program, setting: Setting, scope: Scope) -> None:
        self.program, self.setting, self.scope = program, setting, scope
        self.names = setting.names
        self.claiming = Claiming(program, setting, scope)
        self.sharing = Sharing()
        self.done: list[Done] = []
        self.meant: dict[int, Sequence[Meant]] = {}
        """Whose gradients the assignments give, by the number of each."""
        self.taken: list[tuple[int, ast.stmt, int, str]] = []
        """Gradients that were used as recorded: before which assignment, in which statement, of which node, by name."""
        self._lines: dict[tuple[int, int], Line] = {}
        self.room = Room()

    def carry_out(self, statement: ast.stmt) -> None:
        """An assignment, or a call that changes a list or array."""
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(statement, target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(statement, target, value)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augment(statement, target, ast.BinOp(_read(target), op, value))
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]
                )
            ):
                if name not in self.scope.bound or not isinstance(
                    self.scope.bound[name].value, list
                ):
                    raise RefusedError(f"{name} is no list", f"{name} = []  above it")
                self._give(statement, name, value, put=appended)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr=how)),
                    args=[ast.Name(id=name), at, value],
                )
            ):
                if how not in ("add", "subtract"):
                    raise RefusedError(f"np.{how}.at is not on the list", "np.add.at")
                index = evaluate(at, self.scope)
                self.sharing.changed(self.scope.bound, statement, name)
                if name not in self.scope.bound:
                    raise unmade(self.names, name)
                sign = 1 if how == "add" else -1
                add = lambda a, v: added_at(a, index, sign, v)  # noqa: E731
                self._give(statement, name, value, put=add, index=index)

    def _assign(self, statement: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._give(statement, name, value)
            case ast.Subscript():
                self._store(statement, target, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                self._unpack(statement, parts, value)

    def _augment(self, statement: ast.stmt, target: ast.expr, value: ast.BinOp) -> None:
        if isinstance(target, ast.Name):
            name = target.id
            made = name in self.scope.bound or self.names.gradient(name) is not None
            if not made and self.names.value(name) is not None:
                raise unmade(self.names, name)
            self.sharing.changed(self.scope.bound, statement, name)
        self._assign(statement, target, value)

    def _unpack(self, statement: ast.stmt, parts: Sequence[ast.expr], value: ast.expr) -> None:
        """`a, b = c, d`, and `x, mu, var = cache` of a function, where the names are those of recorded values."""
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(parts):
            before = dict(self.scope.bound)
            after: dict[Key, Bound] = {}
            for part, each in zip(parts, value.elts, strict=True):
                self.scope.bound = dict(before)
                self._assign(statement, part, each)
                after |= {k: b for k, b in self.scope.bound.items() if before.get(k) is not b}
            self.scope.bound = before | after
            return
        if isinstance(value, ast.Name) and self._is_cache(value.id):
            return  # what the forward pass kept: the names mean what was recorded
        whole = evaluate(value, self.scope)
        listed = isinstance(whole, (tuple, list)) or np.ndim(whole) > 0
        count = len(whole) if listed else 0
        if count != len(parts):
            raise RefusedError(f"{len(parts)} names for {count} values", "as many names as values")
        for k, part in enumerate(parts):
            self._assign(statement, part, ast.Subscript(value, ast.Constant(k), ast.Load()))

    def _is_cache(self, name: str) -> bool:
        """Whether a name is a parameter of the function that nothing else explains."""
        known = name in self.scope.bound or name in self.names.nodes
        return name in self.program.given and not known

    def returned(self, statement: ast.stmt, value: ast.expr | None) -> None:
        """`return {"x": ...}` gives gradients by name; in a tuple the names have been judged."""
        if isinstance(value, ast.Dict):
            for key, part in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    name = key.value
                    if self.names.gradient(name) is None and self.names.value(name) is not None:
                        name = f"dL_d{name}"
                    known = isinstance(part, ast.Name) and self.names.gradient(part.id)
                    if known is False or known != self.names.gradient(name):
                        self._give(statement, name, part)
        elif value is not None:
            evaluate(value, self.scope)

    def _store(self, statement: ast.stmt, target: ast.Subscript, value: ast.expr) -> None:
        """`dh[t] = ...` gives the gradient of a time step; any other element belongs to an array of the user's own."""
        assert isinstance(target.value, ast.Name)
        name = target.value.id
        index = evaluate(target.slice, self.scope)
        put = storing(index, text_of(target))
        family = self.names.gradient_family(name)
        if family is not None and self.scope.steps(name) is not None:
            first, *rest = index if isinstance(index, tuple) and index else (index,)
            node = self.claiming.at_step(family, target, first)
            made = name in self.scope.bound
            if node is not None and (made or not rest):
                meant = [
                    Meant(self.claiming.floating(node, name), int(first), first if rest else None)
                ]
                self._give(
                    statement, name, value, meant=meant, whole=put if made else None, index=index
                )
                return
            if not made and not rest and is_whole_number(first):
                first_step = self.claiming.base
                raise BeyondError(
                    f"there is no {text_of(target)} for {first}: the time steps of {family.name} are {first_step} to "
                    f"{first_step + len(family) - 1}",
                    "the steps that were recorded",
                )
        if name not in self.scope.bound:
            raise unmade(self.names, name)
        self.sharing.changed(self.scope.bound, statement, name)
        self._give(statement, name, value, put=put, index=index)

    def _give(
        self,
        statement: ast.stmt,
        name: str,
        expression: ast.expr,
        *,
        put: Put | None = None,
        meant: Sequence[Meant] | None = None,
        whole: Put | None = None,
        index: Any = None,
    ) -> None:
        """Give a name the value of an expression, and keep what was done.

        put: makes the name's new value of its old one. meant: the gradient of one time step that it gives, where an
        element was assigned; whole: what then becomes of the array or list of all steps. index: of that element.
        """
        scope = self.scope
        scope.reads.clear()
        scope.words.clear()
        kept = self.room.for_what_names_meant(self.done, len(scope.bound))
        before = dict(scope.bound) if kept else None
        value = frozen(evaluate(expression, scope))
        self.take(statement)
        if put is not None:
            value = frozen(put(scope.value(name), value))
        held = None if whole is None else scope.bound[name].value
        every = value if whole is None else frozen(whole(held, value))
        by_step = meant is not None
        if meant is None:
            meant = self.setting.meant.get(len(self.done))
        if meant is None:
            meant = self.claiming.of(statement, name, expression, value)
        self.meant[len(self.done)] = meant
        line = self._line(statement, name, expression)
        reads, words = frozenset(scope.reads), frozenset(scope.words)
        bound: dict[int, Bound] = {}
        for each in meant or [Meant(-1)]:
            number, redo = len(self.done), put
            result = value
            if each.part is not None:
                result = every[each.part]
                redo = part_of(whole, each.part)
            if each.node >= 0 and not isinstance(result, (int, float, np.ndarray, np.generic)):
                raise RefusedError("it comes to no number and no array", "an expression in numbers")
            self.room.take(each.node if each.node >= 0 else name, result)
            done = Done(
                number,
                line,
                name,
                result,
                reads,
                words,
                each.node,
                each.step,
                redo,
                before,
                scope.turns,
            )
            self.room.keep(self.done, done, index)
            right = self.setting.right.get(number, -1)
            bound[each.node] = Bound(result, number)
            if right == each.node >= 0:
                bound[each.node] = Bound(
                    shaped_as(self.names.right(right), result, turned=self.setting.turned)
                )
        self.sharing.used(scope.bound, words)
        scope.bound |= {node: each for node, each in bound.items() if node >= 0}
        if by_step:
            if whole is not None:
                (one,) = bound.values()
                part = meant[0].part
                again = (
                    whole(held, one.value) if part is None else with_part(every, part, one.value)
                )
                self._bind(name, Bound(frozen(again)))
        elif len(bound) == 1:
            self._bind(name, *bound.values())
        else:
            self._bind(name, Bound([each.value for each in bound.values()]))

    def _bind(self, name: str, bound: Bound) -> None:
        """Let a name mean a value, if there is room for it."""
        self.room.take(name, bound.value)
        self.scope.bound[name] = bound

    def take(self, statement: ast.stmt) -> None:
        """Remember which gradients were used as recorded."""
        for node, name in self.scope.taken.items():
            self.taken.append((len(self.done), statement, node, name))
        self.scope.taken.clear()

    def _line(self, statement: ast.stmt, name: str, expression: ast.expr) -> Line:
        """The assignment as a line: one for all times that it is carried out."""
        if id(statement) in self.program.lines:
            return self.program.lines[id(statement)]
        key = (id(statement), id(expression) if not isinstance(statement, ast.AugAssign) else 0)
        if key not in self._lines:
            text = self.program.text(statement)
            self._lines[key] = Line(statement.lineno, text, name, expression)
        return self._lines[key]


def _read(target: ast.expr) -> ast.expr:
    """A target of `+=` as an expression."""
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    assert isinstance(target, ast.Name)
    return ast.Name(target.id, ast.Load())
