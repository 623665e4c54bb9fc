"""The table of a report: a row for each line or input, and of a wrong one its worst elements."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tracer.cells.paper import Paper
from tracer.cells.pieces import Line, Piece
from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tracer.cells.widths import fit, width
from tracer.checking.certified.certificate import NONFINITE
from tracer.checking.judge import DISAGREE, INSIDE_KINK, judge
from tracer.checking.pages.figures import apart, digits_of, shown_elements
from tracer.checking.pages.remarks import below, prose
from tracer.checking.pages.words import cure_of, name_of
from tracer.checking.report import KINK, Element, Report, Row, certified
from tracer.format import MINUS, number, shape

WORST = 3
"""So many elements of a wrong row are shown."""
PLENTY = 10
"""Digits of the numbers of a row that is right, at most."""
INKS = {RIGHT: "right", WRONG: "wrong", OPEN: "open"}
MANY = 24
"""In a table of more rows, those that are right are folded where many stand in a row."""
ENDS = 3
"""How many rows stay at either end of a fold."""


class Room(NamedTuple):
    """How much of each thing is shown: digits of numbers, of certified ones, and letters of a name."""

    digits: int
    sharp: int
    name: int = 26


ROOMS = (
    *(Room(digits, 16) for digits in (10, 8, 7, 6)),
    *(Room(6, sharp) for sharp in (14, 13, 12, 11, 9)),
    Room(6, 9, 16),
    Room(5, 6, 12),
    Room(5, 6, 9),
)
"""From the widest table to the narrowest."""


class Layout(NamedTuple):
    """What is shown, how many elements of a wrong row, and the width of each column."""

    room: Room
    most: int
    widths: tuple[int, ...]

    @property
    def wide(self) -> int:
        """How many cells a line takes."""
        return 1 + sum(self.widths) + sum(GAPS[: len(self.widths) - 1])


class Cell(NamedTuple):
    """What stands in a column: pieces, in order."""

    pieces: tuple[Piece, ...]

    def width_in(self, paper: Paper) -> int:
        """How many cells of the paper it takes."""
        return sum(width(paper.spell(piece.text)) for piece in self.pieces)


GAPS = (2, 2, 1, 2, 2, 2)
"""Blanks between the columns: numbers bring one more of their own, where a minus may stand."""


def table(
    report: Report, paper: Paper, written: Sequence[str], *, few: bool = False
) -> Iterator[Line]:
    """The lines of the table. written: the lines of the derivation, for what mends them; few: one element a row."""
    most = 1 if few else WORST
    tried = [_layout(report, paper, room, most) for room in ROOMS]
    layout = next((each for each in tried if each.wide <= paper.columns), tried[-1])
    yield _line(_heading(report), layout, paper)
    folded, said = 0, ""
    told: set[str] = set()
    for row, hidden in zip(report.rows, _hidden(report.rows), strict=True):
        if hidden:
            folded += 1
            continue
        if folded:
            yield (Piece(f"      … {folded} more {report.noun}s that are right", "faint"),)
            folded = 0
        elements = _elements(row, layout.most)
        for k, element in enumerate(elements):
            cells = _cells(row, element, report, layout.room, first=not k)
            yield _line(cells, layout, paper)
        yield from below(row, report, len(elements), paper, written, told)
        if row.vacuous != said:
            said = row.vacuous
            yield from prose(cure_of(row), "open", paper)


def _hidden(rows: Sequence[Row]) -> list[bool]:
    """Which rows are folded away: in a long table, the inner ones of a long run of right ones."""
    hidden = [False] * len(rows)
    start = 0
    for k in range(len(rows) + 1):
        if k < len(rows) and rows[k].sign == RIGHT and not rows[k].causes:
            continue
        if len(rows) > MANY and k - start > 2 * ENDS + 1:
            hidden[start + ENDS : k - ENDS] = [True] * (k - start - 2 * ENDS)
        start = k + 1
    return hidden


# ----- columns


def _heading(report: Report) -> list[Cell]:
    first = ["line", "gradient"] if report.noun == "line" else ["", report.noun]
    by_hand = ["by hand"] if _by_hand(report) else []
    ours = "backward" if report.noun == "argument" else "automatic"
    numbers = [f" {word}" for word in (*by_hand, ours, "certified")]  # where a minus may stand
    return [Cell((Piece(word, "faint"),)) for word in (*first, "shape", *numbers)]


def _by_hand(report: Report) -> bool:
    """Whether there is a column of what was derived by hand."""
    return report.noun in ("line", "gradient")


def _layout(report: Report, paper: Paper, room: Room, most: int) -> Layout:
    """The widths that so much needs. most: elements of a wrong row."""
    rows = [_heading(report)]
    for row in report.rows:
        rows += [_cells(row, e, report, room) for e in _elements(row, most)]
    spelled = [[cell.width_in(paper) for cell in row] for row in rows]
    widths = tuple(max(column) for column in zip(*spelled, strict=True))
    return Layout(room, most, widths)


def _line(cells: Sequence[Cell], layout: Layout, paper: Paper) -> Line:
    pieces = [Piece(" ")]
    for cell, wide, gap in zip(cells, layout.widths, GAPS, strict=False):
        spelled = [Piece(paper.spell(piece.text), piece.shows) for piece in cell.pieces]
        blank = wide - sum(width(piece.text) for piece in spelled)
        pieces += [*spelled, Piece(" " * (blank + gap))]
    return tuple(pieces)


def _elements(row: Row, most: int) -> list[Element | None]:
    """The elements that are shown of a row: the worst; of a wrong one, the worst few."""
    worst = row.worst
    if worst is None:
        return [None]
    if row.sign == WRONG and not row.inherited and row.count(DISAGREE):
        return list(shown_elements(row.elements, DISAGREE, most))
    if row.outcome == KINK:
        at_kinks = [e for e in row.elements if e.reason.startswith(INSIDE_KINK)]
        return [*at_kinks[:most]] or [worst]
    return [worst]


def _cells(
    row: Row, element: Element | None, report: Report, room: Room, *, first: bool = True
) -> list[Cell]:
    """A line of the table: of a row, or below it of another of its elements."""
    mark = row.sign
    quiet = "faint" if row.inherited else ""
    name = fit(name_of(row), room.name)
    head = [Piece(mark, INKS[mark])] if first else []
    if report.noun == "line" and first:
        head.append(Piece(f" {row.line:>2}", "faint"))
    where = "" if element is None else element.where.replace("direction", "along direction")
    ink = quiet or ("wrong" if mark == WRONG else "")
    judgeable = row.elements or row.node >= 0 or row.shape or not row.line
    shown = Piece(name, ink) if first else Piece(" " * width(name))
    cells = [
        Cell(tuple(head)),
        Cell((shown, Piece(f" {where}" if where else "", "faint"))),
        Cell((Piece(shape(row.shape) if first and judgeable else "", "faint"),)),
    ]
    if element is None:
        return [*cells, *[Cell((Piece(" —", "faint"),))] * (3 if _by_hand(report) else 2)]
    if row.vacuous:
        room = room._replace(digits=2)  # of a zero there is but rounding
    many = min(digits_of(element, room.sharp) if mark == WRONG else PLENTY, room.digits)
    if _by_hand(report):
        cells.append(_number(element.hand, element, many, mark, quiet))
    cells.append(_number(element.automatic, element, many, mark, quiet))
    return [*cells, _certified(row, element, room.sharp, quiet)]


def _number(x: float, element: Element, digits: int, mark: str, quiet: str) -> Cell:
    """A number; in a wrong row, with the digits marked that the certified one does not have."""
    if math.isnan(x):
        lost = element.numerical.status == NONFINITE
        return Cell((Piece(" nan" if lost else " none", "faint"),))
    slope = element.numerical
    digits = min(digits, 2) if abs(x) <= slope.bound else digits  # nothing of it is known
    wrong = mark == WRONG and judge(x, slope)[0] == DISAGREE
    if wrong and slope.differentiable and math.isfinite(slope.value):
        same, differing = apart(x, slope.value, digits)
    else:
        same, differing = (
            ("", number(x, digits))
            if wrong
            else (number(x, digits, zeros=not float(x).is_integer()), "")
        )
    return Cell(
        (Piece(_room(same + differing) + same, quiet), Piece(differing, quiet or "differs"))
    )


def _certified(row: Row, element: Element, sharp: int, quiet: str) -> Cell:
    """A certified number, and its bound quietly behind; in words where it is the rounding of a zero."""
    if row.vacuous and element.numerical.value:
        return Cell((Piece(" 0 but for rounding", quiet),))
    value, sign, bound = certified(element.numerical, sharp).partition(" ± ")
    return Cell((Piece(_room(value) + value, quiet), Piece(sign + bound, "faint")))


def _room(text: str) -> str:
    """The blank where the minus of a number would stand."""
    return "" if text.startswith(MINUS) else " "
