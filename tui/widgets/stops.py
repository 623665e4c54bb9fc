"""The stops pane: the list of breakpoints and watches, with a cursor."""

from __future__ import annotations

from tui.ink import Line
from tui.keys import STOPS, bindings
from tui.views import stops
from tui.views.scene import Scene
from tui.widgets.listing import ListPane
from tui.widgets.pane import Ordered


class StopsPane(ListPane):
    """Breakpoints and watches; each key gives an order about the row of the cursor."""

    BINDINGS = bindings(STOPS)
    WHEEL = 1

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The rows in sight."""
        self.entitle("stops", stops.subtitle(scene))
        self.keep_cursor(stops.count(scene))
        shown = stops.rows(scene, self.cursor, width)
        self.top = stops.in_sight(shown, self.cursor, self.top, height)
        return [row.line for row in shown[self.top : self.top + height]]

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

    def row_at(self, scene: Scene, y: int) -> int | None:
        """The breakpoint or watch that a line of the pane belongs to, None for a heading."""
        shown = stops.rows(scene, self.cursor, self.size.width)
        at = self.top + y
        return shown[at].item if at < len(shown) and shown[at].item >= 0 else None
