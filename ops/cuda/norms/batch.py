"""Batch normalisation over leading axes on a device: rows split into slabs, so that strips of columns fill it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ops.axes import axes_of
from ops.cuda.kernel import Launch
from ops.cuda.norms import columns, kernels
from ops.cuda.norms.vectors import (
    BLOCKS,
    MOST,
    as_vector,
    is_plain,
    is_vector,
    power_of_two,
    slopes_sum,
    sums_launch,
    vector_and_number,
    with_vectors,
)
from ops.devices.arrays import DeviceArray, empty
from ops.normalize import feature_shape
from ops.reduce import Axis, kept_shape


def _strip(size: int) -> int:
    """How many columns a strip has: fewer where there are fewer."""
    return min(columns.STRIP, power_of_two(size))


def slabs_of(count: int, size: int) -> int:
    """In how many slabs the rows of (count, size) are split: to fill a GPU, each row of lanes eight rows at least."""
    width = _strip(size)
    strips = -(-size // width)
    least = 8 * (columns.LANES // width)
    return max(1, min(-(-BLOCKS // strips), count // least, 1024))


def _writing_launch(count: int, size: int) -> Launch:
    pieces = -(-count // columns.TALL) * -(-size // _strip(size))
    return Launch(min(pieces, MOST), columns.LANES)


def _by_columns(x: Any, gamma: Any, beta: Any, axis: Axis) -> tuple[Any, Any, Any] | None:
    """x as (N, D), scale and shift, where the axes that are reduced come first and the vectors lie along the others."""
    if not is_plain(x):
        return None
    reduced = tuple(sorted(axes_of(axis, x.ndim)))
    if not reduced or reduced != tuple(range(len(reduced))):
        return None
    kept = kept_shape(x.shape, axis)
    vectors = [as_vector(v, x, feature_shape(v, x, axis), kept) for v in (gamma, beta)]
    if any(v is None for v in vectors):
        return None
    return x.reshape(-1, math.prod(kept)), vectors[0], vectors[1]


def columns_value(
    x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The normalised batch and its statistics: moments of slabs, statistics of columns, the value; x is read twice."""
    found = _by_columns(x, gamma, beta, axis)
    if found is None:
        return None
    flat, scale, shift = found
    count, size = flat.shape
    device, dtype, width = x.device, x.dtype, _strip(size)
    slabs = slabs_of(count, size)
    part = empty(device, (slabs, 2, size), dtype)
    y = empty(device, x.shape, dtype)
    launch, line = Launch(slabs * -(-size // width), columns.LANES), x.reshape(x.size)
    device.launch(kernels.MOMENTS, dtype, launch, [line.memory, part.memory], {"width": width})
    mean, inv_std = statistics_of(flat, part, 1, eps)
    affine_columns(flat, scale, shift, mean, inv_std, y)
    kept = kept_shape(x.shape, axis)
    return y, {"mean": mean.reshape(kept), "inv_std": inv_std.reshape(kept)}


def statistics_of(
    flat: DeviceArray, part: DeviceArray, pixels: int, eps: float
) -> tuple[DeviceArray, DeviceArray]:
    """Mean and inverse deviation of each of the columns, or channels of so many columns, from moments of slabs."""
    device, dtype, size = flat.device, flat.dtype, part.shape[2]
    mean, inv_std = empty(device, (size,), dtype), empty(device, (size,), dtype)
    arguments = [flat.memory, part.memory, pixels, float(eps), mean.memory, inv_std.memory]
    device.launch(kernels.STATISTICS, dtype, sums_launch(size), arguments)
    return mean, inv_std


def affine_columns(
    flat: DeviceArray,
    scale: Any,
    shift: Any,
    mean: DeviceArray,
    inv_std: DeviceArray,
    y: DeviceArray,
) -> None:
    """Writes y: the columns of `flat` by given statistics."""
    (gamma, gain), (beta, lift) = vector_and_number(scale, mean), vector_and_number(shift, mean)
    options = {
        "width": _strip(flat.shape[1]),
        "scaled": is_vector(scale),
        "shifted": is_vector(shift),
    }
    memories = mean.memory, inv_std.memory, y.reshape(y.size).memory
    arguments = [flat.reshape(flat.size).memory, gamma, beta, gain, lift, *memories]
    flat.device.launch(kernels.AFFINE, flat.dtype, _writing_launch(*flat.shape), arguments, options)


def columns_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of x, scale and shift: sums of slabs, sums of columns, the flow of x; g and x are read twice."""
    x, gamma, beta = inputs
    found = _by_columns(x, gamma, beta, params["axis"])
    if found is None or not is_plain(g) or g.shape != x.shape or g.dtype != x.dtype:
        return None
    flat, scale, _ = found
    count, size = flat.shape
    device, dtype, width = x.device, x.dtype, _strip(size)
    mean, inv_std = saved["mean"].reshape(size), saved["inv_std"].reshape(size)
    slabs = slabs_of(count, size)
    part = empty(device, (slabs, 2, size), dtype)
    launch = Launch(slabs * -(-size // width), columns.LANES)
    given = [each.reshape(each.size).memory for each in (g, x)]
    statistics = [mean.memory, inv_std.memory]
    arguments = [*given, *statistics, part.memory]
    device.launch(kernels.SLOPES, dtype, launch, arguments, {"width": width})
    sums = slopes_sum(part)
    flows: list[Any] = [None, None, None]
    if wanted[0]:
        by_x = empty(device, (flat.size,), dtype)
        arguments = [*given, *vector_and_number(scale, mean), *statistics]
        arguments += [*(total.memory for total in sums), by_x.memory]
        options = {"width": width, "scaled": is_vector(scale)}
        device.launch(kernels.FLOW, dtype, _writing_launch(count, size), arguments, options)
        flows[0] = by_x.reshape(x.shape)
    return with_vectors(flows, wanted, inputs, sums)
