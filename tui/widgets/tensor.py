"""The tensor pane: a heat map with a cursor that reads one element."""

from __future__ import annotations

from dataclasses import replace

from textual import events

from tui.heatmap import fit
from tui.ink import Line
from tui.keys import TENSOR, bindings
from tui.views import tensor
from tui.views.scene import Scene
from tui.views.tensor import Reading
from tui.widgets.pane import LinePane


class TensorPane(LinePane):
    """The value or the gradient of the selected node, two rows of the matrix to a line."""

    BINDINGS = bindings(TENSOR)

    reading = Reading()
    _shape: tuple[int, ...] | None = None

    @property
    def colour(self) -> bool:
        """Whether the terminal shows colours; without them the signs are written."""
        return not self.app.no_color

    def follow(self, scene: Scene) -> None:
        """Start from the first element at an array of another shape."""
        shape = scene.trace.storage.value(scene.selected).shape
        if shape != self._shape:
            self._shape, self.reading = shape, Reading()

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The part of the matrix around the cursor."""
        shown = tensor.picture(scene)
        if shown.matrix is not None:
            size = shown.matrix.shape
            self.reading = tensor.move(size, self.reading, width, height, colour=self.colour)
        self.entitle(tensor.title(scene, shown), tensor.subtitle(scene, shown, self.reading))
        return tensor.lines(scene, shown, self.reading, width, height, colour=self.colour)

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor."""
        at = self.reading
        self.reading = replace(at, row=at.row + rows, column=at.column + columns)
        self.update_lines()

    def on_click(self, event: events.Click) -> None:
        """Read the element that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self.scene is None:
            return
        shown = tensor.picture(self.scene)
        if shown.matrix is None:
            return
        grid = fit(shown.matrix.shape, *self.size, colour=self.colour)
        row = (self.reading.top + offset.y) * grid.rows
        column = self.reading.left + offset.x // grid.cell
        self.reading = replace(self.reading, row=row, column=column)
        self.update_lines()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the cursor down."""
        self.action_move(2, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the cursor up."""
        self.action_move(-2, 0)
