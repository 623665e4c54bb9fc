"""Functions, comparisons and cases as numpy expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from ops import PRIMITIVES

from .arrays import (
    Term,
    called,
    combined,
    summed,
    unnamed,
)
from .naming import Naming, Place
from .slopes import slope
from .tokens import UnreadableError
from .tree import (
    Call,
    Cases,
    Node,
    Relation,
    Symbol,
    index_of,
)

_NUMPY = frozenset(
    "exp log sin cos tan sinh cosh tanh sqrt abs sign arcsin arccos arctan arcsinh arccosh arctanh".split()
)
_RECIPROCALS = {
    "sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh",
}  # fmt: skip
"""Functions that numpy has not, and those of which they are one over."""


class Functions(Naming):
    """Translates what is applied to something."""

    value: Callable[[Node, Place], Term]

    def call(self, node: Call, place: Place) -> Term:
        """A function of arrays."""
        arguments = [self.value(argument, place) for argument in node.arguments]
        first = arguments[0]
        if node.primes:
            if node.primes > 1 or len(arguments) > 1:
                raise UnreadableError("a second derivative", "the first, f'(z)", node.at)
            code = slope(node.name, first.code)
            if code is None:
                raise UnreadableError(
                    f"the derivative of {node.name} is not known",
                    r"\sigma'(z), \tanh'(z), or written out",
                    node.at,
                )
            return replace(first, code=code, row=False)
        match node.name, len(arguments):
            case "sqrt", 2:
                power = ast.BinOp(ast.Constant(1), ast.Div(), arguments[1].code)
                return replace(first, code=ast.BinOp(first.code, ast.Pow(), power))
            case (("maximum" | "minimum"), n) if n > 1:
                found = first
                for other in arguments[1:]:
                    joint = combined("+", found, other, self.order)
                    assert isinstance(joint.code, ast.BinOp)
                    found = replace(
                        joint, code=called(f"np.{node.name}", joint.code.left, joint.code.right)
                    )
                return found
            case "norm", 1:
                square = replace(first, code=ast.BinOp(first.code, ast.Pow(), ast.Constant(2)))
                total = summed(square, square.free) if square.free else square
                return replace(total, code=called("np.sqrt", total.code))
            case (("diag" | "trace" | "softmax" | "mean" | "sum"), 1):
                return self.whole(node, first)
            case name, 1 if name in _RECIPROCALS:
                below = called(f"np.{_RECIPROCALS[name]}", first.code)
                return replace(first, code=ast.BinOp(ast.Constant(1), ast.Div(), below), row=False)
            case name, 1 if name in _NUMPY:
                return replace(first, code=called(f"np.{name}", first.code), row=False)
            case name, 1 if name in PRIMITIVES and PRIMITIVES[name].elementwise:
                return replace(first, code=called(name, first.code), row=False)
        raise UnreadableError(
            f"{node.name} of {len(arguments)} is not known"
            if len(arguments) > 1
            else f"the function {node.name} is not known",
            r"\exp, \log, \tanh, \sigma(z), \max(0, z), \operatorname{relu}, \operatorname{softmax}",
            node.at,
        )

    def whole(self, node: Call, term: Term) -> Term:
        """A function of a whole vector or table."""
        if term.named:
            raise UnreadableError(
                f"{node.name} of an array with indices", f"{node.name} without indices", node.at
            )
        code = called(node.name if node.name == "softmax" else f"np.{node.name}", term.code)
        if node.name == "softmax":
            return replace(term, code=code)
        if node.name == "diag" and len(term.shape) in (1, 2):
            shape = term.shape * 2 if len(term.shape) == 1 else (min(term.shape),)
            return Term(code, unnamed(len(shape)), shape)
        if node.name == "diag" or (node.name == "trace" and len(term.shape) != 2):
            raise UnreadableError(
                f"{node.name} of {len(term.shape)} axes", "a vector or a table", node.at
            )
        return Term(code)

    def relation(self, node: Relation, place: Place) -> Term:
        """1 where a comparison holds, else 0; of two indices, Kronecker's delta."""
        a, b = index_of(node.left), index_of(node.right)
        far = self.guessed | self.lengths
        if a and b and node.sign == "==" and a.name in far and b.name in far:
            return self.kronecker(Symbol(node.at, "delta"), a.name, b.name)
        found = combined(
            node.sign, self.value(node.left, place), self.value(node.right, place), self.order
        )
        return replace(
            found, code=called("np.where", found.code, ast.Constant(1.0), ast.Constant(0.0))
        )

    def cases(self, node: Cases, place: Place) -> Term:
        """Values under conditions."""
        *rows, (last, _) = node.rows
        found = self.value(last, place)
        for value, holds in reversed(rows):
            if holds is None:
                raise UnreadableError(
                    "only the last case may be without a condition", "a condition", value.at
                )
            chosen = combined("+", self.value(value, place), found, self.order)
            both = combined(
                holds.sign,
                self.value(holds.left, place),
                self.value(holds.right, place),
                self.order,
            )
            joint = combined("+", both, chosen, self.order)
            assert isinstance(joint.code, ast.BinOp)
            assert isinstance(chosen.code, ast.BinOp)
            code = called("np.where", joint.code.left, chosen.code.left, chosen.code.right)
            found = replace(joint, code=code)
        return found
