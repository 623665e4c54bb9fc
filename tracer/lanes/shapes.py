"""Rules for operations that move elements: other shapes, other orders, picked, put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.copying import pairs_of
from ops.primitive import Array
from tracer.lanes.run import Run, from_end


def shaped(run: Run) -> Array:
    """A new shape of a lane: reshape, broadcast_to."""
    x = run.args[0] if run.op.name == "reshape" else run.aligned(0, len(run.shape))
    return run(x, shape=(run.lanes, *run.shape))


def sum_to(run: Run) -> Array:
    """Summed to the shape of a lane."""
    added = (1,) * (run.rank(0) - len(run.shape))
    return run(run.args[0], shape=(run.lanes, *added, *run.shape))


def transpose(run: Run) -> Array:
    """Axes in another order; that of the lanes stays in front."""
    rank, axes = run.rank(0), run.params["axes"]
    order = range(rank)[::-1] if axes is None else axes
    return run(run.args[0], axes=(0, *(a % rank + 1 for a in order)))


def tile(run: Run) -> Array:
    """Each lane repeated."""
    reps, rank = run.params["reps"], len(run.shape)
    times = reps if isinstance(reps, tuple) else (reps,)
    return run(run.aligned(0, rank), reps=(1, *(1,) * (rank - len(times)), *times))


def pad(run: Run) -> Array:
    """Nothing before or after the lanes."""
    return run(run.args[0], pad_width=((0, 0), *pairs_of(run.params["pad_width"], run.rank(0))))


def diagonal(run: Run) -> Array:
    """Diagonals of each lane."""
    rank = run.rank(0)
    axes = {name: from_end(run.params[name], rank) for name in ("axis1", "axis2")}
    return run(run.args[0], **axes)


def joined(run: Run) -> Array:
    """Arrays joined lane by lane."""
    rank = max(len(run.shape), 1)
    arrays = (run.spread(k) for k in range(len(run.args)))
    return run(*arrays, axis=from_end(run.params["axis"], rank))


def _last(x: Array) -> Array:
    """The lanes behind all other axes, where no index reaches them."""
    return np.moveaxis(x, 0, -1)


def _behind(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*index, slice(None)) if any(part is Ellipsis for part in index) else index


def getitem(run: Run) -> Array:
    """Elements of each lane; an index array leaves the lanes behind all other axes."""
    x, *indices = run.args
    index = run.params["index"]
    if not indices:
        return run(x, index=(slice(None), *index))
    return np.moveaxis(run(_last(x), *indices, index=_behind(index)), -1, 0)


def scatter_add(run: Run) -> Array:
    """The transpose of `getitem`."""
    values, *indices = run.args
    changed = {"index": _behind(run.params["index"]), "shape": (*run.shape, run.lanes)}
    return np.moveaxis(run(_last(values), *indices, **changed), -1, 0)


def take_along(run: Run) -> Array:
    """Elements by an index for each place."""
    x, indices = run.args[0], run.args[1]
    axis = run.params["axis"]
    if axis is None:
        x = run.spread(0).reshape(run.lanes, -1)
        return run(x, indices if run.laned[1] else np.asarray(indices)[None], axis=-1)
    return run(run.spread(0), run.spread(1), axis=from_end(axis, run.rank(0)))


def scatter_along(run: Run) -> Array:
    """The transpose of `take_along`."""
    rank = run.rank(1)
    changed = {"axis": from_end(run.params["axis"], rank), "shape": (run.lanes, *run.shape)}
    return run(run.spread(0), run.spread(1), **changed)


def embedding(run: Run) -> Array | None:
    """Rows of a table that differs from lane to lane."""
    indices, weight = run.args
    return np.take(weight, indices, axis=1) if run.laned == [False, True] else None
