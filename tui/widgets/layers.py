"""The layers pane: how gradients flow through the layers, or through time. Only the rows in sight are drawn."""

from __future__ import annotations

from tui.ink import Line
from tui.keys import LAYERS, bindings
from tui.views import layers
from tui.views.scene import Scene
from tui.widgets.listing import ListPane
from tui.widgets.pane import Ordered


class LayersPane(ListPane):
    """A list with a cursor, which follows the selected node; enter selects the node that a row puts out."""

    BINDINGS = bindings(LAYERS)

    _followed: tuple[int, layers.Flow | None] = (-1, None)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The rows in sight, and what stands above and below them."""
        self.entitle(layers.title(scene), layers.subtitle(scene))
        shown = layers.flow(scene)
        if shown is not None and shown.rows:
            if (scene.selected, shown) != self._followed and scene.selected in shown.row_of:
                self.cursor = shown.row_of[scene.selected]
            self._followed = scene.selected, shown
            self.keep_cursor(len(shown.rows))
            self.top = layers.plan(shown, self.cursor, self.top, width, height).top
        return layers.lines(scene, self.cursor, self.top, width, height)

    def action_choose(self) -> None:
        """Select the node of the row."""
        shown = None if self.scene is None else layers.flow(self.scene)
        if shown is not None and shown.rows:
            row = shown.rows[max(0, min(self.cursor, len(shown.rows) - 1))]
            self.post_message(Ordered(f"select {row.output}"))

    def row_at(self, scene: Scene, y: int) -> int | None:
        """The row that a line of the pane belongs to, None for the lines around the rows."""
        shown = layers.flow(scene)
        if shown is None or not shown.rows:
            return None
        return layers.plan(shown, self.cursor, self.top, *self.room).row_at(y)
