"""Kernels that copy: by strides, through tiles where reading and writing go across each other, and a constant.

An array of up to four axes is walked like the wheels of a counter: a thread knows where its first element lies and how
far its elements are apart, so that no element costs a division. Four loads are under way before the first is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial

HELD = 4
"""How many elements a thread has under way."""
TILE = 32
"""The edge of a tile that is transposed in shared memory; a row of it is one element longer, against bank conflicts."""

i8 = np.int64


def build_move(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[place + Σ iₖ tₖ] = src[start + Σ iₖ sₖ] for `count` elements of axes 0 to 3, the last fastest."""
    held = HELD

    def kernel(src, out, count, n1, n2, n3, start, s0, s1, s2, s3, place, t0, t1, t2, t3):  # type: ignore[no-untyped-def]
        values = cuda.local.array(held, T)
        places = cuda.local.array(held, i8)
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
                    values[k] = src[start + i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3]
                    places[k] = place + i0 * t0 + i1 * t1 + i2 * t2 + i3 * t3
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
                    out[places[k]] = values[k]
            at += held * step

    return kernel


def build_transpose(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[place + bₖ qₖ + i t + j] = src[start + bₖ pₖ + j s + i]: each tile is read along i and written along j."""
    tile = TILE
    edge = TILE + 1
    size = tile * edge
    turns = -(-TILE * TILE // threads)

    def kernel(src, out, batch, n1, rows, columns, start, p0, p1, s, place, q0, q1, t):  # type: ignore[no-untyped-def]
        held = cuda.shared.array(size, T)
        tid = cuda.threadIdx.x
        across = (columns + tile - 1) // tile
        down = (rows + tile - 1) // tile
        item = cuda.blockIdx.x
        while item < batch * down * across:
            left = item % across * tile
            top = item // across % down * tile
            number = item // (across * down)
            read = start + number // n1 * p0 + number % n1 * p1
            write = place + number // n1 * q0 + number % n1 * q1
            for turn in range(turns):
                e = turn * threads + tid
                i = e % tile
                j = e // tile
                if j < tile and top + i < rows and left + j < columns:
                    held[j * edge + i] = src[read + (left + j) * s + top + i]
            cuda.syncthreads()
            for turn in range(turns):
                e = turn * threads + tid
                j = e % tile
                i = e // tile
                if i < tile and top + i < rows and left + j < columns:
                    out[write + (top + i) * t + left + j] = held[j * edge + i]
            cuda.syncthreads()
            item += cuda.gridDim.x

    return kernel


def build_fill(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """The same value everywhere."""

    def kernel(out, count, value):  # type: ignore[no-untyped-def]
        at = cuda.grid(1)
        while at < count:
            out[at] = T(value)
            at += cuda.gridsize(1)

    return kernel


# ----- trials


def unwritten(shape: Any, T: Any) -> Any:
    """An array for a kernel to write: what it forgets shows as NaN."""
    return np.full(shape, np.nan, T)


def _moved(x: Any, view: Any, into: Any, what: str, expected: Any, part: Any, T: Any) -> Trial:
    """A trial of copying a view of an array into a part of another."""
    size = x.dtype.itemsize
    sizes = (1, 1, 1, 1, *view.shape)[-4:]
    read = (0, 0, 0, 0, *(stride // size for stride in view.strides))[-4:]
    write = (0, 0, 0, 0, *(stride // size for stride in part.strides))[-4:]
    start, place = (
        (seen.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) // size
        for seen, whole in ((view, x), (part, into))
    )
    out = unwritten(into.size, T)
    arguments = (x.reshape(-1), out, view.size, *sizes[1:], start, *read, place, *write)
    return Trial(arguments, {1: expected.reshape(-1)}, what=what)


def move_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Views of several kinds, copied to a whole array or to a part of one."""
    views: list[tuple[str, tuple[int, ...], Callable[[Any], Any]]] = [
        ("one element", (1,), lambda x: x),
        ("31", (31,), lambda x: x),
        ("33 backwards", (33,), lambda x: x[::-1]),
        ("every third of 100", (100,), lambda x: x[1::3]),
        ("(7, 5) transposed", (7, 5), lambda x: x.T),
        ("a row 32 times", (5,), lambda x: np.broadcast_to(x, (32, 5))),
        ("(2, 3, 5, 4) permuted", (2, 3, 5, 4), lambda x: x.transpose(2, 0, 3, 1)),
    ]
    for what, shape, see in views:
        x = rng.normal(size=shape).astype(T)
        view = see(x)
        into = np.empty(view.shape, T)
        yield _moved(x, view, into, what, np.ascontiguousarray(view), into, T)
    x = rng.normal(size=(3, 2)).astype(T)
    into = np.full((5, 6), np.nan, T)
    part = into[1:4, ::3]
    part[...] = x
    yield _moved(x, x, into, "(3, 2) into a part of (5, 6)", into.copy(), part, T)


def transpose_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """One element, ragged tiles, stacks of matrices."""
    for batch, rows, columns in ((1, 1, 1), (1, 31, 33), (1, 32, 32), (4, 3, 2), (2, 5, 40)):
        x = rng.normal(size=(batch, columns, rows)).astype(T)
        out = unwritten(x.size, T)
        n1 = 2 if batch % 2 == 0 else 1
        size = rows * columns
        strides = (n1 * size, size, rows, 0, n1 * size, size, columns)
        arguments = (x.reshape(-1), out, batch, n1, rows, columns, 0, *strides)
        expected = np.ascontiguousarray(x.transpose(0, 2, 1)).reshape(-1)
        yield Trial(arguments, {1: expected}, what=f"{batch} of ({columns}, {rows})")


def fill_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Sizes about a warp, and one that no launch covers in a single turn."""
    for size in (1, 31, 32, 33, 500):
        yield Trial((unwritten(size, T), size, 1.5), {0: np.full(size, 1.5)}, what=str(size))


MOVE = Kernel(
    "move",
    "moving",
    build_move,
    "T[:] T[:]" + " i8" * 14,
    move_trials,
    ulps=0,
    doc="Copies elements from any strides to any strides.",
)
TRANSPOSE = Kernel(
    "transpose",
    "moving",
    build_transpose,
    "T[:] T[:]" + " i8" * 12,
    transpose_trials,
    ulps=0,
    doc="Copies stacks of matrices transposed, tile by tile.",
)
FILL = Kernel(
    "fill",
    "moving",
    build_fill,
    "T[:] i8 T",
    fill_trials,
    ulps=0,
    doc="Writes one value everywhere.",
)
