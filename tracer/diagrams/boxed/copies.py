"""Boxes, the lines between them, and copies of leaves that are read far apart: `dot` would take minutes for those."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass, replace

FAR = 12
"""A leaf that is read over more ranks than this may be drawn anew for those that read it further on,"""
LEAST_COPIES = 4
"""if that makes so many groups of near readers: one long line, such as a residual's, is better seen whole."""
SHARED = 3
"""A weight that so many scopes read one after the other is drawn anew in each: its lines would run across all."""


@dataclass(frozen=True)
class Use:
    """A line from one box to another: the box it comes from, and the edges of the trace that it stands for."""

    source: int
    edges: tuple[int, ...]

    def at(self, source: int) -> Use:
        """The same line from another place."""
        return Use(source, self.edges)


@dataclass(frozen=True)
class Box:
    """One node, or the nodes of a folded scope."""

    key: str
    face: int
    """The node whose value and gradient it shows: of a folded scope, its output."""
    nodes: tuple[int, ...]
    reads: tuple[Use, ...] = ()
    home: tuple[int, ...] = ()
    """The frames around it, outermost first."""
    name: str = ""
    """What a folded scope is called; empty for a node."""
    blocks: int = 1
    """How many time steps or equal blocks it stands for."""
    outputs: int = 1
    """How many of its nodes others read."""
    copy: tuple[int, int] = (1, 1)
    """Which of how many boxes of the same leaf it is; the first shows its numbers."""
    missing: tuple[int, int] = (0, 0)
    """How many of its inputs and of its uses are not drawn, where that is to be said."""

    @property
    def shapes(self) -> int:
        """How many shapes it takes: itself and the stubs beside it."""
        return 1 + sum(map(bool, self.missing))


def with_copies(boxes: Sequence[Box], weights: Set[int], places: Sequence[Hashable]) -> list[Box]:
    """Leaves that are read far apart anew for each group of near readers: `dot` cannot lay them out in time.

    weights: the boxes of weights. places: the outermost scope of each box.
    """
    rank = ranks_of([[use.source for use in box.reads] for box in boxes])
    readers: dict[int, set[int]] = {}
    for b, box in enumerate(boxes):
        for use in box.reads:
            if not boxes[use.source].reads and not boxes[use.source].name:
                readers.setdefault(use.source, set()).add(b)
    found = list(boxes)
    for leaf, read_by in readers.items():
        ordered = sorted(read_by, key=lambda b: (rank[b], b))
        groups = _by_place(ordered, rank, places) if leaf in weights else []
        groups = groups or _by_rank(ordered, rank)
        for number, group in enumerate(groups, 1):
            here = replace(boxes[leaf], copy=(number, len(groups)))
            if number == 1:
                found[leaf] = here
                continue
            copy = len(found)
            found.append(replace(here, key=f"{here.key}c{number}"))
            for b in group:
                found[b] = replace(found[b], reads=_from(found[b].reads, leaf, copy))
    return found


def _by_rank(readers: Sequence[int], rank: Sequence[int]) -> list[list[int]]:
    """Readers that stand near each other, if they make several groups; else none."""
    if rank[readers[-1]] - rank[readers[0]] <= FAR:
        return []
    groups: list[list[int]] = []
    for b in readers:
        if not groups or rank[b] - rank[groups[-1][0]] > FAR // 2:
            groups.append([])
        groups[-1].append(b)
    return groups if len(groups) >= LEAST_COPIES else []


def _by_place(
    readers: Sequence[int], rank: Sequence[int], places: Sequence[Hashable]
) -> list[list[int]]:
    """Readers of one scope, if several scopes follow each other; else none."""
    groups: dict[Hashable, list[int]] = {}
    for b in readers:
        groups.setdefault(places[b], []).append(b)
    first = {rank[group[0]] for group in groups.values()}
    return list(groups.values()) if len(first) >= SHARED else []


def _from(uses: Sequence[Use], leaf: int, copy: int) -> tuple[Use, ...]:
    return tuple(use.at(copy) if use.source == leaf else use for use in uses)


def ranks_of(inputs: Sequence[Sequence[int]]) -> list[int]:
    """How many lines lie between each box and the leaves, at most. Boxes may come in any order; no circles.

    >>> ranks_of([[2], [], [1]])
    [2, 0, 1]
    """
    readers: list[list[int]] = [[] for _ in inputs]
    waits = [0] * len(inputs)
    for b, sources in enumerate(inputs):
        for source in sources:
            readers[source].append(b)
            waits[b] += 1
    rank = [0] * len(inputs)
    ready = [b for b, count in enumerate(waits) if not count]
    while ready:
        here = ready.pop()
        for b in readers[here]:
            rank[b] = max(rank[b], rank[here] + 1)
            waits[b] -= 1
            if not waits[b]:
                ready.append(b)
    return rank
