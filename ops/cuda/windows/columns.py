"""Windows of device arrays as columns and back, and the launches of all kernels of windows. A sequence is one row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.cuda.windows.trials import PUT_COLUMNS, TAKE_COLUMNS
from ops.devices.arrays import DeviceArray, empty
from ops.windows import Windows

Shape = tuple[int, ...]

THREADS = 256
BLOCKS = 132 * 16
"""More than are resident at once on a GPU of 132 multiprocessors: so each has its next one at hand."""


def two(numbers: Shape, other: int) -> Shape:
    """A number for rows and one for columns; `other` for the rows of a sequence, which is one row.

    >>> two((3, 2), 1), two((3,), 0)
    ((3, 2), (0, 3))
    """
    return (other, *numbers) if len(numbers) == 1 else numbers


def steps(at: Windows) -> Shape:
    """Stride and dilation, as kernels are built for them."""
    return (*two(at.stride, 1), *two(at.dilation, 1))


def sides(at: Windows) -> Shape:
    """The padding in front of rows and of columns."""
    return two(at.before, 0)


def planes(x: DeviceArray) -> Any:
    """The memory of (N, C, *space) as images (N · C, height, width)."""
    space = two(x.shape[2:], 1)
    return x.reshape(x.shape[0] * x.shape[1], *space).memory


def run(
    kernel: Kernel, out: DeviceArray, arguments: Sequence[Any], options: Mapping[str, Any] = NOTHING
) -> DeviceArray:
    """Launch a kernel that has a thread for each element of its result, unless that is empty."""
    if out.size:
        blocks = min(-(-out.size // THREADS), BLOCKS)
        out.device.launch(kernel, out.dtype, Launch(blocks, THREADS), arguments, options)
    return out


def taken(x: DeviceArray, at: Windows, fill: float = 0.0) -> DeviceArray:
    """Every window as a column: (N, C, *size) to (N, C · places, windows)."""
    places, count = math.prod(at.kernel), math.prod(at.counts)
    columns = empty(x.device, (x.shape[0], x.shape[1] * places, count), x.dtype)
    if not columns.size:
        return columns
    threads = min(THREADS, -(-count // 32) * 32)
    items = x.shape[0] * x.shape[1] * places
    launch = Launch(min(items, BLOCKS * THREADS // threads), threads)
    arguments = [planes(x), _windowed(columns, at), *sides(at), float(fill)]
    x.device.launch(TAKE_COLUMNS, x.dtype, launch, arguments, {"steps": steps(at)})
    return columns


def put(columns: DeviceArray, at: Windows, out: DeviceArray) -> DeviceArray:
    """Every column added up where its window lies: (N, C · places, windows) into `out`, (N, C, *size)."""
    arguments = [_windowed(columns, at), planes(out), *sides(at)]
    return run(PUT_COLUMNS, out, arguments, {"steps": steps(at)})


def _windowed(columns: DeviceArray, at: Windows) -> Any:
    """The memory of columns as (N · C, K, L, rows, windows in a row)."""
    space = (*two(at.kernel, 1), *two(at.counts, 1))
    many = columns.shape[0] * columns.shape[1] // math.prod(at.kernel)
    return columns.reshape(many, *space).memory
