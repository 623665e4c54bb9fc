"""The changes pane: the edits and the nodes that they changed. Only the rows in sight are ever worked out."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.keys import CHANGES, bindings
from tui.views import changes
from tui.views.scene import Scene
from tui.widgets.pane import DeckPane, Ordered


class ChangesPane(DeckPane):
    """A list with a cursor; enter selects the node of the row."""

    BINDINGS = bindings(CHANGES)

    cursor = 0
    top = 0
    _of: object = None

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The edits and the rows in sight, the cursor among them."""
        found = changes.shown(scene)
        if found is not self._of:
            self._of, self.cursor, self.top = found, 0, 0
        last = len(changes.order(found)) - 1 if found is not None else 0
        rows = max(1, changes.room(scene, height).rows)
        self.cursor = max(0, min(self.cursor, last))
        self.top = max(self.cursor - rows + 1, min(self.top, self.cursor))
        self.entitle(changes.title(scene), changes.subtitle(scene, self.cursor))
        return changes.lines(scene, self.cursor, self.top, width, height)

    def action_lines(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.cursor += rows
        self.update_lines()

    def action_choose(self) -> None:
        """Select the node of the row."""
        found = changes.shown(self.scene) if self.scene is not None else None
        if found is not None and found.edits:
            nodes = changes.order(found)
            self.post_message(Ordered(f"select {int(nodes[min(self.cursor, len(nodes) - 1)])}"))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; select its node on a double click."""
        offset = event.get_content_offset(self)
        if self.scene is None or offset is None:
            return
        at = offset.y - changes.room(self.scene, self.size.height).above
        if at >= 0:
            self.action_lines(self.top + at - self.cursor)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few rows on."""
        self.action_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few rows back."""
        self.action_lines(-3)
