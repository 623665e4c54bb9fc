"""A trace at a position, and what is known then: all that a drawing in cells may show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ops.primitive import Array
from tracer.cells.figures import Figures
from tracer.cells.meanings import Look
from tracer.timeline import GradientStatus, Step, Timeline
from tracer.traces import Trace


@dataclass(frozen=True, eq=False)
class Instant:
    """A trace, a position on its timeline, the node that is looked at, and its numbers."""

    trace: Trace
    position: int
    selected: int
    """The node that is looked at, -1 for none."""
    figures: Figures
    mark: Callable[[int], str] = lambda node: ""
    """The sign of the breakpoint that stands at a node, if any."""
    stops: tuple[tuple[str, Array], ...] = ()
    """The sign of each breakpoint, and the positions at which it may stop."""
    stepping: bool = True
    """Whether the latest step stands out: it does not in a figure of the whole run."""

    @property
    def timeline(self) -> Timeline:
        """The positions of the trace."""
        return self.trace.timeline

    @cached_property
    def step(self) -> Step:
        """The step that led here."""
        return self.timeline.step(self.position)

    @property
    def current(self) -> int:
        """The node whose step led here; -1 at the start, and where no step stands out."""
        return self.step.node if self.stepping else -1

    @cached_property
    def target(self) -> int:
        """The node that the latest flow went to; -1 in the forward pass."""
        if self.current < 0 or self.step.argument is None:
            return -1
        return self.trace.inputs_of(self.current)[self.step.argument]

    @cached_property
    def operands(self) -> frozenset[int]:
        """What the latest step read, or, in the backward pass, the node that it sent a flow to."""
        if self.current < 0:
            return frozenset()
        if self.target >= 0:
            return frozenset({self.target})
        return frozenset(i for i in self.trace.inputs_of(self.current) if i >= 0)

    def status(self, node: int) -> GradientStatus:
        """The state of a node's gradient."""
        return self.timeline.status(self.position, node)

    def gradient(self, node: int) -> Any:
        """The sum of the flows that have reached a node; None if none has, and while it is being worked out."""
        return self.figures.total(self.position, node)

    def has_run(self, node: int) -> bool:
        """Whether a node has its value."""
        return self.timeline.has_run(self.position, node)

    def look(self, node: int) -> Look:
        """How a node stands to the position."""
        if node == self.current:
            return Look.CURRENT
        if node in self.operands:
            return Look.OPERAND
        if not self.has_run(node):
            return Look.AHEAD
        return Look.REACHED if self.status(node).state in ("partial", "final") else Look.PLAIN

    def sign(self, node: int) -> str:
        """One sign at most that stands beside a node."""
        return self.mark(node)
