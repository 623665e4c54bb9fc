"""Small kernels for tests: from a build function to a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.record import BlockRun, Fault
from ops.interpreter.schedule import schedule

Build = Callable[..., Callable[..., None]]


def kernel(build: Build, arguments: str) -> Kernel:
    """A kernel without trials, named as its build function."""
    return Kernel(build.__name__, "elementwise", build, arguments, lambda rng, T: [])


def launched(build: Build, arguments: str, launch: Launch, *given: Any, dtype: Any = "f4") -> None:
    """Run what a build function makes."""
    run(kernel(build, arguments), dtype, launch, given)


def fault_of(build: Build, arguments: str, launch: Launch, *given: Any, dtype: Any = "f4") -> Fault:
    """What it does wrong."""
    with pytest.raises(KernelFault) as raised:
        launched(build, arguments, launch, *given, dtype=dtype)
    assert str(raised.value) == raised.value.fault.text
    return raised.value.fault


def replayed(
    block: BlockRun, arguments: Mapping[str, Any]
) -> dict[tuple[str, tuple[int, ...]], Any]:
    """Shared and global memory after a block in the order of a GPU; every read must find there what it read."""
    memory: dict[tuple[str, tuple[int, ...]], Any] = {}
    for step in schedule(block):
        for thread in step.active:
            for a in block.threads[thread][step.events[thread]].accesses:
                place = (a.array, a.index)
                if a.space == "local":
                    continue
                if a.write:
                    memory[place] = a.value
                else:
                    found = memory[place] if place in memory else arguments[a.array][a.index]
                    assert np.array_equal(found, a.value, equal_nan=True), (step, a)
    return memory


def numbers(n: int) -> Any:
    """0, 1, 2... as float32."""
    return np.arange(n, dtype=np.float32)


def unset(*shape: int) -> Any:
    """Nothing written yet."""
    return np.full(shape, np.nan, np.float32)


def reverse(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """A block of 64 turns 64 numbers round in shared memory."""

    def kernel(x, out):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array(64, T)
        t = cuda.threadIdx.x
        kept[t] = x[t]
        cuda.syncthreads()
        out[t] = kept[63 - t]

    return kernel


def tree_sums(cuda: Any, math: Any, T: Any, threads: int) -> Callable[..., None]:
    """The sum of each row: every block takes rows, and adds them down a tree in shared memory."""
    zero = T(0)

    def kernel(x, out):  # type: ignore[no-untyped-def]
        sums = cuda.shared.array(64, T)
        t = cuda.threadIdx.x
        row = cuda.blockIdx.x
        while row < x.shape[0]:
            for lane in range(t, 64, threads):
                total = zero
                for i in range(lane, x.shape[1], 64):
                    total += x[row, i]
                sums[lane] = total
            cuda.syncthreads()
            width = 32
            while width > 0:
                for lane in range(t, width, threads):
                    sums[lane] += sums[lane + width]
                cuda.syncthreads()
                width //= 2
            if t == 1:
                out[row] = sums[0]
            cuda.syncthreads()
            row += cuda.gridDim.x

    return kernel
