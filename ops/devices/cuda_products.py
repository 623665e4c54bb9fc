"""Products of matrices, and of stacks of them, by cuBLAS through CuPy, without a copy of any operand."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ops.devices.device import Memory

MOST = 2**31 - 1
"""The largest size that every release of the library takes."""
CALLS = {"f": "sgemmStridedBatched", "d": "dgemmStridedBatched"}


class Operand(NamedTuple):
    """A stack of matrices as the library takes it."""

    turned: bool
    """Whether the matrices lie column by column: a transposed view."""
    ahead: int
    """Elements from one row, or column, to the next."""
    step: int
    """Elements from one matrix to the next; 0: there is one for the whole stack."""


class Products:
    """cuBLAS in full float32, whatever `CUPY_TF32` says: the mode in which it computes is set for each call."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.factors = {code: (np.array(1, code), np.array(0, code)) for code in CALLS}
        """One and zero, on the host: out = 1 · a @ b + 0 · out."""

    def multiply(self, a: Memory, b: Memory, out: Memory) -> bool:
        """out = a @ b on the current stream; False for what the library takes only as a copy, or not at all.

        a: (..., M, K), b: (..., K, N), each contiguous but for a transposition of its matrices; out: (..., M, N),
        contiguous and not empty. A stack is that of `out`, or a single matrix.

        CuPy's own `matmul` copies transposed operands of more than two axes. Matrices of cuBLAS lie column by column,
        so that it computes outᵀ = bᵀ aᵀ.
        """
        stack, (rows, columns), length = out.shape[:-2], out.shape[-2:], a.shape[-1]
        left, right = operand(a, stack), operand(b, stack)
        if a.dtype != b.dtype or a.dtype.char not in CALLS or left is None or right is None:
            return False
        count = math.prod(stack)
        if max(rows, columns, length, count) > MOST:
            return False
        cublas, handle = self.cupy.cuda.cublas, self.cupy.cuda.get_cublas_handle()
        one, zero = (each.ctypes.data for each in self.factors[a.dtype.char])
        multiply = getattr(cublas, CALLS[a.dtype.char])
        mode = cublas.getMathMode(handle)
        cublas.setMathMode(handle, cublas.CUBLAS_DEFAULT_MATH)
        try:
            multiply(
                *(handle, int(right.turned), int(left.turned), columns, rows, length, one),
                *(b.data.ptr, right.ahead, right.step),
                *(a.data.ptr, left.ahead, left.step),
                *(zero, out.data.ptr, columns, rows * columns, count),
            )
        finally:
            cublas.setMathMode(handle, mode)
        return True


def operand(x: Memory, stack: tuple[int, ...]) -> Operand | None:
    """How the library is to read an operand of a product with this stack; None if it cannot without a copy.

    >>> operand(np.empty((7, 2, 3)), (7,)), operand(np.empty((3, 2)).T, (7,))
    (Operand(turned=False, ahead=3, step=6), Operand(turned=True, ahead=2, step=0))
    >>> operand(np.empty((5, 1, 2, 3)), (5, 7)) is None
    True
    """
    rows, columns = x.shape[-2:]
    count = math.prod(x.shape[:-2])
    if count != 1 and x.shape[:-2] != stack:
        return None
    turned = columns > 1 and x.strides[-1] != x.dtype.itemsize
    return Operand(turned, rows if turned else columns, rows * columns if count > 1 else 0)
