"""Elements picked by an index for each place, by the diagonal, or on one side of it.

`take` and `gather` respell picking that a graph shows already: they record `getitem` and `take_along_axis`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.axes import axis_of
from ops.declaring import primitive
from ops.formula import Formula, call
from ops.primitive import Array, sample
from ops.rearranging import moveaxis
from ops.shape import (
    Shape,
    add_at,
    getitem,
    joint_room,
    reshape,
    room,
    scatter_add,
    shape_of,
    shaped,
)

# ----- one index for each place


def _along(shape: Shape, indices: Array, axis: int) -> tuple[Array, ...]:
    """The index, for numpy's, that picks along an axis and keeps its place on the others."""
    rank = len(shape)
    axis = axis_of(axis, rank)
    if indices.ndim != rank:
        raise ValueError(f"indices of rank {indices.ndim} for an array of rank {rank}")
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices are integers, not {indices.dtype}")
    index = [np.arange(n).reshape((-1,) + (1,) * (rank - k - 1)) for k, n in enumerate(shape)]
    index[axis] = indices
    return tuple(index)


def _places(shape: Shape, indices: Any, axis: int) -> float:
    """How many places indices along an axis name: their own shape, broadcast over the other axes."""
    axis = axis_of(axis, len(shape))
    return joint_room((*shape[:axis], 1, *shape[axis + 1 :]), shape_of(indices))


def take_along_axis_x(g: Any, out: Any, x: Any, indices: Any, *, axis: int | None) -> Any:
    """Zeros, with the cotangent added where its elements were picked."""
    if axis is None:
        flat = scatter_along_axis(g, indices, axis=0, shape=(x.size,))
        return reshape(flat, shape=x.shape)
    return scatter_along_axis(g, indices, axis=axis, shape=x.shape)


@primitive(
    vjps={"x": take_along_axis_x},
    formula=Formula(
        "take_along({x}, {indices})", r"\operatorname{{take}}\left({x}, {indices}\right)"
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)), np.array([[2, 0], [1, 1]])),
        sample(rng.normal(size=(3, 2)), np.array([[0, -1], [2, 2]]), axis=0),
        sample(rng.normal(size=(2, 3)), np.array([[2, 0, 0, 1]]), axis=1),
        sample(rng.normal(size=(2, 2)), np.array([3, 0, 3]), axis=None),
        sample(rng.normal(size=(2, 3)), np.empty((2, 0), dtype=int), axis=1),
    ],
    size=lambda x, indices, *, axis: (
        room(*shape_of(indices)) if axis is None else _places(shape_of(x), indices, axis)
    ),
    hint="indices has the rank of x, and sizes that broadcast against it on the other axes",
)
def take_along_axis(x: Array, indices: Array, *, axis: int | None = -1) -> Array:
    """The elements at an index for each place along an axis: out[i, j] = x[i, indices[i, j]].

    x: any of rank r. indices: int of rank r; on the other axes its sizes broadcast against those of x. axis=None takes
    all elements as one vector. An element picked twice receives two shares. `take_along_axis(x, argsort(x))` sorts.
    """
    if axis is None:
        x, axis = np.ravel(x), 0
    return x[_along(x.shape, np.asarray(indices), axis)]


def scatter_along_axis_values(
    g: Any, out: Any, values: Any, indices: Any, *, axis: int, shape: Shape
) -> Any:
    """The elements of the cotangent at the indices."""
    return take_along_axis(g, indices, axis=axis)


@primitive(
    vjps={"values": scatter_along_axis_values},
    formula=Formula(
        "scatter_along({values}, {indices})",
        r"\operatorname{{scatter}}\left({values}, {indices}\right)",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 2)), np.array([[2, 0], [1, 1]]), axis=1, shape=(2, 3)),
        sample(rng.normal(size=(2, 2)), np.array([[0, -1], [2, 2]]), axis=0, shape=(3, 2)),
        sample(rng.normal(size=(2, 4)), np.array([[2, 0, 0, 1]]), axis=-1, shape=(2, 3)),
        sample(rng.normal(size=(2, 0)), np.empty((2, 0), dtype=int), axis=1, shape=(2, 3)),
    ],
    size=lambda values, indices, *, axis, shape: room(*shape) + _places(shape, indices, axis),
)
def scatter_along_axis(values: Array, indices: Array, *, axis: int, shape: Shape) -> Array:
    """Zeros of a shape with values added at an index for each place along an axis: the transpose of take_along_axis."""
    out = np.zeros(shape, dtype=values.dtype)
    add_at(out, _along(shape, np.asarray(indices), axis), values)
    return out


def gather(x: Any, axis: int, index: Any) -> Any:
    """PyTorch's picking by an index for each place: out[i, j] = x[i, index[i, j]]; records `take_along_axis`.

    On the other axes, index may be shorter than x, whose elements beyond it are left out; it does not broadcast.
    Raises `ValueError` if it is longer, or of another rank.

    >>> gather([[1.0, 2.0], [3.0, 4.0]], 1, [[1], [0]]).tolist()
    [[2.0], [3.0]]
    """
    x, index = shaped(x), shaped(index)
    axis = axis_of(axis, x.ndim)
    sizes = [
        (n, m) for k, (n, m) in enumerate(zip(x.shape, index.shape, strict=False)) if k != axis
    ]
    if index.ndim != x.ndim or any(m > n for n, m in sizes):
        raise ValueError(
            f"gather: an index of shape {index.shape} along axis {axis} of shape {x.shape}\n"
            f"  try: an index of the same rank, no longer than x on the other axes"
        )
    if any(m < n for n, m in sizes):
        ends = enumerate(index.shape)
        x = getitem(x, tuple(slice(None) if k == axis else slice(0, m) for k, m in ends))
    return take_along_axis(x, index, axis=axis)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at integer indices along an axis, as `x[:, indices]`; records `getitem`.

    Without an axis, of all elements as one vector. Negative indices count from the end.
    Raises `TypeError` for indices that are not integers.

    >>> take([[1, 2, 3], [4, 5, 6]], [2, 0], axis=1).tolist(), take([[1, 2], [3, 4]], 3)
    ([[3, 1], [6, 4]], np.int64(4))
    """
    x, indices = shaped(x), shaped(indices)
    if indices.dtype.kind not in "iu" and indices.size:
        raise TypeError(
            f"take: indices are integers, not {indices.dtype}\n"
            f"  try: x[mask] to pick by truths, or indices.astype(int)"
        )
    if axis is None:
        x = x if x.ndim == 1 else reshape(x, shape=(x.size,))
        axis = 0
    return getitem(x, (slice(None),) * axis_of(axis, x.ndim) + (indices,))


# ----- diagonals


def diagonal_x(g: Any, out: Any, x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    """Zeros, with the cotangent on the diagonal."""
    first, second = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    steps = np.arange(g.shape[-1])
    index: list[Any] = [slice(None)] * x.ndim
    index[first], index[second] = steps + max(-offset, 0), steps + max(offset, 0)
    # numpy puts the axis that two index arrays share in their place if they are neighbours, else in front
    place = min(first, second) if first - second in (1, -1) else 0
    return scatter_add(moveaxis(g, -1, place), tuple(index), shape=x.shape)


@primitive(
    vjps={"x": diagonal_x},
    formula=call("diagonal", r"\operatorname{diag}", symbol="diag"),
    samples=lambda rng: [
        (rng.normal(size=(3, 3)),),
        sample(rng.normal(size=(2, 4)), offset=1),
        sample(rng.normal(size=(3, 2)), offset=-1, axis1=1, axis2=0),
        sample(rng.normal(size=(2, 3, 2)), offset=-1, axis1=0, axis2=2),
        sample(rng.normal(size=(2, 2, 3)), axis1=-1, axis2=-2),
        sample(rng.normal(size=(2, 3)), offset=5),
        sample(rng.normal(size=(0, 3))),
    ],
    hint="a diagonal needs two axes",
)
def diagonal(x: Array, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements x[i, i + offset] of two axes, which leave the shape; the diagonal is the last axis of the result."""
    return np.diagonal(x, offset, axis1, axis2)


def _one_side(name: str, where: str, keep: Any) -> Any:
    def rule(g: Any, out: Any, x: Any, *, k: int) -> Any:
        """The cotangent on the same side."""
        return side(g, k=k)

    def kernel(x: Array, *, k: int = 0) -> Array:
        if np.ndim(x) < 2:
            raise ValueError(f"rank {np.ndim(x)}, but a triangle needs two axes")
        return keep(x, k)

    kernel.__doc__ = f"Matrices, the last two axes, with zeros {where} diagonal k, counted upwards from the main one."
    declare = primitive(
        vjps={"x": rule},
        name=name,
        formula=call(name, rf"\operatorname{{{name}}}"),
        samples=lambda rng: [
            (rng.normal(size=(3, 3)),),
            sample(rng.normal(size=(2, 2, 3)), k=1),
            sample(rng.normal(size=(3, 2)), k=-1),
            sample(rng.normal(size=(0, 2))),
        ],
        hint="x is a matrix, or a stack of them",
    )
    side = declare(kernel)
    return side


tril = _one_side("tril", "above", np.tril)
triu = _one_side("triu", "below", np.triu)
