"""From an axis of classes to launches: which rows fit in registers, and the sums of exponentials of others."""

from __future__ import annotations

from typing import Any

from ops.cuda.kernel import Launch
from ops.cuda.reductions.family import floats
from ops.cuda.reductions.launching import MOST, Collapsed, passes, strip
from ops.cuda.softmax.tables import COLUMN_SUMS, ROW_SUMS
from ops.devices.arrays import DeviceArray, empty
from ops.reduce import Axis

THREADS = 256
LONG = 1 << 14
"""From how many elements on a row is long enough to be shared by several blocks, if there are few rows."""


def held_each(classes: int, itemsize: int) -> int | None:
    """How many elements of a row a lane holds: of 32 lanes, at most 128 bytes each; None for longer rows.

    >>> held_each(1000, 4), held_each(1025, 4), held_each(1000, 8)
    (32, None, None)
    """
    each = max(1, -(-classes // 32))
    return each if each * itemsize <= 128 else None


def row_launch(rows: int) -> Launch:
    """A warp to each row, 8 to a block."""
    threads = min(THREADS, max(32, 32 * rows))
    return Launch(min(-(-32 * rows // threads), MOST), threads)


def single_axis(x: Any, axis: Axis) -> Collapsed | None:
    """The axis that is summed over, if there is one and it has elements."""
    over = passes(x.shape, axis) if floats(x) and x.ndim else None
    if over is None or len(over) != 1 or not over[0].size:
        return None
    return over[0]


def exponential_sums(
    x: DeviceArray, at: Collapsed, *, logarithm: bool = False
) -> tuple[DeviceArray, DeviceArray] | None:
    """The largest element m over an axis, and Σ exp(x − m), or log Σ exp x; None where few blocks would have it all."""
    strips = -(-at.inner // 32)
    if at.size >= LONG and at.outer * strips < 64:
        return None
    shape = (at.outer,) if at.inner == 1 else (at.outer, at.inner)
    tops, sums = empty(x.device, shape, x.dtype), empty(x.device, shape, x.dtype)
    if not tops.size:
        return tops, sums
    options: dict[str, Any] = {"logarithm": logarithm}
    if at.inner == 1:
        lanes = 256 if at.size > 512 else 32
        options["lanes"] = lanes
        arguments = [x.reshape(at.outer, at.size).memory, tops.memory, sums.memory]
        launch = Launch(min(at.outer, MOST), lanes)
        x.device.launch(ROW_SUMS, x.dtype, launch, arguments, options)
        return tops, sums
    width, depth = strip(at)
    options |= {"width": width, "depth": depth}
    arguments = [x.reshape(at).memory, tops.memory, sums.memory]
    launch = Launch(min(at.outer * -(-at.inner // width), MOST), width * depth)
    x.device.launch(COLUMN_SUMS, x.dtype, launch, arguments, options)
    return tops, sums
