"""What losses of classifiers need beside softmax: how many targets count, the losses picked, and what they send back.

They take (outer, classes, inner), so the axis of classes may lie anywhere, and rows of any length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.cuda.softmax.rows import ALL, WARP

Array = Any

AT_ONCE = 4


def build_count(cuda: Any, math: Any, T: Any, threads: int) -> Any:
    """counts: how many targets are not the one ignored, and how many of these are no class. By the first block.

    target: int (samples,). counts: int (2,). Integers, whose sums do not depend on their order.
    """

    warps = threads // WARP

    def kernel(target: Array, classes: int, ignored: int, counts: Array) -> None:
        found = cuda.shared.array((2, warps), np.int64)
        if cuda.blockIdx.x == 0:
            counted = 0
            wrong = 0
            for i in range(cuda.threadIdx.x & 1023, target.shape[0], threads):
                picked = target[i]
                if picked != ignored:
                    counted += 1
                    if picked < 0 or picked >= classes:
                        wrong += 1
            step = 16
            while step > 0:
                counted += cuda.shfl_down_sync(ALL, counted, step)
                wrong += cuda.shfl_down_sync(ALL, wrong, step)
                step //= 2
            if cuda.threadIdx.x & 31 == 0:
                found[0, cuda.threadIdx.x // WARP] = counted
                found[1, cuda.threadIdx.x // WARP] = wrong
            cuda.syncthreads()
            if cuda.threadIdx.x < 2:
                counted = 0
                for warp in range(warps):
                    counted += found[cuda.threadIdx.x, warp]
                counts[cuda.threadIdx.x] = counted

    return kernel


def build_pick(
    cuda: Any, math: Any, T: Any, threads: int, *, softmax: bool = True, mean: bool = True
) -> Any:
    """losses = −x weights at the class of each sample; of `softmax`, −(x − top − log sum) weights. A thread to each.

    x: (outer, classes, inner). target: int (outer, inner), and of that shape tops, sums, losses and weights, which are
    1, of a `mean` 1 / counts[0], of what is ignored 0.
    """
    zero, one = T(0), T(1)

    def kernel(
        x: Array,
        tops: Array,
        sums: Array,
        target: Array,
        ignored: int,
        counts: Array,
        losses: Array,
        weights: Array,
    ) -> None:
        classes, inner = x.shape[1], x.shape[2]
        share = one
        if mean:
            share = one / T(counts[0])
        for item in range(cuda.grid(1), x.shape[0] * inner, cuda.gridsize(1)):
            o = item // inner
            c = item % inner
            picked = target[o, c]
            weight = zero
            loss = zero
            if picked != ignored and picked >= 0 and picked < classes:
                weight = share
                v = x[o, picked, c]
                if softmax:
                    v = (v - tops[o, c]) - math.log(sums[o, c])
                loss = -v * weight
            weights[o, c] = weight
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
