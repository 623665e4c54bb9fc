"""One moment of the debugger, frozen: everything that the panes may know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ops.primitive import Array
from tracer.breakpoints import Breakpoint
from tracer.folding.folds import GraphLook
from tracer.insight.whatif import Changes
from tracer.timeline import GradientStatus, Step, Timeline
from tracer.traces import Trace
from tracer.watches import Watch
from tui.ink import Look
from tui.planes import TensorLook
from tui.views.figures import Figures
from tui.views.layers import LayersLook
from tui.views.verify import Verified


@dataclass(frozen=True, eq=False)
class Scene:
    """A trace, a position on its timeline, and what the user looks at; every pane is a function of this.

    `mark` gives the sign of the breakpoint that stands at a node, if any; `scope_level` is how many scopes, from the
    outside, are looked at (None: all).
    """

    trace: Trace
    position: int
    selected: int
    figures: Figures
    mark: Callable[[int], str] = lambda node: ""
    title: str = ""
    """What the trace is called, and the labels of the nodes whose parts are open."""
    depth: int = 0
    breakpoints: int = 0
    stops: tuple[tuple[str, Array], ...] = ()
    """The sign of each breakpoint, and the positions at which it may stop."""
    table: tuple[Breakpoint, ...] = ()
    """The breakpoints, by number."""
    watched: tuple[Watch, ...] = ()
    """The watches, by number, and below what each of them shows."""
    watches: tuple[tuple[str, str], ...] = ()
    scope_level: int | None = None
    count: str = ""
    message: str = ""
    trouble: bool = False
    """Whether the message says that something could not be done."""
    busy: str = ""
    done: float | None = None
    """The share of long work that is done."""
    bad: tuple[int, int] | None = None
    """The node at which the first NaN or infinity of the run appears, and the position from which it is there."""
    element: tuple[int, ...] = ()
    """The index of the element under the cursor."""
    view: str = "tensor"
    """What the deck shows."""
    views: tuple[str, ...] = ()
    """What it can show."""
    tensor: TensorLook = field(default_factory=TensorLook)
    """What the tensor pane shows of a node."""
    graph: GraphLook = field(default_factory=GraphLook)
    """How the graph is drawn."""
    layers: LayersLook = field(default_factory=LayersLook)
    """How layers are looked at."""
    report: Verified | None = None
    """The last verification."""
    outdated: str = ""
    """Why it does not hold any more."""
    derivation: bool = False
    """Whether a hand derivation came with the trace."""
    changes: Changes | None = None
    """What the user has edited."""
    stale: str = ""
    """A word about source files that have been edited since the run."""

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
        """The node whose step led here; -1 at the start."""
        return self.step.node

    @cached_property
    def target(self) -> int:
        """The node that the latest flow went to; -1 in the forward pass."""
        if self.step.argument is None:
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

    def in_scope(self, node: int) -> bool:
        """Whether a node lies in the scope that is looked at."""
        if not self.scope:
            return True
        scope = self.trace.scopes[self.trace.scope_of[node]]
        return scope[: len(self.scope)] == self.scope

    @cached_property
    def scope(self) -> tuple[Any, ...]:
        """The scope that is looked at: the outer levels of that of the selected node; empty for the whole trace."""
        if self.scope_level is None:
            return ()
        scope = self.trace.scopes[self.trace.scope_of[self.selected]]
        return scope[: self.scope_level]
