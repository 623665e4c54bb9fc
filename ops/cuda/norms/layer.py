"""Layer and root-mean-square normalisation on a device: a block to a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ops.axes import axes_of
from ops.cuda.kernel import Launch
from ops.cuda.norms import kernels, rows
from ops.cuda.norms.vectors import (
    MOST,
    as_vector,
    is_plain,
    is_vector,
    power_of_two,
    slopes_sum,
    vector_and_number,
    with_vectors,
)
from ops.devices.arrays import DeviceArray, empty
from ops.reduce import Axis, kept_shape


def lanes_of(size: int) -> int:
    """How many lanes share a row: so many that each has four elements, if that is a warp at least."""
    return min(max(power_of_two(-(-size // 4)), rows.WARP), 256)


def _by_rows(x: Any, vectors: Sequence[Any], axis: Axis) -> list[Any] | None:
    """x as (N, D) and the vectors, where the axes that are reduced come last and the vectors have their shape."""
    if not is_plain(x):
        return None
    reduced = tuple(sorted(axes_of(axis, x.ndim)))
    if not reduced or reduced != tuple(range(x.ndim - len(reduced), x.ndim)):
        return None
    features = tuple(x.shape[k] for k in reduced)
    found = [as_vector(v, x, getattr(v, "shape", ()), features) for v in vectors]
    if any(v is None for v in found):
        return None
    return [x.reshape(-1, math.prod(features)), *found]


def _rows_value(
    x: Any, gamma: Any, beta: Any, eps: float, axis: Axis, centred: bool
) -> tuple[DeviceArray, DeviceArray, DeviceArray] | None:
    """The value, the mean (unset if not centred) and the inverse deviation."""
    found = _by_rows(x, (gamma, beta), axis)
    if found is None:
        return None
    flat, scale, shift = found
    y, mean, inverse = normalised_rows(flat, scale, shift, eps, centred)
    kept = kept_shape(x.shape, axis)
    return y.reshape(x.shape), mean.reshape(kept), inverse.reshape(kept)


def normalised_rows(
    flat: DeviceArray,
    scale: Any,
    shift: Any,
    eps: float,
    centred: bool,
    channels: tuple[int, int] | None = None,
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The value, the mean (unset if not centred) and the inverse deviation of every row of (N, D).

    channels: in how many groups the channels are that scale and shift are of, and how many pixels each has.
    """
    device, dtype = flat.device, flat.dtype
    count, size = flat.shape
    inverse = empty(device, (count,), dtype)
    mean = empty(device, (count,), dtype) if centred else inverse
    y = empty(device, flat.shape, dtype)
    options = {
        "lanes": lanes_of(size),
        "centred": centred,
        "scaled": is_vector(scale),
        "shifted": is_vector(shift),
        "grouped": channels is not None,
    }
    gamma, gain = vector_and_number(scale, inverse)
    beta, lift = vector_and_number(shift, inverse)
    given = [gamma, beta, gain, lift, float(eps), size, *(channels or (1, 1))]
    written = [mean.memory, inverse.memory, y.reshape(y.size).memory]
    launch, line = Launch(min(count, MOST), lanes_of(size)), flat.reshape(flat.size)
    device.launch(kernels.FORWARD, dtype, launch, [line.memory, *given, *written], options)
    return y, mean, inverse


def layer_value(
    x: Any, gamma: Any, beta: Any, *, axis: Axis, eps: float
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The normalised rows, their means and inverse deviations."""
    found = _rows_value(x, gamma, beta, eps, axis, centred=True)
    return None if found is None else (found[0], {"mean": found[1], "inv_std": found[2]})


def rms_value(
    x: Any, gamma: Any, *, axis: Axis, eps: float
) -> tuple[DeviceArray, dict[str, DeviceArray]] | None:
    """The rows in units of their root mean squares, and the inverses of these."""
    found = _rows_value(x, gamma, 0.0, eps, axis, centred=False)
    return None if found is None else (found[0], {"inv_rms": found[2]})


ROOM = 32768
"""Bytes of shared memory for the sums of all columns; those of longer rows take a pass of their own."""
SLABS = 1056
"""Into how many slabs many rows are split, each the work of a block: eight on each of 132 multiprocessors."""


def rows_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The flows of x, scale and shift of both: g and x are read once from memory, long rows twice."""
    x, *vectors = inputs
    found = _by_rows(x, vectors, params["axis"])
    if found is None or not is_plain(g) or g.shape != x.shape or g.dtype != x.dtype:
        return None
    flat, scale = found[:2]
    count, size = flat.shape
    summed = any(wants and is_vector(v) for wants, v in zip(wanted[1:], vectors, strict=True))
    room = max(power_of_two(size), 256) if summed else 0
    long = 2 * room * x.dtype.itemsize > ROOM
    inverse = saved["inv_std" if "mean" in saved else "inv_rms"].reshape(count)
    mean = saved["mean"].reshape(count) if "mean" in saved else None
    flows: list[Any] = [None] * len(inputs)
    flat_g = g.reshape(flat.shape)
    part = _slopes_of_long_rows(flat_g, flat, mean, inverse) if long else None
    if wanted[0] or part is None:
        room = 0 if long else room
        by_x, of_slabs = flow_of_rows(flat_g, flat, scale, mean, inverse, room)
        flows[0] = by_x.reshape(x.shape) if wanted[0] else None
        part = of_slabs if part is None else part
    return with_vectors(flows, wanted, inputs, slopes_sum(part)) if summed else flows


def _slopes_of_long_rows(
    g: DeviceArray, flat: DeviceArray, mean: DeviceArray | None, inverse: DeviceArray
) -> DeviceArray:
    """The sums for shift and scale by slabs, (slabs, 2, D), in a pass of their own."""
    device, dtype = flat.device, flat.dtype
    count, size = flat.shape
    strips = -(-size // 256)
    part = empty(device, (max(1, min(SLABS // strips, count // 8)), 2, size), dtype)
    arguments = [
        g.reshape(flat.size).memory,
        flat.reshape(flat.size).memory,
        (inverse if mean is None else mean).memory,
        inverse.memory,
        part.memory,
    ]
    launch = Launch(min(strips * len(part), MOST), 256)
    device.launch(kernels.ROW_SLOPES, dtype, launch, arguments, {"centred": mean is not None})
    return part


def flow_of_rows(
    g: DeviceArray,
    flat: DeviceArray,
    scale: Any,
    mean: DeviceArray | None,
    inverse: DeviceArray,
    room: int,
) -> tuple[DeviceArray, DeviceArray]:
    """The flow of x, (N, D), and the sums for shift and scale by slabs, unset with no room. Without a mean, it is 0."""
    device, dtype = flat.device, flat.dtype
    count, size = flat.shape
    lanes = lanes_of(size)
    most = SLABS * 256 // lanes
    slabs = max(1, min(most, count // 8)) if room else min(most, count)
    part = empty(device, (slabs, 2, size if room else 1), dtype)
    by_x = empty(device, flat.shape, dtype)
    options = {
        "lanes": lanes,
        "centred": mean is not None,
        "scaled": is_vector(scale),
        "room": room,
    }
    arguments = [
        g.reshape(flat.size).memory,
        flat.reshape(flat.size).memory,
        *vector_and_number(scale, inverse),
        size,
        (inverse if mean is None else mean).memory,
        inverse.memory,
        by_x.reshape(flat.size).memory,
        part.memory,
    ]
    device.launch(kernels.BACKWARD, dtype, Launch(slabs, lanes), arguments, options)
    return by_x, part
