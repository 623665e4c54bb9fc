"""Kernels over the columns of (N, D), for batch normalisation: split by rows, so that many blocks share a column.

Statistics are as accurate as in two passes over memory, in one: eight rows at a time are summed, and squared about
their own mean while they are in registers, and merged by the formula of Chan, Golub & LeVeque (1979); so are threads,
and so are slabs. Of everything the first row is subtracted, so that a mean far from zero costs no digits; and a
constant column has the variance 0 exactly.

A block takes a strip of `width` columns and a slab of rows at a time; its LANES virtual lanes are the columns of a few
rows. How many slabs there are follows from the shape, and lanes meet in a fixed tree: every launch gives the same bits.
(N, D) is given flat: rows lie a constant apart, where two indices would cost more arithmetic than the sums.
"""

from __future__ import annotations

from typing import Any

Array = Any

LANES = 256
"""How many virtual lanes share a strip of columns: the usual number of threads of a block."""
STRIP = 32
"""How many columns a strip has: as many as lie in one line of the cache in float32."""
TALL = 256
"""How many rows an item of work has in the passes that write."""
NATURAL = (1 << 56) - 1
"""What an index is masked with, so that the compiler sees that it cannot be negative and count from the end."""


def build_moments(
    cuda: Any, math: Any, T: Any, threads: int, *, width: int = STRIP, lanes: int = LANES
) -> Any:
    """Mean of x − x₀ and Σ(x − mean)² of every column, of each slab of rows by itself. x₀: the first row of all.

    part: (slabs, 2, D).
    """
    zero, one, eight, eighth = T(0), T(1), T(8), T(0.125)
    step = lanes // width

    def kernel(x: Array, part: Array) -> None:
        means = cuda.shared.array(lanes, T)
        squares = cuda.shared.array(lanes, T)
        counts = cuda.shared.array(lanes, T)
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
                centre, square, count = zero, zero, zero
                if column < columns:
                    zeroth = x[column & NATURAL]
                    i = low + lane // width
                    while i + 7 * step < high:
                        o = (i * columns + column) & NATURAL
                        a, b = x[o] - zeroth, x[o + hop] - zeroth
                        c, d = x[o + 2 * hop] - zeroth, x[o + 3 * hop] - zeroth
                        e, f = x[o + 4 * hop] - zeroth, x[o + 5 * hop] - zeroth
                        g, h = x[o + 6 * hop] - zeroth, x[o + 7 * hop] - zeroth
                        own = (((a + b) + (c + d)) + ((e + f) + (g + h))) * eighth
                        a, b, c, d = a - own, b - own, c - own, d - own
                        e, f, g, h = e - own, f - own, g - own, h - own
                        spread = ((a * a + b * b) + (c * c + d * d)) + (
                            (e * e + f * f) + (g * g + h * h)
                        )
                        apart = own - centre
                        share = eight / (count + eight)
                        centre += apart * share
                        square += spread + apart * apart * (count * share)
                        count += eight
                        i += 8 * step
                    while i < high:
                        v = x[(i * columns + column) & NATURAL] - zeroth
                        apart = v - centre
                        count += one
                        centre += apart / count
                        square += apart * (v - centre)
                        i += step
                means[lane], squares[lane], counts[lane] = centre, square, count
            cuda.syncthreads()
            half = lanes // 2
            while half >= width:
                for lane in range(cuda.threadIdx.x, half, threads):
                    more = counts[lane + half]
                    if more > zero:  # the lanes behind it have at most as many rows
                        count = counts[lane]
                        apart = means[lane + half] - means[lane]
                        share = more / (count + more)
                        means[lane] += apart * share
                        squares[lane] += squares[lane + half] + apart * apart * (count * share)
                        counts[lane] = count + more
                cuda.syncthreads()
                half //= 2
            for lane in range(cuda.threadIdx.x, width, threads):
                if left + lane < columns:
                    part[slab, 0, left + lane] = means[lane]
                    part[slab, 1, left + lane] = squares[lane]

    return kernel


def build_statistics(
    cuda: Any, math: Any, T: Any, threads: int, *, width: int = 8, lanes: int = LANES
) -> Any:
    """Mean and 1/√(σ² + ε) of every column of x, from the moments of slabs.

    A column may hold `pixels` columns of x: then it is a channel, and a slab holds a sample or several.
    """
    zero, one = T(0), T(1)
    step = lanes // width

    def kernel(x: Array, part: Array, pixels: Any, eps: Any, mean: Array, inv_std: Array) -> None:
        means = cuda.shared.array(lanes, T)
        squares = cuda.shared.array(lanes, T)
        counts = cuda.shared.array(lanes, T)
        rows, slabs, columns = x.shape[0] * pixels, part.shape[0], part.shape[2]
        strips = (columns + width - 1) // width
        for strip in range(cuda.blockIdx.x, strips, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x, lanes, threads):
                column = strip * width + lane % width
                centre, square, count = zero, zero, zero
                if column < columns:
                    for slab in range(lane // width, slabs, step):
                        more = T(rows * (slab + 1) // slabs - rows * slab // slabs)
                        apart = part[slab, 0, column] - centre
                        square += part[slab, 1, column]
                        if more > zero:
                            share = more / (count + more)
                            centre += apart * share
                            square += apart * apart * (count * share)
                            count += more
                means[lane], squares[lane], counts[lane] = centre, square, count
            cuda.syncthreads()
            half = lanes // 2
            while half >= width:
                for lane in range(cuda.threadIdx.x, half, threads):
                    more = counts[lane + half]
                    if more > zero:
                        count = counts[lane]
                        apart = means[lane + half] - means[lane]
                        share = more / (count + more)
                        means[lane] += apart * share
                        squares[lane] += squares[lane + half] + apart * apart * (count * share)
                        counts[lane] = count + more
                cuda.syncthreads()
                half //= 2
            for lane in range(cuda.threadIdx.x, width, threads):
                column = strip * width + lane
                if column < columns:
                    mean[column] = x[0, column * pixels] + means[lane]
                    inv_std[column] = one / math.sqrt(squares[lane] / T(rows) + eps)

    return kernel


def build_affine(
    cuda: Any,
    math: Any,
    T: Any,
    threads: int,
    *,
    width: int = STRIP,
    lanes: int = LANES,
    scaled: bool = True,
    shifted: bool = True,
) -> Any:
    """y = (x − mean) inv_std γ + β by columns; not `scaled` or `shifted`, γ or β is a number.

    The last rows come first: they may still lie in the cache, where the pass before ended.
    """
    step = lanes // width

    def kernel(
        x: Array,
        gamma: Array,
        beta: Array,
        gain: Any,
        lift: Any,
        mean: Array,
        inv_std: Array,
        y: Array,
    ) -> None:
        columns = mean.shape[0]
        rows, hop = x.shape[0] // columns, step * columns & NATURAL
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
                    centre = mean[column]
                    scale = inv_std[column] * (gamma[column] if scaled else gain)
                    shift = beta[column] if shifted else lift
                    i = slab * TALL + lane // width
                    while i + 3 * step < high:
                        o = (i * columns + column) & NATURAL
                        a, b, c, d = x[o], x[o + hop], x[o + 2 * hop], x[o + 3 * hop]
                        y[o] = (a - centre) * scale + shift
                        y[o + hop] = (b - centre) * scale + shift
                        y[o + 2 * hop] = (c - centre) * scale + shift
                        y[o + 3 * hop] = (d - centre) * scale + shift
                        i += 4 * step
                    while i < high:
                        o = (i * columns + column) & NATURAL
                        y[o] = (x[o] - centre) * scale + shift
                        i += step

    return kernel
