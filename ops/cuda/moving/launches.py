"""How many blocks and threads the kernels that move elements get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.cuda.kernel import NOTHING, Kernel, Launch
from ops.devices.arrays import DeviceArray

THREADS = 256
MOST = 132 * 16
"""Blocks, at most: sixteen for each multiprocessor of an H200; beyond, each thread does more."""


def launched(
    kernel: Kernel, dtype: Any, work: int, *arguments: Any, options: Mapping[str, Any] = NOTHING
) -> None:
    """Run a kernel whose threads share so many pieces of work, on arrays seen as vectors; nothing if there is none."""
    if work:
        in_blocks(kernel, dtype, launch_of(work), *arguments, options=options)


def launch_of(work: int) -> Launch:
    """A thread for each piece of work, up to what fills a GPU.

    Blocks have one of two sizes, for each is compiled; the small one is for the interpreter, which runs every thread.
    """
    threads = 32 if work <= 128 else THREADS
    return Launch(min(-(-work // threads), MOST), threads)


def in_blocks(
    kernel: Kernel,
    dtype: Any,
    launch: Launch,
    *arguments: Any,
    options: Mapping[str, Any] = NOTHING,
) -> None:
    """Run a kernel, with these blocks, on arrays seen as vectors. At least one argument is an array."""
    device = next(x.device for x in arguments if type(x) is DeviceArray)
    seen = [x.reshape(-1).memory if type(x) is DeviceArray else x for x in arguments]
    device.launch(kernel, dtype, launch, seen, options)
