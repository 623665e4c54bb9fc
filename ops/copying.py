"""Elements moved around an axis, repeated, tiled, or put round the edge: roll, repeat, tile, pad.

All linear: a rule sends the cotangent of each copy back to the element that was copied, and adds them up.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ops.axes import axis_of
from ops.declaring import primitive
from ops.formula import call
from ops.primitive import Array, sample
from ops.reduce import sum
from ops.shape import Shape, getitem, reshape, room, scatter_add, shape_of, shaped

Pairs = tuple[tuple[int, int], ...]
Width = int | tuple[int, ...] | tuple[tuple[int, ...], ...]
"""How many elements are added around each axis: one number for all sides, one pair for all axes, or a pair for each."""


def roll_x(g: Any, out: Any, x: Any, *, shift: int | Shape, axis: int | Shape | None) -> Any:
    """Shifted back."""
    back = tuple(-each for each in shift) if isinstance(shift, tuple) else -shift
    return roll(g, shift=back, axis=axis)


@primitive(
    vjps={"x": roll_x},
    formula=call("roll", r"\operatorname{roll}"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3)), shift=1),
        sample(rng.normal(size=(2, 3)), shift=-4, axis=1),
        sample(rng.normal(size=(2, 3)), shift=(1, 2), axis=(0, -1)),
        sample(rng.normal(size=(0, 3)), shift=1, axis=0),
        sample(np.float64(2.0), shift=1),
    ],
)
def roll(x: Array, *, shift: int | Shape, axis: int | Shape | None = None) -> Array:
    """Shift elements along axes; what falls off one end comes in at the other. Without one, of all as a vector."""
    return np.roll(x, shift, axis)


# ----- repeat and tile


def repeat_x(g: Any, out: Any, x: Any, *, repeats: int | Shape, axis: int | None) -> Any:
    """The sum over the copies of each element."""
    if axis is None:
        line = reshape(x, shape=(x.size,))
        return reshape(repeat_x(g, out, line, repeats=repeats, axis=0), shape=x.shape)
    axis = axis_of(axis, x.ndim)
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    if isinstance(repeats, tuple) and len(repeats) > 1:
        index = (*(slice(None),) * axis, _origins(repeats))
        return scatter_add(g, index, shape=x.shape)
    times = repeats[0] if isinstance(repeats, tuple) else repeats
    return sum(reshape(g, shape=(*before, size, times, *after)), axis=axis + 1)


def _origins(repeats: Shape) -> Array:
    """Which element each copy is of."""
    return np.repeat(np.arange(len(repeats)), repeats)


def _repeated(x: Any, *, repeats: int | Shape, axis: int | None) -> float:
    shape = shape_of(x) if axis is not None else (room(*shape_of(x)),)
    axis = axis_of(axis or 0, len(shape))
    times = repeats if isinstance(repeats, tuple) else (repeats,)
    if len(times) == 1:
        return room(*shape, *times)
    copies = builtins.sum(room(each) for each in times)
    return copies * room(*shape[:axis], *shape[axis + 1 :])


@primitive(
    vjps={"x": repeat_x},
    formula=call("repeat", r"\operatorname{repeat}"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3)), repeats=2, axis=1),
        sample(rng.normal(size=(2, 3)), repeats=2),
        sample(rng.normal(size=(3, 2)), repeats=(2, 0, 1), axis=0),
        sample(rng.normal(size=(2, 2)), repeats=(1, 0, 2, 1)),
        sample(rng.normal(size=(2, 2)), repeats=(3,), axis=-1),
        sample(rng.normal(size=(2, 2)), repeats=0, axis=0),
        sample(np.float64(2.0), repeats=3),
    ],
    size=_repeated,
    name="repeat",
    hint="repeats is one number, or one for each element along the axis",
)
def _repeat(x: Array, *, repeats: int | Shape, axis: int | None = None) -> Array:
    """Each element several times, one copy after the other: the same number of times, or each its own.

    Its cotangent is the sum over its copies. (PyTorch calls this repeat_interleave, and its repeat is numpy's tile.)
    """
    return np.repeat(x, repeats, axis)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element several times, one copy after the other: the same number of times, or each its own.

    Without an axis, of all elements as one vector. (PyTorch calls this repeat_interleave, and its repeat is numpy's
    tile.)

    >>> repeat([1.0, 2.0], 2).tolist(), repeat([1.0, 2.0], [3, 1]).tolist()
    ([1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 1.0, 2.0])
    """
    return _repeat(x, repeats=_whole(repeats), axis=axis)


def _whole(numbers: Any) -> Any:
    """An integer, or nested tuples of them, as a trace can keep."""
    array = np.asarray(numbers)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"integers are needed, not {array.dtype}")
    return _tuples(array.tolist())


def _tuples(nested: Any) -> Any:
    return tuple(_tuples(each) for each in nested) if isinstance(nested, list) else nested


def tile_x(g: Any, out: Any, x: Any, *, reps: int | Shape) -> Any:
    """The sum over the copies of the whole array."""
    times = reps if isinstance(reps, tuple) else (reps,)
    rank = max(len(times), x.ndim)
    times = (1,) * (rank - len(times)) + times
    sizes = (1,) * (rank - x.ndim) + x.shape
    paired = reshape(g, shape=tuple(n for pair in zip(times, sizes, strict=True) for n in pair))
    return reshape(sum(paired, axis=tuple(range(0, 2 * rank, 2))), shape=x.shape)


@primitive(
    vjps={"x": tile_x},
    formula=call("tile", r"\operatorname{tile}"),
    samples=lambda rng: [
        sample(rng.normal(size=3), reps=2),
        sample(rng.normal(size=(2, 2)), reps=(2, 1, 3)),
        sample(rng.normal(size=(2, 1, 2)), reps=(2,)),
        sample(rng.normal(size=(2, 2)), reps=(0, 2)),
        sample(np.float64(2.0), reps=(2, 2)),
    ],
    size=lambda x, *, reps: room(*shape_of(x), *(reps if isinstance(reps, tuple) else (reps,))),
)
def tile(x: Array, *, reps: int | Shape) -> Array:
    """The whole array several times along each axis. Its cotangent is the sum over the copies."""
    return np.tile(x, reps)


# ----- pad


def pairs_of(pad_width: Width, rank: int) -> Pairs:
    """What is added before and after each axis, as numpy reads a width. Raises `ValueError` where it is none.

    >>> pairs_of(1, 2), pairs_of((1, 2), 2), pairs_of(((1,), (2,)), 2)
    (((1, 1), (1, 1)), ((1, 2), (1, 2)), ((1, 1), (2, 2)))
    """
    if not rank:
        return ()
    try:
        pairs = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    except ValueError:
        raise ValueError(f"pad_width {pad_width} is no pair for each of {rank} axes") from None
    return tuple((before, after) for before, after in pairs)


def pad_x(g: Any, out: Any, x: Any, *, pad_width: Width, mode: str, constant_values: float) -> Any:
    """The cotangent without the edge; what was copied into the edge is added where it came from."""
    pairs = pairs_of(pad_width, x.ndim)
    if mode == "constant" or not x.ndim:
        inside = zip(pairs, x.shape, strict=True)
        return getitem(g, tuple(slice(before, before + size) for (before, _), size in inside))
    return scatter_add(g, _sources(x.shape, pairs, mode), shape=x.shape)


def _sources(shape: Shape, pad_width: Pairs, mode: str) -> tuple[Array, ...]:
    """For each axis, of which element each place of the padded array holds a copy: an open mesh."""
    lines = [
        np.pad(np.arange(size), width, mode=mode)  # type: ignore[call-overload]
        for size, width in zip(shape, pad_width, strict=True)
    ]
    return tuple(np.ix_(*lines))


def _padded(x: Any, *, pad_width: Width, **_: Any) -> float:
    shape = shape_of(x)
    pairs = zip(shape, pairs_of(pad_width, len(shape)), strict=True)
    return room(*(before + size + after for size, (before, after) in pairs))


COPYING = ("edge", "reflect", "symmetric", "wrap")
"""The modes of padding that copy elements."""


@primitive(
    vjps={"x": pad_x},
    formula=call("pad", r"\operatorname{pad}"),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3)), pad_width=((1, 0), (0, 2))),
        sample(rng.normal(size=3), pad_width=((2, 1),), constant_values=1.5),
        sample(rng.normal(size=(2, 3)), pad_width=((0, 1), (2, 2)), mode="edge"),
        sample(rng.normal(size=(2, 3)), pad_width=((1, 1), (2, 0)), mode="reflect"),
        sample(rng.normal(size=3), pad_width=((4, 0),), mode="reflect"),
        sample(rng.normal(size=(2, 2)), pad_width=((1, 2), (0, 0)), mode="symmetric"),
        sample(rng.normal(size=3), pad_width=((1, 4),), mode="wrap"),
        sample(rng.normal(size=(0, 2)), pad_width=((1, 1), (0, 0))),
        sample(np.float64(2.0), pad_width=()),
        sample(rng.normal(size=(2, 2)), pad_width=((2, 1),)),
        sample(rng.normal(size=(2, 2)), pad_width=(1, 0), mode="edge"),
        sample(rng.normal(size=(2, 1)), pad_width=1),
    ],
    size=_padded,
    name="pad",
    hint="pad_width is one number, a pair, or a pair for each axis; mode is constant, edge, reflect, symmetric or wrap",
)
def _pad(
    x: Array, *, pad_width: Width, mode: str = "constant", constant_values: float = 0
) -> Array:
    """Elements added before and after each axis: a constant, or copies of those inside.

    mode: "constant"; "edge" repeats the outermost element; "reflect" mirrors without it, "symmetric" with it; "wrap"
    goes round. An element receives the cotangents of its copies too; the constant receives none.
    """
    if mode != "constant" and mode not in COPYING:
        raise ValueError(f"no mode {mode!r}")
    if not np.ndim(x):
        return x
    pairs = pairs_of(pad_width, x.ndim)
    if mode == "constant":
        return np.pad(x, pairs, constant_values=constant_values)
    return np.pad(x, pairs, mode=mode)  # type: ignore[call-overload]


def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: float = 0) -> Any:
    """Elements added before and after each axis: a constant, or copies of those inside.

    pad_width: one number for all sides, (before, after) for all axes, a pair for each axis, or {axis: either}, as numpy
    takes them.
    mode: "constant"; "edge" repeats the outermost element; "reflect" mirrors without it, "symmetric" with it; "wrap"
    goes round.

    >>> pad([1.0, 2.0, 3.0], (2, 1)).tolist(), pad([1.0, 2.0, 3.0], 1, "reflect").tolist()
    ([0.0, 0.0, 1.0, 2.0, 3.0, 0.0], [2.0, 1.0, 2.0, 3.0, 2.0])
    """
    x = shaped(x)
    try:
        if isinstance(pad_width, dict):
            pairs = [(0, 0)] * x.ndim
            for axis, width in pad_width.items():
                pairs[axis_of(axis, x.ndim)] = pairs_of(_whole(width), 1)[0]
            pad_width = tuple(pairs)
        else:
            pad_width = pairs_of(_whole(pad_width), x.ndim)
    except ValueError as error:
        raise ValueError(
            f"pad: {error}\n  try: ((before, after), ...), or one number for all sides"
        ) from None
    return _pad(x, pad_width=pad_width, mode=mode, constant_values=constant_values)
