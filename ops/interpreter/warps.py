"""The warps of a block: their lanes run one after another, each until it has ended or waits for the whole block.

What lanes ask of each other (a shuffle, a vote, a `syncwarp`) is answered here, when all who are named have come; and
here every thread gets its stamps, by which the clock tells what lies behind a barrier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ops.interpreter.clock import Clock, Stretches
from ops.interpreter.faults import Found, Index3
from ops.interpreter.namespace import Cuda, Request
from ops.interpreter.standing import Crew, Thread

BLOCK_WIDE = ("syncthreads_count", "syncthreads_and", "syncthreads_or")
"""What threads ask of their whole block."""


class Warps:
    """Runs the warps of one launch."""

    cuda: Cuda
    arguments: list[Any]

    def __init__(self, *, numba: bool) -> None:
        self.clock, self.numba = Clock(), numba
        self.stretches: list[tuple[Index3, int]] = []
        """By stamp // 32: the block, and the number of the first thread of the warp."""
        self.standing: Sequence[Thread] = ()
        """The threads that wait for each other, if some wait for ever."""

    def _run_warp(self, warp: Sequence[Thread], place: Index3, started: bool) -> None:
        """Run the lanes of a warp until each has ended or waits for the block."""
        cuda, clock = self.cuda, self.clock
        base = 32 * len(self.stretches)
        self.stretches.append((place, warp[0].number))
        for lane, t in enumerate(warp):
            t.stamp, t.warp_start, t.fences = base + lane, base, ()
        running = warp
        if started and self.numba:
            running = [t for t in warp if t.waiting is not None]
        while running:
            for t in running:
                cuda.threadIdx = t.index
                clock.stamp, clock.fences = t.stamp, t.fences
                if clock.split is not None:
                    self._resume(t)
                if started:
                    t.waiting = t.greenlet.switch(t.answer)
                else:
                    t.waiting = t.greenlet.switch(*self.arguments)
                if clock.split is not None:
                    t.stamp, t.acquired, t.released = clock.stamp, clock.acquired, clock.released
            started = True
            running = self._exchange(warp, place)

    def _split(self) -> int:
        """A new stamp for the thread that runs."""
        self.stretches.append(self.stretches[self.clock.stamp // 32])
        return 32 * len(self.stretches) - 32 + self.clock.stamp % 32

    def _resume(self, t: Thread) -> None:
        self.clock.acquired, self.clock.released = t.acquired, t.released

    def _meet_in(self, crew: Crew) -> None:
        """At a barrier of the block its threads share what is ordered before them, and what they have fenced."""
        known: Stretches = frozenset().union(*(t.acquired for t in crew.threads))
        start = self.clock.block_start
        others = frozenset(pair for pair in known if pair[0] < start)
        released: Stretches = frozenset().union(*(t.released for t in crew.threads))
        for t in crew.threads:
            t.acquired, t.released = others, released

    def _exchange(self, warp: Sequence[Thread], place: Index3) -> list[Thread]:
        """Answer the lanes that wait for each other, as far as all who are named have come."""
        groups: dict[int, list[Thread]] = {}
        self.standing = warp
        together: dict[int, list[Thread]] = {}
        for t in warp:
            if type(t.waiting) is Request and t.waiting.kind == "activemask":
                together.setdefault(t.waiting.place, []).append(t)
            elif type(t.waiting) is Request and t.waiting.kind not in (*BLOCK_WIDE, "grid"):
                groups.setdefault(t.waiting.mask & 0xFFFFFFFF, []).append(t)
        ready = []
        for group in together.values():
            lanes = sum(1 << t.number % 32 for t in group)
            for t in group:
                t.answer = lanes
            ready += group
        for mask, group in groups.items():
            first = group[0].number - group[0].number % 32
            named = [t for t in warp if mask >> (t.number - first) & 1 and t.waiting is not None]
            if named != group or len({t.waiting.kind for t in group}) > 1:
                continue
            requests = {t.number % 32: t.waiting for t in group}
            try:
                given = answers(requests)
            except KeyError as lane:
                raise Found(
                    "stray shuffle", f"takes the number of lane {lane}, which takes no part"
                ) from None
            for t in group:
                t.answer = given[t.number % 32]
            if group[0].waiting.kind == "syncwarp":
                self._fence(warp, group, mask, place)
            ready += group
        if groups and not ready:
            raise Found(
                "stray shuffle",
                "lanes of a warp wait for others that their mask names and that do not come",
            )
        return ready

    def _fence(self, warp: Sequence[Thread], group: list[Thread], mask: int, place: Index3) -> None:
        base = 32 * len(self.stretches)
        self.stretches.append((place, warp[0].number))
        for t in group:
            t.stamp = base + t.number % 32
            t.fences = (*t.fences, (t.warp_start, base, mask))


def answers(requests: dict[int, Request]) -> dict[int, Any]:
    """What each lane gets from an exchange in which all lanes of one mask take part.

    Raises KeyError with the lane that is asked for its value and does not take part.
    """
    kind = next(iter(requests.values())).kind
    if kind.startswith("match"):
        return _matched(kind, requests)
    said = {lane: bool(r.value) for lane, r in requests.items()}
    match kind:
        case "syncwarp":
            return dict.fromkeys(requests)
        case "all_sync":
            return dict.fromkeys(requests, all(said.values()))
        case "any_sync":
            return dict.fromkeys(requests, any(said.values()))
        case "eq_sync":
            return dict.fromkeys(requests, len(set(said.values())) == 1)
        case "ballot_sync":
            return dict.fromkeys(requests, sum(1 << lane for lane, yes in said.items() if yes))
    found = {}
    for lane, r in requests.items():
        source = _source(kind, lane, int(r.argument))
        found[lane] = requests[source if 0 <= source < 32 else lane].value
    return found


def _matched(kind: str, requests: dict[int, Request]) -> dict[int, Any]:
    values = {lane: r.value for lane, r in requests.items()}
    if kind == "match_all_sync":
        return dict.fromkeys(requests, len(set(values.values())) == 1)
    return {
        lane: sum(1 << each for each, other in values.items() if other == value)
        for lane, value in values.items()
    }


def _source(kind: str, lane: int, argument: int) -> int:
    if kind == "shfl_sync":
        return argument % 32
    if kind == "shfl_up_sync":
        return lane - argument
    if kind == "shfl_down_sync":
        return lane + argument
    return lane ^ argument
