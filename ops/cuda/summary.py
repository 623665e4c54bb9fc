"""Summaries of arrays on a device: what a debugger shows of a value before anybody asks for its numbers.

One pass over memory to each array and one small copy to the host for all of them together, or one of each precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch
from ops.cuda.reductions.summary_kernel import FIELDS
from ops.cuda.reductions.summary_tables import (
    SUMMARY,
    SUMMARY_INTEGERS,
    SUMMARY_TRUTHS,
    Statistics,
    read,
)
from ops.devices.arrays import DeviceArray, empty
from ops.elementwise import astype

_KERNELS: dict[str, Kernel] = {"i": SUMMARY_INTEGERS, "b": SUMMARY_TRUTHS}

LANES = 256
JOINED = 512
"""The most parts of an array, which one block joins."""
SHARE = 1 << 15
"""Elements that make a part of their own worth while."""


def summarise(x: DeviceArray) -> Statistics:
    """The summary of one array, of one copy of 14 numbers.

    >>> from ops.devices.arrays import array
    >>> from ops.devices.interpreting import INTERPRET
    >>> summarise(array(INTERPRET, np.array([3.0, -3.0, 0.0, np.nan])))[:6]
    (4, 0.0, 2.449489742783178, -3.0, 3.0, 2.449489742783178)
    """
    return summarise_all([x])[0]


def summarise_all(arrays: Sequence[DeviceArray]) -> list[Statistics]:
    """The summaries of several arrays of one device: all are launched before the first is fetched."""
    found: dict[int, Statistics] = {}
    for precision in ("float32", "float64"):
        chosen = [
            (k, x)
            for k, x in enumerate(arrays)
            if (x.dtype == "float32") == (precision == "float32")
        ]
        full = [(k, x) for k, x in chosen if x.size]
        if full:
            records = empty(full[0][1].device, (len(full), FIELDS), precision)
            for row, (_, x) in enumerate(full):
                _launch(x.reshape(-1), records.rows(row, row + 1))
            fetched = records.numpy()
            found |= {k: read(fetched[row], x.size) for row, (k, x) in enumerate(full)}
    return [found[k] if k in found else read(_EMPTY, 0) for k in range(len(arrays))]


_EMPTY = np.zeros(FIELDS)


def _launch(x: DeviceArray, out: DeviceArray) -> None:
    if x.dtype.char not in "fd?" and x.dtype != "int64":
        x = astype(x, dtype="float64")
    kernel = _KERNELS.get(x.dtype.kind, SUMMARY)
    parts = max(1, min(JOINED, x.size // SHARE))
    records = out if parts == 1 else empty(x.device, (parts, FIELDS), out.dtype)
    lanes = LANES if x.size > 1024 else 32
    arguments: list[Any] = [x.memory, out.memory, records.memory]
    launch = Launch(parts, lanes)
    x.device.launch(kernel, out.dtype, launch, arguments, {"lanes": lanes})
    if parts > 1:
        lanes = JOINED if parts > LANES else LANES
        arguments = [records.reshape(-1).memory, records.memory, out.memory]
        options = {"lanes": lanes, "again": True}
        x.device.launch(SUMMARY, out.dtype, Launch(1, lanes), arguments, options)
