"""Softmax and its logarithm of short rows: a warp to a row, which it holds in registers and reads from memory once.

Lane l holds elements l, l + 32, ..., `each` of them: of D classes, D/32 rounded up, so that only the last can be one
too many. No barrier is needed: the lanes of a warp exchange what they found by shuffles, after which all know it.
"""

from __future__ import annotations

from typing import Any

Array = Any

WARP = 32
ALL = 0xFFFFFFFF
AT_ONCE = 4


def build_softmax(
    cuda: Any, math: Any, T: Any, threads: int, *, each: int = 1, logarithm: bool = False
) -> Any:
    """out: the softmax of every row of x, or its logarithm. x, out: (rows, classes), at most 32 `each` classes."""
    zero, least = T(0), T(-float("inf"))

    def kernel(x: Array, out: Array) -> None:
        held = cuda.local.array(each, T)
        rows, classes = x.shape[0], x.shape[1]
        lane = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        for row in range(cuda.grid(1) // WARP, rows, cuda.gridsize(1) // WARP):
            for k in range(each):
                c = lane + k * WARP
                held[k] = x[row, c if k < each - 1 or c < classes else 0]
            top = least
            for k in range(each):  # lanes past the end hold the first element once more
                top = held[k] if held[k] > top else top
            step = 16
            while step > 0:
                other = cuda.shfl_xor_sync(ALL, top, step)
                top = other if other > top else top
                step //= 2
            total = zero
            for k in range(each):
                if k < each - 1 or lane + k * WARP < classes:
                    if logarithm:
                        held[k] = held[k] - top
                        total += math.exp(held[k])
                    else:
                        held[k] = math.exp(held[k] - top)
                        total += held[k]
            step = 16
            while step > 0:
                total += cuda.shfl_xor_sync(ALL, total, step)
                step //= 2
            if logarithm:
                total = math.log(total)
            for k in range(each):
                c = lane + k * WARP
                if k < each - 1 or c < classes:
                    out[row, c] = held[k] - total if logarithm else held[k] / total

    return kernel


def build_softmax_flow(
    cuda: Any, math: Any, T: Any, threads: int, *, each: int = 1, logarithm: bool = False
) -> Any:
    """flow = out (g − Σ g out) by rows; of the logarithm g − exp(out) Σ g. g, out, flow: (rows, classes)."""
    zero = T(0)

    def kernel(g: Array, out: Array, flow: Array) -> None:
        held = cuda.local.array(each, T)
        sent = cuda.local.array(each, T)
        rows, classes = g.shape[0], g.shape[1]
        lane = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        for row in range(cuda.grid(1) // WARP, rows, cuda.gridsize(1) // WARP):
            for k in range(each):
                c = lane + k * WARP
                sent[k] = g[row, c if k < each - 1 or c < classes else 0]
                held[k] = out[row, c if k < each - 1 or c < classes else 0]
            total = zero
            for k in range(each):
                if k < each - 1 or lane + k * WARP < classes:
                    total += sent[k] if logarithm else sent[k] * held[k]
            step = 16
            while step > 0:
                total += cuda.shfl_xor_sync(ALL, total, step)
                step //= 2
            for k in range(each):
                c = lane + k * WARP
                if k < each - 1 or c < classes:
                    if logarithm:
                        flow[row, c] = sent[k] - math.exp(held[k]) * total
                    else:
                        flow[row, c] = held[k] * (sent[k] - total)

    return kernel


def build_long_softmax_flow(
    cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256, logarithm: bool = False
) -> Any:
    """The same flow of rows that registers do not hold: a block to each row, which it reads twice.

    The second time it lies in a cache near the block. g, out, flow: (rows, classes).
    """
    zero = T(0)
    warps = lanes // WARP

    def kernel(g: Array, out: Array, flow: Array) -> None:
        sent = cuda.local.array(AT_ONCE, T)
        held = cuda.local.array(AT_ONCE, T)
        found = cuda.shared.array((2, warps), T)
        rows, classes = g.shape[0], g.shape[1]
        turn = 0  # two rows of sums in turn: nobody writes one while it may be read
        for row in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                total = zero
                for low in range(lane, classes, AT_ONCE * lanes):
                    for k in range(AT_ONCE):
                        c = low + k * lanes
                        c = c if c < classes else low
                        sent[k] = g[row, c]
                        if not logarithm:
                            held[k] = out[row, c]
                    for k in range(AT_ONCE):
                        if low + k * lanes < classes:
                            total += sent[k] if logarithm else sent[k] * held[k]
                step = 16
                while step > 0:
                    total += cuda.shfl_xor_sync(ALL, total, step)
                    step //= 2
                if lane & 31 == 0:
                    found[turn, lane // WARP] = total
            cuda.syncthreads()
            total = zero
            for warp in range(warps):
                total += found[turn, warp]
            turn = 1 - turn
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                for low in range(lane, classes, AT_ONCE * lanes):
                    for k in range(AT_ONCE):
                        c = low + k * lanes
                        c = c if c < classes else low
                        sent[k] = g[row, c]
                        held[k] = out[row, c]
                    for k in range(AT_ONCE):
                        c = low + k * lanes
                        if c < classes:
                            if logarithm:
                                flow[row, c] = sent[k] - math.exp(held[k]) * total
                            else:
                                flow[row, c] = held[k] * (sent[k] - total)

    return kernel


def build_cross_entropy(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    each: int = 1,
    makes: str = "losses",
    mean: bool = True,
) -> Any:
    """Losses of rows of logits against class numbers, what the rows receive, or both, of one reading of them.

    Losses: numbers[r] = −log softmax(x)[r, target[r]], 0 for what is ignored or no class. Flows: (softmax(x) − onehot)
    by a weight, which for `flow` is numbers[r] g, and for `both`, with a cotangent of 1, 1/N in a mean of the N samples
    that count, else 1, and 0 for what is ignored: the same bits. x, flow: (rows, classes). target: int (rows,). counts:
    int (parts, 2), how many count in each part, read in the mean of `both`. g, of one number for all or each row, is
    read at r · g_step.
    """
    zero, one, least = T(0), T(1), T(-float("inf"))
    losses, flows, both = makes != "flow", makes != "losses", makes == "both"

    def kernel(
        x: Array,
        target: Array,
        ignored: int,
        counts: Array,
        g: Array,
        g_step: int,
        numbers: Array,
        flow: Array,
    ) -> None:
        held = cuda.local.array(each, T)
        rows, classes = x.shape[0], x.shape[1]
        lane = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        share = one
        if both and mean:
            counted = 0
            for part in range(lane, counts.shape[0], WARP):
                counted += counts[part, 0]
            step = 16
            while step > 0:
                counted += cuda.shfl_xor_sync(ALL, counted, step)
                step //= 2
            share = one / T(counted)
        for row in range(cuda.grid(1) // WARP, rows, cuda.gridsize(1) // WARP):
            for k in range(each):
                c = lane + k * WARP
                held[k] = x[row, c if k < each - 1 or c < classes else 0]
            picked = target[row]
            there = picked != ignored and picked >= 0 and picked < classes
            picked = picked if there else -1
            top = least
            for k in range(each):  # lanes past the end hold the first element once more
                top = held[k] if held[k] > top else top
            step = 16
            while step > 0:
                other = cuda.shfl_xor_sync(ALL, top, step)
                top = other if other > top else top
                step //= 2
            total = zero
            for k in range(each):
                if k < each - 1 or lane + k * WARP < classes:
                    held[k] = math.exp(held[k] - top)
                    total += held[k]
            step = 16
            while step > 0:
                total += cuda.shfl_xor_sync(ALL, total, step)
                step //= 2
            if losses and lane == 0:
                numbers[row] = math.log(total) - (x[row, picked] - top) if there else zero
            if flows:
                weight = zero
                if not both:
                    weight = numbers[row] * g[row * g_step]
                elif there:
                    weight = share
                for k in range(each):
                    c = lane + k * WARP
                    if k < each - 1 or c < classes:
                        v = held[k] / total
                        if c == picked:
                            v = v - one
                        flow[row, c] = v * weight

    return kernel
