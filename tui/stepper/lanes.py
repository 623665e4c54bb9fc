"""Where the lanes of a warp are: which run, which wait at which line, which have ended; and sets of lanes in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from tui.stepper.walk import WARP, Walk

WHOLE = ("barrier", "grid")
"""Kinds of events at which a lane waits for more than its warp."""


class State(Enum):
    """What a lane does at a step of its warp. The value is its sign."""

    RUNS = "▼"
    WAITS = "·"
    BARRIER = "‖"
    ENDED = "□"
    CUT = "?"
    """The run ended, or was no longer recorded, before this lane went on."""


@dataclass(frozen=True)
class Lane:
    """A lane at a position: what it does, and the line at which it is; 0 where it is at none."""

    thread: int
    state: State
    line: int


@dataclass(frozen=True)
class Warp:
    """A warp at a position: its last step, its lanes, and where those that ran go next."""

    number: int
    step: int | None
    """The number of its last step."""
    line: int
    """The line of that step; 0 before the first."""
    kind: str
    lanes: tuple[Lane, ...]
    active: tuple[int, ...]
    """The threads that ran in that step."""
    sides: tuple[tuple[int, tuple[int, ...]], ...]
    """The lines to which the lanes that ran go next, and the threads that go there; 0 is the end."""

    @property
    def splits(self) -> bool:
        """Whether the lanes that ran part here."""
        return len(self.sides) > 1

    def waiting(self) -> dict[tuple[State, int], tuple[int, ...]]:
        """The lanes that did not run, by what they do and at which line."""
        found: dict[tuple[State, int], tuple[int, ...]] = {}
        for lane in self.lanes:
            if lane.thread not in self.active:
                key = lane.state, lane.line
                found[key] = (*found.get(key, ()), lane.thread)
        return found


def warp_at(walk: Walk, position: int, number: int) -> Warp:
    """A warp as it stands at a position."""
    moment = walk.moment(position)
    at = walk.step_at(position, number)
    step = walk.steps[at] if at is not None else None
    lanes = tuple(_lane(walk, t, moment.done[t], at) for t in walk.lanes(number))
    if step is None:
        return Warp(number, None, 0, "", lanes, (), ())
    sides: dict[int, tuple[int, ...]] = {}
    for thread in step.active:
        following = walk.event(thread, moment.done[thread])
        if following is None and walk.cut and not _has_ended(walk, thread):
            continue
        line = 0 if following is None or following.kind == "end" else following.line
        sides[line] = (*sides.get(line, ()), thread)
    whole = tuple(sorted(sides.items()))
    return Warp(number, at, step.line, walk.kind_of(step), lanes, step.active, whole)


def _lane(walk: Walk, thread: int, done: int, at: int | None) -> Lane:
    """A lane, so many of whose events have happened; `at` is the step that its warp has made last."""
    last, following = walk.event(thread, done - 1), walk.event(thread, done)
    if last is not None and last.kind == "end":
        return Lane(thread, State.ENDED, 0)
    if last is not None and at is not None:
        if thread in walk.steps[at].active:
            return Lane(thread, State.RUNS, last.line)
        if last.kind in WHOLE and _came_there(walk, thread, at):
            return Lane(thread, State.BARRIER, last.line)
    if following is None:
        return Lane(thread, State.CUT if walk.cut else State.ENDED, 0)
    return Lane(thread, State.WAITS, 0 if following.kind == "end" else following.line)


def _has_ended(walk: Walk, thread: int) -> bool:
    """Whether a thread came to its end."""
    events = walk.block.threads[thread]
    return bool(events) and events[-1].kind == "end"


def _came_there(walk: Walk, thread: int, at: int) -> bool:
    """Whether a lane whose last event is a barrier came there in the epoch of a step: it has not passed it."""
    epoch, warp = walk.steps[at].epoch, walk.steps[at].warp
    own = walk.of_warp[warp]
    for k in reversed(own[: own.index(at + 1) + 1]):
        if walk.steps[k - 1].epoch != epoch:
            return False
        if thread in walk.steps[k - 1].active:
            return True
    return False


def counts(warp: Warp) -> dict[int, int]:
    """How many lanes of a warp are at each line."""
    found: dict[int, int] = {}
    for lane in warp.lanes:
        if lane.line:
            found[lane.line] = found.get(lane.line, 0) + 1
    return found


# ----- words


def numbers(found: Iterable[int]) -> str:
    """Whole numbers as ranges; of those at an even distance the first, the second and the last.

    >>> numbers([0, 1, 2, 3]), numbers([3]), numbers([0, 2, 4, 6]), numbers([0, 1, 2, 7, 9])
    ('0–3', '3', '0, 2 … 6', '0–2, 7, 9')
    """
    all_ = sorted(found)
    if len(all_) > 3 and (gap := all_[1] - all_[0]) > 1 and _even(all_, gap):
        return f"{all_[0]}, {all_[1]} … {all_[-1]}"
    runs: list[list[int]] = []
    for each in all_:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _even(found: Sequence[int], gap: int) -> bool:
    return all(two - one == gap for one, two in pairwise(found))


def lanes_text(threads: Iterable[int]) -> str:
    """Threads of one warp as its lanes: `lanes 0–15`.

    >>> lanes_text([32, 33, 34]), lanes_text([5])
    ('lanes 0–2', 'lane 5')
    """
    found = [thread % WARP for thread in threads]
    return f"lane{'s' * (len(found) != 1)} {numbers(found)}"


def amount(count: int, noun: str) -> str:
    """A number and its noun: `1 lane`, `2 lanes`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
