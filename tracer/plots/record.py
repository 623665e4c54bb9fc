"""What a plot is: axes, and marks in the order in which they are drawn. How it looks is decided by who draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """One direction of a plot: its label, its scale, and its ends where they are given."""

    label: str = ""
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """y over x, joined by lines. x, y: float (points,); NaN leaves a gap. Marks are told apart by more than colour."""

    label: str
    x: ArrayLike
    y: ArrayLike
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two curves over x, such as percentiles. x, low, high: float (points,)."""

    label: str
    x: ArrayLike
    low: ArrayLike
    high: ArrayLike


@dataclass(frozen=True, eq=False)
class Points:
    """Single points. x, y: float (points,)."""

    label: str
    x: ArrayLike
    y: ArrayLike


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many numbers fall between neighbouring edges. counts: float (bins,); edges: float (bins + 1,)."""

    label: str
    counts: ArrayLike
    edges: ArrayLike

    @classmethod
    def of(
        cls,
        label: str,
        values: ArrayLike,
        *,
        bins: int = 40,
        low: float | None = None,
        high: float | None = None,
    ) -> Histogram:
        """The histogram of numbers, between their ends or the ones given; what is not finite is left out.

        >>> Histogram.of("h", [0.0, 0.1, 1.0], bins=2).counts.tolist()
        [2, 1]
        """
        numbers = np.ravel(np.asarray(values, float))
        numbers = numbers[np.isfinite(numbers)]
        least = low if low is not None else float(numbers.min(initial=0.0))
        most = high if high is not None else float(numbers.max(initial=0.0))
        if not least < most:
            least, most = least - 0.5, most + 0.5
        counts, edges = np.histogram(numbers, bins, (least, most))
        return cls(label, counts, edges)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A path through the plane, from a marked start to a marked end. x, y: float (steps + 1,)."""

    label: str
    x: ArrayLike
    y: ArrayLike


@dataclass(frozen=True, eq=False)
class Contours:
    """Lines of equal height. x: float (columns,), y: float (rows,), z: float (rows, columns), levels: float (n,)."""

    x: ArrayLike
    y: ArrayLike
    z: ArrayLike
    levels: ArrayLike
    label: str = ""


Mark = Curve | Band | Points | Histogram | Trajectory | Contours


@dataclass(frozen=True, eq=False)
class Plot:
    """One picture: what is drawn, in which order, over which axes."""

    title: str
    marks: Sequence[Mark]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    note: str = ""
    """A sentence to be read under it."""
