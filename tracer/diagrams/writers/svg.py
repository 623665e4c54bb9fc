"""A drawn figure as SVG: small, the same bytes every time, readable by people and by screen readers.

Strokes know roles, not colours. How a role becomes attributes is the caller's choice: the colours of one palette, or
classes that a style sheet colours by what the reader prefers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise

from tracer.diagrams.layout.drawn import ROLES
from tracer.diagrams.palettes import FONT, Palette
from tracer.diagrams.strokes import Curve, Drawn, Ellipse, Item, Letters, Point, Polygon, Stroke

Painter = Callable[[str, str], str]
"""From the roles that fill and that draw the line, or nothing for none, to attributes with a blank before them."""

FACES = f"{FONT}, Liberation Sans, Helvetica, sans-serif"
DASHES = {"dashed": "5 3", "dotted": "1.2 2.6"}
LOWER = 0.3
"""How far a subscript hangs below the line, in parts of its size."""
NEAR = 1.6
"""Points between two letters that stand in one line of text."""


def painter_of(palette: Palette) -> Painter:
    """Roles as the colours of one palette.

    >>> from tracer.diagrams.palettes import LIGHT
    >>> painter_of(LIGHT)("value", "")
    ' fill="#0B7A3B"'
    """

    def paint(fill: str, line: str) -> str:
        filled = f' fill="{palette.of(fill)}"' if fill else ' fill="none"'
        return filled + (f' stroke="{palette.of(line)}"' if line else "")

    return paint


def by_class(fill: str, line: str) -> str:
    """Roles as classes: `f-gate` fills, `s-wire` draws a line.

    >>> by_class("gate", "wire")
    ' class="f-gate s-wire"'
    """
    words = [f"f-{fill}" if fill else "none", *([f"s-{line}"] if line else [])]
    return f' class="{" ".join(words)}"'


def style_sheet(selector: str, light: Palette, dark: Palette) -> str:
    """Rules for the classes of `by_class` below a selector: light, and dark where the reader prefers that."""
    rules = [f"{selector} .none{{fill:none}}"]
    for role in ROLES:
        rules.append(f"{selector} .f-{role}{{fill:var(--{role})}}")
        rules.append(f"{selector} .s-{role}{{stroke:var(--{role})}}")
    return (
        f"{selector}{{{variables(light)}}}"
        f"@media(prefers-color-scheme:dark){{{selector}{{{variables(dark)}}}}}" + "".join(rules)
    )


def variables(palette: Palette) -> str:
    """A palette as CSS variables, one for each role."""
    return "".join(f"--{role}:{getattr(palette, role)};" for role in ROLES)


def svg_text(
    drawn: Drawn,
    palette: Palette,
    *,
    dark: Palette | None = None,
    title: str = "",
    description: str = "",
) -> str:
    """The figure as an SVG file. With a palette for the dark it follows what the reader prefers.

    title, description: what a screen reader says of it, in a few words and at length.

    The id of the root is made from the content, so that several figures can stand on one page.
    """
    paint = painter_of(palette) if dark is None else by_class
    body = [line for item in drawn.items for line in item_lines(item, paint)]
    size = (drawn.width, drawn.height)
    return page_text(size, body, palette, dark=dark, title=title, description=description)


def page_text(
    size: tuple[float, float],
    lines: Iterable[str],
    palette: Palette,
    *,
    dark: Palette | None = None,
    title: str = "",
    description: str = "",
    rules: Callable[[str], str] = lambda mark: "",
) -> str:
    """The SVG file around what is drawn on a page; `rules` makes more of a style sheet, below the id of the root."""
    paint = painter_of(palette) if dark is None else by_class
    width, height = map(decimal, size)
    body = [f'<rect width="{width}" height="{height}"{paint("paper", "")}/>', *lines]
    mark = mark_of(title, rules(""), *body)
    named = f' aria-labelledby="{mark}-title"' if title else ""
    named += f' aria-describedby="{mark}-desc"' if description else ""
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{mark}" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}" font-family="{FACES}" role="img"{named}>'
    ]
    if title:
        head.append(f'<title id="{mark}-title">{printed(title)}</title>')
    if description:
        head.append(f'<desc id="{mark}-desc">{printed(description)}</desc>')
    style = rules(mark) if dark is None else style_sheet(f"#{mark}", palette, dark) + rules(mark)
    if style:
        head.append(f"<style>{style}</style>")
    return "\n".join([*head, *body, "</svg>", ""])


def mark_of(*content: str) -> str:
    """A name for a piece of content, to begin the ids of a page with.

    >>> mark_of("a") == mark_of("a"), mark_of("a") == mark_of("b")
    (True, False)
    """
    return "g" + hashlib.sha256("\n".join(content).encode()).hexdigest()[:8]


def item_lines(item: Item, paint: Painter) -> Iterator[str]:
    """A shape, an edge or a cluster as a group, with its tip as a title."""
    if not item.strokes:
        return
    yield f'<g class="{item.kind}" data-key="{printed(item.key)}">' + (
        f"<title>{printed(item.tip)}</title>" if item.tip else ""
    )
    yield from stroke_lines(item.strokes, paint)
    yield "</g>"


def stroke_lines(strokes: Iterable[Stroke], paint: Painter) -> Iterator[str]:
    """Strokes as elements; letters that follow each other on a line are one text."""
    line: list[Letters] = []
    for stroke in strokes:
        if isinstance(stroke, Letters):
            if line and not _goes_on(line[-1], stroke):
                yield text_element(line, paint)
                line = []
            line.append(stroke)
            continue
        if line:
            yield text_element(line, paint)
            line = []
        yield _element(stroke, paint)
    if line:
        yield text_element(line, paint)


def _goes_on(before: Letters, after: Letters) -> bool:
    (x, y), (u, v) = before.at, after.at
    return abs(y - v) < 0.5 and abs(x + before.room - u) < NEAR


def _element(stroke: Curve | Polygon | Ellipse, paint: Painter) -> str:
    pen = f' stroke-width="{decimal(stroke.width)}"' if stroke.line and stroke.width != 1 else ""
    dash = f' stroke-dasharray="{DASHES[stroke.dash]}"' if stroke.dash else ""
    look = paint(stroke.fill, stroke.line) + pen + dash
    if isinstance(stroke, Ellipse):
        (x, y), (across, up) = stroke.middle, stroke.radii
        middle = f'cx="{decimal(x)}" cy="{decimal(y)}"'
        if abs(across - up) < 0.01:
            return f'<circle {middle} r="{decimal(across)}"{look}/>'
        return f'<ellipse {middle} rx="{decimal(across)}" ry="{decimal(up)}"{look}/>'
    if isinstance(stroke, Curve):
        return f'<path d="{curve_path(stroke.points)}"{look}/>'
    dense = f' opacity="{decimal(stroke.opacity)}"' if stroke.opacity < 1 else ""
    return f'<path d="{_straight_path(stroke.points, stroke.open)}"{look}{dense}/>'


def curve_path(points: Sequence[Point]) -> str:
    """Cubic curves as the data of a path; pieces that are straight are written as lines, points as nothing.

    >>> curve_path([(0, 0), (0, 0), (9, 0), (9, 0), (9, 5), (12, 5), (15, 5)])
    'M0 0L9 0C9 5 12 5 15 5'
    """
    start = points[0]
    words = [f"M{_pair(start)}"]
    for k in range(1, len(points) - 2, 3):
        first, second, end = points[k : k + 3]
        if first == start and second == end:
            if start != end:
                words.append(f"L{_pair(end)}")
        else:
            words.append(f"C{_pair(first)} {_pair(second)} {_pair(end)}")
        start = end
    return "".join(words) + ("Z" if start == points[0] else "")


def _straight_path(points: Sequence[Point], unclosed: bool) -> str:
    kept = [points[0], *(b for a, b in pairwise(points) if a != b)]
    if len(set(kept)) < 3:
        unclosed, kept = True, list(dict.fromkeys(kept))
    return "M" + "L".join(map(_pair, kept)) + ("" if unclosed else "Z")


def text_element(letters: Sequence[Letters], paint: Painter) -> str:
    """One line of text. Its length is given, so that a reader's fonts may differ and no letter leaves its box."""
    first, last = letters[0], letters[-1]
    length = last.at[0] + last.room - first.at[0]
    exact = (
        f' textLength="{decimal(length)}" lengthAdjust="spacingAndGlyphs"' if length > 12 else ""
    )
    place = f'<text x="{decimal(first.at[0])}" y="{decimal(first.at[1])}"'
    kept = ' xml:space="preserve"' if any(_blanks(one.text) for one in letters) else ""
    if len(letters) == 1 and not first.lowered:
        return f"{place}{_dress(first, paint)}{exact}{kept}>{printed(first.text)}</text>"
    spans, low = [], 0.0
    for one in letters:
        hang = LOWER * one.size if one.lowered else 0.0
        shift = f' dy="{decimal(hang - low)}"' if abs(hang - low) > 0.01 else ""
        spans.append(f"<tspan{shift}{_dress(one, paint)}>{printed(one.text)}</tspan>")
        low = hang
    return f"{place}{exact}{kept}>{''.join(spans)}</text>"


def _blanks(text: str) -> bool:
    return text != " ".join(text.split())


def _dress(one: Letters, paint: Painter) -> str:
    bold = ' font-weight="bold"' if one.bold else ""
    italic = ' font-style="italic"' if one.italic else ""
    return f' font-size="{decimal(one.size)}"{bold}{italic}{paint(one.paint, "")}'


def printed(text: str) -> str:
    """Text that is safe between tags and between quotation marks of XML; a character that XML forbids becomes `�`.

    >>> printed('<b> & "x"')
    '&lt;b&gt; &amp; &quot;x&quot;'
    """
    return escape(_FORBIDDEN.sub("�", text))


_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decimal(number: float) -> str:
    """A length in points, as short as two decimals allow.

    >>> decimal(12.0), decimal(0.5), decimal(-3.14159)
    ('12', '0.5', '-3.14')
    """
    return f"{round(number, 2) + 0.0:.9g}"


def _pair(point: Point) -> str:
    return f"{decimal(point[0])} {decimal(point[1])}"
