"""What a plot is: axes, and marks in the order in which they are drawn. How it looks is decided by who draws it.

Marks of one label belong together: they share a colour and one entry of the legend, such as a curve and its band.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracer.errors import PlotError

if TYPE_CHECKING:
    from tracer.cells.pieces import Line

Array = NDArray[Any]
Shows = Literal["", "value", "gradient", "parameter"]
"""What numbers are, where that is known: values are green and gradients red, as everywhere."""


@dataclass(frozen=True)
class Axis:
    """One direction of a plot: its label, its scale, and its ends where they are given."""

    label: str = ""
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.scale not in ("linear", "log"):
            raise PlotError(f"an axis has no scale {self.scale!r}\n  try: 'linear' or 'log'")
        ends = [end for end in (self.low, self.high) if end is not None]
        if not all(map(math.isfinite, ends)):
            raise PlotError(f"an axis cannot end at {ends}\n  try: without low and high")
        if len(ends) == 2 and not ends[0] < ends[1]:
            raise PlotError(f"an axis cannot go from {ends[0]} to {ends[1]}\n  try: low < high")
        if self.scale == "log" and min(ends, default=1.0) <= 0:
            raise PlotError(
                f"a log axis cannot begin at {min(ends)}\n  try: low above 0, or scale='linear'"
            )


@dataclass(frozen=True, eq=False)
class Curve:
    """y over x, joined by lines. x, y: float (points,); NaN leaves a gap. Marks are told apart by more than colour."""

    label: str
    x: ArrayLike
    y: ArrayLike
    dashed: bool = False
    shows: Shows = ""

    def __post_init__(self) -> None:
        _keep(self, "x", "y")


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two curves over x, such as percentiles. x, low, high: float (points,)."""

    label: str
    x: ArrayLike
    low: ArrayLike
    high: ArrayLike

    def __post_init__(self) -> None:
        _keep(self, "x", "low", "high")


@dataclass(frozen=True, eq=False)
class Points:
    """Single points. x, y: float (points,)."""

    label: str
    x: ArrayLike
    y: ArrayLike

    def __post_init__(self) -> None:
        _keep(self, "x", "y")


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many numbers fall between neighbouring edges. counts: float (bins,); edges: float (bins + 1,)."""

    label: str
    counts: ArrayLike
    edges: ArrayLike
    shows: Shows = ""

    def __post_init__(self) -> None:
        counts, edges = (_numbers(self, name) for name in ("counts", "edges"))
        if edges.size != counts.size + 1 or np.any(np.diff(edges) <= 0):
            raise PlotError(
                f"histogram {self.label!r}: {counts.size} counts need {counts.size + 1} rising edges, "
                f"not {edges.size}\n  try: Histogram.of(label, values)"
            )

    @classmethod
    def of(
        cls,
        label: str,
        values: ArrayLike,
        *,
        bins: int = 40,
        low: float | None = None,
        high: float | None = None,
        shows: Shows = "",
    ) -> Histogram:
        """The histogram of numbers, between their ends or the ones given; what is not finite is left out.

        >>> Histogram.of("h", [5.0, 5.1, 6.0], bins=2).edges.tolist()
        [5.0, 5.5, 6.0]
        """
        numbers = np.ravel(np.asarray(values, float))
        numbers = numbers[np.isfinite(numbers)]
        ends = (numbers.min(), numbers.max()) if numbers.size else (0.0, 0.0)
        least = float(ends[0]) if low is None else low
        most = float(ends[1]) if high is None else high
        if not most - least > 1e-12 * max(abs(least), abs(most)):
            room = 0.5 * abs(least) or 0.5
            least, most = least - room, most + room
        counts, edges = np.histogram(numbers, bins, (least, most))
        return cls(label, counts, edges, shows)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A path through the plane, from a marked start to a marked end. x, y: float (steps + 1,)."""

    label: str
    x: ArrayLike
    y: ArrayLike

    def __post_init__(self) -> None:
        _keep(self, "x", "y")


@dataclass(frozen=True, eq=False)
class Contours:
    """Lines of equal height. x: float (columns,), y: float (rows,), z: float (rows, columns), levels: float (n,)."""

    x: ArrayLike
    y: ArrayLike
    z: ArrayLike
    levels: ArrayLike
    label: str = ""

    def __post_init__(self) -> None:
        x, y, _ = (_numbers(self, name) for name in ("x", "y", "levels"))
        z = _numbers(self, "z", rank=2)
        if z.shape != (y.size, x.size):
            raise PlotError(
                f"contours {self.label!r}: z is {z.shape} for {y.size} y and {x.size} x\n"
                f"  try: z of shape ({y.size}, {x.size}), a row for each y"
            )


Mark = Curve | Band | Points | Histogram | Trajectory | Contours


@dataclass(frozen=True, eq=False)
class Plot:
    """One picture: what is drawn, in which order, over which axes.

    >>> epochs = Plot("loss by epoch", [Curve("loss", [1, 2, 3], [2.0, 1.0, 0.5])], Axis("epoch"))
    >>> epochs.text(40, 9).splitlines()[0]
    'loss by epoch'
    """

    title: str
    marks: Sequence[Mark]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    note: str = ""
    """A sentence to be read under it."""

    def lines(self, columns: int = 80, rows: int = 20, *, braille: bool = True) -> list[Line]:
        """The plot for a terminal, on at most so many cells; pieces say what they show, so that it can be coloured."""
        from tracer.plots.terminal import lines_of

        return lines_of(self, columns, rows, braille=braille)

    def text(self, columns: int = 80, rows: int = 20, *, braille: bool = True) -> str:
        """The plot in characters, on at most so many cells. braille: dots, else letters of ASCII."""
        from tracer.cells.pieces import text_of

        return "\n".join(map(text_of, self.lines(columns, rows, braille=braille)))

    def save(self, path: str | os.PathLike[str], *, theme: str = "light") -> Path:
        """Write the plot; the suffix chooses the format: .svg, .png, .pdf or .tex. Returns the path."""
        from tracer.plots.saving import save

        return save([self], path, theme=theme)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        from tracer.plots.saving import svg

        return svg([self])


def _keep(mark: Mark, *names: str) -> None:
    """Hold the numbers of a mark as arrays of one length. Raises `PlotError`."""
    sizes = {name: _numbers(mark, name).size for name in names}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} {name}" for name, size in sizes.items())
        raise PlotError(
            f"{type(mark).__name__.lower()} {mark.label!r}: {told}\n  try: as many of each"
        )


def _numbers(mark: Mark, name: str, rank: int = 1) -> Array:
    given = getattr(mark, name)
    what = f"{type(mark).__name__.lower()} {mark.label!r}"
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError) as error:
        raise PlotError(f"{what}: {name} is not numbers: {error}\n  try: floats") from None
    if array.ndim != rank:
        shape = " by ".join(map(str, array.shape)) or "a single number"
        raise PlotError(f"{what}: {name} is {shape}\n  try: an array of rank {rank}")
    object.__setattr__(mark, name, array)
    return array
