"""The state behind the screen, without a screen: a debugger, what the user has selected, and what the last key did.

Every key ends in a method here; afterwards `scene()` is what the panes show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.debugger import Debugger, Stop
from tracer.errors import GradstepError
from tracer.traces import Trace
from tui import heatmap
from tui.views.figures import Figures
from tui.views.scene import Scene

MOVES = (
    "next", "previous", "into", "out_of", "finish", "reverse_finish", "resume", "reverse_resume", "twin",
)  # fmt: skip
COUNTED = ("next", "previous", "into", "out_of")
LARGEST_COUNT = 10**7


class Session:
    """One user in front of one trace."""

    def __init__(
        self,
        trace: Trace,
        *,
        title: str = "",
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.title = title
        self.debugger = Debugger(trace)
        self.selected = 0
        self.scope_level: int | None = None
        self.shows_gradient = False
        self.slice_number = 0
        self.digits = ""
        self.message = ""
        self.trouble = False
        self.busy = ""
        self.found: tuple[int, ...] = ()
        self.later = later
        self.path: tuple[str, ...] = ()
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
            bad=self._bad.get(trace),
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

    def move(self, name: str) -> Stop:
        """Make one of MOVES, as often as the digits before it say."""
        count = self.take_count()
        trace = self.trace
        self._stood_at[trace] = max(0, self.debugger.timeline.step(self.debugger.position).node)
        if name == "resume":
            stop = self.debugger.resume()
        else:
            mover: Callable[..., Stop] = getattr(self.debugger, name)
            stop = mover(count) if name in COUNTED else mover()
        return self._arrive(stop, trace)

    def run_to_selected(self) -> Stop:
        """On until the selected node has its number, or, if that lies behind, back to it."""
        trace = self.trace
        stop = self.debugger.run_to(self.selected)
        if stop.position == self.debugger.position and stop.reason.endswith("run back to it"):
            stop = self.debugger.run_back_to(self.selected)
        return self._arrive(stop, trace, keep=True)

    def goto(self, position: int) -> Stop:
        """To a position. Raises `GradstepError` outside the timeline."""
        last = self.debugger.timeline.last
        if not 0 <= position <= last:
            raise GradstepError(
                f"the positions are 0 to {last}, so there is no {position}: try goto {last}"
            )
        return self._arrive(self.debugger.goto(position), self.trace)

    def _arrive(self, stop: Stop, before: Trace, *, keep: bool = False) -> Stop:
        """Select the node that the move led to, and say why it stopped where it did."""
        step = self.debugger.timeline.step(self.debugger.position)
        if not keep or self.trace is not before:
            self.selected = max(0, step.node)
        if self.trace is not before:
            self.scope_level, self.slice_number, self.found = None, 0, ()
            self._remember_the_way(before)
        self.shows_gradient = step.phase == "backward"
        self.say("" if stop.reason == "step" else stop.reason)
        return stop

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
            self.selected = node
            self.slice_number = 0
            self.say("")

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
            self.complain("nothing has been searched for: / starts a search")
            return
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

    def swap(self) -> None:
        """Show the gradient instead of the value, or the other way round."""
        self.shows_gradient = not self.shows_gradient

    def slice(self, direction: int) -> None:
        """Show the next matrix of an array of more than two axes."""
        count = heatmap.slices(self.trace.storage.value(self.selected).shape)
        self.slice_number = (self.slice_number + direction * self.take_count()) % max(1, count)

    # ----- breakpoints, watches, words

    def toggle_breakpoint(self) -> None:
        """Set a breakpoint at the selected node, or take it away."""
        made = self.debugger.toggle(self.selected)
        label = self.trace.label(self.selected)
        self.say(
            f"breakpoint {made.number} at {label}" if made else f"no breakpoint at {label} any more"
        )

    def add_breakpoint(self, text: str) -> None:
        """Set a breakpoint as written."""
        made = self.debugger.add_breakpoint(text)
        self.say(f"breakpoint {made.number}: {made.text}")

    def watch(self, text: str) -> None:
        """Watch what is written."""
        made = self.debugger.watch(text)
        self.say(f"watch {made.number}: {made.text}")

    def listed(self) -> list[tuple[str, str]]:
        """Each breakpoint and each watch by its number, with what it is."""
        rows = [
            (f"breakpoint {each.number}", each.text + ("" if each.enabled else " (off)"))
            for each in self.debugger.breakpoints
        ]
        shown = zip(self.debugger.watches, self.debugger.watch_values(), strict=True)
        return rows + [(f"watch {each.number}", f"{text}  {now}") for each, (text, now) in shown]

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

    def digit(self, digit: int) -> None:
        """Another digit of the count."""
        if len(self.digits) < len(str(LARGEST_COUNT)) - 1:
            self.digits = (self.digits + str(digit)).lstrip("0")

    def take_count(self) -> int:
        """The count that the digits say, 1 without; they are used up."""
        digits, self.digits = self.digits, ""
        return int(digits or 1)

    # ----- what takes long

    def takes_long(self, name: str) -> bool:
        """Whether a move may test conditions at many nodes."""
        far = name in ("resume", "reverse_resume", "finish", "reverse_finish", "run_to")
        return far and any(
            each.selection.condition is not None for each in self.debugger.breakpoints
        )

    def look_for_bad_numbers(self, *, give_up: Callable[[], bool] = bool) -> bool:
        """Find the first NaN or infinity of the run, forward first; whether one was found. Long, for another thread."""
        trace = self.trace
        if trace not in self._bad:
            self._bad[trace] = first_bad(trace, give_up)
        return self._bad[trace] is not None


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
