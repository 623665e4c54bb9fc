"""Indexing on a device: slices are views; arrays of indices become one list of places, at which a kernel picks or adds.

Whatever an index does wrong, numpy says in its own words: the same index is tried on an array of that shape that holds
a single element.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.moving.launches import launched
from ops.cuda.moving.picking import ADD_PLACES
from ops.cuda.moving.picks import SUMMED, added, outside, picked, whole_numbers
from ops.cuda.moving.strides import Shape, at_index, filled, inserted, view_of, viewed
from ops.cuda.native import Native
from ops.devices.arrays import DeviceArray, array
from ops.shape import Slot
from ops.shape import filled as with_arrays


class Picks(NamedTuple):
    """An index with arrays in it, as picking along one axis of what its slices leave."""

    basic: tuple[Any, ...]
    """The index with a slice in place of every array and integer."""
    left: Shape
    """The shape that it leaves."""
    order: Shape
    """The axes of that, those of the arrays brought together."""
    outer: int
    height: int
    """The size of the axes that are picked along, seen as one."""
    width: int
    numbers: DeviceArray
    shape: Shape
    """The shape of what is picked."""

    @property
    def ordered(self) -> Shape:
        """The shape that it leaves, its axes in order."""
        return tuple(self.left[k] for k in self.order)


def picks(
    shape: Shape, index: tuple[Any, ...], indices: Sequence[Any], checked: bool = False
) -> Picks | None:
    """How an index with arrays picks; None for what no kernel takes. Raises numpy's `IndexError` for a bad index.

    checked: that all indices lie inside is known.
    """
    parts = _apart(shape, index, indices)
    if parts is None:
        return None
    basic = tuple(_as_slice(part) if isinstance(part, int) else part for part in parts)
    basic = tuple(slice(None) if type(part) is DeviceArray else part for part in basic)
    left = view_of(shape, at_index(basic)).shape
    places = [k for k, part in enumerate(parts) if isinstance(part, (int, DeviceArray))]
    arrays = {k: parts[k] for k in places if not isinstance(parts[k], int)}
    try:
        common = np.broadcast_shapes(*(x.shape for x in arrays.values()))
    except ValueError:
        _refused(shape, index, indices)
        return None
    ranges = ((numbers, -left[k], left[k]) for k, numbers in arrays.items())
    if not checked and math.prod(common) and outside(*ranges):
        _refused(shape, index, indices)
        return None
    together = _together(index) and places == list(range(places[0], places[-1] + 1))
    first = places[0] if together else 0
    rest = [k for k in range(len(left)) if k not in places]
    order = (*rest[:first], *places, *rest[first:])
    sizes = [left[k] for k in places]
    outer = math.prod(left[k] for k in rest[:first])
    width = math.prod(left[k] for k in rest[first:])
    found = (*(left[k] for k in rest[:first]), *common, *(left[k] for k in rest[first:]))
    numbers = _one_list(arrays, places, sizes, common)
    return Picks(basic, left, order, outer, math.prod(sizes), width, numbers, found)


def _apart(shape: Shape, index: tuple[Any, ...], indices: Sequence[Any]) -> list[Any] | None:
    """The index, one part an axis of what its slices leave: its arrays in their places, no Ellipsis; None: not taken.

    A mask becomes the places where it is true, one array for each of its axes: how many only the host can know.
    """
    given = [indices[part.number] if isinstance(part, Slot) else part for part in index]
    arrays = [x for x, part in zip(given, index, strict=True) if isinstance(part, Slot)]
    if any(type(x) is not DeviceArray or (x.dtype == np.bool_ and not x.ndim) for x in arrays):
        return None
    widths = [_width(part) for part in given]
    spread = len(shape) - sum(widths)
    gaps = sum(part is Ellipsis for part in given)
    if spread < 0 or gaps > 1:
        _refused(shape, index, indices)
        return None
    if not gaps:
        given, widths = [*given, Ellipsis], [*widths, 0]
    parts: list[Any] = []
    axis = 0
    for part, width in zip(given, widths, strict=True):
        sizes = shape[axis : axis + width]
        axis += spread if part is Ellipsis else width
        if part is Ellipsis:
            parts += [slice(None)] * spread
        elif isinstance(part, int) and not -sizes[0] <= part < sizes[0]:
            _refused(shape, index, indices)
            return None
        elif type(part) is DeviceArray and part.dtype == np.bool_:
            if part.shape != sizes:
                _refused(shape, index, indices)
                return None
            parts += [array(part.device, line) for line in np.nonzero(part.numpy())]
        else:
            if type(part) is DeviceArray and (part := whole_numbers(part)) is None:
                _refused(shape, index, indices)
                return None
            parts.append(part)
    return parts


def _width(part: Any) -> int:
    """How many axes a part of an index stands for."""
    if type(part) is DeviceArray and part.dtype == np.bool_:
        return part.ndim
    return 0 if part is None or part is Ellipsis else 1


def _as_slice(number: int) -> slice:
    """The one place of an integer, its axis kept."""
    return slice(number, number + 1 or None)


def _together(index: tuple[Any, ...]) -> bool:
    """Whether the arrays and integers of an index are neighbours: else numpy puts their axes first."""
    places = [k for k, part in enumerate(index) if isinstance(part, (int, Slot))]
    return places[-1] - places[0] < len(places)


def _one_list(
    arrays: Mapping[int, DeviceArray], places: Sequence[int], sizes: Sequence[int], common: Shape
) -> DeviceArray:
    """The places that arrays name together on their axes seen as one; an integer's axis has a single place left."""
    steps = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
    if len(arrays) == 1 and math.prod(sizes) == sizes[places.index(next(iter(arrays)))]:
        return next(iter(arrays.values()))
    total = filled(next(iter(arrays.values())), common)
    for k, size, step in zip(places, sizes, steps, strict=True):
        if k in arrays:
            numbers = viewed(arrays[k], lambda seen: np.broadcast_to(seen, common))
            launched(ADD_PLACES, np.int64, total.size, numbers, total, total.size, size, step)
    return total


def _refused(shape: Shape, index: tuple[Any, ...], indices: Sequence[Any]) -> None:
    """Let numpy say what is wrong with an index; None if it finds nothing."""
    host = tuple(x.numpy() if type(x) is DeviceArray else x for x in indices)
    np.broadcast_to(np.int8(0), shape)[with_arrays(index, host)]


# ----- the operations


def getitem_value(x: Any, *indices: Any, index: tuple[Any, ...]) -> DeviceArray | None:
    """The elements at an index."""
    if type(x) is not DeviceArray:
        return None
    if not indices:
        return viewed(x, at_index(index))
    how = picks(x.shape, index, indices)
    if how is None:
        return None
    left = viewed(x, lambda seen: at_index(how.basic)(seen).transpose(how.order))
    return picked(left, how.numbers, how.outer, how.height, how.width).reshape(how.shape)


def getitem_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    """Zeros, with the cotangent added where its elements were picked."""
    x, *indices = inputs
    flow = _scattered(g, indices, params["index"], x.shape, checked=True)
    return None if flow is None else [flow] + [None] * len(indices)


def scatter_add_value(
    values: Any, *indices: Any, index: tuple[Any, ...], shape: Shape
) -> DeviceArray | None:
    """Zeros of a shape with values added at an index."""
    if type(values) is not DeviceArray:
        return None
    return _scattered(values, indices, index, tuple(shape))


def _scattered(
    values: DeviceArray,
    indices: Sequence[Any],
    index: tuple[Any, ...],
    shape: Shape,
    checked: bool = False,
) -> DeviceArray | None:
    if not indices:
        see = at_index(index)
        if not _broadcasts(values.shape, view_of(shape, see).shape):
            return None
        return inserted(values, shape, see)
    if values.dtype not in SUMMED:
        return None
    how = picks(shape, index, indices, checked)
    if how is None or not _broadcasts(values.shape, how.shape):
        return None
    every = viewed(values, lambda seen: np.broadcast_to(seen, how.shape))
    sums = added(every, how.numbers, how.outer, how.height, how.width)
    return inserted(
        sums.reshape(how.ordered),
        shape,
        lambda seen: at_index(how.basic)(seen).transpose(how.order),
    )


def _broadcasts(shape: Shape, to: Shape) -> bool:
    """Whether one shape broadcasts to the other."""
    return len(shape) <= len(to) and all(
        n in (1, m) for n, m in zip(shape[::-1], to[::-1], strict=False)
    )


NATIVE = {
    "getitem": Native(getitem_value, getitem_pull),
    "scatter_add": Native(scatter_add_value),
}
