"""Kernels that add to the elements that whole numbers name: the transposes of picking. No atomics.

An array is seen as (outer, height, width): numbers pick along the middle axis. What is added to one element is added in
the order of the list of numbers, so that the sums have the bits of numpy's `add.at`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Trial
from ops.cuda.moving.copies import HELD, unwritten

RUN = 4
"""How many numbers of the list a thread looks at before the block adds up what it found."""

i8 = np.int64


def build_add_lines(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """out[o, numbers[...], i] += values[o, k, i] from zeros, k rising: one thread owns a line (o, i)."""
    zero = T(0)

    def kernel(numbers, values, out, lines, picked, height, width, r0, r1, r2):  # type: ignore[no-untyped-def]
        line = cuda.grid(1)
        while line < lines:
            o = line // width
            i = line % width
            for row in range(height):
                out[(o * height + row) * width + i] = zero
            for k in range(picked):
                number = numbers[o * r0 + k * r1 + i * r2]
                if number < 0:
                    number += height
                place = (o * height + number) * width + i
                out[place] = out[place] + values[(o * picked + k) * width + i]
            line += cuda.gridsize(1)

    return kernel


def build_add_rows(
    cuda: Any, math: Any, T: Any, threads: int, *, columns: int, exact: bool
) -> Callable[..., None]:
    """out[o, numbers[k], i] += values[o, k, i] from zeros, k rising: one block owns a span of rows and some columns.

    The block goes through the list of numbers: its threads look at `RUN` each, and those that name a row of the span
    are put down in shared memory, in the order of the list. Then every thread adds up its own column of its own rows.
    exact: what the addition rounds off is kept, by two-sum (Knuth), and added in the end, in `rest`.
    """
    zero = T(0)
    held = HELD
    run = RUN
    chunk = threads * RUN
    abreast = columns if columns < threads else threads
    groups = threads // abreast

    def kernel(numbers, values, out, rest, outer, picked, height, width, span, skipped):  # type: ignore[no-untyped-def]
        found = cuda.shared.array(threads, i8)
        rows = cuda.shared.array(chunk, i8)
        sources = cuda.shared.array(chunk, i8)
        ready = cuda.local.array(held, T)
        tid = cuda.threadIdx.x
        group = tid // abreast
        spans = (height + span - 1) // span
        across = (width + abreast - 1) // abreast
        item = cuda.blockIdx.x
        while item < outer * spans * across:
            column = item % across * abreast + tid % abreast
            low = item // across % spans * span
            o = item // (across * spans)
            high = low + span
            if high > height:
                high = height
            mine = column < width and group < groups
            base = (o * height + low) * width + column
            if mine:
                for row in range(group, high - low, groups):
                    out[base + row * width] = zero
                    if exact:
                        rest[base + row * width] = zero
            begin = 0
            while begin < picked:
                number = 0
                for k in range(run):
                    at = begin + tid * run + k
                    if at < picked:
                        row = numbers[at]
                        if row < 0:
                            row += height
                        if low <= row and row < high and row != skipped:
                            number += 1
                found[tid] = number
                cuda.syncthreads()
                place = 0
                total = 0
                for other in range(threads):
                    if other < tid:
                        place += found[other]
                    total += found[other]
                for k in range(run):
                    at = begin + tid * run + k
                    if at < picked:
                        row = numbers[at]
                        if row < 0:
                            row += height
                        if low <= row and row < high and row != skipped:
                            rows[place] = row - low
                            sources[place] = at
                            place += 1
                cuda.syncthreads()
                if mine:
                    now = -1
                    sum_ = zero
                    lost = zero
                    for first in range(0, total, held):
                        for k in range(held):
                            if first + k < total and rows[first + k] % groups == group:
                                source = o * picked + sources[first + k]
                                ready[k] = values[source * width + column]
                        for k in range(held):
                            if first + k < total and rows[first + k] % groups == group:
                                if rows[first + k] != now:
                                    if now >= 0:
                                        out[base + now * width] = sum_
                                        if exact:
                                            rest[base + now * width] = lost
                                    now = rows[first + k]
                                    sum_ = out[base + now * width]
                                    if exact:
                                        lost = rest[base + now * width]
                                value = ready[k]
                                more = sum_ + value
                                if exact:
                                    added = more - sum_
                                    lost += (sum_ - (more - added)) + (value - added)
                                sum_ = more
                    if now >= 0:
                        out[base + now * width] = sum_
                        if exact:
                            rest[base + now * width] = lost
                begin += chunk
            if exact and mine:
                for row in range(group, high - low, groups):
                    sum_ = out[base + row * width]
                    lost = rest[base + row * width]
                    if lost - lost == zero:  # beside an infinite sum it is no number
                        out[base + row * width] = sum_ + lost
            item += cuda.gridDim.x

    return kernel


# ----- trials


def _sums(shape: Any, numbers: Any, values: Any, T: Any) -> Any:
    """Zeros of a shape with values added by numpy, number by number, in the dtype of the kernel."""
    expected = np.zeros(shape, T)
    for k in range(values.shape[1]):
        for o, i in np.ndindex(values.shape[0], values.shape[2]):
            expected[o, numbers[o, k, i], i] += values[o, k, i]
    return expected.reshape(-1)


def add_lines_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Numbers that repeat, of either sign, and none at all."""
    for outer, picked, height, width in ((1, 1, 1, 1), (5, 4, 3, 7), (33, 2, 3, 1), (2, 0, 3, 2)):
        numbers = rng.integers(-height, height, (outer, picked, width))
        values = rng.normal(size=numbers.shape).astype(T)
        out = unwritten(outer * height * width, T)
        sizes = (outer * width, picked, height, width, picked * width, width, 1)
        yield Trial(
            (numbers.reshape(-1), values.reshape(-1), out, *sizes),
            {2: _sums((outer, height, width), numbers, values, T)},
            what=f"{numbers.shape} into {height}",
        )


ROWS = (
    # outer, picked, height, width, span, columns abreast
    (1, 1, 1, 1, 1, 1),
    (1, 40, 5, 3, 2, 8),
    (2, 9, 4, 33, 3, 32),
    (1, 150, 3, 2, 3, 8),
    (3, 0, 2, 5, 1, 32),
    (1, 9, 2, 70, 1, 256),
)


def add_rows_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Numbers that repeat, several spans of rows, several columns a thread; the bits of numpy's `add.at`."""
    for outer, picked, height, width, span, columns in ROWS:
        numbers = rng.integers(-height, height, picked)
        values = rng.normal(size=(outer, picked, width)).astype(T)
        every = np.broadcast_to(numbers[None, :, None], values.shape)
        out = unwritten(outer * height * width, T)
        sizes = (outer, picked, height, width, span, -1)
        yield Trial(
            (numbers, values.reshape(-1), out, unwritten(1, T), *sizes),
            {2: _sums((outer, height, width), every, values, T)},
            {"columns": columns},
            what=f"{values.shape} into {height} by {span}",
        )


def sum_rows_trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """The same with large terms among small ones, all digits kept, and with a row that receives nothing."""
    for outer, picked, height, width, span, columns in ROWS:
        numbers = rng.integers(0, height, picked)
        values = rng.normal(size=(outer, picked, width)).astype(T)
        values *= np.where(np.arange(picked) % 2, 1e4, 1).astype(T)[:, None]
        counted = np.where((numbers == height - 1)[:, None], 0, values.astype(np.longdouble))
        every = np.broadcast_to(numbers[None, :, None], values.shape)
        out = unwritten(outer * height * width, T)
        sizes = (outer, picked, height, width, span, height - 1)
        yield Trial(
            (numbers, values.reshape(-1), out, unwritten(out.shape, T), *sizes),
            {2: _sums((outer, height, width), every, counted, np.longdouble)},
            {"columns": columns},
            what=f"{values.shape} into {height} by {span}",
        )


ADD_LINES = Kernel(
    "add_lines",
    "moving",
    build_add_lines,
    "i8[:] T[:] T[:]" + " i8" * 7,
    add_lines_trials,
    ulps=0,
    doc="Adds along an axis to the elements that whole numbers name, a number for each place.",
)
ADD_ROWS = Kernel(
    "add_rows",
    "moving",
    build_add_rows,
    "i8[:] T[:] T[:] T[:]" + " i8" * 6,
    add_rows_trials,
    ulps=0,
    options={"columns": 32, "exact": False},
    doc="Adds along an axis to the rows that a list of whole numbers names.",
)
SUM_ROWS = Kernel(
    "sum_rows",
    "moving",
    build_add_rows,
    "i8[:] T[:] T[:] T[:]" + " i8" * 6,
    sum_rows_trials,
    ulps=1,
    options={"columns": 32, "exact": True},
    doc="Adds rows as add_rows does, and keeps what each addition rounds off.",
)
