"""One plot as strokes on a page: title, legend, gridlines, the marks, and labels at the ends of curves where they fit.

Strokes know roles, not colours, so one panel serves every theme and every format of figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tracer.diagrams.measure import letters_width
from tracer.diagrams.strokes import Item, Letters, Point, Polygon, Stroke
from tracer.plots.frame import Frame, frame_of, without_place
from tracer.plots.looks import Look, looks_of, speaks_for_itself
from tracer.plots.marks import Area, mark_strokes, sample_strokes
from tracer.plots.record import Curve, Plot

TITLE, LABEL, TICK = 13.0, 11.0, 10.0
"""The sizes of letters, in points."""
SAMPLE = 22.0
"""The length of a sample of a line in the legend."""
APART = 13.0
"""How far the base lines of two labels lie apart at least."""
STRAY = 16.0
"""How far a label may stand from the end of its curve."""
LONGEST = 130.0
"""No label at the end of a curve is longer."""


class Room(NamedTuple):
    """What a panel needs around its area, in points."""

    left: float
    top: float
    right: float
    bottom: float


class Panel:
    """A plot on an area of a size, with what stands around it."""

    def __init__(self, plot: Plot, width: float, height: float) -> None:
        self.plot, self.width, self.height = plot, width, height
        self.frame: Frame = frame_of(plot)
        self.looks = looks_of(plot.marks)
        self.across = self.frame.x.ticks(max(int(width // 45), 2))
        self.up = self.frame.y.ticks(max(int(height // 34), 2))
        self.names = {label: fitted(label, width - SAMPLE - 5, LABEL) for label in self.looks}
        self.x_label = fitted(plot.x.label, width, LABEL)
        self.y_label = fitted(plot.y.label, width, LABEL)
        obvious = speaks_for_itself(plot)
        self.ends = [] if obvious else self._ends()
        named = [look for look in self.looks.values() if look.label]
        self.legend = [] if self.ends or obvious else self._legend(named)
        lost = without_place(plot)
        said = [plot.note, f"{lost} at or below 0 have no place on a log axis." if lost else ""]
        self.note = broken(" ".join(filter(None, said)), width + 20, TICK)
        self.title = broken(plot.title, width + 20, TITLE, bold=True)

    @property
    def room(self) -> Room:
        """What it needs around its area."""
        wide = max((letters_width(text, TICK) for _, text in self.up), default=0.0)
        names = [letters_width(look.label, LABEL) for look, _ in self.ends]
        half = letters_width(self.across[-1][1], TICK) / 2 if self.across else 0.0
        top = 17 * len(self.title) + 16 * len(self.legend) + (15 if self.y_label else 4)
        bottom = 18 + (15 if self.x_label else 0) + 13 * len(self.note) + 3 * bool(self.note)
        return Room(max(wide + 8, 14), top, max(max(names, default=0.0) + 10, half + 2, 8), bottom)

    @property
    def description(self) -> str:
        """What it shows, for who does not see it."""
        names = [label for label in self.looks if label]
        axes = " over ".join(filter(None, [self.plot.y.label, self.plot.x.label]))
        shown = f"{axes}: {', '.join(names)}" if axes and names else axes or ", ".join(names)
        return ". ".join(filter(None, [self.plot.title, shown, self.plot.note]))

    def items(self, left: float, top: float, title: float, key: str) -> list[Item]:
        """What is drawn, the upper left corner of its area being there, and the top of its title there."""
        area = Area(left, top, self.width, self.height)
        items = [Item(f"{key}axes", "figure", (*self._axes(area), *self._words(area, title)))]
        for number, mark in enumerate(self.plot.marks):
            look = self.looks[mark.label]
            strokes = tuple(mark_strokes(mark, look, self.frame, area))
            items.append(Item(f"{key}mark{number}", "shape", strokes, mark.label))
        labels = tuple(self._labels(area))
        return [*items, Item(f"{key}labels", "figure", labels)] if labels else items

    # ----- what stands around the marks

    def _axes(self, area: Area) -> Iterator[Stroke]:
        """Gridlines at the ticks, one through 0 a little stronger, and the axes."""
        for scale, ticks, upright in (
            (self.frame.y, self.up, False),
            (self.frame.x, self.across, True),
        ):
            zero = -1.0 if scale.log else scale.share(0)
            for share, _ in ticks:
                if not -1e-9 <= share <= 1 + 1e-9:
                    continue
                ends = [(share, 0), (share, 1)] if upright else [(0, share), (1, share)]
                strength = 0.7 if abs(share - zero) < 1e-9 else 0.28
                line = tuple(area.at(x, y) for x, y in ends)
                yield Polygon(line, "cluster_edge", width=0.7, open=True, opacity=strength)
        corner = (area.at(0, 1), area.at(0, 0), area.at(1, 0))
        yield Polygon(corner, "gate_edge", width=1.0, open=True)

    def _words(self, area: Area, y: float) -> Iterator[Stroke]:
        top, bottom = area.top, area.top + area.height
        for share, text in self.up:
            room = letters_width(text, TICK)
            yield words(text, (area.left - room - 5, area.at(0, share)[1] + 3.5), TICK, "quiet")
        for share, text in self.across:
            room = letters_width(text, TICK)
            yield words(text, (area.at(share, 0)[0] - room / 2, bottom + 13), TICK, "quiet")
        for line in self.title:
            y += 17
            yield words(line, (area.left, y - 5), TITLE, "ink", bold=True)
        for entries in self.legend:
            y += 16
            x = area.left
            for look, room in entries:
                yield from self._sample(look, x, y - 8)
                yield words(self.names[look.label], (x + SAMPLE + 5, y - 4.5), LABEL, "ink")
                x += room
        if self.y_label:
            yield words(self.y_label, (area.left, top - 6), LABEL, "quiet")
        y = bottom + 15
        if self.x_label:
            y += 15
            room = letters_width(self.x_label, LABEL)
            yield words(self.x_label, (area.left + (area.width - room) / 2, y - 2), LABEL, "quiet")
        for number, line in enumerate(self.note):
            yield words(line, (area.left, y + 3 + 13 * (number + 1) - 2), TICK, "quiet")

    def _sample(self, look: Look, x: float, y: float) -> Iterator[Stroke]:
        """A piece of what marks of a label look like."""
        own = [mark for mark in self.plot.marks if mark.label == look.label]
        lines = [mark for mark in own if isinstance(mark, Curve)] or own
        area = Area(x, y - 4, SAMPLE, 8)
        yield from sample_strokes(lines[0], look, area)

    # ----- labels at the ends of curves

    def _ends(self) -> list[tuple[Look, float]]:
        """Where the labels of the curves stand beside the area, from the top; empty where they would not fit."""
        found: list[tuple[float, Look]] = []
        if any(
            not isinstance(mark, Curve) and mark.label not in self._curved
            for mark in self.plot.marks
        ):
            return []
        for label, look in self.looks.items():
            if not label:
                continue
            ends = [
                self._end(m) for m in self.plot.marks if isinstance(m, Curve) and m.label == label
            ]
            end = ends[-1] if ends else None
            if end is None or letters_width(label, LABEL) > LONGEST:
                return []
            found.append((end, look))
        found.sort(key=lambda one: one[0])
        if APART * len(found) > self.height:
            return []
        placed = spread([y for y, _ in found], APART, self.height)
        if any(abs(y - end) > STRAY for y, (end, _) in zip(placed, found, strict=True)):
            return []
        return [(look, y) for y, (_, look) in zip(placed, found, strict=True)]

    @property
    def _curved(self) -> set[str]:
        return {mark.label for mark in self.plot.marks if isinstance(mark, Curve)}

    def _end(self, mark: Curve) -> float | None:
        """How far below the top of the area a curve ends, if it ends at its right side."""
        x, y = self.frame.x.shares(np.asarray(mark.x)), self.frame.y.shares(np.asarray(mark.y))
        there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if not there.size or x[there[-1]] < 0.97 or not 0 <= y[there[-1]] <= 1:
            return None
        return float((1 - y[there[-1]]) * self.height)

    def _labels(self, area: Area) -> Iterator[Stroke]:
        for look, y in self.ends:
            yield words(
                look.label, (area.left + area.width + 7, area.top + y + 3.8), LABEL, look.colour
            )

    def _legend(self, named: Sequence[Look]) -> list[list[tuple[Look, float]]]:
        """The entries of the legend by row, with the room that each takes."""
        rows: list[list[tuple[Look, float]]] = [[]] if named else []
        for look in named:
            room = SAMPLE + 5 + letters_width(self.names[look.label], LABEL) + 16
            if rows[-1] and sum(used for _, used in rows[-1]) + room - 16 > self.width + 20:
                rows.append([])
            rows[-1].append((look, room))
        return rows


def spread(places: Sequence[float], apart: float, room: float) -> list[float]:
    """Rising places moved as little as keeps them apart, within 0 and `room`.

    >>> spread([10.0, 12.0, 50.0], 10, 100)
    [6.0, 16.0, 50.0]
    """
    groups: list[tuple[list[float], float]] = []
    for place in places:
        groups.append(([place], place))
        while True:
            members, _ = groups[-1]
            half = apart * (len(members) - 1) / 2
            middle = min(max(sum(members) / len(members), half), room - half)
            groups[-1] = (members, middle)
            if len(groups) < 2:
                break
            before, centre = groups[-2]
            if centre + apart * (len(before) - 1) / 2 + apart <= middle - half:
                break
            groups[-2:] = [(before + members, 0.0)]
    return [
        middle + apart * (k - (len(members) - 1) / 2)
        for members, middle in groups
        for k in range(len(members))
    ]


def words(text: str, at: Point, size: float, paint: str, *, bold: bool = False) -> Letters:
    """Letters from a place on their base line."""
    return Letters(text, at, letters_width(text, size, bold), paint, size, bold)


def broken(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """A text in lines that fit into a room; a single word that is too long is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters_width(longer, size, bold) <= room:
            lines[-1] = longer
        else:
            lines.append(fitted(word, room, size, bold=bold))
    return lines


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """As much of a text as fits into a room, with a sign that it was cut."""
    if letters_width(text, size, bold) <= room:
        return text
    while text and letters_width(f"{text}…", size, bold) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
