"""A drawn page as a DOT text that holds nothing but a background, so that Graphviz writes it as PNG or PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracer.diagrams.measure import BACKSLASH
from tracer.diagrams.palettes import FONT, Palette
from tracer.diagrams.strokes import Curve, Drawn, Ellipse, Letters, Point, Polygon, Stroke
from tracer.diagrams.writers.svg import LOWER, decimal

_KINDS = {"": "solid", "dashed": "dashed", "dotted": "dotted"}

RAISED = 0.2
"""How much higher than it is told Graphviz puts the base line of a text in a background, in parts of its size."""
LONGEST = 8000
"""Characters of a string that Graphviz reads in one go, with room to spare."""


def page_dot(drawn: Drawn, palette: Palette) -> str:
    """The page for `neato -n2`: its strokes in the xdot language, between two corners that are not seen."""
    width, height = decimal(drawn.width), decimal(drawn.height)
    pen = _Pen(palette, drawn.height)
    strokes = (stroke for item in drawn.items for stroke in item.strokes)
    words = " ".join(word for stroke in strokes for word in pen.stroke(stroke))
    parts = (words[k : k + LONGEST] for k in range(0, len(words), LONGEST))
    quoted = " + ".join('"' + part.replace('"', '\\"') + '"' for part in parts)
    return (
        f'graph gradstep {{ graph [bgcolor="{palette.paper}" pad=0 margin=0 _background={quoted or chr(34) * 2}]\n'
        f'node [shape=point width=0 height=0 style=invis label=""]\n'
        f'low [pos="0,0"]\nhigh [pos="{width},{height}"]\n}}\n'
    )


class _Pen:
    """Writes strokes, y upwards."""

    def __init__(self, palette: Palette, height: float) -> None:
        self.palette, self.height = palette, height

    def stroke(self, stroke: Stroke) -> Iterator[str]:
        if isinstance(stroke, Letters):
            yield from self.letters(stroke)
            return
        dense = stroke.opacity if isinstance(stroke, Polygon) else 1.0
        opacity = f"{round(255 * dense):02X}"
        line = f"{self.palette.of(stroke.line)}{opacity}" if stroke.line else "#FFFFFF00"
        yield f"S {_text(_KINDS[stroke.dash])}"
        yield f"S {_text(f'setlinewidth({decimal(stroke.width)})')}"
        yield f"c {_text(line)}"
        if stroke.fill:
            yield f"C {_text(self.palette.of(stroke.fill) + opacity)}"
        if isinstance(stroke, Ellipse):
            radii = " ".join(map(decimal, stroke.radii))
            yield f"{'E' if stroke.fill else 'e'} {self.pair(stroke.middle)} {radii}"
        elif isinstance(stroke, Curve):
            yield f"{'b' if stroke.fill else 'B'} {self.pairs(stroke.points)}"
        else:
            kind = "P" if stroke.fill else "L" if stroke.open else "p"
            yield f"{kind} {self.pairs(stroke.points)}"

    def letters(self, one: Letters) -> Iterator[str]:
        x, y = one.at
        place = self.pair((x, y + (LOWER * one.lowered + RAISED) * one.size))
        yield f"F {decimal(one.size)} {_text(FONT)}"
        yield f"t {one.bold + 2 * one.italic}"
        yield f"c {_text(self.palette.of(one.paint))}"
        yield f"T {place} -1 {decimal(one.room)} {_text(one.text.replace(chr(92), BACKSLASH))}"

    def pairs(self, points: Iterable[Point]) -> str:
        pairs = [self.pair(point) for point in points]
        return f"{len(pairs)} {' '.join(pairs)}"

    def pair(self, point: Point) -> str:
        return f"{decimal(point[0])} {decimal(self.height - point[1])}"


def _text(text: str) -> str:
    return f"{len(text.encode())} -{text}"
