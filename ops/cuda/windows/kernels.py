"""The kernels of windows over images: every element of a result is gathered by one thread, in a fixed order.

A sequence is an image of height 1; batch and channels together are its planes. `steps` are the stride of rows and of
columns, then their dilation: constants of the kernel, so that nothing is divided by a number that only the GPU knows.
py, px: the padding in front. kernel_y, kernel_x: the size of a window. An index is `unsigned` where there are many:
it is not looked at for being counted from the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Steps = tuple[int, int, int, int]


# ----- columns


def build_take_columns(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps
) -> Callable[..., None]:
    """Every window as a column (im2col); what lies in the padding is `fill`.

    x: (planes, H, W). columns: (planes, K, L, rows, windows in a row). A block takes one place in the window of one
    plane at a time, so that no element costs a division.
    """
    sy, sx, dy, dx = steps
    unsigned = np.uintp

    def kernel(x: Array, columns: Array, py: int, px: int, fill: Any) -> None:
        height = x.shape[1]
        width = x.shape[2]
        kernel_y = columns.shape[1]
        kernel_x = columns.shape[2]
        rows = columns.shape[3]
        count = columns.shape[4]
        down = threads // count
        across = threads % count
        item = cuda.blockIdx.x
        while item < columns.shape[0] * kernel_y * kernel_x:
            plane = item // (kernel_y * kernel_x)
            ky = item // kernel_x % kernel_y
            kx = item % kernel_x
            row = cuda.threadIdx.x // count
            i = cuda.threadIdx.x % count
            while row < rows:
                y = row * sy + ky * dy - py
                z = i * sx + kx * dx - px
                value = fill
                if y >= 0 and y < height and z >= 0 and z < width:
                    value = x[unsigned(plane), unsigned(y), unsigned(z)]
                columns[unsigned(plane), unsigned(ky), unsigned(kx), unsigned(row), unsigned(i)] = (
                    value
                )
                row += down
                i += across
                if i >= count:
                    i -= count
                    row += 1
            item += cuda.gridDim.x

    return kernel


def build_put_columns(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps
) -> Callable[..., None]:
    """Every column added up where its window lies (col2im): each element of x sums its windows, by place in them.

    columns: (planes, K, L, rows, windows in a row). x: (planes, H, W).
    """
    zero = T(0)
    sy, sx, dy, dx = steps
    unsigned = np.uintp

    def kernel(columns: Array, x: Array, py: int, px: int) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = columns.shape[3]
        count = columns.shape[4]
        e = cuda.grid(1)
        while e < x.shape[0] * height * width:
            plane = e // (height * width)
            y = e // width % height + py
            z = e % width + px
            total = zero
            for ky in range(columns.shape[1]):
                to_y = y - ky * dy
                if to_y >= 0 and to_y % sy == 0 and to_y // sy < rows:
                    for kx in range(columns.shape[2]):
                        to_x = z - kx * dx
                        if to_x >= 0 and to_x % sx == 0 and to_x // sx < count:
                            row, i = unsigned(to_y // sy), unsigned(to_x // sx)
                            total += columns[unsigned(plane), unsigned(ky), unsigned(kx), row, i]
            x[plane, y - py, z - px] = total
            e += cuda.gridsize(1)

    return kernel


# ----- max pooling


def build_max_pool(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps
) -> Callable[..., None]:
    """The largest element of every window, NaN if one is NaN.

    x: (planes, H, W), out: (planes, rows, windows in a row).
    """
    lowest = T(float("-inf"))
    sy, sx, dy, dx = steps

    def kernel(x: Array, out: Array, kernel_y: int, kernel_x: int, py: int, px: int) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = out.shape[1]
        count = out.shape[2]
        w = cuda.grid(1)
        while w < out.shape[0] * rows * count:
            plane = w // (rows * count)
            row = w // count % rows
            i = w % count
            top = lowest
            for ky in range(kernel_y):
                y = row * sy + ky * dy - py
                if y >= 0 and y < height:
                    for kx in range(kernel_x):
                        z = i * sx + kx * dx - px
                        if z >= 0 and z < width:
                            value = x[plane, y, z]
                            if value > top or math.isnan(value):
                                top = value
            out[plane, row, i] = top
            w += cuda.gridsize(1)

    return kernel


def build_max_shares(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps
) -> Callable[..., None]:
    """What each of the largest elements of a window receives: g divided by how many of them there are.

    Where the largest is NaN all count: none is smaller.
    x: (planes, H, W), all others: (planes, rows, windows in a row).
    """
    zero, one = T(0), T(1)
    sy, sx, dy, dx = steps

    def kernel(
        g: Array,
        top: Array,
        x: Array,
        shares: Array,
        kernel_y: int,
        kernel_x: int,
        py: int,
        px: int,
    ) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = top.shape[1]
        count = top.shape[2]
        w = cuda.grid(1)
        while w < top.shape[0] * rows * count:
            plane = w // (rows * count)
            row = w // count % rows
            i = w % count
            largest = top[plane, row, i]
            ties = zero
            for ky in range(kernel_y):
                y = row * sy + ky * dy - py
                if y >= 0 and y < height:
                    for kx in range(kernel_x):
                        z = i * sx + kx * dx - px
                        if z >= 0 and z < width and not x[plane, y, z] < largest:
                            ties += one
            shares[plane, row, i] = g[plane, row, i] / ties
            w += cuda.gridsize(1)

    return kernel


def build_max_unpool(
    cuda: Any, math: Any, T: Any, threads: int, *, steps: Steps
) -> Callable[..., None]:
    """The shares that each element of x receives, as one of the largest, from the windows that it lies in, in order."""
    zero = T(0)
    sy, sx, dy, dx = steps

    def kernel(
        x: Array,
        top: Array,
        shares: Array,
        to_x: Array,
        kernel_y: int,
        kernel_x: int,
        py: int,
        px: int,
    ) -> None:
        height = x.shape[1]
        width = x.shape[2]
        rows = top.shape[1]
        count = top.shape[2]
        e = cuda.grid(1)
        while e < x.shape[0] * height * width:
            plane = e // (height * width)
            y = e // width % height
            z = e % width
            value = x[plane, y, z]
            total = zero
            for ky in range(kernel_y):  # the first window is the one whose last place this is
                to_y = y + py - (kernel_y - 1 - ky) * dy
                if to_y >= 0 and to_y % sy == 0 and to_y // sy < rows:
                    for kx in range(kernel_x):
                        to_z = z + px - (kernel_x - 1 - kx) * dx
                        inside = to_z >= 0 and to_z % sx == 0 and to_z // sx < count
                        if inside and not value < top[plane, to_y // sy, to_z // sx]:
                            total += shares[plane, to_y // sy, to_z // sx]
            to_x[plane, y, z] = total
            e += cuda.gridsize(1)

    return kernel
