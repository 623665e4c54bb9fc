"""The whole drawing in a few cells: how full it is from end to end, the part that is in sight, the current node."""

from __future__ import annotations

from functools import lru_cache

from tracer.cells.canvas import Window
from tracer.layered.layout import Layout

CELLS = 24
HEIGHTS = "▁▂▃▄▅▆▇█"
HERE = "◆"


def minimap(layout: Layout, window: Window, current: int | None, most: int = CELLS) -> str:
    """A bar for every stretch of the drawing, brackets around what the window shows, a diamond at the current box.

    most: cells that it may take, CELLS at most. Empty where the window shows all. Before it stands how many rows are
    out of sight across the flow.
    """
    low, high = window.along(layout)
    whole = layout.height if layout.down else layout.width
    beyond = _beyond(layout, window)
    if low <= 0 and high >= whole:
        return beyond
    count = max(4, min(most, CELLS))
    cells = list(_bars(layout, count))
    if current is not None:
        cells[_cell(layout.start(current), whole, count)] = HERE
    first, last = _cell(max(0, low), whole, count), _cell(min(high, whole) - 1, whole, count)
    seen = "".join(cells[first : last + 1])
    bar = "".join(cells[:first]) + f"[{seen}]" + "".join(cells[last + 1 :])
    return f"{beyond} {bar}".strip()


def _cell(place: int, whole: int, count: int) -> int:
    return min(count - 1, max(0, place * count // max(1, whole)))


def _beyond(layout: Layout, window: Window) -> str:
    low, high = window.across(layout)
    whole = layout.width if layout.down else layout.height
    before, behind = "←→" if layout.down else "↑↓"
    hidden = (before, max(0, low)), (behind, max(0, whole - high))
    return " ".join(f"{sign}{count}" for sign, count in hidden if count)


@lru_cache(maxsize=8)
def _bars(layout: Layout, count: int) -> str:
    """How many boxes the layers of each stretch have, the fullest of them; blank where there is none."""
    whole = layout.height if layout.down else layout.width
    most = [0] * count
    for column in layout.columns:
        for cell in range(
            _cell(column.start, whole, count), _cell(column.edge - 1, whole, count) + 1
        ):
            most[cell] = max(most[cell], len(column.boxes))
    top = max(most)
    return "".join(HEIGHTS[(boxes - 1) * 7 // max(1, top - 1)] if boxes else " " for boxes in most)
