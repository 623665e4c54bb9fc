"""Device functions in a record: their lines, reads, writes and numbers, and who called them from where."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.record import Call
from ops.interpreter.recording import record
from ops.interpreter.schedule import positions_of, schedule
from tests.ops.interpreter.launching import fault_of, kernel, numbers, replayed, unset

Made = Callable[..., None]


def rows(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Sums of the first elements of rows, by device functions that call each other and return early."""
    zero = T(0)

    def twice(v):  # type: ignore[no-untyped-def]
        return v + v

    def total(x, row, count):  # type: ignore[no-untyped-def]
        found = zero
        for i in range(count):
            found += twice(x[row, i])
        if count > 2:
            return found
        return twice(found)

    def kernel(x, out):  # type: ignore[no-untyped-def]
        part = cuda.shared.array(64, T)
        t = cuda.threadIdx.x
        part[t] = total(x, t, t % 4) + total(x, t, 1)
        cuda.syncthreads()
        k = 0
        while twice(k) < t:
            k += 1
        out[t] = part[t] + k

    return kernel


def recorded(typing: str = "ours") -> Any:
    given = [np.arange(32.0, dtype=np.float32).reshape(8, 4), unset(8)]
    return record(kernel(rows, "T[:,:] T[:]"), "f4", Launch(1, 8), given, typing=typing)


def line_of(text: str) -> int:
    lines = linecache.getlines(__file__)
    return next(k for k, line in enumerate(lines, 1) if line.strip() == text)


@pytest.mark.parametrize("typing", ["ours", "numba"])
def test_every_line_of_a_device_function_is_kept_with_the_calls_that_led_there(typing: str) -> None:
    found = recorded(typing)
    assert found.fault is None
    events = found.runs[0].threads[1]
    at = line_of("part[t] = total(x, t, t % 4) + total(x, t, 1)")
    added = line_of("found += twice(x[row, i])")
    first = [e for e in events if e.within and e.within[0] == Call("total", at, 1)]
    assert [e.line for e in first if len(e.within) == 1][:3] == [
        line_of("def total(x, row, count):  # type: ignore[no-untyped-def]"),
        line_of("found = zero"),
        line_of("for i in range(count):"),
    ]
    assert first[0].registers == {"total.row": 1, "total.count": 1}
    inner = [e for e in first if e.within[1:] == (Call("twice", added, 1),)]
    assert [dict(e.registers) for e in inner] == [{"twice.v": 4}, {"twice.return": 8}]
    assert [(a.array, a.index) for e in first for a in e.accesses] == [("x", (1, 0))]
    assert any(e.within == (Call("total", at, 2),) for e in events)
    assert {each.name for each in found.functions} == {"twice", "total"}


def test_what_is_recorded_with_device_functions_is_what_a_gpu_may_do() -> None:
    found = recorded()
    wanted = [
        2 * sum(4 * r + i for i in range(r % 4)) * (1 if r % 4 > 2 else 2) + 16 * r
        for r in range(8)
    ]
    assert found.results["out"].tolist() == [w + (r + 1) // 2 for r, w in enumerate(wanted)]
    memory = replayed(found.runs[0], found.arguments)
    assert memory["out", (3,)] == found.results["out"][3]


def test_lanes_that_leave_a_device_function_early_wait_for_the_others() -> None:
    found = recorded()
    steps = schedule(found.runs[0])
    caller = line_of("part[t] = total(x, t, t % 4) + total(x, t, 1)")
    assert [len(s.active) for s in steps if s.line == caller] == [8]
    tests = [s for s in steps if s.line == line_of("while twice(k) < t:")]
    assert [len(s.active) for s in tests] == [8, 7, 5, 3, 1]
    heads = [s for s in steps if s.line == line_of("def twice(v):  # type: ignore[no-untyped-def]")]
    assert [len(s.active) for s in heads][-5:] == [8, 7, 5, 3, 1]


def test_positions_follow_the_program_into_calls_and_out_of_them() -> None:
    block = recorded().runs[0]
    for events in block.threads:
        positions = positions_of(events, block.loops)
        assert positions == sorted(positions)
        assert len(set(positions)) == len(positions)


def waiting(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """A device function with a barrier and an array of its own."""

    def turned(x, t):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array(64, T)
        kept[t] = x[t]
        cuda.syncthreads()
        return kept[threads - 1 - t]

    def kernel(x, out):  # type: ignore[no-untyped-def]
        t = cuda.threadIdx.x
        out[t] = turned(x, t)

    return kernel


def test_a_barrier_in_a_device_function_is_one_and_its_array_is_named_after_it() -> None:
    found = record(kernel(waiting, "T[:] T[:]"), "f4", Launch(1, 40), [numbers(40), unset(40)])
    assert found.results["out"].tolist() == numbers(40)[::-1].tolist()
    assert found.runs[0].shared == {"turned.kept": ((64,), "float32")}
    assert {s.epoch for s in schedule(found.runs[0])} == {0, 1}
    replayed(found.runs[0], found.arguments)


def test_the_last_line_before_a_fault_is_that_of_the_device_function() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def beyond(x, i):  # type: ignore[no-untyped-def]
            k = i + 1
            return x[k]

        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t] = beyond(x, t)

        return kernel

    found = record(kernel(build, "T[:] T[:]"), "f4", Launch(1, 4), [numbers(4), unset(4)])
    assert found.fault is not None
    assert found.fault.lines == (line_of("return x[k]"),)
    last = found.runs[0].threads[3][-1]
    assert (last.line, last.within[0].name) == (line_of("return x[k]"), "beyond")


def test_a_race_in_the_loop_of_a_device_function_is_mended_in_that_loop() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def folded(part, t):  # type: ignore[no-untyped-def]
            half = part.size // 2
            while half > 0:
                if t < half:
                    part[t] += part[t + half]  # the race
                half //= 2

        def kernel(x):  # type: ignore[no-untyped-def]
            folded(x, cuda.threadIdx.x)

        return kernel

    fault = fault_of(build, "T[:]", Launch(1, 8), numbers(8))
    line = line_of("part[t] += part[t + half]  # the race")
    assert fault.lines == (line, line)
    assert fault.text.endswith(
        f"try: cuda.syncthreads() after line {line}, before the loop comes to line {line} again"
    )
