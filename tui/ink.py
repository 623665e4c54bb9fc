"""What a stretch of text means. Views say it with these words; the theme alone knows colours."""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size


class Kind(IntEnum):
    """What a piece of text shows."""

    BLANK = 0
    WIRE = 1
    TIP = 2
    FRAME = 3
    NAME = 4
    OP = 5
    VALUE = 6
    GRADIENT = 7
    FAINT = 8
    MARK = 9
    FORWARD = 10
    BACKWARD = 11
    WARN = 12
    TEXT = 13
    KEY = 14
    FORWARD_TAG = 15
    BACKWARD_TAG = 16
    UNDERLINE = 17
    CODE = 18


class Look(IntEnum):
    """How a node stands to the position; frames and marks tell it without colour."""

    PLAIN = 0
    AHEAD = 1
    CURRENT = 2
    OPERAND = 3
    REACHED = 4
    SELECTED = 5


def mark_kind(sign: str) -> Kind:
    """The kind of the sign beside a node: ✓ is good news, Δ is news, any other a stop or a fault."""
    return {"✓": Kind.VALUE, "Δ": Kind.KEY, "?": Kind.FAINT}.get(sign, Kind.MARK)


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


def visible(text: str) -> str:
    r"""The text with a sign in place of each control or direction character: names come from anywhere.

    >>> visible("tab\there\u202e")
    'tab␉here�'
    """
    signs = []
    for c in text:
        if ord(c) < 32:
            signs.append(chr(0x2400 + ord(c)))
        else:
            signs.append(c if c.isprintable() or unicodedata.category(c) == "Zs" else "�")
    return "".join(signs)


def one_cell_each(text: str) -> str:
    r"""The text with every character one cell wide: accents are composed or left out, wide characters become a dot.

    >>> one_cell_each("e\u0302 x\u0302 \u7db2 σ")
    'ê x · σ'
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", visible(text))
    return "".join(c if cell_len(c) == 1 else "·" for c in composed if not unicodedata.combining(c))


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
