"""Arrays as short numbers: each worked out once, and away from the interface thread where it takes long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tracer import format as fmt
from tracer import stats
from tracer.traces import Trace

LARGE = 1 << 18
"""Arrays of more elements than this are summed up on another thread, where one is offered."""
WAITING = "…"
KEPT_TOTALS = 64
"""Partial sums kept per node; of large arrays, two."""


class Figure(NamedTuple):
    """An array as one short number: itself if it is a scalar, else its root mean square."""

    text: str
    finite: bool
    number: float | None = None

    def fitting(self, width: int) -> str:
        """The number in at most `width` characters, if that can be."""
        if len(self.text) <= width or self.number is None:
            return self.text
        return short_number(self.number, width)


def short_number(number: float, width: int = 8) -> str:
    """A number in at most `width` characters if that can be, with as many digits as fit, four at most.

    >>> short_number(-0.1966), short_number(-0.0007975), short_number(1234567.0), short_number(float("nan"))
    ('−0.1966', '−7.98e−4', '1.235e6', 'nan')
    """
    text = fmt.number(number)
    if not np.isfinite(number):
        return text
    for digits in (4, 3, 2, 1):
        mantissa, power = f"{number:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        with_power = f"{mantissa}e{int(power)}".replace("-", fmt.MINUS)
        for text in (fmt.number(number, digits), with_power):
            if len(text) <= width:
                return text
    return text


@dataclass(eq=False)
class Figures:
    """Numbers about the arrays of one trace, each worked out once.

    `later` takes work that is too long for the interface thread; until it is done the number is an ellipsis.
    """

    trace: Trace
    later: Callable[[Callable[[], None]], None] | None = None
    known: dict[Any, Any] = field(default_factory=dict)
    totals: dict[int, dict[int, Any]] = field(default_factory=dict)
    edges: dict[int, list[int]] = field(default_factory=dict)

    def value(self, node: int) -> Figure:
        """The forward value of a node as one number."""
        found: Figure = self._work_out(("value", node), self.trace.storage.value(node), figure)
        return found

    def gradient(self, position: int, node: int) -> Figure | None:
        """The sum of the flows that have arrived, as one number; None where none has."""
        key = ("gradient", node, self.trace.timeline.arrived(position, node))
        if key in self.known:
            known: Figure = self.known[key]
            return known
        array = self.total(position, node)
        if array is None:
            return None
        found: Figure = self._work_out(key, array, figure)
        return found

    def total(self, position: int, node: int) -> Any:
        """The sum of the flows that have arrived; from one step to the next it adds what is new to what it knows."""
        timeline = self.trace.timeline
        arrived, expected = timeline.arrived(position, node)
        if not 0 < arrived < expected:
            return timeline.gradient(position, node)
        kept = self.totals.setdefault(node, {})
        if arrived not in kept:
            total = self._add_to_nearest(position, node, arrived, kept)
            most = KEPT_TOTALS if total.nbytes < 1 << 16 else 2
            while len(kept) >= most:
                del kept[next(iter(kept))]
            kept[arrived] = total
        return kept[arrived]

    def _add_to_nearest(self, position: int, node: int, arrived: int, kept: dict[int, Any]) -> Any:
        near = max((k for k in kept if arrived - 8 <= k < arrived), default=None)
        if near is None:
            return self.trace.timeline.gradient(position, node)
        total = kept[near]
        with np.errstate(all="ignore"):
            for edge in self.arrivals(node)[near:arrived]:
                total = total + self.trace.flow(edge).cotangent
        return total

    def arrivals(self, node: int) -> list[int]:
        """The edges along which flows reach a node, in the order of the backward pass."""
        if node not in self.edges:
            self.edges[node] = self.trace.timeline.arrivals(node)
        return self.edges[node]

    def summary(self, key: tuple[Any, ...], array: Any) -> stats.Summary | None:
        """The summary of an array, known by a key; None while it is being worked out."""
        found = self._work_out(("summary", *key), array, stats.summary)
        return found if isinstance(found, stats.Summary) else None

    def histogram(self, key: tuple[Any, ...], array: Any, bins: int) -> str:
        """A histogram of the finite elements in so many characters."""
        found = self._work_out(("bars", bins, *key), array, lambda a: bars(a, bins))
        return found if isinstance(found, str) else WAITING

    def number(self, key: tuple[Any, ...], array: Any, work: Callable[[Any], float]) -> float:
        """A quick number about an array, such as the scale of its colours."""
        if key not in self.known:
            self.known[key] = work(array)
        found: float = self.known[key]
        return found

    def text(self, key: tuple[Any, ...], size: int, write: Callable[[], str]) -> str:
        """A text whose writing looks at arrays of `size` elements, such as a formula with numbers."""
        found = self._work_out(("text", *key), np.broadcast_to(0, size), lambda _: write())
        return found if isinstance(found, str) else WAITING

    def _work_out(self, key: Any, array: Any, work: Callable[[Any], Any]) -> Any:
        if key not in self.known:
            if array.size <= LARGE or self.later is None:
                self.known[key] = work(array)
            else:
                self.known[key] = Figure(WAITING, True)
                self.later(lambda: self.known.__setitem__(key, work(array)))
        return self.known[key]


def figure(array: Any) -> Figure:
    """An array as one number: itself, or its root mean square.

    >>> figure(np.float64(-0.5)).text, figure(np.array([3.0, 4.0])).text
    ('−0.5', '3.536')
    """
    if array.ndim == 0:
        return Figure(_text(array[()]), bool(np.isfinite(array)), float(array))
    if not array.size:
        return Figure("empty", True)
    size = stats.rms(array)
    return Figure(short_number(size), bool(np.isfinite(size)), size)


def _text(value: Any) -> str:
    """A scalar: floats short, integers and truths as they are."""
    return short_number(float(value)) if np.asarray(value).dtype.kind == "f" else fmt.number(value)


BARS = " ▁▂▃▄▅▆▇█"


def bars(array: Any, bins: int) -> str:
    """A histogram from the least to the largest finite element, one character a bin; any count shows.

    >>> bars(np.array([0.0, 0.0, 0.0, 1.0]), 4)
    '█  ▃'
    """
    flat = np.asarray(array, dtype=np.float64).reshape(-1)
    flat = flat[np.isfinite(flat)]
    if not flat.size or flat.min() == flat.max():
        return ("█" if flat.size else " ") + " " * (bins - 1)
    low, high = float(flat.min()), float(flat.max())
    if not np.isfinite(high - low):
        flat, low, high = flat / 4, low / 4, high / 4
    counts = np.histogram(flat, bins, range=(low, high))[0]
    return "".join(BARS[int(np.ceil(8 * count / counts.max()))] for count in counts)
