"""A race is flagged exactly where two accesses of one element meet with nothing in between: random threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pytest

from ops.cuda.kernel import Launch
from ops.interpreter.machine import KernelFault, run
from ops.interpreter.record import Fault
from tests.ops.interpreter.launching import kernel

Made = Callable[..., None]
CELLS = 3


class Move(NamedTuple):
    """What a thread does: read, write or change atomically a cell, or wait."""

    kind: str
    cell: int = 0


class Done(NamedTuple):
    """An access, and what its thread had passed before it."""

    block: int
    thread: int
    grids: int
    barriers: int
    warps: int
    move: Move


Play = list[list[list[Move]]]
"""Of each thread of each block, what it does."""


def plays(rng: np.random.Generator, syncs: tuple[str, ...]) -> Play:
    """Random threads that pass the same syncs."""
    blocks, threads, moves = (
        int(rng.integers(1, 4)),
        int(rng.choice([2, 3, 34])),
        int(rng.integers(1, 4)),
    )
    busy = [*rng.choice(threads, size=2, replace=False).tolist(), threads - 1]
    order = [str(rng.choice(syncs)) for _ in range(int(rng.integers(0, 4)))] if syncs else []
    kinds = ["read"] * 3 + ["write"] + ["add"] * int(rng.integers(0, 2))

    def stretch(thread: int) -> Iterator[Move]:
        if thread in busy:
            for _ in range(int(rng.integers(0, moves + 1))):
                yield Move(str(rng.choice(kinds)), int(rng.integers(CELLS)))

    def thread(number: int) -> list[Move]:
        found = list(stretch(number))
        for sync in order:
            found += [Move(sync), *stretch(number)]
        return found

    return [[thread(t) for t in range(threads)] for _ in range(blocks)]


def accesses(play: Play) -> Iterator[Done]:
    for b, block in enumerate(play):
        for t, moves in enumerate(block):
            passed = {"grid": 0, "block": 0, "warp": 0, "shuffle": 0}
            for move in moves:
                if move.kind in passed:
                    passed[move.kind] += 1
                else:
                    yield Done(b, t, passed["grid"], passed["block"], passed["warp"], move)


def race(a: Done, b: Done, shared: bool) -> bool:
    """The definition."""
    if a.move.cell != b.move.cell or (a.block, a.thread) == (b.block, b.thread):
        return False
    if {a.move.kind, b.move.kind} <= {"read"} or {a.move.kind, b.move.kind} == {"add"}:
        return False
    if a.block != b.block:
        return not shared and a.grids == b.grids
    if (a.grids, a.barriers) != (b.grids, b.barriers):
        return False
    return a.thread // 32 != b.thread // 32 or a.warps == b.warps


def act(cuda: Any, T: Any, place: Any, move: Move) -> None:
    """One access."""
    if move.kind == "read":
        place[move.cell]
    elif move.kind == "write":
        place[move.cell] = T(1)
    else:
        cuda.atomic.add(place, move.cell, T(1))


def fault_in(play: Play, shared: bool) -> Fault | None:
    """What the interpreter finds."""

    def alone(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(cells):  # type: ignore[no-untyped-def]
            for move in play[cuda.blockIdx.x][cuda.threadIdx.x]:
                act(cuda, T, cells, move)

        return kernel

    def waiting(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(cells):  # type: ignore[no-untyped-def]
            place = cells
            if shared:
                place = cuda.shared.array(CELLS, T)
                if cuda.threadIdx.x == 0:
                    for i in range(CELLS):
                        place[i] = cells[i]
                cuda.syncthreads()
            for move in play[cuda.blockIdx.x][cuda.threadIdx.x]:
                if move.kind == "block":
                    cuda.syncthreads()
                elif move.kind == "warp":
                    cuda.syncwarp()
                elif move.kind == "shuffle":  # no barrier for memory
                    cuda.shfl_xor_sync(0xFFFFFFFF, 0, 0)
                else:
                    act(cuda, T, place, move)

        return kernel

    def together(cuda: Any, math: Any, T: Any, threads: int) -> Made:
        def kernel(cells):  # type: ignore[no-untyped-def]
            place = cells
            if shared:
                place = cuda.shared.array(CELLS, T)
                if cuda.threadIdx.x == 0:
                    for i in range(CELLS):
                        place[i] = cells[i]
                cuda.syncthreads()
            for move in play[cuda.blockIdx.x][cuda.threadIdx.x]:
                if move.kind == "block":
                    cuda.syncthreads()
                elif move.kind == "warp":
                    cuda.syncwarp()
                elif move.kind == "shuffle":  # no barrier for memory
                    cuda.shfl_xor_sync(0xFFFFFFFF, 0, 0)
                elif move.kind == "grid":
                    cuda.cg.this_grid().sync()
                else:
                    act(cuda, T, place, move)

        return kernel

    kinds = {move.kind for block in play for moves in block for move in moves}
    build = (
        together
        if "grid" in kinds
        else waiting
        if shared or kinds & {"block", "warp", "shuffle"}
        else alone
    )
    try:
        launch = Launch(len(play), len(play[0]))
        run(kernel(build, "T[:]"), "f4", launch, [np.zeros(CELLS, np.float32)])
    except KernelFault as found:
        return found.fault
    return None


SYNCS: dict[str, tuple[str, ...]] = {
    "none": (),
    "block": ("block",),
    "warp": ("warp",),
    "shuffle": ("shuffle",),
    "block, warp and shuffle": ("block", "warp", "shuffle"),
    "grid": ("grid",),
    "all": ("block", "warp", "shuffle", "grid"),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("syncs", SYNCS)
def test_a_race_is_flagged_exactly_where_the_definition_has_one(syncs: str, shared: bool) -> None:
    rng = np.random.default_rng(len(syncs) + shared)
    seen = {True: 0, False: 0}
    for turn in range(60):
        play = plays(rng, SYNCS[syncs])
        expected = any(race(a, b, shared) for a, b in combinations(accesses(play), 2))
        fault = fault_in(play, shared)
        assert (fault is not None) == expected, (turn, play)
        if fault is not None:
            assert fault.kind == "race"
            assert len(fault.threads) == 2
            assert all(fault.lines)
        seen[expected] += 1
    assert min(seen.values()) > 5
