"""The operators of an expression, and what they do to lists."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from tracer.checking.derivations.refusals import RefusedError

from .complaints import kind_of, text_of
from .meanings import Value
from .vocabulary import MOST_TURNS

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


def longer(node: ast.expr, sign: str, a: Any, b: Any) -> Value:
    """`[0] * T` and `[h0] + hs`."""
    if sign == "+" and isinstance(b, type(a)):
        count = len(a) + len(b)
    elif sign == "*" and isinstance(b, int):
        count = len(a) * max(b, 0)
    else:
        raise RefusedError(
            f"{text_of(node)} computes with {kind_of(a)}, not with numbers", "np.array, or h[t]"
        )
    if count > MOST_TURNS:
        raise RefusedError(f"a list of {count} entries", f"at most {MOST_TURNS}, or an array")
    return a + b if sign == "+" else a * b
