"""Convolutions over sequences and images: columns of windows, times the weights. Layout and names as PyTorch's.

Forward, y = W · unfold(x). Backward, x receives fold(Wᵀ g) and W receives g · unfold(x)ᵀ; a transposed convolution is
the same pair with the two directions exchanged. (As everywhere in networks the kernel is not flipped: a correlation.)
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ops.declaring import primitive
from ops.formula import Formula
from ops.linalg import swap_last
from ops.primitive import NUMBERS, Array, sample
from ops.reduce import sum
from ops.shape import Shape, reshape, room
from ops.windows import (
    Padding,
    PerAxis,
    Windows,
    fold,
    per_axis,
    sliding,
    unfold,
    windows,
    windows_size,
)

_AXES = {1: "(N, channels, length)", 2: "(N, channels, height, width)"}


# ----- what goes with what


class Layout(NamedTuple):
    """The groups of a convolution, and the shapes in which it is a stack of matrix products."""

    at: Windows
    weight: Shape
    """(groups, channels of y in a group, channels of x in a group · places in the kernel)"""
    columns: Shape
    """(N, groups, channels of x in a group · places in the kernel, windows)"""
    products: Shape
    """(N, groups, channels of y in a group, windows)"""


def layout(x: Shape, weight: Shape, *, groups: int, padding: Padding | str, **steps: Any) -> Layout:
    """How a weight of shape (out, in / groups, *kernel) lies over inputs of shape (batch, in, *size)."""
    batch, size, kernel = x[0], x[2:], weight[2:]
    at = windows(
        size, kernel_size=kernel, padding=_numbered(padding, kernel, size, **steps), **steps
    )
    outputs, inputs = weight[0] // groups, math.prod(weight[1:])
    count = math.prod(at.counts)
    return Layout(
        at,
        (groups, outputs, inputs),
        (batch, groups, inputs, count),
        (batch, groups, outputs, count),
    )


def _numbered(
    padding: Padding | str, kernel: Shape, size: Shape, *, stride: PerAxis, dilation: PerAxis
) -> Padding:
    """Padding in numbers: "valid" is none, "same" keeps the size, "causal" looks at nothing that is still to come."""
    if not isinstance(padding, str):
        return padding
    rank = len(kernel)
    if padding == "valid":
        return 0
    known = ("valid", "same", "causal")[: 3 if rank == 1 else 2]
    if padding not in known:
        raise ValueError(f"padding is {padding!r}, but is a number or one of {', '.join(known)}")
    spread = per_axis("dilation", dilation, rank, 1)
    wanted = tuple(d * (k - 1) for d, k in zip(spread, kernel, strict=True))
    if padding == "causal":
        return ((wanted[0], 0),)
    if max(per_axis("stride", stride, rank, 1)) > 1:
        raise ValueError(f"padding 'same' keeps the size, but a stride of {stride} reduces it")
    return tuple((total // 2, total - total // 2) for total in wanted)


def check(x: Array, weight: Array, bias: Array, groups: int, rank: int, *, turned: bool) -> None:
    """The channels fit; turned: of a transposed convolution, whose weight is (in, out / groups, *kernel)."""
    if np.ndim(x) != rank + 2 or np.ndim(weight) != rank + 2:
        name, got = ("x", x) if np.ndim(x) != rank + 2 else ("weight", weight)
        axes = _AXES[rank] if name == "x" else "(out channels, channels in a group, *kernel)"
        raise ValueError(f"{name} has shape {np.shape(got)}, but must be {axes}")
    (groups,) = per_axis("groups", groups, 1, 1)
    channels, outputs = x.shape[1], weight.shape[1] * groups if turned else len(weight)
    taken = len(weight) if turned else weight.shape[1] * groups
    if channels != taken:
        of_groups = f" in {groups} groups" if groups > 1 else ""
        raise ValueError(f"x has {channels} channels, but weight takes {taken}{of_groups}")
    for name, number in (("x", channels), ("the result", outputs)):
        if number % groups:
            raise ValueError(f"{name} has {number} channels, which {groups} groups cannot share")
    if type(bias) not in NUMBERS and np.shape(bias) != (outputs,):
        raise ValueError(f"bias has shape {np.shape(bias)}, but the result {outputs} channels")


def shifted(y: Array, bias: Array) -> Array:
    """The bias of each channel added; a number that stands in for it is 0."""
    if type(bias) in NUMBERS:
        return y + bias if bias else y
    return y + bias.reshape(-1, *(1,) * (y.ndim - 2))


def bias_rule(g: Any, out: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """The sum over the batch and over space."""
    return sum(g, axis=(0, *range(2, g.ndim)))


# ----- convolution


def conv_x(g: Any, out: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """fold(Wᵀ g): every window receives the weights, each times the cotangent of its channel."""
    how = layout(x.shape, weight.shape, **params)
    matrix = reshape(weight, shape=how.weight)
    return folded(swap_last(matrix) @ reshape(g, shape=how.products), how.at)


def folded(columns: Any, at: Windows) -> Any:
    """Columns in groups, (N, groups, inputs, windows), put together where they lie."""
    batch, groups, inputs, count = columns.shape
    columns = reshape(columns, shape=(batch, groups * inputs, count))
    return fold(columns, output_size=at.size, **at.params)


def conv_weight(g: Any, out: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """g · unfold(x)ᵀ, summed over the batch."""
    how = layout(x.shape, weight.shape, **params)
    columns = reshape(unfold(x, **how.at.params), shape=how.columns)
    per_sample = reshape(g, shape=how.products) @ swap_last(columns)
    return reshape(sum(per_sample, axis=0), shape=weight.shape)


def conv_parts(
    x: Any,
    weight: Any,
    bias: Any = 0.0,
    *,
    stride: PerAxis = 1,
    padding: Padding | str = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """The windows as columns, the weights times them, the bias."""
    steps = {"stride": stride, "padding": padding, "dilation": dilation}
    how = layout(x.shape, weight.shape, groups=groups, **steps)
    columns = reshape(unfold(x, **how.at.params), shape=how.columns)
    products = reshape(weight, shape=how.weight) @ columns
    y = reshape(products, shape=(x.shape[0], weight.shape[0], *how.at.counts))
    if type(bias) in NUMBERS:
        return y
    return y + reshape(bias, shape=(bias.size, *(1,) * len(how.at.counts)))


def _convolved(rank: int, x: Array, weight: Array, bias: Array, groups: int, **steps: Any) -> Array:
    check(x, weight, bias, groups, rank, turned=False)
    how = layout(x.shape, weight.shape, groups=groups, **steps)
    columns = sliding(x, how.at).reshape(how.columns)
    products = weight.reshape(how.weight) @ columns
    return shifted(products.reshape(len(x), len(weight), *how.at.counts), bias)


def layout_size(how: Layout) -> float:
    """Of the columns, the products, and the flow of the weight for each sample."""
    batch, groups, *_ = how.columns
    inputs = how.columns[2] // room(*how.at.kernel)
    columns = windows_size((batch, groups * int(inputs)), how.at)
    return columns + room(*how.products) + room(batch, *how.weight)


def _conv_size(x: Any, weight: Any, bias: Any, **params: Any) -> float:
    return layout_size(layout(x.shape, weight.shape, **params))


_RULES = {"x": conv_x, "weight": conv_weight, "bias": bias_rule}


@primitive(
    vjps=_RULES,
    size=_conv_size,
    optional={"bias": 0.0},
    formula=Formula(
        "conv1d({x}, {weight}, {bias})",
        r"\operatorname{{conv}}\left({x}, {weight}, {bias}\right)",
        symbol="∗",
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 2, 5)), rng.normal(size=(3, 2, 2)), rng.normal(size=3)),
        sample(rng.normal(size=(1, 2, 5)), rng.normal(size=(2, 2, 3)), 0.0, padding="same"),
        sample(
            rng.normal(size=(1, 1, 6)), rng.normal(size=(2, 1, 2)), padding="causal", dilation=3
        ),
        sample(
            rng.normal(size=(1, 4, 5)),
            rng.normal(size=(2, 2, 2)),
            rng.normal(size=2),
            groups=2,
            stride=2,
            padding=1,
        ),
        (np.empty((0, 1, 3)), rng.normal(size=(2, 1, 2)), rng.normal(size=2)),
    ],
    parts=conv_parts,
    parts_ulps=16,
    hint="x is (N, channels, length), weight is (out channels, channels / groups, kernel length)",
)
def conv1d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: PerAxis = 1,
    padding: Padding | str = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    """Convolution over a sequence: the same weights at every place.

    y[n, o, t] = bias[o] + Σ_c Σ_k weight[o, c, k] · x[n, c, stride · t + dilation · k − padding]

    x: (N, C, T). weight: (O, C / groups, K). bias: (O,) or left out. Returns: (N, O, T'),
    T' = (T + 2 · padding − dilation · (K − 1) − 1) // stride + 1.
    padding: a number; "valid", none; "same", T' = T; or "causal", (K − 1) · dilation zeros in front, so that y[t] sees
    nothing behind x[t] (van den Oord et al. 2016).
    """
    steps = {"stride": stride, "padding": padding, "dilation": dilation}
    return _convolved(1, x, weight, bias, groups, **steps)


@primitive(
    vjps=_RULES,
    size=_conv_size,
    optional={"bias": 0.0},
    formula=Formula(
        "conv2d({x}, {weight}, {bias})",
        r"\operatorname{{conv}}\left({x}, {weight}, {bias}\right)",
        symbol="∗",
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 1, 3, 4)), rng.normal(size=(2, 1, 2, 3)), rng.normal(size=2)),
        sample(
            rng.normal(size=(1, 2, 4, 4)),
            rng.normal(size=(4, 1, 2, 2)),
            rng.normal(size=4),
            groups=2,
            stride=(2, 1),
            padding=(1, 0),
            dilation=(1, 2),
        ),
        sample(rng.normal(size=(1, 1, 3, 3)), rng.normal(size=(1, 1, 2, 2)), padding="same"),
        (rng.normal(size=(1, 3, 2, 2)), rng.normal(size=(2, 3, 1, 1)), 0.0),
        (np.empty((0, 1, 3, 3)), rng.normal(size=(2, 1, 2, 2)), rng.normal(size=2)),
    ],
    parts=conv_parts,
    parts_ulps=16,
    hint="x is (N, channels, height, width), weight is (out channels, channels / groups, height, width)",
)
def conv2d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: PerAxis = 1,
    padding: Padding | str = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    """Convolution over images: the same weights at every place.

    y[n, o, i, j] = bias[o] + Σ_c Σ_k Σ_l weight[o, c, k, l] · x[n, c, stride · i + dilation · k − padding, …]

    x: (N, C, H, W). weight: (O, C / groups, K, L). bias: (O,) or left out. Returns: (N, O, H', W'),
    H' = (H + 2 · padding − dilation · (K − 1) − 1) // stride + 1.
    stride, padding, dilation: one number or (of H, of W); padding also "valid", none, or "same", H' = H and W' = W.
    """
    steps = {"stride": stride, "padding": padding, "dilation": dilation}
    return _convolved(2, x, weight, bias, groups, **steps)
