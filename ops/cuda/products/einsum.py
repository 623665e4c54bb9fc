"""Sums of products by axes on a device: tensordot, and einsum of one or two operands, as one product of matrices each.

Axes are brought into the order of matrices by a transpose only where reading an operand transposed does not do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ops.contractions import sizes_of, terms_of
from ops.cuda.elementwise.casts import promoted
from ops.cuda.products.stacks import fit, product
from ops.devices.arrays import DeviceArray
from ops.primitive import PRIMITIVES
from ops.products import Axes, paired_axes


def tensordot_value(x: Any, y: Any, *, axes: Axes) -> Any:
    """The product of x as a matrix (kept, summed) and y as (summed, kept)."""
    x, y = promoted(x, y)
    if not fit(x, y):
        return None
    first, second = paired_axes(axes, x.ndim, y.ndim)
    if any(x.shape[k] != y.shape[j] for k, j in zip(first, second, strict=True)):
        return None
    first, second = (
        zip(*sorted(zip(first, second, strict=True)), strict=True) if first else ((), ())
    )
    kept = [k for k in range(x.ndim) if k not in first]
    other = [k for k in range(y.ndim) if k not in second]
    left, ta = _matrices(x, [], kept, first)
    right, tb = _matrices(y, [], second, other)
    out = product(left, right, ta=ta, tb=tb)
    return out.reshape(*(x.shape[k] for k in kept), *(y.shape[k] for k in other))


def einsum_value(*operands: Any, equation: str) -> Any:
    """The sum over one operand, or the product of two; None for more, for diagonals and for axes that are stretched."""
    operands = promoted(*operands)
    if not 1 <= len(operands) <= 2 or not isinstance(equation, str) or not fit(*operands):
        return None
    terms, result = terms_of(equation, tuple(x.ndim for x in operands))
    sizes = sizes_of(terms, [x.shape for x in operands])
    for x, term in zip(operands, terms, strict=True):
        if len(set(term)) < len(term) or x.shape != tuple(sizes[c] for c in term):
            return None
    alone = [_summed_alone(x, k, terms, result) for k, x in enumerate(operands)]
    if len(alone) == 1:
        return _in_order(*alone[0], result)
    (x, left), (y, right) = alone
    stack = [c for c in result if c in left and c in right]
    rows = [c for c in result if c in left and c not in right]
    columns = [c for c in result if c in right and c not in left]
    summed = [c for c in left if c not in result]
    a, ta = _matrices(x, *([left.index(c) for c in which] for which in (stack, rows, summed)))
    b, tb = _matrices(y, *([right.index(c) for c in which] for which in (stack, summed, columns)))
    out = product(a, b, ta=ta, tb=tb)
    have = "".join((*stack, *rows, *columns))
    return _in_order(out.reshape(tuple(sizes[c] for c in have)), have, result)


def _matrices(
    x: DeviceArray, stack: Sequence[int], rows: Sequence[int], columns: Sequence[int]
) -> tuple[DeviceArray, bool]:
    """x as a stack of matrices, of axes of x each; and whether they are to be read transposed."""
    turned = [*stack, *columns, *rows] == list(range(x.ndim))
    order = tuple((*stack, *columns, *rows) if turned else (*stack, *rows, *columns))
    if order != tuple(range(x.ndim)):
        x = PRIMITIVES["transpose"](x, axes=order)
    many, high, broad = (
        math.prod(x.shape[k] for k in _places(order, w)) for w in (stack, rows, columns)
    )
    return x.reshape(many, *((broad, high) if turned else (high, broad))), turned


def _places(order: tuple[int, ...], axes: Sequence[int]) -> list[int]:
    """Where the axes stand in an order."""
    return [order.index(k) for k in axes]


def _summed_alone(
    x: DeviceArray, number: int, terms: Sequence[str], result: str
) -> tuple[DeviceArray, str]:
    """The operand without the axes that stand nowhere else, and the letters of the others."""
    term = terms[number]
    elsewhere = {c for k, other in enumerate(terms) if k != number for c in other} | set(result)
    gone = tuple(k for k, c in enumerate(term) if c not in elsewhere)
    if not gone:
        return x, term
    return PRIMITIVES["sum"](x, axis=gone), "".join(c for c in term if c in elsewhere)


def _in_order(x: DeviceArray, have: str, want: str) -> DeviceArray:
    if have == want:
        return x
    turned: DeviceArray = PRIMITIVES["transpose"](x, axes=tuple(have.index(c) for c in want))
    return turned
