"""A pane of the deck that is a list: its cursor, a click on a row, and the wheel."""

from __future__ import annotations

from textual import events

from tui.views.scene import Scene
from tui.widgets.pane import DeckPane


class ListPane(DeckPane):
    """A list with a cursor. A subclass says which row a line belongs to, and what choosing a row means."""

    WHEEL = 3
    """The rows that a turn of the wheel moves the cursor by."""

    cursor = 0
    top = 0

    def row_at(self, scene: Scene, y: int) -> int | None:
        """The row that a line of the pane belongs to, None for a line beside the rows."""
        raise NotImplementedError

    def action_choose(self) -> None:
        """Do what is obvious with the row of the cursor."""
        raise NotImplementedError

    def keep_cursor(self, count: int) -> None:
        """Put the cursor back among so many rows."""
        self.cursor = max(0, min(self.cursor, count - 1))

    def action_lines(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.cursor += rows
        self.update_lines()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; choose it on a double click."""
        offset = event.get_content_offset(self)
        if offset is None or self.scene is None:
            return
        at = self.row_at(self.scene, offset.y)
        if at is not None:
            self.cursor = at
            self.update_lines()
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few rows on."""
        self.action_lines(self.WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few rows back."""
        self.action_lines(-self.WHEEL)
