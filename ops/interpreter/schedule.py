"""Recorded threads in the order of a GPU: warps in turn up to each barrier, the lanes of a warp line by line together.

Where the lanes of a warp part, those furthest behind in the program go first, and the others wait masked until all are
at the same line again. Furthest behind: at the smallest line, where an earlier turn of a loop comes before a later one
and the whole loop before what follows it. Between barriers no thread reads what another writes, so that in this order
every line reads what it read when it was recorded. (Atomic operations alone see another order.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, takewhile
from typing import NamedTuple

from ops.interpreter.record import BlockRun, Call, Event

Position = tuple[float, ...]
"""Where a thread stands in the program: for each loop around it the line and the turn, then the line.

In a device function the same of the line that calls it, before that line, then the same of its own."""
Around = list[list[int]]
"""Line and turn of each loop around a line."""

END = 1 << 60
"""Behind all lines."""


class Step(NamedTuple):
    """One line, run by the lanes of a warp that stand there."""

    warp: int
    line: int
    active: tuple[int, ...]
    """The numbers of the threads that run it."""
    events: Mapping[int, int]
    """Of each of these threads, which of its events this is."""
    epoch: int
    """How many barriers the block has passed."""


def schedule(run: BlockRun) -> tuple[Step, ...]:
    """The steps of a recorded block, in the order of a GPU."""
    positions = [positions_of(events, run.loops) for events in run.threads]
    at = [0] * len(run.threads)
    steps: list[Step] = []
    epoch = 0
    while any(i < len(events) for i, events in zip(at, run.threads, strict=True)):
        for first in range(0, len(run.threads), 32):
            lanes = range(first, min(first + 32, len(run.threads)))
            _run_warp(run, positions, at, lanes, epoch, steps)
        epoch += 1
    return tuple(steps)


def _run_warp(
    run: BlockRun,
    positions: Sequence[Sequence[Position]],
    at: list[int],
    lanes: Sequence[int],
    epoch: int,
    steps: list[Step],
) -> None:
    """Move the lanes of a warp past their next barrier."""
    going = [t for t in lanes if at[t] < len(run.threads[t])]
    while going:
        behind = min(positions[t][at[t]] for t in going)
        active = tuple(t for t in going if positions[t][at[t]] == behind)
        line = run.threads[active[0]][at[active[0]]].line
        steps.append(Step(lanes[0] // 32, line, active, {t: at[t] for t in active}, epoch))
        for t in active:
            at[t] += 1
        going = [
            t
            for t in going
            if at[t] < len(run.threads[t])
            and not (t in active and run.threads[t][at[t] - 1].kind in ("barrier", "grid"))
        ]


def positions_of(events: Sequence[Event], loops: Sequence[tuple[int, int]]) -> list[Position]:
    """Where a thread stands in the program at each of its events; two positions compare as the program runs.

    >>> from ops.interpreter.record import Event
    >>> events = [Event(line, "line", {}, ()) for line in (1, 2, 3, 2, 3, 2, 4)]
    >>> positions_of(events, [(2, 3)])
    [(1,), (2, 1, 2), (2, 1, 3), (2, 2, 2), (2, 2, 3), (2, 3, 2), (4,)]
    """
    ends = dict(loops)
    levels: list[Around] = [[]]
    calls: tuple[Call, ...] = ()
    found: list[Position] = []
    for event in events:
        if event.within != calls:
            shared = sum(1 for _ in takewhile(_same, zip(event.within, calls, strict=False)))
            levels = levels[: shared + 1] + [[] for _ in event.within[shared:]]
            calls = event.within
        place: Position = ()
        for call, around in zip(calls, levels, strict=False):  # before its line has ended
            place += (*_calling(around, call.line, ends), call.line - 0.5, call.nth)
        place += (*_standing(levels[-1], event.line, ends), event.line)
        found.append((END, event.line) if event.kind == "end" else place)
    return found


def _same(pair: tuple[Call, Call]) -> bool:
    return pair[0] == pair[1]


def _standing(around: Around, line: int, ends: Mapping[int, int]) -> Iterator[int]:
    """The loops around a line that has run, each with its turn; `around` are those around the line before."""
    while around and not around[-1][0] <= line <= ends[around[-1][0]]:
        around.pop()
    if line in ends:
        if around and around[-1][0] == line:
            around[-1][1] += 1
        else:
            around.append([line, 1])
    return chain.from_iterable(around)


def _calling(around: Around, line: int, ends: Mapping[int, int]) -> Iterator[int]:
    """The loops around a line that is to run when what it calls has come back."""
    now = [[*loop] for loop in around]
    return _standing(now, line, ends)
