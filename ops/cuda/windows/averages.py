"""The kernels of average pooling, with given windows or to a given size, and of the transposes of both.

One thread an element of the result. `steps` are those of `windows_kernels`; an average has no dilation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops.cuda.windows.kernels import Steps

Array = Any


# ----- given windows


def build_avg_pool(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps, include: bool
) -> Callable[..., None]:
    """The mean of every window; elements of the padding count if `include`, what lies behind the padding never does.

    x: (planes, H, W), out: (planes, rows, windows in a row).
    """
    zero = T(0)
    sy, sx, _, _ = steps

    def kernel(x: Array, out: Array, kernel_y: int, kernel_x: int, py: int, px: int) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = out.shape[1]
        count = out.shape[2]
        w = cuda.grid(1)
        while w < out.shape[0] * rows * count:
            plane = w // (rows * count)
            y = w // count % rows * sy - py
            z = w % count * sx - px
            low, high = (y if y > 0 else 0), (y + kernel_y if y + kernel_y < height else height)
            left, right = (z if z > 0 else 0), (z + kernel_x if z + kernel_x < width else width)
            total = zero
            for c in range(left, right):
                of_column = zero
                for r in range(low, high):
                    of_column += x[plane, r, c]
                total += of_column
            if include:
                high = y + kernel_y if y + kernel_y < height + py else height + py
                right = z + kernel_x if z + kernel_x < width + px else width + px
                low, left = y, z
            out[plane, w // count % rows, w % count] = total / T((high - low) * (right - left))
            w += cuda.gridsize(1)

    return kernel


def build_avg_unpool(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps, include: bool
) -> Callable[..., None]:
    """The transpose: every element sums, over the windows that it lies in, g divided by what they averaged over.

    g: (planes, rows, windows in a row), x: (planes, H, W).
    """
    zero = T(0)
    sy, sx, _, _ = steps

    def kernel(g: Array, x: Array, kernel_y: int, kernel_x: int, py: int, px: int) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = g.shape[1]
        count = g.shape[2]
        side_y = py if include else 0
        side_x = px if include else 0
        e = cuda.grid(1)
        while e < x.shape[0] * height * width:
            plane = e // (height * width)
            y = e // width % height
            z = e % width
            total = zero
            for ky in range(kernel_y):
                to_y = y + py - (kernel_y - 1 - ky)
                if to_y >= 0 and to_y % sy == 0 and to_y // sy < rows:
                    low = to_y - py if to_y - py > -side_y else -side_y
                    high = to_y - py + kernel_y
                    high = high if high < height + side_y else height + side_y
                    for kx in range(kernel_x):
                        to_z = z + px - (kernel_x - 1 - kx)
                        if to_z >= 0 and to_z % sx == 0 and to_z // sx < count:
                            left = to_z - px if to_z - px > -side_x else -side_x
                            right = to_z - px + kernel_x
                            right = right if right < width + side_x else width + side_x
                            share = g[plane, to_y // sy, to_z // sx]
                            total += share / T((high - low) * (right - left))
            x[plane, y, z] = total
            e += cuda.gridsize(1)

    return kernel


# ----- to a given size


def build_stretch_means(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """The mean of each of (rows, columns) stretches of an image, from ⌊i·n/m⌋ to before ⌈(i+1)·n/m⌉ for i < m.

    x: (planes, H, W), out: (planes, rows, columns).
    """
    zero = T(0)

    def kernel(x: Array, out: Array) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = out.shape[1]
        columns = out.shape[2]
        e = cuda.grid(1)
        while e < out.shape[0] * rows * columns:
            plane = e // (rows * columns)
            row = e // columns % rows
            column = e % columns
            low, high = row * height // rows, ((row + 1) * height + rows - 1) // rows
            left, right = column * width // columns, ((column + 1) * width + columns - 1) // columns
            total = zero
            for z in range(left, right):
                of_column = zero
                for y in range(low, high):
                    of_column += x[plane, y, z]
                total += of_column
            out[plane, row, column] = total / T((high - low) * (right - left))
            e += cuda.gridsize(1)

    return kernel


def build_stretch_unpool(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """The transpose: every element sums, over the stretches that it lies in, g divided by what they averaged over.

    g: (planes, rows, columns), x: (planes, H, W). Element y lies in stretch i if ⌊y·m/n⌋ ≤ i < ⌈(y+1)·m/n⌉.
    """
    zero = T(0)

    def kernel(g: Array, x: Array) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = g.shape[1]
        columns = g.shape[2]
        e = cuda.grid(1)
        while e < x.shape[0] * height * width:
            plane = e // (height * width)
            y = e // width % height
            z = e % width
            total = zero
            for row in range(y * rows // height, ((y + 1) * rows + height - 1) // height):
                high = ((row + 1) * height + rows - 1) // rows - row * height // rows
                for column in range(z * columns // width, ((z + 1) * columns + width - 1) // width):
                    broad = (
                        (column + 1) * width + columns - 1
                    ) // columns - column * width // columns
                    total += g[plane, row, column] / T(high * broad)
            x[plane, y, z] = total
            e += cuda.gridsize(1)

    return kernel
