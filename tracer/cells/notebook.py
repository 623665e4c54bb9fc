"""A page of text as a cell of a notebook: in the fixed letters of a terminal, its colours on light and dark grounds."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .pieces import Line, Piece

_GREEN, _RED, _AMBER = "#2e9e5b", "#d9504a", "#b8860b"
STYLES = {
    "name": "font-weight:600",
    "faint": "opacity:.62",
    "pass": f"font-weight:600;color:{_GREEN}",
    "fail": f"font-weight:600;color:{_RED}",
    "doubt": f"font-weight:600;color:{_AMBER}",
    "right": f"color:{_GREEN}",
    "wrong": f"color:{_RED}",
    "open": f"color:{_AMBER}",
    "differs": f"color:{_RED};text-decoration:underline",
    "minus": f"color:{_RED}",
    "taken": f"color:{_RED};text-decoration:underline",
    "plus": f"color:{_GREEN}",
    "added": f"color:{_GREEN};text-decoration:underline",
}
"""What a piece shows, and how a notebook paints it: middle tones, which are read on white and on black."""


def as_html(lines: Iterable[Line]) -> str:
    """The lines as HTML that needs nothing else.

    >>> as_html([(Piece("PASS", "pass"), Piece(" 1 < 2"))]).partition(">")[2]
    '<span style="font-weight:600;color:#2e9e5b">PASS</span> 1 &lt; 2</pre>'
    """
    text = "\n".join("".join(map(_painted, line)).rstrip() for line in lines)
    return f'<pre style="line-height:1.3;white-space:pre;overflow-x:auto">{text}</pre>'


def of_text(text: str) -> str:
    """Plain text as HTML that needs nothing else."""
    return as_html((Piece(line),) for line in text.splitlines())


def _painted(piece: Piece) -> str:
    style = STYLES.get(piece.shows)
    text = escape(piece.text, quote=False)
    return f'<span style="{style}">{text}</span>' if style else text
