"""Average pooling over sequences and images, with given windows or to a given size, and the transposes of both."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula
from ops.pooling import pool_windows
from ops.primitive import Array, sample
from ops.shape import Shape, joint_room, room
from ops.windows import PerAxis, Windows, per_axis, reduced, space_of, spread_out

Sizes = int | None | tuple[int | None, ...]
"""The size of a result: one number for every axis of space, or one for each; None keeps the size of x."""


# ----- given windows


def _divisor(at: Windows, dtype: Any, include: bool) -> Any:
    """How many elements each window averages over: a number if always the same, else an array of shape `count`.

    Elements of the padding count if `include`; what lies behind the padding never does.
    """
    total: Any = np.ones((), dtype=dtype)
    axes = zip(at.size, at.kernel, at.stride, at.before, at.counts, strict=True)
    for size, kernel, stride, side, count in axes:
        first = np.arange(count) * stride - side
        last = np.minimum(first + kernel, size + side if include else size)
        if not include:
            first = np.maximum(first, 0)
        total = np.multiply.outer(total, (last - first).astype(dtype))
    one = total.flat[0]
    return one.item() if (total == one).all() else total


def _float_of(x: Array) -> Any:
    return x.dtype if x.dtype.kind == "f" else np.float64


def _pool_size(shape: Shape, size: Shape, **how: Any) -> float:
    """Of the padded space, and of the windows: each of their places is added on its own, axis by axis."""
    at = pool_windows(size, **how)
    padded = room(*shape[:2], *at.padded)
    return padded + joint_room(shape, at.counts) * sum(at.kernel)


def _averaged(rank: int, x: Array, *, count_include_pad: bool, **params: Any) -> Array:
    at = pool_windows(space_of(x, rank), **params)
    return reduced(x, at, np.add, 0) / _divisor(at, _float_of(x), count_include_pad)


def avg_pool_x(g: Any, out: Any, x: Any, **params: Any) -> Any:
    """Every element of a window receives its share, 1/m of the cotangent of a mean of m."""
    return avg_unpool(g, output_size=x.shape[2:], **params)


@primitive(
    vjps={"x": avg_pool_x},
    size=lambda x, *, count_include_pad, **how: _pool_size(x.shape, x.shape[2:], **how),
    formula=Formula(
        "avg_pool1d({x})", r"\operatorname{{avgpool}}\left({x}\right)", symbol="avg pool"
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 2, 5)), kernel_size=2),
        sample(rng.normal(size=(1, 2, 6)), kernel_size=3, stride=2, padding=1),
        sample(rng.normal(size=(1, 2, 4)), kernel_size=2, padding=1, count_include_pad=False),
        sample(rng.normal(size=(1, 1, 6)), kernel_size=3, stride=2, ceil_mode=True),
        sample(np.empty((0, 2, 4)), kernel_size=2),
    ],
    hint="x is (N, channels, length)",
)
def avg_pool1d(
    x: Array,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of every window of a sequence; stride = kernel_size if not given.

    x: (N, C, T). Returns: (N, C, (T + 2 · padding − kernel_size) // stride + 1).
    Padding is 0 and counts as elements, unless count_include_pad is False.
    """
    return _averaged(
        1,
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


@primitive(
    vjps={"x": avg_pool_x},
    size=lambda x, *, count_include_pad, **how: _pool_size(x.shape, x.shape[2:], **how),
    formula=Formula(
        "avg_pool2d({x})", r"\operatorname{{avgpool}}\left({x}\right)", symbol="avg pool"
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(1, 2, 4, 4)), kernel_size=2),
        sample(rng.normal(size=(1, 1, 4, 5)), kernel_size=(2, 3), stride=(2, 1), padding=(0, 1)),
        sample(
            rng.normal(size=(2, 1, 3, 3)),
            kernel_size=2,
            stride=1,
            padding=1,
            count_include_pad=False,
        ),
        sample(rng.normal(size=(1, 1, 4, 5)), kernel_size=3, stride=2, padding=1, ceil_mode=True),
        sample(np.empty((0, 1, 4, 4)), kernel_size=2),
    ],
    hint="x is (N, channels, height, width)",
)
def avg_pool2d(
    x: Array,
    *,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of every window of an image; stride = kernel_size if not given.

    x: (N, C, H, W). Returns: (N, C, H', W'), H' = (H + 2 · padding − kernel_size) // stride + 1, rounded up if
    ceil_mode. Every parameter is one number or (of H, of W).
    Padding is 0 and counts as elements, unless count_include_pad is False.
    """
    return _averaged(
        2,
        x,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )


def avg_unpool_x(g: Any, out: Any, x: Any, *, output_size: Shape, **params: Any) -> Any:
    """The mean over each window of the cotangent."""
    return (avg_pool1d if x.ndim == 3 else avg_pool2d)(g, **params)


@primitive(
    vjps={"x": avg_unpool_x},
    size=lambda x, *, output_size, count_include_pad, **how: _pool_size(
        x.shape, output_size, **how
    ),
    formula=Formula(
        "avg_unpool({x})",
        r"\operatorname{{avgpool}}^{{\mathsf{{T}}}}\left({x}\right)",
        symbol="avg poolᵀ",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(1, 2, 2, 2)), output_size=(4, 4), kernel_size=2),
        sample(rng.normal(size=(1, 2, 3)), output_size=(6,), kernel_size=3, stride=2, padding=1),
        sample(
            rng.normal(size=(1, 1, 4, 4)),
            output_size=(3, 3),
            kernel_size=2,
            stride=1,
            padding=1,
            count_include_pad=False,
        ),
        sample(np.empty((0, 1, 2)), output_size=(4,), kernel_size=2),
    ],
)
def avg_unpool(
    x: Array,
    *,
    output_size: Shape,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The transpose of average pooling: every number divided among the elements of its window.

    x: (N, C, *windows). output_size: the size of the space that was pooled. Returns: (N, C, *output_size).
    """
    at = pool_windows(
        output_size, kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode
    )
    return spread_out(x / _divisor(at, _float_of(x), count_include_pad), at)


# ----- to a given size


def stretches(size: Shape, output_size: Sizes) -> Shape:
    """How many stretches there are on each axis."""
    if isinstance(output_size, tuple) and len(output_size) == len(size):
        pairs = zip(size, output_size, strict=True)
        output_size = tuple(n if m is None else m for n, m in pairs)
    elif output_size is None:
        output_size = size
    return per_axis("output_size", output_size, len(size), 1)  # type: ignore[arg-type]


def _spans(size: Shape, output_size: Sizes) -> list[list[slice]]:
    """For each axis, the stretch that each element of the result averages over: ⌊i·n/m⌋ to ⌈(i+1)·n/m⌉."""
    return [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(size, stretches(size, output_size), strict=True)
    ]


def _adaptive_size(x: Any, size: Shape, output_size: Sizes) -> float:
    larger = map(max, size, stretches(size, output_size))
    return room(*x.shape[:2], *larger)


def _at(axis: int, part: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, part)


def _adapted(rank: int, x: Array, output_size: Sizes) -> Array:
    size = space_of(x, rank)
    for axis, spans in enumerate(_spans(size, output_size), 2):
        shape = (*x.shape[:axis], len(spans), *x.shape[axis + 1 :])
        y = np.empty(shape, dtype=_float_of(x))
        for i, span in enumerate(spans):
            total = np.add.reduce(x[_at(axis, span)], axis=axis)
            y[_at(axis, i)] = total / (span.stop - span.start)
        x = y
    return x


def adaptive_avg_pool_x(g: Any, out: Any, x: Any, *, output_size: Sizes) -> Any:
    """Every element of a stretch of m receives 1/m of its cotangent."""
    return adaptive_avg_unpool(g, output_size=x.shape[2:])


@primitive(
    vjps={"x": adaptive_avg_pool_x},
    size=lambda x, *, output_size: _adaptive_size(x, x.shape[2:], output_size),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 2, 5)), output_size=2),
        sample(rng.normal(size=(1, 2, 3)), output_size=4),
        sample(rng.normal(size=(1, 2, 4)), output_size=1),
        sample(np.empty((0, 2, 4)), output_size=2),
    ],
    hint="x is (N, channels, length)",
)
def adaptive_avg_pool1d(x: Array, *, output_size: Sizes) -> Array:
    """Mean over stretches of a sequence, as many as asked for: from ⌊i·T/m⌋ to before ⌈(i+1)·T/m⌉ for i < m.

    x: (N, C, T). Returns: (N, C, output_size). Stretches overlap if T is no multiple of output_size.
    """
    return _adapted(1, x, output_size)


@primitive(
    vjps={"x": adaptive_avg_pool_x},
    size=lambda x, *, output_size: _adaptive_size(x, x.shape[2:], output_size),
    samples=lambda rng: [
        sample(rng.normal(size=(1, 2, 4, 4)), output_size=1),
        sample(rng.normal(size=(1, 1, 5, 4)), output_size=(3, None)),
        sample(rng.normal(size=(2, 1, 3, 2)), output_size=(2, 3)),
        sample(np.empty((0, 1, 3, 3)), output_size=2),
    ],
    hint="x is (N, channels, height, width)",
)
def adaptive_avg_pool2d(x: Array, *, output_size: Sizes) -> Array:
    """Mean over blocks of an image, as many as asked for: rows ⌊i·H/m⌋ to before ⌈(i+1)·H/m⌉ for i < m.

    x: (N, C, H, W). Returns: (N, C, *output_size); None in output_size keeps the size of that axis. Blocks overlap if
    the size is no multiple of output_size. output_size=1 is the mean over all of space.
    """
    return _adapted(2, x, output_size)


def adaptive_avg_unpool_x(g: Any, out: Any, x: Any, *, output_size: Shape) -> Any:
    """The mean of the cotangent over each stretch."""
    pool = adaptive_avg_pool1d if x.ndim == 3 else adaptive_avg_pool2d
    return pool(g, output_size=x.shape[2:])


@primitive(
    vjps={"x": adaptive_avg_unpool_x},
    size=lambda x, *, output_size: _adaptive_size(x, output_size, x.shape[2:]),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 1, 2)), output_size=(5,)),
        sample(rng.normal(size=(1, 2, 2, 3)), output_size=(3, 2)),
        sample(np.empty((0, 1, 2)), output_size=(4,)),
    ],
)
def adaptive_avg_unpool(x: Array, *, output_size: Shape) -> Array:
    """The transpose of adaptive average pooling: every number divided among the elements of its stretch.

    x: (N, C, *pooled). output_size: the size of the space that was pooled. Returns: (N, C, *output_size).
    """
    for axis, spans in enumerate(_spans(output_size, x.shape[2:]), 2):
        y = np.zeros((*x.shape[:axis], output_size[axis - 2], *x.shape[axis + 1 :]), dtype=x.dtype)
        for i, span in enumerate(spans):
            y[_at(axis, span)] += x[_at(axis, slice(i, i + 1))] / (span.stop - span.start)
        x = y
    return x
