"""What part of the plane a plot shows: the ends of its axes, found from its marks where none are given."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from tracer.plots.record import (
    Array,
    Axis,
    Band,
    Contours,
    Curve,
    Histogram,
    Mark,
    Plot,
    Points,
    Trajectory,
)
from tracer.plots.ticks import labels, log_ticks, nice

Side = Literal["x", "y"]

LARGEST = 1e300
"""Numbers beyond this are drawn there, so that no length of an axis overflows."""
MARGIN = 0.05
"""What is left free beyond the outermost numbers, as a share of what they span."""
NEAR_ZERO = 0.25
"""Numbers above 0 whose least is no larger than this share of the largest are shown together with 0."""


class Scale(NamedTuple):
    """An axis with its ends, which are finite and apart."""

    low: float
    high: float
    log: bool = False

    def shares(self, numbers: Array) -> Array:
        """Where numbers stand, 0 at the low end and 1 at the high one; NaN for what has no place on the axis."""
        low, high = self.low, self.high
        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                numbers = np.where(numbers > 0, np.log10(numbers), np.nan)
            low, high = math.log10(low), math.log10(high)
        numbers = np.where(np.isfinite(numbers), np.clip(numbers, -LARGEST, LARGEST), np.nan)
        shares: Array = (numbers - low) / (high - low)
        return shares

    def share(self, number: float) -> float:
        """Where one number stands."""
        return float(self.shares(np.array(number)))

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Round numbers on the axis, at most so many and a few: where they stand, and how they are written."""
        found = (log_ticks if self.log else nice)(self.low, self.high, most)
        return list(zip(map(self.share, found), labels(found), strict=True))


class Frame(NamedTuple):
    """Both axes of a plot."""

    x: Scale
    y: Scale


def frame_of(plot: Plot) -> Frame:
    """The axes of a plot as they are given, else as far as its marks reach; a surface of contours says it all.

    Curves go from side to side, bars stand on the ground, and elsewhere a margin is left.

    >>> from tracer.plots import Curve
    >>> frame_of(Plot("", [Curve("loss", [1, 100], [0.1, 2.0])])).y
    Scale(low=0.0, high=2.1, log=False)
    """
    surfaces = [mark for mark in plot.marks if isinstance(mark, Contours)]
    marks = surfaces or plot.marks
    tight = not all(isinstance(mark, (Points, Trajectory)) for mark in marks)
    bars = any(isinstance(mark, Histogram) for mark in marks)
    return Frame(
        _scale(plot.x, _reach(marks, "x"), (tight, tight)),
        _scale(plot.y, _reach(marks, "y"), (bars or bool(surfaces), bool(surfaces))),
    )


def unit_of(mark: Curve | Points | Trajectory, frame: Frame) -> Array:
    """The points of a mark in the unit square of a frame. Returns: float (points, 2).

    A path that leaves the frame by more than the frame's own size has run away, and is not followed further.
    """
    x, y = frame.x.shares(np.asarray(mark.x)), frame.y.shares(np.asarray(mark.y))
    unit: Array = np.stack([x, y], axis=1)
    away = np.flatnonzero((np.abs(unit - 0.5) > 1.5).any(axis=1))
    if isinstance(mark, Trajectory) and away.size:
        return unit[: away[0] + 1]
    return unit


def outline(mark: Histogram, frame: Frame) -> Array:
    """The steps of a histogram, from the ground to the ground. Returns: float (points, 2) of the unit square."""
    x = np.repeat(frame.x.shares(np.asarray(mark.edges)), 2)
    heights = np.nan_to_num(frame.y.shares(np.asarray(mark.counts)), nan=0.0)
    return np.stack([x, np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])], axis=1)


def without_place(plot: Plot) -> int:
    """How many numbers have no place on a log axis, because they are not above 0."""
    points = [mark for mark in plot.marks if not isinstance(mark, Histogram)]
    sides: tuple[tuple[Axis, Side], ...] = ((plot.x, "x"), (plot.y, "y"))
    return sum(
        int((_reach(points, side) <= 0).sum()) for axis, side in sides if axis.scale == "log"
    )


def _reach(marks: Iterable[Mark], side: Side) -> Array:
    """All finite numbers of marks along one axis."""
    found: list[Array] = [np.empty(0)]
    for mark in marks:
        if isinstance(mark, Histogram):
            found.append(np.asarray(mark.edges if side == "x" else [0.0, *np.asarray(mark.counts)]))
        elif isinstance(mark, Band) and side == "y":
            found += [np.asarray(mark.low), np.asarray(mark.high)]
        else:
            found.append(np.asarray(mark.x if side == "x" else mark.y))  # type: ignore[union-attr]
    numbers: Array = np.concatenate(found)
    return numbers[np.isfinite(numbers)]


def _scale(axis: Axis, numbers: Array, tight: tuple[bool, bool]) -> Scale:
    """An axis as far as numbers reach; `tight` at an end is without a margin."""
    log = axis.scale == "log"
    numbers = np.clip(numbers[numbers > 0] if log else numbers, -LARGEST, LARGEST)
    if not numbers.size:
        numbers = np.array([1.0, 10.0] if log else [0.0, 1.0])
    low, high = float(numbers.min()), float(numbers.max())
    if log:
        low, high = max(math.log10(low), -300), math.log10(high)
    elif 0 < low <= NEAR_ZERO * high and not tight[0]:
        low, tight = 0.0, (True, tight[1])
    if not high - low > 1e-9 * max(
        abs(low), abs(high), 1e-290
    ):  # one number: it stands in the middle
        room = 0.5 if log else 0.5 * abs(low) or 0.5
        low, high = low - room, high + room
    else:
        span = high - low
        low, high = low - MARGIN * span * (not tight[0]), high + MARGIN * span * (not tight[1])
    if log:
        low, high = 10.0**low, 10.0**high
    low, high = (low if axis.low is None else axis.low), (high if axis.high is None else axis.high)
    if not low < high:  # one end is given, and all numbers lie beyond it
        low, high = (low, low + abs(low) + 1) if axis.high is None else (high - abs(high) - 1, high)
        low = max(low, 1e-3 * high) if log else low
    return Scale(low, high, log)
