"""A kernel whose arithmetic is typed as Numba types it: its syntax with a call for every operator.

Device functions are widened with it, wherever it finds them: in its closure or among the globals of its file.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import FunctionType
from typing import Any

from ops.interpreter.deducing import Types, type_of
from ops.interpreter.rewriting import Rewriting
from ops.interpreter.sources import Source, rebuilt
from ops.interpreter.unifying import unify
from ops.interpreter.widening import NAMES, OPERATORS

TYPES = frozenset(
    "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)
ORDERED = ast.Eq | ast.NotEq | ast.Lt | ast.LtE | ast.Gt | ast.GtE
KEPT = "index_"
"""The name that keeps the index of `a[i] += x`, which is evaluated once."""


def widened(function: FunctionType, arguments: Sequence[Any]) -> FunctionType:
    """The function and the device functions that it calls, with Numba's types; unchanged where no source is kept."""
    names = function.__code__.co_varnames
    types = dict(zip(names, map(type_of, arguments), strict=False))
    made: FunctionType = _Widening(function, types)(function)
    return made


class _Widening(Rewriting):
    def __init__(self, kernel: FunctionType, types: Types) -> None:
        super().__init__()
        self.code, self.types = kernel.__code__, types

    def rewritten(
        self,
        function: FunctionType,
        tree: ast.FunctionDef,
        source: Source,
        outside: Mapping[str, Any],
    ) -> Any:
        unify(tree, self.types if function.__code__ is self.code else {}, outside)
        return rebuilt(function, Widen(function.__globals__).visit(tree), **NAMES)


class Widen(ast.NodeTransformer):
    """Puts a call for every operator, comparison and conversion."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """`a + b`."""
        self.generic_visit(node)
        name = type(node.op).__name__
        match node:
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int())):
                name = "raised"
        return _call(name, node, node.left, node.right) if f"{name}_" in NAMES else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """`-a`, `~a`."""
        self.generic_visit(node)
        name = type(node.op).__name__
        if isinstance(node.operand, ast.Constant):
            return node
        return _call(name, node, node.operand) if f"{name}_" in NAMES else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """`a += b` is `a = a + b`, its index evaluated once."""
        name = type(node.op).__name__
        if any(isinstance(each, ast.Slice) for each in ast.walk(node.target)):
            return node  # as in Numba, nothing can be added to a part of an array
        target: Any = deepcopy(node.target)
        held: Any = deepcopy(node.target)
        if isinstance(target, ast.Subscript):
            held.slice = ast.NamedExpr(ast.Name(KEPT, ast.Store()), held.slice)
            target.slice = ast.Name(KEPT, ast.Load())
        held.ctx = ast.Load()
        value = ast.BinOp(held, node.op, node.value)
        changed = ast.copy_location(ast.Assign([target], value), node)
        if name not in OPERATORS:
            return node
        for part in (value, held, *ast.walk(target), *ast.walk(held)):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, node)
        self.generic_visit(changed)
        return changed

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """`a < b < c`."""
        self.generic_visit(node)
        if all(isinstance(op, ORDERED) for op in node.ops):
            node.left = _call("exact", node, node.left)
            node.comparators = [_call("exact", node, each) for each in node.comparators]
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`int32(x)`, `max(a, b)`."""
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=("max" | "min") as name) if self.names.get(
                name, getattr(builtins, name)
            ) is getattr(builtins, name):
                return _call(name, node, *node.args)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in TYPES:
                return _call("cast", node, node.func, *node.args)
        return node


def _call(name: str, at: ast.expr, *given: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(f"{name}_", ast.Load()), at)
    return ast.copy_location(ast.Call(function, list(given), []), at)
