"""Moving and picking elements: shapes, broadcasting, indexing, joining. All linear: a rule is the transpose."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any, NamedTuple

import numpy as np

from ops.declaring import primitive
from ops.formula import ATOM, Formula
from ops.primitive import Array, PrimitiveError, sample
from ops.summing import total

Shape = tuple[int, ...]


def shape_of(x: Any) -> Shape:
    """The shape of an input; () for a Python number."""
    return getattr(x, "shape", ())


_MOST = 2**62


def room(*sizes: int) -> float:
    """The product of sizes, with 0 as 1: how many elements a shape may ask for. inf for more than any memory holds.

    An array without elements counts as if it had some, for what is summed or padded from it may have many.

    >>> room(2, 3, 0), room(10**12, 10**12)
    (6, inf)
    """
    total = 1
    for size in sizes:
        total *= max(operator.index(size), 1)
        if total > _MOST:
            return math.inf
    return total


def joint_room(*shapes: Shape) -> float:
    """The room of shapes broadcast together; of sizes that do not fit the larger counts.

    >>> joint_room((3, 1), (4,))
    12
    """
    turned = (shape[::-1] for shape in shapes)
    return room(*(max(sizes) for sizes in itertools.zip_longest(*turned, fillvalue=1)))


def shaped(x: Any) -> Any:
    """What has a shape as it is; a Python number or list as an array. Raises `TypeError` for a list of recorded values.

    >>> shaped([[1, 2]]).shape, shaped(2.0).shape
    ((1, 2), ())
    """
    if hasattr(x, "shape"):
        return x
    if isinstance(x, (list, tuple)) and any(hasattr(type(y), "__apply_primitive__") for y in x):
        raise PrimitiveError(
            "a list of recorded values is not an array: their history would be lost\n"
            "  try: stack([...])"
        )
    return np.asarray(x)[()]


def sum_to_x(g: Any, out: Any, x: Any, *, shape: Shape) -> Any:
    """Every element of a sum receives the cotangent of the sum."""
    return broadcast_to(g, shape=x.shape)


@primitive(
    vjps={"x": sum_to_x},
    formula=Formula("Σ({x})", r"\sum\left({x}\right)", symbol="Σ"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3, 4)), shape=(3, 1)),
        sample(rng.normal(size=(3,)), shape=()),
        sample(rng.normal(size=(0, 3)), shape=(3,)),
        sample(rng.normal(size=(2, 1, 4)), shape=(1, 1, 4)),
        sample(np.float64(2.0), shape=()),
    ],
)
def sum_to(x: Array, *, shape: Shape) -> Array:
    """Sum over the axes that broadcasting from `shape` would have added or stretched: the transpose of broadcast_to."""
    large = x.shape
    if large[1:] == shape and large:  # a bias of a batch
        return total(x, 0)
    added = len(large) - len(shape)
    stretched = [k for k, size in enumerate(shape, added) if k >= 0 and size != large[k]]
    if added < 0 or any(shape[k - added] != 1 for k in stretched):
        raise ValueError(f"shape {shape} does not broadcast to {large}")
    return total(x, (*range(added), *stretched), keepdims=True).reshape(shape)


def broadcast_to_x(g: Any, out: Any, x: Any, *, shape: Shape) -> Any:
    """A value that was repeated receives the sum over its copies."""
    return sum_to(g, shape=x.shape)


@primitive(
    vjps={"x": broadcast_to_x},
    formula=Formula("{x}", "{x}", 0, (0,), symbol="broadcast"),
    samples=lambda rng: [
        sample(rng.normal(size=(3, 1)), shape=(2, 3, 4)),
        sample(np.float64(1.5), shape=(2, 2)),
        sample(rng.normal(size=(1, 3)), shape=(0, 3)),
    ],
    size=lambda x, *, shape: room(*shape),
    hint="each axis must be equal or 1, counted from the right",
)
def broadcast_to(x: Array, *, shape: Shape) -> Array:
    """The same values repeated along new or stretched axes."""
    return np.broadcast_to(x, shape)


def reshape_x(g: Any, out: Any, x: Any, *, shape: Shape | int) -> Any:
    """The cotangent in the shape of x."""
    return reshape(g, shape=x.shape)


@primitive(
    vjps={"x": reshape_x},
    formula=Formula("{x}", "{x}", 0, (0,), symbol="reshape"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 6)), shape=(3, 4)),
        sample(rng.normal(size=(2, 3)), shape=-1),
        sample(np.float64(2.0), shape=(1, 1)),
        sample(rng.normal(size=(1, 1)), shape=()),
    ],
    hint="the number of elements must stay the same; -1 stands for one size that follows",
)
def reshape(x: Array, *, shape: Shape | int) -> Array:
    """The same elements, in the same order, in another shape."""
    return np.reshape(x, shape)


def transpose_x(g: Any, out: Any, x: Any, *, axes: Shape | None) -> Any:
    """The inverse permutation of the axes."""
    if axes is None:
        return transpose(g)
    inverse = sorted(range(x.ndim), key=lambda k: int(axes[k] % x.ndim))
    return transpose(g, axes=tuple(inverse))


@primitive(
    vjps={"x": transpose_x},
    formula=Formula("{x}ᵀ", r"{{{x}}}^{{\mathsf{{T}}}}", needs=(ATOM,), symbol="ᵀ"),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)),),
        sample(rng.normal(size=(2, 3, 4)), axes=(2, 0, 1)),
        sample(rng.normal(size=(2, 3, 4)), axes=(0, -1, 1)),
        (rng.normal(size=3),),
        (np.float64(1.5),),
    ],
)
def transpose(x: Array, *, axes: Shape | None = None) -> Array:
    """Permute the axes; reverse them if none are given."""
    return np.transpose(x, axes)


# ----- indexing


class Slot(NamedTuple):
    """The place of an index array in an index: the array itself is the input of that number."""

    number: int


def split_index(index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as a tuple of ints, slices, None, Ellipsis and `Slot`s, and the index arrays that fill the slots.

    >>> split_index((slice(None), [0, 2]))
    ((slice(None, None, None), Slot(number=0)), (array([0, 2]),))
    """
    arrays: list[Any] = []
    template: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, slice):
            template.append(_plain(part))
        elif part is None or part is Ellipsis:
            template.append(part)
        elif isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
            template.append(int(part))
        else:
            template.append(Slot(len(arrays)))
            arrays.append(_index_array(part))
    return tuple(template), tuple(arrays)


def _plain(part: slice) -> slice:
    """A slice of Python integers, so that a trace can keep it."""
    ends = (part.start, part.stop, part.step)
    return slice(*(None if end is None else operator.index(end) for end in ends))


def _index_array(part: Any) -> Any:
    """A list of indices as an array; an empty list indexes nothing, though numpy would make it float."""
    if not isinstance(part, (list, tuple)):
        return part
    array = np.asarray(part)
    return array if array.size else array.astype(np.intp)


def filled(index: tuple[Any, ...], indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index with its slots filled: what numpy indexing takes."""
    return tuple(np.asarray(indices[p.number]) if isinstance(p, Slot) else p for p in index)


_FANCY = (Slot(0), slice(None))


def _picked(shape: Shape, indices: tuple[Any, ...], index: tuple[Any, ...]) -> float:
    """How many elements an index picks at most: what its arrays make together, for each place on the other axes."""
    arrays = [np.asarray(each) for each in indices]
    masks = [array.dtype == np.bool_ for array in arrays]
    taken = {
        k: arrays[part.number].ndim if masks[part.number] else 1
        for k, part in enumerate(index)
        if isinstance(part, Slot)
    }
    spread = len(shape) - sum(
        taken.get(k, type(part) in (int, slice)) for k, part in enumerate(index)
    )
    kept: list[int] = []
    axis = 0
    for k, part in enumerate(index):
        width = spread if part is Ellipsis else taken.get(k, type(part) in (int, slice))
        if part is Ellipsis or type(part) is slice:
            kept += shape[axis : axis + width]
        axis += width
    sizes = [
        (array.size,) if mask else array.shape for array, mask in zip(arrays, masks, strict=True)
    ]
    return room(*kept, *shape[axis:]) * joint_room(*sizes)


def getitem_x(g: Any, out: Any, x: Any, *indices: Any, index: tuple[Any, ...]) -> Any:
    """Zeros, with the cotangent added where its elements were picked."""
    return _scatter(g, *indices, index=index, shape=x.shape)


@primitive(
    vjps={"x": getitem_x},
    formula=Formula("{x}[{index}]", r"{x}\left[{index}\right]", needs=(ATOM,), symbol="[ ]"),
    samples=lambda rng: [
        sample(rng.normal(size=(3, 4)), index=(1,)),
        sample(rng.normal(size=(3, 4)), index=(slice(None), slice(3, 0, -2))),
        sample(rng.normal(size=(3, 4)), np.array([0, 2, 0]), index=_FANCY),
        sample(rng.normal(size=(3, 4)), index=(Ellipsis, None, -1)),
        sample(rng.normal(size=(3,)), np.array([True, False, True]), index=(Slot(0),)),
        sample(rng.normal(size=3), index=(0,)),
        sample(rng.normal(size=(2, 3, 4)), np.array([1, 0]), index=(Slot(0), slice(None), -1)),
        sample(
            rng.normal(size=(3, 2)),
            np.array([[0], [2]]),
            np.array([1, 1]),
            index=(Slot(0), Slot(1)),
        ),
        sample(rng.normal(size=(3, 2)), np.array([], dtype=int), index=(Slot(0),)),
        sample(np.float64(2.0), index=(None,)),
    ],
    size=lambda x, *indices, index: _picked(shape_of(x), indices, index),
    hint="an index must lie inside its axis; negative ones count from the end",
    name="getitem",
)
def _getitem(x: Array, *indices: Array, index: tuple[Any, ...]) -> Array:
    """The elements at an index: numpy's basic and fancy indexing. An element picked twice receives two shares."""
    return x[filled(index, indices)] if indices else x[index]


def scatter_add_values(
    g: Any, out: Any, values: Any, *indices: Any, index: tuple[Any, ...], shape: Shape
) -> Any:
    """The elements of the cotangent at the index."""
    return _getitem(g, *indices, index=index)


@primitive(
    vjps={"values": scatter_add_values},
    formula=Formula("scatter({values})", r"\operatorname{{scatter}}\left({values}\right)"),
    samples=lambda rng: [
        sample(rng.normal(size=(4,)), index=(1,), shape=(3, 4)),
        sample(rng.normal(size=(3, 4)), np.array([0, 2, 0]), index=_FANCY, shape=(3, 4)),
        sample(np.float64(1.5), index=(slice(0, 4, 2),), shape=(5,)),
        sample(rng.normal(size=2), np.array([True, False, True]), index=(Slot(0),), shape=(3,)),
    ],
    size=lambda values, *indices, index, shape: room(*shape) + _picked(shape, indices, index),
    name="scatter_add",
)
def _scatter(values: Array, *indices: Array, index: tuple[Any, ...], shape: Shape) -> Array:
    """Zeros of a shape with values added at an index, which accumulate where it repeats: the transpose of getitem."""
    out = np.zeros(shape, dtype=np.asarray(values).dtype)
    if all(np.asarray(each).dtype == np.bool_ for each in indices):
        out[filled(index, indices)] = values  # slices and masks never repeat an element
    else:
        add_at(out, filled(index, indices), values)
    return out


def add_at(out: Array, index: tuple[Any, ...], values: Array) -> None:
    """Add values in place at an index that may repeat, one after the other.

    numpy's `add.at` is five times faster in one axis than in several: where enough is added to pay for a table of all
    places, it gets those that the index picks.
    """
    if out.size < 4096 or np.size(values) * 8 < out.size:
        np.add.at(out, index, values)
        return
    places = np.arange(out.size).reshape(out.shape)[index]
    np.add.at(out.reshape(-1), places.ravel(), np.broadcast_to(values, places.shape).ravel())


def getitem(x: Any, index: Any) -> Any:
    """The elements of x at an index, as `x[index]`."""
    template, arrays = split_index(index)
    return _getitem(x, *arrays, index=template)


def scatter_add(values: Any, index: Any, *, shape: Shape) -> Any:
    """Zeros of `shape` with `values` added at `index`.

    `x + scatter_add(v, i, shape=x.shape)` is x with v added at i.
    """
    template, arrays = split_index(index)
    return _scatter(values, *arrays, index=template, shape=shape)


# ----- joining


def concatenate_arrays(g: Any, out: Any, *arrays: Any, axis: int) -> dict[str, Any]:
    """To each array the stretch of the cotangent that lies over it."""
    axis %= out.ndim
    ends = list(itertools.accumulate(x.shape[axis] for x in arrays))
    lead = (slice(None),) * axis
    stretches = zip([0, *ends], ends, strict=False)
    return {"arrays": [_getitem(g, index=(*lead, slice(*stretch))) for stretch in stretches]}


@primitive(
    joint=(concatenate_arrays, ("arrays",)),
    formula=Formula(
        "concat({arrays})", r"\operatorname{{concat}}\left({arrays}\right)", symbol="concat"
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)), rng.normal(size=(1, 3))),
        sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 0)), rng.normal(size=(2, 2)), axis=-1),
    ],
    size=lambda *arrays, axis: sum(room(*shape_of(x)) for x in arrays),
    hint="all sizes but the one along the joined axis must be equal",
)
def concatenate(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays along an axis that they have; takes the arrays, or one list of them."""
    if axis is None:
        raise TypeError("axis is None, which is not recorded; reshape the arrays to rank 1 first")
    return np.concatenate(arrays, axis=axis)


def stack_arrays(g: Any, out: Any, *arrays: Any, axis: int) -> dict[str, Any]:
    """To each array its slice of the cotangent."""
    lead = (slice(None),) * (axis % out.ndim)
    return {"arrays": [_getitem(g, index=(*lead, k)) for k in range(len(arrays))]}


@primitive(
    joint=(stack_arrays, ("arrays",)),
    formula=Formula(
        "stack({arrays})", r"\operatorname{{stack}}\left({arrays}\right)", symbol="stack"
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
        sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), axis=-1),
        (np.float64(1.0), np.float64(2.0), np.float64(3.0)),
    ],
    size=lambda *arrays, axis: sum(room(*shape_of(x)) for x in arrays),
    hint="all arrays must have the same shape",
)
def stack(*arrays: Array, axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis; takes the arrays, or one list of them."""
    return np.stack(arrays, axis=axis)
