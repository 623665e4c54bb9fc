"""Elements in another order, another shape, or several times: numpy's functions of shape.

One call records one node, under the nearest familiar word. What only respells an operation that the reader of a graph
knows already records that one: swapaxes and moveaxis are `transpose`, expand_dims, squeeze and flatten are `reshape`,
flip and each piece of split are slices, `getitem`. What would take several of them is a primitive of its own name:
roll, repeat, tile, pad (`ops.copying`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ops.axes import axes_of, axis_of
from ops.shape import getitem, reshape, shaped, transpose


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes; records `transpose`.

    >>> swapaxes([[1, 2], [3, 4]], 0, 1).tolist()
    [[1, 3], [2, 4]]
    """
    x = shaped(x)
    order = list(range(x.ndim))
    first, second = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    order[first], order[second] = second, first
    return transpose(x, axes=tuple(order))


def moveaxis(x: Any, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Any:
    """Move axes to other places, the others staying in order; records `transpose`.

    Raises `ValueError` if the numbers of axes differ.

    >>> moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = shaped(x)
    sources = normalize_axis_tuple(source, x.ndim)
    targets = normalize_axis_tuple(destination, x.ndim)
    if len(sources) != len(targets):
        raise ValueError(f"moveaxis: {len(sources)} axes cannot go to {len(targets)} places")
    order = [k for k in range(x.ndim) if k not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, axes=tuple(order))


def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Any:
    """Put in axes of size 1, at these places of the result; records `reshape`.

    >>> expand_dims([1.0, 2.0], axis=0).shape, expand_dims([1.0, 2.0], axis=(0, -1)).shape
    ((1, 2), (1, 2, 1))
    """
    x = shaped(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    new = axes_of(tuple(axis) if isinstance(axis, list) else axis, x.ndim + count)
    sizes = iter(x.shape)
    return reshape(x, shape=tuple(1 if k in new else next(sizes) for k in range(x.ndim + count)))


def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Take out axes of size 1: these, or all; records `reshape`. Raises `ValueError` for an axis of another size.

    >>> squeeze([[[1.0], [2.0]]]).shape, squeeze([[[1.0], [2.0]]], axis=0).shape
    ((2,), (2, 1))
    """
    x = shaped(x)
    gone = axes_of(axis, x.ndim)
    if axis is None:
        gone = tuple(k for k in gone if x.shape[k] == 1)
    for k in gone:
        if x.shape[k] != 1:
            raise ValueError(f"squeeze: axis {k} of shape {x.shape} has size {x.shape[k]}, not 1")
    return reshape(x, shape=tuple(size for k, size in enumerate(x.shape) if k not in gone))


def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Any:
    """Put consecutive axes together, all of them unless told otherwise; records `reshape`.

    `flatten(x, 1)` keeps the batch axis. A single number becomes a vector of one.
    Raises `ValueError` if the first axis comes after the last.

    >>> flatten(np.zeros((2, 3, 4))).shape, flatten(np.zeros((2, 3, 4)), 1).shape
    ((24,), (2, 12))
    """
    x = shaped(x)
    rank = max(x.ndim, 1)
    first, last = axis_of(start_axis, rank), axis_of(end_axis, rank)
    if first > last:
        raise ValueError(f"flatten: start_axis {start_axis} comes after end_axis {end_axis}")
    size = math.prod(x.shape[first : last + 1])
    return reshape(x, shape=(*x.shape[:first], size, *x.shape[last + 1 :]))


def ravel(x: Any) -> Any:
    """All elements as one vector; records `reshape`.

    >>> ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return flatten(x)


def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """The elements in reversed order along axes, or along all; records `getitem` with steps of −1.

    >>> flip([[1, 2], [3, 4]], axis=1).tolist()
    [[2, 1], [4, 3]]
    """
    x = shaped(x)
    turned = axes_of(axis, x.ndim)
    back, all_of_it = slice(None, None, -1), slice(None)
    return getitem(x, tuple(back if k in turned else all_of_it for k in range(x.ndim)))


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut along an axis: into that many equal pieces, or before each of these places; records a `getitem` a piece.

    (PyTorch's split takes the size of a piece.) Raises `ValueError` if the pieces would not be equal.

    >>> [piece.tolist() for piece in split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    >>> [piece.tolist() for piece in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]
    """
    x = shaped(x)
    axis = axis_of(axis, x.ndim)
    size = x.shape[axis]
    if np.ndim(indices_or_sections):
        cuts = [int(k) for k in indices_or_sections]
    else:
        sections = int(indices_or_sections)
        if sections < 1 or size % sections:
            raise ValueError(f"split: axis {axis} of size {size} has no {sections} equal pieces")
        cuts = [size // sections * k for k in range(1, sections)]
    lead = (slice(None),) * axis
    return [
        getitem(x, (*lead, slice(start, stop)))
        for start, stop in zip([0, *cuts], [*cuts, size], strict=True)
    ]
