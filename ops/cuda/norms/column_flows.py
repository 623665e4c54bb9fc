"""Kernels over the columns of (N, D), backward: what batch normalisation sends to its scale, shift and batch."""

from __future__ import annotations

from typing import Any

from ops.cuda.norms.columns import LANES, NATURAL, STRIP, TALL

Array = Any


def build_slopes(
    cuda: Any, math: Any, T: Any, threads: int, *, width: int = STRIP, lanes: int = LANES
) -> Any:
    """Σg and Σ g x̂ of every column, of each slab of rows by itself. part: (slabs, 2, D)."""
    zero = T(0)
    step = lanes // width

    def kernel(g: Array, x: Array, mean: Array, inv_std: Array, part: Array) -> None:
        leans = cuda.shared.array(lanes, T)
        tilts = cuda.shared.array(lanes, T)
        slabs, columns = part.shape[0], part.shape[2]
        rows, hop = x.shape[0] // columns, step * columns & NATURAL
        strips = (columns + width - 1) // width
        for item in range(cuda.blockIdx.x, strips * slabs, cuda.gridDim.x):
            slab = item // strips
            left = (item - slab * strips) * width
            low = rows * slab // slabs
            high = rows * (slab + 1) // slabs
            for lane in range(cuda.threadIdx.x, lanes, threads):
                column = left + lane % width
                lean, tilt = zero, zero
                if column < columns:
                    centre = mean[column]
                    i = low + lane // width
                    while i + 3 * step < high:
                        o = (i * columns + column) & NATURAL
                        a, b, c, d = g[o], g[o + hop], g[o + 2 * hop], g[o + 3 * hop]
                        p, q = x[o] - centre, x[o + hop] - centre
                        r, s = x[o + 2 * hop] - centre, x[o + 3 * hop] - centre
                        lean += (a + b) + (c + d)
                        tilt += (a * p + b * q) + (c * r + d * s)
                        i += 4 * step
                    while i < high:
                        o = (i * columns + column) & NATURAL
                        a = g[o]
                        lean += a
                        tilt += a * (x[o] - centre)
                        i += step
                    tilt *= inv_std[column]
                leans[lane], tilts[lane] = lean, tilt
            cuda.syncthreads()
            half = lanes // 2
            while half >= width:
                for lane in range(cuda.threadIdx.x, half, threads):
                    leans[lane] += leans[lane + half]
                    tilts[lane] += tilts[lane + half]
                cuda.syncthreads()
                half //= 2
            for lane in range(cuda.threadIdx.x, width, threads):
                if left + lane < columns:
                    part[slab, 0, left + lane] = leans[lane]
                    part[slab, 1, left + lane] = tilts[lane]

    return kernel


def build_slopes_sum(
    cuda: Any, math: Any, T: Any, threads: int, *, width: int = 8, lanes: int = LANES
) -> Any:
    """The sums over all slabs: Σg, which is the flow of β, and Σ g x̂, that of γ."""
    zero = T(0)
    step = lanes // width

    def kernel(part: Array, by_beta: Array, by_gamma: Array) -> None:
        leans = cuda.shared.array(lanes, T)
        tilts = cuda.shared.array(lanes, T)
        slabs, columns = part.shape[0], part.shape[2]
        strips = (columns + width - 1) // width
        for strip in range(cuda.blockIdx.x, strips, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x, lanes, threads):
                column = strip * width + lane % width
                lean, tilt = zero, zero
                if column < columns:
                    slab = lane // width
                    while slab + 3 * step < slabs:
                        a, b = part[slab, 0, column], part[slab + step, 0, column]
                        c, d = part[slab + 2 * step, 0, column], part[slab + 3 * step, 0, column]
                        p, q = part[slab, 1, column], part[slab + step, 1, column]
                        r, s = part[slab + 2 * step, 1, column], part[slab + 3 * step, 1, column]
                        lean += (a + b) + (c + d)
                        tilt += (p + q) + (r + s)
                        slab += 4 * step
                    while slab < slabs:
                        lean += part[slab, 0, column]
                        tilt += part[slab, 1, column]
                        slab += step
                leans[lane], tilts[lane] = lean, tilt
            cuda.syncthreads()
            half = lanes // 2
            while half >= width:
                for lane in range(cuda.threadIdx.x, half, threads):
                    leans[lane] += leans[lane + half]
                    tilts[lane] += tilts[lane + half]
                cuda.syncthreads()
                half //= 2
            for lane in range(cuda.threadIdx.x, width, threads):
                column = strip * width + lane
                if column < columns:
                    by_beta[column] = leans[lane]
                    by_gamma[column] = tilts[lane]

    return kernel


def build_flow(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    width: int = STRIP,
    lanes: int = LANES,
    scaled: bool = True,
) -> Any:
    """The flow of x by columns: γ inv_std (g − Σg / N − x̂ Σ g x̂ / N), the last rows first."""
    one = T(1)
    step = lanes // width

    def kernel(
        g: Array,
        x: Array,
        gamma: Array,
        gain: Any,
        mean: Array,
        inv_std: Array,
        by_beta: Array,
        by_gamma: Array,
        by_x: Array,
    ) -> None:
        columns = mean.shape[0]
        rows, hop = x.shape[0] // columns, step * columns & NATURAL
        share = one / T(rows)
        strips = (columns + width - 1) // width
        items = strips * ((rows + TALL - 1) // TALL)
        for turn in range(cuda.blockIdx.x, items, cuda.gridDim.x):
            item = items - 1 - turn
            slab = item // strips
            left = (item - slab * strips) * width
            high = (slab + 1) * TALL
            high = rows if rows < high else high
            for lane in range(cuda.threadIdx.x, lanes, threads):
                column = left + lane % width
                if column < columns:
                    centre, inverse = mean[column], inv_std[column]
                    scale = inverse * (gamma[column] if scaled else gain)
                    lean = by_beta[column] * share
                    tilt = by_gamma[column] * share * inverse
                    i = slab * TALL + lane // width
                    while i + 3 * step < high:
                        o = (i * columns + column) & NATURAL
                        a, b, c, d = g[o], g[o + hop], g[o + 2 * hop], g[o + 3 * hop]
                        p, q, r, s = x[o], x[o + hop], x[o + 2 * hop], x[o + 3 * hop]
                        by_x[o] = scale * ((a - lean) - (p - centre) * tilt)
                        by_x[o + hop] = scale * ((b - lean) - (q - centre) * tilt)
                        by_x[o + 2 * hop] = scale * ((c - lean) - (r - centre) * tilt)
                        by_x[o + 3 * hop] = scale * ((d - lean) - (s - centre) * tilt)
                        i += 4 * step
                    while i < high:
                        o = (i * columns + column) & NATURAL
                        by_x[o] = scale * ((g[o] - lean) - (x[o] - centre) * tilt)
                        i += step

    return kernel
