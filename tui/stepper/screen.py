"""The stepper on a terminal: source, what the step does, registers, memory, and the block over time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.app import TRACEBACK, fault_line
from tui.ink import Line, clip
from tui.leaving import leave_when_ended, on_terminal
from tui.memory import Memory, recall
from tui.personal import ALL_COLOURS, starting_theme
from tui.settings import CONFIG, Settings, config_file, read_settings, state_file
from tui.stepper import heading, memory, registers, saying, source, tables, timeline
from tui.stepper.actions import StepperKeys
from tui.stepper.shares import LOW, TALL, WIDE, shares
from tui.stepper.stand import Stand, at_fault_now
from tui.stepper.walk import Walk
from tui.theme import PREFIX, Inks, themes_for
from tui.workbench import LEAST

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun


class Pane(Static, can_focus=True):
    """A pane that is written line by line, and says where it was clicked."""

    def on_resize(self, event: events.Resize) -> None:
        """Be written anew for the new size."""
        if isinstance(self.app, StepperApp):
            self.app.call_later(self.app.look)

    def on_click(self, event: events.Click) -> None:
        """Say where."""
        at = event.get_content_offset(self)
        if at is not None and isinstance(self.app, StepperApp):
            self.app.clicked(self.id or "", at.x, at.y, twice=event.chain == 2)


class StepperApp(StepperKeys):
    """Steps through the blocks of a recorded launch.

    walk_of: makes the walk of one of them, by its number. what: which trial was run. block: the number of the first
    one that is shown. position: the step at which it begins; without, the fault or the start. removed: the line of the
    barrier that was taken away. outcome: whether all is as expected. said: what is said at the beginning.
    """

    CSS_PATH = "../gradstep.tcss"
    TITLE = "gradstep"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #stepper { height: 1fr; layout: grid; grid-size: 2 3; grid-columns: 1fr 50; grid-rows: 1fr 9 9; }
    #stepper Pane { height: 100%; }
    #registers, #memory { column-span: 2; }
    #timeline { height: 3; padding: 0 1; }
    .-narrow #stepper { grid-size: 2 3; grid-columns: 41 1fr; grid-rows: 1fr 3 9; }
    .-narrow #source, .-narrow #saying { column-span: 2; }
    .-narrow #saying { border: none; padding: 0 1; }
    .-narrow #registers, .-narrow #memory { column-span: 1; }
    .low #stepper .pane { border: none; border-top: round $border; padding: 0 1 0 0; }
    .low #stepper .pane:focus { border-top: round $border; }
    .low #stepper #saying { border: none; }
    #stepper.zoom { layout: vertical; }
    #stepper.zoom Pane { display: none; }
    #stepper.zoom .zoomed { display: block; height: 1fr; width: 1fr; border: round $border; padding: 0; }
    #status, #keys, #timeline, #stepper Pane { text-wrap: nowrap; text-overflow: ellipsis; }
    Screen.asking #keys { display: none; }
    .-tiny #stepper, .-tiny #timeline, .-flat #stepper, .-flat #timeline { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-tiny"),
        (LEAST[0], "-narrow"),
        (WIDE, "-designed"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST[1], "-short"), (TALL, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        run: KernelRun,
        walk_of: Callable[[int], Walk],
        *,
        what: str = "",
        block: int = 0,
        position: int | None = None,
        removed: int = 0,
        outcome: str = "",
        said: str = "",
        settings: Settings | None = None,
        memory: Memory | None = None,
        environment: Mapping[str, str] = ALL_COLOURS,
    ) -> None:
        super().__init__(run, walk_of, block, position, removed)
        self.stand = replace(self.stand, outcome=outcome)
        self.what, self.said = what, said
        self.tops = {"source": 0, "registers": 0}
        self.inks: Inks | None = None
        self._of_fault = False
        """Whether the lines are shared out for a fault."""
        self._rows_of = -1
        """The position whose changed registers are in sight."""
        self._shown: dict[str, object] = {}
        for theme in themes_for(environment):
            self.register_theme(theme)
        self.theme = PREFIX + starting_theme(
            settings or Settings(), memory or Memory(), environment
        )

    def compose(self) -> ComposeResult:
        """Status, timeline, four panes, keys, and the line to type in."""
        yield Static(id="status")
        yield Pane(id="timeline")
        with Container(id="stepper"):
            for name in ("source", "saying", "registers", "memory"):
                yield Pane(id=name, classes="pane")
        yield Static(id="keys")
        with Horizontal(id="search"):
            yield Static(id="question")
            yield Input(id="sought", compact=True, select_on_focus=False)
        yield Static(id="small")

    def on_mount(self) -> None:
        """Show where it begins."""
        self.inks = Inks(self.theme_variables, dark=self.current_theme.dark)
        self.query_one("#timeline").can_focus = False
        self.query_one("#source").focus()
        leave_when_ended(self)

    def on_resize(self, event: events.Resize) -> None:
        """Share out the lines for the new size, and show everything in it."""
        width, height = event.size
        self.query_one("#small", Static).update(
            f"This terminal is {width}×{height}: too small.\n"
            f"The stepper needs at least {LEAST[0]}×{LEAST[1]}, and likes 120×36."
        )
        self._share_out(width, height)
        self.call_after_refresh(self.look)

    def _share_out(self, width: int, height: int) -> None:
        """Give timeline, words, registers and memory the lines that this kernel needs, and the fault its own."""
        found = shares(self.stand, width, height)
        self.screen.set_class(height < LOW, "low")
        self._of_fault = at_fault_now(self.stand)
        grid = self.query_one("#stepper").styles
        self.query_one("#timeline").styles.height = found.timeline
        grid.grid_columns, grid.grid_rows = found.columns, found.rows

    def _fatal_error(self) -> None:
        """Leave with one line about a fault of ours, printed when the terminal is as it was."""
        error = sys.exc_info()[1]
        if error is None or os.environ.get(TRACEBACK):
            super()._fatal_error()
        else:
            self.panic(Text(fault_line(error)))

    # ----- what is shown

    @property
    def colour(self) -> bool:
        """Whether the terminal shows colours; without them signs say how large a number is."""
        return not (self.no_color or self.current_theme.ansi)

    def look(self) -> None:
        """Show where one stands."""
        if self.inks is None or not self.query("#status"):
            return
        stand = self.stand
        width = self.size.width
        if at_fault_now(stand) != self._of_fault:
            self._share_out(*self.size)
        self._put("status", [heading.status_line(stand, self.what, width)])
        self._put("keys", [heading.last_line(self.said, self.wrong, self.count, width)])
        for name, lines in (
            ("timeline", timeline.timeline_lines),
            ("source", self._source),
            ("saying", saying.saying_lines),
            ("registers", self._registers),
            ("memory", self._memory),
        ):
            pane = self.query_one(f"#{name}", Pane)
            if pane.display and pane.content_size.width and pane.content_size.height:
                self._put(name, lines(stand, *pane.content_size))
        self._entitle()

    def _source(self, stand: Stand, width: int, height: int) -> list[Line]:
        self.tops["source"] = source.scrolled(stand, self.tops["source"], height)
        return source.source_lines(stand, width, height, self.tops["source"])

    def _registers(self, stand: Stand, width: int, height: int) -> list[Line]:
        moved = self._rows_of != stand.position
        self._rows_of = stand.position
        top = self.tops["registers"]
        top = registers.scrolled(stand, top, width, height, follow=moved)
        self.tops["registers"] = top
        return registers.register_lines(stand, width, height, top, colour=self.colour)

    def _memory(self, stand: Stand, width: int, height: int) -> list[Line]:
        return memory.memory_lines(stand, width, height, colour=self.colour)

    def _entitle(self) -> None:
        stand = self.stand
        for name, title, below in (
            ("source", source.title(stand), ""),
            ("saying", f"step {stand.position} · warp {stand.warp}", ""),
            ("registers", "", ""),
            ("memory", "", memory.names_text(stand)),
        ):
            pane = self.query_one(f"#{name}")
            width = pane.content_size.width
            if name == "registers":
                title = registers.title(stand, width)
                below = registers.subtitle(stand, width, colour=self.colour)
            elif name == "memory":
                title = memory.title(stand, width)
            pane.border_title, pane.border_subtitle = Text(title), Text(below)

    def _put(self, where: str, lines: Sequence[Line]) -> None:
        """Write a pane, if anything in it differs."""
        widget = self.query_one(f"#{where}", Static)
        key = tuple(lines), widget.size
        if self._shown.get(where) == key:
            return
        self._shown[where] = key
        assert self.inks is not None
        text = Text(no_wrap=True, overflow="ellipsis")
        for k, line in enumerate(lines):
            text.append("\n" * bool(k))
            for piece in clip(line, widget.content_size.width or self.size.width):
                text.append(piece.text, self.inks(piece.ink))
        widget.update(text, layout=False)

    def scroll_registers(self, rows: int) -> None:
        """Show other rows of the registers."""
        self.tops["registers"] += rows
        self.look()

    # ----- the mouse

    def clicked(self, where: str, x: int, y: int, *, twice: bool) -> None:
        """Look at what was clicked."""
        pane: Widget = self.query_one(f"#{where}")
        width, height = pane.content_size
        stand = self.stand
        if where == "source":
            self.choose_row(self.tops["source"] + y, run=twice)
        elif where == "registers":
            lane = registers.lane_at(stand, width, x)
            if lane is not None:
                self.action_lane(lane - stand.lane)
        elif where == "memory":
            self.choose_element(tables.place_at(stand, width, height, x, y))
        elif where == "timeline":
            found = timeline.position_at(stand, width, height, x, y)
            if found is not None:
                self.choose_step(*found)


def step_through(
    run: KernelRun,
    walk_of: Callable[[int], Walk],
    *,
    what: str = "",
    block: int = 0,
    position: int | None = None,
    removed: int = 0,
    outcome: str = "",
    said: str = "",
) -> int:
    """Show the stepper until it is left; 0, or 3 after a fault of ours."""
    for stale in ("COLUMNS", "LINES"):  # Textual believes them, even when the terminal is resized
        os.environ.pop(stale, None)
    settings = read_settings(config_file(os.environ), named=CONFIG in os.environ)
    app = StepperApp(
        run,
        walk_of,
        what=what,
        block=block,
        position=position,
        removed=removed,
        outcome=outcome,
        said=said,
        settings=settings,
        memory=recall(state_file(os.environ)),
        environment=dict(os.environ),
    )
    on_terminal(app)
    return 3 if app.return_code else 0
