"""Twins of what copies, moves and picks elements: each place of the result is filled by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def filled(shape: Any, of_place: Callable[..., Any], dtype: Any = float) -> Array:
    """An array of a shape, each place given by a function of its indices."""
    out = np.empty(shape, dtype=dtype)
    for place in itertools.product(*map(range, out.shape)):
        out[place] = of_place(*place)
    return out


def roll(x: Array, *, shift: Any, axis: Any) -> Array:
    x = np.asarray(x)
    if axis is None:
        flat = x.ravel()
        return filled(flat.shape, lambda k: flat[(k - shift) % flat.size]).reshape(x.shape)
    moves = [0] * x.ndim
    for by, k in zip(np.atleast_1d(shift).tolist(), np.atleast_1d(axis).tolist(), strict=True):
        moves[k] += by
    return filled(
        x.shape,
        lambda *p: x[tuple((i - by) % n for i, by, n in zip(p, moves, x.shape, strict=True))],
    )


def repeat(x: Array, *, repeats: Any, axis: Any) -> Array:
    x = np.ravel(x) if axis is None else x
    axis = axis or 0
    size = x.shape[axis]
    times = np.broadcast_to(repeats, size).tolist()
    origins = [k for k in range(size) for _ in range(times[k])]
    return np.concatenate(
        [np.take(x, [k], axis) for k in origins] or [np.take(x, [], axis)], axis=axis
    )


def tile(x: Array, *, reps: Any) -> Array:
    times = list(np.atleast_1d(reps))
    x = np.asarray(x)
    times = [1] * (x.ndim - len(times)) + times
    x = x.reshape((1,) * (len(times) - x.ndim) + x.shape)
    shape = [n * int(m) for n, m in zip(x.shape, times, strict=True)]
    return filled(shape, lambda *p: x[tuple(i % n for i, n in zip(p, x.shape, strict=True))])


def inside(place: int, size: int, mode: str) -> int | None:
    """Of which element a place before, in or after a line of that size holds a copy; None for the constant."""
    if 0 <= place < size:
        return place
    if mode == "edge":
        return 0 if place < 0 else size - 1
    if mode == "wrap":
        return place % size
    if mode == "symmetric":
        place %= 2 * size
        return min(place, 2 * size - 1 - place)
    if mode == "reflect":
        place %= 2 * (size - 1)
        return min(place, 2 * (size - 1) - place)
    return None


def pad(x: Array, *, pad_width: Any, mode: str, constant_values: float) -> Array:
    x = np.asarray(x)
    pairs = np.broadcast_to(pad_width, (x.ndim, 2)).tolist() if x.ndim else []

    def element(*place: int) -> Any:
        origin = [
            inside(i - before, n, mode)
            for i, (before, _), n in zip(place, pairs, x.shape, strict=True)
        ]
        return constant_values if None in origin else x[tuple(origin)]

    return filled([n + sum(w) for n, w in zip(x.shape, pairs, strict=True)], element)


def take_along_axis(x: Array, indices: Array, *, axis: Any) -> Array:
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis % x.ndim)
    shape = [
        m if k == axis else n for k, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True))
    ]
    wide = np.broadcast_to(indices, shape)
    return filled(shape, lambda *p: x[tuple(wide[p] if k == axis else i for k, i in enumerate(p))])


def scatter_along_axis(values: Array, indices: Array, *, axis: int, shape: Any) -> Array:
    out = np.zeros(shape)
    wide = np.broadcast_to(indices, values.shape)
    for place in itertools.product(*map(range, values.shape)):
        target = list(place)
        target[axis] = wide[place]
        out[tuple(target)] += values[place]
    return out


def diagonal(x: Array, *, offset: int, axis1: int, axis2: int) -> Array:
    front = np.moveaxis(x, (axis1, axis2), (0, 1))
    rows, columns = front.shape[:2]
    picked = [front[i, i + offset] for i in range(rows) if 0 <= i + offset < columns]
    return np.moveaxis(np.array(picked).reshape(len(picked), *front.shape[2:]), 0, -1)


def one_side(keep: Callable[[int, int], bool]) -> Callable[..., Array]:
    def side(x: Array, *, k: int) -> Array:
        return filled(x.shape, lambda *p: x[p] if keep(p[-1], p[-2] + k) else 0.0)

    return side


TWINS: Mapping[str, Callable[..., Any]] = {
    "diagonal": diagonal,
    "pad": pad,
    "repeat": repeat,
    "roll": roll,
    "scatter_along_axis": scatter_along_axis,
    "take_along_axis": take_along_axis,
    "tile": tile,
    "tril": one_side(lambda column, row: column <= row),
    "triu": one_side(lambda column, row: column >= row),
}
