"""Breakpoints: where on the timeline they can stop, where their conditions hold, and which is met first.

A node is met twice: at its forward step, and when its gradient becomes final. A condition that asks for a gradient is
tested there, one that asks for `it` at both, any other at the forward step. Leaves have no forward step: they are met
when their gradient is final. Conditions are tested on the final recorded numbers; those of other nodes that a condition
names count only if they are there by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.conditions import Condition, Recorded
from tracer.errors import ConditionError, UnknownNameError
from tracer.selections import Selection, select, with_condition
from tracer.traces import Trace

_UNKNOWN, _NO, _YES = -1, 0, 1


@dataclass(frozen=True)
class Breakpoint:
    """Where the debugger stops: a numbered selection of nodes, with its switches and counts.

    hits: how often it was met. ignore: how many more times it is passed over. A temporary one goes after one stop.
    """

    number: int
    selection: Selection
    enabled: bool = True
    temporary: bool = False
    ignore: int = 0
    hits: int = 0

    @property
    def text(self) -> str:
        """The breakpoint as a user would write it."""
        return self.selection.text

    def reason(self, label: str) -> str:
        """Why the debugger stopped at a node: `breakpoint 1: xhat`, `breakpoint 2: nan(value) at xhat`."""
        where = "" if self.text == label else f" at {label}"
        return f"breakpoint {self.number}: {self.text}{where}"


class Meeting(NamedTuple):
    """Where a breakpoint is met, and the node that it is about."""

    position: int
    node: int
    breakpoint: Breakpoint


@dataclass(frozen=True, eq=False)
class Events:
    """Where each node of a trace is met, by rising position: its forward step, and the moment its gradient is final."""

    positions: Array
    nodes: Array
    final: Array
    """bool: whether it is the gradient that is met."""


def events_of(trace: Trace) -> Events:
    """The events of a trace, at most two for each node."""
    timeline = trace.timeline
    forward = timeline.forward_steps
    receivers = trace.input_of[timeline.flow_edges]
    final = np.full(len(trace), -1, dtype=np.int64)
    final[receivers] = (
        forward + 1 + np.arange(len(receivers))
    )  # of repeated receivers the last stays
    if trace.loss >= 0 and trace.receives[trace.loss]:
        final[trace.loss] = forward
    finished = np.flatnonzero(final >= 0)
    positions = np.concatenate([np.arange(1, forward + 1), final[finished]])
    nodes = np.concatenate([timeline.forward_nodes, finished])
    order = np.argsort(positions, kind="stable")
    return Events(positions[order], nodes[order], (np.arange(len(order)) >= forward)[order])


class Stops:
    """Where one selection stops in one trace. A condition is tested when a search comes by, each place once."""

    def __init__(self, trace: Trace, events: Events, selection: Selection) -> None:
        self.trace = trace
        self.condition = selection.condition
        self.mask: Array = selection.mask(trace)
        """bool (nodes,): the nodes that are selected."""
        chosen = self.mask[events.nodes]
        if self.condition is not None:
            if self.condition.reads_grad:
                chosen &= events.final
            elif not self.condition.reads_it:
                chosen &= ~events.final
            chosen &= fits(self.condition, trace)
        self.positions = events.positions[chosen]
        self.nodes = events.nodes[chosen]
        self.final = events.final[chosen]
        self.verdicts = np.full(
            len(self.nodes), _YES if self.condition is None else _UNKNOWN, np.int8
        )

    def nearest(
        self, start: int, target: int, interrupted: Callable[[], bool]
    ) -> tuple[int, int] | None:
        """The first (position, node) on the way from a position (not itself) to another (itself too), either way."""
        ahead = target >= start
        if ahead:
            first, end = np.searchsorted(self.positions, [start, target], side="right")
        else:
            first, end = np.searchsorted(self.positions, [target, start], side="left")
        candidates = first + np.flatnonzero(self.verdicts[first:end] != _NO)
        for k in candidates if ahead else candidates[::-1]:
            if self.verdicts[k] == _UNKNOWN:
                if interrupted():
                    return None
                self.verdicts[k] = _YES if self._holds(k) else _NO
            if self.verdicts[k] == _YES:
                return int(self.positions[k]), int(self.nodes[k])
        return None

    def _holds(self, k: int) -> bool:
        assert self.condition is not None
        node, position = int(self.nodes[k]), int(self.positions[k])
        return self.condition.holds(
            Recorded(self.trace, node, position, gradient=bool(self.final[k]))
        )


def fits(condition: Condition, trace: Trace) -> bool:
    """Whether a trace has the nodes that a condition names; the parts of a fused node have others."""
    try:
        condition.expression.fit(trace)
    except ConditionError:
        return False
    return True


class Breakpoints:
    """The table of breakpoints, by number, and the search for the next of them."""

    def __init__(self) -> None:
        self.table: dict[int, Breakpoint] = {}
        self._made = 0
        self._events: dict[Trace, Events] = {}
        self._stops: dict[tuple[int, Trace], Stops] = {}

    def add(self, trace: Trace, text: str, *, temporary: bool, ignore: int) -> Breakpoint:
        """A new breakpoint. Raises `UnknownNameError` or `ConditionError` for a text that selects nothing."""
        selection = select(trace, text)
        self._made += 1
        made = Breakpoint(self._made, selection, temporary=temporary, ignore=ignore)
        self.table[made.number] = made
        return made

    def named(self, number: int) -> Breakpoint:
        """The breakpoint of that number. Raises `UnknownNameError` if there is none."""
        found = self.table.get(number)
        if found is None:
            there = ", ".join(map(str, self.table)) or "none"
            raise UnknownNameError(
                f"there is no breakpoint {number}\n  there are: {there}\n  try: one of these numbers"
            )
        return found

    def delete(self, number: int) -> None:
        """Take a breakpoint away."""
        del self.table[self.named(number).number]
        self._forget(number)

    def _forget(self, number: int) -> None:
        self._stops = {key: stops for key, stops in self._stops.items() if key[0] != number}

    def condition(self, trace: Trace, number: int, text: str) -> Breakpoint:
        """Give a breakpoint another condition, or none for an empty text.

        Raises `ConditionError` for one that cannot be read or does not fit.
        """
        one = self.named(number)
        asked = Condition(text) if text.strip() else None
        selection = with_condition(one.selection.trace or trace, one.selection, asked)
        changed = self.table[number] = replace(one, selection=selection)
        self._forget(number)
        return changed

    def change(
        self,
        number: int,
        *,
        enabled: bool | None = None,
        ignore: int | None = None,
        hits: int | None = None,
    ) -> Breakpoint:
        """Replace some facts about a breakpoint."""
        one = self.named(number)
        changed = self.table[number] = replace(
            one,
            enabled=one.enabled if enabled is None else enabled,
            ignore=one.ignore if ignore is None else ignore,
            hits=one.hits if hits is None else hits,
        )
        return changed

    def move(self, old: Trace, new: Trace, moved: Callable[[int], int | None]) -> list[Breakpoint]:
        """Let breakpoints at nodes of a trace stand in another one; returns those whose node is gone, and deletes them.

        moved: the number of a node in the new trace, None if it is not there.
        """
        lost = []
        for one in tuple(self.table.values()):
            chosen = one.selection.moved(old, new, moved)
            if chosen is None:
                lost.append(one)
                self.delete(one.number)
            elif chosen is not one.selection:
                self.table[one.number] = replace(one, selection=chosen)
        return lost

    def keep(self, *traces: Trace) -> None:
        """Forget where breakpoints stop in any other trace than these."""
        self._stops = {key: stops for key, stops in self._stops.items() if key[1] in traces}
        self._events = {trace: events for trace, events in self._events.items() if trace in traces}

    def stops(self, one: Breakpoint, trace: Trace) -> Stops:
        """Where a breakpoint can stop in a trace; worked out once."""
        key = one.number, trace
        if key not in self._stops:
            if trace not in self._events:
                self._events[trace] = events_of(trace)
            self._stops[key] = Stops(trace, self._events[trace], one.selection)
        return self._stops[key]

    def coming(
        self, one: Breakpoint, trace: Trace, position: int, interrupted: Callable[[], bool]
    ) -> tuple[int, int] | None:
        """The (position, node) at which a breakpoint would stop next, from the start again after the end."""
        stops, last = self.stops(one, trace), trace.timeline.last
        ahead = stops.nearest(position, last, interrupted)
        return ahead or stops.nearest(-1, position, interrupted)

    def meet(
        self, trace: Trace, start: int, target: int, interrupted: Callable[[], bool]
    ) -> Meeting | None:
        """The first breakpoint that stops on the way; those that are passed over are counted, temporary ones go.

        interrupted: asked while conditions are tested; once it says yes, nothing more is found.
        """
        while True:
            met = self._nearest(trace, start, target, interrupted)
            stopping = None
            for position, node, one in met:
                start = position
                now = self.change(one.number, hits=one.hits + 1, ignore=max(one.ignore - 1, 0))
                if one.ignore == 0:
                    stopping = stopping or Meeting(position, node, now)
                    if now.temporary:
                        self.delete(now.number)
            if stopping or not met:
                return stopping

    def _nearest(
        self, trace: Trace, start: int, target: int, interrupted: Callable[[], bool]
    ) -> list[Meeting]:
        met: list[Meeting] = []
        for one in self.table.values():
            if one.enabled:
                found = self.stops(one, trace).nearest(start, target, interrupted)
                if found is not None:
                    met.append(Meeting(*found, one))
                    target = found[0]
        return [each for each in met if each.position == target]
