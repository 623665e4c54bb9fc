"""The products family: operations that are products of matrices, on a device. (Index notation: `einsum`.)

Operands of several dtypes are cast as numpy promotes them, and what they receive is cast back. A bias is added by the
elementwise `add`, one pass more: so the product may be the library's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.elementwise.casts import promoted
from ops.cuda.kernel import Kernel
from ops.cuda.native import Native
from ops.cuda.products.einsum import einsum_value, tensordot_value
from ops.cuda.products.stacks import fit, product, summed_product
from ops.cuda.products.trials import ADD_SPLITS, PRODUCT, SMALL_PRODUCT
from ops.devices.arrays import DeviceArray
from ops.primitive import NUMBERS, PRIMITIVES
from ops.products import is_matmul

Flows = list[Any] | None


# ----- matmul


def matmul_value(x: Any, y: Any) -> Any:
    """x @ y by numpy's rules for ranks."""
    x, y = promoted(x, y)
    if not fit(x, y) or not x.ndim or not y.ndim:
        return None
    rows, columns = _as_matrices(x, y)
    if rows.shape[-1] != columns.shape[-2] or not _broadcast(rows, columns):
        return None
    out = product(rows, columns)
    return out.reshape(_without_missing(out.shape, x, y))


def matmul_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    """g yᵀ and xᵀ g, each summed over the axes along which its operand was broadcast."""
    g, x, y = promoted(g, *inputs)
    if not fit(g, x, y):
        return None
    rows, columns = _as_matrices(x, y)
    stack = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    g = g.reshape(*stack, rows.shape[-2], columns.shape[-1])
    flows: list[Any] = [None, None]
    if wanted[0]:
        flows[0] = _back(_x_flow(g, rows, columns), inputs[0])
    if wanted[1]:
        flows[1] = _back(_y_flow(g, rows, columns), inputs[1])
    return flows


def _back(flow: DeviceArray, target: DeviceArray) -> DeviceArray:
    """What an input receives, in its own shape and dtype."""
    found: DeviceArray = flow.reshape(target.shape).astype(target.dtype)
    return found


def _x_flow(g: DeviceArray, x: DeviceArray, y: DeviceArray) -> DeviceArray:
    split = _summed_in_front(x, y, g)
    if split is not None:
        return summed_product(_folded(g, split), _folded(y, split), tb=True)
    flow = product(g, y, tb=True)
    return flow if flow.shape == x.shape else PRIMITIVES["sum_to"](flow, shape=x.shape)


def _y_flow(g: DeviceArray, x: DeviceArray, y: DeviceArray) -> DeviceArray:
    if (
        math.prod(y.shape[:-2]) == 1
    ):  # one matrix for all rows of the stack: all of them are summed at once
        rows = math.prod(g.shape[:-1])
        if math.prod(x.shape[:-1]) == rows:
            return product(x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1]), ta=True)
    split = _summed_in_front(y, x, g)
    if split is not None:
        return summed_product(_folded(x, split), _folded(g, split), ta=True)
    flow = product(x, g, ta=True)
    return flow if flow.shape == y.shape else PRIMITIVES["sum_to"](flow, shape=y.shape)


def _summed_in_front(x: DeviceArray, other: DeviceArray, g: DeviceArray) -> int | None:
    """How many matrices the stack of x has, if it was broadcast along axes in front only, and the other not at all."""
    stack = g.shape[:-2]
    own = (1,) * (len(stack) - (x.ndim - 2)) + x.shape[:-2]
    front = next((k for k, n in enumerate(own) if n != 1), len(own))
    if other.shape[:-2] != stack or own[front:] != stack[front:] or math.prod(stack[:front]) == 1:
        return None
    return math.prod(own)


def _folded(x: DeviceArray, stack: int) -> DeviceArray:
    """The stack as two axes, of which the last has that size."""
    many = math.prod(x.shape[:-2])
    return x.reshape(many // max(stack, 1), stack, *x.shape[-2:])


def _as_matrices(x: DeviceArray, y: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """A vector as a row on the left, as a column on the right."""
    return (
        x.reshape(1, x.size) if x.ndim == 1 else x,
        y.reshape(y.size, 1) if y.ndim == 1 else y,
    )


def _without_missing(shape: tuple[int, ...], x: DeviceArray, y: DeviceArray) -> tuple[int, ...]:
    """The shape without the axes that vectors were given."""
    *lead, rows, columns = shape
    return (*lead, *([] if x.ndim == 1 else [rows]), *([] if y.ndim == 1 else [columns]))


def _broadcast(x: DeviceArray, y: DeviceArray) -> bool:
    try:
        np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        return False
    return True


# ----- linear


def _rows(x: DeviceArray) -> DeviceArray:
    """All axes but the last as one."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def linear_value(x: Any, weight: Any, bias: Any) -> Any:
    """x Wᵀ + b, the weight read transposed."""
    x, weight = promoted(x, weight)
    if not fit(x, weight) or weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        return None
    if type(bias) not in NUMBERS and not (fit(bias) and bias.shape in ((), weight.shape[:1])):
        return None
    out = product(_rows(x), weight, tb=True).reshape(*x.shape[:-1], weight.shape[0])
    return out if type(bias) in NUMBERS and bias == 0 else out + bias


def linear_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    """g W, gᵀ x and the sum of g."""
    bias = inputs[2]
    g, x, weight = promoted(g, *inputs[:2])
    if not fit(g, x, weight):
        return None
    flows: list[Any] = [None, None, None]
    if wanted[0]:
        flows[0] = _back(product(_rows(g), weight), inputs[0])
    if wanted[1]:
        flows[1] = _back(product(_rows(g), _rows(x), ta=True), inputs[1])
    if wanted[2]:
        flows[2] = _back(PRIMITIVES["sum_to"](g, shape=bias.shape), bias)
    return flows


# ----- dot and outer


def dot_value(x: Any, y: Any) -> Any:
    """numpy's dot: a product of two numbers, of matrices, or of every row with every column."""
    if type(x) in NUMBERS or type(y) in NUMBERS or not x.ndim or not y.ndim:
        return x * y
    if is_matmul(x, y):
        return matmul_value(x, y)
    return tensordot_value(x, y, axes=((-1,), (-2,)))


def dot_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    """As for `@` where that computes the same; else its rules."""
    g, *wide = promoted(g, *inputs)
    if not fit(g, *wide) or not all(x.ndim for x in wide) or not is_matmul(*wide):
        return None
    return matmul_pull(g, out, inputs, wanted, params, saved)


def outer_value(x: Any, y: Any) -> Any:
    """x as a column times y as a row, broadcast."""
    column = x if type(x) in NUMBERS else x.reshape(x.size, 1)
    row = y if type(y) in NUMBERS else y.reshape(1, y.size)
    return column * row


def outer_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    """g y and gᵀ x."""
    g, x, y = promoted(g, *inputs)
    if not fit(g, x, y):
        return None
    flows: list[Any] = [None, None]
    if wanted[0]:
        flows[0] = _back(product(g, y.reshape(y.size, 1)), inputs[0])
    if wanted[1]:
        flows[1] = _back(product(x.reshape(1, x.size), g), inputs[1])
    return flows


KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (PRODUCT, SMALL_PRODUCT, ADD_SPLITS)
}

NATIVE: dict[str, Native] = {
    "matmul": Native(matmul_value, matmul_pull),
    "linear": Native(linear_value, linear_pull),
    "dot": Native(dot_value, dot_pull),
    "outer": Native(outer_value, outer_pull),
    # their rules are products by the same notation
    "tensordot": Native(tensordot_value),
    "einsum": Native(einsum_value),
}
