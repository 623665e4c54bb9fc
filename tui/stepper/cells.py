"""Numbers in coloured cells: short enough for a cell, with a sign for what has just happened to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.cells.meanings import Kind
from tracer.format import number as number_text
from tui import heatmap
from tui.heatmap import CURSOR, OUTSIDE, Limits
from tui.ink import Heat, Ink, Span

READ, WRITTEN, BOTH, WRONG, CHANGED, UNKNOWN = "→", "←", "↔", "✗", "•", "·"
"""Signs in a cell: read by the step, written, both, the element of a fault; a changed register; no number yet."""
NUMBER = 6
"""Characters of a cell with a number: a sign, and five of the number."""
WIDEST = 9
LONGEST = 11
"""Characters of a whole number that is written out in a cell: those of 32 bits."""


def limits_of(values: Any) -> Limits:
    """The scale of the colours of some numbers; of none, of 1."""
    found = np.asarray(values)
    return heatmap.limits(found) if found.size and found.dtype.kind in "fiub" else Limits(1.0, True)


def level_of(value: Any, limits: Limits) -> int:
    """The colour of a number."""
    return heatmap.levels(np.asarray([value], np.float64), limits.top)[0]


def plain(value: Any) -> Any:
    """A number as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def spelled(value: Any, digits: int) -> str:
    """A number with so many digits; what is none as Python writes it.

    >>> spelled(0.123456, 3), spelled("cas", 3)
    ('0.123', "'cas'")
    """
    try:
        return number_text(plain(value), digits)
    except (TypeError, ValueError):
        return repr(value)


def cell(
    value: Any,
    width: int,
    limits: Limits,
    *,
    sign: str = "",
    chosen: bool = False,
    quiet: bool = False,
    colour: bool = True,
) -> tuple[Span, ...]:
    """A number in a cell of its colour, in brackets if it is chosen.

    Whole numbers that can be written get no colour. Of a cell that is too narrow only the colour and the sign are left;
    without colours a sign says how large the number is.

    sign: what happened to it; it stands before the number. quiet: no colours where the number is written, as of lanes
    that wait.

    >>> [piece.text for piece in cell(0.25, 6, Limits(1.0, True), sign="←")]
    ['←', ' 0.25']
    >>> ["".join(piece.text for piece in cell(-0.25, 6, Limits(1.0, True), sign=sign, chosen=True)) for sign in "✗ "]
    ['✗−0.25', '[−0.2]']
    >>> cell(0.25, 1, Limits(1.0, True), chosen=True)[0].text
    '◆'
    """
    if not isinstance(value, (int, float, np.generic)):
        return (Span(UNKNOWN.rjust(width), Ink(Kind.FAINT)),)
    number = plain(value)
    level = level_of(number, limits)
    paper = level if colour and not (width >= NUMBER and isinstance(number, int)) else OUTSIDE
    faint = quiet and (width >= NUMBER or not colour)
    ink: Ink | Heat = Ink(Kind.FAINT) if faint else Heat(OUTSIDE, paper)
    if chosen:
        ink = Heat(CURSOR, paper)
    if width >= NUMBER:
        sign = sign.strip()
        if chosen and not (sign and colour):  # without colours the brackets alone say which it is
            text, whole = (heatmap.short(number, width - n - len(sign)) for n in (2, 1))
            keeps = len(text) == len(whole) < width - 2  # rather the digits than the brackets
            text = f"[{text}]" if keeps or not sign else whole
            return (Span((sign + text).rjust(width), ink),)
        text = heatmap.short(
            number, width - 2 + (number < 0)
        )  # a minus stands where else a blank does
        if sign:
            return Span(sign, Ink(Kind.KEY)), Span(text.rjust(width - 1), ink)
        return (Span(text.rjust(width), ink),)
    if sign or chosen:
        return (Span((sign or "◆").center(width), ink),)
    whole = heatmap.short(number, width - 1) if width > 1 and isinstance(number, int) else ""
    small = " " if colour else heatmap.sign(level)
    fits = 0 < len(whole) < width
    return (Span(whole.rjust(width) if fits else small.center(width), ink),)
