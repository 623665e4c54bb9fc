"""Operations that pick by whole numbers, a number for each place or a row for each number, on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ops.cuda.moving.launches import launched
from ops.cuda.moving.picking import ONE_HOT
from ops.cuda.moving.picks import FLOATS, SUMMED, added, lines_of, outside, picked, whole_numbers
from ops.cuda.moving.strides import Shape, at_index, viewed
from ops.cuda.native import Native
from ops.devices.arrays import DeviceArray, array, empty
from ops.embeddings import _check_table, checked_indices
from ops.losses import class_numbers
from ops.picking import _along

# ----- an embedding


def _rows(indices: DeviceArray, rows: int) -> DeviceArray:
    """The indices as kernels take them. Raises what the CPU raises for one that is no row."""
    numbers = whole_numbers(indices)
    if numbers is None or outside((numbers, 0, rows)):
        checked_indices(indices.numpy(), rows)
    assert numbers is not None
    return numbers


def embedding_value(indices: Any, weight: Any, *, padding_idx: int | None) -> DeviceArray | None:
    """The rows of a table at some indices."""
    if type(weight) is not DeviceArray:
        return None
    rows = _check_table(weight, padding_idx)
    if type(indices) is not DeviceArray:
        row = int(checked_indices(indices, rows))
        return viewed(weight, at_index((row,)))
    numbers = _rows(indices, rows)
    features = weight.shape[1]
    return picked(weight, numbers, 1, rows, features).reshape((*indices.shape, features))


def embedding_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """Each row of the table receives the sum over the places that picked it; that of the padding receives 0."""
    indices, weight = inputs
    numbers = whole_numbers(indices)
    if numbers is None or not wanted[1] or g.dtype not in FLOATS:
        return None
    rows, features = weight.shape
    padding = params["padding_idx"]
    skipped = -1 if padding is None else padding % rows
    sums = added(g, numbers, 1, rows, features, rounded_once=True, skipped=skipped)
    return [None, sums.reshape(weight.shape)]


def add_rows_value(values: Any, indices: Any, *, shape: Shape) -> DeviceArray | None:
    """Zeros of a shape, with each row of values added to the row that its index names."""
    if type(values) is not DeviceArray or values.dtype not in FLOATS:
        return None
    if type(indices) is not DeviceArray:
        indices = array(values.device, indices)
    if len(shape) != 2 or values.shape != (*indices.shape, shape[1]):
        return None
    rows, features = shape
    numbers = _rows(indices, rows)
    return added(values, numbers, 1, rows, features, rounded_once=True).reshape(shape)


def add_rows_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """The rows of the cotangent at the indices."""
    values, indices = inputs
    numbers = whole_numbers(indices)
    if numbers is None or not wanted[0]:
        return None
    height, width = g.shape
    return [picked(g, numbers, 1, height, width).reshape(values.shape), None]


# ----- a number for each place


def _each(shape: Shape, indices: Any, axis: int) -> tuple[DeviceArray, Shape] | None:
    """Indices along an axis for every place of what they pick, and its shape; raises what the CPU raises."""
    numbers = whole_numbers(indices)
    if numbers is None or numbers.ndim != len(shape):
        if type(indices) is DeviceArray:
            _along(shape, indices.numpy(), axis)
        return None
    if any(
        n != m and n != 1
        for k, (n, m) in enumerate(zip(numbers.shape, shape, strict=True))
        if k != axis
    ):
        return None
    found = (*shape[:axis], numbers.shape[axis], *shape[axis + 1 :])
    return viewed(numbers, lambda seen: np.broadcast_to(seen, found)), found


def _checked(numbers: DeviceArray, shape: Shape, axis: int) -> None:
    """Raise what numpy raises for an index that lies outside its axis."""
    if outside((numbers, -shape[axis], shape[axis])):
        np.broadcast_to(np.int8(0), shape)[_along(shape, numbers.numpy(), axis)]


def take_along_axis_value(x: Any, indices: Any, *, axis: int | None) -> DeviceArray | None:
    """The elements at an index for each place along an axis."""
    if type(x) is not DeviceArray:
        return None
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = normalize_axis_index(axis, x.ndim)
    found = _each(x.shape, indices, axis)
    if found is None:
        return None
    numbers, shape = found
    _checked(numbers, x.shape, axis)
    return picked(x, numbers, *lines_of(x.shape, axis), each=True).reshape(shape)


def take_along_axis_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """Zeros, with the cotangent added where its elements were picked."""
    x, indices = inputs
    axis = params["axis"]
    shape = (x.size,) if axis is None else x.shape
    flow = _added_along(g, indices, shape, axis or 0, checked=True)
    return None if flow is None else [flow.reshape(x.shape), None]


def scatter_along_axis_value(
    values: Any, indices: Any, *, axis: int, shape: Shape
) -> DeviceArray | None:
    """Zeros of a shape with values added at an index for each place along an axis."""
    if type(values) is not DeviceArray:
        return None
    return _added_along(values, indices, tuple(shape), axis)


def _added_along(
    values: DeviceArray, indices: Any, shape: Shape, axis: int, checked: bool = False
) -> DeviceArray | None:
    axis = normalize_axis_index(axis, len(shape))
    found = _each(shape, indices, axis)
    if found is None or values.dtype not in SUMMED or values.shape != found[1]:
        return None
    if not checked:
        _checked(found[0], shape, axis)
    return added(values, found[0], *lines_of(shape, axis), each=True).reshape(shape)


# ----- one-hot


def one_hot_value(x: Any, *, classes: int, axis: int, ignore_index: int) -> DeviceArray | None:
    """True at the class, False elsewhere."""
    if type(x) is not DeviceArray:
        return None
    numbers = whole_numbers(x)
    if numbers is None or outside((numbers, 0, classes), ignored=ignore_index):
        class_numbers(x.numpy(), classes, ignore_index)
    assert numbers is not None
    place = normalize_axis_index(axis, x.ndim + 1)
    shape = (*x.shape[:place], classes, *x.shape[place:])
    out = empty(x.device, shape, np.bool_)
    width = lines_of(shape, place)[2]
    launched(ONE_HOT, np.int64, out.size, numbers, out, out.size, classes, width, ignore_index)
    return out


NATIVE = {
    "embedding": Native(embedding_value, embedding_pull),
    "add_rows": Native(add_rows_value, add_rows_pull),
    "take_along_axis": Native(take_along_axis_value, take_along_axis_pull),
    "scatter_along_axis": Native(scatter_along_axis_value),
    "one_hot": Native(one_hot_value),
}
