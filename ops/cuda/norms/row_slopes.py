"""What scale and shift of long rows receive: sums over rows of every column, where those of a row have no room.

The sums of shorter rows are taken in the pass that computes the flow of x; these need a pass of their own.
"""

from __future__ import annotations

from typing import Any

from ops.cuda.norms.columns import NATURAL

Array = Any


def build_row_slopes(
    cuda: Any, math: Any, T: Any, threads: int, *, lanes: int = 256, centred: bool = True
) -> Any:
    """Σg and Σ g x̂ of every column of (N, D), of each slab of rows by itself. part: (slabs, 2, D).

    mean, inverse: (N,), of each row; not `centred`, the mean is 0. A lane takes a column and four rows at a time.
    """
    zero = T(0)

    def kernel(g: Array, x: Array, mean: Array, inverse: Array, part: Array) -> None:
        rows, slabs, columns = inverse.shape[0], part.shape[0], part.shape[2]
        strips = (columns + lanes - 1) // lanes
        for item in range(cuda.blockIdx.x, strips * slabs, cuda.gridDim.x):
            slab = item // strips
            left = (item - slab * strips) * lanes
            high = rows * (slab + 1) // slabs
            for lane in range(cuda.threadIdx.x & 1023, lanes, threads):
                column = left + lane
                if column < columns:
                    lean, tilt = zero, zero
                    i = rows * slab // slabs
                    while i + 3 < high:
                        k = i & NATURAL
                        o = (i * columns + column) & NATURAL
                        a, b = g[o], g[o + columns]
                        c, d = g[o + 2 * columns], g[o + 3 * columns]
                        p, q = x[o], x[o + columns]
                        r, s = x[o + 2 * columns], x[o + 3 * columns]
                        if centred:
                            p, q = p - mean[k], q - mean[k + 1]
                            r, s = r - mean[k + 2], s - mean[k + 3]
                        p, q = p * inverse[k], q * inverse[k + 1]
                        r, s = r * inverse[k + 2], s * inverse[k + 3]
                        lean += (a + b) + (c + d)
                        tilt += (a * p + b * q) + (c * r + d * s)
                        i += 4
                    while i < high:
                        o = (i * columns + column) & NATURAL
                        a, p = g[o], x[o]
                        if centred:
                            p = p - mean[i & NATURAL]
                        lean += a
                        tilt += a * (p * inverse[i & NATURAL])
                        i += 1
                    part[slab, 0, column] = lean
                    part[slab, 1, column] = tilt

    return kernel
