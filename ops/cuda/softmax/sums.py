"""Largest element and Σ exp(x − it) of long rows, and of columns: read once, each lane scaling its sum as it goes.

Where a lane meets a larger element it scales what it has summed. It takes 8 elements at a time, so that happens seldom
and the loads are in flight together. Lanes are joined in a fixed order.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.reductions.rows import ALL, NEVER_NEGATIVE, WARP

Array = Any

GROUP = 8


def build_row_sums(
    cuda: Any, math: Any, T: Any, threads: int, *, logarithm: bool = False, lanes: int = 256
) -> Any:
    """tops[r], sums[r]: of row r of x the largest element m, and Σ exp(x − m), or its logarithm plus m.

    x: (rows, classes). Of no elements, or of −inf alone, m is −inf and the sum 0.
    """
    zero, one, least = T(0), T(1), T(-float("inf"))
    warps = lanes // WARP

    def kernel(x: Array, tops: Array, sums: Array) -> None:
        held = cuda.local.array(GROUP, T)
        found = cuda.shared.array((2, 2, warps), T)
        size = x.shape[1]
        turn = 0  # two rows of partial results in turn: nobody writes one while it may be read
        for row in range(cuda.blockIdx.x, x.shape[0], cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                top = least
                total = zero
                for at in range(lane, size, GROUP * lanes):
                    low = at & NEVER_NEGATIVE
                    if low + (GROUP - 1) * lanes < size:
                        for k in range(GROUP):
                            held[k] = x[row, low + k * lanes]
                    else:
                        for k in range(GROUP):
                            j = low + k * lanes
                            held[k] = x[row, j if j < size else low]
                    above = top
                    for k in range(GROUP):
                        above = held[k] if held[k] > above else above
                    if above > top:
                        total = total * math.exp(top - above)
                        top = above
                    for k in range(GROUP):
                        if low + k * lanes < size and held[k] != least:
                            total += one if held[k] == top else math.exp(held[k] - top)
                step = 16
                while step > 0:
                    above = cuda.shfl_xor_sync(ALL, top, step)
                    more = cuda.shfl_xor_sync(ALL, total, step)
                    if above > top:
                        total = more + total * math.exp(top - above)
                        top = above
                    elif above == top:
                        total = total + more
                    else:
                        total = total + more * math.exp(above - top)
                    step //= 2
                if lane & 31 == 0:
                    found[turn, 0, lane // WARP] = top
                    found[turn, 1, lane // WARP] = total
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                top = found[turn, 0, 0]
                for warp in range(1, warps):
                    above = found[turn, 0, warp]
                    top = above if above > top else top
                total = zero
                for warp in range(warps):
                    above = found[turn, 0, warp]
                    more = found[turn, 1, warp]
                    total += more if above == top else more * math.exp(above - top)
                tops[row] = top
                sums[row] = math.log(total) + top if logarithm else total
            turn = 1 - turn

    return kernel


def build_column_sums(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    logarithm: bool = False,
    width: int = 32,
    depth: int = 8,
) -> Any:
    """tops[o, c], sums[o, c]: the same of column c of x[o], by strips of `width`. x: (outer, classes, inner)."""
    zero, one, least = T(0), T(1), T(-float("inf"))

    def kernel(x: Array, tops: Array, sums: Array) -> None:
        held = cuda.local.array(GROUP, T)
        highest = cuda.shared.array((depth, width), T)
        summed = cuda.shared.array((depth, width), T)
        size, inner = x.shape[1], x.shape[2]
        strips = (inner + width - 1) // width
        for item in range(cuda.blockIdx.x, x.shape[0] * strips, cuda.gridDim.x):
            strip = item % strips
            o = item // strips
            for lane in range(cuda.threadIdx.x & 1023, depth * width, threads):
                c = strip * width + lane % width
                top = least
                total = zero
                if c < inner:
                    for at in range(lane // width, size, GROUP * depth):
                        low = at & NEVER_NEGATIVE
                        for k in range(GROUP):
                            j = low + k * depth
                            held[k] = x[o, j if j < size else low, c]
                        above = top
                        for k in range(GROUP):
                            above = held[k] if held[k] > above else above
                        if above > top:
                            total = total * math.exp(top - above)
                            top = above
                        for k in range(GROUP):
                            if low + k * depth < size and held[k] != least:
                                total += one if held[k] == top else math.exp(held[k] - top)
                highest[lane // width, lane % width] = top
                summed[lane // width, lane % width] = total
            cuda.syncthreads()
            for lane in range(cuda.threadIdx.x & 1023, width, threads):
                c = strip * width + lane
                if c < inner:
                    top = highest[0, lane]
                    for k in range(1, depth):
                        above = highest[k, lane]
                        top = above if above > top else top
                    total = zero
                    for k in range(depth):
                        above = highest[k, lane]
                        more = summed[k, lane]
                        total += more if above == top else more * math.exp(above - top)
                    tops[o, c] = top
                    sums[o, c] = math.log(total) + top if logarithm else total
            cuda.syncthreads()

    return kernel
