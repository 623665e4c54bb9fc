"""Softmax and its logarithm of short rows: a warp to a row, which it holds in registers and reads from memory once.

Lane l holds elements l, l + 32, ..., `each` of them: of D classes, D/32 rounded up, so that only the last can be one
too many. No barrier is needed: the lanes of a warp exchange what they found by shuffles, after which all know it.
"""

from __future__ import annotations

from typing import Any

Array = Any

WARP = 32
ALL = 0xFFFFFFFF


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
            for k in range(each):
                if k == each - 1 and lane + k * WARP >= classes:
                    held[k] = least
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


def build_cross_entropy(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    each: int = 1,
    mean: bool = True,
    loss: bool = True,
    pull: bool = False,
) -> Any:
    """Losses, weights and flow of rows of logits against class numbers, of one reading of the logits.

    losses[r] = −log softmax(x)[r, target[r]] weights[r], and weights[r] is 1, of a `mean` 1 / counts[0], of what is
    ignored 0. To `pull`, flow = (softmax(x) − onehot) g weights: the weights are read, unless the `loss` made them.
    x, flow: (rows, classes). target: int (rows,). g, of one number for all or each row, is read at r · g_step.
    """
    zero, one, least = T(0), T(1), T(-float("inf"))

    def kernel(
        x: Array,
        target: Array,
        ignored: int,
        counts: Array,
        g: Array,
        g_step: int,
        losses: Array,
        weights: Array,
        flow: Array,
    ) -> None:
        held = cuda.local.array(each, T)
        rows, classes = x.shape[0], x.shape[1]
        lane = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        share = one
        if loss and mean:
            share = one / T(counts[0])
        for row in range(cuda.grid(1) // WARP, rows, cuda.gridsize(1) // WARP):
            for k in range(each):
                c = lane + k * WARP
                held[k] = x[row, c if k < each - 1 or c < classes else 0]
            picked = target[row]
            there = picked != ignored and picked >= 0 and picked < classes
            weight = zero
            if not loss:
                weight = weights[row]
            elif there:
                weight = share
            top = least
            for k in range(each):
                if k == each - 1 and lane + k * WARP >= classes:
                    held[k] = least
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
            if loss and lane == 0:
                weights[row] = weight
                losses[row] = (math.log(total) - (x[row, picked] - top)) * weight if there else zero
            if pull:
                weight = weight * g[row * g_step]
                for k in range(each):
                    c = lane + k * WARP
                    if k < each - 1 or c < classes:
                        v = held[k] / total
                        if there and c == picked:
                            v = v - one
                        flow[row, c] = v * weight

    return kernel
