"""The names of the time steps, above their columns or beside their rows."""

from __future__ import annotations

from tracer.folding.merging import Folded
from tracer.layered.columns import Block
from tracer.layered.layout import GUTTER
from tui.canvas import Cells, Window
from tui.drawing import Drawing
from tui.ink import Kind, Line, Look, elide, span
from tui.views.scene import Scene


def line(scene: Scene, drawing: Drawing, window: Window) -> Line:
    """The line above a drawing from left to right: a bracket over the columns of each time step, its name in it."""
    now = _now(scene, drawing.folded)
    found, x = [], window.x
    right = window.x + window.width
    for block in drawing.layout.blocks:
        start, end = max(block.start, x), min(block.end, right)
        if end - start < 3:
            continue
        found.append(span(" " * (start - x)))
        text = f" {elide(name(drawing, block), end - start - 4)} " if end - start > 6 else ""
        left = "╶" if block.start >= window.x else "─"
        last = "╴" if block.end <= right else "─"
        rule = max(0, end - start - 2 - len(text))
        found.append(span(left, Kind.FAINT))
        found.append(span(text, Kind.KEY if block.time == now else Kind.OP))
        found.append(span("─" * rule + last, Kind.FAINT))
        x = end
    return tuple(found)


def write_beside(drawing: Drawing, window: Window, cells: Cells) -> None:
    """Write the name of each time step to the left of a drawing from top to bottom, whatever part of it is in sight."""
    for block in drawing.layout.blocks:
        y = max(0, block.start - window.y)
        if y < window.height and block.end > window.y:
            text = f"{elide(name(drawing, block), GUTTER - 1)} "[: window.width]
            cells.char[y, : len(text)] = [ord(c) for c in text]
            cells.kind[y, : len(text)] = Kind.OP
            cells.look[y, : len(text)] = Look.PLAIN


def name(drawing: Drawing, block: Block) -> str:
    """The time step of a block, `t=3`; `t=2…97` where it is a row of folded steps."""
    scopes, folded = drawing.folded.scopes, drawing.folded
    first = scopes.times[block.time]
    last = _last_of_row(folded, block.time)
    return f"{first}…{last}" if last else first


def _last_of_row(folded: Folded, time: int) -> str:
    for box in (folded.until >= 0).nonzero()[0].tolist():
        if folded.time(box) == time:
            return str(folded.scopes.paths[folded.until[box]][-1].index)
    return ""


def _now(scene: Scene, folded: Folded) -> int:
    """The rank of the time step of the block that holds the current node."""
    return folded.time(int(folded.box_of[scene.current])) if scene.current >= 0 else -1
