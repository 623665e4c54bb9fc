"""Lines of text whose pieces say what they show, so that whoever writes them can choose the colours."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """A few characters and what they show: `value`, `gradient`, `faint` and the like, or nothing in particular."""

    text: str
    shows: str = ""


Line = tuple[Piece, ...]


def text_of(line: Line) -> str:
    """The characters of a line, without the blanks at its end.

    >>> text_of((Piece("a ", "value"), Piece("b  ")))
    'a b'
    """
    return "".join(piece.text for piece in line).rstrip()
