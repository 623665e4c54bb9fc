"""A plot in character cells: a title, a legend, the marks between two axes, and lines whose pieces say what they show.

A cell holds 2 × 4 dots of Braille. Curves are told apart without colour: by dashes, and by a sign on each further one;
where Braille cannot be written, each has a letter. Pure functions of the plot and the number of cells.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from tracer.cells.ascii import in_ascii
from tracer.cells.pieces import Line, Piece
from tracer.cells.widths import cut, one_cell_each
from tracer.plots.cells import Canvas, painted
from tracer.plots.frame import Frame, frame_of, without_place
from tracer.plots.looks import Look, looks_of, speaks_for_itself
from tracer.plots.record import Band, Contours, Histogram, Mark, Plot, Points, Trajectory

LEAST_COLUMNS, LEAST_ROWS = 30, 8
ROOMY = 14
"""A plot of so many rows has rows of their own for the labels of its axes and for its note."""
PLAIN_AXES = str.maketrans("│┤└┬─┈┊", "|+++--|")
BETWEEN = "    "


def lines_of(plot: Plot, columns: int, rows: int, *, braille: bool = True) -> list[Line]:
    """The plot on at most so many cells, `LEAST_COLUMNS` by `LEAST_ROWS` at least."""
    columns, rows = max(columns, LEAST_COLUMNS), max(rows, LEAST_ROWS)
    looks = looks_of(plot.marks)
    head = _titles(plot, columns, roomy=rows >= ROOMY)
    head += legend(plot, columns, max(rows // 5, 1), looks, braille=braille)
    foot = _said_below(plot, columns) if rows >= ROOMY else []
    named = rows >= ROOMY and bool(plot.x.label)
    high = max(rows - len(head) - len(foot) - 2 - named, 3)
    frame = frame_of(plot)
    body = _framed(plot, frame, columns, high, looks, braille)
    lines = [*head, *body, *foot]
    return lines if braille else [_plain(line) for line in lines]


def grid_of(plots: Sequence[Plot], columns: int, *, braille: bool = True) -> list[Line]:
    """Several plots, beside each other where there is room, and below each other."""
    abreast = min(max(columns // 58, 1), len(plots))
    wide = (columns - 3 * (abreast - 1)) // abreast
    high = min(max(3 * wide // 10, 14), 20)
    blocks = [lines_of(plot, wide, high, braille=braille) for plot in plots]
    lines: list[Line] = []
    for k in range(0, len(blocks), abreast):
        lines += [()] * bool(lines)
        for beside in zip_longest(*blocks[k : k + abreast], fillvalue=()):
            row: list[Piece] = []
            for place, line in enumerate(beside):
                room = place * (wide + 3) - sum(len(piece.text) for piece in row)
                row += [Piece(" " * room), *line]
            lines.append(tuple(row))
    return lines


def legend(
    plot: Plot, columns: int, rows: int, looks: dict[str, Look], *, braille: bool
) -> list[Line]:
    """A sample of every mark with its name, on so many rows at most; what has no room is counted."""
    named = [look for look in looks.values() if look.label]
    if speaks_for_itself(plot):
        return []
    lines: list[list[Piece]] = [[]]
    for number, look in enumerate(named):
        kinds = [mark for mark in plot.marks if mark.label == look.label]
        sample = sample_of(kinds, look) if braille else look.letter * 4
        label = cut(one_cell_each(look.label), columns - len(sample) - 2)
        entry = [Piece(sample, look.colour), Piece(f" {label}")]
        used = sum(len(piece.text) for piece in lines[-1])
        if used and used + len(BETWEEN) + sum(len(piece.text) for piece in entry) > columns:
            if len(lines) == rows:
                rest = f" +{len(named) - number}"
                while sum(len(piece.text) for piece in lines[-1]) + len(rest) > columns:
                    lines[-1].pop()
                lines[-1].append(Piece(rest, "faint"))
                break
            lines.append([])
        lines[-1] += [Piece(BETWEEN), *entry] if lines[-1] else entry
    return [tuple(line) for line in lines if line]


def sample_of(marks: Sequence[Mark], look: Look) -> str:
    """What marks of one label look like, in a few cells."""
    for mark in marks:
        if isinstance(mark, Points):
            return look.sign if look.sign != " " else "•"
        if isinstance(mark, Trajectory):
            return f"S⠤{look.sign if look.sign != ' ' else '⠤'}⠤E"
        if isinstance(mark, Histogram):
            return "▁ ▁ ▁" if look.dashed else "▄▄▄▄" if look.sign == " " else f"▁{look.sign}▁▁"
        if isinstance(mark, Contours):
            return "⠄⠄⠄⠄"
        if not isinstance(mark, Band):
            line = "⠤ ⠤ ⠤" if look.dashed else "⠤⠤⠤⠤"
            return line if look.sign == " " else line[:2] + look.sign + line[3:]
    return "⢄⠑⢄⠑"


def _titles(plot: Plot, columns: int, *, roomy: bool) -> list[Line]:
    title, label = (one_cell_each(text) for text in (plot.title, plot.y.label))
    lines: list[Line] = [(Piece(cut(title, columns), "name"),)] if title else []
    if not label:
        return lines
    if not roomy and title and len(title) + len(label) + len(BETWEEN) <= columns:
        return [(Piece(title, "name"), Piece(BETWEEN), Piece(label, "faint"))]
    return [*lines, (Piece(cut(label, columns), "faint"),)] if roomy or not title else lines


def _said_below(plot: Plot, columns: int) -> list[Line]:
    lost = without_place(plot)
    said = [plot.note, f"{lost} at or below 0 have no place on a log axis." if lost else ""]
    text = one_cell_each(" ".join(filter(None, said)))
    return [(Piece(line, "faint"),) for line in textwrap.wrap(text, columns)]


def _framed(
    plot: Plot, frame: Frame, columns: int, rows: int, looks: dict[str, Look], braille: bool
) -> list[Line]:
    """The marks with both axes, their numbers, and the label of the first one if it has a row of its own."""
    ticks = {
        _row(share, rows): text
        for share, text in frame.y.ticks(max(rows // 3, 2))
        if -1e-9 <= share <= 1 + 1e-9
    }
    wide = max(map(len, ticks.values()), default=0)
    across = columns - wide - 2
    canvas = Canvas(across, rows)
    painted(canvas, plot, frame, looks, braille=braille)
    empty = _zeros(frame, across, rows)
    lines: list[Line] = []
    for row in range(rows):
        text = ticks.get(row, "")
        axis = Piece(f"{text:>{wide}} " + ("┤" if text else "│"), "faint")
        lines.append((axis, *canvas.pieces(row, empty[row], braille=braille)))
    return lines + _abscissas(plot, frame, across, wide, roomy=rows >= ROOMY // 2)


def _row(share: float, rows: int) -> int:
    """The row of cells at a height, counted from above: the outermost dots are the ends of the frame."""
    return round((1 - min(max(share, 0), 1)) * (4 * rows - 1)) // 4


def _zeros(frame: Frame, columns: int, rows: int) -> list[str]:
    """What stands where no mark is: thin lines through 0."""
    x, y = (-1.0 if scale.log else scale.share(0) for scale in frame)
    across = ("┈" if row == _row(y, rows) and 0 < y < 1 else " " for row in range(rows))
    at = min(int(x * columns), columns - 1)
    return [
        line[:at] + "┊" + line[at + 1 :] if 0 < x < 1 else line
        for line in (sign * columns for sign in across)
    ]


def _abscissas(plot: Plot, frame: Frame, columns: int, wide: int, *, roomy: bool) -> list[Line]:
    """The axis at the bottom, its numbers centred below (a minus sign does not count for the centre), and its label."""
    axis, margin = ["─"] * columns, wide + 2
    below = ""
    for share, text in frame.x.ticks(max(columns // 8, 2)):
        at = min(int(share * columns), columns - 1)
        signs = text.startswith("−")
        start = max(margin + at - (len(text) - signs) // 2 - signs, 0)
        start = min(start, margin + columns - len(text))
        if start >= len(below) + bool(below) and -1e-9 <= share <= 1 + 1e-9:
            axis[at] = "┬"
            below += " " * (start - len(below)) + text
    label = one_cell_each(plot.x.label)
    lines: list[Line] = [(Piece(" " * (margin - 1) + "└" + "".join(axis), "faint"),)]
    if label and not roomy and len(below) + len(label) + 2 <= margin + columns:
        below, label = f"{below}  {label}", ""
    lines.append((Piece(below, "faint"),))
    if label and roomy:
        shown = cut(label, columns)
        lines.append((Piece(" " * (margin + (columns - len(shown)) // 2) + shown, "faint"),))
    return lines


def _plain(line: Line) -> Line:
    return tuple(Piece(in_ascii(text.translate(PLAIN_AXES)), shows) for text, shows in line)
