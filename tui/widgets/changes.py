"""The changes pane: the edits and the nodes that they changed. Only the rows in sight are ever worked out."""

from __future__ import annotations

from tui.ink import Line
from tui.keys import CHANGES, bindings
from tui.views import changes
from tui.views.scene import Scene
from tui.widgets.listing import ListPane
from tui.widgets.pane import Ordered


class ChangesPane(ListPane):
    """A list with a cursor; enter selects the node of the row."""

    BINDINGS = bindings(CHANGES)

    _of: object = None

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The edits and the rows in sight, the cursor among them."""
        found = changes.shown(scene)
        if found is not self._of:
            self._of, self.cursor, self.top = found, 0, 0
        rows = max(1, changes.room(scene, height).rows)
        self.keep_cursor(len(changes.order(found)) if found is not None else 0)
        self.top = max(self.cursor - rows + 1, min(self.top, self.cursor))
        self.entitle(changes.title(scene), changes.subtitle(scene, self.cursor))
        return changes.lines(scene, self.cursor, self.top, width, height)

    def action_choose(self) -> None:
        """Select the node of the row."""
        found = changes.shown(self.scene) if self.scene is not None else None
        if found is not None and found.edits:
            nodes = changes.order(found)
            self.post_message(Ordered(f"select {int(nodes[min(self.cursor, len(nodes) - 1)])}"))

    def row_at(self, scene: Scene, y: int) -> int | None:
        """The row that a line of the pane belongs to, None for the lines of the edits."""
        at = y - changes.room(scene, self.size.height).above
        return self.top + at if at >= 0 else None
