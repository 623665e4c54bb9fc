"""Operations that move elements without choosing among them: shapes, axes, slabs of a result, edges, triangles."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ops.cuda.elementwise.casts import promoted
from ops.cuda.moving.borders import TRIANGLE
from ops.cuda.moving.copies import HELD
from ops.cuda.moving.launches import launched
from ops.cuda.moving.picks import picked
from ops.cuda.moving.strides import Shape, at_index, inserted, put, viewed
from ops.cuda.native import Native
from ops.devices.arrays import DeviceArray, array, empty
from ops.primitive import PRIMITIVES

# ----- views: what the operation's own kernel sees of an array, copied


def _view(name: str) -> Native:
    """An operation whose kernel returns a view."""

    def value(x: Any, **params: Any) -> DeviceArray | None:
        if type(x) is not DeviceArray:
            return None
        return viewed(x, lambda seen: PRIMITIVES[name].kernel(seen, **params))

    return Native(value)


def diagonal_pull(
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """Zeros, with the cotangent on the diagonal."""
    (x,) = inputs
    return [inserted(g, x.shape, lambda seen: PRIMITIVES["diagonal"].kernel(seen, **params))]


# ----- triangles


def _triangle(x: Any, low: int, high: int) -> DeviceArray | None:
    if type(x) is not DeviceArray or x.ndim < 2:
        return None
    out = empty(x.device, x.shape, x.dtype)
    launched(TRIANGLE, x.dtype, -(-x.size // HELD), x, out, x.size, *x.shape[-2:], low, high)
    return out


def tril_value(x: Any, *, k: int) -> DeviceArray | None:
    """What lies on diagonal k and below."""
    return _triangle(x, -(2**62), k)


def triu_value(x: Any, *, k: int) -> DeviceArray | None:
    """What lies on diagonal k and above."""
    return _triangle(x, k, 2**62)


# ----- slabs of a result


def concatenate_value(*arrays: Any, axis: int) -> DeviceArray | None:
    """Each array in its slab of the result."""
    arrays = promoted(*arrays)
    if not _alike(arrays) or axis is None or not -arrays[0].ndim <= axis < arrays[0].ndim:
        return None
    axis %= arrays[0].ndim
    around = {x.shape[:axis] + x.shape[axis + 1 :] for x in arrays}
    if len(around) > 1 or len({x.ndim for x in arrays}) > 1:
        return None
    ends = list(itertools.accumulate((x.shape[axis] for x in arrays), initial=0))
    shape = list(arrays[0].shape)
    shape[axis] = ends[-1]
    out = empty(arrays[0].device, shape, arrays[0].dtype)
    lead = (slice(None),) * axis
    for x, start, stop in zip(arrays, ends, ends[1:], strict=False):
        put(x, out, at_index((*lead, slice(start, stop))))
    return out


def stack_value(*arrays: Any, axis: int) -> DeviceArray | None:
    """Each array in its slice of the result."""
    arrays = promoted(*arrays)
    if not _alike(arrays) or len({x.shape for x in arrays}) > 1:
        return None
    rank = arrays[0].ndim + 1
    if not -rank <= axis < rank:
        return None
    axis %= rank
    shape = list(arrays[0].shape)
    shape.insert(axis, len(arrays))
    out = empty(arrays[0].device, shape, arrays[0].dtype)
    for k, x in enumerate(arrays):
        put(x, out, at_index((*(slice(None),) * axis, k)))
    return out


def _alike(arrays: Sequence[Any]) -> bool:
    """Whether all are arrays of one dtype."""
    return (
        builtins.all(type(x) is DeviceArray for x in arrays) and len({x.dtype for x in arrays}) == 1
    )


def roll_value(x: Any, *, shift: int | Shape, axis: int | Shape | None) -> DeviceArray | None:
    """The pieces on either side of each cut, exchanged."""
    if type(x) is not DeviceArray:
        return None
    if axis is None:
        line = roll_value(x.reshape(-1), shift=shift, axis=0)
        return None if line is None else line.reshape(x.shape)
    axes = normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    shifts = [0] * x.ndim
    for by, along in np.broadcast(shift, axes):
        shifts[along] += by
    pieces = []
    for by, size in zip(shifts, x.shape, strict=True):
        cut = by % size if size else 0
        halves = [
            (slice(0, size - cut), slice(cut, size)),
            (slice(size - cut, size), slice(0, cut)),
        ]
        pieces.append(halves if cut else halves[:1])
    out = empty(x.device, x.shape, x.dtype)
    for piece in itertools.product(*pieces):
        source, target = zip(*piece, strict=True)
        put(x, out, at_index(target), at_index(source))
    return out


# ----- copies of elements


def repeat_value(x: Any, *, repeats: int | Shape, axis: int | None) -> DeviceArray | None:
    """The same number of copies by a stride of 0; where numbers differ, picked from where each copy is of."""
    if type(x) is not DeviceArray:
        return None
    if axis is None:
        return repeat_value(x.reshape(-1), repeats=repeats, axis=0)
    (axis,) = normalize_axis_tuple(axis, x.ndim)
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    several = repeats if isinstance(repeats, tuple) else (repeats,)
    if min(several, default=0) < 0 or len(several) not in (1, size):
        return None
    if len(several) > 1:
        origins = np.repeat(np.arange(size), several)
        numbers = array(x.device, origins)
        return picked(x, numbers, math.prod(before), size, math.prod(after)).reshape(
            (*before, len(origins), *after)
        )
    (times,) = several
    apart, shape = (*before, size, 1, *after), (*before, size, times, *after)
    copies = viewed(x, lambda seen: np.broadcast_to(seen.reshape(apart), shape))
    return copies.reshape((*before, size * times, *after))


def tile_value(x: Any, *, reps: int | Shape) -> DeviceArray | None:
    """The whole array repeated by strides of 0."""
    if type(x) is not DeviceArray:
        return None
    times = reps if isinstance(reps, tuple) else (reps,)
    if min(times, default=0) < 0:
        return None
    rank = max(len(times), x.ndim)
    times = (1,) * (rank - len(times)) + times
    sizes = (1,) * (rank - x.ndim) + x.shape
    pairs = list(zip(times, sizes, strict=True))
    apart = tuple(n for _, size in pairs for n in (1, size))
    shape = tuple(n for pair in pairs for n in pair)
    copies = viewed(x, lambda seen: np.broadcast_to(seen.reshape(apart), shape))
    return copies.reshape(tuple(many * size for many, size in pairs))


def pad_value(x: Any, *, pad_width: Any, mode: str, constant_values: float) -> DeviceArray | None:
    """The array inside a constant; or picked along each axis from where each element is a copy of."""
    from ops.copying import COPYING, pairs_of

    if type(x) is not DeviceArray:
        return None
    if not x.ndim:
        return x
    pairs = pairs_of(pad_width, x.ndim)
    if builtins.any(min(pair) < 0 for pair in pairs):
        return None
    if mode == "constant":
        starts = tuple(before for before, _ in pairs)
        whole = tuple(b + n + a for (b, a), n in zip(pairs, x.shape, strict=True))
        index = tuple(slice(b, b + n) for b, n in zip(starts, x.shape, strict=True))
        return inserted(x, whole, at_index(index), constant_values)
    if mode not in COPYING or not x.size:
        return None
    for axis, (size, pair) in enumerate(zip(x.shape, pairs, strict=True)):
        if pair != (0, 0):
            origins = np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]
            before, after = x.shape[:axis], x.shape[axis + 1 :]
            numbers = array(x.device, origins)
            line = picked(x, numbers, math.prod(before), size, math.prod(after))
            x = line.reshape((*before, len(origins), *after))
    found: DeviceArray = x
    return found


NATIVE = {
    "reshape": _view("reshape"),
    "transpose": _view("transpose"),
    "broadcast_to": _view("broadcast_to"),
    "diagonal": Native(_view("diagonal").value, diagonal_pull),
    "tril": Native(tril_value),
    "triu": Native(triu_value),
    "concatenate": Native(concatenate_value),
    "stack": Native(stack_value),
    "roll": Native(roll_value),
    "repeat": Native(repeat_value),
    "tile": Native(tile_value),
    "pad": Native(pad_value),
}
