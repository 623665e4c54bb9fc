"""Other ways to read a formula that was typed as it is written on a blackboard: outer products, the larger of two."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.checking.derivations.claims import claims_of_text
from tracer.checking.derivations.names import Names
from tracer.errors import GradstepError

from .answers import AnswerError, Expression, as_line
from .known import Known, worked_out

Array = Any
"""A numpy array or numpy scalar."""
Reading = Callable[[Expression, Known], Array]
"""How an answer is worked out."""

_EXTREMES = {"max": "maximum", "min": "minimum"}


def elementwise(answer: Expression) -> Expression:
    """The same with `max(a, b)` as the larger of the two, element by element.

    >>> from tracer.quizzing.answers import Expression
    >>> ast.unparse(elementwise(Expression("", ast.parse("max(z, 0)").body[0].value, frozenset())).tree)
    'maximum(z, 0)'
    """
    return _again(answer, _Elementwise().visit(_copied(answer)))


def as_outer(answer: Expression, known: Known) -> Array:
    """What an answer comes to with its vectors as columns and rows. Raises `AnswerError` where it has none."""
    reader = _Outer(answer, known)
    tree = reader.visit(_copied(answer))
    if not reader.found:
        raise AnswerError("there is no product of vectors\n  try: ?")
    return worked_out(_again(answer, tree), known)


def as_gradient(node: int) -> Reading:
    """The reading of an answer as the line of a derivation that gives the gradient of a node."""

    def read_line(answer: Expression, known: Known) -> Array:
        trace = known.names.trace
        try:
            derived = claims_of_text(Names(trace), as_line(answer.text, trace.label(node)))
        except GradstepError as error:
            raise AnswerError(str(error)) from None
        found = next((claim.alone for claim in derived.claims if claim.node == node), None)
        if found is None:
            raise AnswerError("that gives another gradient\n  try: ?")
        return np.asarray(found, np.float64)

    return read_line


def _copied(answer: Expression) -> ast.expr:
    return ast.parse(ast.unparse(answer.tree), mode="eval").body


def _again(answer: Expression, tree: ast.expr) -> Expression:
    return Expression(answer.text, ast.fix_missing_locations(tree), answer.names)


class _Elementwise(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:  # ast's name
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _EXTREMES and len(node.args) == 2 and not node.keywords:
            node.func = ast.Name(_EXTREMES[name], ast.Load())
        return node


class _Outer(ast.NodeTransformer):
    def __init__(self, answer: Expression, known: Known) -> None:
        self.answer, self.known, self.found = answer, known, False

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:  # ast's name
        self.generic_visit(node)
        turned = any(
            isinstance(part, ast.Attribute) and part.attr == "T" for part in (node.left, node.right)
        )
        if not isinstance(node.op, ast.MatMult) or not turned:
            return node
        try:
            axes = [np.ndim(self._number(part)) for part in (node.left, node.right)]
        except AnswerError:
            return node
        if max(axes) > 1:
            return node
        self.found = True
        if min(axes) == 0:
            return ast.BinOp(node.left, ast.Mult(), node.right)
        return ast.Call(ast.Name("outer", ast.Load()), [node.left, node.right], [])

    def _number(self, part: ast.expr) -> Any:
        return worked_out(_again(self.answer, part), self.known)
