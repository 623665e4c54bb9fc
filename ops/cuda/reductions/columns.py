"""The kernel that reduces along columns, and the one that sends numbers back: over rows or columns, coalesced both.

A block takes a strip of `width` columns and walks down it with `depth` virtual lanes of rows: a warp reads neighbours.
Long columns are cut in parts by their length; a second launch joins the parts.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.reductions.rows import GROUP, NEVER_NEGATIVE, start_of

Array = Any

AT_ONCE = 4
"""How many elements a thread loads before it writes the first: a load cannot overtake a write that may overlap it."""


def build_columns(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    operation: str = "add",
    mapping: str = "itself",
    divides: bool = False,
    width: int = 32,
    depth: int = 8,
) -> Any:
    """out[o, s, c]: the reduction of part s of column c of x[o]; if it `divides`, that over `count`.

    x: (outer, size, inner). level: (outer, 1, inner), which some mappings read. out: (outer, parts, inner).
    """
    zero, one, start = T(0), T(1), start_of(operation, T)
    adds, multiplies, larger = operation == "add", operation == "multiply", operation == "largest"
    squares, magnitudes, deviates = (
        mapping == "square",
        mapping == "magnitude",
        mapping == "deviation",
    )
    not_smaller, not_larger = mapping == "not smaller", mapping == "not larger"
    levelled = deviates or not_smaller or not_larger

    def kernel(x: Array, level: Array, out: Array, count: Any) -> None:
        found = cuda.shared.array((depth, width), T)
        held = cuda.local.array(GROUP, T)
        size, inner, parts = x.shape[1], x.shape[2], out.shape[1]
        strips = (inner + width - 1) // width
        for item in range(cuda.blockIdx.x, x.shape[0] * parts * strips, cuda.gridDim.x):
            strip = item % strips
            part = item // strips % parts
            o = item // strips // parts
            last = size * (part + 1) // parts
            for lane in range(cuda.threadIdx.x, depth * width, threads):
                c = (strip * width + lane % width) & NEVER_NEGATIVE
                total = start
                if c < inner:
                    base = zero
                    if levelled:
                        base = level[o, 0, c]
                    for at in range(size * part // parts + lane // width, last, GROUP * depth):
                        low = at & NEVER_NEGATIVE
                        for k in range(GROUP):
                            j = low + k * depth
                            held[k] = x[o, j if j < last else low, c]
                        group = start
                        for k in range(GROUP):
                            v = held[k]
                            if squares:
                                v = v * v
                            if magnitudes:
                                v = T(math.fabs(v))
                            if deviates:
                                v = (v - base) * (v - base)
                            if not_smaller:
                                v = zero if v < base else one
                            if not_larger:
                                v = zero if v > base else one
                            if low + k * depth >= last:
                                v = start
                            if adds:
                                group += v
                            elif multiplies:
                                group *= v
                            elif (v > group if larger else v < group) or v != v:
                                group = v
                        if adds:
                            total += group
                        elif multiplies:
                            total *= group
                        elif (group > total if larger else group < total) or group != group:
                            total = group
                found[lane // width, lane % width] = total
            cuda.syncthreads()
            for lane in range(cuda.threadIdx.x, width, threads):
                c = strip * width + lane
                if c < inner:
                    total = found[0, lane]
                    for k in range(1, depth):
                        v = found[k, lane]
                        if adds:
                            total += v
                        elif multiplies:
                            total *= v
                        elif (v > total if larger else v < total) or v != v:
                            total = v
                    if divides:
                        total = total / count
                    out[o, part, c] = total
            cuda.syncthreads()

    return kernel


def build_spread(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    how: str = "share",
    along: bool = False,
    width: int = 32,
    depth: int = 8,
) -> Any:
    """flow[o, r, c], from the number g of its column, or of its row if it goes `along` rows.

    share: g. not smaller, not larger: g where x is not smaller, or larger, than the level, else 0. deviation: g (x −
    level). scaled: g x. exponential: g exp(x − level). softmax: exp(x − level) / g. log-softmax: x − level − log g.
    x: (outer, rows, columns), not read to share. g, level: (outer, rows) along rows, else (outer, columns).
    """
    zero = T(0)
    share, not_smaller, not_larger = how == "share", how == "not smaller", how == "not larger"
    deviates, scaled, exponential = how == "deviation", how == "scaled", how == "exponential"
    softmax, log_softmax = how == "softmax", how == "log-softmax"
    levelled = not (share or scaled)

    down, right = (0, width) if along else (depth, 0)
    tall, wide = (depth, AT_ONCE * width) if along else (AT_ONCE * depth, width)

    def kernel(g: Array, level: Array, x: Array, flow: Array) -> None:
        loaded = cuda.local.array(AT_ONCE, T)
        rows, columns = flow.shape[1], flow.shape[2]
        strips = (columns + wide - 1) // wide
        steps = (rows + tall - 1) // tall
        for item in range(cuda.blockIdx.x, flow.shape[0] * steps * strips, cuda.gridDim.x):
            strip = item % strips
            step = item // strips % steps
            o = item // strips // steps
            for lane in range(cuda.threadIdx.x, depth * width, threads):
                r0 = step * tall + lane // width
                c0 = strip * wide + lane % width
                if r0 < rows and c0 < columns:
                    here = g[o, r0 if along else c0]
                    base = zero
                    if levelled:
                        base = level[o, r0 if along else c0]
                    if not share:
                        for k in range(AT_ONCE):
                            r = r0 + k * down
                            c = c0 + k * right
                            loaded[k] = x[o, r if r < rows else r0, c if c < columns else c0]
                    if softmax or log_softmax:  # an infinite level leaves NaN, as in the definition
                        here = here + (base - base)
                    if log_softmax:
                        here = math.log(here)
                    for k in range(AT_ONCE):
                        r = r0 + k * down
                        c = c0 + k * right
                        if r < rows and c < columns:
                            v = here
                            if not_smaller:
                                v = zero if loaded[k] < base else here
                            if not_larger:
                                v = zero if loaded[k] > base else here
                            if deviates:
                                v = here * (loaded[k] - base)
                            if scaled:
                                v = loaded[k] * here
                            if exponential:
                                v = here * math.exp(loaded[k] - base)
                            if softmax:
                                v = math.exp(loaded[k] - base) / here
                            if log_softmax:
                                v = (loaded[k] - base) - here
                            flow[o, r, c] = v

    return kernel
