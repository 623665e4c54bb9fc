"""What the marks beside a name stand for: the derivation of an entry, its plots, and its knobs, a page each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text

from gallery import Entry
from tracer.cells.meanings import Kind
from tracer.cells.pieces import Line as PieceLine
from tracer.errors import in_one_line
from tui.ink import Ink, Line, Span, span
from tui.networks import Network
from tui.screens.help import PageScreen
from tui.showroom.page import derivation, knobs
from tui.theme import Inks

LOWEST, HIGHEST = 10, 22
"""The rows of a plot."""
KINDS = {
    "value": Kind.VALUE, "gradient": Kind.GRADIENT, "faint": Kind.FAINT, "name": Kind.NAME,
    "parameter": Kind.KEY, "route0": Kind.FRAME, "route1": Kind.OP,
}  # fmt: skip
"""What a piece of a plot shows, as the themes know it."""


def _derivation(entry: Entry, width: int) -> list[Line]:
    return derivation(entry)


def _plots(entry: Entry, width: int) -> list[Line]:
    if entry.plots is None:
        return []
    lines: list[Line] = []
    for plot in entry.plots(**entry.settings()):
        lines += [*map(_inked, plot.lines(width, min(max(width // 4, LOWEST), HIGHEST))), ()]
    return [*lines, (span(f"gradstep plot {entry.name} -o FILE.svg writes them", Kind.FAINT),)]


def _inked(line: PieceLine) -> Line:
    return tuple(Span(piece.text, Ink(KINDS.get(piece.shows, Kind.TEXT))) for piece in line)


def _knobs(entry: Entry, width: int) -> list[Line]:
    return knobs(Network(entry), width)


ASPECTS: Mapping[str, tuple[str, Callable[[Entry, int], list[Line]]]] = {
    "d": ("derivation", _derivation),
    "p": ("plots", _plots),
    "=": ("knobs", _knobs),
}
"""By mark: what it is called, and its lines in so many columns."""


class AspectScreen(PageScreen):
    """The page behind a mark of an entry."""

    def __init__(self, inks: Inks, entry: Entry, sign: str) -> None:
        super().__init__(inks)
        called, self._lines_of = ASPECTS[sign]
        self.entry = entry
        self.heading = f"{entry.name}: {called}"

    def text(self, width: int) -> Text:
        """Its lines; whatever an entry does, one can still pick another."""
        try:
            lines = self._lines_of(self.entry, width)
        except Exception as error:
            lines = [(span(in_one_line(error), Kind.WARN),)]
        return self.inked(lines)
