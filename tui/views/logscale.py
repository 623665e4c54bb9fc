"""Norms on a log scale: bars of one, and all of them at once in a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ops.primitive import Array

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
LEAST_SPAN = 3.0
"""A scale covers so many decades at least, so that rows that are alike look alike."""


class Scale(NamedTuple):
    """The decades between which bars are drawn."""

    low: float
    high: float

    @classmethod
    def of(cls, decades: Sequence[float | None]) -> Scale:
        """A scale that holds all finite ones, of at least three decades, with a little room below the least.

        >>> Scale.of([0.0, -1.5, None, -math.inf]), Scale.of([-9.0, 0.0])
        (Scale(low=-3.0, high=0.0), Scale(low=-9.5625, high=0.0))
        """
        finite = [d for d in decades if d is not None and math.isfinite(d)]
        if not finite:
            return cls(-LEAST_SPAN, 0.0)
        high = max(finite)
        low = min(finite) - (high - min(finite)) / 16
        return cls(min(low, high - LEAST_SPAN), high)

    @property
    def span(self) -> float:
        """How many decades it covers."""
        return self.high - self.low

    def share(self, at: float) -> float:
        """How far up the scale a number of decades lies, from 0 to 1."""
        return max(0.0, min(1.0, (at - self.low) / self.span))


class Profile(NamedTuple):
    """The norms of all rows: in decades, and from which position on each is known."""

    decades: Array
    known_from: Array
    scale: Scale

    @classmethod
    def of(
        cls, decades: Sequence[float | None], known_from: Sequence[int], scale: Scale
    ) -> Profile:
        """A profile; NaN stands for a norm that is none, or not finite."""
        return cls(np.array(decades, np.float64), np.array(known_from, np.int64), scale)

    def levels(self, position: int, room: int) -> str:
        """All rows in at most `room` cells: the height of each, or of several; a dot for what is not known yet.

        >>> Profile.of([-3.0, 0.0, None, -9.0], [0, 0, 0, 5], Scale(-3.0, 0.0)).levels(4, 9)
        '▁█!·'
        """
        cells = min(len(self.decades), room)
        first = np.arange(cells) * len(self.decades) // max(cells, 1)
        known = np.logical_and.reduceat(self.known_from <= position, first)
        shares = (np.maximum(self.decades, self.scale.low) - self.scale.low) / self.scale.span
        total = np.add.reduceat(shares, first) / np.diff(first, append=len(self.decades))
        return "".join(
            "·" if not k else "!" if x != x else LEVELS[min(7, int(8 * x))]
            for k, x in zip(known.tolist(), total.tolist(), strict=True)
        )


def bar(decades: float | None, scale: Scale, width: int) -> str:
    """A bar of so many cells; a norm of exactly 0 has none, any other has an eighth at least.

    >>> bar(0.0, Scale(-3.0, 0.0), 4), bar(-1.5, Scale(-3.0, 0.0), 5), bar(-math.inf, Scale(-3.0, 0.0), 4)
    ('████', '██▌  ', '    ')
    """
    if decades is None or decades == -math.inf:
        return " " * width
    eighths = max(1, round(8 * width * scale.share(decades)))
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()).ljust(width)
