"""The state behind the screen, without a screen: a debugger, what the user has selected, and what the last order did.

Orders (`tui.orders`) change it; `scene()` is what the panes show afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.debugger import Debugger, Stop
from tracer.errors import GradstepError
from tracer.traces import Trace
from tui.views.figures import Figures
from tui.views.scene import Scene

LARGEST_DIGITS = 7
VIEWS = ("tensor",)
"""What the deck can show."""


class Session:
    """One user in front of one trace."""

    def __init__(
        self,
        trace: Trace,
        *,
        title: str = "",
        derivation: str | None = None,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.title = title
        self.derivation = derivation
        """The hand derivation that came with the trace, as text."""
        self.debugger: Debugger = Debugger(trace)
        self.selected = 0
        self.element: tuple[int, ...] = (0,) * _rank(trace, 0)
        """The index of the element under the cursor."""
        self.view = "tensor"
        self.views: tuple[str, ...] = VIEWS
        self.scope_level: int | None = None
        self.shows_gradient = False
        self.slice_number = 0
        self.digits = ""
        self.message = ""
        self.trouble = False
        self.busy = ""
        self.done: float | None = None
        """The share of long work that is done, where it is known."""
        self.found: tuple[int, ...] = ()
        self.later = later
        self.path: tuple[str, ...] = ()
        self.log: list[str] = []
        """The orders given so far."""
        self.copied: str | None = None
        """What the last order put on the clipboard; the screen takes it from here."""
        self.on_progress: Callable[[], None] = _nothing
        self._stood_at: dict[Trace, int] = {}
        self._figures: dict[Trace, Figures] = {}
        self._bad: dict[Trace, tuple[int, int] | None] = {}

    @property
    def trace(self) -> Trace:
        """The trace that is shown: the user's, or the parts of a node."""
        return self.debugger.trace

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
            watches=debugger.watch_values(),
            scope_level=self.scope_level,
            count=self.digits,
            message=self.message,
            trouble=self.trouble,
            busy=self.busy,
            done=self.done,
            bad=self._bad.get(trace),
            element=self.element,
            view=self.view,
            shows_gradient=self.shows_gradient,
            slice_number=self.slice_number,
        )

    def mark(self, node: int) -> str:
        """The sign of the breakpoint at a node: ● stops there, ◇ stops there if its condition holds."""
        here = [each for each in self.debugger.breakpoints_on(node) if each.enabled]
        if not here:
            return ""
        return "◇" if all(each.selection.condition for each in here) else "●"

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
            self.scope_level, self.slice_number, self.found = None, 0, ()
            self._remember_the_way(before)
        self.shows_gradient = step.phase == "backward"
        self.say("" if stop.reason == "step" else stop.reason)

    def goto(self, position: int) -> None:
        """To a position. Raises `GradstepError` outside the timeline."""
        last = self.debugger.timeline.last
        if not 0 <= position <= last:
            raise GradstepError(
                f"the positions are 0 to {last}, so there is no {position}: try goto {last}"
            )
        self.arrive(lambda: self.debugger.goto(position))

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
            self.slice_number = 0
            self.say("")

    def _look_at(self, node: int) -> None:
        """Select a node; the cursor stays on its element where the new array has one of that index."""
        self.selected = node
        shape = self.trace.storage.value(node).shape if len(self.trace) else ()
        inside = len(shape) == len(self.element) and all(
            at < size for at, size in zip(self.element, shape, strict=True)
        )
        if not inside:
            self.element = (0,) * len(shape)

    def search(self, text: str) -> None:
        """Select the first hit from the current node on, round the end."""
        self.found = self.debugger.search(text)
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
        """Do something; where it cannot be done, say why in the first line of the error."""
        try:
            work()
        except GradstepError as error:
            self.complain(str(error).splitlines()[0])

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

    def look_for_bad_numbers(self, *, give_up: Callable[[], bool] = bool) -> bool:
        """Find the first NaN or infinity of the run, forward first; whether one was found. Long, for another thread."""
        trace = self.trace
        if trace not in self._bad:
            self._bad[trace] = first_bad(trace, give_up)
        return self._bad[trace] is not None


def _nothing() -> None:
    pass


def _nowhere(node: int) -> str:
    return ""


def _rank(trace: Trace, node: int) -> int:
    rank: int = trace.storage.value(node).ndim if len(trace) else 0
    return rank


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
        value = trace.storage.value(node)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return node, timeline.after_forward(node)
    if trace.loss < 0:
        return None
    for node in range(trace.loss, -1, -1):
        gradient = trace.gradient(node)
        if gradient is not None and not np.isfinite(gradient).all():
            return node, timeline.when_final(node) or timeline.last
    return None
