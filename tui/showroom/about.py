"""The page of the picker: what is known of the entry under the cursor, and its drawing as soon as there is one."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from gallery import Entry
from tracer.cells.meanings import Kind
from tui.ink import Line, span
from tui.networks import Network
from tui.showroom.drawings import Drawings
from tui.showroom.listing import section_of
from tui.showroom.page import knobs, numbers_said, origin, paragraph
from tui.showroom.shelf import unwrapped
from tui.theme import Inks

REST = 0.1
"""Seconds on an entry before its drawing is begun: who walks through the list does not wait for each."""
TALLEST = 26
"""So many lines a drawing may take."""


class About(VerticalScroll):
    """The page. drawings: those that were made before."""

    def __init__(self, drawings: Drawings, *, id: str, classes: str) -> None:
        super().__init__(Static(id="text"), id=id, classes=classes)
        self.drawings = drawings
        self._rest: Timer | None = None
        self._shown: Entry | None = None

    def describe(self, entry: Entry | None, inks: Inks) -> None:
        """Show what is known of an entry, and its drawing as soon as there is one."""
        if entry is not self._shown:
            self.scroll_home(animate=False)
        self._shown = entry
        if self._rest is not None:
            self._rest.stop()
        width = self.scrollable_content_region.width  # 0 before it is laid out
        if entry is None or not width:
            self.query_one("#text", Static).update("")
            return
        drawing = self.drawings.known(entry.name, width, TALLEST)
        if drawing is None:
            self._rest = self.set_timer(REST, lambda: self._draw(entry, width, inks))
        self._write(entry, width, drawing, inks)

    def _write(self, entry: Entry, width: int, drawing: list[Line] | None, inks: Inks) -> None:
        waiting: list[Line] = [(span("drawing …", Kind.FAINT),)]
        blocks = [
            paragraph(entry.caption, width),
            drawing or waiting,
            knobs(Network(entry), width),
            numbers_said(entry, width),
            origin(entry, width),
        ]
        lines = [line for block in blocks if block for line in (*block, ())]
        self.query_one("#text", Static).update(unwrapped(lines, inks))
        self.border_title, self.border_subtitle = Text(entry.name), Text(section_of(entry))

    @work(thread=True, group="drawing")
    def _draw(self, entry: Entry, width: int, inks: Inks) -> None:
        """Draw a network on another thread, unless the user has gone on by then."""

        def gone() -> bool:
            return self._shown is not entry or not self.app.is_running

        self.drawings.make(entry.name, width, TALLEST, given_up=gone)
        if not gone():
            self.app.call_from_thread(self._drawn, entry, inks)

    def _drawn(self, entry: Entry, inks: Inks) -> None:
        if self._shown is entry:
            self.describe(entry, inks)  # which draws again where the page has another width by now

    def more(self, pages: int) -> None:
        """Scroll the page, and from its end back to its start."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self.scroll_home(animate=False)
        else:
            self.scroll_relative(y=pages * max(1, self.content_size.height - 1), animate=False)
