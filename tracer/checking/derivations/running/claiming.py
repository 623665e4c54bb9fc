"""Whose gradients an assignment gives: of a value, of one time step of it, or of all time steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from tracer.checking.derivations.names import Family
from tracer.checking.derivations.reading import Program, spoken
from tracer.checking.derivations.refusals import RefusedError

from .carrying import is_whole
from .scope import Scope, step_of
from .setting import Meant, Setting
from .storing import is_whole_number


class Claiming:
    """Tells by the names, the loops and the shape of a value what it is the gradient of."""

    def __init__(self, program: Program, setting: Setting, scope: Scope) -> None:
        self.names, self.carried, self.base = setting.names, setting.carried, setting.base
        self.scope = scope
        self._stored = _stored(program)
        self._looped = _looped(program)

    def of(self, statement: ast.stmt, name: str, expression: ast.expr, value: Any) -> list[Meant]:
        """The gradients that a value of that name gives. Often none."""
        family = self.names.gradient_family(name)
        if family is None:
            node = self.names.gradient(name)
            if node is None or isinstance(value, (list, dict)):
                return []
            if isinstance(value, int) and _is_length(expression):
                return []
            return [Meant(self.floating(node, name))]
        carried, base = self.carried, self.base
        if name in self._stored or isinstance(value, dict):
            return []
        now = self._now(family, value)
        if now is not None:
            return [now]
        if name in carried.bare and not is_whole(self.names.trace, family):
            return []
        one = np.shape(self.names.trace.value(family.nodes[-1]))
        many = len(value) if isinstance(value, list) or np.ndim(value) else 0
        if many == len(family) and (isinstance(value, list) or np.shape(value)[1:] == one):
            return [
                Meant(self.floating(node, name), base + k, k) for k, node in enumerate(family.nodes)
            ]
        if isinstance(value, list):
            return []
        onward = id(statement) in carried.onward
        found = step_of(family, self.scope.turns, base, ahead=int(onward))
        if found is None and self.scope.turns and onward:
            return []
        if found is None:
            if not self.scope.turns and name not in self._looped:
                self.names.refuse_stem(name, family)
                self.scope.say_latest(name, family.nodes[-1])
            return [Meant(self.floating(family.nodes[-1], name), base + len(family) - 1)]
        step, number = found
        if step < 0 and (family.initial < 0 or not self.names.trace.receives[family.initial]):
            return []
        return [Meant(self.floating(family.node(step), name), number)]

    def at_step(self, family: Family, target: ast.Subscript, index: Any) -> int | None:
        """The node of the time step that a subscript means, None if it means none."""
        if not is_whole_number(index):
            return None
        written = isinstance(target.slice, (ast.Constant, ast.UnaryOp)) and index < 0
        step = len(family) + int(index) if written else int(index) - self.base
        try:
            return family.node(step)
        except IndexError:
            return None

    def _now(self, family: Family, value: Any) -> Meant | None:
        """The gradient of this step where the value is just that: then it is not the next one's."""
        found = step_of(family, self.scope.turns, self.base)
        if found is None or found[0] < 0:
            return None
        node = family.node(found[0])
        right = self.names.trace.gradient(node)
        if right is None or isinstance(value, list) or np.shape(right) != np.shape(value):
            return None
        if not np.any(right):
            return None
        if np.max(np.abs(value - right)) > 1e-6 * np.max(np.abs(right)):
            return None
        return Meant(node, found[1])

    def floating(self, node: int, name: str) -> int:
        """The node, if its value can have a gradient."""
        if self.names.trace.value(node).dtype.kind != "f":
            raise RefusedError(
                f"{spoken(name)} is a gradient of whole numbers, which does not exist",
                "a float value",
            )
        return node


def _stored(program: Program) -> frozenset[str]:
    """The names whose elements the derivation assigns, or to which it appends."""

    def each() -> Iterator[str]:
        for statement in program.statements():
            match statement:
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                    yield name
                case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name))):
                    yield name
                case ast.Expr(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"))
                ):
                    yield name

    return frozenset(each())


def _looped(program: Program) -> frozenset[str]:
    """The names that a loop gives values to."""
    loops = (each for each in program.statements() if isinstance(each, (ast.For, ast.While)))
    parts = (part for loop in loops for part in ast.walk(loop))
    return frozenset(
        part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )


def _is_length(expression: ast.expr) -> bool:
    """Whether an expression asks for a length: `d_k = q.shape[-1]` is no gradient."""
    return any(
        (isinstance(part, ast.Attribute) and part.attr in ("shape", "size", "ndim"))
        or (isinstance(part, ast.Name) and part.id == "len")
        for part in ast.walk(expression)
    )
