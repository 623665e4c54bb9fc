"""A training on the screen: the loss as it falls, measures, layers and parameters, and the steps that were kept."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from gallery.history import curves
from gallery.training import pictures
from tracer.cells.meanings import Kind, Look
from tracer.cells.pieces import Line
from tracer.plots import Axis, Plot
from tui.app import TRACEBACK, fault_line
from tui.ink import Ink
from tui.leaving import leave_when_ended
from tui.memory import Memory
from tui.personal import ALL_COLOURS, starting_theme
from tui.settings import Settings
from tui.theme import PREFIX, Inks, themes_for
from tui.training import panes
from tui.training.actions import NoteScreen, TrainingKeys
from tui.training.job import Job, View
from tui.training.plan import Plan
from tui.training.words import layer_lines, parameter_lines
from tui.workbench import LEAST

LOOK = 0.1
"""Seconds from one look at the training to the next."""
LEAST_LIST = 6
"""The kept steps have so many lines at least."""
CURVES = 0.3
"""Seconds from one drawing of the curves to the next, while it goes on."""
OWN = 1.0
"""Seconds from one drawing of the entry's own plots to the next: they may take long."""


class TrainingApp(TrainingKeys):
    """Shows a training. It returns the number of the step that is to be opened, or None.

    job: the training, on its thread. chosen: the kept step under the cursor. environment: as of the debugger.
    """

    CSS_PATH = "../gradstep.tcss"
    TITLE = "gradstep"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #plots { height: 1fr; layout: horizontal; }
    #below { height: 8; max-height: 50%; layout: horizontal; }
    #loss, #other, #tables { width: 1fr; height: 1fr; padding: 0 1; }
    #tables { scrollbar-size-vertical: 1; scrollbar-color: $frame-quiet; scrollbar-background: $background; }
    #table { height: auto; }
    #kept { width: 30; height: 1fr; padding: 0 1; }
    .-narrow #kept { width: 24; }
    #progress { height: 1; padding: 0 1; }
    #status, #keys { padding: 0 1; }
    #status, #keys, #progress, #loss, #other, #table, #kept { text-wrap: nowrap; text-overflow: ellipsis; }
    .-tiny #plots, .-tiny #below, .-tiny #progress,
    .-flat #plots, .-flat #below, .-flat #progress { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-tiny"),
        (LEAST[0], "-narrow"),
        (100, "-designed"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST[1], "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        plan: Plan,
        job: Job,
        *,
        files: dict[int, Path] | None = None,
        chosen: int = 0,
        settings: Settings | None = None,
        memory: Memory | None = None,
        environment: Mapping[str, str] = ALL_COLOURS,
    ) -> None:
        super().__init__(plan, job, chosen, {} if files is None else files)
        self._own: Sequence[Plot] = ()
        self._drawn: tuple[object, ...] = ()
        self._drawing, self._due, self._latest = False, 0.0, -1
        self._plots_due = 0.0
        for theme in themes_for(environment):
            self.register_theme(theme)
        name = starting_theme(settings or Settings(), memory or Memory(), environment)
        self.theme = PREFIX + name

    def compose(self) -> ComposeResult:
        """What is trained, how far it is, two plots, layers and parameters, the kept steps, the keys."""
        yield Static(id="status")
        yield Static(id="progress")
        with Container(id="plots"):
            yield Static(id="loss", classes="pane")
            yield Static(id="other", classes="pane")
        with Container(id="below"):
            with VerticalScroll(id="tables", classes="pane", can_focus=False):
                yield Static(id="table")
            yield Static(id="kept", classes="pane")
        yield Static(id="keys")
        yield Static(id="small")

    def on_mount(self) -> None:
        """Look at the training now and then."""
        self.inks = Inks(self.theme_variables, dark=self.current_theme.dark)
        self.query_one("#tables").border_title = "layers and parameters"
        self.query_one("#kept").border_title = "kept steps"
        self.set_interval(LOOK, self.look)
        self.app_resume_signal.subscribe(self, lambda app: self.look(anew=True))
        leave_when_ended(self)

    def on_resize(self, event: events.Resize) -> None:
        """Draw everything for the new size."""
        width, height = event.size
        self.query_one("#small", Static).update(
            f"This terminal is {width}×{height}: too small.\nA training needs at least {LEAST[0]}×{LEAST[1]}."
        )
        self.call_after_refresh(self.look, anew=True)

    def _fatal_error(self) -> None:
        """Leave with one line about a fault of ours, printed when the terminal is as it was."""
        error = sys.exc_info()[1]
        if error is None or os.environ.get(TRACEBACK):
            super()._fatal_error()
        else:
            self.panic(Text(fault_line(error)))

    # ----- what is shown

    def look(self, *, anew: bool = False) -> None:
        """Show the training as it stands, if anything has changed."""
        if not self.query("#status"):  # a timer that fires while the screen is closed
            return
        view = self.job.view()
        self._draw_own_if_due(view)
        count = view.history.count
        drawn = (
            count, view.paused, view.ended, len(view.history.record.traces), self.chosen, self.said,
            self.turned, id(self._own), id(view.updates), round(view.pace),
        )  # fmt: skip
        if drawn == self._drawn and not anew:
            return
        self._drawn = drawn
        self._show_words(view)
        now = time.monotonic()
        if anew or view.ended or view.paused or now >= self._plots_due:
            self._plots_due = now + CURVES
            self._show_plots(view)

    def _show_words(self, view: View) -> None:
        width = self.size.width - 2
        kept = view.history.traces
        if kept and self.chosen not in kept:
            self.chosen = next(iter(kept))
        self._put("status", [panes.status_line(view, self.plan, width)])
        self._put("progress", [panes.progress_line(view, width)])
        room = self.query_one("#tables").scrollable_content_region.width
        lines = [*layer_lines(view.history, room), *parameter_lines(view.updates, room)]
        self._put("table", lines)
        high = max(len(lines), LEAST_LIST) + 2
        below = self.query_one("#below")
        if below.styles.height is None or below.styles.height.value != high:
            below.styles.height = high
            self.call_after_refresh(self.look, anew=True)
        tables = self.query_one("#tables")
        more = len(lines) > tables.scrollable_content_region.height
        tables.border_subtitle = "pgdn: more" if more else ""
        height = self.query_one("#kept").content_size.height
        self._put("kept", panes.kept_lines(view, self.chosen, height))
        noted = self.shown is not None and bool(self.shown.note)
        self._put("keys", [panes.last_line(view, self.said, width, noted=noted)])

    def _show_plots(self, view: View) -> None:
        loss, *others = curves(view.history)
        if self.decades and np.all(view.history.losses > 0):
            loss = replace(loss, y=Axis(scale="log"))
        others = [*self._own] or others
        beside = self.query_one("#other", Static)
        beside.display = bool(others)
        self._put_plot("loss", loss)
        self.several = len(others) > 1
        self.shown = others[self.turned % len(others)] if others else None
        if self.shown is not None:
            plot, note = panes.without_long_note(self.shown, beside.content_size.width or 1)
            self._put_plot("other", plot)
            at = self.turned % len(others) + 1
            more = f"tab: {at} of {len(others)}" if self.several else ""
            beside.border_subtitle = " · ".join(filter(None, (more, note)))
        if isinstance(self.screen, NoteScreen):
            self.screen.show(self.shown)

    def _put_plot(self, where: str, plot: Plot) -> None:
        pane = self.query_one(f"#{where}", Static)
        columns, rows = pane.content_size
        if columns and rows:
            self._put(where, plot.lines(columns, rows)[:rows])

    def _put(self, where: str, lines: Iterable[Line]) -> None:
        assert self.inks is not None
        text = Text(no_wrap=True, overflow="ellipsis")
        for line in lines:
            for piece in line:
                ink = Ink(panes.KINDS.get(piece.shows, Kind.TEXT), Look.PLAIN)
                text.append(piece.text, self.inks(ink))
            text.append("\n")
        text.right_crop(1)
        self.query_one(f"#{where}", Static).update(text)

    def _draw_own_if_due(self, view: View) -> None:
        """Make the entry's own plots once a second, and of the last step."""
        count, now = view.history.count, time.monotonic()
        late = now >= self._due or view.ended or view.paused
        if self.plan.training.plots is None or self._drawing or count == self._latest or not late:
            return
        self._drawing, self._due, self._latest = True, now + OWN, count
        self._draw_own(view)

    @work(thread=True, group="own plots")
    def _draw_own(self, view: View) -> None:
        failure = ""
        try:
            history = self.job.seen(view.history)
            _, *found = pictures(self.plan.training, history, self.plan.settings)
        except Exception as error:  # a plot that fails must not end the training
            found, failure = [], f"no plot: {type(error).__name__}: {error}"
        if self.is_running:
            self.call_from_thread(self._take, found, failure)

    def _take(self, found: Sequence[Plot], failure: str) -> None:
        self._own, self._drawing = found, False
        if failure:
            self.say(failure)
        self.look(anew=True)
