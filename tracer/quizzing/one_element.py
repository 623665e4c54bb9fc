"""One element of a formula: elementwise operations act on single elements, a matrix product on a row and a column."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.elements import Element, within
from tracer.symbols import Symbol


def at_element(expression: Any, at: Element) -> Any | None:
    """The expression of one element; None where it does not follow from single elements, rows and columns.

    >>> from tracer.symbols import Style, write
    >>> x, b = Symbol(np.ones((4, 2)), "x"), Symbol(np.ones(2), "b")
    >>> write(at_element(x * b, (3, 1)), Style())
    'x[3,1] · b[1]'
    """
    if not isinstance(expression, Symbol):
        return expression
    if not expression.shape:
        return expression
    if expression.op is None:
        return _picked(expression, within(at, expression.shape))
    if expression.op.name == "matmul":
        return _row_and_column(expression, at)
    if not expression.op.elementwise:
        return None
    args = [at_element(part, _aligned(part, at)) for part in expression.args]
    if any(part is None for part in args):
        return None
    value = np.asarray(expression.value)[within(at, expression.shape)]
    return Symbol(value[()], op=expression.op, args=tuple(args), params=expression.params)


def _aligned(part: Any, at: Element) -> Element:
    return within(at, part.shape) if isinstance(part, Symbol) else ()


def _row_and_column(product: Symbol, at: Element) -> Any | None:
    """A row times a column."""
    left, right = product.args
    if not all(isinstance(part, Symbol) and 1 <= part.ndim <= 2 for part in (left, right)):
        return None
    row = left if left.ndim == 1 else _line(left, at[0], column=False)
    column = right if right.ndim == 1 else _line(right, at[-1], column=True)
    if row is None or column is None:
        return None
    value = np.asarray(product.value)[at]
    return Symbol(value[()], op=product.op, args=(row, column), params=product.params)


def _line(matrix: Symbol, number: int, *, column: bool) -> Symbol | None:
    """A row or a column of a matrix that has a name, or of its transpose."""
    if matrix.op is not None and matrix.op.name == "transpose" and matrix.args[0].ndim == 2:
        return _line(matrix.args[0], number, column=not column)
    if matrix.op is not None or not matrix.text:
        return None
    where = f"[:,{number}]" if column else f"[{number}]"
    value = matrix.value[:, number] if column else matrix.value[number]
    return Symbol(value, matrix.text + where, matrix.tex + where)


def _picked(leaf: Symbol, at: Element) -> Symbol:
    """An element of a value."""
    value = np.asarray(leaf.value)[at]
    if not leaf.text or leaf.text == "1":
        return Symbol(value[()], leaf.text, leaf.tex)
    where = f"[{','.join(map(str, at))}]"
    return Symbol(value[()], leaf.text + where, leaf.tex + where)
