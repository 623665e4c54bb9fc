"""Lines of text with what each stretch of them means, measured as Textual measures; the theme alone knows colours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rich.cells import cell_len, set_cell_size

from tracer.cells.canvas import Cells
from tracer.cells.meanings import Kind, Look
from tracer.cells.widths import visible


class Ink(NamedTuple):
    """The meaning of a span: its kind, on the ground of a look."""

    kind: Kind
    look: Look = Look.PLAIN


class Heat(NamedTuple):
    """A cell of a heat map: levels of ink and paper, see `tui.heatmap`."""

    ink: int
    paper: int


class Span(NamedTuple):
    """A piece of a line and what it means."""

    text: str
    ink: Ink | Heat = Ink(Kind.TEXT)


Line = tuple[Span, ...]


def span(text: str, kind: Kind = Kind.TEXT, look: Look = Look.PLAIN) -> Span:
    r"""A piece of text of a kind, such as `span("xhat", Kind.NAME)`; what a terminal would obey is made visible.

    >>> span("a\x1b[2J").text
    'a␛[2J'
    """
    return Span(text if text.isprintable() else visible(text), Ink(kind, look))


def spans(cells: Cells, y: int) -> Line:
    """A line of a drawing as runs of one ink."""
    key = cells.kind[y].astype(np.int16) * len(Look) + cells.look[y]
    text = cells.line(y)
    ends = [*(np.flatnonzero(np.diff(key)) + 1).tolist(), len(text)]
    found, start = [], 0
    for end in ends:
        kind, look = divmod(int(key[start]), len(Look)) if end > start else (0, 0)
        found.append(Span(text[start:end], Ink(Kind(kind), Look(look))))
        start = end
    return tuple(found)


def text_of(line: Line) -> str:
    """The characters of a line.

    >>> text_of((span("a "), span("b", Kind.NAME)))
    'a b'
    """
    return "".join(piece.text for piece in line)


def width_of(line: Line) -> int:
    """How many cells a line is wide; an accent takes none, a wide character two."""
    return sum(cell_len(piece.text) for piece in line)


def clip(line: Line, width: int) -> Line:
    """The line, cut to a width with a sign that it was cut.

    >>> text_of(clip((span("upstream"), span(" × local")), 12))
    'upstream × …'
    """
    if width_of(line) <= width:
        return line
    kept, room = [], width - 1
    for piece in line:
        size = cell_len(piece.text)
        if size > room:
            kept.append(Span(set_cell_size(piece.text, room) + "…"[:width], piece.ink))
            break
        kept.append(piece)
        room -= size
    return tuple(kept)


def elide(text: str, width: int) -> str:
    """The text, cut to a width in cells with a sign that it was cut.

    >>> elide("embedding_weight", 8)
    'embeddi…'
    """
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text, elided or filled with blanks to exactly this many cells; `right` puts it to the right.

    >>> pad("net", 5), pad("net", 5, right=True), pad("network", 5)
    ('net  ', '  net', 'netw…')
    """
    text = elide(text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
