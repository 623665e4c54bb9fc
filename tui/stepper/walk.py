"""One block of a recorded launch in the order of a GPU, and how it stands after any number of its steps.

A position counts the steps that are done. Registers and arrays at a position follow from the events before it; every
few steps they are kept, so that a step back costs no more than a step on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tui.stepper.lines import listed
from tui.stepper.moments import Memory, Moment, begun, changed_by

if TYPE_CHECKING:
    from ops.interpreter.record import BlockRun, Event, KernelRun
    from ops.interpreter.schedule import Step
    from tui.stepper.layouts import Layout
    from tui.stepper.lines import Listed

WARP = 32
"""Threads of a warp."""
KEPT = 48
"""From one moment that is kept to the next, in steps."""


@dataclass(eq=False)
class Walk:
    """A block of a recorded launch, and the steps in which a GPU would run it."""

    run: KernelRun
    block: BlockRun
    steps: tuple[Step, ...]
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    """Of arguments that do not lie row by row without gaps, or begin inside an allocation: how they lie."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Of an argument that is the same memory as one before it: the name of that one."""
    of_warp: tuple[tuple[int, ...], ...] = ()
    """Of each warp: the positions right after its steps."""
    boundaries: tuple[int, ...] = ()
    """The positions at which the whole block has passed a barrier, in order."""
    _moments: dict[int, Moment] = field(default_factory=dict)
    _latest: Moment | None = None

    def __post_init__(self) -> None:
        warps: list[list[int]] = [[] for _ in range(self.warps)]
        for k, step in enumerate(self.steps):
            warps[step.warp].append(k + 1)
        self.of_warp = tuple(map(tuple, warps))
        epochs = [step.epoch for step in self.steps]
        pairs = pairwise(epochs)
        self.boundaries = tuple(k for k, (one, two) in enumerate(pairs, 1) if one != two)
        self._moments[0] = self._start()

    # ----- what it consists of

    @property
    def threads(self) -> int:
        """The threads of the block."""
        return len(self.block.threads)

    @property
    def warps(self) -> int:
        """The warps of the block."""
        return -(-self.threads // WARP)

    @property
    def cut(self) -> bool:
        """Whether threads may have been left before their end: by a fault, or as no more was recorded."""
        return self.run.fault is not None or bool(self.run.stopped)

    @property
    def last(self) -> int:
        """The last position."""
        return len(self.steps)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The arrays that can be looked at: the shared ones, then the arguments."""
        return tuple(self._moments[0].memory)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The local numbers of the kernel, in the order in which the threads get them."""
        found: dict[str, Any] = {}
        for step in self.steps:
            for event in self.events_of(step).values():
                found.update(changed_by(event))
        return tuple(found)

    @cached_property
    def digits(self) -> int:
        """The characters of the longest whole number that differs between lanes."""
        found = 1
        differing = set(self.varying)
        for step in self.steps:
            for event in self.events_of(step).values():
                for name, value in changed_by(event).items():
                    if name in differing and isinstance(value, int | np.integer):
                        found = max(found, len(str(value)))
        return found

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The local numbers of which lanes that run together get different values; the others are the same in all."""
        found: set[str] = set()
        for step in self.steps:
            events = [*self.events_of(step).values()]
            for name, value in events[0].registers.items():
                if name not in found and any(_differ(e.registers.get(name), value) for e in events):
                    found.add(name)
            for event in events:
                found.update(name for name in changed_by(event) if name not in event.registers)
        return tuple(name for name in self.names if name in found)

    @cached_property
    def uniform(self) -> tuple[str, ...]:
        """The local numbers that are the same in all lanes that run together."""
        return tuple(name for name in self.names if name not in self.varying)

    def home(self, array: str) -> str:
        """The name under which an array is shown: of several arguments that are the same memory, the first."""
        return self.same.get(array, array)

    @cached_property
    def listed(self) -> tuple[Listed, ...]:
        """The lines of the kernel and of the device functions into which its threads come."""
        called = {
            call.name for events in self.block.threads for event in events for call in event.within
        }
        return listed(self.run, called)

    @cached_property
    def rows(self) -> Mapping[int, int]:
        """Of each line that is listed, its row."""
        return {row.line: k for k, row in enumerate(self.listed) if row.line}

    def text(self, line: int) -> str:
        """A line of the kernel or its device functions; empty for one that is none of them."""
        return self.listed[self.rows[line]].text if line in self.rows else ""

    def depth(self, step: Step) -> int:
        """In how many device functions a step is made, one within the other."""
        thread = step.active[0]
        return len(self.block.threads[thread][step.events[thread]].within)

    def lanes(self, warp: int) -> range:
        """The threads of a warp."""
        return range(warp * WARP, min((warp + 1) * WARP, self.threads))

    def thread_number(self, index: tuple[int, int, int]) -> int:
        """The number of a thread in its block."""
        x, y, z = index
        sizes = self.run.threads
        wide, high = (sizes, 1) if isinstance(sizes, int) else (*sizes, 1, 1)[:2]
        return x + wide * (y + high * z)

    def event(self, thread: int, number: int) -> Event | None:
        """An event of a thread, None beyond its last."""
        events = self.block.threads[thread]
        return events[number] if 0 <= number < len(events) else None

    def step_at(self, position: int, warp: int) -> int | None:
        """The number of the step that a warp has made last; None if it has made none."""
        made = bisect_right(self.of_warp[warp], position)
        return self.of_warp[warp][made - 1] - 1 if made else None

    def kind_of(self, step: Step) -> str:
        """What a step is: `line`, `barrier`, `warp`, `grid` or `end`."""
        thread = step.active[0]
        return self.block.threads[thread][step.events[thread]].kind

    def events_of(self, step: Step) -> dict[int, Event]:
        """The events of a step by thread."""
        return {t: self.block.threads[t][step.events[t]] for t in step.active}

    # ----- how it stands

    def moment(self, position: int) -> Moment:
        """Registers and arrays after so many steps."""
        latest = self._latest
        if latest is not None and latest.position == position:
            return latest
        first = self._moments[max(k for k in self._moments if k <= position)]
        if latest is not None and first.position < latest.position <= position:
            first = latest
        now = first.copy()
        while now.position < position:
            self._advance(now)
            if now.position % KEPT == 0 and now.position not in self._moments:
                self._moments[now.position] = now.copy()
        self._latest = now
        return now

    def _start(self) -> Moment:
        memory: dict[str, Memory] = {}
        for name, (shape, dtype) in self.block.shared.items():
            memory[name] = begun("shared", name, np.zeros(shape, dtype))
        for name, value in self.run.arguments.items():
            if isinstance(value, np.ndarray) and name not in self.same:
                memory[name] = begun("global", name, value)
        return Moment(0, [0] * self.threads, [{} for _ in range(self.threads)], memory)

    def _advance(self, now: Moment) -> None:
        now.advance(self.steps[now.position], self.events_of(self.steps[now.position]), self.home)


def _differ(one: Any, two: Any) -> bool:
    return bool(one != two) and not (one != one and two != two)
