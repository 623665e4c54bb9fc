"""Blocks order memory by `threadfence` and atomic operations, and not by one of them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ops.cuda.kernel import Launch
from ops.interpreter.recording import record
from tests.ops.interpreter.launching import fault_of, kernel, launched, numbers, unset

Made = Callable[..., None]


def last_block(fenced: bool, counted: bool = True) -> Callable[..., Made]:
    """Every block writes its part; whichever comes last adds all, with all of its threads, and clears the counter."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, part, count, out):  # type: ignore[no-untyped-def]
            t, b = cuda.threadIdx.x, cuda.blockIdx.x
            last = cuda.shared.array(1, np.int64)
            part[b, t] = x[b] * x[b]
            if fenced:
                cuda.threadfence()
            cuda.syncthreads()
            if t == 0:
                if counted:
                    last[0] = cuda.atomic.add(count, 0, 1) == cuda.gridDim.x - 1
                else:
                    last[0] = b == cuda.gridDim.x - 1
            cuda.syncthreads()
            if last[0]:
                total = T(0)
                for i in range(cuda.gridDim.x):
                    total += part[i, t]
                out[t] = total
                if t == 0:
                    count[0] = 0

        return kernel

    return build


LAST = "T[:] T[:,:] i8[:] T[:]"


def given() -> list[Any]:
    return [numbers(4), unset(4, 33), np.zeros(1, np.int64), unset(33)]


def test_the_last_block_may_read_what_the_others_fenced_before_they_counted() -> None:
    x, part, count, out = given()
    launched(last_block(True), LAST, Launch(4, 33), x, part, count, out)
    assert out.tolist() == [14] * 33
    assert count[0] == 0
    recorded = record(kernel(last_block(True), LAST), "f4", Launch(4, 33), given())
    assert recorded.fault is None
    assert recorded.results["out"].tolist() == out.tolist()
    line = recorded.first_line + 3
    writes = [e.accesses for e in recorded.runs[2].threads[5] if e.line == line]
    assert [(a.array, a.write) for a in writes[0]] == [("x", False), ("x", False), ("part", True)]


def test_without_the_fence_it_races() -> None:
    fault = fault_of(last_block(False), LAST, Launch(4, 33), *given())
    assert (fault.kind, fault.array) == ("race", "part")


def test_without_the_count_it_races() -> None:
    fault = fault_of(last_block(True, counted=False), LAST, Launch(4, 33), *given())
    assert (fault.kind, fault.array) == ("race", "part")


def test_what_is_written_after_the_fence_is_not_handed_on() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, count):  # type: ignore[no-untyped-def]
            cuda.threadfence()
            x[0] += T(1)
            cuda.atomic.add(count, 0, 1)

        return kernel

    fault = fault_of(build, "T[:] i8[:]", Launch(2, 1), numbers(1), np.zeros(1, np.int64))
    assert (fault.kind, fault.array) == ("race", "x")


def locked(fenced: bool) -> Callable[..., Made]:
    """Each thread adds under a lock."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(lock, out):  # type: ignore[no-untyped-def]
            while cuda.atomic.cas(lock, 0, 0, 1) != 0:
                pass
            out[0] += T(1)
            if fenced:
                cuda.threadfence()
            cuda.atomic.exch(lock, 0, 0)

        return kernel

    return build


def test_a_lock_orders_the_threads_that_hold_it() -> None:
    out = np.zeros(1, np.float32)
    launched(locked(True), "i8[:] T[:]", Launch(3, 40), np.zeros(1, np.int64), out)
    assert out[0] == 120


def test_a_lock_that_is_opened_without_a_fence_orders_nothing() -> None:
    fault = fault_of(
        locked(False), "i8[:] T[:]", Launch(1, 4), np.zeros(1, np.int64), np.zeros(1, np.float32)
    )
    assert (fault.kind, fault.array) == ("race", "out")


def test_what_is_written_after_the_atomic_operation_is_not_handed_on() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, count):  # type: ignore[no-untyped-def]
            cuda.threadfence()
            cuda.atomic.add(count, 0, 1)
            x[0] += T(1)

        return kernel

    fault = fault_of(build, "T[:] i8[:]", Launch(2, 1), numbers(1), np.zeros(1, np.int64))
    assert (fault.kind, fault.array) == ("race", "x")
