"""The tensor pane: a heat map with a cursor that reads one element."""

from __future__ import annotations

from rich.text import Text
from textual import events

from tracer.cells.meanings import Kind
from tui import heatmap
from tui.ink import Heat, Ink, Line
from tui.keys import TENSOR, bindings
from tui.views import tensor
from tui.views.scene import Scene
from tui.views.tensor import Layout, Picture, Scroll
from tui.widgets.pane import LinePane, Ordered


class TensorPane(LinePane):
    """One matrix of the selected node, the element under the cursor, and the flows into it."""

    BINDINGS = bindings(TENSOR)

    window = Scroll()
    _plan: Layout | None = None
    _picture: Picture | None = None
    _told: tuple[object, ...] = ()

    @property
    def colour(self) -> bool:
        """Whether the terminal shows colours; without them the signs are written."""
        return not (self.app.no_color or self.app.current_theme.ansi)

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The part of the matrix around the cursor, and what is said about the element."""
        shown = self._picture = tensor.picture(scene)
        plan = self._plan = tensor.layout(scene, shown, width, height, colour=self.colour)
        self.window = tensor.scrolled(shown, plan, self.window)
        self.entitle(tensor.title(scene, shown, width - 4))
        self._show_legend(shown, width - 4)
        return tensor.lines(scene, shown, plan, self.window, colour=self.colour)

    def _show_legend(self, shown: Picture, width: int) -> None:
        """The scale of the colours, into the lower border, where it differs."""
        limits = None if shown.matrix is None else shown.limits
        told = (limits, width, self.colour, self.inks)
        if self.inks is None or told == self._told:
            return
        self._told = told
        legend = Text(no_wrap=True)
        patches = heatmap.legend(limits, width, colour=self.colour) if limits else []
        for patch in patches:
            plain = patch.paper == heatmap.OUTSIDE
            ink = Ink(Kind.FAINT) if plain else Heat(patch.ink, patch.paper)
            legend.append(patch.text, self.inks(ink))
        self.border_subtitle = legend

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are shown."""
        if self._plan is not None:
            rows = max(1, self._plan.lines * self._plan.grid.rows - 1)
            self.post_message(Ordered(f"move {pages * rows} 0"))

    def on_click(self, event: events.Click) -> None:
        """Read the element that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self._plan is None or self._picture is None:
            return
        inside = (
            self._plan.gutter <= offset.x and offset.y - bool(self._plan.gutter) < self._plan.lines
        )
        if self._picture.matrix is not None and inside:
            at = self._picture.plane.at(*tensor.spot(self._plan, self.window, *offset))
            self.post_message(Ordered("cursor " + " ".join(map(str, at))))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the cursor down."""
        self.post_message(Ordered("move 2 0"))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the cursor up."""
        self.post_message(Ordered("move -2 0"))
