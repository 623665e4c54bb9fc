"""A picture as an SVG: papers, frames and blocks as areas, words as text that is held to the width of its cells.

The bytes depend on the picture alone, and no font has to be there: any fixed-width one will do.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from rich.cells import cell_len

from tui.recorder.glyphs import HEIGHT, WIDTH, Box, merged, shape
from tui.recorder.picture import Pen, Picture, Stretch

MARGIN = 8
"""Units around the screen."""
BAR = 26
"""Height of the bar above the screen."""
BASELINE = 12
"""Where in a cell the letters stand."""
FONT = "font:13.3px 'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"
_WORDS = re.compile(r"\S+(?: \S+)*")


class Colours(NamedTuple):
    """Of what stands around the screen: words, edges and caps, words that matter."""

    quiet: str
    edge: str
    front: str


def colours(picture: Picture) -> Colours:
    """The colours around a picture, dark or light as it is."""
    if picture.dark:
        return Colours("#8696ab", "#2a3442", "#d7dee8")
    return Colours("#66758a", "#c3cbd6", "#1c2430")


def svg(picture: Picture, title: str = "gradstep") -> str:
    """The picture, in a frame with a title."""
    return document(picture, title, drawn(picture.stretches, picture.ground))


def document(
    picture: Picture,
    title: str,
    body: Iterable[str],
    *,
    style: str = "",
    around: str = "",
    below: int = 0,
) -> str:
    """An SVG file around what is drawn of a screen of this size.

    around: what else is drawn, in the coordinates of the file. below: units that this needs below the screen.
    """
    width, height = size_of(picture)
    height += below
    name, shades = escape(title), colours(picture)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{name}</title>
<style>text{{{FONT};white-space:pre}}.b{{font-weight:bold}}.i{{font-style:italic}}.u{{text-decoration:underline}}{style}
</style>
<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="7" fill="{picture.ground}" stroke="{shades.edge}"/>
<text x="{MARGIN + WIDTH}" y="17.5" fill="{shades.quiet}">{name}</text>
{around}<g transform="translate({MARGIN} {BAR})">
{chr(10).join(body)}
</g>
</svg>
"""


def size_of(picture: Picture) -> tuple[int, int]:
    """Width and height of the SVG of a picture."""
    return picture.width * WIDTH + 2 * MARGIN, picture.height * HEIGHT + BAR + MARGIN


def drawn(stretches: Iterable[Stretch], ground: str) -> list[str]:
    """The elements of some stretches: papers first, then areas of ink, then words; the same colour in one element."""
    papers: dict[str, list[Box]] = defaultdict(list)
    areas: dict[tuple[str, float], list[Box]] = defaultdict(list)
    outlines: dict[str, list[str]] = defaultdict(list)
    words: list[str] = []
    for stretch in stretches:
        x, y, text, pen = stretch
        if pen.paper != ground:
            papers[pen.paper].append(Box(x * WIDTH, y * HEIGHT, cell_len(text) * WIDTH, HEIGHT))
        letters = []
        for n, character in enumerate(text):
            found = shape(character) if character > "\x7f" else None
            if found is None:
                letters.append(character)
                continue
            letters.append(" ")
            left, top = (x + cell_len(text[:n])) * WIDTH, y * HEIGHT
            areas[pen.ink, found.cover] += (
                Box(b.x + left, b.y + top, b.w, b.h) for b in found.boxes
            )
            if found.outline:
                outlines[pen.ink].append(f"M{left} {top}{found.outline}")
        words += written(x, y, "".join(letters), pen)
    lines = [path(color, merged(boxes)) for color, boxes in papers.items()]
    lines += [path(color, merged(boxes), cover) for (color, cover), boxes in areas.items() if boxes]
    lines += [f'<path fill="{color}" d="{"".join(found)}"/>' for color, found in outlines.items()]
    return lines + words


def path(color: str, boxes: Iterable[Box], cover: float = 1.0) -> str:
    """Boxes of one colour."""
    inside = "".join(f"M{b.x:g} {b.y:g}h{b.w:g}v{b.h:g}h{-b.w:g}z" for b in boxes)
    opacity = f' opacity="{cover:g}"' if cover != 1 else ""
    return f'<path fill="{color}"{opacity} d="{inside}"/>'


def written(x: int, y: int, text: str, pen: Pen) -> Iterable[str]:
    """The words of a line; where a character may come from another font, each has its own place."""
    style = "".join(mark for mark, on in zip("biu", pen[2:], strict=True) if on)
    style = f' class="{" ".join(style)}"' if style else ""
    for word in _WORDS.finditer(text):
        chunk = word.group()
        start = x + cell_len(text[: word.start()])
        if chunk.isascii():
            place = f'x="{start * WIDTH}" textLength="{len(chunk) * WIDTH}"'
        else:
            columns = [
                start + cell_len(chunk[: n + 1]) - max(1, cell_len(c)) for n, c in enumerate(chunk)
            ]
            place = f'x="{" ".join(str(column * WIDTH) for column in columns)}"'
        yield (
            f'<text {place} y="{y * HEIGHT + BASELINE}" fill="{pen.ink}"{style}>{escape(chunk)}</text>'
        )
