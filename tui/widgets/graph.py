"""The graph pane: boxes and wires; the current node is always in sight."""

from __future__ import annotations

import numpy as np
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from tui.canvas import Cells, Window, node_at, paint
from tui.drawing import Drawing, draw
from tui.ink import Ink, Kind, Line, Look, Span
from tui.keys import GRAPH, bindings
from tui.views import boxes
from tui.views.scene import Scene
from tui.widgets.pane import LinePane, Ordered


class GraphPane(LinePane, ScrollView):
    """The drawing of the trace, or of the stretch of a long trace around the selected node."""

    BINDINGS = bindings(GRAPH)

    drawing: Drawing | None = None

    @property
    def window(self) -> Window:
        """The part of the drawing that is in sight; a drawing smaller than the pane stands in its middle."""
        x, y = self.scroll_offset
        width, height = self.size
        if self.drawing is not None:
            layout = self.drawing.layout
            x -= max(0, (width - layout.width) // 2)
            y -= max(0, (height - layout.height) // 2)
        return Window(x, y, width, height)

    def follow(self, scene: Scene) -> None:
        """Draw the stretch that holds the selected node, and bring its box into sight."""
        drawing = draw(scene.trace, scene.selected)
        if drawing is not self.drawing:
            self.drawing = drawing
            self._shown = None
            self.virtual_size = Size(drawing.layout.width + 2, drawing.layout.height)
        self._say_what_is_shown(drawing, scene)
        self._bring_into_sight(drawing, scene)

    def _say_what_is_shown(self, drawing: Drawing, scene: Scene) -> None:
        count = f"{len(drawing.trace):,}".replace(",", " ")
        shown = f"{count} node{'s' if len(drawing.trace) != 1 else ''}"
        if not drawing.whole:
            shown = f"nodes {drawing.first}–{drawing.last - 1} of {count}"
        self.entitle(" ▸ ".join(filter(None, ("graph", scene.title))), shown)

    def _bring_into_sight(self, drawing: Drawing, scene: Scene) -> None:
        """Scroll only if the box or what it read has left the view: scrolling is the dearest part of a step."""
        here = drawing.place.get(scene.selected)
        if here is None or not len(drawing.nodes):
            return
        box = drawing.layout.boxes[here]
        region = Region(box.x, box.y, box.width, box.height)
        window = Region(self.window.x, self.window.y, *self.size)
        if window.contains_region(region.grow((0, 1, 0, 1))):
            return
        width, height = self.size
        x = box.x - max(1, (width - box.width) // 2)
        if window.x <= box.x - 1 and box.x + box.width + 1 <= window.right:
            x = window.x
        y = box.y - max(0, (height - box.height) // 2)
        if window.y <= box.y and box.y + box.height <= window.bottom:
            y = window.y
        self.scroll_to(max(0, x), max(0, y), animate=False, force=True, immediate=True)
        self._shown = None

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Paint another part of the drawing."""
        self._shown = None
        super().watch_scroll_x(old_value, new_value)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint another part of the drawing."""
        self._shown = None
        super().watch_scroll_y(old_value, new_value)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The visible part of the drawing."""
        drawing = self.drawing
        if drawing is None:
            return []
        window = self.window
        faces = {
            box: boxes.face(scene, drawing.nodes[box], drawing.layout.boxes[box].width)
            for box in drawing.visible(window)
        }
        cells = paint(drawing.layout, window, faces, boxes.threads(scene, drawing))
        return [spans(cells, y) for y in range(height)]

    def on_click(self, event: events.Click) -> None:
        """Select the node that was clicked; run to it on a double click."""
        offset = event.get_content_offset(self)
        if self.drawing is None or offset is None:
            return
        window = self.window
        box = node_at(self.drawing.layout, window.x + offset.x, window.y + offset.y)
        if box is not None:
            node = self.drawing.nodes[box]
            self.post_message(Ordered(f"{'run' if event.chain == 2 else 'select'} {node}"))

    def action_go(self, direction: str) -> None:
        """Move the selection along the wires."""
        if self.scene is None or self.drawing is None:
            return
        node = self.drawing.neighbour(self.scene.selected, direction)
        if node is not None:
            self.post_message(Ordered(f"select {node}"))


_LOOKS = len(Look)


def spans(cells: Cells, y: int) -> Line:
    """A line of cells as runs of one ink."""
    key = cells.kind[y].astype(np.int16) * _LOOKS + cells.look[y]
    text = cells.line(y)
    ends = [*(np.flatnonzero(np.diff(key)) + 1).tolist(), len(text)]
    found, start = [], 0
    for end in ends:
        kind, look = divmod(int(key[start]), _LOOKS) if end > start else (0, 0)
        found.append(Span(text[start:end], Ink(Kind(kind), Look(look))))
        start = end
    return tuple(found)
