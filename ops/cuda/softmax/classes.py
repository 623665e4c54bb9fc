"""What losses of classifiers need beside softmax: the losses picked and gathered, and what they send back.

They take (outer, classes, inner), so the axis of classes may lie anywhere, and rows of any length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cuda.softmax.rows import ALL, WARP

Array = Any

AT_ONCE = 4


def build_gather_parts(
    cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256, adds: bool = True
) -> Any:
    """sums[p], counts[p]: of part p of the samples the sum of the losses, how many count, how many are no class.

    losses, target: (samples,). sums: (parts,). counts: int (parts, 2). What is ignored does not count. What does not
    `add` reads no losses and writes no sums: they may not be there yet.
    """
    zero = T(0)
    warps = lanes // WARP

    def kernel(
        losses: Array, target: Array, classes: int, ignored: int, sums: Array, counts: Array
    ) -> None:
        held = cuda.local.array(AT_ONCE, T)
        ready = cuda.local.array(AT_ONCE, np.int64)
        found = cuda.shared.array((2, warps), T)
        numbers = cuda.shared.array((2, 2, warps), np.int64)
        samples, parts = target.shape[0], counts.shape[0]
        turn = 0  # two parts in turn: nobody writes one while it may be read
        for part in range(cuda.blockIdx.x, parts, cuda.gridDim.x):
            last = samples * (part + 1) // parts
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                total = zero
                counted = 0
                wrong = 0
                for low in range(samples * part // parts + lane, last, AT_ONCE * lanes):
                    for k in range(AT_ONCE):
                        i = low + k * lanes
                        i = i if i < last else low
                        if adds:
                            held[k] = losses[i]
                        ready[k] = target[i]
                    for k in range(AT_ONCE):
                        if low + k * lanes < last:
                            if adds:
                                total += held[k]
                            if ready[k] != ignored:
                                counted += 1
                                if ready[k] < 0 or ready[k] >= classes:
                                    wrong += 1
                step = 16
                while step > 0:
                    if adds:
                        total += cuda.shfl_xor_sync(ALL, total, step)
                    counted += cuda.shfl_xor_sync(ALL, counted, step)
                    wrong += cuda.shfl_xor_sync(ALL, wrong, step)
                    step //= 2
                if lane & 31 == 0:
                    if adds:
                        found[turn, lane // WARP] = total
                    numbers[turn, 0, lane // WARP] = counted
                    numbers[turn, 1, lane // WARP] = wrong
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                total = zero
                counted = 0
                wrong = 0
                for warp in range(warps):
                    if adds:
                        total += found[turn, warp]
                    counted += numbers[turn, 0, warp]
                    wrong += numbers[turn, 1, warp]
                if adds:
                    sums[part] = total
                counts[part, 0] = counted
                counts[part, 1] = wrong
            turn = 1 - turn

    return kernel


def build_gather(cuda: Any, math: Any, T: Any, threads: int, *, mean: bool = True) -> Any:
    """out: the sum of the losses of all parts, divided in a `mean` by how many count; and what each sample weighs.

    sums: (parts,). counts: int (parts, 2). weights: (samples,), 1 over that number, or 1; 0 of what does not count.
    out: (1,). wrong: int (1,), how many are no class. Every warp brings the parts together by itself.
    """
    zero, one = T(0), T(1)

    def kernel(
        sums: Array,
        counts: Array,
        target: Array,
        ignored: int,
        weights: Array,
        out: Array,
        wrong: Array,
    ) -> None:
        total = zero
        counted = 0
        bad = 0
        for part in range(cuda.threadIdx.x & 31, sums.shape[0], WARP):
            total += sums[part]
            counted += counts[part, 0]
            bad += counts[part, 1]
        step = 16
        while step > 0:
            total += cuda.shfl_xor_sync(ALL, total, step)
            counted += cuda.shfl_xor_sync(ALL, counted, step)
            bad += cuda.shfl_xor_sync(ALL, bad, step)
            step //= 2
        share = one
        if mean:
            share = one / T(counted)
            total = total / T(counted)
        for i in range(cuda.grid(1), weights.shape[0], cuda.gridsize(1)):
            weights[i] = share if target[i] != ignored else zero
        if cuda.grid(1) == 0:
            out[0] = total
            wrong[0] = bad

    return kernel


def build_pick(cuda: Any, math: Any, T: Any, threads: int, *, softmax: bool = True) -> Any:
    """losses = −x at the class of each sample; of `softmax`, −(x − top − log sum). A thread to each sample.

    x: (outer, classes, inner). target: int (outer, inner), and of that shape tops, sums and losses, which are 0 of
    what is ignored or no class.
    """
    zero = T(0)

    def kernel(
        x: Array, tops: Array, sums: Array, target: Array, ignored: int, losses: Array
    ) -> None:
        classes, inner = x.shape[1], x.shape[2]
        for item in range(cuda.grid(1), x.shape[0] * inner, cuda.gridsize(1)):
            o = item // inner
            c = item % inner
            picked = target[o, c]
            loss = zero
            if picked != ignored and picked >= 0 and picked < classes:
                v = x[o, picked, c]
                if softmax:
                    v = (v - tops[o, c]) - math.log(sums[o, c])
                loss = -v
            losses[o, c] = loss

    return kernel


def build_class_flow(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    softmax: bool = True,
    along: bool = False,
    width: int = 32,
    depth: int = 8,
) -> Any:
    """flow = (softmax(x) − onehot) g weights, or without the `softmax` −onehot g weights: (outer, classes, inner).

    target, tops, sums, weights: (outer, inner). g: flat, of one number or of each sample, read at sample · g_step.
    With inner = 1 a block goes `along` the classes, else down them.
    """
    zero, one = T(0), T(1)
    down, right = (0, width) if along else (depth, 0)
    tall, wide = (depth, AT_ONCE * width) if along else (AT_ONCE * depth, width)

    def kernel(
        x: Array,
        tops: Array,
        sums: Array,
        target: Array,
        ignored: int,
        g: Array,
        g_step: int,
        weights: Array,
        flow: Array,
    ) -> None:
        loaded = cuda.local.array(AT_ONCE, T)
        # along the classes, samples are the rows of one matrix; else the columns of several
        rows = flow.shape[0] if along else flow.shape[1]
        columns = flow.shape[1] if along else flow.shape[2]
        outer = 1 if along else flow.shape[0]
        strips = (columns + wide - 1) // wide
        steps = (rows + tall - 1) // tall
        for item in range(cuda.blockIdx.x, outer * steps * strips, cuda.gridDim.x):
            strip = item % strips
            step = item // strips % steps
            for lane in range(cuda.threadIdx.x & 1023, depth * width, threads):
                r0 = step * tall + lane // width
                c0 = strip * wide + lane % width
                if r0 < rows and c0 < columns:
                    o = r0 if along else item // strips // steps
                    i = 0 if along else c0
                    if softmax:
                        for k in range(AT_ONCE):
                            r = r0 + k * down
                            c = c0 + k * right
                            r = r if r < rows else r0
                            c = c if c < columns else c0
                            loaded[k] = x[o, c if along else r, i]
                    picked = target[o, i]
                    weight = weights[o, i] * g[(o * flow.shape[2] + i) * g_step]
                    top = zero
                    total = one
                    if softmax:  # an infinite top leaves NaN, as in the definition
                        top = tops[o, i]
                        total = sums[o, i] + (top - top)
                    for k in range(AT_ONCE):
                        r = r0 + k * down
                        c = c0 + k * right
                        if r < rows and c < columns:
                            number = c if along else r
                            here = number == picked and picked != ignored
                            v = -weight if here else zero
                            if softmax:
                                v = math.exp(loaded[k] - top) / total
                                v = (v - one if here else v) * weight
                            flow[o, number, i] = v

    return kernel
