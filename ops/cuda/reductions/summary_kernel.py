"""The kernel behind what a debugger says of many numbers: counts, extremes, mean and squares about it, in one pass.

Each lane sums the distances of its elements from the first of them, and their squares, in two parts of a number each,
so that neither a large offset nor many elements cost digits; lanes are joined as Chan, Golub and LeVeque (1979) do.
Squares of huge or tiny elements would overflow or vanish. So a lane works at one of three scales, powers of two, and
goes over to a larger one when it meets an element that needs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cuda.reductions.rows import NEVER_NEGATIVE

Array = Any

GROUP = 8
PART = 1 << 20
"""Counts are written as two floats, of which each holds 20 bits: exact also in float32."""

FIELDS = 14
"""A record: each count in two parts, the level of its scale, lowest, highest, squares about the mean, its two parts."""


def scales(T: Any) -> tuple[tuple[float, float, float], tuple[float, float]]:
    """What elements are multiplied by at each level, and the magnitudes at which the second and the third begin.

    >>> scales(np.float32)[1] == (2.0**-30, 2.0**40)
    True
    """
    if np.dtype(T) == np.float32:
        return (2.0**90, 1.0, 2.0**-80), (2.0**-30, 2.0**40)
    return (2.0**600, 1.0, 2.0**-700), (2.0**-300, 2.0**300)


def build_summary(
    cuda: Any, math: Any, T: Any, threads: int, *, again: bool = False, lanes: int = 256
) -> Any:
    """out[p]: the record of part p of x; or `again`, of the records p · lanes to (p + 1) · lanes, joined.

    x: (size,). records: (number, 14), read if `again`. out: (parts, 14).
    """
    zero, one, eight, infinity = T(0), T(1), T(GROUP), T(np.inf)
    (s0, s1, s2), (second, third) = scales(T)
    scale_0, scale_1, scale_2 = T(s0), T(s1), T(s2)
    up_1, up_2, one_up = T(s1 / s0), T(s2 / s0), T(s2 / s1)
    second, third = T(second), T(third)

    def kernel(x: Array, records: Array, out: Array) -> None:
        counts = cuda.shared.array((5, lanes), np.int64)
        moments = cuda.shared.array((5, lanes), T)
        held = cuda.local.array(GROUP, T)
        parts = out.shape[0]
        size = records.shape[0] if again else x.shape[0]
        for part in range(cuda.blockIdx.x, parts, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                finite = 0
                nans = 0
                infs = 0
                zeros = 0
                level = 0
                lowest = infinity
                highest = -infinity
                mean = zero
                offset = zero
                squares = zero
                if again:
                    i = part * lanes + lane
                    if i < size:
                        finite = int(records[i, 0]) * PART + int(records[i, 1])
                        nans = int(records[i, 2]) * PART + int(records[i, 3])
                        infs = int(records[i, 4]) * PART + int(records[i, 5])
                        zeros = int(records[i, 6]) * PART + int(records[i, 7])
                        level = int(records[i, 8])
                        lowest = records[i, 9]
                        highest = records[i, 10]
                        squares = records[i, 11]
                        mean = records[i, 12]
                        offset = records[i, 13]
                else:
                    first = size * part // parts + lane
                    last = size * (part + 1) // parts
                    shift = zero
                    j = first
                    while j < last:  # to the first finite element, mostly the first of all
                        shift = T(x[j])
                        if shift - shift == zero:
                            j = last
                        else:
                            shift = zero
                            j += lanes
                    most = math.fabs(shift)
                    scale = scale_0
                    if most >= third:
                        level = 2
                        scale = scale_2
                    elif most >= second:
                        level = 1
                        scale = scale_1
                    base = shift * scale
                    total = zero
                    rest = zero
                    low_squares = zero
                    seen = zero  # of one lane: few enough for a float
                    empty = zero
                    for at in range(first, last, GROUP * lanes):
                        low = at & NEVER_NEGATIVE
                        full = low + (GROUP - 1) * lanes < last
                        doubt = zero  # NaN where an element is not finite
                        if full:
                            for k in range(GROUP):
                                held[k] = T(x[low + k * lanes])
                            for k in range(GROUP):
                                doubt += held[k] * zero
                        else:
                            for k in range(GROUP):
                                j = low + k * lanes
                                held[k] = T(x[j if j < last else low])
                        plain = full and doubt == zero
                        if plain:
                            seen += eight
                            for k in range(GROUP):
                                v = held[k]
                                empty += one if v == zero else zero
                                lowest = v if v < lowest else lowest
                                highest = v if v > highest else highest
                        else:
                            for k in range(GROUP):
                                v = held[k]
                                if low + k * lanes < last:
                                    if v - v == zero:
                                        seen += one
                                        empty += one if v == zero else zero
                                        lowest = v if v < lowest else lowest
                                        highest = v if v > highest else highest
                                    elif v != v:
                                        nans += 1
                                    else:
                                        infs += 1
                        most = highest if highest > -lowest else -lowest
                        if (level == 0 and most >= second) or (level < 2 and most >= third):
                            up = one_up
                            if level == 0:
                                up = up_1 if most < third else up_2
                            level = 1 if most < third else 2
                            scale = scale_1 if level == 1 else scale_2
                            base = shift * scale
                            total = total * up
                            rest = rest * up
                            squares = squares * up * up
                            low_squares = low_squares * up * up
                        some = zero
                        more = zero
                        if plain:
                            for k in range(GROUP):
                                d = held[k] * scale - base
                                some += d
                                more += d * d
                        else:
                            for k in range(GROUP):
                                if low + k * lanes < last and held[k] - held[k] == zero:
                                    d = held[k] * scale - base
                                    some += d
                                    more += d * d
                        # what an addition rounds away is added up beside it (Knuth's two-sum)
                        whole = total + some
                        part_of = whole - total
                        rest += (total - (whole - part_of)) + (some - part_of)
                        total = whole
                        whole = squares + more
                        part_of = whole - squares
                        low_squares += (squares - (whole - part_of)) + (more - part_of)
                        squares = whole
                    finite = int(seen)
                    zeros = int(empty)
                    if finite > 0:
                        offset = (total + rest) / seen
                        mean = base
                        squares = (squares - (total + rest) * offset) + low_squares
                        squares = squares if squares > zero else zero
                counts[0, lane] = finite
                counts[1, lane] = nans
                counts[2, lane] = infs
                counts[3, lane] = zeros
                counts[4, lane] = level
                moments[0, lane] = lowest
                moments[1, lane] = highest
                moments[2, lane] = squares
                moments[3, lane] = mean
                moments[4, lane] = offset
            cuda.syncthreads()
            step = lanes // 2
            while step > 0:
                for lane in range(cuda.threadIdx.x & 1023, step, threads):
                    other = lane + step
                    for k in range(1, 4):
                        counts[k, lane] += counts[k, other]
                    v = moments[0, other]
                    moments[0, lane] = v if v < moments[0, lane] else moments[0, lane]
                    v = moments[1, other]
                    moments[1, lane] = v if v > moments[1, lane] else moments[1, lane]
                    mine = counts[0, lane]
                    others = counts[0, other]
                    if others > 0:
                        level = counts[4, lane]
                        level_of = counts[4, other]
                        squares = moments[2, lane]
                        mean = moments[3, lane]
                        offset = moments[4, lane]
                        squares_of = moments[2, other]
                        mean_of = moments[3, other]
                        offset_of = moments[4, other]
                        if level < level_of:
                            up = one_up
                            if level == 0:
                                up = up_1 if level_of == 1 else up_2
                            mean = mean * up
                            offset = offset * up
                            squares = squares * up * up
                            level = level_of
                        elif level_of < level:
                            up = one_up
                            if level_of == 0:
                                up = up_1 if level == 1 else up_2
                            mean_of = mean_of * up
                            offset_of = offset_of * up
                            squares_of = squares_of * up * up
                        share = T(others) / T(mine + others)
                        between = (mean_of - mean) + (offset_of - offset)
                        if mine == 0:
                            between = zero
                            mean = mean_of
                            offset = offset_of
                        more = between * between * share * T(mine)
                        moments[2, lane] = (squares + squares_of) + more
                        # the mean stays in two parts, a number and what its rounding leaves
                        some = offset + between * share
                        whole = mean + some
                        part_of = whole - mean
                        moments[3, lane] = whole
                        moments[4, lane] = (mean - (whole - part_of)) + (some - part_of)
                        counts[4, lane] = level
                        counts[0, lane] = mine + others
                cuda.syncthreads()
                step //= 2
            if cuda.threadIdx.x == 0:
                for k in range(4):
                    out[part, 2 * k] = T(counts[k, 0] // PART)
                    out[part, 2 * k + 1] = T(counts[k, 0] % PART)
                out[part, 8] = T(counts[4, 0])
                for k in range(5):
                    out[part, 9 + k] = moments[k, 0]
            # no barrier: the first elements, alone still read, are written by this thread again

    return kernel
