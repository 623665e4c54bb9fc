"""One moment of the debugger, frozen: everything that the panes may know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tracer.breakpoints import Breakpoint
from tracer.cells.instants import Instant
from tracer.cells.verdicts import WRONG
from tracer.folding.folds import GraphLook
from tracer.insight.whatif import Changes
from tracer.watches import Watch
from tui.planes import TensorLook
from tui.views.changes import changed
from tui.views.layers import LayersLook
from tui.views.verify import Verified, verdict

EDITED = "Δ"
"""An edit gave the node another value."""


@dataclass(frozen=True, eq=False)
class Scene(Instant):
    """A trace, a position on its timeline, and what the user looks at; every pane is a function of this.

    `scope_level` is how many scopes, from the outside, are looked at (None: all).
    """

    title: str = ""
    """What the trace is called, and the labels of the nodes whose parts are open."""
    depth: int = 0
    breakpoints: int = 0
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

    def sign(self, node: int) -> str:
        """One sign: ● ◇ of a breakpoint before ✗ of a wrong line, Δ of an edit, ✓ or ? of a verified gradient."""
        found = self.mark(node)
        if found:
            return found
        found = verdict(self, node)
        if found == WRONG:
            return found
        return EDITED if changed(self, node) else found

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
