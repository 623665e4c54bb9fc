"""Convolutions in compiled loops: columns taken out of images and put back, a chunk of the batch at a time.

The products with the weights are left to the BLAS behind numpy. A sequence is an image of height 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ops.convolution import Layout, check, layout
from ops.kernels.acceleration import Acceleration
from ops.kernels.compiling import jit
from ops.primitive import NUMBERS
from ops.shape import Shape
from ops.transposed_convolution import turned_layout
from ops.windows import Windows, padded

Array = Any

CHUNK = 1 << 19
"""Elements of columns made at a time: 2 to 4 MB. Measured: half as many are 5 % slower, twice as many no faster."""


@jit
def take_columns(x: Array, columns: Array, dy: int, dx: int, sy: int, sx: int) -> None:
    """Every window as a column.

    x: float (N, C, H, W), with its padding. columns: float (N, C, K, L, rows, windows in a row), overwritten.
    dy, dx: dilation; sy, sx: stride.
    """
    batch, channels = x.shape[:2]
    kernel_rows, kernel_width, rows, count = columns.shape[2:]
    for n in range(batch):
        for c in range(channels):
            for k in range(kernel_rows):
                for m in range(kernel_width):
                    for r in range(rows):
                        seen = x[n, c, r * sy + k * dy][m * dx :]
                        column = columns[n, c, k, m, r]
                        if sx == 1:  # said apart, so that it is compiled to vectors
                            for i in range(count):
                                column[i] = seen[i]
                        else:
                            for i in range(count):
                                column[i] = seen[i * sx]


@jit
def add_columns(columns: Array, x: Array, dy: int, dx: int, sy: int, sx: int) -> None:
    """Every column added to x where its window lies: the transpose of `take_columns`. x is overwritten."""
    batch, channels = x.shape[:2]
    kernel_rows, kernel_width, rows, count = columns.shape[2:]
    for n in range(batch):
        for c in range(channels):
            x[n, c] = 0
            for k in range(kernel_rows):
                for m in range(kernel_width):
                    for r in range(rows):
                        seen = x[n, c, r * sy + k * dy][m * dx :]
                        column = columns[n, c, k, m, r]
                        if sx == 1:
                            for i in range(count):
                                seen[i] += column[i]
                        else:
                            for i in range(count):
                                seen[i * sx] += column[i]


# ----- columns of a chunk


def as_image(x: Array) -> Array:
    """A sequence (N, C, T) as an image (N, C, 1, T)."""
    return x.reshape(*x.shape[:2], 1, x.shape[2]) if x.ndim == 3 else x


def two(numbers: Shape) -> Shape:
    """A number for rows and one for columns; a sequence is one row."""
    return (1, *numbers) if len(numbers) == 1 else numbers


def _windowed(columns: Array, channels: int, at: Windows) -> Array:
    """Columns (N, …) as (N, channels, K, L, rows, windows in a row)."""
    return columns.reshape(len(columns), channels, *two(at.kernel), *two(at.counts))


def _take(x: Array, at: Windows, columns: Array, fill: float = 0.0) -> None:
    """The windows of x as columns, which are overwritten."""
    image = as_image(padded(x, at, fill))
    take_columns(image, _windowed(columns, x.shape[1], at), *two(at.dilation), *two(at.stride))


def _add(columns: Array, at: Windows, x: Array) -> None:
    """The columns added up where their windows lie in x, which is overwritten."""
    room = x if at.padded == at.size else np.empty((*x.shape[:2], *at.padded), dtype=x.dtype)
    windowed = _windowed(columns, x.shape[1], at)
    add_columns(windowed, as_image(room), *two(at.dilation), *two(at.stride))
    if room is not x:
        x[:] = room[at.inner]


def _chunks(how: Layout, dtype: Any) -> Iterator[tuple[slice, Array]]:
    """Stretches of the batch, and room for the columns of each: (chunk, groups, inputs, windows)."""
    batch, *rest = how.columns
    size = max(1, min(batch, CHUNK // max(1, math.prod(rest))))
    room = np.empty((size, *rest), dtype=dtype)
    for first in range(0, batch, size):
        yield slice(first, first + size), room[: min(size, batch - first)]


# ----- convolutions


def _add_bias(y: Array, bias: Array) -> None:
    if type(bias) not in NUMBERS:
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    elif bias:
        y += bias


def _bias_flow(g: Array) -> Array:
    return np.add.reduce(g, axis=(0, *range(2, g.ndim)))


def convolve(x: Array, weight: Array, bias: Array, **params: Any) -> Array:
    """As `conv1d` and `conv2d`, a chunk of the batch at a time."""
    check(x, weight, bias, params["groups"], x.ndim - 2, turned=False)
    how = layout(x.shape, weight.shape, **params)
    matrix = weight.reshape(how.weight)
    products = np.empty(how.products, dtype=x.dtype)
    for chunk, columns in _chunks(how, x.dtype):
        _take(x[chunk], how.at, columns)
        np.matmul(matrix, columns, out=products[chunk])
    y = products.reshape(len(x), len(weight), *how.at.counts)
    _add_bias(y, bias)
    return y


def pull_convolve(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangents of x, weight and bias, a chunk of the batch at a time."""
    x, weight, _ = inputs
    how = layout(x.shape, weight.shape, **params)
    products, matrix = np.ascontiguousarray(g).reshape(how.products), weight.reshape(how.weight)
    to_x = np.empty_like(x) if wanted[0] else None
    to_weight = np.zeros(how.weight, dtype=x.dtype) if wanted[1] else None
    for chunk, columns in _chunks(how, x.dtype) if wanted[0] or wanted[1] else ():
        if to_weight is not None:
            _take(x[chunk], how.at, columns)
            to_weight += np.add.reduce(products[chunk] @ columns.swapaxes(-1, -2), axis=0)
        if to_x is not None:
            np.matmul(matrix.swapaxes(-1, -2), products[chunk], out=columns)
            _add(columns, how.at, to_x[chunk])
    return [
        to_x,
        None if to_weight is None else to_weight.reshape(weight.shape),
        _bias_flow(g) if wanted[2] else None,
    ]


def convolve_turned(x: Array, weight: Array, bias: Array, **params: Any) -> Array:
    """As `conv_transpose2d`, a chunk of the batch at a time."""
    check(x, weight, bias, params["groups"], x.ndim - 2, turned=True)
    how = turned_layout(x.shape, weight.shape, **params)
    matrix, products = weight.reshape(how.weight), x.reshape(how.products)
    y = np.empty((len(x), weight.shape[1] * params["groups"], *how.at.size), dtype=x.dtype)
    for chunk, columns in _chunks(how, x.dtype):
        np.matmul(matrix.swapaxes(-1, -2), products[chunk], out=columns)
        _add(columns, how.at, y[chunk])
    _add_bias(y, bias)
    return y


def pull_convolve_turned(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The cotangents of x, weight and bias of a transposed convolution."""
    x, weight, _ = inputs
    how = turned_layout(x.shape, weight.shape, **params)
    matrix, products = weight.reshape(how.weight), x.reshape(how.products)
    to_x = np.empty(how.products, dtype=x.dtype) if wanted[0] else None
    to_weight = np.zeros(how.weight, dtype=x.dtype) if wanted[1] else None
    for chunk, columns in _chunks(how, x.dtype) if wanted[0] or wanted[1] else ():
        _take(g[chunk], how.at, columns)
        if to_x is not None:
            np.matmul(matrix, columns, out=to_x[chunk])
        if to_weight is not None:
            to_weight += np.add.reduce(products[chunk] @ columns.swapaxes(-1, -2), axis=0)
    return [
        None if to_x is None else to_x.reshape(x.shape),
        None if to_weight is None else to_weight.reshape(weight.shape),
        _bias_flow(g) if wanted[2] else None,
    ]


def one_float_type(inputs: Sequence[Any]) -> bool:
    """Contiguous arrays of one float type, float32 or float64; a Python number may stand in for all but the first."""
    first = inputs[0]
    return (
        type(first) is np.ndarray
        and first.dtype.char in "fd"
        and all(
            type(x) in NUMBERS
            or (type(x) is np.ndarray and x.dtype == first.dtype and x.flags.c_contiguous)
            for x in inputs
        )
    )


def _fits(rank: int) -> Callable[[Sequence[Any], Mapping[str, Any]], bool]:
    def fits(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
        return one_float_type(inputs) and inputs[0].ndim == rank + 2

    return fits


ACCELERATIONS: dict[str, Acceleration] = {
    "conv1d": Acceleration(_fits(1), convolve, pull_convolve, 16),
    "conv2d": Acceleration(_fits(2), convolve, pull_convolve, 16),
    "conv_transpose2d": Acceleration(_fits(2), convolve_turned, pull_convolve_turned, 16),
}
