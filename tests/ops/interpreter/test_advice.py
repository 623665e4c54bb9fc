"""What a race is told to try can be done, and mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch, kernels
from ops.interpreter.barriers import barriers, without_barrier
from ops.interpreter.machine import KernelFault, run
from tests.ops.interpreter.launching import fault_of, launched, numbers, unset

Made = Callable[..., None]


def test_a_sum_of_all_threads_is_told_of_atomic_add() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            out[0] += x[cuda.grid(1)]

        return kernel

    for launch in (Launch(1, 4), Launch(4, 1)):
        fault = fault_of(build, "T[:] T[:]", launch, numbers(4), np.zeros(1, np.float32))
        assert "try: cuda.atomic.add(out, 0, x[cuda.grid(1)]) in line" in fault.text
        assert "syncthreads" not in fault.text


def test_a_count_in_a_table_is_told_of_atomic_sub_with_a_tuple() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(labels, out):  # type: ignore[no-untyped-def]
            out[0, labels[cuda.threadIdx.x]] -= 1

        return kernel

    fault = fault_of(build, "i8[:] i8[:,:]", Launch(1, 4), np.zeros(4, int), np.zeros((1, 1), int))
    assert "try: cuda.atomic.sub(out, (0, labels[cuda.threadIdx.x]), 1)" in fault.text


def test_a_flag_that_many_write_is_told_of_one_thread() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, flag):  # type: ignore[no-untyped-def]
            if x[cuda.threadIdx.x] > 0:
                flag[0] = 1

        return kernel

    fault = fault_of(build, "T[:] i8[:]", Launch(1, 4), numbers(4), np.zeros(1, int))
    assert (
        "try: one thread that writes it (if cuda.threadIdx.x == 0:), or cuda.atomic.exch"
        in fault.text
    )


def test_neighbours_that_are_read_and_written_are_read_first() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            x[t] = x[(t + 1) % threads]

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 4), numbers(4))
    assert "try: x read into a variable in line" in fault.text


def test_no_barrier_is_advised_inside_a_branch_that_some_threads_take() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            more = x[t]
            if more > 0:
                v = x[t - 1]
                v *= more
                x[t] = v

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 8), numbers(8))
    first = min(fault.lines)
    assert (
        f"two branches with cuda.syncthreads() in between: not all threads come to lines {first}"
        in fault.text
    )


def test_a_barrier_behind_a_branch_of_a_loop_stands_where_the_loop_goes_on() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            half = threads // 2
            while half > 0:
                if t < half:
                    other = x[t + half]
                    x[t] += other
                half //= 2

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 8), numbers(8))
    read, add = sorted(fault.lines)
    assert (
        f"try: cuda.syncthreads() after line {add}, before the loop comes to line {read} again"
        in fault.text
    )


def test_between_two_statements_the_barrier_stands_behind_the_whole_first() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            for i in range(t, threads, threads):
                out[i] = x[i]
                last = i
            if last > 0:
                x[t] = out[t - 1]

        return kernel

    fault = fault_of(build, "T[:] T[:]", Launch(1, 8), numbers(8), unset(8))
    first, last = sorted(fault.lines)
    assert f"try: cuda.syncthreads() between lines {first + 1} and {last - 1}" in fault.text


def test_arguments_that_overlap_race_and_are_told_apart() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t] = x[t]

        return kernel

    memory = numbers(9)
    fault = fault_of(build, "T[:] T[:]", Launch(1, 8), memory[1:], memory[:-1])
    assert (fault.kind, fault.array, fault.index) == ("race", "out", (1,))
    assert "try: another array than out to write to" in fault.text
    memory = numbers(16)
    launched(build, "T[:] T[:]", Launch(1, 8), memory[8:], memory[:8])
    assert memory[:8].tolist() == memory[8:].tolist()
    memory = numbers(9)
    launched(build, "T[:] T[:]", Launch(1, 1), memory[1:], memory[:-1])
    assert memory[0] == 1


def test_one_array_given_twice_is_one() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t + 1 < threads:
                out[t] = x[t + 1]

        return kernel

    both = numbers(8)
    assert fault_of(build, "T[:] T[:]", Launch(1, 8), both, both).kind == "race"
    launched(build, "T[:] T[:]", Launch(1, 8), both, both.copy())


@pytest.mark.parametrize("number", [0, 1])
def test_no_advice_for_the_moments_of_columns_puts_a_barrier_into_a_branch(number: int) -> None:
    kernel = kernels()["column_moments"]
    line = [b.line for b in barriers(kernel, "f4")][number]
    texts = []
    for trial in kernel.trials(np.random.default_rng(0), np.float32):
        try:
            run(
                without_barrier(kernel, number),
                "f4",
                Launch(1, 64),
                list(trial.arguments),
                trial.options,
            )
        except KernelFault as fault:
            texts.append(fault.fault.text)
    assert texts
    inside = f"between lines {line - 5} and {line - 3}"
    assert not [text for text in texts if inside in text]


def test_a_sum_down_a_tree_in_one_line_is_told_of_a_barrier_and_no_atomic_operation() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            half = threads // 2
            while half > 0:
                if t < half:
                    x[t] += x[t + half]
                half //= 2

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 8), numbers(8))
    assert "atomic" not in fault.text
    line = fault.lines[0]
    assert (
        f"try: cuda.syncthreads() after line {line}, before the loop comes to line {line}"
        in fault.text
    )
