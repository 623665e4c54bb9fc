"""What a verification found: a hand derivation, or all gradients, against certified numbers.

What was found is kept as a `Verified`; `verdict`, `counts` and `hand_derived` read it for the other panes. The room
that checks is loaded by the first order that needs it, so nothing here imports it before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tracer.traces import Trace

if TYPE_CHECKING:
    from tracer.checking import Report, Row
    from tui.views.scene import Scene

"""The signs of a verdict: agrees, disagrees, cannot be decided."""
Stamp = tuple[int, int]
"""By which one sees that a file has changed: when it was written, and its size."""


@dataclass(frozen=True, eq=False)
class Verified:
    """What a verification found, of which trace, and what it was given."""

    trace: Trace
    report: Report
    source: str
    """What was verified, in words: `six_lines.txt`, `the derivation of batchnorm`, `all gradients`."""
    path: Path | None = None
    """The file of the derivation, if there is one."""
    stamp: Stamp | None = None
    written: str = ""
    """The derivation itself."""
    rows: dict[int, Row] = field(default_factory=dict)
    """The row of each node; of a node with several, the first wrong one."""

    def __post_init__(self) -> None:
        for row in self.table:
            if row.node >= 0 and (row.node not in self.rows or self.rows[row.node].sign != WRONG):
                self.rows[row.node] = row

    @property
    def table(self) -> tuple[Row, ...]:
        """The rows that are shown: of rules that are wrong by themselves, then of the lines or inputs."""
        return (*self.report.faults, *self.report.rows)

    @property
    def first_wrong(self) -> Row | None:
        """The first wrong row, a rule before all others; None if there is none."""
        wrong = (row for row in self.table if row.sign == WRONG)
        return next(iter(self.report.faults), None) or self.report.first_wrong or next(wrong, None)

    def outdated(self, trace: Trace) -> str:
        """Why it does not hold any more, empty if it does."""
        if self.trace is not trace:
            return "of another trace: verify again"
        if self.path is not None and stamp_of(self.path) != self.stamp:
            return f"{self.path.name} changed: verify again"
        return ""


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a file, None if it is gone."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


class Counts(NamedTuple):
    """How many rows agree, disagree and are undecided."""

    right: int
    wrong: int
    open: int


# ----- for the other panes


def counts(scene: Scene) -> Counts | None:
    """How many lines or inputs agree, disagree and are open, for the status line; None if nothing was verified."""
    if scene.report is None:
        return None
    signs = [row.sign for row in scene.report.table]
    return Counts(signs.count(RIGHT), signs.count(WRONG), signs.count(OPEN))


def verdict(scene: Scene, node: int) -> str:
    """The sign of the verdict on a node's gradient: ✓, ✗ or ?; empty where it was not verified in this trace."""
    row = _row_of(scene, node)
    return "" if row is None else row.sign


def hand_derived(scene: Scene, node: int) -> Any:
    """The gradient of a node as it was derived by hand, an array; None where there is none of the shown trace."""
    row = _row_of(scene, node)
    return None if row is None else row.hand


def _row_of(scene: Scene, node: int) -> Row | None:
    found = scene.report
    return None if found is None or found.trace is not scene.trace else found.rows.get(node)


def first_wrong_element(row: Row) -> tuple[int, ...] | None:
    """The index of the first element that disagrees, else of the worst; None if there is no single one.

    Where a line gives the gradients of several time steps, the row's node is that of the worst step.
    """
    from tracer.checking import DISAGREE

    worst = row.worst
    if worst is None:
        return None
    step = tuple(part for part in worst.index if isinstance(part, str))
    wrong = [e for e in row.elements if e.verdict == DISAGREE and e.index[: len(step)] == step]
    for element in (*wrong, worst):
        index = tuple(part for part in element.index[len(step) :] if isinstance(part, int))
        if element.index[:1] != ("direction",) and len(index) == len(element.index) - len(step):
            return index
    return None
