"""Where one stands in a recorded block and what one looks at; and the ways to go on from there, or back in time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.stepper.lanes import State, Warp, warp_at
from tui.stepper.moments import Memory
from tui.stepper.walk import WARP, Walk

if TYPE_CHECKING:
    from ops.interpreter.record import Event, Fault

Index3 = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Stand:
    """A position in a block, the warp and lane that are looked at, the array and its element, the breakpoints."""

    walk: Walk
    position: int = 0
    warp: int = 0
    lane: int = 0
    array: str = ""
    element: tuple[int, ...] | None = None
    """The element that was chosen; None: that which the lane reads or writes."""
    cursor: int = 0
    """The line of the source that was chosen; 0: none."""
    stops: frozenset[int] = frozenset()
    removed: int = 0
    """The line of the barrier that was taken away; 0: none."""
    outcome: str = ""
    """Whether the launch has done what is expected of it, in words; empty where nothing is."""
    numbers: bool | None = None
    """Whether registers are written out, a few lanes at a time; None: where a half of the warp has room."""

    @property
    def thread(self) -> int:
        """The thread that is looked at."""
        return self.warp * WARP + self.lane

    @property
    def shown(self) -> Warp:
        """The warp that is looked at, as it stands."""
        return warp_at(self.walk, self.position, self.warp)

    @property
    def events(self) -> dict[int, Event]:
        """What the warp has just done, by thread."""
        at = self.walk.step_at(self.position, self.warp)
        return {} if at is None else self.walk.events_of(self.walk.steps[at])

    @property
    def memory(self) -> Memory | None:
        """The array that is looked at, as it stands; None where the block has none."""
        return self.walk.moment(self.position).memory.get(self.array)

    @property
    def epoch(self) -> int:
        """How many barriers the block has passed."""
        return bisect_right(self.walk.boundaries, self.position)

    @property
    def fault(self) -> Fault | None:
        """What is wrong in this block."""
        fault, block = self.walk.run.fault, self.walk.block.block
        here = fault is not None and (block == fault.block or block in fault.blocks)
        return fault if here else None


def begin(walk: Walk, removed: int = 0) -> Stand:
    """Where one begins: at the fault if this block has one, else before the first step."""
    return at_fault(Stand(walk, array=next(iter(walk.arrays), ""), removed=removed))


def at_fault(stand: Stand) -> Stand:
    """At the fault, its element and its thread; where the block has none, as it was."""
    walk = stand.walk
    fault = stand.fault
    if fault is None:
        return stand
    found = culprits(walk, fault)
    array = walk.home(fault.array)
    if array in walk.arrays:
        element = fault.index if _within(walk, fault) else None
        stand = replace(stand, array=array, element=element)
    if not found:
        return replace(stand, position=walk.last)
    position, thread = max(found)
    return replace(stand, position=position, warp=thread // WARP, lane=thread % WARP)


def _within(walk: Walk, fault: Fault) -> bool:
    shape = walk.moment(0).memory[walk.home(fault.array)].values.shape
    fits = len(fault.index) == len(shape)
    return fits and all(0 <= i < n for i, n in zip(fault.index, shape, strict=True))


def parts(fault: Fault) -> list[tuple[Index3, Index3, int]]:
    """Who takes part in a fault: the block, the thread and its line."""
    blocks = fault.blocks or (fault.block,) * len(fault.threads)
    return list(zip(blocks, fault.threads, fault.lines, strict=False))


@lru_cache(maxsize=16)
def culprits(walk: Walk, fault: Fault) -> tuple[tuple[int, int], ...]:
    """Of each thread of a fault: the position after the step in which it did its part, and its number."""
    found = []
    for block, index, line in parts(fault):
        thread = walk.thread_number(index)
        if block != walk.block.block or not 0 <= thread < walk.threads:
            continue
        made = [k for k, step in enumerate(walk.steps, 1) if thread in step.active]
        ran = [k for k in made if walk.kind_of(walk.steps[k - 1]) != "end"] or made
        there = [k for k in ran if walk.steps[k - 1].line == line] or ran
        touching = [k for k in there if _touches(walk, k, thread, fault)]
        made = touching or there
        if made:
            found.append((made[-1], thread))
    return tuple(found)


def _touches(walk: Walk, position: int, thread: int, fault: Fault) -> bool:
    """Whether a thread reads or writes the element of a fault in the step before a position."""
    accesses = walk.events_of(walk.steps[position - 1])[thread].accesses
    home = walk.home
    return any(home(a.array) == home(fault.array) and a.index == fault.index for a in accesses)


def at_fault_now(stand: Stand) -> bool:
    """Whether the fault has happened, at the position where one stands."""
    position = fault_position(stand)
    return position is not None and stand.position >= position


def wrongdoers(stand: Stand) -> frozenset[int]:
    """The threads of the fault, once it has happened."""
    fault = stand.fault
    if fault is None or not at_fault_now(stand):
        return frozenset()
    here = stand.walk.block.block
    blocks = fault.blocks or (fault.block,) * len(fault.threads)
    own = (index for block, index in zip(blocks, fault.threads, strict=False) if block == here)
    return frozenset(map(stand.walk.thread_number, own))


def fault_position(stand: Stand) -> int | None:
    """The position at which the fault has happened; None where this block has none."""
    if stand.fault is None:
        return None
    found = culprits(stand.walk, stand.fault)
    return max(found)[0] if found else stand.walk.last


# ----- going on, and back


def go(stand: Stand, position: int) -> Stand:
    """To a position, or to the nearest there is; the element under the lane is looked at again."""
    return replace(stand, position=max(0, min(position, stand.walk.last)), element=None, cursor=0)


def step(stand: Stand, by: int) -> Stand:
    """So many steps of this warp on, or back."""
    own = stand.walk.of_warp[stand.warp]
    if by > 0:
        at = bisect_right(own, stand.position) + by - 1
        return go(stand, own[at] if at < len(own) else stand.walk.last)
    made = bisect_right(own, stand.position)
    now = made - 1 if made else -1
    at = now + by
    return go(stand, own[at] if at >= 0 else 0)


def over(stand: Stand, by: int) -> Stand:
    """So many steps of this warp on, or back, without those of the device functions that it calls."""
    return _no_deeper(stand, by, _depth(stand))


def out(stand: Stand, by: int) -> Stand:
    """To where this warp goes on, or was before, in what calls the present device function."""
    return _no_deeper(stand, by, max(0, _depth(stand) - 1))


def _depth(stand: Stand) -> int:
    at = stand.walk.step_at(stand.position, stand.warp)
    return 0 if at is None else stand.walk.depth(stand.walk.steps[at])


def _no_deeper(stand: Stand, by: int, depth: int) -> Stand:
    walk = stand.walk
    own = [k for k in walk.of_warp[stand.warp] if walk.depth(walk.steps[k - 1]) <= depth]
    at = bisect_right(own, stand.position) + by - 1 if by > 0 else bisect_left(own, stand.position)
    at = at if by > 0 else at + by
    return go(stand, (own[at] if at < len(own) else walk.last) if at >= 0 else 0)


def any_step(stand: Stand, by: int) -> Stand:
    """So many steps of any warp on, or back; the warp that made the step is looked at."""
    there = go(stand, stand.position + by)
    if not there.position:
        return there
    return replace(there, warp=there.walk.steps[there.position - 1].warp)


def barrier(stand: Stand, by: int) -> Stand:
    """To where the whole block has passed the next barrier, or the one before; else to the end, or the start."""
    places = (0, *stand.walk.boundaries, stand.walk.last)
    at = (bisect_right if by > 0 else bisect_left)(places, stand.position)
    at = at + by - 1 if by > 0 else at + by
    return go(stand, places[max(0, min(at, len(places) - 1))])


def run_on(stand: Stand, by: int) -> Stand:
    """To the next breakpoint or the fault, else to the end; or the same backwards."""
    walk = stand.walk
    lines = ((k, each) for k, each in enumerate(walk.steps, 1) if each.line in stand.stops)
    places = {k for k, each in lines if walk.kind_of(each) != "end"}
    wrong = fault_position(stand)
    places |= {wrong} if wrong is not None else set()
    ahead = [k for k in places if (k > stand.position if by > 0 else k < stand.position)]
    if not ahead:
        return go(stand, stand.walk.last if by > 0 else 0)
    found = go(stand, min(ahead) if by > 0 else max(ahead))
    return at_fault(found) if found.position == wrong else any_step(found, 0)


def to_line(stand: Stand, line: int) -> Stand | None:
    """To where this warp next runs a line, after the present step; from the start where it does not any more."""
    walk = stand.walk
    there = [k for k in walk.of_warp[stand.warp] if walk.steps[k - 1].line == line]
    places = [k for k in there if walk.kind_of(walk.steps[k - 1]) != "end"]
    if not places:
        return None
    at = bisect_right(places, stand.position)
    return go(stand, places[at] if at < len(places) else places[0])


def other_warp(stand: Stand, by: int) -> Stand:
    """Look at another warp."""
    warp = (stand.warp + by) % stand.walk.warps
    lanes = stand.walk.lanes(warp)
    return replace(stand, warp=warp, lane=min(stand.lane, len(lanes) - 1), element=None)


def other_lane(stand: Stand, by: int) -> Stand:
    """Look at another lane of the warp."""
    return replace(stand, lane=(stand.lane + by) % len(stand.shown.lanes), element=None)


def other_array(stand: Stand, by: int) -> Stand:
    """Look at another array."""
    names = stand.walk.arrays
    if not names:
        return stand
    at = names.index(stand.array) if stand.array in names else -1
    return replace(stand, array=names[(at + by) % len(names)], element=None)


def element_of(stand: Stand) -> tuple[int, ...] | None:
    """The element that is looked at: the chosen one, else that which the lane has just read or written."""
    if stand.element is not None:
        return stand.element
    event = stand.events.get(stand.thread)
    if event is None or stand.shown.lanes[stand.lane].state is not State.RUNS:
        return None
    memory = stand.memory
    home = stand.walk.home
    own = [a.index for a in event.accesses if home(a.array) == stand.array and a.space != "local"]
    if not own or memory is None:
        return None
    inside = all(0 <= i < n for i, n in zip(own[-1], memory.values.shape, strict=True))
    return own[-1] if inside else None
