"""How the marks of a plot are told apart: a colour, and with it dashes and signs, for who sees no colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracer.plots.record import Contours, Curve, Histogram, Mark, Plot

COLOURS = ("parameter", "route0", "value", "route1", "route2", "route3", "gradient")
"""The colours of the marks of a plot, in turn: roles of the palettes of figures."""
SIGNS = " ●■▲◆○□△◇"
"""The signs that stand on curves of one kind, in turn; the first bears none."""
LETTERS = "*o+x#@%&="
"""What curves are drawn with where there is nothing but ASCII, in turn."""


class Look(NamedTuple):
    """What marks of one label look like."""

    colour: str
    sign: str
    letter: str
    dashed: bool
    label: str


def looks_of(marks: Sequence[Mark]) -> dict[str, Look]:
    """How marks look, by label, in the order of the legend.

    >>> both = [Curve("f", [0], [0], shows="value"), Curve("f'", [0], [0], dashed=True, shows="gradient")]
    >>> [(look.colour, look.sign, look.dashed) for look in looks_of(both).values()]
    [('value', ' ', False), ('gradient', ' ', True)]
    """
    looks: dict[str, Look] = {}
    taken = {mark.shows for mark in marks if isinstance(mark, (Curve, Histogram)) and mark.shows}
    free = [colour for colour in COLOURS if colour not in taken]
    bars = {mark.label for mark in marks if isinstance(mark, Histogram)}
    surfaces = [mark for mark in marks if isinstance(mark, Contours)]
    for label in dict.fromkeys(mark.label for mark in marks if mark not in surfaces):
        own = [mark for mark in marks if mark.label == label]
        dashed = any(isinstance(mark, Curve) and mark.dashed for mark in own)
        if isinstance(own[0], Histogram):
            dashed = sum(look.label in bars for look in looks.values()) % 2 == 1
        alike = sum(look.dashed == dashed for look in looks.values())
        shows = next((m.shows for m in own if isinstance(m, (Curve, Histogram)) and m.shows), "")
        colour = shows or free[sum(look.colour in free for look in looks.values()) % len(free)]
        letter = LETTERS[len(looks) % len(LETTERS)]
        looks[label] = Look(colour, SIGNS[alike % len(SIGNS)], letter, dashed, label)
    ground = {mark.label: Look("faint", " ", ".", False, mark.label) for mark in surfaces}
    return ground | looks


def speaks_for_itself(plot: Plot) -> bool:
    """Whether it needs no legend: one mark, named as the plot or its axis, or bars under a title."""
    labels = {mark.label for mark in plot.marks} - {""}
    if len(labels) != 1:
        return False
    titled = bool(plot.title) and all(isinstance(mark, Histogram) for mark in plot.marks)
    return titled or labels <= {plot.title, plot.y.label}
