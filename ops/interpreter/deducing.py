"""The types of expressions in a kernel written for Numba, worked out from the source as far as it tells."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.interpreter.rounding import ROUNDED
from ops.interpreter.widening import NAMES, larger, mathematics

WHOLE = frozenset("x y z size ndim laneid warpsize".split())
"""The attributes that are integers."""
COUNTS = frozenset("grid gridsize len int popc clz ffs".split())


class Elements(NamedTuple):
    """The type of an array."""

    dtype: np.dtype[Any]
    ndim: int


Type = np.dtype[Any] | Elements | None
Types = dict[str, Type]
INT, FLOAT, TRUTH = np.dtype("i8"), np.dtype("f8"), np.dtype("?")
MATHEMATICS = mathematics()


def type_of(value: Any) -> Type:
    """The type of an argument, or of something that stands outside of a function.

    >>> type_of(3), type_of(np.float32(1)), type_of("a")
    (dtype('int64'), dtype('float32'), None)
    """
    if hasattr(value, "ndim") and hasattr(value, "shape") and not isinstance(value, np.generic):
        return Elements(np.dtype(value.dtype), value.ndim)
    kinds = ((bool, TRUTH), (int, INT), (float, FLOAT))
    plain = next((found for kind, found in kinds if isinstance(value, kind)), None)
    return value.dtype if isinstance(value, np.number | np.bool_) else plain


def met(types: Sequence[Type]) -> Type:
    """The type in which several meet; None where that is not known.

    >>> met([np.dtype("f4"), np.dtype("f8")]), met([np.dtype("i8"), np.dtype("f4")]), met([np.dtype("i8"), None])
    (dtype('float64'), dtype('float64'), None)
    """
    if all(each == types[0] for each in types):
        return types[0]
    numbers = [each for each in types if isinstance(each, np.dtype)]
    return np.result_type(*numbers) if len(numbers) == len(types) else None


class Deducing:
    """Works out types. `names` is what a function finds outside of itself."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def type(self, node: ast.expr, types: Types) -> Type:
        """The type of an expression, None where it is not known."""
        match node:
            case ast.Constant(value=value):
                return type_of(value)
            case ast.Name(id=name):
                return types[name] if name in types else type_of(self.names.get(name))
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return TRUTH
            case ast.IfExp(body=one, orelse=other):
                return met([self.type(one, types), self.type(other, types)])
            case ast.UnaryOp(op=op, operand=operand):
                act = NAMES.get(f"{type(op).__name__}_")
                return self.made(act, [operand], types) if act else self.type(operand, types)
            case ast.BinOp(op=ast.Pow(), left=left, right=ast.Constant(value=int() as power)):
                return self.made(lambda a: NAMES["raised_"](a, power), [left], types)
            case ast.BinOp(left=left, op=op, right=right):
                return self.made(NAMES.get(f"{type(op).__name__}_"), [left, right], types)
            case ast.Subscript(value=ast.Attribute(attr="shape")):
                return INT
            case ast.Subscript(value=array, slice=index):
                return _element(self.type(array, types), index)
            case ast.Attribute(attr=name) if name in WHOLE:
                return INT
            case ast.Call(args=given):
                return self.call(node, given, types)
        return None

    def call(self, node: ast.Call, given: list[ast.expr], types: Types) -> Type:
        """What a call gives back."""
        name = called(node)
        if name == "array" and len(given) + len(node.keywords) == 2:
            parts = {keyword.arg: keyword.value for keyword in node.keywords}
            whole = [*given, *(parts[key] for key in ("shape", "dtype") if key in parts)]
            scalar = self.scalar(whole[-1])
            ndim = len(whole[0].elts) if isinstance(whole[0], ast.Tuple) else 1
            return None if scalar is None else Elements(scalar, ndim)
        if name in COUNTS:
            return INT
        if name == "float":
            return FLOAT
        if name in ("max", "min") and len(given) > 1:
            return self.made(larger, given, types)
        if name == "abs" and len(given) == 1:
            return self.type(given[0], types)
        if name in ROUNDED and isinstance(node.func, ast.Attribute):
            return self.made(getattr(MATHEMATICS, name), given, types)
        return self.scalar(node.func)

    def scalar(self, node: ast.expr) -> np.dtype[Any] | None:
        """The type that an expression names, such as `float32`."""
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found = self.names.get(name)
                found = found if isinstance(found, type) else getattr(np, name, None)
                if isinstance(found, type) and issubclass(found, np.number):
                    return np.dtype(found)
        return None

    def made(self, act: Any, given: Sequence[ast.expr], types: Types) -> Type:
        """What an operator makes of numbers of these types: it is asked, with ones."""
        kinds = [self.type(each, types) for each in given]
        if act is None or not all(isinstance(kind, np.dtype) for kind in kinds):
            return None
        try:
            with np.errstate(all="ignore"):
                return type_of(act(*(_one(kind) for kind in kinds)))
        except TypeError:  # the line itself will say what is wrong with it
            return None


def _element(array: Type, index: ast.expr) -> Type:
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    plain = not any(
        isinstance(each, ast.Slice | ast.Constant) and _no_number(each) for each in parts
    )
    if isinstance(array, Elements) and plain:
        return array.dtype if len(parts) == array.ndim else None
    return None


def _no_number(node: ast.expr) -> bool:
    return not isinstance(node, ast.Constant) or not isinstance(node.value, int)


def called(node: ast.expr) -> str:
    """The last name of what an expression calls; empty for one that calls nothing."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
    return ""


def _one(kind: Any) -> Any:
    return {INT: 1, FLOAT: 1.0, TRUTH: True}.get(kind, kind.type(1))
