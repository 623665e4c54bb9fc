"""A recorded launch is the plain one, to the bit, with everything that its threads did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch
from ops.interpreter.barriers import barriers, without_barrier
from ops.interpreter.machine import run
from ops.interpreter.recording import record
from ops.interpreter.schedule import schedule
from tests.ops.interpreter.launching import kernel, numbers, replayed, reverse, tree_sums, unset

Made = Callable[..., None]


def walker(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Loops of different lengths, branches, a shuffle, all three memories."""
    zero = T(0)

    def kernel(x, out, scale, n):  # type: ignore[no-untyped-def]
        kept = cuda.shared.array(64, T)
        own = cuda.local.array(2, T)
        t = cuda.threadIdx.x
        own[0] = zero
        for i in range(t % 4):
            if (t + i) % 2:
                own[0] += x[t] * scale
            else:
                own[0] -= x[i]
                if own[0] < zero:
                    break
        kept[t] = own[0]
        cuda.syncthreads()
        v = kept[(t + 1) % threads]
        k = 16
        while k > 0:
            v += cuda.shfl_xor_sync(0xFFFFFFFF, v, k)
            k //= 2
        if t < n:
            out[cuda.blockIdx.x, t] = v
            return
        out[cuda.blockIdx.x, t] = zero

    return kernel


CASES: dict[str, tuple[Kernel, Launch, list[Any]]] = {
    "walker": (
        kernel(walker, "T[:] T[:,:] T i8"),
        Launch(2, 64),
        [np.random.default_rng(0).normal(size=64).astype(np.float32), unset(2, 64), 0.5, 40],
    ),
    "reverse": (kernel(reverse, "T[:] T[:]"), Launch(1, 64), [numbers(64), unset(64)]),
    "tree sums": (
        kernel(tree_sums, "T[:,:] T[:]"),
        Launch(2, 64),
        [np.random.default_rng(1).normal(size=(3, 70)).astype(np.float32), unset(3)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_recording_changes_no_bit(name: str) -> None:
    k, launch, given = CASES[name]
    plain = [x.copy() if isinstance(x, np.ndarray) else x for x in given]
    run(k, "f4", launch, plain)
    recorded = record(k, "f4", launch, given)
    assert recorded.fault is None
    assert recorded.stopped == ""
    for x, result in zip(plain, recorded.results.values(), strict=False):
        assert x.tobytes() == result.tobytes()
    assert np.isnan(given[1]).all()  # on copies


def test_a_record_says_what_ran() -> None:
    k, launch, given = CASES["walker"]
    recorded = record(k, "f4", launch, given)
    assert (recorded.name, recorded.blocks, recorded.threads, recorded.dtype) == (
        "walker",
        2,
        64,
        "float32",
    )
    assert list(recorded.arguments) == ["x", "out", "scale", "n"]
    assert recorded.arguments["n"] == 40
    assert recorded.source[0].strip().startswith("def kernel(x, out, scale, n)")
    assert recorded.file == __file__
    assert [run.block for run in recorded.runs] == [(0, 0, 0), (1, 0, 0)]
    assert recorded.runs[0].shared == {"kept": ((64,), "float32")}


def line_of(recorded: Any, text: str) -> int:
    return next(recorded.first_line + i for i, line in enumerate(recorded.source) if text in line)


def test_every_line_of_a_thread_leaves_an_event_with_what_it_changed() -> None:
    k, launch, given = CASES["walker"]
    recorded = record(k, "f4", launch, given)
    events = recorded.runs[1].threads[3]
    first = recorded.first_line
    assert [e.line - first for e in events[:8]] == [1, 2, 3, 4, 5, 6, 7, 5]
    assert events[2].registers == {"t": 3}
    assert events[4].registers == {"i": 0}
    write = events[3].accesses[0]
    assert (write.space, write.array, write.index, write.value, write.write) == (
        "local",
        "own",
        (0,),
        0,
        True,
    )
    assert write.before is None
    barrier = [e for e in events if e.kind == "barrier"]
    assert [e.line for e in barrier] == [line_of(recorded, "syncthreads")]
    shuffles = [e for e in events if e.kind == "warp"]
    assert len(shuffles) == 5
    assert all(e.line == line_of(recorded, "shfl_xor_sync") for e in shuffles)
    assert all(set(e.registers) == {"v"} for e in shuffles)
    heads = [e for e in events if e.line == line_of(recorded, "while k")]
    assert len(heads) == 6
    assert events[-1].kind == "end"
    assert sum(e.kind == "end" for e in events) == 1


def test_an_augmented_assignment_reads_and_writes() -> None:
    k, launch, given = CASES["tree sums"]
    recorded = record(k, "f4", launch, given)
    line = line_of(recorded, "sums[lane] += sums[lane + width]")
    event = next(e for e in recorded.runs[0].threads[1] if e.line == line)
    assert [(a.array, a.index, a.write) for a in event.accesses] == [
        ("sums", (1,), False),
        ("sums", (33,), False),
        ("sums", (1,), True),
    ]
    assert event.accesses[2].before == event.accesses[0].value
    assert event.accesses[2].value == event.accesses[0].value + event.accesses[1].value


def test_only_the_blocks_asked_for_are_kept() -> None:
    k, launch, given = CASES["walker"]
    recorded = record(k, "f4", launch, given, blocks=[(1, 0, 0)])
    assert [run.block for run in recorded.runs] == [(1, 0, 0)]
    everything = record(k, "f4", launch, given)
    assert repr(recorded.runs[0].threads) == repr(everything.runs[1].threads)


def test_recording_ends_at_its_limit_with_a_word() -> None:
    k, launch, given = CASES["tree sums"]
    recorded = record(k, "f4", launch, given, limit=500)
    assert sum(len(t) for b in recorded.runs for t in b.threads) == 500
    assert "only the first 500 lines of the threads were kept" in recorded.stopped
    assert "of block 0 came to line" in recorded.stopped
    assert "its faults are not seen\n  try: fewer blocks" in recorded.stopped
    assert recorded.fault is None
    for block in recorded.runs:
        schedule(block)


def endless(cuda: Any, math: Any, T: Any, threads: int) -> Made:
    """Block 1 counts for ever."""

    def kernel(x):  # type: ignore[no-untyped-def]
        i = 0
        while cuda.blockIdx.x == 1 and i >= 0:
            x[0] += i

    return kernel


def test_an_endless_loop_is_left_and_named() -> None:
    recorded = record(kernel(endless, "T[:]"), "f4", Launch(2, 3), [numbers(1)], limit=5000)
    line = line_of(recorded, "x[0] += i")
    assert "thread 0 of block 1" in recorded.stopped
    assert f"came to line {line - 1} for the 2496th time" in recorded.stopped
    assert "try: a condition that ends its loop" in recorded.stopped


def test_an_endless_loop_of_a_block_that_is_not_kept_is_left_too() -> None:
    k = kernel(endless, "T[:]")
    recorded = record(k, "f4", Launch(2, 1), [numbers(1)], blocks=[(0, 0, 0)], limit=100)
    assert "blocks that are not kept" in recorded.stopped


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_fault_stands_in_the_record_with_the_events_of_both_threads(number: int) -> None:
    k, _, given = CASES["tree sums"]
    recorded = record(without_barrier(k, number), "f4", Launch(1, 64), given)
    fault = recorded.fault
    assert fault is not None
    assert fault.kind == "race"
    for (thread, _, _), line in zip(fault.threads, fault.lines, strict=True):
        assert line in [e.line for e in recorded.runs[0].threads[thread]]
    last = fault.threads[1][0]
    assert recorded.runs[0].threads[last][-1].line == fault.lines[1]


def test_a_divergent_barrier_leaves_every_thread_where_it_waits() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            if t < 3:
                cuda.syncthreads()
            out[t] = x[t]

        return kernel

    recorded = record(kernel(build, "T[:] T[:]"), "f4", Launch(1, 4), [numbers(4), unset(4)])
    assert recorded.fault is not None
    assert recorded.fault.kind == "divergent barrier"
    assert [t[-1].kind for t in recorded.runs[0].threads] == ["barrier"] * 3 + ["end"]


@pytest.mark.parametrize("name", CASES)
def test_in_the_order_of_a_gpu_every_line_reads_what_it_read(name: str) -> None:
    k, launch, given = CASES[name]
    recorded = record(k, "f4", launch, given)
    for block in recorded.runs:
        memory = replayed(block, recorded.arguments)
        for (array, index), value in memory.items():
            if array in recorded.results:
                assert recorded.results[array][index] == value


@pytest.mark.parametrize("name", CASES)
def test_every_event_is_one_lane_of_one_step(name: str) -> None:
    k, launch, given = CASES[name]
    for block in record(k, "f4", launch, given).runs:
        seen: dict[int, list[int]] = {t: [] for t in range(len(block.threads))}
        epochs = []
        for step in schedule(block):
            epochs.append((step.epoch, step.warp))
            assert len({t // 32 for t in step.active}) == 1
            assert step.active == tuple(sorted(step.active))
            for t in step.active:
                assert t // 32 == step.warp
                event = block.threads[t][step.events[t]]
                assert event.line == step.line
                seen[t].append(step.events[t])
        assert epochs == sorted(epochs)
        assert all(seen[t] == list(range(len(block.threads[t]))) for t in seen)


def test_lanes_part_at_a_branch_and_meet_behind_it() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            i = 0
            while i < 1 + t % 2:
                if t < 2:  # noqa: SIM108 - two lines, two steps
                    v = x[t]
                else:
                    v = -x[3]
                i += 1
            out[t] = v

        return kernel

    recorded = record(kernel(build, "T[:] T[:]"), "f4", Launch(1, 4), [numbers(4), unset(4)])
    first = recorded.first_line
    steps = [(step.line - first, step.active) for step in schedule(recorded.runs[0])]
    every, odd = (0, 1, 2, 3), (1, 3)
    assert steps == [
        (1, every),
        (2, every),
        (3, every),
        (4, every),
        (5, (0, 1)),
        (7, (2, 3)),
        (8, every),
        (3, every),
        (4, odd),
        (5, (1,)),
        (7, (3,)),
        (8, odd),
        (3, odd),
        (9, every),
        (9, every),
    ]


def test_a_lane_that_skips_the_rest_of_a_turn_waits_for_the_others_at_the_next() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        one = T(1)

        def kernel(out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            for i in range(2):
                if t == 0:
                    continue
                out[t, i] = one

        return kernel

    recorded = record(kernel(build, "T[:,:]"), "f4", Launch(1, 3), [unset(3, 2)])
    first = recorded.first_line
    steps = [(step.line - first, step.active) for step in schedule(recorded.runs[0])]
    every, others = (0, 1, 2), (1, 2)
    turn = [(2, every), (3, every), (4, (0,)), (5, others)]
    assert steps == [(1, every), *turn, *turn, (2, every), (5, every)]


def test_a_warp_of_uniform_threads_runs_in_lockstep() -> None:
    k, launch, given = CASES["reverse"]
    steps = schedule(record(k, "f4", launch, given).runs[0])
    assert all(len(step.active) == 32 for step in steps)
    assert [(s.epoch, s.warp) for s in steps if s.line == steps[0].line] == [(0, 0), (0, 1)]


def test_the_barriers_of_a_kernel_are_listed_with_their_lines() -> None:
    k = CASES["tree sums"][0]
    found = barriers(k, "f4")
    assert [b.number for b in found] == [0, 1, 2]
    assert {b.text for b in found} == {"cuda.syncthreads()"}
    source = record(k, "f4", Launch(1, 64), CASES["tree sums"][2])
    assert [source.source[b.line - source.first_line].strip() for b in found] == [
        "cuda.syncthreads()"
    ] * 3


def test_taking_a_barrier_away_leaves_the_others_and_the_lines() -> None:
    k, launch, given = CASES["tree sums"]
    whole = record(k, "f4", launch, given)
    without = record(
        without_barrier(k, 2), "f4", Launch(3, 64), given
    )  # one row each: it is not missed
    assert without.fault is None
    assert without.results["out"].tobytes() == whole.results["out"].tobytes()
    gone = barriers(k, "f4")[2].line
    kinds = {e.line: e.kind for t in without.runs[0].threads for e in t}
    assert kinds[gone] == "line"
    assert {line for line, kind in kinds.items() if kind == "barrier"} == {
        b.line for b in barriers(k, "f4")[:2]
    }
