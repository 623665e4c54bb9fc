"""Positions in time: how many forward steps and flows have happened. Every view is a function of (trace, position).

Positions 1 to F are forward steps, one for each node that is not a leaf, in order. Then, for each node in falling
order, one position for each flow that it sends, by argument. Position 0 is before anything has run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.fetching import Distant, seen
from tracer.names import detached_from
from tracer.values import read_only

if TYPE_CHECKING:
    from tracer.traces import Trace

STATES = (
    "not run yet",
    "not reached",
    "partial",
    "final",
    "blocked",
    "disconnected",
    "not recorded",
)
"""The states of a gradient. Exactly zero is not one of them: it is a mark on a final gradient."""

GLYPHS = dict(zip(STATES, "·○◐●⊘∅?", strict=True))
"""One cell for each state, so that none is told by colour alone."""


class Step(NamedTuple):
    """The step that led to a position: in the backward phase `node` is the consumer whose rule ran."""

    phase: str
    node: int
    argument: int | None
    number: int
    count: int  # type: ignore[assignment]  # hides tuple.count


class GradientStatus(NamedTuple):
    """The state of a gradient at a position: `arrived` of `expected` flows, and why if it is blocked."""

    state: str
    arrived: int
    expected: int
    reason: str = ""

    @property
    def glyph(self) -> str:
        """The one-cell mark of the state."""
        return GLYPHS[self.state]

    def __str__(self) -> str:
        if self.state == "partial":
            return f"partial ({self.arrived} of {self.expected} flows)"
        return f"{self.state} ({self.reason})" if self.reason else self.state


class Timeline:
    """The positions of a trace, and what is known at each.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> timeline = tr.trace(x * x).timeline
    >>> timeline.last, timeline.step(3)
    (3, Step(phase='backward', node=1, argument=1, number=2, count=2))
    >>> str(timeline.status(2, 0)), timeline.gradient(2, 0)
    ('partial (1 of 2 flows)', np.float64(3.0))
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        nodes = len(trace)
        self.forward_nodes: Array = np.flatnonzero(trace.op_of >= 0)
        """The nodes that run, in order."""
        self.forward_steps = len(self.forward_nodes)
        """The number of forward steps, F: at position F the forward pass is complete."""
        self._ran_at = np.zeros(nodes, dtype=np.int64)
        self._ran_at[self.forward_nodes] = np.arange(1, self.forward_steps + 1)

        edges = np.flatnonzero(trace.edge_flows)
        order = np.lexsort((trace.edge_argument[edges], -trace.edge_consumer[edges]))
        self.flow_edges: Array = edges[order]
        """The edges in the order in which flows run along them."""
        self.last = self.forward_steps + len(self.flow_edges)
        """The last position: every flow has arrived."""
        self._sender = trace.edge_consumer[self.flow_edges]
        new = np.flatnonzero(np.diff(self._sender, prepend=-1))
        self._group_start: Array = new
        self._group_end = np.append(new[1:], len(self._sender))
        self._group_of = np.full(nodes, -1, dtype=np.int64)
        self._group_of[self._sender[new]] = np.arange(len(new))

        receiver = trace.input_of[self.flow_edges]
        self._arrival = np.argsort(receiver, kind="stable")
        self._arrival_start = np.searchsorted(receiver[self._arrival], np.arange(nodes + 1))

    # ----- steps

    def step(self, position: int) -> Step:
        """The step that led to a position."""
        position = self.check(position)
        if position == 0:
            return Step("start", -1, None, 0, 0)
        if position <= self.forward_steps:
            return Step("forward", int(self.forward_nodes[position - 1]), None, 1, 1)
        flow = position - self.forward_steps - 1
        edge = self.flow_edges[flow]
        node = int(self._sender[flow])
        group = self._group_of[node]
        first, end = int(self._group_start[group]), int(self._group_end[group])
        return Step(
            "backward", node, int(self.trace.edge_argument[edge]), flow - first + 1, end - first
        )

    def flow_at(self, position: int) -> int | None:
        """The edge along which the flow of this position runs, None in the forward phase."""
        if position <= self.forward_steps:
            return None
        return int(self.flow_edges[position - self.forward_steps - 1])

    def check(self, position: int) -> int:
        """The position itself. Raises `IndexError` outside 0 to last."""
        if not 0 <= position <= self.last:
            raise IndexError(f"position {position} lies outside the timeline, 0 to {self.last}")
        return int(position)

    def next_boundary(self, position: int) -> int:
        """The position after the next whole node: its forward step, or all its flows."""
        if position < self.forward_steps:
            return position + 1
        done = position - self.forward_steps
        group = int(np.searchsorted(self._group_end, done, side="right"))
        if group >= len(self._group_end):
            return self.last
        return self.forward_steps + int(self._group_end[group])

    def previous_boundary(self, position: int) -> int:
        """The position before the last whole node: `next_boundary` undone."""
        if position <= self.forward_steps:
            return max(position - 1, 0)
        done = position - self.forward_steps
        group = int(np.searchsorted(self._group_start, done, side="left")) - 1
        return self.forward_steps + int(self._group_start[group])

    def after_forward(self, node: int) -> int:
        """The position right after a node ran; 0 for a leaf."""
        return int(self._ran_at[node])

    def after_backward(self, node: int) -> int | None:
        """The position after a node sent all its flows, None if it sends none."""
        group = self._group_of[node]
        return None if group < 0 else self.forward_steps + int(self._group_end[group])

    def when_final(self, node: int) -> int | None:
        """The position at which the gradient of a node is final, None if it gets none."""
        arrivals = self._arrivals(node)
        if len(arrivals):
            return self.forward_steps + int(arrivals[-1]) + 1
        return self.forward_steps if node == self.trace.loss and self.trace.receives[node] else None

    # ----- what is known

    def has_run(self, position: int, node: int) -> bool:
        """Whether a node has its value at a position; leaves always do."""
        return bool(self._ran_at[node] <= position)

    def _arrivals(self, node: int) -> Array:
        return self._arrival[self._arrival_start[node] : self._arrival_start[node + 1]]

    def arrivals(self, node: int) -> list[int]:
        """The edges along which flows reach a node, in the order of the backward pass."""
        found: list[int] = self.flow_edges[self._arrivals(node)].tolist()
        return found

    def arrived(self, position: int, node: int) -> tuple[int, int]:
        """How many flows have reached a node at a position, and how many will."""
        arrivals = self._arrivals(node)
        return int(np.searchsorted(arrivals, position - self.forward_steps)), len(arrivals)

    def status(self, position: int, node: int) -> GradientStatus:
        """The state of a node's gradient at a position."""
        k, n = self.arrived(position, node)
        if not self.has_run(position, node):
            return GradientStatus("not run yet", 0, n)
        if n == 0:
            return self._without_flows(position, node)
        state = "not reached" if k == 0 else "partial" if k < n else "final"
        return GradientStatus(state, k, n)

    def _without_flows(self, position: int, node: int) -> GradientStatus:
        trace = self.trace
        if node == trace.loss and trace.receives[node]:
            ready = position >= self.forward_steps
            return GradientStatus("final" if ready else "not reached", int(ready), 1)
        if not trace.reaches_loss[node]:
            return GradientStatus("disconnected", 0, 0)
        return GradientStatus("blocked", 0, 0, self._why_blocked(node))

    def _why_blocked(self, node: int) -> str:
        trace = self.trace
        view = trace[node]
        if view.dtype.kind == "b":
            return "boolean"
        if view.dtype.kind in "iu":
            return "integer"
        if view.kind in ("constant", "buffer"):
            return view.kind if detached_from(trace, node) is None else "detached"
        if not trace.tracked[node]:
            return "depends on constants only"
        stoppers = []
        for edge in trace.uses_of(node):
            consumer = trace[int(trace.edge_consumer[edge])]
            if consumer.op is not None and not consumer.op.differentiable(
                int(trace.edge_argument[edge])
            ):
                stoppers.append(consumer.op_name)
        return (
            f"no gradient through {', '.join(dict.fromkeys(stoppers))}"
            if stoppers
            else "uses are blocked"
        )

    def gradient_is_whole(self, position: int, node: int) -> bool:
        """Whether all flows into a node have arrived at a position, so that it shows the gradient of the sweep."""
        k, n = self.arrived(position, node)
        if n == 0:
            return self.status(position, node).state == "final"
        return k == n and self.has_run(position, node)

    def gradient(self, position: int, node: int) -> Array | None:
        """The sum of the flows that have reached a node at a position, None if there are none yet.

        The same bits as the sweep: flows are added in its order, from its nearest kept partial sum.
        """
        found = self.seen_gradient(position, node)
        return read_only(np.asarray(found)) if isinstance(found, Distant) else found

    def seen_gradient(self, position: int, node: int) -> Any:
        """The same as views read it: a large array of a device from afar, window by window."""
        if self.gradient_is_whole(position, node):
            return self.trace.seen_gradient(node)
        k, n = self.arrived(position, node)
        if k == 0 or not self.has_run(position, node):
            return None
        done, total = self.trace.swept.nearest(node, k) if n > 1 else (0, None)
        total = seen(total)
        with np.errstate(all="ignore"):
            for edge in self.flow_edges[self._arrivals(node)[done:k]].tolist():
                flow = self.trace.seen_flow(edge)
                total = flow if total is None else total + flow
        return read_only(total)
