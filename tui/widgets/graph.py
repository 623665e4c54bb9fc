"""The graph pane: boxes and wires; the current node is always in sight."""

from __future__ import annotations

from textual import events, work
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.worker import get_current_worker

from tracer.cells import boxes, headings
from tracer.cells.canvas import Window, node_at
from tracer.cells.drawing import Drawing, draw, make, wanted
from tracer.folding.folds import GraphLook
from tracer.folding.merging import Folded
from tracer.insight.whatif import Changes
from tracer.layered.layers import GivenUpError
from tui.ink import Line, spans
from tui.keys import GRAPH, bindings
from tui.minimap import minimap
from tui.views.changes import shown
from tui.views.scene import Scene
from tui.widgets.pane import LinePane, Ordered

WHEEL = 6
"""Columns that the wheel moves a drawing sideways."""


class GraphPane(LinePane, ScrollView):
    """The drawing of the folded trace, or of a stretch of it around the selected node while the whole is laid out."""

    BINDINGS = bindings(GRAPH)

    drawing: Drawing | None = None
    _laying: tuple[Folded, GraphLook] | None = None
    """What is being laid out on another thread."""
    _refused: tuple[Folded, GraphLook] | None = None
    """What the user did not want to wait for."""
    _held: tuple[Offset, Offset] | None = None
    """Where the mouse took hold of the drawing, and what was in the corner then."""
    _dragged = False
    _edited: tuple[Changes | None, int, int] = (None, -1, -1)
    """The last edits, and the position and the node at which they were made."""

    @property
    def heading(self) -> int:
        """The lines that the names of time steps take."""
        drawing = self.drawing
        return int(drawing is not None and bool(drawing.layout.blocks) and not drawing.look.down)

    @property
    def window(self) -> Window:
        """The part of the drawing that is in sight; a drawing smaller than the pane stands in its middle."""
        x, y = self.scroll_offset
        width, height = self.size
        height = max(1, height - self.heading)
        if self.drawing is not None:
            layout = self.drawing.layout
            x -= max(0, (width - layout.width) // 2)
            y -= max(0, (height - layout.height) // 2)
        return Window(x, y, width, height)

    def follow(self, scene: Scene) -> None:
        """Draw what holds the selected node, and bring its box into sight; what takes long is drawn meanwhile."""
        drawing = draw(scene.trace, scene.graph, scene.selected, scene.current)
        self._lay_out_if_wanted(drawing.folded, scene.graph)
        if drawing is not self.drawing:
            anchor = self._place_on_screen(scene)
            self.drawing = drawing
            self._shown = None
            layout = drawing.layout
            self.virtual_size = Size(layout.width + 2, layout.height + self.heading)
            if anchor is not None:
                self._hold_still(scene, anchor)
        self._bring_into_sight(drawing, scene)
        self._say_what_is_shown()

    # ----- laying out what is large

    def _lay_out_if_wanted(self, folded: Folded, look: GraphLook) -> None:
        task = folded, look
        if wanted(folded, look) and task not in (self._laying, self._refused):
            self._laying = task
            self._lay_out(folded, look)
        elif self._laying is not None and not wanted(folded, look):
            self._stop_laying_out()

    @work(thread=True, exclusive=True, group="layout")
    def _lay_out(self, folded: Folded, look: GraphLook) -> None:
        worker = get_current_worker()
        try:
            make(folded, look, given_up=lambda: worker.is_cancelled)
        except GivenUpError:
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._laid_out)

    def _laid_out(self) -> None:
        self._laying = None
        if self.scene is not None:
            self.follow(self.scene)
            self.update_lines()

    def _stop_laying_out(self) -> None:
        self.workers.cancel_group(self, "layout")
        self._laying = None

    def give_up(self) -> None:
        """Stop the layout of a large graph; the stretch around the node stays."""
        if self._laying is not None:
            self._refused = self._laying
            self._stop_laying_out()
            self._say_what_is_shown()

    # ----- what is in sight

    def _say_what_is_shown(self) -> None:
        drawing, scene = self.drawing, self.scene
        if drawing is None or scene is None:
            return
        nodes, folded = len(drawing.trace), drawing.folded
        told = f"{_number(nodes)} node{'s' if nodes != 1 else ''}"
        if folded.any_folded:
            told = f"{_number(len(folded))} boxes of {told}"
        if not drawing.whole:
            told = f"{drawing.first}–{drawing.last - 1} of {told}"
        if self._laying is not None:
            told = f"laying out {_number(len(folded))} boxes… esc stops · {told}"
        place = drawing.place(scene.current)
        sights = minimap(drawing.layout, self.window, place, self.size.width // 4)
        if len(sights) + len(told) + 6 > self.size.width:
            told = ""
        title = " ▸ ".join(filter(None, ("graph", scene.title)))
        self.entitle(title, "  ".join(filter(None, (sights, told))))

    def _place_on_screen(self, scene: Scene) -> Offset | None:
        """Where the box of the selected node stands on the screen in the drawing that is about to go."""
        if self.drawing is None or self.drawing.trace is not scene.trace.skeleton:
            return None
        place = self.drawing.place(scene.selected)
        if place is None:
            return None
        box, window = self.drawing.layout.boxes[place], self.window
        return Offset(box.x - window.x, box.y - window.y)

    def _hold_still(self, scene: Scene, anchor: Offset) -> None:
        """Keep the selected box where it stood on the screen."""
        assert self.drawing is not None
        place = self.drawing.place(scene.selected)
        if place is not None:
            box = self.drawing.layout.boxes[place]
            self._show_from(box.x - anchor.x, box.y - anchor.y)

    def _show_from(self, x: int, y: int) -> None:
        """Scroll so that a cell of the drawing comes into the corner."""
        self.scroll_to(max(0, x), max(0, y), animate=False, force=True, immediate=True)
        self._shown = None

    def _bring_into_sight(self, drawing: Drawing, scene: Scene) -> None:
        """Scroll only if the box or what it read has left the view: scrolling is the dearest part of a step."""
        place = drawing.place(scene.selected)
        if place is None:
            return
        box, window = self._with_edited(drawing, scene, place), self.window
        sight = Region(window.x, window.y, window.width, window.height)
        if sight.contains_region(box.grow((0, 1, 0, 1))):
            return
        x = box.x - max(1, (window.width - box.width) // 2)
        if sight.x <= box.x - 1 and box.x + box.width + 1 <= sight.right:
            x = window.x
        y = box.y - max(0, (window.height - box.height) // 2)
        if sight.y <= box.y and box.y + box.height <= sight.bottom:
            y = window.y
        self._show_from(x, y)

    def _with_edited(self, drawing: Drawing, scene: Scene, place: int) -> Region:
        """Where a box is; just after an edit together with the one that was edited, if there is room for both."""
        box = _region(drawing, place)
        changes, (before, *moment) = shown(scene), self._edited
        if changes is not before:
            self._edited = changes, scene.position, scene.selected
        elif moment != [scene.position, scene.selected]:
            return box  # the user has gone on
        if changes is None or not changes.edits:
            return box
        edited = drawing.place(changes.edits[-1].node)
        if edited is None:
            return box
        both = box.union(_region(drawing, edited))
        fits = both.width + 2 <= self.window.width and both.height <= self.window.height
        return both if fits else box

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Paint another part of the drawing."""
        self._shown = None
        self._say_what_is_shown()
        super().watch_scroll_x(old_value, new_value)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint another part of the drawing."""
        self._shown = None
        self._say_what_is_shown()
        super().watch_scroll_y(old_value, new_value)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The visible part of the drawing, below the names of the time steps."""
        drawing = self.drawing
        if drawing is None or drawing.trace is not scene.trace.skeleton:
            return []  # painted after having been hidden, before `follow` has been called
        window = self.window
        cells = boxes.picture(scene, drawing, window)
        found = [spans(cells, y) for y in range(window.height)]
        if self.heading:
            found.insert(0, spans(headings.above(drawing, window, scene.current), 0))
        return found

    # ----- the mouse

    def _box_at(self, offset: Offset) -> int | None:
        if self.drawing is None:
            return None
        window = self.window
        y = window.y + offset.y - self.heading
        return node_at(self.drawing.layout, window.x + offset.x, y)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; a drawing that fits from top to bottom goes sideways."""
        if not self.max_scroll_y:
            self.scroll_relative(x=WHEEL, animate=False)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; a drawing that fits from top to bottom goes sideways."""
        if not self.max_scroll_y:
            self.scroll_relative(x=-WHEEL, animate=False)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the drawing."""
        self._dragged = False
        self._held = (event.screen_offset, self.scroll_offset) if event.button == 1 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the drawing that is held."""
        if self._held is None or not event.button:
            return
        start, corner = self._held
        moved = event.screen_offset - start
        if moved != Offset() and not self._dragged:
            self._dragged = True
            self.capture_mouse()
        if self._dragged:
            self._show_from(corner.x - moved.x, corner.y - moved.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let the drawing go."""
        if self._dragged:
            self.release_mouse()
        self._held = None

    def on_click(self, event: events.Click) -> None:
        """Select the node that was clicked; a double click runs to it, or opens a folded box."""
        offset = event.get_content_offset(self)
        if self.drawing is None or offset is None or self._dragged:
            return
        place = self._box_at(offset)
        if place is None:
            return
        node = self.drawing.node_of(place)
        opens = self.drawing.folded.is_folded(self.drawing.boxes[place])
        if event.chain == 1:
            self.post_message(Ordered(f"select {node}"))
        elif event.chain == 2:
            self.post_message(Ordered("open" if opens else f"run {node}"))


def _region(drawing: Drawing, place: int) -> Region:
    box = drawing.layout.boxes[place]
    return Region(box.x, box.y, box.width, box.height)


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")
