"""What `cuda` offers, against what CUDA means by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from tests.ops.interpreter.launching import (
    fault_of,
    launched,
    numbers,
    reverse,
    tree_sums,
    unset,
)

Made = Callable[..., None]
ALL = 0xFFFFFFFF


def exchanged(call: Callable[..., Any], threads: int = 32, dtype: Any = "f4") -> Any:
    """What every thread gets from a call with its lane and 10 times its number."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            cuda.syncwarp()
            out[t] = call(cuda, t % 32, x[t])

        return kernel

    out = np.full(threads, -1, np.dtype(dtype))
    launched(
        build,
        "T[:] T[:]",
        Launch(1, threads),
        10 * np.arange(threads).astype(dtype),
        out,
        dtype=dtype,
    )
    return out.tolist()


LANES = range(32)
SHUFFLES: dict[str, tuple[Callable[..., Any], list[int]]] = {
    "down": (
        lambda cuda, lane, v: cuda.shfl_down_sync(ALL, v, 3),
        [lane + 3 if lane < 29 else lane for lane in LANES],
    ),
    "up": (
        lambda cuda, lane, v: cuda.shfl_up_sync(ALL, v, 5),
        [lane - 5 if lane > 4 else lane for lane in LANES],
    ),
    "xor": (lambda cuda, lane, v: cuda.shfl_xor_sync(ALL, v, 6), [lane ^ 6 for lane in LANES]),
    "xor beyond": (lambda cuda, lane, v: cuda.shfl_xor_sync(ALL, v, 33), list(LANES)),
    "from one": (lambda cuda, lane, v: cuda.shfl_sync(ALL, v, 7), [7] * 32),
    "from each other": (
        lambda cuda, lane, v: cuda.shfl_sync(ALL, v, 31 - lane),
        [31 - lane for lane in LANES],
    ),
    "from lane 37, which is 5": (lambda cuda, lane, v: cuda.shfl_sync(ALL, v, 37), [5] * 32),
    "half of the warp": (
        lambda cuda, lane, v: cuda.shfl_xor_sync(0xFFFF if lane < 16 else 0xFFFF0000, v, 1),
        [lane ^ 1 for lane in LANES],
    ),
    "odd lanes alone": (
        lambda cuda, lane, v: cuda.shfl_xor_sync(0xAAAAAAAA, v, 2) if lane % 2 else v,
        [lane ^ 2 if lane % 2 else lane for lane in LANES],
    ),
}


@pytest.mark.parametrize("name", SHUFFLES)
def test_a_shuffle_takes_the_number_of_the_right_lane(name: str) -> None:
    call, sources = SHUFFLES[name]
    assert exchanged(call) == [10 * lane for lane in sources]


def test_a_shuffle_stays_in_its_warp() -> None:
    got = exchanged(lambda cuda, lane, v: cuda.shfl_down_sync(ALL, v, 1), threads=64)
    assert got[30:33] == [310, 310, 330]
    assert got[63] == 630


def test_the_last_warp_of_a_block_may_be_short() -> None:
    got = exchanged(lambda cuda, lane, v: cuda.shfl_xor_sync(ALL, v, 1), threads=40)
    assert got[32:] == [330, 320, 350, 340, 370, 360, 390, 380]


VOTES: dict[str, tuple[Callable[..., Any], int]] = {
    "all": (lambda cuda, lane, v: cuda.all_sync(ALL, lane < 32), 1),
    "not all": (lambda cuda, lane, v: cuda.all_sync(ALL, lane < 31), 0),
    "any": (lambda cuda, lane, v: cuda.any_sync(ALL, lane == 31), 1),
    "not any": (lambda cuda, lane, v: cuda.any_sync(ALL, lane > 31), 0),
    "equal": (lambda cuda, lane, v: cuda.eq_sync(ALL, False), 1),
    "not equal": (lambda cuda, lane, v: cuda.eq_sync(ALL, lane == 3), 0),
    "ballot": (lambda cuda, lane, v: cuda.ballot_sync(ALL, lane % 4 == 0), 0x11111111),
    "ballot of half": (
        lambda cuda, lane, v: cuda.ballot_sync(0xFFFF if lane < 16 else 0xFFFF0000, True) & 0xFFFF,
        0,
    ),
}


@pytest.mark.parametrize("name", VOTES)
def test_a_vote_of_a_warp_counts_its_lanes(name: str) -> None:
    call, expected = VOTES[name]
    got = exchanged(call, dtype="f8")
    if name == "ballot of half":
        assert got == [0xFFFF] * 16 + [0] * 16
    else:
        assert got == [expected] * 32


def test_a_barrier_may_count_the_threads_that_say_yes() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx.x
            out[t, 0] = cuda.syncthreads_count(t % 3 == 0)
            out[t, 1] = cuda.syncthreads_and(t >= 0)
            out[t, 2] = cuda.syncthreads_and(t != 5)
            out[t, 3] = cuda.syncthreads_or(t == 5)
            out[t, 4] = cuda.syncthreads_or(t < 0)

        return kernel

    out = np.zeros((48, 5), np.int64)
    launched(build, "i8[:,:]", Launch(1, 48), out)
    assert (out == [16, 1, 0, 1, 0]).all()


def test_shared_memory_passes_numbers_from_thread_to_thread() -> None:
    out = unset(64)
    launched(reverse, "T[:] T[:]", Launch(1, 64), numbers(64), out)
    assert (out == numbers(64)[::-1]).all()


@pytest.mark.parametrize("launch", [Launch(1, 32), Launch(2, 64), Launch(7, 64)])
def test_a_tree_in_shared_memory_sums_each_row(launch: Launch) -> None:
    x = np.random.default_rng(0).normal(size=(5, 150)).astype(np.float32)
    out = unset(5)
    launched(tree_sums, "T[:,:] T[:]", launch, x, out)
    assert np.allclose(out, x.sum(axis=1), atol=1e-5)


def test_two_shared_arrays_of_one_kernel_are_two() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            a = cuda.shared.array(32, T)
            b = cuda.shared.array(32, T)
            t = cuda.threadIdx.x
            a[t] = x[t]
            b[t] = -x[t]
            cuda.syncthreads()
            out[t] = a[31 - t] - b[31 - t]

        return kernel

    out = unset(32)
    launched(build, "T[:] T[:]", Launch(1, 32), numbers(32), out)
    assert (out == 2 * numbers(32)[::-1]).all()


def test_local_memory_belongs_to_one_thread() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        zero = T(0)

        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.local.array((2, 2), T)
            t = cuda.threadIdx.x
            for i in range(2):
                for j in range(2):
                    kept[i, j] = x[t] if i == j else zero
            kept[0, 0] += kept[1, 1]
            out[t] = kept[0, 0] + kept[0, 1]

        return kernel

    out = unset(8)
    launched(build, "T[:] T[:]", Launch(1, 8), numbers(8), out)
    assert (out == 2 * numbers(8)).all()


def test_all_blocks_meet_at_the_sync_of_the_grid() -> None:
    """Each block writes its part, and after the sync reads that of the next; shared memory is kept meanwhile."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            kept = cuda.shared.array(1, T)
            grid = cuda.cg.this_grid()
            b = cuda.blockIdx.x
            blocks = cuda.gridDim.x
            if cuda.threadIdx.x == 0:
                kept[0] = x[b]
            for turn in range(3):
                if cuda.threadIdx.x == 0:
                    out[turn, b] = x[b] + kept[0]
                grid.sync()
                if cuda.threadIdx.x == 0:
                    x[b] = out[turn, (b + 1) % blocks]
                grid.sync()

        return kernel

    x, out = numbers(4), unset(3, 4)
    launched(build, "T[:] T[:,:]", Launch(4, 2), x, out)
    value, expected = np.arange(4.0), []
    for _ in range(3):
        expected.append(value + np.arange(4))
        value = np.roll(expected[-1], -1)
    assert np.array_equal(out, expected)
    assert np.array_equal(x, value)


def test_without_the_sync_of_the_grid_blocks_race() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            b = cuda.blockIdx.x
            out[b] = x[b]
            if x[0] > 0:
                cuda.cg.this_grid().sync()
            x[b] = out[(b + 1) % cuda.gridDim.x]

        return kernel

    launched(build, "T[:] T[:]", Launch(4, 1), 1 + numbers(4), unset(4))
    fault = fault_of(build, "T[:] T[:]", Launch(4, 1), numbers(4), unset(4))
    assert (fault.kind, fault.array) == ("race", "out")


def test_atomic_operations_give_what_was_there_and_lose_nothing() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(cells, got):  # type: ignore[no-untyped-def]
            i = cuda.grid(1)
            got[i, 0] = cuda.atomic.add(cells, 0, 2)
            got[i, 1] = cuda.atomic.sub(cells, 1, 1)
            got[i, 2] = cuda.atomic.max(cells, 2, i)
            got[i, 3] = cuda.atomic.min(cells, 3, 5 - i)
            got[i, 4] = cuda.atomic.exch(cells, 4, i)
            got[i, 5] = cuda.atomic.cas(cells, 5, i, i + 1)

        return kernel

    cells, got = np.array([0, 100, 3, 3, 77, 0]), np.full((8, 6), -1)
    launched(build, "i8[:] i8[:,:]", Launch(2, 4), cells, got)
    assert cells.tolist() == [16, 92, 7, -2, 7, 8]
    assert got[:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert got[:, 1].tolist() == [100, 99, 98, 97, 96, 95, 94, 93]
    assert got[:, 2].tolist() == [3, 3, 3, 3, 3, 4, 5, 6]
    assert got[:, 3].tolist() == [3, 3, 3, 3, 2, 1, 0, -1]
    assert got[:, 4].tolist() == [77, 0, 1, 2, 3, 4, 5, 6]
    assert got[:, 5].tolist() == list(range(8))


def test_atomic_operations_work_in_shared_memory() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        zero, one = T(0), T(1)

        def kernel(out):  # type: ignore[no-untyped-def]
            count = cuda.shared.array(1, T)
            if cuda.threadIdx.x == 0:
                count[0] = zero
            cuda.syncthreads()
            cuda.atomic.add(count, 0, one)
            cuda.threadfence()
            cuda.syncthreads()
            if cuda.threadIdx.x == 0:
                out[cuda.blockIdx.x] = count[0]

        return kernel

    out = unset(2)
    launched(build, "T[:]", Launch(2, 40), out)
    assert out.tolist() == [40, 40]


def test_a_thread_knows_where_it_stands() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            i = cuda.grid(1)
            j, k = cuda.grid(2)
            if k == 0:
                out[i, 0] = cuda.gridsize(1)
                out[i, 1] = j
                out[i, 2] = cuda.blockIdx.x
                out[i, 3] = cuda.laneid
                out[i, 4] = cuda.warpsize
                out[i, 5] = cuda.blockDim.x * cuda.gridDim.x
                out[i, 6] = cuda.gridsize(2)[1] + cuda.gridsize(3)[2] + cuda.grid(3)[2]

        return kernel

    out = np.full((120, 7), -1)
    launched(build, "i8[:,:]", Launch((3, 2), 40), out)
    i = np.arange(120)
    assert (out[:, 0] == 120).all()
    assert (out[:, 1] == i).all()
    assert (out[:, 2] == i // 40).all()
    assert (out[:, 3] == i % 40 % 32).all()
    assert (out[:, 4] == 32).all()
    assert (out[:, 5] == 120).all()
    assert (out[:, 6] == 3).all()


def test_a_block_of_three_axes_counts_its_threads_along_the_first() -> None:
    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(out):  # type: ignore[no-untyped-def]
            t = cuda.threadIdx
            out[t.z, t.y, t.x] = cuda.ballot_sync(ALL, t.y == 1)

        return kernel

    out = np.full((2, 3, 4), -1)
    launched(build, "i8[:,:,:]", Launch((1, 1), (4, 3, 2)), out)  # type: ignore[arg-type]
    assert (out == 0x0F0 | 0x0F0 << 12).all()


def test_no_result_depends_on_when_it_is_run() -> None:
    """Two runs give the same bits, float atomics and all."""

    def build(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(x, out):  # type: ignore[no-untyped-def]
            cuda.atomic.add(out, 0, x[cuda.grid(1)])

        return kernel

    x = np.random.default_rng(1).normal(size=256).astype(np.float32)
    sums = set()
    for _ in range(5):
        out = np.zeros(1, np.float32)
        launched(build, "T[:] T[:]", Launch(4, 64), x, out)
        sums.add(out.tobytes())
    assert len(sums) == 1
