"""Where a layout can be cut into rows, what that spoils, and the best places for a number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tracer.diagrams.layout.curves import Path

PAGE = 1250.0
"""Points: in a figure wider than that letters are small on a slide."""
NARROW = 4.0
"""A gap narrower than this is no place for a cut; two frames stand a little further apart."""
MARRED = 0.88, 0.7, 0.95
"""A figure with one more line that is cut, with a frame in two pieces, or with one in two that is wider than a page,
is worth as much as a whole one of this size."""

Box = tuple[float, float, float, float]


class Cut(NamedTuple):
    """Where the layout can be cut, and how many lines, frames, and frames wider than a page this goes through."""

    at: float
    lines: int
    frames: int
    wide: int

    @property
    def worth(self) -> float:
        """What share of its worth the figure keeps; each row has to be joined to the next by one line."""
        line, frame, wide = MARRED
        return float(line ** max(0, self.lines - 1) * frame**self.frames * wide**self.wide)


def cuts_of(
    boxes: Mapping[str, Box], frames: Mapping[str, Box], paths: Sequence[Path]
) -> list[Cut]:
    """The places where the layout can be cut, from left to right."""
    spans = sorted((box[0], box[2]) for box in boxes.values())
    gaps: list[tuple[float, float]] = []
    reach = spans[0][1]
    for left, right in spans:
        if left > reach:
            gaps.append((reach, left))
        reach = max(reach, right)
    rims = sorted({x for box in frames.values() for x in (box[0], box[2])})
    found = []
    for left, right in gaps:
        marks = [left, *(x for x in rims if left < x < right), right]
        for start, end in pairwise(marks):
            at = (start + end) / 2
            crossing = [_crossings(path, at) for path in paths]
            if end - start < NARROW or max(crossing, default=0) > 1:
                continue
            cut = [box[2] - box[0] > PAGE for box in frames.values() if box[0] < at < box[2]]
            found.append(Cut(at, sum(crossing), cut.count(False), cut.count(True)))
    return found


def _crossings(path: Path, at: float) -> int:
    return sum((a[0] < at) != (b[0] < at) for a, b in pairwise(path[::3]))


def chosen(
    cuts: Sequence[Cut], left: float, right: float, rows: int, times: float
) -> tuple[Cut, ...]:
    """Where best to cut into so many rows, none of them wider than so many times the average; nowhere if it cannot be.

    Of equally good ways the one with the narrowest widest row.
    """
    widest = (right - left) / rows * times
    starts = [left, *(cut.at for cut in cuts)]
    # for a row that begins at cut k (the first at the left): less worth is worse, then width, then the cuts before it
    best: dict[int, tuple[float, float, tuple[Cut, ...]]] = {0: (-1.0, 0.0, ())}
    for _ in range(rows - 1):
        new: dict[int, tuple[float, float, tuple[Cut, ...]]] = {}
        for k, cut in enumerate(cuts, 1):
            options = [
                (worth * cut.worth, max(wide, cut.at - starts[j]), (*before, cut))
                for j, (worth, wide, before) in best.items()
                if j < k and cut.at - starts[j] <= widest
            ]
            if options:
                new[k] = min(options)
        best = new
    ends = [
        (worth, max(wide, right - starts[k]), before)
        for k, (worth, wide, before) in best.items()
        if right - starts[k] <= widest
    ]
    return min(ends)[2] if ends else ()
