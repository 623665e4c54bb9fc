"""The verify pane: the table of a verification, with a cursor."""

from __future__ import annotations

from tui.ink import Line
from tui.keys import VERIFY, bindings
from tui.views import verify_rows
from tui.views.scene import Scene
from tui.views.verify import Verified
from tui.widgets.listing import ListPane
from tui.widgets.pane import Ordered


class VerifyPane(ListPane):
    """A list with a cursor; enter goes to the node of the row, and to its first wrong element."""

    BINDINGS = bindings(VERIFY)

    _selected = -1
    _report: Verified | None = None

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The rows in sight, and what is said of the one with the cursor."""
        found = scene.report
        self.entitle(verify_rows.title(scene), "⏎ to the wrong element" if found else "")
        if found is None:
            return verify_rows.lines(scene, 0, 0, width, height)
        count = len(found.table)
        self._put_cursor(scene, found)
        self.keep_cursor(count)
        shown = verify_rows.rows_shown(count, verify_rows.heading_height(scene, width), height)
        self.top = verify_rows.scrolled(count, self.cursor, self.top, shown)
        return verify_rows.lines(scene, self.cursor, self.top, width, height)

    def _put_cursor(self, scene: Scene, found: Verified) -> None:
        """The cursor on the first wrong row of a new report; afterwards on the row of a newly selected node."""
        if found is not self._report:
            first = found.first_wrong
            self.cursor = found.table.index(first) if first is not None else 0
        elif scene.selected != self._selected and scene.selected in found.rows:
            self.cursor = found.table.index(found.rows[scene.selected])
        self._report, self._selected = found, scene.selected

    def action_choose(self) -> None:
        """Go to the node of the row."""
        if self.scene is not None and self.scene.report is not None:
            self.post_message(Ordered(f"wrong {self.cursor + 1}"))

    def row_at(self, scene: Scene, y: int) -> int | None:
        """The row that a line of the pane belongs to, None for the lines around the table."""
        if scene.report is None:
            return None
        above = verify_rows.heading_height(scene, self.size.width)
        count, row = len(scene.report.table), y - above
        inside = 0 <= row < verify_rows.rows_shown(count, above, self.size.height)
        return self.top + row if inside else None
