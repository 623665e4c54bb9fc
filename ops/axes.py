"""Which axes are meant, and several of them gathered into one, so that a rule need only know a single axis."""

from __future__ import annotations

import math
from typing import Any

from numpy.lib.array_utils import normalize_axis_tuple

from ops.reduce import Axis
from ops.shape import Shape, reshape, transpose


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes that a reduction is over, counted from the front: all of them for None.

    A single number has one axis, 0 or −1, as numpy has it. Raises `AxisError` for an axis that is not there.

    >>> axes_of(None, 3), axes_of(-1, 3), axes_of((0, -1), 3)
    ((0, 1, 2), (2,), (0, 2))
    """
    if axis is None:
        return tuple(range(ndim))
    found = normalize_axis_tuple(axis, max(ndim, 1))
    return found if ndim else ()


def axis_of(axis: int, ndim: int) -> int:
    """One axis, counted from the front. Raises `AxisError` for an axis that is not there."""
    return normalize_axis_tuple(axis, ndim)[0]


def _order(shape: Shape, axis: Axis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that stay, and those that are gathered."""
    gathered = axes_of(axis, len(shape))
    return tuple(k for k in range(len(shape)) if k not in gathered), gathered


def merged(x: Any, axis: Axis) -> Any:
    """The axes of a reduction gathered into a single one, the last: (2, 3, 4) over axes 0 and 2 becomes (3, 8)."""
    kept, gathered = _order(x.shape, axis)
    if len(gathered) == 1 and gathered[0] == x.ndim - 1:
        return x
    order = (*kept, *gathered)
    if order != tuple(range(x.ndim)):
        x = transpose(x, axes=order)
    size = math.prod(x.shape[len(kept) :])
    return reshape(x, shape=(*x.shape[: len(kept)], size))


def parted(y: Any, shape: Shape, axis: Axis) -> Any:
    """What `merged` did to an array of that shape, undone."""
    kept, gathered = _order(shape, axis)
    if len(gathered) == 1 and gathered[0] == len(shape) - 1:
        return y
    order = (*kept, *gathered)
    y = reshape(y, shape=tuple(shape[k] for k in order))
    if order == tuple(range(len(shape))):
        return y
    return transpose(y, axes=tuple(sorted(range(len(order)), key=order.__getitem__)))
