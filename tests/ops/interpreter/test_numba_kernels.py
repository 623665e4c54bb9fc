"""What a kernel of Numba's may do besides: count from the end, take rows, return early, size memory at launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.record import Fault
from ops.interpreter.recording import record
from tests.ops.interpreter.launching import fault_of, kernel, numbers, unset

Made = Callable[..., None]


def written(build: Any, arguments: str, launch: Launch, *given: Any, **more: Any) -> None:
    """Run a kernel of Numba's."""
    run(kernel(build, arguments), "f4", launch, given, typing="numba", **more)


def fault_in(build: Any, arguments: str, launch: Launch, *given: Any, **more: Any) -> Fault:
    """What it does wrong."""
    with pytest.raises(KernelFault) as raised:
        written(build, arguments, launch, *given, **more)
    return raised.value.fault


def last_first(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """The last element, in all memories."""

    def kernel(x, out):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array((2, 3), T)
        own = cuda.local.array((2, 2), T)
        own[-1, -2] = x[-1]
        kept[-1, -1] = own[1, 0]
        out[-2] = kept[1, 2]

    return kernel


def test_an_index_below_0_counts_from_the_end() -> None:
    out = unset(3)
    written(last_first, "T[:] T[:]", Launch(1, 1), numbers(5), out)
    assert out[1] == 4
    recorded = record(
        kernel(last_first, "T[:] T[:]"), "f4", Launch(1, 1), [numbers(5), unset(3)], typing="numba"
    )
    accesses = [a for event in recorded.runs[0].threads[0] for a in event.accesses]
    assert [(a.array, a.index) for a in accesses] == [
        ("x", (4,)), ("own", (1, 0)), ("own", (1, 0)), ("kept", (1, 2)), ("kept", (1, 2)), ("out", (1,)),
    ]  # fmt: skip
    assert recorded.runs[0].shared == {"kept": ((2, 3), "float32")}


def test_an_index_before_the_first_element_is_out_of_bounds() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[0] = x[-6]

        return kernel

    fault = fault_in(build, "T[:]", Launch(1, 1), numbers(5))
    assert "x[-6] is out of bounds: its shape is (5,)" in fault.text


def test_a_kernel_of_ours_may_not_count_from_the_end_and_hears_why() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[0] = x[-1]

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 1), numbers(5))
    assert "Numba would count this one from the end" in fault.text
    assert "before the array" not in fault.text


def test_a_row_of_a_table_is_an_array_whose_races_are_those_of_the_table() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, shared_row):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            row = x[0 if shared_row else t]
            total = T(0)
            for v in row:
                total += v
            row[-1] = total + row.shape[0] + len(row)

        return kernel

    x = np.ones((4, 3), np.float32)
    written(build, "T[:,:] b1", Launch(1, 4), x, False)
    assert x[:, 2].tolist() == [9] * 4
    fault = fault_in(build, "T[:,:] b1", Launch(1, 4), x, True)
    assert (fault.kind, fault.array, fault.index) == ("race", "x", (0, 2))
    recorded = record(kernel(build, "T[:,:] b1"), "f4", Launch(1, 1), [x, False], typing="numba")
    reads = [a.index for e in recorded.runs[0].threads[0] for a in e.accesses if not a.write]
    assert reads == [(0, 0), (0, 1), (0, 2)]


def test_arrays_may_lie_in_any_order() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, y, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t] = x[1, t] + y[t]

        return kernel

    x, y = np.asfortranarray(numbers(6).reshape(2, 3)), numbers(9)[::3]
    out = unset(3)
    written(build, "T[:,:] T[:] T[:]", Launch(1, 3), x, y, out)
    assert out.tolist() == [3, 7, 11]
    recorded = record(
        kernel(build, "T[:,:] T[:] T[:]"), "f4", Launch(1, 3), [x, y, out], typing="numba"
    )
    assert recorded.arguments["x"].flags.f_contiguous


def early(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Threads beyond the array return before the barrier."""

    def kernel(x, out):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array(64, T)
        t = cuda.threadIdx.x
        if t >= x.size:
            return
        kept[t] = x[t]
        cuda.syncthreads()
        count = cuda.syncthreads_count(True)
        cuda.syncthreads()
        out[t] = kept[x.size - 1 - t] + count

    return kernel


def test_a_barrier_does_not_wait_for_threads_that_have_returned() -> None:
    out = unset(40)
    written(early, "T[:] T[:]", Launch(1, 64), numbers(40), out)
    assert out.tolist() == (79 - numbers(40)).tolist()
    fault = fault_of(early, "T[:] T[:]", Launch(1, 64), numbers(40), unset(40))
    assert fault.kind == "divergent barrier"
    assert "try: an if around the work in place of the return" in fault.text


def test_two_barriers_on_two_branches_stay_a_fault() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            if cuda.threadIdx.x % 2:
                cuda.syncthreads()
            else:
                cuda.syncthreads()

        return kernel

    assert fault_in(build, "T[:]", Launch(1, 8), unset(1)).kind == "divergent barrier"


def test_a_barrier_around_which_threads_have_gone_is_a_fault() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out, early):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t < 4:
                out[t] = x[t]
                cuda.syncthreads()
            if early:
                return
            out[t] = 1

        return kernel

    fault = fault_in(build, "T[:] T[:] b1", Launch(1, 8), numbers(8), unset(8), False)
    assert fault.kind == "divergent barrier"
    assert fault.threads == ((0, 0, 0), (4, 0, 0))
    assert "a barrier around which other threads have gone" in fault.text
    assert "thread 4 has ended" in fault.text


def test_turns_that_only_some_threads_take_are_named_with_their_loop() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            for _ in range(cuda.threadIdx.x, x.size, 8):
                cuda.syncthreads()

        return kernel

    fault = fault_in(build, "T[:]", Launch(1, 8), numbers(12))
    loop = fault.lines[0] - 1
    assert f"try: as many turns of the loop in line {loop} for every thread" in fault.text


def test_a_return_in_the_loop_of_a_barrier_is_before_it() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            for turn in range(8):
                cuda.syncthreads()
                if turn == t:
                    return
                out[t] = turn

        return kernel

    out = numbers(4)
    written(build, "T[:]", Launch(1, 4), out)
    assert out.tolist() == [0, 0, 1, 2]


def dynamic(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Turns numbers round in memory whose size the launch gives."""

    def kernel(x, out):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array(0, T)
        t = cuda.threadIdx.x
        kept[t] = x[t]
        cuda.syncthreads()
        out[t] = kept[-1 - t]

    return kernel


def test_dynamic_shared_memory_has_the_size_that_the_launch_gives() -> None:
    out = unset(8)
    written(dynamic, "T[:] T[:]", Launch(1, 8), numbers(8), out, shared_bytes=32)
    assert out.tolist() == numbers(8)[::-1].tolist()
    recorded = record(
        kernel(dynamic, "T[:] T[:]"), "f4", Launch(1, 8), [numbers(8), unset(8)],
        typing="numba", shared_bytes=32,
    )  # fmt: skip
    assert recorded.runs[0].shared == {"kept": ((8,), "float32")}
    fault = fault_in(dynamic, "T[:] T[:]", Launch(1, 8), numbers(8), unset(8), shared_bytes=16)
    assert "kept[4] is out of bounds" in fault.text
    fault = fault_in(dynamic, "T[:] T[:]", Launch(1, 8), numbers(8), unset(8))
    assert "try: the bytes of dynamic shared memory in the launch" in fault.text


def test_a_constant_array_is_read_and_not_written() -> None:
    table = np.array([5, 6, 7], np.float32)

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out, i):  # type: ignore[no-untyped-def]
            c = cuda.const.array_like(table)
            out[0] = c[i]

        return kernel

    out = unset(1)
    written(build, "T[:] i8", Launch(1, 1), out, -1)
    assert out[0] == 7
    assert "c[3] is out of bounds" in fault_in(build, "T[:] i8", Launch(1, 1), out, 3).text


def test_a_thread_that_was_answered_and_has_returned_is_gone() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            count = cuda.syncthreads_count(True)
            if t >= 8:
                return
            cuda.syncthreads()
            out[t] = count + cuda.syncthreads_count(True)

        return kernel

    out = np.zeros(8, np.int64)
    written(build, "i8[:]", Launch(1, 16), out)
    assert out.tolist() == [24] * 8
