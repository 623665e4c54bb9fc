"""Arrays as short numbers: each worked out once, and away from the interface thread where it takes long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isqrt, prod
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tracer import format as fmt
from tracer import stats
from tracer.errors import GradstepError
from tracer.fetching import Distant, seen
from tracer.traces import Trace

T = TypeVar("T")

LARGE = 1 << 18
"""Work on more elements than this is done on another thread, where one is offered."""
WAITING = "…"
BUDGET, ENTRY = 1 << 27, 1 << 11
"""Bytes of arrays that are kept, and what each costs beside its numbers."""
FLOW = 1 << 9
"""What running any rule costs at least, in elements."""


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


class Kept:
    """Arrays that were worked out, those in use latest, within a budget of bytes. Several threads may use it."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._arrays: OrderedDict[Any, Any] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Any) -> Any:
        """The array of a key, None if it is not kept."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
            return found

    def put(self, key: Any, array: Any) -> Any:
        """Keep an array, and drop what was used longest ago; four stay whatever their size."""
        with self._lock:
            if key not in self._arrays:
                self._bytes += array.nbytes + ENTRY
            self._arrays[key] = array
            while self._bytes > self.budget and len(self._arrays) > 4:
                _, dropped = self._arrays.popitem(last=False)
                self._bytes -= dropped.nbytes + ENTRY
        return array


@dataclass(eq=False)
class Figures:
    """Numbers about the arrays of one trace, each worked out once.

    `later` takes work that is too long for the interface thread; until it is done the number is an ellipsis.
    """

    trace: Trace
    later: Callable[[Callable[[], None]], None] | None = None
    known: dict[Any, Any] = field(default_factory=dict)
    kept: Kept = field(default_factory=lambda: Kept(BUDGET))
    edges: dict[int, list[int]] = field(default_factory=dict)
    asked: set[Any] = field(default_factory=set)
    """The arrays that another thread works out, or could not."""

    # ----- arrays

    def arrivals(self, node: int) -> list[int]:
        """The edges along which flows reach a node, in the order of the backward pass."""
        if node not in self.edges:
            self.edges[node] = self.trace.timeline.arrivals(node)
        return self.edges[node]

    def flow(self, edge: int) -> Any:
        """The cotangent along an edge. It runs a rule, so large ones are asked for inside of `text`."""
        found = self.kept.get(("flow", edge))
        if found is None:
            found = self.kept.put(("flow", edge), self.trace.seen_flow(edge))
        return found

    def total(self, position: int, node: int) -> Any:
        """The sum of the flows that have arrived; None where none has, and while it is being worked out."""
        timeline = self.trace.timeline
        arrived, expected = timeline.arrived(position, node)
        if not 0 < arrived < expected:
            return timeline.seen_gradient(position, node)
        key = ("total", node, arrived)
        found = self.kept.get(key)
        if found is not None:
            return found
        new = self.arrivals(node)[self._nearest(node, arrived)[0] : arrived]
        work = sum(max(FLOW, self.work(int(self.trace.edge_consumer[edge]))) for edge in new)
        if work <= LARGE or self.later is None:
            return self.sum(node, arrived)
        if key not in self.asked:
            self.asked.add(key)
            self.later(lambda: self._fetch(key, lambda: self.sum(node, arrived)))
        return None

    def _fetch(self, key: Any, work: Callable[[], Any]) -> None:
        """Work out an array for `kept`; what cannot be worked out is not asked for again."""
        if not isinstance(_tried(work), Figure):
            self.asked.discard(key)

    def sum(self, node: int, count: int) -> Any:
        """The sum of the first flows into a node, from the nearest sum that is known: a step adds one flow."""
        if count == len(self.arrivals(node)):
            return self.trace.seen_gradient(node)
        found = self.kept.get(("total", node, count))
        if found is not None:
            return found
        near, total = self._nearest(node, count)
        with np.errstate(all="ignore"):
            for edge in self.arrivals(node)[near:count]:
                flow = self.flow(edge)
                total = flow if total is None else total + flow
        return self.kept.put(("total", node, count), total)

    def _nearest(self, node: int, count: int) -> tuple[int, Any]:
        """The latest sum of at most so many flows that is known, and how many flows are in it."""
        for near in range(count - 1, max(0, count - 8), -1):
            total = self.kept.get(("total", node, near))
            if total is not None:
                return near, total
        done, total = self.trace.swept.nearest(node, count)
        return done, seen(total)

    def work(self, node: int) -> int:
        """About how many elements a rule of a node touches; multiplications of a matrix product count 1 to 64."""
        return self.once(("work", node), lambda: _work(self.trace, node))

    # ----- numbers and texts

    def value(self, node: int) -> Figure:
        """The forward value of a node as one number."""
        array = self.trace.seen(node)
        found: Figure = self._work_out(("value", node), array.size, lambda: figure(array))
        return found

    def gradient(self, position: int, node: int) -> Figure | None:
        """The sum of the flows that have arrived, as one number; None where none has."""
        arrived = self.trace.timeline.arrived(position, node)[0]
        key = ("gradient", node, arrived)
        if key in self.known:
            known: Figure = self.known[key]
            return known
        array = self.total(position, node)
        if array is None:
            return Figure(WAITING, True) if arrived else None
        found: Figure = self._work_out(key, array.size, lambda: figure(array))
        return found

    def summary(self, key: tuple[Any, ...], array: Any) -> stats.Summary | None:
        """The summary of an array, known by a key; None while it is being worked out."""
        found = self._work_out(("summary", *key), array.size, lambda: stats.summary(array))
        return found if isinstance(found, stats.Summary) else None

    def histogram(self, key: tuple[Any, ...], array: Any, bins: int) -> str:
        """A histogram of the finite elements in so many characters."""
        return self.text(("bars", bins, *key), array.size, lambda: bars(array, bins))

    def text(self, key: tuple[Any, ...], work: int, write: Callable[[], str]) -> str:
        """A text whose writing touches about so many elements, such as a formula with numbers."""
        found = self._work_out(("text", *key), work, write)
        return found if isinstance(found, str) else str(found.text)

    def scalar(self, key: tuple[Any, ...], work: int, read: Callable[[], Any]) -> Any:
        """One element of something that is worked out; None until it is."""
        found = self._work_out(("scalar", *key), work, read)
        return None if isinstance(found, Figure) else found

    def once(self, key: Any, work: Callable[[], T]) -> T:
        """What is worked out quickly, such as the scale of colours."""
        if key not in self.known:
            self.known[key] = work()
        found: T = self.known[key]
        return found

    def _work_out(self, key: Any, work: int, deed: Callable[[], Any]) -> Any:
        if key not in self.known:
            if work <= LARGE or self.later is None:
                self.known[key] = _tried(deed)
            else:
                self.known[key] = Figure(WAITING, True)
                self.later(lambda: self.known.__setitem__(key, _tried(deed)))
        return self.known[key]


def _tried(deed: Callable[[], Any]) -> Any:
    """What a deed gives; a question mark where a rule cannot run on what a file holds."""
    try:
        return deed()
    except (GradstepError, MemoryError):
        return Figure("?", True)


def _work(trace: Trace, node: int) -> int:
    value = trace.storage.held
    sizes = sorted(
        (int(value(i).size) for i in (node, *trace.inputs_of(node)) if i >= 0), reverse=True
    )
    op = trace.op(node)
    if op is None or op.elementwise or len(sizes) < 3:
        return sizes[0]
    # of (m, k) @ (k, n) the root is m k n, of a convolution about as many multiplications as it makes
    return max(sizes[0], isqrt(prod(sizes[:3])) // 64)


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
    if isinstance(array, Distant):
        array = array.sample()
    flat = np.asarray(array, dtype=np.float64).reshape(-1)
    flat = flat[np.isfinite(flat)]
    if not flat.size or flat.min() == flat.max():
        return ("█" if flat.size else " ") + " " * (bins - 1)
    low, high = float(flat.min()), float(flat.max())
    if not np.isfinite(high - low):
        flat, low, high = flat / 4, low / 4, high / 4
    # between neighbouring floats there is no room for edges of bins, so the numbers are stretched
    counts = np.histogram((flat - low) / (high - low), bins, range=(0.0, 1.0))[0]
    return "".join(BARS[int(np.ceil(8 * count / counts.max()))] for count in counts)
