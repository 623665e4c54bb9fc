"""The kernels of summaries as entries of the table: of floats, of integers, of truths; and what a record says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.reductions.summary_kernel import FIELDS, PART, build_summary, scales

Array = Any


class Statistics(NamedTuple):
    """Moments and extremes of the finite elements, and how many elements are not finite or exactly zero."""

    size: int
    mean: float
    std: float
    low: float
    high: float
    rms: float
    nans: int
    infs: int
    zeros: int


def read(record: Array, size: int) -> Statistics:
    """What a record of the kernel says, as Python numbers. record: float32 or float64 (14,)."""
    up = 1 / scales(record.dtype.type)[0][int(record[8])]
    finite, nans, infs, zeros = (int(record[k]) * PART + int(record[k + 1]) for k in (0, 2, 4, 6))
    if not finite:
        return Statistics(size, *(math.nan,) * 5, nans, infs, 0)
    low, high, squares, mean, offset = record[9:].tolist()
    mean, variance = mean + offset, squares / finite
    return Statistics(
        size,
        mean * up,
        math.sqrt(variance) * up,
        low,
        high,
        math.hypot(mean, math.sqrt(variance)) * up,
        nans,
        infs,
        zeros,
    )


def _record(x: Array, T: Any) -> Array:
    """The record of an array, in float64."""
    wide = x.astype(np.float64)
    good = wide[np.isfinite(wide)]
    counts = [good.size, np.isnan(wide).sum(), np.isinf(wide).sum(), (wide == 0).sum()]
    record = np.zeros(FIELDS)
    record[:8:2], record[1:8:2] = np.divmod(counts, PART)
    record[9:11] = np.inf, -np.inf
    if good.size:
        factors, (second, third) = scales(T)
        most = abs(good).max()
        level = int(most >= second) + int(most >= third)
        scaled = good * factors[level]
        record[8:11] = level, good.min(), good.max()
        record[11:13] = ((scaled - scaled.mean()) ** 2).sum(), scaled.mean()
    return record


def _trial(x: Array, T: Any, parts: int, what: str) -> Trial:
    bounds = [x.size * k // parts for k in range(parts + 1)]
    cut = [x[a:b] for a, b in pairwise(bounds)]
    expected = np.stack([_record(part, T) for part in cut])
    records = np.zeros((1, FIELDS), T)
    out = np.full((parts, FIELDS), np.nan, T)
    return Trial((x, records, out), {2: expected}, {"lanes": 64}, f"{what} {x.size} in {parts}")


def _trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Each about one scale: a record is held to numpy by its largest field."""
    for size, parts in ((0, 1), (1, 1), (33, 2), (600, 1)):
        yield _trial(rng.normal(size=size).astype(T), T, parts, "numbers")
    x = (100 + rng.normal(size=70) / 1000).astype(T)
    yield _trial(x, T, 1, "far from 0,")
    x = rng.normal(size=31).astype(T)
    x[3:8], x[8:13], x[13:15] = np.nan, -np.inf, 0
    yield _trial(x, T, 1, "not finite,")
    records = np.stack([_record(rng.normal(size=9), T) for _ in range(40)]).astype(T)
    records[7] = _record(np.array([np.nan]), T)
    joined = _joined(records.astype(np.float64))
    out = np.full((1, FIELDS), np.nan, T)
    arguments = (np.zeros(1, T), records, out)
    yield Trial(arguments, {2: joined[None]}, {"lanes": 64, "again": True}, "40 records")


def _joined(records: Array) -> Array:
    counts, squares, means = records[:, 1], records[:, 11], records[:, 12]
    record = records.sum(axis=0)
    record[8], record[9], record[10] = (
        records[:, 8].max(),
        records[:, 9].min(),
        records[:, 10].max(),
    )
    record[12] = (counts * means).sum() / counts.sum()
    record[11] = squares.sum() + (counts * (means - record[12]) ** 2).sum()
    return record


def _integer_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for size, parts in ((0, 1), (1, 1), (33, 2), (90, 1)):
        yield _trial(rng.integers(-9, 10, size=size), T, parts, "integers")


def _truth_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for size, parts in ((0, 1), (1, 1), (33, 2), (90, 1)):
        yield _trial(rng.integers(0, 2, size=size).astype(bool), T, parts, "truths")


def _entry(name: str, x: str, trials: Callable[..., Any], doc: str) -> Kernel:
    arguments, options = f"{x} T[:,:] T[:,:]", {"again": False, "lanes": 256}
    return Kernel(
        name, "reductions", build_summary, arguments, trials, 16, options=options, doc=doc
    )


SUMMARY = _entry(
    "summary",
    "T[:]",
    _trials,
    "Counts NaN, inf and zeros, and finds extremes, mean and squares about it, in one pass.",
)
SUMMARY_INTEGERS = _entry(
    "summary_integers", "i8[:]", _integer_trials, "The summary of integers, in one pass."
)
SUMMARY_TRUTHS = _entry(
    "summary_truths", "b1[:]", _truth_trials, "The summary of truths as 0 and 1, in one pass."
)
ENTRIES = (SUMMARY, SUMMARY_INTEGERS, SUMMARY_TRUTHS)
