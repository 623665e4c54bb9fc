"""The whole drawing in a few cells."""

from __future__ import annotations

from tracer.cells.canvas import Window
from tracer.layered.layers import Graph
from tracer.layered.layout import arrange
from tracer.layered.ports import Shape
from tui.minimap import CELLS, minimap


def test_the_minimap_shows_what_is_in_sight_and_where_the_current_node_is():
    inputs = tuple(() if n == 0 else (n - 1,) for n in range(100))
    layout = arrange(Graph(inputs), [Shape(12, 4)] * 100)
    assert minimap(layout, Window(0, 0, layout.width, layout.height), 50) == ""
    middle = Window(layout.width // 2, 2, 100, 10)
    assert minimap(layout, middle, 0) == "↑2 ◆▁▁▁▁▁▁▁▁▁▁[▁▁▁]▁▁▁▁▁▁▁▁▁▁"
    start = minimap(layout, Window(0, 0, 100, 10), 0)
    assert start.startswith("[◆")
    assert len(start) == CELLS + 2
