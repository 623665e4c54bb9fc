"""The layers pane: how gradients flow through the layers, or through time. Only the rows in sight are drawn."""

from __future__ import annotations

from textual import events

from tui.ink import Line
from tui.keys import LAYERS, bindings
from tui.views import layers
from tui.views.scene import Scene
from tui.widgets.pane import DeckPane, Ordered


class LayersPane(DeckPane):
    """A list with a cursor, which follows the selected node; enter selects the node that a row puts out."""

    BINDINGS = bindings(LAYERS)

    cursor = 0
    top = 0
    _followed: tuple[int, layers.Flow | None] = (-1, None)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The rows in sight, and what stands above and below them."""
        self.entitle(layers.title(scene), layers.subtitle(scene))
        shown = layers.flow(scene)
        if shown is not None and shown.rows:
            if (scene.selected, shown) != self._followed and scene.selected in shown.row_of:
                self.cursor = shown.row_of[scene.selected]
            self._followed = scene.selected, shown
            self.cursor = max(0, min(self.cursor, len(shown.rows) - 1))
            self.top = layers.plan(shown, self.cursor, self.top, width, height).top
        return layers.lines(scene, self.cursor, self.top, width, height)

    def action_lines(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.cursor += rows
        self.update_lines()

    def action_choose(self) -> None:
        """Select the node of the row."""
        shown = None if self.scene is None else layers.flow(self.scene)
        if shown is not None and shown.rows:
            row = shown.rows[max(0, min(self.cursor, len(shown.rows) - 1))]
            self.post_message(Ordered(f"select {row.output}"))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; select its node on a double click."""
        offset = event.get_content_offset(self)
        shown = None if self.scene is None else layers.flow(self.scene)
        if offset is None or shown is None or not shown.rows:
            return
        at = layers.plan(shown, self.cursor, self.top, *self.room).row_at(offset.y)
        if at is not None:
            self.cursor = at
            self.update_lines()
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few rows on."""
        self.action_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few rows back."""
        self.action_lines(-3)
