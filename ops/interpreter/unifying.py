"""The types that Numba unifies where branches meet: a name that is an int on one and a float on the other is a float.

Worked out from the source, as far as it tells: constants, arguments, elements of arrays, and what operators make of
them. Where a name comes to a place with two types of numbers, it is converted there. What cannot be worked out (what a
device function gives back) keeps the type of its value.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ops.interpreter.deducing import COUNTS, INT, Deducing, Elements, Type, Types, called, met

SILENT = "silent"
"""The attribute of a statement that is ours: nothing is told of it."""
TURNS = 8
"""After so many looks at a loop its types have long settled."""


def unify(tree: ast.FunctionDef, types: Types, names: Mapping[str, Any]) -> None:
    """Put conversions into a function. `types` are those of its arguments, `names` what it finds outside."""
    _Unifying(names).run(tree.body, dict(types))


class _Ways:
    """The types with which a loop is left, and with which it comes to its head again."""

    def __init__(self) -> None:
        self.out: list[Types] = []
        self.on: list[Types] = []


class _Unifying(Deducing):
    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(names)
        self.loops: list[_Ways] = []

    # ----- statements: each gives the types behind it, or None where nothing goes on

    def run(self, body: list[ast.stmt], types: Types | None) -> Types | None:
        """Statements that follow each other."""
        made: list[ast.stmt] = []
        for node in body:
            if types is None:
                made.append(node)
                continue
            before, types, behind = self.one(node, types)
            made += [*before, node, *behind]
        body[:] = made
        return types

    def one(
        self, node: ast.stmt, types: Types
    ) -> tuple[list[ast.stmt], Types | None, list[ast.stmt]]:
        """A statement: conversions before it, the types behind it, conversions behind it."""
        match node:
            case ast.If():
                node.test = _Choices(self, types).visit(node.test)
                ways = [self.run(node.body, {**types}), self.run(node.orelse, {**types})]
                open_ = [each for each in ways if each is not None]
                if not open_:
                    return [], None, []
                found = joined(open_)
                return [], found, conversions(node, open_, found)
            case ast.For() | ast.While():
                return self.loop(node, types)
            case ast.Return():
                _Choices(self, types).visit(node)
                return [], None, []
            case ast.Break():
                self.loops[-1].out.append(types)
                return [], None, []
            case ast.Continue():
                self.loops[-1].on.append(types)
                return [], None, []
        _Choices(self, types).visit(node)
        self.assign(node, types)
        return [], types, []

    def loop(
        self, node: ast.For | ast.While, types: Types
    ) -> tuple[list[ast.stmt], Types | None, list[ast.stmt]]:
        """A loop: its types have settled when another turn changes none."""
        head = types
        for _ in range(TURNS):
            ends, _ = self.turn(deepcopy(node), head)
            after = joined([types, *ends])
            if after == head:
                break
            head = after
        ends, out = self.turn(node, head)
        again = conversions(node, [head, *ends], head)
        node.body[:0] = deepcopy(again)
        left = joined([head, *out])
        return conversions(node, [types], head), left, conversions(node, [head, *ends, *out], left)

    def turn(self, node: ast.For | ast.While, head: Types) -> tuple[list[Types], list[Types]]:
        """One turn: the types at its ends, and those with which it is left."""
        ways, inside = _Ways(), {**head}
        self.loops.append(ways)
        if isinstance(node, ast.For):
            self.name(node.target, self.of_turns(node.iter, head), inside)
        end = self.run(node.body, inside)
        self.loops.pop()
        return [*ways.on, *([end] if end is not None else [])], ways.out

    def of_turns(self, node: ast.expr, types: Types) -> Type:
        """What a loop goes over."""
        match node:
            case ast.Call(func=ast.Name(id="range" | "prange")):
                return INT
        over = self.type(node, types)
        return over.dtype if isinstance(over, Elements) and over.ndim == 1 else None

    def assign(self, node: ast.stmt, types: Types) -> None:
        """What a statement gives names to."""
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self.give(target, value, types)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.give(target, value, types)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                left = ast.Name(name, ast.Load())
                types[name] = self.type(ast.BinOp(left, op, value), types)

    def give(self, target: ast.expr, value: ast.expr, types: Types) -> None:
        """A value, to one name or to several."""
        match target, value:
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                found = [self.type(each, types) for each in values]
                for name, each in zip(names, found, strict=True):
                    self.name(name, each, types)
            case ast.Tuple(elts=names), _:
                counts = isinstance(value, ast.Attribute) and value.attr == "shape"
                known = INT if counts or called(value) in COUNTS else None
                for name in names:
                    self.name(name, known, types)
            case _:
                self.name(target, self.type(value, types), types)

    def name(self, target: ast.expr, found: Type, types: Types) -> None:
        """One name; of what is none, those in it are not known."""
        if isinstance(target, ast.Name):
            types[target.id] = found
        elif isinstance(target, ast.Tuple):
            for each in target.elts:
                self.name(each, None, types)


class _Choices(ast.NodeTransformer):
    """Converts what `a if c else b` gives."""

    def __init__(self, unifying: _Unifying, types: Types) -> None:
        self.unifying, self.types = unifying, types

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """One of two."""
        self.generic_visit(node)
        kinds = [self.unifying.type(each, self.types) for each in (node.body, node.orelse)]
        found = met(kinds)
        return (
            _converted(node, found)
            if kinds[0] != kinds[1] and isinstance(found, np.dtype)
            else node
        )


def joined(ways: Sequence[Types]) -> Types:
    """The types where several ways meet."""
    names = {name for way in ways for name in way}
    return {name: met([way[name] for way in ways if name in way]) for name in sorted(names)}


def conversions(node: ast.stmt, ways: Sequence[Types], found: Types) -> list[ast.stmt]:
    """Statements that convert the names which come with another type than that in which they meet."""
    made: list[ast.stmt] = []
    for name, kind in found.items():
        if not isinstance(kind, np.dtype) or not all(name in way for way in ways):
            continue
        if any(way[name] != kind for way in ways):
            value = ast.copy_location(ast.Name(name, ast.Load()), node)
            target = ast.copy_location(ast.Name(name, ast.Store()), node)
            each = ast.copy_location(ast.Assign([target], _converted(value, kind)), node)
            setattr(each, SILENT, True)
            made.append(each)
    return made


def _converted(node: ast.expr, kind: np.dtype[Any]) -> ast.expr:
    parts = ast.Name("unified_", ast.Load()), ast.Constant(kind.name)
    function, name = (ast.copy_location(part, node) for part in parts)
    return ast.copy_location(ast.Call(function, [node, name], []), node)
