"""Kernels over the rows of (N, D), for layer and root-mean-square normalisation: a block to a row.

A row is read once from memory, and again from the cache next to the block: summed, squared about its mean, written. It
is summed by `lanes` virtual lanes, warps of them by shuffles; the options' value follows from the length of a row, and
so do the bits of the sums, whatever the launch. Arrays of rows are given flat, so that elements which are `lanes` apart
lie a constant apart: with two indices, the arithmetic of addresses would take longer than the memory.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.norms.columns import NATURAL

Array = Any

WARP = 32
ALL = 0xFFFFFFFF


def build_forward(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    lanes: int = 256,
    centred: bool = True,
    scaled: bool = True,
    shifted: bool = True,
    grouped: bool = False,
) -> Any:
    """y = (x − mean) inverse γ + β by rows, and the statistics; not `centred`, the mean is 0 and none is written.

    Not `scaled` or `shifted`, γ or β is the number after the vectors. They have an element for each column; `grouped`,
    one for each channel: a row is one of `groups` of some channels, of `pixels` elements each.
    """
    zero, one = T(0), T(1)
    warps = lanes // WARP

    def kernel(
        x: Array,
        gamma: Array,
        beta: Array,
        gain: Any,
        lift: Any,
        eps: Any,
        size: Any,
        groups: Any,
        pixels: Any,
        mean: Array,
        inverse: Array,
        y: Array,
    ) -> None:
        sums = cuda.shared.array((2, warps), T)
        squares = cuda.shared.array((2, warps), T)
        rows = inverse.shape[0]
        channels_on, pixels_on = lanes // pixels, lanes % pixels
        turn = 0  # two rows of sums in turn: nobody writes one while others may read it
        for row in range(cuda.blockIdx.x, rows, cuda.gridDim.x):
            start = row * size
            centre = zero
            if centred:
                for lane in range(cuda.threadIdx.x, lanes, threads):
                    total = zero
                    j = lane
                    while j + 3 * lanes < size:
                        o = (start + j) & NATURAL
                        total += (x[o] + x[o + lanes]) + (x[o + 2 * lanes] + x[o + 3 * lanes])
                        j += 4 * lanes
                    while j < size:
                        total += x[(start + j) & NATURAL]
                        j += lanes
                    total += cuda.shfl_xor_sync(ALL, total, 16)
                    total += cuda.shfl_xor_sync(ALL, total, 8)
                    total += cuda.shfl_xor_sync(ALL, total, 4)
                    total += cuda.shfl_xor_sync(ALL, total, 2)
                    total += cuda.shfl_xor_sync(ALL, total, 1)
                    if lane % WARP == 0:
                        sums[turn, lane // WARP] = total
                cuda.syncthreads()
                for warp in range(warps):
                    centre += sums[turn, warp]
                centre = centre / T(size)
            for lane in range(cuda.threadIdx.x, lanes, threads):
                total = zero
                j = lane
                while j + 3 * lanes < size:
                    o = (start + j) & NATURAL
                    a, b = x[o] - centre, x[o + lanes] - centre
                    c, d = x[o + 2 * lanes] - centre, x[o + 3 * lanes] - centre
                    total += (a * a + b * b) + (c * c + d * d)
                    j += 4 * lanes
                while j < size:
                    a = x[(start + j) & NATURAL] - centre
                    total += a * a
                    j += lanes
                total += cuda.shfl_xor_sync(ALL, total, 16)
                total += cuda.shfl_xor_sync(ALL, total, 8)
                total += cuda.shfl_xor_sync(ALL, total, 4)
                total += cuda.shfl_xor_sync(ALL, total, 2)
                total += cuda.shfl_xor_sync(ALL, total, 1)
                if lane % WARP == 0:
                    squares[turn, lane // WARP] = total
            cuda.syncthreads()
            total = zero
            for warp in range(warps):
                total += squares[turn, warp]
            scale = one / math.sqrt(total / T(size) + eps)
            if cuda.threadIdx.x == 0:
                if centred:
                    mean[row] = centre
                inverse[row] = scale
            for lane in range(cuda.threadIdx.x, lanes, threads):
                if grouped:
                    channel = row % groups * (size // pixels) + lane // pixels
                    pixel = lane % pixels
                    for j in range(lane, size, lanes):
                        o = (start + j) & NATURAL
                        factor = gamma[channel] if scaled else gain
                        shift = beta[channel] if shifted else lift
                        y[o] = (x[o] - centre) * scale * factor + shift
                        channel += channels_on  # that of the next element, without a division
                        pixel += pixels_on
                        if pixel >= pixels:
                            pixel -= pixels
                            channel += 1
                else:
                    j = lane
                    while j + lanes < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a, b = (x[o] - centre) * scale, (x[o + lanes] - centre) * scale
                        a *= gamma[k] if scaled else gain
                        b *= gamma[k + lanes] if scaled else gain
                        y[o] = a + (beta[k] if shifted else lift)
                        y[o + lanes] = b + (beta[k + lanes] if shifted else lift)
                        j += 2 * lanes
                    if j < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a = (x[o] - centre) * scale * (gamma[k] if scaled else gain)
                        y[o] = a + (beta[k] if shifted else lift)
            turn = 1 - turn

    return kernel


def build_backward(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    lanes: int = 256,
    centred: bool = True,
    scaled: bool = True,
    room: int = 1024,
) -> Any:
    """The flow of x by rows, and Σg and Σ g x̂ of every column, of each slab of rows by itself. part: (slabs, 2, D).

    Each lane sums its own columns in shared memory, of which `room` fit; with no room they are not summed.
    """
    zero = T(0)
    warps = lanes // WARP
    kept = room if room else 1

    def kernel(
        g: Array,
        x: Array,
        gamma: Array,
        gain: Any,
        size: Any,
        mean: Array,
        inverse: Array,
        by_x: Array,
        part: Array,
    ) -> None:
        leans = cuda.shared.array((2, warps), T)
        tilts = cuda.shared.array((2, warps), T)
        by_beta = cuda.shared.array(kept, T)
        by_gamma = cuda.shared.array(kept, T)
        rows, slabs = inverse.shape[0], part.shape[0]
        turn = 0
        for slab in range(cuda.blockIdx.x, slabs, cuda.gridDim.x):
            if room:
                for lane in range(cuda.threadIdx.x, lanes, threads):
                    for j in range(lane, size, lanes):
                        by_beta[j & NATURAL] = zero
                        by_gamma[j & NATURAL] = zero
            for row in range(rows * slab // slabs, rows * (slab + 1) // slabs):
                start = row * size
                centre = mean[row] if centred else zero
                scale = inverse[row]
                for lane in range(cuda.threadIdx.x, lanes, threads):
                    lean, tilt = zero, zero
                    j = lane
                    while j + lanes < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a, b = g[o], g[o + lanes]
                        p, q = (x[o] - centre) * scale, (x[o + lanes] - centre) * scale
                        if room:
                            by_beta[k] += a
                            by_beta[k + lanes] += b
                            by_gamma[k] += a * p
                            by_gamma[k + lanes] += b * q
                        a *= gamma[k] if scaled else gain
                        b *= gamma[k + lanes] if scaled else gain
                        lean += a + b
                        tilt += a * p + b * q
                        j += 2 * lanes
                    if j < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a, p = g[o], (x[o] - centre) * scale
                        if room:
                            by_beta[k] += a
                            by_gamma[k] += a * p
                        a *= gamma[k] if scaled else gain
                        lean += a
                        tilt += a * p
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
                lean, tilt = zero, zero
                for warp in range(warps):
                    lean += leans[turn, warp]
                    tilt += tilts[turn, warp]
                lean = lean / T(size) if centred else zero
                tilt = tilt / T(size)
                for lane in range(cuda.threadIdx.x, lanes, threads):
                    j = lane
                    while j + lanes < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a, b = g[o], g[o + lanes]
                        p, q = (x[o] - centre) * scale, (x[o + lanes] - centre) * scale
                        a *= gamma[k] if scaled else gain
                        b *= gamma[k + lanes] if scaled else gain
                        by_x[o] = (a - lean - p * tilt) * scale
                        by_x[o + lanes] = (b - lean - q * tilt) * scale
                        j += 2 * lanes
                    if j < size:
                        o, k = (start + j) & NATURAL, j & NATURAL
                        a, p = g[o], (x[o] - centre) * scale
                        a *= gamma[k] if scaled else gain
                        by_x[o] = (a - lean - p * tilt) * scale
                turn = 1 - turn
            if room:
                for lane in range(cuda.threadIdx.x, lanes, threads):
                    for j in range(lane, size, lanes):
                        part[slab, 0, j] = by_beta[j & NATURAL]
                        part[slab, 1, j] = by_gamma[j & NATURAL]

    return kernel
