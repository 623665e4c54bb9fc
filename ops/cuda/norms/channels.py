"""Kernels over the channels of (N, C, pixels): each row of pixels by itself, of which a channel has one in each sample.

A block takes a row at a time, as in `ops.cuda.norms.rows`. What the rows of a channel give, the kernels that bring
slabs of columns together bring together: a sample is a slab.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.norms.columns import NATURAL
from ops.cuda.norms.rows import ALL, WARP

Array = Any


def build_moments(cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256) -> Any:
    """Mean of x − x₀ and Σ(x − mean)² of every row. x: N · C rows of pixels, flat; x₀: the first of the channel.

    part: (N, 2, C).
    """
    zero = T(0)
    warps = lanes // WARP

    def kernel(x: Array, part: Array) -> None:
        sums = cuda.shared.array(warps, T)
        squares = cuda.shared.array(warps, T)
        channels, rows = part.shape[2], part.shape[0] * part.shape[2]
        size = x.shape[0] // rows
        for row in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            sample = row // channels
            channel = row - sample * channels
            start, zeroth = row * size, x[channel * size]
            for lane in range(cuda.threadIdx.x, lanes, threads):
                total = zero
                j = lane
                while j + 3 * lanes < size:
                    o = (start + j) & NATURAL
                    a, b = x[o] - zeroth, x[o + lanes] - zeroth
                    c, d = x[o + 2 * lanes] - zeroth, x[o + 3 * lanes] - zeroth
                    total += (a + b) + (c + d)
                    j += 4 * lanes
                while j < size:
                    total += x[(start + j) & NATURAL] - zeroth
                    j += lanes
                total += cuda.shfl_xor_sync(ALL, total, 16)
                total += cuda.shfl_xor_sync(ALL, total, 8)
                total += cuda.shfl_xor_sync(ALL, total, 4)
                total += cuda.shfl_xor_sync(ALL, total, 2)
                total += cuda.shfl_xor_sync(ALL, total, 1)
                if lane % WARP == 0:
                    sums[lane // WARP] = total
            cuda.syncthreads()
            centre = zero
            for warp in range(warps):
                centre += sums[warp]
            centre = centre / T(size)
            for lane in range(cuda.threadIdx.x, lanes, threads):
                total = zero
                j = lane
                while j + 3 * lanes < size:
                    o = (start + j) & NATURAL
                    a, b = x[o] - zeroth - centre, x[o + lanes] - zeroth - centre
                    c = x[o + 2 * lanes] - zeroth - centre
                    d = x[o + 3 * lanes] - zeroth - centre
                    total += (a * a + b * b) + (c * c + d * d)
                    j += 4 * lanes
                while j < size:
                    a = x[(start + j) & NATURAL] - zeroth - centre
                    total += a * a
                    j += lanes
                total += cuda.shfl_xor_sync(ALL, total, 16)
                total += cuda.shfl_xor_sync(ALL, total, 8)
                total += cuda.shfl_xor_sync(ALL, total, 4)
                total += cuda.shfl_xor_sync(ALL, total, 2)
                total += cuda.shfl_xor_sync(ALL, total, 1)
                if lane % WARP == 0:
                    squares[lane // WARP] = total
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                total = zero
                for warp in range(warps):
                    total += squares[warp]
                part[sample, 0, channel] = centre
                part[sample, 1, channel] = total

    return kernel


def build_affine(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    lanes: int = 256,
    scaled: bool = True,
    shifted: bool = True,
) -> Any:
    """y = (x − mean) inv_std γ + β by channels, the last rows first; not `scaled` or `shifted`, γ or β is a number."""

    def kernel(
        x: Array,
        gamma: Array,
        beta: Array,
        gain: Any,
        lift: Any,
        size: Any,
        mean: Array,
        inv_std: Array,
        y: Array,
    ) -> None:
        rows, channels = x.shape[0] // size, mean.shape[0]
        for turn in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            row = rows - 1 - turn
            channel = row % channels
            centre = mean[channel]
            scale = inv_std[channel] * (gamma[channel] if scaled else gain)
            shift = beta[channel] if shifted else lift
            start = row * size
            for lane in range(cuda.threadIdx.x, lanes, threads):
                j = lane
                while j + 3 * lanes < size:
                    o = (start + j) & NATURAL
                    a, b, c, d = x[o], x[o + lanes], x[o + 2 * lanes], x[o + 3 * lanes]
                    y[o] = (a - centre) * scale + shift
                    y[o + lanes] = (b - centre) * scale + shift
                    y[o + 2 * lanes] = (c - centre) * scale + shift
                    y[o + 3 * lanes] = (d - centre) * scale + shift
                    j += 4 * lanes
                while j < size:
                    o = (start + j) & NATURAL
                    y[o] = (x[o] - centre) * scale + shift
                    j += lanes

    return kernel


def build_slopes(cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256) -> Any:
    """Σg and Σ g x̂ of every row. x: N · C rows of pixels, flat; `shared` rows in a run have the same statistics.

    part: (N, 2, C).
    """
    zero = T(0)
    warps = lanes // WARP

    def kernel(g: Array, x: Array, mean: Array, inverse: Array, shared: Any, part: Array) -> None:
        leans = cuda.shared.array((2, warps), T)
        tilts = cuda.shared.array((2, warps), T)
        channels, rows = part.shape[2], part.shape[0] * part.shape[2]
        size = x.shape[0] // rows
        turn = 0  # two rows of sums in turn: nobody writes one while another reads it
        for row in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            group = row // shared % mean.shape[0]
            start, centre = row * size, mean[group]
            for lane in range(cuda.threadIdx.x, lanes, threads):
                lean, tilt = zero, zero
                j = lane
                while j + lanes < size:
                    o = (start + j) & NATURAL
                    a, b = g[o], g[o + lanes]
                    p, q = x[o] - centre, x[o + lanes] - centre
                    lean += a + b
                    tilt += a * p + b * q
                    j += 2 * lanes
                if j < size:
                    o = (start + j) & NATURAL
                    lean += g[o]
                    tilt += g[o] * (x[o] - centre)
                lean += cuda.shfl_xor_sync(ALL, lean, 16)
                tilt += cuda.shfl_xor_sync(ALL, tilt, 16)
                lean += cuda.shfl_xor_sync(ALL, lean, 8)
                tilt += cuda.shfl_xor_sync(ALL, tilt, 8)
                lean += cuda.shfl_xor_sync(ALL, lean, 4)
                tilt += cuda.shfl_xor_sync(ALL, tilt, 4)
                lean += cuda.shfl_xor_sync(ALL, lean, 2)
                tilt += cuda.shfl_xor_sync(ALL, tilt, 2)
                lean += cuda.shfl_xor_sync(ALL, lean, 1)
                tilt += cuda.shfl_xor_sync(ALL, tilt, 1)
                if lane % WARP == 0:
                    leans[turn, lane // WARP] = lean
                    tilts[turn, lane // WARP] = tilt
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                lean, tilt = zero, zero
                for warp in range(warps):
                    lean += leans[turn, warp]
                    tilt += tilts[turn, warp]
                sample = row // channels
                part[sample, 0, row - sample * channels] = lean
                part[sample, 1, row - sample * channels] = tilt * inverse[group]
            turn = 1 - turn

    return kernel


def build_flow(
    cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256, scaled: bool = True
) -> Any:
    """The flow of x by channels: γ inv_std (g − Σg / m − x̂ Σ g x̂ / m), m = N · pixels, the last rows first."""
    one = T(1)

    def kernel(
        g: Array,
        x: Array,
        gamma: Array,
        gain: Any,
        size: Any,
        mean: Array,
        inv_std: Array,
        by_beta: Array,
        by_gamma: Array,
        by_x: Array,
    ) -> None:
        rows, channels = x.shape[0] // size, mean.shape[0]
        share = one / T(rows // channels * size)
        for turn in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            row = rows - 1 - turn
            channel = row % channels
            centre, inverse = mean[channel], inv_std[channel]
            scale = inverse * (gamma[channel] if scaled else gain)
            lean = by_beta[channel] * share
            tilt = by_gamma[channel] * share * inverse
            start = row * size
            for lane in range(cuda.threadIdx.x, lanes, threads):
                j = lane
                while j + lanes < size:
                    o = (start + j) & NATURAL
                    a, b, p, q = g[o], g[o + lanes], x[o], x[o + lanes]
                    by_x[o] = scale * ((a - lean) - (p - centre) * tilt)
                    by_x[o + lanes] = scale * ((b - lean) - (q - centre) * tilt)
                    j += 2 * lanes
                if j < size:
                    o = (start + j) & NATURAL
                    by_x[o] = scale * ((g[o] - lean) - (x[o] - centre) * tilt)

    return kernel
