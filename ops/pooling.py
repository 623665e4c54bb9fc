"""Max pooling over sequences and images: the largest element of every window. (Averages: `ops.averaging`.)"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import astype, where
from ops.formula import Formula
from ops.primitive import Array, sample
from ops.reduce import max as largest
from ops.reduce import sum
from ops.shape import Shape, broadcast_to, reshape
from ops.windows import (
    PerAxis,
    Windows,
    by,
    fold,
    per_axis,
    reduced,
    space_of,
    unfold,
    windows,
    windows_size,
)


def pool_windows(
    size: Shape,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    dilation: PerAxis = 1,
    ceil_mode: bool,
) -> Windows:
    """The windows of a pool, side by side if no stride is given.

    ceil_mode: the last window may reach over the end, if it begins before it; padding behind then grows.
    """
    rank = len(size)
    sides = per_axis("padding", padding, rank, 0)
    at = windows(
        size,
        kernel_size=kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=tuple((side, side) for side in sides),
        dilation=dilation,
    )
    if any(2 * side > span for side, span in zip(sides, at.span, strict=True)):
        raise ValueError(
            f"padding is {padding}, but at most half of the window of {by(at.span)}, so that none lies in padding alone"
        )
    return _reaching_over(at) if ceil_mode else at


def _reaching_over(at: Windows) -> Windows:
    """One window more on each axis where elements are left over behind the last one and it would begin before the end.

    The padding behind is then as large as the last window needs.
    """
    count, after = list(at.counts), list(at.after)
    for k, (size, side) in enumerate(zip(at.size, at.before, strict=True)):
        end = count[k] * at.stride[k] + at.span[k]
        left_over = size + 2 * side > end - at.stride[k]
        if left_over and count[k] * at.stride[k] < size + side:
            count[k] += 1
            after[k] = end - size - side
    return at._replace(counts=tuple(count), after=tuple(after))


def _columns(x: Any, at: Windows, fill: float = 0.0) -> Any:
    """The elements of every window: (N, C, places, windows)."""
    shape = (*x.shape[:2], math.prod(at.kernel), math.prod(at.counts))
    return reshape(unfold(x, fill=fill, **at.params), shape=shape)


def max_pool_x(g: Any, out: Any, x: Any, **params: Any) -> Any:
    """The elements of a window that are not smaller than the largest share its cotangent; overlaps add up."""
    at = pool_windows(x.shape[2:], **params)
    top = (*x.shape[:2], 1, math.prod(at.counts))
    smaller = _columns(x, at, -math.inf) < reshape(out, shape=top)
    # a place in the padding is not part of the window, not even where all of it ties
    inside = _columns(broadcast_to(1.0, shape=(1, 1, *at.size)), at)
    ties = where(smaller, 0, astype(inside, dtype=g.dtype.name))
    share = reshape(g, shape=top) / sum(ties, axis=2, keepdims=True)
    columns = where(ties > 0, share, 0)
    merged = reshape(columns, shape=(x.shape[0], x.shape[1] * math.prod(at.kernel), top[-1]))
    return fold(merged, output_size=at.size, **at.params)


def max_pool_parts(
    x: Any,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Any:
    """The windows as columns, and the largest element of each."""
    at = pool_windows(
        x.shape[2:],
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    columns = _columns(x, at, -math.inf)
    return reshape(largest(columns, axis=2), shape=(*x.shape[:2], *at.counts))


def _max_pool_size(x: Any, **params: Any) -> float:
    return windows_size(x.shape[:2], pool_windows(x.shape[2:], **params))


def _pooled(rank: int, x: Array, **params: Any) -> Array:
    at = pool_windows(space_of(x, rank), **params)
    lowest: Any = -np.inf
    if x.dtype.kind != "f":
        lowest = False if x.dtype == bool else np.iinfo(x.dtype).min
    return reduced(x, at, np.maximum, lowest)


@primitive(
    vjps={"x": max_pool_x},
    formula=Formula(
        "max_pool1d({x})", r"\operatorname{{maxpool}}\left({x}\right)", symbol="max pool"
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 2, 5)), kernel_size=2),
        sample(rng.normal(size=(1, 2, 6)), kernel_size=3, stride=2, padding=1),
        sample(rng.normal(size=(1, 1, 7)), kernel_size=2, stride=1, dilation=3),
        sample(rng.normal(size=(1, 2, 6)), kernel_size=3, stride=2, ceil_mode=True),
        # ties, in windows apart: where they overlap, the slopes along a single element do not bound its shares
        sample(np.array([[[0.0, 0.0, -1.0, 2.0, 2.0, 2.0]]]), kernel_size=2, padding=1),
        sample(np.empty((0, 2, 4)), kernel_size=2),
    ],
    parts=max_pool_parts,
    size=_max_pool_size,
    hint="x is (N, channels, length)",
)
def max_pool1d(
    x: Array,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """Largest element of every window of a sequence; stride = kernel_size if not given.

    x: (N, C, T). Returns: (N, C, (T + 2 · padding − dilation · (kernel_size − 1) − 1) // stride + 1).
    Padding counts as −∞. The largest element receives the cotangent; ties, or all where one is NaN, share it equally
    (as `max` does; PyTorch gives all to the first).
    """
    return _pooled(
        1,
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


@primitive(
    vjps={"x": max_pool_x},
    formula=Formula(
        "max_pool2d({x})", r"\operatorname{{maxpool}}\left({x}\right)", symbol="max pool"
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(1, 2, 4, 4)), kernel_size=2),
        sample(rng.normal(size=(1, 1, 4, 5)), kernel_size=(2, 3), stride=(2, 1), padding=(0, 1)),
        sample(rng.normal(size=(1, 1, 5, 4)), kernel_size=2, dilation=(2, 1), stride=1),
        sample(rng.normal(size=(2, 1, 3, 3)), kernel_size=2, ceil_mode=True),
        sample(
            np.array([[[[0.0, 0.0, -1.0], [0.0, 2.0, 2.0], [1.0, 2.0, 2.0]]]]),
            kernel_size=2,
            padding=1,
        ),
        sample(np.empty((0, 1, 4, 4)), kernel_size=2),
    ],
    parts=max_pool_parts,
    size=_max_pool_size,
    hint="x is (N, channels, height, width)",
)
def max_pool2d(
    x: Array,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Array:
    """Largest element of every window of an image; stride = kernel_size if not given.

    x: (N, C, H, W). Returns: (N, C, H', W'), H' = (H + 2 · padding − dilation · (kernel_size − 1) − 1) // stride + 1,
    rounded up if ceil_mode. Every parameter is one number or (of H, of W).
    Padding counts as −∞. The largest element receives the cotangent; ties, or all where one is NaN, share it equally
    (as `max` does; PyTorch gives all to the first). Where windows overlap, cotangents add up.
    """
    return _pooled(
        2,
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
