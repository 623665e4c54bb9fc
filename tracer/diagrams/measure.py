"""How wide and how high a text is in points, by the widths of Arial: every format keeps the same room."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from math import ceil

from tracer.diagrams.advances import ADVANCES
from tracer.diagrams.picture import Text

_WIDTHS = {letter: (regular, bold) for regular, bold, letters in ADVANCES for letter in letters}
_ANY, _WIDE = (620, 680), (1250, 1250)
LOWERED = 1 / 1.2
"""Graphviz draws a subscript smaller than its size says, and so do we."""
ASCENT, DESCENT, CAPITALS, SMALL_LETTERS = 0.905, 0.212, 0.738, 0.528
"""Of Arial, in ems: from the base line up to the top of a line, down to its bottom, up to brackets, and up to `x`."""
_HANGING = frozenset("gjpqyQ,;()[]{}|@_/\\$ηρβγμφχψξζ⟨⟩")
_LOW = frozenset("acegmnopqrsuvwxyz.,:;-−–·~=+×÷…αγεηικμνοπρσςτυχω→← ")
_PIXEL = 0.75


BACKSLASH = "∖"
"""What stands for a backslash. Graphviz expands `\\N`, and how often it reads a doubled one depends on its version."""
WIDER = 0.36
"""How much wider than a backslash that is, in ems."""


def text_width(text: Text) -> float:
    """The width of one line in points, without kerning.

    >>> from tracer.diagrams.picture import Run
    >>> round(text_width((Run("0.73", size=13),)), 2), round(text_width((Run("0.73", size=13, bold=True),)), 2)
    (25.3, 25.3)
    """
    return sum(
        letters_width(run.text, _size(run.size, run.lowered), run.bold)
        + run.text.count("\\") * WIDER * run.size
        for run in text
    )


def letters_width(text: str, size: float, bold: bool = False) -> float:
    """The width of letters of one size in points.

    >>> letters_width("W", 10), letters_width("i", 10, bold=True), letters_width("", 10)
    (9.44, 2.78, 0.0)
    """
    return _ems(text, bold) * size / 1000


def letters_reach(text: str, size: float) -> tuple[float, float]:
    """How far the ink of letters reaches above their base line, and how far below, in points.

    >>> letters_reach("xy", 10), letters_reach("0.73", 10)
    ((5.28, 2.12), (7.38, 0.0))
    """
    letters = set(text)
    above = SMALL_LETTERS if letters <= _LOW else CAPITALS
    return above * size, DESCENT * size if letters & _HANGING else 0.0


def room_for(*texts: Text, least: float = 0.0) -> float:
    """The width that holds every one of the texts in whole points.

    Graphviz may move letters to whole pixels of a screen, and then a short text is wider than its letters; the room
    holds that too, or the figure would change its size from step to step.
    """
    return float(ceil(max([least, *map(_widest, texts)]) - 1e-9))


def _widest(text: Text) -> float:
    exact = text_width(text)
    snapped = sum(_snapped(run.text, _size(run.size, run.lowered), run.bold) for run in text)
    return max(exact, snapped)


def _size(size: float, lowered: bool) -> float:
    return size * LOWERED if lowered else size


@lru_cache(1 << 14)
def _ems(text: str, bold: bool) -> int:
    return sum(_advance(letter)[bold] for letter in text)


@lru_cache(1 << 14)
def _snapped(text: str, size: float, bold: bool) -> float:
    pixels = size / _PIXEL
    return ceil(sum(int(_advance(letter)[bold] * pixels / 1000 + 0.5) for letter in text) * _PIXEL)


@lru_cache(1 << 12)
def _advance(letter: str) -> tuple[int, int]:
    """The widths of a letter; one that is not in the table is guessed, rather too wide."""
    known = _WIDTHS.get(letter)
    if known is not None:
        return known
    if unicodedata.category(letter) in ("Mn", "Me", "Cf", "Cc"):
        return 0, 0  # it stands on the letter before it, or is not seen
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" else _ANY
