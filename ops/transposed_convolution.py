"""Transposed convolution over images: W back through the windows, in order to make images larger."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.convolution import Layout, bias_rule, check, folded, layout, layout_size, shifted
from ops.declaring import primitive
from ops.formula import Formula
from ops.linalg import swap_last
from ops.primitive import NUMBERS, Array, sample
from ops.reduce import sum
from ops.shape import Shape, reshape
from ops.windows import PerAxis, by, per_axis, put_together, unfold


def turned_layout(
    x: Shape,
    weight: Shape,
    *,
    stride: PerAxis,
    padding: PerAxis,
    output_padding: PerAxis,
    dilation: PerAxis,
    groups: int,
) -> Layout:
    """The layout of the convolution whose transpose this is: from the result's size to windows `count`."""
    count, kernel = x[2:], weight[2:]
    rank = len(count)
    stride = per_axis("stride", stride, rank, 1)
    dilation = per_axis("dilation", dilation, rank, 1)
    padding = per_axis("padding", padding, rank, 0)
    extra = per_axis("output_padding", output_padding, rank, 0)
    for more, s, d in zip(extra, stride, dilation, strict=True):
        if more >= max(s, d):
            raise ValueError(
                f"output_padding is {output_padding}, but must be smaller than the stride or the dilation"
            )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + more
        for n, s, p, d, k, more in zip(count, stride, padding, dilation, kernel, extra, strict=True)
    )
    if min(size) < 1:
        raise ValueError(f"a padding of {by(padding)} leaves a result of {by(size)}")
    sides = tuple((p, p - more) for p, more in zip(padding, extra, strict=True))
    steps: dict[str, Any] = {"stride": stride, "padding": sides, "dilation": dilation}
    return layout((x[0], weight[1] * groups, *size), weight, groups=groups, **steps)


def turned_x(g: Any, out: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """W · unfold(g): the convolution whose transpose this is."""
    how = turned_layout(x.shape, weight.shape, **params)
    columns = reshape(unfold(g, **how.at.params), shape=how.columns)
    return reshape(reshape(weight, shape=how.weight) @ columns, shape=x.shape)


def turned_weight(g: Any, out: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    """x · unfold(g)ᵀ, summed over the batch."""
    how = turned_layout(x.shape, weight.shape, **params)
    columns = reshape(unfold(g, **how.at.params), shape=how.columns)
    per_sample = reshape(x, shape=how.products) @ swap_last(columns)
    return reshape(sum(per_sample, axis=0), shape=weight.shape)


def conv_transpose2d_parts(
    x: Any,
    weight: Any,
    bias: Any = 0.0,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """The weights times every element of x, put together where the windows lie, and the bias."""
    how = turned_layout(
        x.shape,
        weight.shape,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
    )
    matrix = reshape(weight, shape=how.weight)
    y = folded(swap_last(matrix) @ reshape(x, shape=how.products), how.at)
    return y if type(bias) in NUMBERS else y + reshape(bias, shape=(bias.size, 1, 1))


@primitive(
    vjps={"x": turned_x, "weight": turned_weight, "bias": bias_rule},
    optional={"bias": 0.0},
    formula=Formula(
        "conv_transpose2d({x}, {weight}, {bias})",
        r"\operatorname{{conv}}^{{\mathsf{{T}}}}\left({x}, {weight}, {bias}\right)",
        symbol="∗ᵀ",
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 2, 2, 3)), rng.normal(size=(2, 2, 2, 2)), rng.normal(size=2)),
        sample(
            rng.normal(size=(1, 4, 2, 2)),
            rng.normal(size=(4, 1, 2, 3)),
            rng.normal(size=2),
            groups=2,
            stride=(2, 1),
            padding=(1, 0),
            output_padding=(1, 0),
        ),
        sample(
            rng.normal(size=(1, 1, 2, 2)),
            rng.normal(size=(1, 2, 2, 2)),
            dilation=2,
            output_padding=1,
        ),
        (np.empty((0, 1, 2, 2)), rng.normal(size=(1, 2, 2, 2)), rng.normal(size=2)),
    ],
    parts=conv_transpose2d_parts,
    size=lambda x, weight, bias, **params: layout_size(
        turned_layout(x.shape, weight.shape, **params)
    ),
    parts_ulps=16,
    hint="x is (N, channels, height, width), weight is (channels, out channels / groups, height, width)",
)
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Array:
    """Transposed convolution over images: what `conv2d` sends back to its input, used forwards to make images larger.

    x: (N, C, H, W). weight: (C, O / groups, K, L). bias: (O,) or left out. Returns: (N, O, H', W'),
    H' = (H − 1) · stride − 2 · padding + dilation · (K − 1) + output_padding + 1.
    output_padding: more rows and columns behind, smaller than stride or dilation; `conv2d` of several sizes gives the
    same size, and this says which of them to go back to.
    """
    check(x, weight, bias, groups, 2, turned=True)
    how = turned_layout(
        x.shape,
        weight.shape,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
    )
    matrix = weight.reshape(how.weight)
    columns = np.swapaxes(matrix, -1, -2) @ x.reshape(how.products)
    inputs = weight.shape[1] * groups
    y = put_together(columns.reshape(len(x), inputs, *how.at.kernel, *how.at.counts), how.at)
    return shifted(y, bias)
