"""The keys of the stepper, and what they do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType

from tui.screens.help import ListScreen
from tui.stepper import stand as standing
from tui.stepper.keys import BINDINGS, help_page
from tui.stepper.orders import obey
from tui.stepper.registers import other_lanes
from tui.stepper.stand import Stand, begin
from tui.stepper.tables import beside
from tui.stepper.typed import Typing
from tui.stepper.walk import Walk
from tui.theme import Inks

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun


class StepperKeys(Typing):
    """Where one stands in a recorded launch, and the keys that change it. A subclass draws it in `look`."""

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    def __init__(
        self,
        run: KernelRun,
        walk_of: Callable[[int], Walk],
        block: int,
        position: int | None,
        removed: int,
    ) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)
        self.run_, self.walk_of, self.block = run, walk_of, block
        self.stand = begin(walk_of(block), removed)
        if position is not None:
            self.stand = standing.any_step(standing.go(self.stand, position), 0)
        self.count = ""
        """The digits typed so far."""
        self.said, self.wrong = "", False
        self.inks: Inks | None = None

    def look(self) -> None:
        """Show where one stands."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a page, or what one types, have its own keys."""
        if len(self.screen_stack) > 1:
            return False
        if self.asking and action not in ("escape", "leave"):
            return False
        return super().check_action(action, parameters)

    # ----- moving

    def stand_at(self, stand: Stand, said: str = "", *, wrong: bool = False) -> None:
        """Stand somewhere else, and show it."""
        self.stand, self.said, self.wrong, self.count = stand, said, wrong, ""
        self.look()

    def action_go(self, way: str, by: int) -> None:
        """Go on or back in one of the ways of `stand`, as often as was typed before."""
        before = self.stand
        times = int(self.count or 1)
        go = getattr(standing, way)
        if way in ("barrier", "run_on"):
            stand = before
            for _ in range(min(times, stand.walk.last)):
                stand = go(stand, by)
        else:
            stand = go(before, by * times)
        moved = stand.position != before.position
        timed = way in ("step", "over", "any_step", "barrier", "run_on")
        self.stand_at(stand, "" if moved or not timed else self._no_further(by))
        if timed and not moved:
            self._stop()

    def play_on(self) -> None:
        """The next step of any warp."""
        self.action_go("any_step", 1)

    def tell(self, words: str) -> None:
        """Say something, where one stands."""
        self.stand_at(self.stand, words)

    def _no_further(self, by: int) -> str:
        if by < 0:
            return "this is the start"
        if self.stand.fault is not None:
            return "the fault ended the run here: C goes back, ? says more"
        return "this is the end of the block; g looks at another one, C goes back"

    def action_end(self) -> None:
        """To the end, or to the step whose number was typed."""
        end = self.stand.walk.last
        self.stand_at(standing.go(self.stand, int(self.count) if self.count else end))

    def action_lane(self, by: int) -> None:
        """Look at another lane."""
        self.stand_at(standing.other_lane(self.stand, by * int(self.count or 1)))

    def action_lanes(self, by: int) -> None:
        """Look at the lanes behind those that are in sight, or before them."""
        width = self.query_one("#registers").content_size.width
        self.stand_at(other_lanes(self.stand, width, by))

    def action_block(self, by: int) -> None:
        """Look at another block, from its start or its fault."""
        total = len(self.run_.runs)
        if total < 2:
            self.stand_at(self.stand, "only one block was recorded: --blocks 2 launches two")
            return
        self.block = (self.block + by) % total
        self.begin_block()

    def begin_block(self) -> None:
        """Where one begins in the block that is looked at."""
        there = begin(self.walk_of(self.block), self.stand.removed)
        self.stand_at(
            replace(
                there,
                stops=self.stand.stops,
                numbers=self.stand.numbers,
                outcome=self.stand.outcome,
            )
        )

    def choose_step(self, warp: int, position: int) -> None:
        """Go to a step of a warp."""
        there = obey(self.stand, f"warp {warp}")
        self.stand_at(standing.go(there, position))

    # ----- looking

    def action_move(self, down: int, right: int) -> None:
        """Another line, lane or element, by the pane that has the focus."""
        stand, focused = self.stand, getattr(self.focused, "id", None)
        if focused == "registers":
            if right:
                self.action_lane(right)
            else:
                self.scroll_registers(down)
        elif focused == "memory":
            pane = self.query_one("#memory")
            self.choose_element(beside(stand, *pane.content_size, down, right))
        else:
            now = stand.cursor or stand.shown.line or stand.walk.run.first_line
            self.choose_row(stand.walk.rows.get(now, 0) + down, by=down)

    def scroll_registers(self, rows: int) -> None:
        """Show other rows of the registers."""
        raise NotImplementedError

    def choose_row(self, row: int, *, by: int = 1, run: bool = False) -> None:
        """Put the cursor on a row of the source, `by` being the way over a gap; or run until this warp runs it."""
        rows = self.stand.walk.listed
        row = max(0, min(row, len(rows) - 1))
        line = rows[row].line or rows[row + (1 if by > 0 else -1)].line
        self.stand_at(replace(self.stand, cursor=line))
        if run:
            self.action_run_to()

    def choose_element(self, element: tuple[int, ...] | None) -> None:
        """Look at an element of the array."""
        if element is not None:
            self.stand_at(replace(self.stand, element=element))

    def action_run_to(self) -> None:
        """Run until this warp runs the chosen line."""
        if self.stand.cursor:
            self.order(f"line {self.stand.cursor}")

    def action_stop(self) -> None:
        """Set a breakpoint at the chosen line, or delete it."""
        line = self.stand.cursor or self.stand.shown.line
        if line:
            self.order(f"break {line}")

    def action_detail(self, on: bool) -> None:
        """Registers as numbers, or as colours."""
        self.stand_at(replace(self.stand, numbers=on))

    def action_digit(self, digit: int) -> None:
        """A digit of a count; 0 alone goes to the start."""
        if not digit and not self.count:
            self.stand_at(standing.go(self.stand, 0))
            return
        self.count = (self.count + str(digit))[-6:]
        self.look()

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, and back."""
        whole, pane = self.query_one("#stepper"), self.focused
        on = not whole.has_class("zoom")
        for each in self.query(".zoomed"):
            each.remove_class("zoomed")
        whole.set_class(on and pane is not None, "zoom")
        if on and pane is not None:
            pane.add_class("zoomed")
        self.call_after_refresh(self.look)

    def action_pane(self, by: int) -> None:
        """To another pane."""
        names = ("source", "saying", "registers", "memory")
        now = getattr(self.focused, "id", None)
        at = names.index(now) if now in names else -by
        self.query_one(f"#{names[(at + by) % len(names)]}").focus()
        if self.query(".zoomed"):
            self.action_zoom()
            self.call_after_refresh(self.action_zoom)

    def action_escape(self) -> None:
        """Type no more; stop playing; drop the count and the chosen line."""
        if self.asking:
            self._close()
            return
        self._stop()
        if self.query(".zoomed"):
            self.action_zoom()
        self.stand_at(replace(self.stand, cursor=0, element=None))

    # ----- leaving

    def action_explain(self) -> None:
        """The keys, and what the signs mean."""
        self._stop()
        assert self.inks is not None
        self.push_screen(ListScreen(self.inks, help_page()))

    def action_redraw(self) -> None:
        """Paint the screen anew."""
        self.refresh(repaint=True, layout=True)

    def action_leave(self) -> None:
        """Leave."""
        self.exit()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Another line, row or element."""
        self.action_move(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The same the other way."""
        self.action_move(-1, 0)
