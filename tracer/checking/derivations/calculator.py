"""Evaluates the expressions of a derivation: arithmetic, indexing and a fixed list of functions on arrays.

The syntax tree is walked here; nothing is handed to Python's own `eval`. What is not listed does not exist, and no
result may grow beyond a size, so that text from a stranger can neither reach out nor exhaust the machine.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import EllipsisType
from typing import Any

import numpy as np

from ops import PRIMITIVES, Primitive
from tracer.format import shape

from .reading import spoken
from .sizes import RefusedError, afford, within_reach

Value = Any
"""What an expression can be: an array, a number, a tuple of these; inside an index also a slice, None, an ellipsis."""

BINARY: Mapping[type[ast.AST], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.MatMult: ("@", operator.matmul),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
UNARY: Mapping[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
LISTED = """
    abs absolute add all amax amin any arctan argmax argmin array asarray broadcast_to clip concatenate copy cos cosh
    cumsum diag diagonal divide dot einsum equal exp exp2 expand_dims expm1 eye flip greater greater_equal less
    less_equal log log10 log1p log2 logical_and logical_not logical_or matmul max maximum mean min minimum multiply
    negative not_equal ones ones_like outer power prod ravel reciprocal reshape roll sign sin sinh sqrt square squeeze
    stack std subtract sum swapaxes tan tanh trace transpose tril triu var where zeros zeros_like
"""
FUNCTIONS: Mapping[str, Callable[..., Any]] = {name: getattr(np, name) for name in LISTED.split()}
METHODS = FUNCTIONS.keys() & vars(np.ndarray).keys() | {"flatten"}
ATTRIBUTES = frozenset({"T", "ndim", "shape", "size"})
KEYWORDS = frozenset({"axes", "axis", "ddof", "keepdims"})
PLAIN: Mapping[str, Callable[..., Any]] = {"float": float, "int": int, "len": len}
MODULES = frozenset({"np", "numpy"})
CONSTANTS: Mapping[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "newaxis": None}
AMBIGUOUS = frozenset({"max", "min", "sum"})
"""Bare, Python's functions of these names go over the first axis, numpy's over all: for tables they are refused."""
MOST_ARGUMENTS = 32


def evaluate(expression: ast.expr, lookup: Callable[[str], Value]) -> Value:
    """The value of an expression. Raises `RefusedError` for whatever is not allowed or not possible.

    lookup: gives the value of a name, or raises `RefusedError`.

    >>> evaluate(ast.parse("(x * 2).sum()", mode="eval").body, {"x": np.ones(3)}.__getitem__)
    np.float64(6.0)
    """
    try:
        with np.errstate(all="ignore"):
            return _Walk(lookup).value(expression)
    except RecursionError:
        raise RefusedError("the expression is too deep", "several shorter lines") from None
    except OverflowError:
        raise RefusedError("a number is too large", "floats below 1e308") from None
    except ZeroDivisionError:
        raise RefusedError(
            "a division by zero", "check the sizes and constants in this line"
        ) from None


class _Walk:
    """One walk over an expression."""

    def __init__(self, lookup: Callable[[str], Value]) -> None:
        self.lookup = lookup
        self.made = 0

    def value(self, node: ast.expr) -> Value:
        """The value of a part of the expression."""
        match node:
            case ast.Constant(value=bool() | int() | float() | None | EllipsisType()):
                return within_reach(node.value)
            case ast.Name(id=name):
                return self.lookup(name)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined(node, op, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.combined(node, op, self.value(left), self.value(right))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
                return self.run(node, UNARY[type(op)], _number(node, self.value(operand)))
            case ast.Subscript(value=inner, slice=index):
                return self.indexed(node, self.value(inner), self.value(index))
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if s is None else self.value(s) for s in (lower, upper, step)))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return tuple(self.value(part) for part in parts)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
                if name in CONSTANTS:
                    return CONSTANTS[name]
            case ast.Attribute(value=inner, attr=name) if name in ATTRIBUTES:
                return getattr(np.asarray(_number(node, self.value(inner))), name)
            case ast.Call():
                return self.called(node)
        raise RefusedError(
            f"{_text(node)} is not allowed here",
            "arithmetic, indexing, and functions such as np.sqrt",
        )

    def combined(self, node: ast.expr, op: ast.AST, a: Value, b: Value) -> Value:
        """A binary operator or comparison."""
        known = BINARY.get(type(op))
        if known is None:
            cure = "** for powers" if isinstance(op, ast.BitXor) else "+ - * / ** @ and comparisons"
            raise RefusedError(f"the operator in {_text(node)} is not allowed", cure)
        sign, function = known
        a, b = _number(node, a), _number(node, b)
        self.made = afford(sign, (a, b), made=self.made)
        whole = isinstance(a, int) and isinstance(b, int)
        if sign == "**" and whole and (b < 0 or b * a.bit_length() > 63):
            a = float(a)
        return self.run(node, function, a, b)

    def indexed(self, node: ast.expr, inner: Value, index: Value) -> Value:
        """An element or a part of an array, or a size out of a shape."""
        if not isinstance(inner, tuple):
            inner = np.asarray(_number(node, inner))
            self.made = afford("[]", (inner, index), made=self.made)
        return self.run(node, operator.getitem, inner, index)

    def called(self, node: ast.Call) -> Value:
        """A call of a function on the list, or of a method of an array."""
        subject: tuple[Value, ...] = ()
        function: Callable[..., Any] | None
        match node.func:
            case ast.Name(id=name):
                function = self.function(node, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
                function = FUNCTIONS.get(name)
            case ast.Attribute(value=inner, attr=name) if name in METHODS:
                array = np.asarray(_number(node, self.value(inner)))
                function, subject = getattr(np.ndarray, name), (array,)
            case _:
                function, name = None, ""
        if function is None:
            raise RefusedError(
                f"{_text(node.func)} is not on the list of functions", _near(node.func)
            )
        if len(node.args) > MOST_ARGUMENTS or any(k.arg not in KEYWORDS for k in node.keywords):
            raise RefusedError(
                f"the arguments of {_text(node)} are not allowed",
                f"keywords {', '.join(sorted(KEYWORDS))}",
            )
        args = (*subject, *(self.argument(name, part) for part in node.args))
        keywords = {str(k.arg): self.value(k.value) for k in node.keywords}
        self.made = afford(name, args, made=self.made)
        return self.run(node, function, *args, **keywords)

    def argument(self, name: str, node: ast.expr) -> Value:
        """An argument of a call; einsum alone takes text."""
        if name == "einsum" and isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.value(node)

    def function(self, node: ast.Call, name: str) -> Callable[..., Any] | None:
        """The function of a bare name: numpy's, or one of our elementwise operations."""
        if name in AMBIGUOUS and len(node.args) == 1 and not node.keywords:
            size = np.shape(self.value(node.args[0]))
            if len(size) > 1:
                raise RefusedError(
                    f"{name} of a {shape(size)} table: over the first axis, as in Python, or over all, as in numpy?",
                    f"x.{name}(0) or np.{name}(x)",
                )
        ours: Primitive | None = PRIMITIVES.get(name)
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        if ours is not None and (ours.elementwise or "softmax" in name):
            return ours
        return PLAIN.get(name)

    def run(
        self, node: ast.expr, function: Callable[..., Any], *args: Any, **keywords: Any
    ) -> Value:
        """Call a function that is allowed, on values that are; what it cannot do is said in the user's words."""
        try:
            return within_reach(function(*args, **keywords))
        except (ValueError, TypeError, IndexError) as error:
            arrays = [a for a in args if isinstance(a, np.ndarray) and a.ndim]
            shapes = ", ".join(shape(a.shape) for a in arrays)
            with_shapes = f", with shapes {shapes}" if shapes else ""
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RefusedError(
                f"{_text(node)} cannot be computed{with_shapes}: {first}",
                "compare the shapes, axis by axis from the right",
            ) from None


def _number(node: ast.expr, value: Value) -> Value:
    """A value that one can compute with: a number or an array."""
    if isinstance(value, (int, float, np.ndarray, np.generic)):
        return value
    raise RefusedError(
        f"{_text(node)} computes with {type(value).__name__}, not with numbers",
        "an element, such as x.shape[0]",
    )


def _text(node: ast.AST) -> str:
    """A part of an expression as text, shortened."""
    text = spoken(ast.unparse(node))
    return text if len(text) <= 60 else text[:57] + "..."


def _near(node: ast.expr) -> str:
    """A function that the user may have meant."""
    from difflib import get_close_matches

    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    close = get_close_matches(name, FUNCTIONS, n=3)
    return "np." + ", np.".join(close) if close else "numpy functions such as np.sqrt, or x.sum(0)"
