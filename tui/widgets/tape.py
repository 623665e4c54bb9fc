"""The tape pane: the nodes in the order in which they ran. Only the rows in sight are ever worked out."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView

from tui.ink import Line
from tui.keys import TAPE, bindings
from tui.views import tape
from tui.views.scene import Scene
from tui.widgets.pane import LinePane, Ordered


class TapePane(LinePane, ScrollView):
    """A virtual list: a million nodes cost what forty do."""

    BINDINGS = bindings(TAPE)

    @property
    def room(self) -> Size:
        """The size without the scroll bar."""
        return self.size - (self.styles.scrollbar_size_vertical, 0)

    def follow(self, scene: Scene) -> None:
        """Bring the selected row into sight, a third of the pane away from its edges where possible."""
        self.entitle("tape")
        size = Size(self.size.width, len(scene.trace) + 1)
        if self.virtual_size.height != size.height:
            self.virtual_size = size
            self._shown = None
        rows = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        margin = min(2, (rows - 1) // 2)
        if scene.selected < top + margin:
            top = scene.selected - rows // 3
        elif scene.selected > top + rows - 1 - margin:
            top = scene.selected - rows + 1 + rows // 3
        top = max(0, min(top, len(scene.trace) - rows))
        if top != self.scroll_offset.y:
            self._shown = None
            self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Show other rows."""
        self._shown = None
        super().watch_scroll_y(old_value, new_value)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The heading and the rows in sight."""
        top = self.scroll_offset.y
        rows = range(top, min(len(scene.trace), top + height - 1))
        heading = tape.heading(width, len(scene.trace))
        return [heading, *(tape.row(scene, node, width) for node in rows)]

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; run to it on a double click."""
        offset = event.get_content_offset(self)
        if self.scene is None or offset is None:
            return
        node = offset.y - 1 + self.scroll_offset.y
        if offset.y > 0 and node < len(self.scene.trace):
            self.post_message(Ordered(f"{'run' if event.chain == 2 else 'select'} {node}"))

    def action_row(self, rows: int) -> None:
        """Move the selection by rows."""
        self.post_message(Ordered(f"row {rows}"))

    def action_page(self, pages: int) -> None:
        """Move the selection by screenfuls."""
        self.action_row(pages * max(1, self.size.height - 2))
