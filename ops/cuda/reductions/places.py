"""Kernels that find where the largest or smallest element stands: of ties the first, or the first NaN.

Which of two elements wins does not depend on the order in which they meet, so neither does the result. Long rows are
searched in parts; a second launch searches among the places that the parts found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cuda.reductions.rows import ALL, WARP

Array = Any


def _least(larger: bool, T: Any) -> Any:
    """What no element loses to."""
    if np.issubdtype(T, np.integer):
        return T(np.iinfo(T).min if larger else np.iinfo(T).max)
    return T(-np.inf if larger else np.inf)


def build_place_rows(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    larger: bool = True,
    again: bool = False,
    lanes: int = 256,
) -> Any:
    """out[r, s]: where in row r of x its largest element stands, of part s of the row, or of the places in `among`.

    x: (rows, size). among: int (rows, places), read if `again`. out: int (rows, parts).
    """
    least = _least(larger, T)
    warps = lanes // WARP

    def kernel(x: Array, among: Array, out: Array) -> None:
        values = cuda.shared.array((2, warps), T)
        places = cuda.shared.array((2, warps), np.int64)
        size, parts = x.shape[1], out.shape[1]
        if again:
            size = among.shape[1]
        turn = 0
        for item in range(cuda.blockIdx.x, x.shape[0] * parts, cuda.gridDim.x):
            row = item // parts
            part = item % parts
            for lane in range(cuda.threadIdx.x, lanes, threads):
                best = -1
                top = least
                for j in range(
                    size * part // parts + lane, size * (part + 1) // parts, lanes
                ):  # its places rise
                    place = j
                    if again:
                        place = among[row, j]
                    v = x[row, place]
                    beats = v > top if larger else v < top
                    if best < 0 or beats or (v != v and top == top):
                        best = place
                        top = v
                step = 16
                while step > 0:
                    v = cuda.shfl_down_sync(ALL, top, step)
                    place = cuda.shfl_down_sync(ALL, best, step)
                    beats = v > top if larger else v < top
                    same = v == top or (v != v and top != top)
                    if place >= 0 and (
                        best < 0 or beats or (v != v and top == top) or (same and place < best)
                    ):
                        best = place
                        top = v
                    step //= 2
                if lane % WARP == 0:
                    values[turn, lane // WARP] = top
                    places[turn, lane // WARP] = best
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                best = places[turn, 0]
                top = values[turn, 0]
                for warp in range(1, warps):
                    v = values[turn, warp]
                    place = places[turn, warp]
                    beats = v > top if larger else v < top
                    same = v == top or (v != v and top != top)
                    if place >= 0 and (
                        best < 0 or beats or (v != v and top == top) or (same and place < best)
                    ):
                        best = place
                        top = v
                out[row, part] = best
            turn = 1 - turn

    return kernel


def build_place_columns(
    cuda: Any, math: Any, T: Any, threads: int, *, larger: bool = True, again: bool = False
) -> Any:
    """out[o, s, c]: where in column c of x[o] its largest element stands; a thread to a part of a column.

    x: (outer, size, inner). among: int (outer, places, inner), read if `again`. out: int (outer, parts, inner).
    """

    def kernel(x: Array, among: Array, out: Array) -> None:
        size, inner, parts = x.shape[1], x.shape[2], out.shape[1]
        if again:
            size = among.shape[1]
        for item in range(cuda.grid(1), out.shape[0] * parts * inner, cuda.gridsize(1)):
            c = item % inner
            part = item // inner % parts
            o = item // inner // parts
            first = size * part // parts
            best = first
            if again:
                best = among[o, first, c]
            top = x[o, best, c]
            for j in range(first + 1, size * (part + 1) // parts):  # its places rise
                place = j
                if again:
                    place = among[o, j, c]
                v = x[o, place, c]
                beats = v > top if larger else v < top
                if beats or (v != v and top == top):
                    best = place
                    top = v
            out[o, part, c] = best

    return kernel
