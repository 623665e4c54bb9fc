"""Folding: a trace and a look make a smaller graph, whose boxes stand for one node or for many.

A scope may be folded into one box, and so may the time steps in the middle of a loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.folding.merging import Folded, merged
from tracer.folding.scopes import Scopes, scopes_of
from tracer.recording import Scope
from tracer.traces import Trace

READABLE_BOXES, SPARE_WIRES = 100, 20
"""Scopes are opened, outer ones first, as long as no more boxes are shown, and two wires a box and these."""
MANY_STEPS = 5
"""The time steps of a loop of more than this are folded but for the first two and the last."""
LEAST_DETAIL, MOST_DETAIL = 0, 3


class Trail(NamedTuple):
    """A move along a wire: the node it began at, its direction, and which wire it took."""

    start: int
    direction: str
    which: int


@dataclass(frozen=True)
class GraphLook:
    """How the graph is drawn: which scopes are open, and how much a box says.

    What the user has not opened or closed is open as far as the drawing stays readable.
    """

    opened: frozenset[Scope] = frozenset()
    closed: frozenset[Scope] = frozenset()
    everything: bool | None = None
    """Whether all scopes are open (True) or closed (False), but for those in `opened` and `closed`."""
    time: bool = True
    """Whether the time steps in the middle of a loop are folded."""
    detail: int = 2
    """0: a dot; 1: the name; 2: value and gradient; 3: statistics too."""
    down: bool = False
    """Whether the flow runs from top to bottom."""
    most: int = READABLE_BOXES
    """Scopes are opened as long as there are no more boxes than this."""
    trail: Trail | None = field(default=None, compare=False)
    """How the selection has come along a wire."""

    def open(self, *scopes: Scope) -> GraphLook:
        """With these scopes open, and those around them."""
        paths = {path[:k] for path in scopes for k in range(1, len(path) + 1)}
        return replace(self, opened=self.opened | paths, closed=self.closed - paths)

    def close(self, scope: Scope) -> GraphLook:
        """With a scope folded."""
        return replace(self, opened=self.opened - {scope}, closed=self.closed | {scope})

    def all(self, is_open: bool) -> GraphLook:
        """With all scopes open, or all closed."""
        return replace(
            self, opened=frozenset(), closed=frozenset(), everything=is_open, time=not is_open
        )

    @property
    def folding(self) -> GraphLook:
        """What of the look decides about boxes; looks that differ in the rest share one folded graph."""
        return replace(self, detail=2, down=False, trail=None)


def steps_around(trace: Trace, look: GraphLook, *nodes: int) -> tuple[int, ...]:
    """The time steps, as groups, that must be shown because these nodes lie in them; none if steps are not folded."""
    if not look.time or not len(trace):
        return ()
    scopes = scopes_of(trace)
    if not any(len(steps) > MANY_STEPS for steps in scopes.families):
        return ()
    found = {
        group
        for node in nodes
        if node >= 0
        for group in scopes.around(node)
        if scopes.family_of[group] >= 0
    }
    return tuple(sorted(found))


def fold(trace: Trace, look: GraphLook, steps: tuple[int, ...] = ()) -> Folded:
    """The graph of a trace under a look, with these time steps shown. O(nodes) once; the latest ones are kept."""
    return _fold(trace.skeleton, look.folding, steps)


@lru_cache(maxsize=8)
def _fold(trace: Trace, look: GraphLook, steps: tuple[int, ...]) -> Folded:
    scopes = scopes_of(trace)
    count, groups = len(trace), len(scopes)
    if groups == 1:
        return merged(trace, scopes, np.arange(count) + 1, np.full(groups, -1))
    is_open = _open_groups(trace, look)
    row = rows_of_steps(scopes, look, steps)
    cover, until = covers(scopes, is_open, row)
    key = np.where(cover[scopes.of_node] >= 0, cover[scopes.of_node], groups + np.arange(count))
    return merged(trace, scopes, key, until)


# ----- which groups are open


@lru_cache(maxsize=8)
def _readable(trace: Trace, time: bool, most: int) -> Array:
    """bool (groups,): the groups that are open unless the user says otherwise: level by level while it is readable."""
    scopes = scopes_of(trace)
    is_open = np.zeros(len(scopes), dtype=bool)
    is_open[0] = True
    row = rows_of_steps(scopes, GraphLook(time=time), ())
    if not len(trace):
        return is_open
    for level in range(1, int(scopes.depth.max()) + 1):
        here = np.flatnonzero((scopes.depth == level) & is_open[scopes.parent])
        kin = scopes.kin[here]
        tries = [here] if len(here) else []
        if len(np.unique(kin)) > 1:
            tries += [here[kin == one] for one in dict.fromkeys(kin.tolist())]
        for some in tries[: 1 + READABLE_BOXES]:
            wider = is_open.copy()
            wider[some] = True
            if _is_readable(trace, scopes, wider, row, most):
                is_open = wider
    return is_open


def _is_readable(trace: Trace, scopes: Scopes, is_open: Array, row: Array, most: int) -> bool:
    cover, _ = covers(scopes, is_open, row)
    inside = np.flatnonzero(cover < 0)
    loose = int(scopes.own()[inside].sum())
    boxes = loose + len(np.unique(cover[cover >= 0]))
    if boxes > most:
        return False
    of_node = cover[scopes.of_node]
    key = np.where(of_node >= 0, of_node, len(scopes) + np.arange(len(trace)))
    real = trace.input_of >= 0
    ends = key[trace.input_of[real]], key[trace.edge_consumer[real]]
    between = ends[0] != ends[1]
    wires = np.unique(ends[0][between] * (len(scopes) + len(trace)) + ends[1][between])
    return len(wires) <= 2 * boxes + SPARE_WIRES


def _open_groups(trace: Trace, look: GraphLook) -> Array:
    scopes = scopes_of(trace)
    if look.everything is None:
        is_open = _readable(trace, look.time, look.most).copy()
    else:
        is_open = np.full(len(scopes), look.everything)
        is_open[0] = True
    for paths, wanted in ((look.opened, True), (look.closed, False)):
        for path in paths:
            if path in scopes.by_path:
                is_open[scopes.by_path[path]] = wanted
    return is_open


def rows_of_steps(scopes: Scopes, look: GraphLook, steps: tuple[int, ...]) -> Array:
    """int (groups,): for a time step that is folded with its neighbours, the first of them; else -1."""
    row = np.full(len(scopes), -1)
    if not look.time:
        return row
    for family in scopes.families:
        if len(family) <= MANY_STEPS:
            continue
        shown = np.zeros(len(family), dtype=bool)
        shown[[0, 1, -1]] = True
        shown |= np.isin(family, [*steps, *(scopes.by_path.get(path, -1) for path in look.opened)])
        runs = np.cumsum(shown)
        hidden = ~shown
        sizes = np.bincount(runs[hidden], minlength=int(runs[-1]) + 1)
        merged = hidden & (sizes[runs] > 1)
        firsts = np.full(int(runs[-1]) + 1, -1)
        firsts[runs[merged][::-1]] = family[merged][::-1]
        row[family[merged]] = firsts[runs[merged]]
    return row


def covers(scopes: Scopes, is_open: Array, row: Array) -> tuple[Array, Array]:
    """For each group the group whose box shows it, -1 for none; and for the first of a row of blocks the last of it."""
    cover = np.full(len(scopes), -1)
    for level in range(1, int(scopes.depth.max()) + 1):
        here = np.flatnonzero(scopes.depth == level)
        own = np.where(row[here] >= 0, row[here], np.where(is_open[here], -1, here))
        above = cover[scopes.parent[here]]
        cover[here] = np.where(above >= 0, above, own)
    until = np.full(len(scopes), -1)
    rows = np.flatnonzero(row >= 0)
    rows = rows[np.argsort(scopes.first[rows], kind="stable")]
    until[row[rows]] = rows  # of repeated firsts the last block stays
    return cover, until
