"""The state behind the screen, without a screen: a debugger, what the user has selected, and what the last order did.

Orders (`tui.orders`) change it; `scene()` is what the panes show afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ops.primitive import Array
from tracer.breakpoints import Breakpoint
from tracer.cells.figures import Figures
from tracer.debugger import Debugger, Stop
from tracer.elements import within
from tracer.errors import GradstepError, in_one_line
from tracer.folding.folds import GraphLook
from tracer.insight.whatif import Changes
from tracer.matching import Matching
from tracer.stats import all_finite
from tracer.traces import Trace
from tui.planes import TensorLook
from tui.staleness import SourceWatch
from tui.views.layers import LayersLook
from tui.views.scene import Scene
from tui.views.verify import Verified

if TYPE_CHECKING:
    from tui.networks import Network
    from tui.targets import Target
    from tui.training.episodes import Episodes

LARGEST_DIGITS = 7
VIEWS = ("tensor", "layers", "verify", "stops", "changes")
"""What the deck can show."""


class Session:
    """One user in front of one trace."""

    def __init__(
        self,
        trace: Trace,
        *,
        title: str = "",
        derivation: str = "",
        again: Callable[[], Target] | None = None,
        network: Network | None = None,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.title = title
        self.derivation = derivation
        """The hand derivation that came with the trace, as text."""
        self.debugger: Debugger = Debugger(trace)
        self.selected = 0
        self.element: tuple[int, ...] = within((), self.shape)
        """The index of the element under the cursor."""
        self.view = "tensor"
        self.views: tuple[str, ...] = VIEWS
        self.scope_level: int | None = None
        self.tensor = TensorLook()
        self.layers = LayersLook()
        self.report: Verified | None = None
        """The last verification."""
        self.changes: Changes | None = None
        """What the user has edited."""
        self.again = again
        """Makes the trace anew, from the user's program as it is by then."""
        self.network = network
        """The network of the gallery that the trace is of, with its knobs."""
        self.episodes: Episodes | None = None
        """The optimiser steps of a training, where the trace is one of them."""
        self.output: tuple[str, ...] = ()
        """What the program printed when it ran again."""
        self.graph = GraphLook()
        """How the graph is drawn."""
        self.sources = SourceWatch()
        self.digits = ""
        self.message = ""
        self.trouble = False
        self.busy = ""
        self.done: float | None = None
        """The share of long work that is done, where it is known."""
        self.found: tuple[int, ...] = ()
        self.later = later
        self.path: tuple[str, ...] = ()
        turned = network.words if network is not None else ()
        self.log: list[str] = [f"knob {' '.join(turned)}"] if turned else []
        """The orders given so far; the knobs that were turned before are the first."""
        self.size: tuple[int, int] | None = None
        """Columns and rows of the screen, where there is one."""
        self.dark = True
        """Whether the theme of the screen is dark: figures are drawn to match."""
        self.wanted = ""
        """The view that the last order wants to be seen and to have the keys; the screen takes it from here."""
        self.offered = ""
        """The view that shows what came of the last order; the screen turns to it, or says its name."""
        self.copied: str | None = None
        """What the last order put on the clipboard; the screen takes it from here."""
        self.on_progress: Callable[[], None] = _nothing
        self.settle: Callable[[Callable[[], None]], None] = _at_once
        """Does what no scene may see half done; a screen does it on its own thread."""
        self._stood_at: dict[Trace, int] = {}
        self._figures: dict[Trace, Figures] = {}
        self._bad: dict[Trace, tuple[int, int] | None] = {}

    @property
    def trace(self) -> Trace:
        """The trace that is shown: the user's, or the parts of a node."""
        return self.debugger.trace

    @property
    def base(self) -> Trace:
        """The outermost trace: the user's run."""
        return self.debugger.outermost

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the selected node."""
        return tuple(self.trace.storage.held(self.selected).shape) if len(self.trace) else ()

    def scene(self) -> Scene:
        """This moment, frozen."""
        debugger = self.debugger
        trace = debugger.trace
        figures = self._figures.setdefault(trace, Figures(trace, self.later))
        marked = debugger.breakpoints
        return Scene(
            trace,
            debugger.position,
            self.selected,
            figures,
            mark=self.mark if marked else _nowhere,
            title=" ▸ ".join(filter(None, (self.title, *self.path))),
            depth=debugger.depth,
            breakpoints=len(marked),
            stops=self.stops(),
            graph=self.graph,
            table=marked,
            watched=debugger.watches,
            watches=debugger.watch_values(),
            scope_level=self.scope_level,
            count=self.digits,
            message=self.message,
            trouble=self.trouble,
            busy=self.busy,
            done=self.done,
            bad=self.bad,
            element=self.element,
            view=self.view,
            views=self.views,
            tensor=self.tensor,
            layers=self.layers,
            report=self.report,
            outdated=self.report.outdated(trace) if self.report is not None else "",
            derivation=bool(self.derivation),
            changes=self.changes,
            stale=self.stale,
        )

    @property
    def stale(self) -> str:
        """A word about source files that have been edited since the run; empty if none has."""
        if not self.sources.changed(self.base.sources):
            return ""
        return "source changed: r re-runs" if self.again is not None else "source changed"

    def mark(self, node: int) -> str:
        """The sign of the breakpoint at a node: ● stops there, ◇ stops there if its condition holds."""
        here = [each for each in self.debugger.breakpoints_on(node) if each.enabled]
        if not here:
            return ""
        return "◇" if all(each.selection.condition for each in here) else "●"

    def stops(self) -> tuple[tuple[str, Array], ...]:
        """The sign of each breakpoint that is on and names nodes, and the positions at which it may stop."""
        return tuple(
            ("◇" if each.selection.condition else "●", self.debugger.stopping_places(each.number))
            for each in self.debugger.breakpoints
            if each.enabled and each.selection.kind != "any"
        )

    # ----- moving

    def arrive(self, move: Callable[[], Stop], *, keep: bool = False) -> None:
        """Make a move of the debugger; select the node that it led to (not with `keep`), and say why it ended there."""
        before = self.trace
        self._stood_at[before] = max(0, self.debugger.timeline.step(self.debugger.position).node)
        stop = move()
        step = self.debugger.timeline.step(self.debugger.position)
        if not keep or self.trace is not before:
            self._look_at(max(0, step.node))
        if self.trace is not before:
            self.scope_level, self.found = None, ()
            self._remember_the_way(before)
        self.say("" if stop.reason == "step" else stop.reason)

    def goto(self, position: int) -> None:
        """To a position. Raises `GradstepError` outside the timeline."""
        last = self.debugger.timeline.last
        if not 0 <= position <= last:
            raise GradstepError(
                f"the positions are 0 to {last}, so there is no {position}: try goto {last}"
            )
        self.arrive(lambda: self.debugger.goto(position))

    def show(self, matching: Matching) -> list[Breakpoint]:
        """Show another run in place of the outermost trace, at the same step and node as far as they are there.

        Open parts are closed. Returns the breakpoints whose node is gone.
        """
        inside = self.debugger.depth
        lost = self.debugger.show(matching)
        step = self.debugger.timeline.step(self.debugger.position)
        self.selected = max(0, step.node) if inside else matching.nearest(self.selected)
        self.element = within(self.element, self.shape)
        self.found = () if inside else tuple(map(matching.nearest, self.found))
        self.graph = replace(self.graph, trail=None)
        self.path = ()
        for known in (self._figures, self._bad, self._stood_at):
            known.clear()
        return lost

    def _remember_the_way(self, before: Trace) -> None:
        """The labels of the nodes whose parts are open, outermost first."""
        depth = self.debugger.depth
        if depth > len(self.path):
            opened = self._stood_at.get(before, 0)
            self.path = (*self.path, before.label(opened))
        self.path = self.path[:depth]

    @property
    def ended(self) -> bool:
        """Whether there is no step left."""
        return self.debugger.position >= self.debugger.timeline.last and not self.debugger.depth

    # ----- selecting

    def select(self, node: int) -> None:
        """Look at a node, without moving in time."""
        if 0 <= node < len(self.trace):
            self._look_at(node)
            self.say("")

    def _look_at(self, node: int) -> None:
        """Select a node; the cursor stays on its element, or on that which it is broadcast from or to."""
        self.selected = node
        self.element = within(self.element, self.shape)

    def search(self, text: str) -> None:
        """Select the first hit from the current node on, round the end."""
        self.found = self.debugger.search(text, self.progress)
        if not self.found:
            self.complain(f"nothing matches {text!r}" if text.strip() else "")
            return
        self._go_to_hit(next((n for n in self.found if n >= self.selected), self.found[0]))

    def search_again(self, direction: int) -> None:
        """Select the next hit, or the one before, round the ends."""
        if not self.found:
            raise GradstepError("nothing has been searched for: / starts a search")
        if direction > 0:
            hit = next((n for n in self.found if n > self.selected), self.found[0])
        else:
            hit = next((n for n in reversed(self.found) if n < self.selected), self.found[-1])
        self._go_to_hit(hit)

    def _go_to_hit(self, node: int) -> None:
        self.select(node)
        self.say(f"hit {self.found.index(node) + 1} of {len(self.found)}")

    def scope(self, direction: int) -> None:
        """Look at the scope around (-1) or further inside (+1); what lies outside of it is shown quietly."""
        depth = len(self.trace[self.selected].scope)
        level = depth + 1 if self.scope_level is None else self.scope_level
        level = max(0, min(depth + 1, level + direction))
        self.scope_level = None if level > depth or not depth else level
        scope = self.trace[self.selected].scope[: self.scope_level]
        name = ".".join(map(str, scope)) if self.scope_level else "the whole trace"
        self.say("this node has no scope" if not depth else f"scope: {name}")

    # ----- words

    def attempt(self, work: Callable[[], Any]) -> None:
        """Do something; where it cannot be done, say why in one line."""
        try:
            work()
        except GradstepError as error:
            self.complain(in_one_line(error))

    def say(self, message: str) -> None:
        """Show a message in the status line."""
        self.message, self.trouble = message, False

    def complain(self, message: str) -> None:
        """Show that something could not be done."""
        self.message, self.trouble = message, bool(message)

    def copy(self, text: str, what: str) -> None:
        """Put a text on the clipboard, and say what it is."""
        self.copied = text
        self.say(f"copied {what}")

    def digit(self, digit: int) -> None:
        """Another digit of the count."""
        if len(self.digits) < LARGEST_DIGITS:
            self.digits = (self.digits + str(digit)).lstrip("0")

    # ----- what takes long

    @property
    def interrupted(self) -> Callable[[], bool]:
        """Asked inside long work: whether the user wants it to end."""
        return self.debugger.interrupted

    def progress(self, done: int, of: int) -> None:
        """Say how much of long work is done."""
        before, self.done = self.done, done / of if of else 1.0
        if before is None or self.done - before > 0.01 or self.done < before:
            self.on_progress()
        else:
            self.done = before

    @property
    def bad(self) -> tuple[int, int] | None:
        """The node of the first NaN or infinity, and from where on it is there; None as long as none is found."""
        return self._bad.get(self.trace)

    def look_for_bad_numbers(self, *, give_up: Callable[[], bool] = bool) -> bool:
        """Find the first NaN or infinity of the run, forward first; whether one was found. Long, for another thread."""
        trace = self.trace
        if trace not in self._bad:
            self._bad[trace] = first_bad(trace, give_up)
        return self._bad[trace] is not None


def _nothing() -> None:
    pass


def _at_once(deed: Callable[[], None]) -> None:
    deed()


def _nowhere(node: int) -> str:
    return ""


def first_bad(trace: Trace, give_up: Callable[[], bool] = bool) -> tuple[int, int] | None:
    """The node of the first NaN or infinity, and the position from which it is there; None if all numbers are finite.

    >>> import tracer as tr
    >>> x = tr.tensor(0.0, name="x")
    >>> first_bad(tr.trace(tr.log(x) * 2.0))
    (1, 1)
    """
    timeline = trace.timeline
    for node in range(len(trace)):
        if node % 1024 == 0 and give_up():
            return None
        if not all_finite(trace.seen(node)):
            return node, timeline.after_forward(node)
    if trace.loss < 0:
        return None
    for node in range(trace.loss, -1, -1):
        if not all_finite(trace.seen_gradient(node)):
            return node, timeline.when_final(node) or timeline.last
    return None
