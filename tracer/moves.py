"""Moving through a trace: a position on its timeline, the moves that a user makes, and why they end where they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tracer.breakpoints import Breakpoint, Breakpoints, Meeting
from tracer.matching import Matching, by_name
from tracer.nodes import Node
from tracer.runs import runs_around
from tracer.selections import search_texts
from tracer.timeline import Timeline
from tracer.traces import Trace

START = "start"
END_FORWARD = "end of the forward pass"
END_BACKWARD = "end of the backward pass"
STEP = "step"
INTERRUPTED = "interrupted"

Key = int | str | Node
"""What names a node: its number, its name or label, or a view of it."""


class Stop(NamedTuple):
    """Where a move ended, and why, in words."""

    position: int
    reason: str
    breakpoint: Breakpoint | None = None


@dataclass(eq=False)
class _Level:
    """A trace on the stack, and where the user stands in it."""

    trace: Trace
    position: int = 0
    entry: int = 0
    """Where the user came in."""
    visited: tuple[str, int] | None = None
    """The step whose parts have been looked at, so that the next `into` goes on."""
    opened: dict[int, Trace] = field(default_factory=dict)
    """The parts of fused nodes, kept so that breakpoints in them last."""
    origins: dict[tuple[int, int], int] = field(default_factory=dict)
    """(position, direction) to where a node-wise step came from, if that was the middle of a node."""

    @cached_property
    def search_texts(self) -> list[str]:
        """For each node what a search looks through."""
        return search_texts(self.trace)


class Moves:
    """A position in a trace, the parts that are open, and the ways from one position to another."""

    def __init__(self, trace: Trace, parts: Callable[[Trace, int], Trace]) -> None:
        self._levels = [_Level(trace)]
        self._parts = parts
        self._breakpoints = Breakpoints()
        self.interrupted: Callable[[], bool] = lambda: False
        """Asked while conditions are tested: once it says yes, the search ends and the debugger stays where it is."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.position} of {self.timeline.last}, depth {self.depth}>"

    @property
    def _level(self) -> _Level:
        return self._levels[-1]

    @property
    def trace(self) -> Trace:
        """The trace that is being looked at: the outermost, or the parts of a fused node."""
        return self._level.trace

    @property
    def outermost(self) -> Trace:
        """The trace whose nodes are opened: the user's run."""
        return self._levels[0].trace

    @property
    def timeline(self) -> Timeline:
        """The positions of the trace."""
        return self.trace.timeline

    @property
    def position(self) -> int:
        """How many steps have been made."""
        return self._level.position

    @property
    def depth(self) -> int:
        """How many fused nodes have been opened, one inside the other."""
        return len(self._levels) - 1

    def show(self, matching: Matching) -> list[Breakpoint]:
        """Look at another run in place of the outermost trace, at the same step; breakpoints stay at their nodes.

        Open parts are closed. Returns the breakpoints whose node is gone.
        """
        old, new = self._levels[0], matching.new
        shown = _Level(new, matching.position(old.position))
        lost = self._breakpoints.move(old.trace, new, matching.node)
        for node, inner in old.opened.items():
            lost += self._show_parts(shown, matching.node(node), inner)
        self._breakpoints.keep(new, *shown.opened.values())
        self._levels = [shown]
        return lost

    def _show_parts(self, shown: _Level, node: int | None, inner: Trace) -> list[Breakpoint]:
        """Let breakpoints in opened parts stand in the parts of the same node of another run."""
        if not any(one.selection.trace is inner for one in self._breakpoints.table.values()):
            return []
        if node is None or not self._has_parts(shown.trace, node):
            return self._breakpoints.move(inner, inner, lambda part: None)
        parts = shown.opened[node] = self._parts(shown.trace, node)
        return self._breakpoints.move(inner, parts, by_name(inner, parts).node)

    # ----- steps

    def next(self, count: int = 1) -> Stop:
        """Over whole nodes: a forward step, or all the flows of a node. A breakpoint that is met ends the count."""
        return self._over(count, +1)

    def previous(self, count: int = 1) -> Stop:
        """`next` undone: back over whole nodes, into the middle of one if that is where `next` came from."""
        return self._over(count, -1)

    def _over(self, count: int, direction: int) -> Stop:
        timeline, origins = self.timeline, self._level.origins
        stop = self._arrived()
        for _ in range(count):
            start = self.position
            ways = timeline.next_boundary, timeline.previous_boundary
            there, back = ways if direction > 0 else ways[::-1]
            target = origins.pop((start, -direction), there(start))
            if target == start:
                break
            if back(target) != start:
                origins[target, direction] = start
            stop = self._step_to(target)
            if stop.breakpoint is not None:
                break
        return stop

    def into(self, count: int = 1) -> Stop:
        """By single flows. On a node that has parts, into them first; at the end of the parts, out again."""
        stop = self._arrived()
        for _ in range(count):
            level, step = self._level, self.timeline.step(self.position)
            if (
                step.node >= 0
                and level.visited != step[:2]
                and self._has_parts(self.trace, step.node)
            ):
                stop = self.open(step.node)
            elif level.position < self.timeline.last:
                level.origins.clear()
                stop = self._step_to(level.position + 1)
            elif self.depth:
                stop = self.finish()
            else:
                break
            if stop.breakpoint is not None:
                break
        return stop

    def out_of(self, count: int = 1) -> Stop:
        """`into` undone: back by single flows, and out of parts where they were entered."""
        stop = self._arrived()
        for _ in range(count):
            level = self._level
            if self.depth and level.position == level.entry:
                stop = self._close()
                self._level.visited = None
            elif level.position > 0:
                level.origins.clear()
                stop = self._step_to(level.position - 1)
            else:
                break
            if stop.breakpoint is not None:
                break
        return stop

    def open(self, node: Key) -> Stop:
        """Open the parts of a fused node as a trace of their own, in the phase of this position; `finish` closes it.

        Raises `ReplayError` for a node that has no parts.
        """
        level = self._level
        index = self.trace.node_index(node)
        label = self.trace.label(index)
        if not self.timeline.has_run(level.position, index):
            return Stop(level.position, f"{label} has not run yet")
        if index not in level.opened:
            level.opened[index] = self._parts(self.trace, index)
        step = self.timeline.step(level.position)
        if step.node == index:
            level.visited = step[:2]
        inner = level.opened[index]
        entry = inner.timeline.forward_steps if step.phase == "backward" else 0
        self._levels.append(_Level(inner, entry, entry))
        return Stop(entry, f"into the parts of {label}")

    def _close(self) -> Stop:
        self._levels.pop()
        node = self.timeline.step(self.position).node
        where = f", at {self.trace.label(node)}" if node >= 0 else ""
        return Stop(self.position, f"out of the parts{where}")

    # ----- longer ways

    def finish(self) -> Stop:
        """Out of the parts of a fused node; else to the end of the scope (layer, time step) or of the pass."""
        if self.depth:
            return self._close()
        for run in runs_around(self.trace, self.position):
            if run.end > self.position:
                return self._run(run.end, f"end of {run.words}" if run.scope else "")
        return self._run(self.timeline.last)

    def reverse_finish(self) -> Stop:
        """Back to before the fused node whose parts are open; else to before the scope, or the pass, began."""
        if self.depth:
            stop = self._close()
            step = self.timeline.step(self.position)
            return (
                self.goto(self.position - step.number) if self._level.visited == step[:2] else stop
            )
        run = runs_around(self.trace, self.position)[0]
        return self._run(run.start, f"before {run.words}" if run.scope else "")

    def resume(self) -> Stop:
        """On to the next breakpoint, or the end."""
        return self._run(self.timeline.last)

    def reverse_resume(self) -> Stop:
        """Back to the breakpoint before, or the start."""
        return self._run(0)

    def run_to(self, node: Key) -> Stop:
        """On until a node has run, or its gradient is final, whichever comes first; breakpoints stop on the way."""
        return self._run_towards(node, +1)

    def run_back_to(self, node: Key) -> Stop:
        """Back until a node's gradient has just become final, or it has just run, whichever comes first."""
        return self._run_towards(node, -1)

    def _run_towards(self, node: Key, direction: int) -> Stop:
        index, at = self.trace.node_index(node), self.position
        label = self.trace.label(index)
        ran, final = self.timeline.after_forward(index), self.timeline.when_final(index)
        places = [place for place in (ran, final) if place]
        if not places:
            status = self.timeline.status(self.timeline.last, index)
            return Stop(at, f"{label} has no step to stop at; its gradient: {status}")
        there = [place for place in places if (place - at) * direction > 0]
        if there:
            return self._run(min(there, key=lambda place: abs(place - at)), f"at {label}")
        way, other = ("ahead", "back") if direction > 0 else ("behind", "on")
        advice = "" if at in places else f": run {other} to it"
        return Stop(at, f"{label} does not lie {way}{advice}")

    def goto(self, position: int) -> Stop:
        """Straight to a position; breakpoints are not asked. Raises `IndexError` outside 0 to `timeline.last`."""
        self._level.origins.clear()
        return self._place(self.timeline.check(position))

    def twin(self) -> Stop:
        """From the forward step of the current node to its backward step, and back."""
        step = self.timeline.step(self.position)
        if step.node < 0:
            return Stop(self.position, "nothing has run yet")
        label = self.trace.label(step.node)
        forward = step.phase == "forward"
        ways = self.timeline.after_forward, self.timeline.after_backward
        target = ways[forward](step.node)
        if target is None:
            return Stop(self.position, f"{label} sends no flow")
        other = "backward" if forward else "forward"
        return self.goto(target)._replace(reason=f"{other} step of {label}")

    # ----- how it moves

    def _place(self, position: int) -> Stop:
        level = self._level
        level.position = position
        if level.visited not in (None, self.timeline.step(position)[:2]):
            level.visited = None
        return self._arrived()

    def _step_to(self, target: int) -> Stop:
        """To a near position, wherever breakpoints lie; one that was met on the way is the reason."""
        met = self._breakpoints.meet(self.trace, self.position, target, self.interrupted)
        stop = self._place(target)
        return stop if met is None else self._stopped(met)

    def _run(self, target: int, reason: str = "") -> Stop:
        """To a position, or to the breakpoint before it."""
        met = self._breakpoints.meet(self.trace, self.position, target, self.interrupted)
        if met is None and self.interrupted():
            return Stop(self.position, INTERRUPTED)
        stop = self.goto(target if met is None else met.position)
        if met is not None:
            return self._stopped(met)
        return stop._replace(reason=reason) if reason else stop

    def _stopped(self, met: Meeting) -> Stop:
        return Stop(
            self.position, met.breakpoint.reason(self.trace.label(met.node)), met.breakpoint
        )

    def _arrived(self) -> Stop:
        """The stop here, with what is special about the position."""
        at = self.position
        marks = {
            self.timeline.last: END_BACKWARD,
            self.timeline.forward_steps: END_FORWARD,
            0: START,
        }
        return Stop(at, marks.get(at, STEP))

    def _has_parts(self, trace: Trace, node: int) -> bool:
        op = trace.op(node)
        return op is not None and op.parts is not None
