"""The names of the time steps, above their columns or beside their rows."""

from __future__ import annotations

from tracer.cells.canvas import Cells, Window, blank
from tracer.cells.drawing import Drawing
from tracer.cells.meanings import Kind, Look
from tracer.cells.widths import cut, one_cell_each
from tracer.folding.merging import Folded
from tracer.layered.columns import Block
from tracer.layered.layout import GUTTER


def above(drawing: Drawing, window: Window, current: int = -1) -> Cells:
    """The line above a drawing from left to right: a bracket over the columns of each time step, its name in it.

    current: the node whose time step stands out.
    """
    cells = blank(window.width, 1)
    right = window.x + window.width
    now = drawing.folded.time(int(drawing.folded.box_of[current])) if current >= 0 else -1
    for block in drawing.layout.blocks:
        start, end = max(block.start, window.x), min(block.end, right)
        if end - start < 3:
            continue
        text = f" {cut(name(drawing, block), end - start - 4)} " if end - start > 6 else ""
        left = "╶" if block.start >= window.x else "─"
        last = "╴" if block.end <= right else "─"
        rule = left + text + "─" * max(0, end - start - 2 - len(text)) + last
        x = start - window.x
        cells.char[0, x : x + len(rule)] = [ord(c) for c in rule]
        cells.kind[0, x : x + len(rule)] = Kind.FAINT
        cells.kind[0, x + 1 : x + 1 + len(text)] = Kind.KEY if block.time == now else Kind.OP
    return cells


def write_beside(drawing: Drawing, window: Window, cells: Cells) -> None:
    """Write the name of each time step to the left of a drawing from top to bottom, whatever part of it is in sight."""
    for block in drawing.layout.blocks:
        y = max(0, block.start - window.y)
        if y < window.height and block.end > window.y:
            text = f"{cut(name(drawing, block), GUTTER - 1)} "[: window.width]
            cells.char[y, : len(text)] = [ord(c) for c in text]
            cells.kind[y, : len(text)] = Kind.OP
            cells.look[y, : len(text)] = Look.PLAIN


def name(drawing: Drawing, block: Block) -> str:
    """The time step of a block, `t=3`; `t=2…97` where it is a row of folded steps."""
    scopes, folded = drawing.folded.scopes, drawing.folded
    first = scopes.times[block.time]
    last = _last_of_row(folded, block.time)
    return one_cell_each(f"{first}…{last}" if last else first)


def _last_of_row(folded: Folded, time: int) -> str:
    for box in (folded.until >= 0).nonzero()[0].tolist():
        if folded.time(box) == time:
            return str(folded.scopes.paths[folded.until[box]][-1].index)
    return ""
