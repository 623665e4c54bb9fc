"""Kernels that copy some elements and put a constant for the others: a box in its frame, and a triangle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.moving.copies import HELD, unwritten


def build_frame(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[i] = x[i - a] inside the box aₖ ≤ iₖ < aₖ + mₖ of axes 0 to 3, the value outside."""
    held = HELD

    def kernel(x, out, count, n1, n2, n3, m0, m1, m2, m3, a0, a1, a2, a3, value):  # type: ignore[no-untyped-def]
        values = cuda.local.array(held, T)
        step = cuda.gridsize(1)
        at = cuda.grid(1)
        i3 = at % n3
        i2 = at // n3 % n2
        i1 = at // (n3 * n2) % n1
        i0 = at // (n3 * n2 * n1)
        d3 = step % n3
        d2 = step // n3 % n2
        d1 = step // (n3 * n2) % n1
        d0 = step // (n3 * n2 * n1)
        while at < count:
            for k in range(held):
                if at + k * step < count:
                    j0 = i0 - a0
                    j1 = i1 - a1
                    j2 = i2 - a2
                    j3 = i3 - a3
                    values[k] = T(value)
                    inside = j0 >= 0 and j0 < m0 and j1 >= 0 and j1 < m1
                    if inside and j2 >= 0 and j2 < m2 and j3 >= 0 and j3 < m3:
                        values[k] = x[((j0 * m1 + j1) * m2 + j2) * m3 + j3]
                    i3 += d3
                    if i3 >= n3:
                        i3 -= n3
                        i2 += 1
                    i2 += d2
                    if i2 >= n2:
                        i2 -= n2
                        i1 += 1
                    i1 += d1
                    if i1 >= n1:
                        i1 -= n1
                        i0 += 1
                    i0 += d0
            for k in range(held):
                if at + k * step < count:
                    out[at + k * step] = values[k]
            at += held * step

    return kernel


def build_triangle(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """The elements of matrices whose column − row lies from low to high; zeros elsewhere."""
    zero = T(0)
    held = HELD

    def kernel(x, out, count, rows, columns, low, high):  # type: ignore[no-untyped-def]
        values = cuda.local.array(held, T)
        step = cuda.gridsize(1)
        at = cuda.grid(1)
        column = at % columns
        row = at // columns % rows
        right = step % columns
        down = step // columns % rows
        while at < count:
            for k in range(held):
                if at + k * step < count:
                    values[k] = zero
                    if low <= column - row and column - row <= high:
                        values[k] = x[at + k * step]
                    column += right
                    if column >= columns:
                        column -= columns
                        row += 1
                    row += down
                    if row >= rows:
                        row -= rows
            for k in range(held):
                if at + k * step < count:
                    out[at + k * step] = values[k]
            at += held * step

    return kernel


# ----- trials


def frame_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Boxes in the middle, at an end, of everything and of nothing."""
    for shape, starts, whole in (
        ((1,), (0,), (1,)),
        ((31,), (1,), (33,)),
        ((2, 3), (1, 0), (4, 8)),
        ((2, 2, 3, 2), (0, 1, 1, 2), (2, 4, 5, 4)),
        ((0, 3), (1, 0), (2, 3)),
    ):
        x = rng.normal(size=shape).astype(T)
        out = np.full(whole, 1.5)
        out[tuple(slice(a, a + m) for a, m in zip(starts, shape, strict=True))] = x
        ones, zeros = (1,) * (4 - len(shape)), (0,) * (4 - len(shape))
        sizes = (*(ones + whole)[1:], *ones, *shape, *zeros, *starts)
        arguments = (x.reshape(-1), unwritten(out.size, T), out.size, *sizes, 1.5)
        yield Trial(arguments, {1: out.reshape(-1)}, what=f"{shape} in {whole}")


def triangle_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Both sides of several diagonals of matrices and stacks."""
    for shape, k in (((1, 1, 1), 0), ((1, 7, 5), 1), ((3, 4, 6), -2), ((2, 5, 33), 0)):
        x = rng.normal(size=shape).astype(T)
        x[0, 0, 0] = np.nan
        rows, columns = shape[1:]
        for low, high, expected in ((-rows, k, np.tril(x, k)), (k, columns, np.triu(x, k))):
            out = unwritten(x.size, T)
            arguments = (x.reshape(-1), out, x.size, rows, columns, low, high)
            what = f"{shape} from {low} to {high}"
            yield Trial(arguments, {1: expected.reshape(-1)}, what=what)


FRAME = Kernel(
    "frame",
    "moving",
    build_frame,
    "T[:] T[:]" + " i8" * 12 + " T",
    frame_trials,
    ulps=0,
    doc="Copies an array into a box of a larger one, with one value around it.",
)
TRIANGLE = Kernel(
    "triangle",
    "moving",
    build_triangle,
    "T[:] T[:]" + " i8" * 5,
    triangle_trials,
    ulps=0,
    doc="Copies the elements between two diagonals of matrices, with zeros for the others.",
)
