"""The kernels of reductions as entries of the table, each with the trials that hold it to numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.reductions.columns import build_columns, build_spread
from ops.cuda.reductions.places import build_place_columns, build_place_rows
from ops.cuda.reductions.rows import build_rows, build_short_rows

Array = Any
Trials = Callable[[np.random.Generator, Any], Iterator[Trial]]

_REDUCE: dict[str, Callable[..., Array]] = {
    "add": np.add.reduce,
    "multiply": np.multiply.reduce,
    "largest": lambda x, axis: np.maximum.reduce(x, axis=axis, initial=-np.inf),
    "smallest": lambda x, axis: np.minimum.reduce(x, axis=axis, initial=np.inf),
}

_MAP: dict[str, Callable[[Array, Array], Array]] = {
    "itself": lambda x, level: x,
    "square": lambda x, level: x * x,
    "magnitude": lambda x, level: abs(x),
    "deviation": lambda x, level: (x - level) ** 2,
    "not smaller": lambda x, level: 1.0 - (x < level),
    "not larger": lambda x, level: 1.0 - (x > level),
}


def _reduction(
    x: Array, parts: int, operation: str, mapping: str, count: float, level: Array, **more: int
) -> Trial:
    """A trial of x (outer, size, inner), or of rows (outer, size), cut in parts."""
    T = x.dtype.type
    out = np.full((x.shape[0], parts, *x.shape[2:]), np.nan, T)
    mapped = _MAP[mapping](x.astype(np.float64), level.astype(np.float64))
    size = x.shape[1]
    bounds = [size * k // parts for k in range(parts + 1)]
    cut = [mapped[:, bounds[k] : bounds[k + 1]] for k in range(parts)]
    expected = np.stack([_REDUCE[operation](part, axis=1) for part in cut], axis=1) / count
    options = {"operation": operation, "mapping": mapping, "divides": count != 1, **more}
    what = f"{mapping} {operation} {x.shape} in {parts}"
    return Trial((x, level, out, T(count)), {2: expected}, options, what)


def _numbers(rng: np.random.Generator, T: Any, *shape: int) -> Array:
    return (1 + rng.normal(size=shape) / 4).astype(T)


def _row_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, size, parts, operation, mapping, count in (
        (1, 0, 1, "add", "itself", 1.0),
        (3, 1, 1, "largest", "itself", 1.0),
        (2, 31, 1, "multiply", "itself", 1.0),
        (3, 33, 1, "add", "deviation", 4.0),
        (1, 600, 2, "add", "itself", 600.0),
        (3, 70, 1, "smallest", "magnitude", 1.0),
        (2, 32, 1, "add", "not smaller", 1.0),
    ):
        x, level = _numbers(rng, T, rows, size), _numbers(rng, T, rows, 1)
        yield _reduction(x, parts, operation, mapping, count, level, lanes=64)
    x = _numbers(rng, T, 2, 40)
    x[0, 35] = np.nan
    yield _reduction(x, 1, "largest", "itself", 1.0, x[:, :1].copy(), lanes=64)


def _short_row_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, size, lanes, operation, mapping, count in (
        (1, 0, 1, "add", "itself", 1.0),
        (33, 1, 1, "add", "itself", 1.0),
        (5, 31, 8, "add", "square", 31.0),
        (3, 33, 16, "multiply", "itself", 1.0),
        (3, 300, 32, "add", "deviation", 1.0),
        (7, 5, 2, "largest", "magnitude", 1.0),
        (3, 40, 32, "add", "not larger", 1.0),
    ):
        x, level = _numbers(rng, T, rows, size), _numbers(rng, T, rows, 1)
        yield _reduction(x, 1, operation, mapping, count, level, lanes=lanes)
    x = _numbers(rng, T, 2, 9)
    x[1, 8] = np.nan
    yield _reduction(x, 1, "smallest", "itself", 1.0, x[:, :1].copy(), lanes=4)


def _column_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, parts, width, depth, operation, mapping, count in (
        ((1, 0, 3), 1, 4, 8, "add", "itself", 1.0),
        ((2, 1, 5), 1, 8, 4, "smallest", "itself", 1.0),
        ((1, 31, 33), 1, 32, 2, "add", "itself", 1.0),
        ((1, 90, 3), 2, 4, 16, "add", "deviation", 90.0),
        ((3, 4, 2), 1, 2, 16, "multiply", "square", 1.0),
        ((1, 40, 31), 1, 32, 2, "add", "not larger", 1.0),
    ):
        x = _numbers(rng, T, *shape)
        level = _numbers(rng, T, shape[0], 1, shape[2])
        yield _reduction(x, parts, operation, mapping, count, level, width=width, depth=depth)
    x = _numbers(rng, T, 1, 9, 2)
    x[0, 8, 1] = np.nan
    yield _reduction(x, 1, "largest", "itself", 1.0, x[:, :1].copy(), width=2, depth=16)


_SPREAD: dict[str, Callable[[Array, Array, Array], Array]] = {
    "share": lambda g, level, x: g + 0 * x,
    "not smaller": lambda g, level, x: np.where(x < level, 0, g),
    "not larger": lambda g, level, x: np.where(x > level, 0, g),
    "deviation": lambda g, level, x: g * (x - level),
    "scaled": lambda g, level, x: g * x,
    "exponential": lambda g, level, x: g * np.exp(x - level),
    "softmax": lambda g, level, x: np.exp(x - level) / g,
    "log-softmax": lambda g, level, x: x - level - np.log(g),
}


def _spread_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for number, how in enumerate(_SPREAD):
        shape, width, depth = (
            ((1, 5, 33), 8, 4),
            ((2, 31, 3), 4, 8),
            ((1, 33, 7), 2, 16),
            ((1, 1, 130), 32, 1),
            ((3, 2, 32), 32, 1),
            ((1, 0, 4), 4, 8),
        )[number % 6]
        along = number % 2 == 0
        x = _numbers(rng, T, *shape)
        numbers = shape[:2] if along else shape[::2]
        g, level = np.abs(_numbers(rng, T, *numbers)) + T(0.1), _numbers(rng, T, *numbers)
        wide: Any = (..., None) if along else (slice(None), None)
        numpy = [a.astype(np.float64) for a in (g[wide], level[wide], x)]
        flow = np.full(shape, np.nan, T)
        options = {"how": how, "along": along, "width": width, "depth": depth}
        what = f"{how} {shape} by {'rows' if along else 'columns'}"
        yield Trial((g, level, x, flow), {3: _SPREAD[how](*numpy)}, options, what)


def _place_trials(layout: str) -> Trials:
    def trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
        more: dict[str, Any] = {"lanes": 64} if layout == "rows" else {}
        for (outer, size, inner), parts, larger, again in (
            ((1, 1, 1), 1, True, False),
            ((3, 31, 1), 1, False, False),
            ((2, 33, 3), 2, True, False),
            ((1, 70, 2), 1, True, True),
            ((0, 4, 5), 1, True, False),
        ):
            if layout == "rows":
                outer, inner = outer * inner, 1
            x = rng.integers(0, 5, size=(outer, size, inner)).astype(T)  # few numbers: many ties
            if size == 33:
                x[:, 20:22] = np.nan
            find = np.argmax if larger else np.argmin
            bounds = [size * k // parts for k in range(parts + 1)]
            cut = [find(x[:, a:b], axis=1) + a for a, b in pairwise(bounds)]
            expected = np.stack(cut, axis=1) if outer else np.zeros((0, parts, inner))
            out = np.full((outer, parts, inner), -1)
            among = out
            if again:  # every second place, the winner among them
                among = np.unique(np.append(np.arange(0, size, 2), expected[0]))
                among = np.broadcast_to(among[None, :, None], (outer, among.size, inner)).copy()
                inside = np.take_along_axis(x, among, 1)
                expected = np.take_along_axis(among, find(inside, axis=1)[:, None], 1)
            arrays = [x, among, out]
            if layout == "rows":
                arrays, expected = [a[..., 0].copy() for a in arrays], expected[..., 0]
            options = {"larger": larger, "again": again, **more}
            yield Trial(tuple(arrays), {2: expected}, options, f"{x.shape} in {parts}")

    return trials


def _entry(
    name: str,
    build: Callable[..., Any],
    arguments: str,
    trials: Trials,
    options: dict[str, Any],
    doc: str,
) -> Kernel:
    return Kernel(name, "reductions", build, arguments, trials, 16, options=options, doc=doc)


_SUM: dict[str, Any] = {"operation": "add", "mapping": "itself", "divides": False}

REDUCE_ROWS = _entry(
    "reduce_rows",
    build_rows,
    "T[:,:] T[:,:] T[:,:] T",
    _row_trials,
    {**_SUM, "lanes": 256},
    "Reduces every row of a matrix, or parts of it: a block to each.",
)
REDUCE_SHORT_ROWS = _entry(
    "reduce_short_rows",
    build_short_rows,
    "T[:,:] T[:,:] T[:,:] T",
    _short_row_trials,
    {**_SUM, "lanes": 32},
    "Reduces every short row of a matrix: a few lanes of a warp to each.",
)
REDUCE_COLUMNS = _entry(
    "reduce_columns",
    build_columns,
    "T[:,:,:] T[:,:,:] T[:,:,:] T",
    _column_trials,
    {**_SUM, "width": 32, "depth": 8},
    "Reduces the middle of three axes: a block to a strip of neighbouring columns.",
)
SPREAD = _entry(
    "spread_back",
    build_spread,
    "T[:,:] T[:,:] T[:,:,:] T[:,:,:]",
    _spread_trials,
    {"how": "share", "along": False, "width": 32, "depth": 8},
    "Sends a number to every element that it was reduced from, shared, scaled or weighed.",
)
PLACE_ROWS = _entry(
    "place_rows",
    build_place_rows,
    "T[:,:] i8[:,:] i8[:,:]",
    _place_trials("rows"),
    {"larger": True, "again": False, "lanes": 256},
    "Finds where the extreme of every row stands: a block to each row.",
)
PLACE_COLUMNS = _entry(
    "place_columns",
    build_place_columns,
    "T[:,:,:] i8[:,:,:] i8[:,:,:]",
    _place_trials("columns"),
    {"larger": True, "again": False},
    "Finds where the extreme of every column stands: a thread to each column.",
)
ENTRIES = (REDUCE_ROWS, REDUCE_SHORT_ROWS, REDUCE_COLUMNS, SPREAD, PLACE_ROWS, PLACE_COLUMNS)
