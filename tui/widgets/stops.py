"""The stops pane: the list of breakpoints and watches, with a cursor."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.keys import STOPS, bindings
from tui.views import stops
from tui.views.scene import Scene
from tui.widgets.pane import DeckPane, Ordered


class StopsPane(DeckPane):
    """Breakpoints and watches; each key gives an order about the row of the cursor."""

    BINDINGS = bindings(STOPS)

    cursor = 0
    top = 0

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The rows in sight."""
        self.entitle("stops", stops.subtitle(scene))
        self.cursor = max(0, min(self.cursor, stops.count(scene) - 1))
        shown = stops.rows(scene, self.cursor, width)
        self.top = stops.in_sight(shown, self.cursor, self.top, height)
        return [row.line for row in shown[self.top : self.top + height]]

    def action_lines(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.cursor += rows
        self.update_lines()

    def action_choose(self) -> None:
        """Go to where the breakpoint stops next, or to the node of the watch."""
        self._order("choose")

    def action_remove(self) -> None:
        """Delete the breakpoint or the watch."""
        self._order("remove")

    def action_flip(self) -> None:
        """Switch the breakpoint off, or on again."""
        self._order("flip")

    def _order(self, deed: str) -> None:
        line = stops.order_at(self.scene, self.cursor, deed) if self.scene is not None else ""
        if line:
            self.post_message(Ordered(line))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; go there on a double click."""
        offset = event.get_content_offset(self)
        if offset is None or self.scene is None:
            return
        shown = stops.rows(self.scene, self.cursor, self.size.width)
        y = self.top + offset.y
        if y < len(shown) and shown[y].item >= 0:
            self.cursor = shown[y].item
            self.update_lines()
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A row on."""
        self.action_lines(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A row back."""
        self.action_lines(-1)
