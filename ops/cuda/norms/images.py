"""Normalisations with a scale and shift for each channel, axis 1 of (N, C, ...), on a device: rows of pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.axes import axes_of
from ops.channel_norms import along_channels, channel_shape, group_norm, instance_norm
from ops.cuda.kernel import Launch
from ops.cuda.norms import kernels
from ops.cuda.norms.batch import affine_columns, columns_pull, columns_value, statistics_of
from ops.cuda.norms.layer import flow_of_rows, lanes_of, normalised_rows
from ops.cuda.norms.vectors import (
    MOST,
    as_vector,
    is_plain,
    is_vector,
    slopes_sum,
    vector_and_number,
    with_vectors,
)
from ops.devices.arrays import DeviceArray, empty
from ops.elementwise import sqrt
from ops.normalize import feature_shape, scaled
from ops.reduce import Axis, kept_shape


def _pixels(x: DeviceArray) -> int:
    """How many elements a channel of a sample has."""
    return math.prod(x.shape[2:])


def _flat(x: DeviceArray) -> DeviceArray:
    """The elements in one row."""
    return x.reshape(x.size)


def _launch(x: DeviceArray) -> Launch:
    """A block for each channel of each sample."""
    return Launch(min(x.shape[0] * x.shape[1], MOST), lanes_of(_pixels(x)))


def _vectors(x: DeviceArray, *given: Any) -> list[Any] | None:
    """Vectors over channels, or numbers; None if one is neither."""
    kept = (1, x.shape[1], *(1,) * (x.ndim - 2))
    found = [as_vector(v, x, channel_shape(v, x), kept) for v in given]
    return None if any(v is None for v in found) else found


def _slopes(
    g: DeviceArray, x: DeviceArray, mean: DeviceArray, inverse: DeviceArray, shared: int
) -> tuple[DeviceArray, DeviceArray]:
    """Σg and Σ g x̂ of every channel; `shared` channels of a sample have the same statistics."""
    part = empty(x.device, (x.shape[0], 2, x.shape[1]), x.dtype)
    options = {"lanes": lanes_of(_pixels(x))}
    arguments = [_flat(g).memory, _flat(x).memory, mean.memory, inverse.memory, shared, part.memory]
    x.device.launch(kernels.CHANNEL_SLOPES, x.dtype, _launch(x), arguments, options)
    return slopes_sum(part)


# ----- over the batch


def _by_channels(x: Any, gamma: Any, beta: Any, axis: Axis) -> list[Any] | None:
    """Scale and shift, where every axis but that of the channels is reduced."""
    if not is_plain(x) or x.ndim < 3:
        return None
    if sorted(axes_of(axis, x.ndim)) != [0, *range(2, x.ndim)]:
        return None
    kept = kept_shape(x.shape, axis)
    found = [as_vector(v, x, feature_shape(v, x, axis), kept) for v in (gamma, beta)]
    return None if any(v is None for v in found) else found


def batch_value(
    x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The normalised batch and its statistics, by columns or by channels; x is read twice."""
    found = _by_channels(x, gamma, beta, axis)
    if found is None:
        return columns_value(x, gamma, beta, eps=eps, axis=axis)
    part = empty(x.device, (x.shape[0], 2, x.shape[1]), x.dtype)
    arguments, options = [_flat(x).memory, part.memory], {"lanes": lanes_of(_pixels(x))}
    x.device.launch(kernels.CHANNEL_MOMENTS, x.dtype, _launch(x), arguments, options)
    samples = x.reshape(x.shape[0], x.shape[1] * _pixels(x))
    mean, inv_std = statistics_of(samples, part, _pixels(x), eps)
    kept = kept_shape(x.shape, axis)
    saved = {"mean": mean.reshape(kept), "inv_std": inv_std.reshape(kept)}
    return _affine(x, found[0], found[1], mean, inv_std), saved


def _affine(
    x: DeviceArray, scale: Any, shift: Any, mean: DeviceArray, inv_std: DeviceArray
) -> DeviceArray:
    """The channels by given statistics."""
    y = empty(x.device, x.shape, x.dtype)
    if _pixels(x) == 1:
        affine_columns(x.reshape(x.shape[:2]), scale, shift, mean, inv_std, y)
        return y
    gamma, gain = vector_and_number(scale, mean)
    beta, lift = vector_and_number(shift, mean)
    options = {
        "lanes": lanes_of(_pixels(x)),
        "scaled": is_vector(scale),
        "shifted": is_vector(shift),
    }
    memories = mean.memory, inv_std.memory, _flat(y).memory
    arguments = [_flat(x).memory, gamma, beta, gain, lift, _pixels(x), *memories]
    x.device.launch(kernels.CHANNEL_AFFINE, x.dtype, _launch(x), arguments, options)
    return y


def batch_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of x, scale and shift, by columns or by channels; g and x are read twice."""
    x = inputs[0]
    found = _by_channels(x, inputs[1], inputs[2], params["axis"])
    if found is None:
        return columns_pull(g, out, inputs, wanted, params, saved)
    if not is_plain(g) or g.shape != x.shape or g.dtype != x.dtype:
        return None
    mean, inv_std = (saved[name].reshape(x.shape[1]) for name in ("mean", "inv_std"))
    sums = _slopes(g, x, mean, inv_std, 1)
    flows: list[Any] = [None, None, None]
    if wanted[0]:
        flows[0] = empty(x.device, x.shape, x.dtype)
        gamma = vector_and_number(found[0], mean)
        memories = [each.memory for each in (mean, inv_std, *sums, _flat(flows[0]))]
        arguments = [_flat(g).memory, _flat(x).memory, *gamma, _pixels(x), *memories]
        options = {"lanes": lanes_of(_pixels(x)), "scaled": is_vector(found[0])}
        x.device.launch(kernels.CHANNEL_FLOW, x.dtype, _launch(x), arguments, options)
    return with_vectors(flows, wanted, inputs, sums)


def inference_value(
    x: Any, mean: Any, var: Any, gamma: Any, beta: Any, *, eps: float
) -> DeviceArray | None:
    """The batch by given statistics of its channels, in one pass."""
    if not is_plain(x) or x.ndim < 2:
        return None
    found = _vectors(x, mean, var, gamma, beta)
    if found is None or not is_vector(found[0]) or not is_vector(found[1]):
        return None
    return _affine(x, found[2], found[3], found[0], 1 / sqrt(found[1] + eps))


# ----- over groups of channels of a sample


def group_value(
    x: Any, gamma: Any, beta: Any, *, groups: int, eps: float
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The normalised channels, and the statistics of each group of each sample."""
    if not is_plain(x):
        return None
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:  # refused in the words of the definition
        group_norm.kernel(np.empty(x.shape, x.dtype), 1.0, 0.0, groups=groups, eps=eps)
    found = _vectors(x, gamma, beta)
    if found is None:
        return None
    flat = x.reshape(x.shape[0] * groups, x.shape[1] // groups * _pixels(x))
    y, mean, inverse = normalised_rows(flat, found[0], found[1], eps, True, (groups, _pixels(x)))
    kept = x.shape[0], groups, 1
    return y.reshape(x.shape), {"mean": mean.reshape(kept), "inv_std": inverse.reshape(kept)}


def group_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of x, scale and shift; a scale is put on g in a pass of its own."""
    return _pull(g, inputs, wanted, params["groups"], saved)


def instance_value(
    x: Any, gamma: Any, beta: Any, *, eps: float
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The normalised channels, each a group of its own, and the statistics of each of each sample."""
    if type(x) is DeviceArray and x.ndim < 3:  # refused in the words of the definition
        instance_norm.kernel(np.empty(x.shape, x.dtype), 1.0, 0.0, eps=eps)
    found = group_value(x, gamma, beta, groups=x.shape[1], eps=eps) if is_plain(x) else None
    if found is None:
        return None
    kept = (*x.shape[:2], *(1,) * (x.ndim - 2))
    return found[0], {name: each.reshape(kept) for name, each in found[1].items()}


def instance_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of x, scale and shift."""
    return _pull(g, inputs, wanted, inputs[0].shape[1], saved)


def _pull(
    g: Any, inputs: Sequence[Any], wanted: Sequence[bool], groups: int, saved: Mapping[str, Any]
) -> list[Any] | None:
    x, gamma, beta = inputs
    if not is_plain(x) or not is_plain(g) or g.shape != x.shape or g.dtype != x.dtype:
        return None
    if _vectors(x, gamma, beta) is None:
        return None
    count = x.shape[0] * groups
    mean, inverse = (saved[name].reshape(count) for name in ("mean", "inv_std"))
    flows: list[Any] = [None, None, None]
    if wanted[0]:
        g_hat = scaled(g, along_channels(gamma, x)).reshape(count, x.size // count)
        flat = x.reshape(g_hat.shape)
        flows[0] = flow_of_rows(g_hat, flat, 1.0, mean, inverse, 0)[0].reshape(x.shape)
    if not wanted[1] and not wanted[2]:
        return flows
    sums = _slopes(g, x, mean, inverse, x.shape[1] // groups)
    return with_vectors(flows, wanted, inputs, sums)
