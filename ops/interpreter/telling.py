"""A function that tells: its syntax tree with a call behind every statement, and around every condition."""

from __future__ import annotations

import ast

from ops.interpreter.barriers import barrier_kind
from ops.interpreter.sources import WAITING
from ops.interpreter.unifying import SILENT


class Telling(ast.NodeTransformer):
    """Puts a call behind every statement, and around every condition. A device function ends where its call does."""

    def __init__(self, *, device: bool = False) -> None:
        self.device = device

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """The function itself."""
        node.body = self.block(node.body)
        if self.device:
            return node
        end = node.end_lineno or node.lineno
        node.body.append(_call("left_", end, ast.Constant("end"), ast.Dict([], [])))
        return node

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements that follow each other."""
        return [each for statement in body for each in self.told(statement)]

    def told(self, node: ast.stmt) -> list[ast.stmt]:
        """A statement and what tells of it."""
        line = node.lineno
        if hasattr(node, SILENT):
            return [node]
        match node:
            case ast.If() | ast.While():
                node.test = ast.copy_location(_asked("test_", line, node.test), node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                return [node]
            case ast.For():
                names = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
                listed = ast.Tuple([ast.Constant(name) for name in names], ast.Load())
                node.iter = ast.copy_location(_asked("each_", line, listed, node.iter), node.iter)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                return [node]
            case ast.Return(value=value) if self.device:
                said = ast.Constant("warp" if _asks(node) else "line")
                given = value or ast.copy_location(ast.Constant(None), node)
                node.value = ast.copy_location(_asked("returned_", line, said, given), node)
                return [node]
            case ast.Return():
                return [
                    *(
                        _call("left_", line, ast.Constant(deed), ast.Dict([], []))
                        for deed in ("line", "end")
                    ),
                    node,
                ]
            case ast.Break() | ast.Continue():
                return [_call("left_", line, ast.Constant("line"), ast.Dict([], [])), node]
        kind = barrier_kind(node)
        if kind:
            return [_call("before_", line, ast.Constant(kind)), node]
        names = sorted(
            {
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
        )
        registers = ast.Dict(
            [ast.Constant(name) for name in names], [ast.Name(name, ast.Load()) for name in names]
        )
        kind = "warp" if _asks(node) else "line"
        return [node, _call("left_", line, ast.Constant(kind), registers)]


def _asks(node: ast.stmt) -> bool:
    """Whether a statement itself asks something of other threads."""
    return any(isinstance(n, ast.Attribute) and n.attr in WAITING for n in ast.walk(node))


def _asked(name: str, line: int, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [ast.Constant(line), *arguments], [])


def _call(name: str, line: int, *arguments: ast.expr) -> ast.stmt:
    said = ast.Expr(_asked(name, line, *arguments))
    for node in ast.walk(said):
        if isinstance(node, ast.expr | ast.stmt):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return said
