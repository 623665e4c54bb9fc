"""What a command prints: lines of pieces that say what they show, and how the terminal at hand shows them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import NamedTuple, TextIO

from tracer.cells.paper import wrapped as wrapped
from tracer.cells.pieces import Line as Line
from tracer.cells.pieces import Piece as Piece
from tracer.cells.pieces import text_of as text_of
from tracer.format import printable
from tui.plain import stand_ins

COLOURS: Mapping[str, str] = {
    "value": "32", "gradient": "31", "faint": "2", "name": "1",
    "pass": "1;7;32", "fail": "1;7;31", "doubt": "1;7;33",
    "right": "32", "wrong": "1;31", "open": "1;33", "differs": "1;4;31",
    "minus": "31", "taken": "1;4;31", "plus": "32", "added": "1;4;32",
    "parameter": "36", "route0": "33", "route1": "35", "route2": "94", "route3": "93",
}  # fmt: skip
"""What a piece shows, and how a terminal paints it: values green and gradients red, as everywhere in Gradstep; outcomes
on a ground of their colour, what differs underlined too. Parameters and routes are curves of a plot."""


class Terminal(NamedTuple):
    """What can be printed: how many columns, whether in colours, and whether every sign."""

    columns: int = 80
    colours: bool = False
    signs: bool = True
    """Whether it can write Braille and the signs of mathematics; else a page is laid out in ASCII."""

    def spell(self, text: str) -> str:
        """The text as it will be written, so that what is laid out has its final width."""
        return text if self.signs else stand_ins(text)


def terminal(stream: TextIO | None = None, variables: Mapping[str, str] = os.environ) -> Terminal:
    """The terminal behind stdout, or what a pipe is taken for. NO_COLOR keeps it plain (no-color.org)."""
    stream = sys.stdout if stream is None else stream
    plain = variables.get("NO_COLOR") or variables.get("TERM") == "dumb" or not stream.isatty()
    try:
        "⣿┈″".encode(getattr(stream, "encoding", None) or "utf-8")
        signs = True
    except UnicodeError:
        signs = False
    return Terminal(shutil.get_terminal_size().columns, not plain, signs)


def printed(lines: Iterable[Line], *, colours: bool) -> str:
    r"""The lines as they are written to a terminal.

    >>> printed([(Piece("f", "value"), Piece(" 1"))], colours=True)
    '\x1b[32mf\x1b[0m 1'
    """
    lines = [tuple(Piece(_shown(piece.text), piece.shows) for piece in line) for line in lines]
    if not colours:
        return "\n".join(map(text_of, lines))
    return "\n".join("".join(map(_painted, line)) for line in lines)


def _shown(text: str) -> str:
    """What a piece says, without what a terminal would obey."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def _painted(piece: Piece) -> str:
    colour = COLOURS.get(piece.shows)
    return f"\x1b[{colour}m{piece.text}\x1b[0m" if colour else piece.text


# ----- prose


SOURCE_LINE = 120
"""A docstring breaks its lines here, and is indented: one that could hardly have taken the next word goes on below."""


def reflowed(doc: str, columns: int) -> list[str]:
    """A docstring set for so many columns: a line that was broken because it was full is joined with the next."""
    lines = doc.splitlines()
    joined: list[str] = []
    full = False
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        if full:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
        word = below.partition(" ")[0]
        full = bool(word) and len(line) + len(word) > SOURCE_LINE - 8
    return [part for line in joined for part in (wrapped(line, columns) or [""])]
