"""The kernels of softmax as entries of the table, with the trials that hold them to numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.softmax.rows import build_long_softmax_flow, build_softmax, build_softmax_flow
from ops.cuda.softmax.sums import build_column_sums, build_row_sums

Array = Any


def shares_of(x: Array) -> tuple[Array, Array, Array]:
    """The largest element, the sum of exponentials of what is below it, and the shares, in float64."""
    with np.errstate(invalid="ignore"):
        wide = x.astype(np.float64)
        top = wide.max(axis=1, keepdims=True)
        raised = np.exp(wide - top)
        total = raised.sum(axis=1, keepdims=True)
        return top, total, raised / total


def some_logits(rng: np.random.Generator, T: Any, *shape: int) -> Array:
    """Logits that are neither small nor large."""
    return (rng.normal(size=shape) * 3).astype(T)


def _softmax_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, logarithm in (
        (0, 4, False),
        (3, 1, True),
        (2, 31, False),
        (5, 33, True),
        (1, 100, False),
        (1, 4000 // np.dtype(T).itemsize, True),
    ):
        x = some_logits(rng, T, rows, classes)
        if classes == 33:
            x[1, 7], x[2] = np.nan, -np.inf
            x[3, :20] = -np.inf
        if classes == 100:
            x[0, 50] = 1e4
        _, _, shares = shares_of(x) if rows else (0, 0, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            top, total, _ = shares_of(x) if rows else (x, x, 0)
            expected = (x.astype(np.float64) - top) - np.log(total) if logarithm else shares
        options = {"each": -(-classes // 32), "logarithm": logarithm}
        yield Trial((x, np.full(x.shape, np.nan, T)), {1: expected}, options, f"{x.shape}")


def _softmax_flow_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, logarithm in (
        (0, 4, False),
        (3, 1, False),
        (2, 31, True),
        (5, 33, False),
        (1, 100, True),
        (1, 2000 // np.dtype(T).itemsize, False),
    ):
        yield _flow_trial(rng, T, rows, classes, logarithm, {"each": -(-classes // 32)})


def _long_softmax_flow_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, logarithm in (
        (0, 4, False),
        (3, 1, False),
        (2, 33, True),
        (5, 600, False),
        (3, 300, True),
    ):
        yield _flow_trial(rng, T, rows, classes, logarithm, {"lanes": 64})


def _flow_trial(
    rng: np.random.Generator, T: Any, rows: int, classes: int, logarithm: bool, more: dict[str, int]
) -> Trial:
    g = rng.normal(size=(rows, classes)).astype(T)
    _, _, shares = shares_of(some_logits(rng, T, rows, classes)) if rows else (0, 0, g)
    out = (np.log(shares) if logarithm else shares).astype(T)
    wide, given = out.astype(np.float64), g.astype(np.float64)
    if logarithm:
        expected = given - np.exp(wide) * given.sum(1, keepdims=True)
    else:
        expected = wide * (given - (given * wide).sum(1, keepdims=True))
    options = {"logarithm": logarithm, **more}
    arguments = (g, out, np.full(g.shape, np.nan, T))
    return Trial(arguments, {2: expected}, options, f"{g.shape}")


def _row_sum_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, classes, logarithm in ((3, 1, True), (2, 33, False), (1, 600, False), (4, 70, True)):
        x = some_logits(rng, T, rows, classes)
        if classes == 70:
            x[1, 50], x[2] = np.nan, -np.inf
            x[3, 5] = np.inf
            x[0, 3:60] = -np.inf
        if classes == 600:
            x = np.sort(x) * 20  # each element above all before it
        yield _sums(x[..., None], logarithm, (rows,), {"lanes": 64})


def _column_sum_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, width, depth, logarithm in (
        ((1, 1, 3), 4, 8, False),
        ((2, 31, 5), 8, 4, True),
        ((1, 9, 33), 32, 2, False),
        ((1, 60, 2), 2, 16, True),
    ):
        x = some_logits(rng, T, *shape)
        if shape[1] == 31:
            x[1, :, 3] = -np.inf
        yield _sums(x, logarithm, shape[::2], {"width": width, "depth": depth})


def _sums(x: Array, logarithm: bool, shape: tuple[int, ...], more: dict[str, int]) -> Trial:
    T = x.dtype.type
    wide = x.astype(np.float64)
    top = np.fmax.reduce(wide, axis=1, initial=-np.inf, keepdims=True)  # as the kernel's: not NaN
    with np.errstate(invalid="ignore", divide="ignore"):
        raised = np.where(wide == top, 1, np.exp(wide - top))
        total = np.where(wide == -np.inf, 0, raised).sum(axis=1, keepdims=True)
        expected = np.log(total) + top if logarithm else total
    empty = np.full(shape, np.nan, T)
    given = x[..., 0].copy() if len(shape) == 1 else x
    found = {1: top.reshape(shape), 2: expected.reshape(shape)}
    options = {"logarithm": logarithm, **more}
    return Trial((given, empty, empty.copy()), found, options, f"{given.shape}")


def entry(
    name: str,
    build: Callable[..., Any],
    arguments: str,
    trials: Callable[..., Any],
    options: dict[str, Any],
    doc: str,
) -> Kernel:
    """A kernel of this family: how it is called and tried, what it is usually built with, what it computes."""
    return Kernel(name, "softmax", build, arguments, trials, ulps=16, options=options, doc=doc)


SOFTMAX = entry(
    "softmax_rows",
    build_softmax,
    "T[:,:] T[:,:]",
    _softmax_trials,
    {"each": 1, "logarithm": False},
    "Softmax of every short row, or its logarithm: a warp to each, the row in registers.",
)
SOFTMAX_FLOW = entry(
    "softmax_rows_flow",
    build_softmax_flow,
    "T[:,:] T[:,:] T[:,:]",
    _softmax_flow_trials,
    {"each": 1, "logarithm": False},
    "What softmax of short rows, or its logarithm, sends back.",
)
LONG_SOFTMAX_FLOW = entry(
    "softmax_long_rows_flow",
    build_long_softmax_flow,
    "T[:,:] T[:,:] T[:,:]",
    _long_softmax_flow_trials,
    {"lanes": 256, "logarithm": False},
    "The same of long rows, a block to each.",
)
ROW_SUMS = entry(
    "row_exponential_sums",
    build_row_sums,
    "T[:,:] T[:] T[:]",
    _row_sum_trials,
    {"logarithm": False, "lanes": 256},
    "The largest element of every row and the sum of exponentials below it, in one pass.",
)
COLUMN_SUMS = entry(
    "column_exponential_sums",
    build_column_sums,
    "T[:,:,:] T[:,:] T[:,:]",
    _column_sum_trials,
    {"logarithm": False, "width": 32, "depth": 8},
    "The largest element of every column and the sum of exponentials below it, in one pass.",
)
ENTRIES = (SOFTMAX, SOFTMAX_FLOW, LONG_SOFTMAX_FLOW, ROW_SUMS, COLUMN_SUMS)
