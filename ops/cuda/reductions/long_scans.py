"""Running sums of a few long lines in three launches: sums of parts, running sums of these, and each part behind them.

A line is cut by its shape alone, and a warp goes along a part, 32 elements at a time, of which each lane learns the sum
up to its own in five exchanges. So no result depends on the launch, and no warp waits for another. Of N bytes two
passes read N each and one writes N; lines that lie across memory are turned before and after.

Running products and linear recurrences are not cut: the product of a part alone may leave the range of floats where
the running product does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from ops.cuda.reductions.launching import MOST, Collapsed, part_sums
from ops.cuda.reductions.rows import ALL, WARP
from ops.devices.arrays import DeviceArray, empty
from ops.shape import transpose

Array = Any

AT_ONCE = 8
"""So many elements of each lane are read before the first is used."""
LONG = 1024
"""From how many elements on a line is long, if there are few of them."""
FEW = 1024
"""So many lines are work enough for a thread to each."""
WARPS = 4096
"""Warps that fill a large GPU: 32 on most of 132 multiprocessors. A number of the shape's alone."""


def build_running_rows(cuda: Any, math: Any, T: Any, threads: int, *, reverse: bool = False) -> Any:
    """out: the running sums of the rows of x, from the left or in `reverse`, each part of a row behind the others.

    x, out: (rows, size). before: (rows, parts), the running sums of the sums of the parts; not read if there is one.
    """
    nothing = T(-0.0)  # what changes no number: not even −0
    last_lane = WARP - 1

    def kernel(x: Array, before: Array, parts: int, out: Array) -> None:
        held = cuda.local.array(AT_ONCE, T)
        size = x.shape[1]
        lane = cuda.threadIdx.x & 31  # not %: so the compiler knows that no index is negative
        for item in range(cuda.grid(1) // WARP, x.shape[0] * parts, cuda.gridsize(1) // WARP):
            row = item // parts
            part = item % parts
            first = size * part // parts
            end = size * (part + 1) // parts
            state = nothing
            if reverse:
                if part + 1 < parts:
                    state = before[row, part + 1]
            elif part > 0:
                state = before[row, part - 1]
            for low in range(0, end - first, AT_ONCE * WARP):
                for k in range(AT_ONCE):
                    i = low + k * WARP + lane
                    i = i if i < end - first else 0
                    held[k] = x[row, end - 1 - i if reverse else first + i]
                for k in range(AT_ONCE):
                    i = low + k * WARP + lane
                    v = held[k] if i < end - first else nothing
                    step = 1
                    while step < WARP:
                        other = cuda.shfl_up_sync(ALL, v, step)
                        v = other + v if lane >= step else v
                        step *= 2
                    v = state + v
                    if i < end - first:
                        out[row, end - 1 - i if reverse else first + i] = v
                    state = cuda.shfl_sync(ALL, v, last_lane)

    return kernel


def _trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for rows, size, parts, reverse in (
        (0, 5, 1, False),
        (1, 1, 1, False),
        (3, 31, 1, True),
        (1, 33, 2, False),
        (2, 300, 1, True),
        (1, 610, 2, True),
        (2, 97, 5, False),
    ):
        x = (1 + rng.normal(size=(rows, size)) / 4).astype(T)
        wide = x.astype(np.float64)
        bounds = [size * k // parts for k in range(parts)]
        before = np.add.reduceat(wide, bounds, axis=1)
        turn = slice(None, None, -1 if reverse else 1)
        before = np.cumsum(before[:, turn], axis=1)[:, turn].astype(T)
        expected = np.cumsum(wide[:, turn], axis=1)[:, turn]
        arguments = (x, before if parts > 1 else x, parts, np.full_like(x, np.nan))
        what = f"{x.shape} in {parts}{' backwards' if reverse else ''}"
        yield Trial(arguments, {3: expected}, {"reverse": reverse}, what)


RUNNING_ROWS = Kernel(
    "running_rows",
    "reductions",
    build_running_rows,
    "T[:,:] T[:,:] i8 T[:,:]",
    _trials,
    16,
    options={"reverse": False},
    doc="Running sums of rows, or of parts of rows behind what came before: a warp to each.",
)


def is_long(at: Collapsed) -> bool:
    """Whether a thread to each line would leave most of a GPU idle, and the lines are worth being cut."""
    return at.size >= LONG and at.outer * at.inner < FEW


def parts_of(at: Collapsed) -> int:
    """In how many parts a line is cut: a warp to each fills a GPU, and a part is worth its launch.

    >>> parts_of(Collapsed(1, 2**28, 1)), parts_of(Collapsed(64, 2**16, 1)), parts_of(Collapsed(1, 5000, 1))
    (4096, 64, 4)
    """
    return max(1, min(WARPS // (at.outer * at.inner), at.size // LONG))


def long_running_sums(x: DeviceArray, at: Collapsed, *, reverse: bool) -> DeviceArray:
    """The running sums of x (outer, size, inner) along its size: of few lines, none of them empty."""
    rows = x.reshape(at)
    if at.inner > 1:
        rows = transpose(rows, axes=(0, 2, 1))
    lines = at.outer * at.inner
    rows = rows.reshape(lines, at.size)
    parts = parts_of(at)
    before = rows
    if parts > 1:
        sums = part_sums(rows, Collapsed(lines, at.size, 1), parts).reshape(lines, parts)
        before = _launch(sums, sums, 1, reverse=reverse)
    out = _launch(rows, before, parts, reverse=reverse)
    if at.inner == 1:
        return out.reshape(at)
    turned: DeviceArray = transpose(out.reshape(at.outer, at.inner, at.size), axes=(0, 2, 1))
    return turned


def _launch(x: DeviceArray, before: DeviceArray, parts: int, *, reverse: bool) -> DeviceArray:
    out = empty(x.device, x.shape, x.dtype)
    warps = x.shape[0] * parts
    threads = 256 if warps >= 2048 else 32
    launch = Launch(min(-(-WARP * warps // threads), MOST), threads)
    arguments = [x.memory, before.memory, parts, out.memory]
    x.device.launch(RUNNING_ROWS, x.dtype, launch, arguments, {"reverse": reverse})
    return out
