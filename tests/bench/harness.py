"""How speed is compared: rounds of interleaved samples, CPU time on one thread, medians, a ratio to a peer.

CPU time is not inflated by what else runs on the machine; interleaving makes what still disturbs hit all cases alike.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

SINGLE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""Environment that keeps every library on one thread; read by them when they load."""


@dataclass(frozen=True)
class Case:
    """One contender: what a run does, and whether Python's garbage collector is on while it does it."""

    name: str
    run: Callable[[], object]
    collector: bool = False


@dataclass(frozen=True)
class Row:
    """One comparison: our time over the peer's (None if the peer is absent), and the most that it may be."""

    case: str
    peer: str
    ratio: float | None
    goal: float
    stretch: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """What the ratio says of the goal, in a word or two."""
        if self.ratio is None:
            return "skipped"
        if self.stretch is not None and self.ratio <= self.stretch:
            return "stretch met"
        return "met" if self.ratio <= self.goal else "missed"


@contextmanager
def collecting(enabled: bool) -> Iterator[None]:
    """Start with no garbage, the collector on or off; put it back as it was."""
    before = gc.isenabled()
    gc.collect()
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if before else gc.disable)()


def cpu_seconds(case: Case, repeats: int) -> float:
    """CPU seconds of one run, the mean over `repeats` runs."""
    with collecting(case.collector):
        start = time.process_time()
        for _ in range(repeats):
            case.run()
        return (time.process_time() - start) / repeats


def interleave(
    cases: Sequence[Case], *, rounds: int = 11, sample_seconds: float = 0.05
) -> dict[str, float]:
    """Median CPU seconds of one run of each case.

    Every round samples each case once, in turn and in alternating order; a sample repeats the case for about
    `sample_seconds`. One run of each beforehand warms it up and is not counted.
    """
    repeats: dict[str, int] = {}
    for case in cases:
        case.run()
        repeats[case.name] = max(1, round(sample_seconds / max(cpu_seconds(case, 1), 1e-9)))
    samples: dict[str, list[float]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            samples[case.name].append(cpu_seconds(case, repeats[case.name]))
    return {name: statistics.median(taken) for name, taken in samples.items()}


def compared(
    case: str,
    peer: str,
    seconds: dict[str, float],
    *,
    goal: float,
    stretch: float | None = None,
    label: str = "",
) -> Row:
    """The row of two measured cases; `label` is what the row calls our case, if not by the case's name."""
    ratio = seconds[case] / seconds[peer]
    note = f"{duration(seconds[case])} against {duration(seconds[peer])}"
    return Row(label or case, peer, ratio, goal, stretch, note)


def limited(case: str, seconds: float, limit: float) -> Row:
    """The row of a time that has a limit."""
    return Row(case, f"at most {duration(limit)}", seconds / limit, 1.0, None, duration(seconds))


def absent(case: str, peer: str, goal: float, stretch: float | None = None) -> Row:
    """The row of a comparison with a library that is not installed."""
    return Row(case, peer, None, goal, stretch, "not installed: pip install 'gradstep[bench]'")


def duration(seconds: float) -> str:
    """A time in the unit that suits it: `1.30 ms`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text; a ratio is our time over the peer's, so smaller is better."""
    head = ("case", "peer", "ratio", "goal", "stretch", "verdict", "time")
    lines = [head, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    stretch = "-" if row.stretch is None else f"{row.stretch:.2f}"
    return (row.case, row.peer, ratio, f"{row.goal:.2f}", stretch, row.verdict, row.note)
