"""Convolutions on a device: windows as columns, a chunk of the batch at a time, and products of matrices with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ops.convolution import Layout, check, layout
from ops.cuda.native import Native
from ops.cuda.products.stacks import fit, product, summed_product
from ops.cuda.windows.columns import put, taken
from ops.devices.arrays import DeviceArray, empty
from ops.primitive import NUMBERS, PRIMITIVES
from ops.transposed_convolution import turned_layout
from ops.windows import Windows

Shape = tuple[int, ...]

CHUNK = 1 << 27
"""Elements of columns made at a time: 512 MB of float32."""


def _chunks(how: Layout) -> Iterator[tuple[int, int]]:
    """Stretches of the batch; of an empty one a stretch of nothing, whose sums are 0."""
    batch, *rest = how.columns
    size = max(1, min(batch, CHUNK // max(1, math.prod(rest))))
    for first in range(0, max(batch, 1), size):
        yield first, min(first + size, batch)


def _columns(x: DeviceArray, how: Layout) -> DeviceArray:
    """The windows of a chunk in groups; where a window is one element, that is x itself."""
    shape = (x.shape[0], *how.columns[1:])
    return (x if _is_pointwise(how.at) else taken(x, how.at)).reshape(shape)


def _put(columns: DeviceArray, how: Layout, out: DeviceArray) -> None:
    batch, groups, inputs, count = columns.shape
    put(columns.reshape(batch, groups * inputs, count), how.at, out)


def _is_pointwise(at: Windows) -> bool:
    return max((*at.kernel, *at.stride)) == 1 and at.size == at.counts and not max(at.before)


def _of(x: DeviceArray, shape: Shape, chunk: tuple[int, int]) -> DeviceArray:
    """A stretch of the batch, seen in another shape."""
    part = x.rows(*chunk)
    return part.reshape(chunk[1] - chunk[0], *shape[1:])


def _fit(x: Any, weight: Any, bias: Any) -> bool:
    return fit(x, weight) and (type(bias) in NUMBERS or fit(x, bias))


def _shifted(y: DeviceArray, bias: Any) -> DeviceArray:
    """The bias of each channel added."""
    if type(bias) in NUMBERS:
        return y + bias if bias else y
    shifted: DeviceArray = y + bias.reshape(bias.size, *(1,) * (y.ndim - 2))
    return shifted


# ----- convolution


def convolved(rank: int, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """W · columns of x, and the bias."""
    if not _fit(x, weight, bias):
        return None
    check(x, weight, bias, params["groups"], rank, turned=False)
    how = layout(x.shape, weight.shape, **params)
    matrix = weight.reshape(how.weight)
    y = empty(x.device, (x.shape[0], weight.shape[0], *how.at.counts), x.dtype)
    for chunk in _chunks(how):
        product(matrix, _columns(x.rows(*chunk), how), out=_of(y, how.products, chunk))
    return _shifted(y, bias)


def pull_convolved(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """To x the columns Wᵀ g where they lie; to the weight g times the columns of x, summed over the batch."""
    x, weight, bias = inputs
    if not _fit(x, weight, bias) or not fit(g, x):
        return None
    how = layout(x.shape, weight.shape, **params)
    matrix = weight.reshape(how.weight)
    to_x = empty(x.device, x.shape, x.dtype) if wanted[0] else None
    to_weight: Any = None
    for chunk in _chunks(how):
        sent = _of(g, how.products, chunk)
        if wanted[1]:
            part = _weight_flow(sent, _columns(x.rows(*chunk), how))
            to_weight = part if to_weight is None else to_weight + part
        if to_x is not None:
            _put(product(matrix, sent, ta=True), how, to_x.rows(*chunk))
    if to_weight is not None:
        to_weight = to_weight.reshape(weight.shape)
    return [to_x, to_weight, _bias_flow(g) if wanted[2] else None]


# ----- transposed convolution


def convolved_turned(x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """Columns Wᵀ x put together, and the bias."""
    if not _fit(x, weight, bias):
        return None
    check(x, weight, bias, params["groups"], 2, turned=True)
    how = turned_layout(x.shape, weight.shape, **params)
    matrix = weight.reshape(how.weight)
    channels = weight.shape[1] * params["groups"]
    y = empty(x.device, (x.shape[0], channels, *how.at.size), x.dtype)
    for chunk in _chunks(how):
        columns = product(matrix, _of(x, how.products, chunk), ta=True)
        _put(columns, how, y.rows(*chunk))
    return _shifted(y, bias)


def pull_convolved_turned(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """To x W times the columns of g; to the weight x times those columns, summed over the batch."""
    x, weight, bias = inputs
    if not _fit(x, weight, bias) or not fit(g, x):
        return None
    how = turned_layout(x.shape, weight.shape, **params)
    matrix = weight.reshape(how.weight)
    to_x = empty(x.device, x.shape, x.dtype) if wanted[0] else None
    to_weight: Any = None
    for chunk in _chunks(how) if wanted[0] or wanted[1] else ():
        columns = _columns(g.rows(*chunk), how)
        if to_x is not None:
            product(matrix, columns, out=_of(to_x, how.products, chunk))
        if wanted[1]:
            part = _weight_flow(_of(x, how.products, chunk), columns)
            to_weight = part if to_weight is None else to_weight + part
    if to_weight is not None:
        to_weight = to_weight.reshape(weight.shape)
    return [to_x, to_weight, _bias_flow(g) if wanted[2] else None]


# ----- flows of weight and bias


def _weight_flow(products: DeviceArray, columns: DeviceArray) -> DeviceArray:
    """Σ over a chunk of products · columnsᵀ: one sum over the chunk and over the windows."""
    return summed_product(products, columns, tb=True)


def _bias_flow(g: DeviceArray) -> DeviceArray:
    flow: DeviceArray = PRIMITIVES["sum"](g, axis=(0, *range(2, g.ndim)))
    return flow


NATIVE: dict[str, Native] = {
    "conv1d": Native(partial(convolved, 1), pull_convolved),
    "conv2d": Native(partial(convolved, 2), pull_convolved),
    "conv_transpose2d": Native(convolved_turned, pull_convolved_turned),
}
