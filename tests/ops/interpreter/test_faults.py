"""What kernels do wrong is found and told: the array, the element, the threads, the lines, and what to try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.barriers import without_barrier
from ops.interpreter.machine import KernelFault, run
from tests.ops.interpreter.launching import (
    fault_of,
    kernel,
    launched,
    numbers,
    reverse,
    tree_sums,
    unset,
)

Made = Callable[..., None]


def test_a_missing_barrier_in_a_reverse_kernel_is_flagged_with_both_threads_and_lines() -> None:
    mutant = without_barrier(kernel(reverse, "T[:] T[:]"), 0)
    with pytest.raises(KernelFault) as raised:
        run(mutant, "f4", Launch(1, 64), [numbers(64), unset(64)])
    fault = raised.value.fault
    assert (fault.kind, fault.array, fault.index) == ("race", "kept", (32,))
    assert fault.threads == ((31, 0, 0), (32, 0, 0))
    written, read = fault.lines[1], fault.lines[0]
    assert read == written + 2
    assert "kernel reverse, block 0: race on kept[32]" in fault.text
    assert f"line {written}: thread 32 writes it:  kept[t] = x[t]" in fault.text
    assert f"line {read}: thread 31 read it:  out[t] = kept[63 - t]" in fault.text
    assert f"try: cuda.syncthreads() between lines {written} and {read}" in fault.text


def test_the_barrier_at_the_end_of_a_loop_is_asked_for_there() -> None:
    mutant = without_barrier(kernel(tree_sums, "T[:,:] T[:]"), 2)
    with pytest.raises(KernelFault) as raised:
        run(mutant, "f4", Launch(1, 64), [np.ones((3, 100), np.float32), unset(3)])
    fault = raised.value.fault
    assert fault.kind == "race"
    assert fault.index == (0,)
    assert "before the loop comes to line" in fault.text
    last, first = max(fault.lines), min(fault.lines)
    assert (
        f"cuda.syncthreads() after line {last}, before the loop comes to line {first}" in fault.text
    )


@pytest.mark.parametrize(("number", "threads"), [(0, 64), (1, 64), (2, 64), (1, 32), (2, 32)])
def test_every_barrier_of_a_reduction_is_missed(number: int, threads: int) -> None:
    mutant = without_barrier(kernel(tree_sums, "T[:,:] T[:]"), number)
    with pytest.raises(KernelFault):
        run(mutant, "f4", Launch(1, threads), [np.ones((3, 100), np.float32), unset(3)])


def test_two_threads_that_write_the_same_value_race_all_the_same() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        one = T(1)

        def kernel(out):  # type: ignore[no-untyped-def]
            out[0] = one

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 2), unset(1))
    assert (fault.kind, fault.array, fault.index) == ("race", "out", (0,))
    assert fault.threads == ((0, 0, 0), (1, 0, 0))


def test_two_blocks_race_on_global_memory_whatever_barriers_they_pass() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                out[cuda.blockIdx.x // 2] = x[cuda.blockIdx.x]
            cuda.syncthreads()

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(4, 32), numbers(4), unset(4))
    assert fault.kind == "race"
    assert fault.blocks == ((0, 0, 0), (1, 0, 0))
    assert "thread 0 of block 0 wrote it" in fault.text
    assert "thread 0 of block 1 writes it" in fault.text
    assert "blocks run in any order" in fault.text


def test_a_block_that_reads_what_another_writes_races_in_either_order() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        first = threads == 1

        def kernel(x, out):  # type: ignore[no-untyped-def]
            if cuda.threadIdx.x == 0:
                if (cuda.blockIdx.x == 0) == first:
                    x[3] = x[0]
                else:
                    out[cuda.blockIdx.x] = x[3]

        return kernel

    for threads in (1, 2):
        fault = fault_of(build, "T[:] T[:]", Launch(2, threads), numbers(4), unset(2))
        assert (fault.kind, fault.array, fault.index) == ("race", "x", (3,))


def test_a_block_may_not_write_what_an_earlier_one_read_even_if_it_has_read_it_itself() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        one = T(1)

        def kernel(x):  # type: ignore[no-untyped-def]
            if cuda.blockIdx.x == 1:
                x[0] += one
            else:
                x[1] = x[0]

        return kernel

    fault = fault_of(build, "T[:]", Launch(2, 1), numbers(2))
    assert (fault.kind, fault.index) == ("race", (0,))
    assert "thread 0 of block 0 read it" in fault.text


def test_a_barrier_orders_the_global_memory_of_one_block() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t] = x[t]
            cuda.syncthreads()
            v = out[threads - 1 - t]
            cuda.syncthreads()
            out[t] = v

        return kernel

    out = unset(64)
    launched(build, "T[:] T[:]", Launch(1, 64), numbers(64), out)
    assert (out == numbers(64)[::-1]).all()
    k = kernel(build, "T[:] T[:]")
    for number in range(2):
        with pytest.raises(KernelFault, match=r"race on out\["):
            run(without_barrier(k, number), "f4", Launch(1, 64), [numbers(64), unset(64)])


def test_arguments_that_are_the_same_memory_race_with_each_other() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t] = x[threads - 1 - t]

        return kernel

    both = numbers(8)
    fault = fault_of(build, "T[:] T[:]", Launch(1, 8), both, both)
    assert fault.kind == "race"
    launched(build, "T[:] T[:]", Launch(1, 8), both, both.copy())


BOUNDS: dict[str, tuple[str, Any, str]] = {
    "too large": ("T[:,:]", (4, 0), "x[4, 0] is out of bounds: its shape is (4, 3)"),
    "negative": ("T[:,:]", (0, -1), "negative index"),
    "a slice": ("T[:,:]", (0, slice(None)), "is a slice"),
    "too few": ("T[:,:]", 0, "has 1 index, where the array has 2"),
    "too many": ("T[:,:]", (0, 1, 2), "has 3 indices, where the array has 2"),
    "no integer": ("T[:,:]", (0, 1.0), "no integer but a float"),
    "too large, one axis": ("T[:]", 12, "x[12] is out of bounds: its shape is (12,)"),
    "negative, one axis": ("T[:]", -1, "negative index"),
    "a slice, one axis": ("T[:]", slice(0, 2), "is a slice"),
    "too many, one axis": ("T[:]", (0, 0), "has 2 indices, where the array has 1"),
    "too large, three axes": ("T[:,:,:]", (0, 2, 0), "x[0, 2, 0] is out of bounds"),
    "negative, three axes": ("T[:,:,:]", (-1, 0, 0), "negative index"),
}
SHAPES = {"T[:]": (12,), "T[:,:]": (4, 3), "T[:,:,:]": (2, 2, 3)}


@pytest.mark.parametrize("case", BOUNDS)
@pytest.mark.parametrize("written", [False, True])
def test_what_is_no_element_is_refused(case: str, written: bool) -> None:
    kind, index, words = BOUNDS[case]

    def reads(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            return x[index]

        return kernel

    def writes(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[index] += x[index]

        return kernel

    fault = fault_of(
        writes if written else reads, kind, Launch(1, 1), np.ones(SHAPES[kind], np.float32)
    )
    assert fault.kind == "bounds"
    assert words in fault.text
    assert fault.array == "x"


@pytest.mark.parametrize("index", [-1, 4, 64, (0, 0), slice(0, 2)])
@pytest.mark.parametrize("space", ["shared", "local", "global"])
def test_writing_outside_an_array_is_refused(space: str, index: Any) -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        one = T(1)

        def kernel(x):  # type: ignore[no-untyped-def]
            place = x if space == "global" else getattr(cuda, space).array(4, T)
            place[index] = one

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 1), unset(4))
    assert fault.kind == "bounds"
    assert fault.array in ("place", "x")


@pytest.mark.parametrize("space", ["shared", "local"])
def test_reading_what_nobody_wrote_is_named(space: str) -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            kept = getattr(cuda, space).array((2, 2), T)
            if cuda.threadIdx.x == 3:
                kept[0, 1] = out[0]
                out[0] = kept[0, 1]
                out[0] = kept[1, 0]

        return kernel

    fault = fault_of(build, "T[:]", Launch(2, 4), numbers(4))
    assert (fault.kind, fault.array, fault.index) == ("uninitialised", "kept", (1, 0))
    assert fault.threads == ((3, 0, 0),)
    assert "kept[1, 0] is read before anything was written to it" in fault.text
    assert "out[0] = kept[1, 0]" in fault.text


def test_shared_memory_of_one_block_is_not_that_of_the_next() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array(1, T)
            if cuda.blockIdx.x == 0:
                kept[0] = x[0]
            out[cuda.blockIdx.x] = kept[0]

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(2, 1), numbers(2), unset(2))
    assert (fault.kind, fault.block) == ("uninitialised", (1, 0, 0))


def test_a_barrier_that_half_of_the_block_never_reaches_is_divergent() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t < threads // 2:
                cuda.syncthreads()
            out[t] = x[t]

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 64), numbers(64), unset(64))
    assert fault.kind == "divergent barrier"
    assert fault.threads == ((0, 0, 0), (32, 0, 0))
    assert "thread 0 waits at cuda.syncthreads" in fault.text
    assert "thread 32 has ended" in fault.text
    assert "try: the barrier outside the if" in fault.text


@pytest.mark.parametrize("counting", [False, True])
def test_two_barriers_on_two_branches_are_divergent(counting: bool) -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            if counting:
                if cuda.threadIdx.x % 2:
                    cuda.syncthreads_count(1)
                else:
                    cuda.syncthreads_count(1)
            elif cuda.threadIdx.x % 2:
                cuda.syncthreads()
            else:
                cuda.syncthreads()

        return kernel

    assert fault_of(build, "T[:]", Launch(1, 8), unset(1)).kind == "divergent barrier"


def test_a_shuffle_for_which_a_named_lane_does_not_come_is_stray() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            v = x[t]
            if t < 16:
                v = cuda.shfl_down_sync(0xFFFFFFFF, v, 1)
            cuda.syncthreads()
            out[t] = v

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 64), numbers(64), unset(64))
    assert fault.kind == "stray shuffle"
    assert "thread 0 waits at cuda.shfl_down_sync" in fault.text
    assert "thread 16 waits at cuda.syncthreads" in fault.text
    assert "ended" not in fault.text
    assert "a mask that names the lanes which come to this line" in fault.text


def test_a_mask_that_names_the_warp_calls_the_whole_warp_even_if_nobody_asks_the_others() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            v = x[t]
            if t < 16:
                v = cuda.shfl_xor_sync(0xFFFFFFFF, v, 1)
            cuda.syncthreads()
            out[t] = v

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 32), numbers(32), unset(32))
    assert fault.kind == "stray shuffle"


def test_a_shuffle_from_a_lane_that_takes_no_part_is_stray() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            v = x[t]
            if t < 16:
                v = cuda.shfl_down_sync(0xFFFF, v, 8)
            out[t] = v

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 32), numbers(32), unset(32))
    assert fault.kind == "stray shuffle"
    assert "lane 16" in fault.text


def test_lanes_that_name_each_other_at_different_calls_wait_for_ever() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t < 16:
                out[t] = cuda.shfl_down_sync(0xFFFFFFFF, x[t], 1)
            else:
                out[t] = cuda.shfl_xor_sync(0xFFFFFFFF, x[t], 1)

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 32), numbers(32), unset(32))
    assert fault.kind == "stray shuffle"


def test_blocks_of_which_one_ends_before_the_sync_of_the_grid_wait_for_ever() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            if cuda.blockIdx.x == 0:
                cuda.cg.this_grid().sync()

        return kernel

    fault = fault_of(build, "T[:]", Launch(2, 32), unset(1))
    assert fault.kind == "deadlock"
    assert "the same number of syncs in every block" in fault.text
    assert "thread 0 of block 0 waits at cuda.cg.this_grid().sync" in fault.text
    assert "thread 0 of block 1 has ended" in fault.text


def test_a_lock_that_nobody_opens_is_a_deadlock() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(lock):  # type: ignore[no-untyped-def]
            while cuda.atomic.cas(lock, 0, 0, 1) != 0:
                pass

        return kernel

    fault = fault_of(build, "i8[:]", Launch(1, 2), np.zeros(1, np.int64))
    assert (fault.kind, fault.array) == ("deadlock", "lock")


def test_a_read_only_argument_is_not_written() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            x[0] = x[1]

        return kernel

    x = numbers(2)
    x.flags.writeable = False
    fault = fault_of(build, "T[:]", Launch(1, 1), x)
    assert (fault.kind, fault.array, fault.index) == ("read-only", "x", (0,))
    assert x[0] == 0


def test_an_atomic_change_races_with_a_plain_access_and_with_no_other_atomic() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(count, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t < 4:
                cuda.atomic.add(count, 0, 1)
            elif t == 5:
                out[0] = count[0]

        return kernel

    count = np.zeros(1, np.int64)
    launched(build, "i8[:] i8[:]", Launch(1, 4), count, np.zeros(1, np.int64))
    assert count[0] == 4
    fault = fault_of(build, "i8[:] i8[:]", Launch(1, 6), count, np.zeros(1, np.int64))
    assert (fault.kind, fault.array) == ("race", "count")
    assert fault.threads[1] == (5, 0, 0)


def test_a_warp_needs_syncwarp_and_syncwarp_is_enough_for_a_warp_alone() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array(64, T)
            t = cuda.threadIdx.x
            kept[t] = x[t]
            cuda.syncwarp()
            v = kept[threads - 1 - t]
            cuda.syncwarp()
            kept[t] = v
            out[t] = kept[t]

        return kernel

    out = unset(32)
    launched(build, "T[:] T[:]", Launch(1, 32), numbers(32), out)
    assert (out == numbers(32)[::-1]).all()
    assert fault_of(build, "T[:] T[:]", Launch(1, 64), numbers(64), unset(64)).kind == "race"
    for number in range(2):
        mutant = without_barrier(kernel(build, "T[:] T[:]"), number)
        with pytest.raises(KernelFault):
            run(mutant, "f4", Launch(1, 32), [numbers(32), unset(32)])


WRONG_ARGUMENTS = {
    "another dtype": ([np.zeros(4), 1], "x is float64 (4,), declared T[:]"),
    "another rank": ([np.zeros((2, 2), np.float32), 1], "with 1 axis"),
    "gaps in memory": ([np.zeros(8, np.float32)[::2], 1], "C-contiguous"),
    "no array": ([3.0, 1], "x is float, declared"),
    "one too few": ([np.zeros(4, np.float32)], "one for each of x, n"),
}


@pytest.mark.parametrize("case", WRONG_ARGUMENTS)
def test_arguments_that_a_kernel_does_not_declare_are_refused_at_the_door(case: str) -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, n):  # type: ignore[no-untyped-def]
            x[n] = x[0]

        return kernel

    given, words = WRONG_ARGUMENTS[case]
    with pytest.raises(TypeError) as raised:
        launched(build, "T[:] i8", Launch(1, 1), *given)
    assert words in str(raised.value)
    assert "\n  try: " in str(raised.value)


def test_the_same_fault_is_found_on_every_run() -> None:
    mutant = without_barrier(kernel(tree_sums, "T[:,:] T[:]"), 1)
    texts = set()
    for _ in range(20):
        with pytest.raises(KernelFault) as raised:
            run(mutant, "f4", Launch(2, 64), [np.ones((5, 100), np.float32), unset(5)])
        texts.add(str(raised.value))
    assert len(texts) == 1
