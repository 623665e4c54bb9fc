"""Twins of convolution, pooling and windows: loops over every element, as the definitions are written in books."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

Array = Any


def each(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * rank


def sides(padding: Any, kernel: Any, dilation: Any) -> list[tuple[int, int]]:
    """(before, after) of every axis."""
    wanted = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":
        return [(total // 2, total - total // 2) for total in wanted]
    if padding == "causal":
        return [(total, 0) for total in wanted]
    padding = each(0 if padding == "valid" else padding, len(kernel))
    return [p if isinstance(p, tuple) else (p, p) for p in padding]


def elements(
    at: tuple[int, ...], kernel: Any, stride: Any, pads: Any, dilation: Any, size: Any
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...] | None]]:
    """Every place in the window of number `at`, and its element; None for one in the padding."""
    for place in product(*map(range, kernel)):
        spot = tuple(
            i * s + k * d - p
            for i, s, k, d, (p, _) in zip(at, stride, place, dilation, pads, strict=True)
        )
        inside = all(0 <= i < n for i, n in zip(spot, size, strict=True))
        yield place, spot if inside else None


def counted(size: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> tuple[int, ...]:
    """How many windows begin and end within the padded size: counted one by one."""
    counts = []
    for n, k, s, (before, after), d in zip(size, kernel, stride, pads, dilation, strict=True):
        starts = range(-before, n + after, s)
        counts.append(sum(1 for first in starts if first + (k - 1) * d < n + after))
    return tuple(counts)


def unfold(
    x: Array, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, fill: float
) -> Array:
    size = x.shape[2:]
    rank = len(size)
    kernel, stride, dilation = (each(v, rank) for v in (kernel_size, stride, dilation))
    pads = sides(padding, kernel, dilation)
    counts = counted(size, kernel, stride, pads, dilation)
    out = np.empty((*x.shape[:2], *kernel, *counts))
    for n, c in np.ndindex(*x.shape[:2]):
        for at in np.ndindex(*counts):
            for place, spot in elements(at, kernel, stride, pads, dilation, size):
                out[(n, c, *place, *at)] = fill if spot is None else x[(n, c, *spot)]
    return out.reshape(len(x), x.shape[1] * math.prod(kernel), math.prod(counts))


def fold(
    x: Array, *, output_size: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> Array:
    size = output_size if isinstance(output_size, tuple) else (output_size,)
    rank = len(size)
    kernel, stride, dilation = (each(v, rank) for v in (kernel_size, stride, dilation))
    pads = sides(padding, kernel, dilation)
    counts = counted(size, kernel, stride, pads, dilation)
    channels = x.shape[1] // math.prod(kernel)
    columns = x.reshape(len(x), channels, *kernel, *counts)
    out = np.zeros((len(x), channels, *size))
    for n, c in np.ndindex(len(x), channels):
        for at in np.ndindex(*counts):
            for place, spot in elements(at, kernel, stride, pads, dilation, size):
                if spot is not None:
                    out[(n, c, *spot)] += columns[(n, c, *place, *at)]
    return out


def conv(
    x: Array, weight: Array, bias: Array, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    size, kernel = x.shape[2:], weight.shape[2:]
    rank = len(size)
    stride, dilation = each(stride, rank), each(dilation, rank)
    pads = sides(padding, kernel, dilation)
    counts = counted(size, kernel, stride, pads, dilation)
    outputs, inputs = weight.shape[:2]
    out = np.empty((len(x), outputs, *counts))
    for n, o in np.ndindex(len(x), outputs):
        first = o // (outputs // groups) * inputs
        for at in np.ndindex(*counts):
            terms = [
                weight[(o, c, *place)] * x[(n, first + c, *spot)]
                for c in range(inputs)
                for place, spot in elements(at, kernel, stride, pads, dilation, size)
                if spot is not None
            ]
            out[(n, o, *at)] = math.fsum([*terms, bias[o] if np.ndim(bias) else bias])
    return out


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
) -> Array:
    stride, padding, extra, dilation = (
        each(v, 2) for v in (stride, padding, output_padding, dilation)
    )
    kernel = weight.shape[2:]
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            x.shape[2:], stride, padding, dilation, kernel, extra, strict=True
        )
    )
    channels, outputs = weight.shape[:2]
    out = np.zeros((len(x), outputs * groups, *size))
    pads = [(p, p) for p in padding]
    for n, c in np.ndindex(len(x), channels):
        first = c // (channels // groups) * outputs
        for at in np.ndindex(*x.shape[2:]):
            for place, spot in elements(at, kernel, stride, pads, dilation, size):
                if spot is not None:
                    for o in range(outputs):
                        out[(n, first + o, *spot)] += x[(n, c, *at)] * weight[(c, o, *place)]
    return out + np.reshape(bias, (-1, 1, 1))


def pool_axes(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> Any:
    """The numbers of every axis: PyTorch's count of windows, with its rule for the last one."""
    rank = len(size)
    kernel, padding, dilation = (each(v, rank) for v in (kernel, padding, dilation))
    stride = kernel if stride is None else each(stride, rank)
    counts = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        steps = (n + 2 * p - d * (k - 1) - 1) / s
        count = (math.ceil(steps) if ceil else math.floor(steps)) + 1
        if ceil and (count - 1) * s >= n + p:
            count -= 1
        counts.append(count)
    return tuple(counts), kernel, stride, [(p, p) for p in padding], dilation


def max_pool(
    x: Array, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Array:
    size = x.shape[2:]
    counts, kernel, stride, pads, dilation = pool_axes(
        size, kernel_size, stride, padding, dilation, ceil_mode
    )
    out = np.empty((*x.shape[:2], *counts))
    for n, c in np.ndindex(*x.shape[:2]):
        for at in np.ndindex(*counts):
            spots = elements(at, kernel, stride, pads, dilation, size)
            out[(n, c, *at)] = max(x[(n, c, *spot)] for _, spot in spots if spot is not None)
    return out


def averaging(size: Any, params: Mapping[str, Any]) -> Iterator[tuple[Any, Any, int]]:
    """Every window: its number, its elements, and by what their sum is divided."""
    counts, kernel, stride, pads, dilation = pool_axes(
        size, params["kernel_size"], params["stride"], params["padding"], 1, params["ceil_mode"]
    )
    for at in np.ndindex(*counts):
        spots = [
            spot
            for _, spot in elements(at, kernel, stride, pads, dilation, size)
            if spot is not None
        ]
        padded = math.prod(
            sum(1 for place in range(k) if i * s + place - p < n + p)
            for i, k, s, (p, _), n in zip(at, kernel, stride, pads, size, strict=True)
        )
        yield at, spots, padded if params["count_include_pad"] else len(spots)


def avg_pool(x: Array, **params: Any) -> Array:
    found = {}
    for at, spots, divisor in averaging(x.shape[2:], params):
        found[at] = sum(x[(..., *spot)] for spot in spots) / divisor
    return arranged(found, x)


def arranged(found: dict[Any, Array], x: Array) -> Array:
    counts = tuple(n + 1 for n in max(found))
    out = np.empty((*x.shape[:2], *counts))
    for at, value in found.items():
        out[(..., *at)] = value
    return out


def avg_unpool(x: Array, *, output_size: tuple[int, ...], **params: Any) -> Array:
    out = np.zeros((*x.shape[:2], *output_size))
    for at, spots, divisor in averaging(output_size, params):
        for spot in spots:
            out[(..., *spot)] += x[(..., *at)] / divisor
    return out


def adaptive(size: Any, wanted: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Every block: its number and its elements."""
    counts = [n if m is None else m for n, m in zip(size, each(wanted, len(size)), strict=True)]
    for at in np.ndindex(*counts):
        axes = [
            range(math.floor(i * n / m), math.ceil((i + 1) * n / m))
            for i, n, m in zip(at, size, counts, strict=True)
        ]
        yield at, list(product(*axes))


def adaptive_avg_pool(x: Array, *, output_size: Any) -> Array:
    blocks = adaptive(x.shape[2:], output_size)
    return arranged(
        {at: sum(x[(..., *spot)] for spot in spots) / len(spots) for at, spots in blocks}, x
    )


def adaptive_avg_unpool(x: Array, *, output_size: Any) -> Array:
    out = np.zeros((*x.shape[:2], *output_size))
    for at, spots in adaptive(output_size, x.shape[2:]):
        for spot in spots:
            out[(..., *spot)] += x[(..., *at)] / len(spots)
    return out


TWINS: Mapping[str, Callable[..., Any]] = {
    "adaptive_avg_pool1d": adaptive_avg_pool,
    "adaptive_avg_pool2d": adaptive_avg_pool,
    "adaptive_avg_unpool": adaptive_avg_unpool,
    "avg_pool1d": avg_pool,
    "avg_pool2d": avg_pool,
    "avg_unpool": avg_unpool,
    "conv1d": conv,
    "conv2d": conv,
    "conv_transpose2d": conv_transpose2d,
    "fold": fold,
    "max_pool1d": max_pool,
    "max_pool2d": max_pool,
    "unfold": unfold,
}
