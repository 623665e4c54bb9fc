"""The folded graph: nodes that share a box become one, wires between boxes are merged, and no circle remains.

Where a box of a whole scope would read what depends on itself, the scope is cut into pieces that do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

import numpy as np

from ops.primitive import Array
from tracer.folding.scopes import Scopes
from tracer.traces import Trace

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Folded:
    """The folded graph of a trace and of its replays. Boxes come in an order in which each reads only boxes before it.

    Of the trace only the columns are asked, never the numbers, which are another's (see `Trace.skeleton`).
    """

    trace: Trace
    scopes: Scopes
    box_of: Array
    """int (nodes,): the box that shows each node."""
    group: Array
    """int (boxes,): the group that a box stands for; -1 where it is one node."""
    until: Array
    """int (boxes,): the last of the time steps or equal blocks that a box stands for, a group; -1 if it is no row."""
    piece: Array
    """int (boxes,): which piece of its group a box is, counted from 1; 0 where it is all of it."""
    members: Array
    """int (nodes,): the nodes by box; those of box b are `members[start[b]:start[b + 1]]`, rising."""
    start: Array
    edge_start: Array
    """int (boxes + 1,): the wires into box b are numbers `edge_start[b]` to `edge_start[b + 1]`, not included."""
    source: Array
    """int (wires,): the box that each wire comes from."""
    silent: Array
    """bool (wires,): no gradient flows back along the wire."""
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)
    """What has been worked out about single boxes; it goes when the graph goes."""

    def __len__(self) -> int:
        return len(self.group)

    def once(self, key: tuple[Any, ...], work: Callable[[], T]) -> T:
        """Something about a box, worked out once."""
        if key not in self.kept:
            self.kept[key] = work()
        found: T = self.kept[key]
        return found

    def nodes(self, box: int) -> Array:
        """The nodes of a box, rising."""
        return self.members[self.start[box] : self.start[box + 1]]

    def is_folded(self, box: int) -> bool:
        """Whether a box stands for several nodes."""
        return bool(self.group[box] >= 0)

    def inputs(self, box: int) -> list[int]:
        """The boxes that a box reads, a wire each."""
        found: list[int] = self.source[self.edge_start[box] : self.edge_start[box + 1]].tolist()
        return found

    def leaving(self, box: int) -> list[int]:
        """The nodes of a box that other boxes read; where there are none, its last."""
        if not self.is_folded(box):
            return [int(self.nodes(box)[0])]
        nodes = self.nodes(box)
        found: list[int] = nodes[self._read_outside[nodes]].tolist()
        return found or [int(nodes[-1])]

    @cached_property
    def _read_outside(self) -> Array:
        """bool (nodes,): the nodes that another box than their own reads, and the loss."""
        trace, found = self.trace, np.zeros(len(self.trace), dtype=bool)
        real = np.flatnonzero(trace.input_of >= 0)
        read = trace.input_of[real]
        found[read[self.box_of[read] != self.box_of[trace.edge_consumer[real]]]] = True
        if trace.loss >= 0:
            found[trace.loss] = True
        return found

    def face_of(self, box: int) -> int:
        """The node that stands for a box: its own, or the last of those that leave it."""
        return self.leaving(box)[-1]

    def time(self, box: int) -> int:
        """The rank of the time step of a box, -1 for none."""
        group = self.group[box]
        if group < 0:
            group = self.scopes.of_node[self.members[self.start[box]]]
        return int(self.scopes.time[group])

    def name(self, box: int) -> str:
        """What a folded box is called: its innermost scope; `rnn[t=2…97]` for a row of time steps or blocks."""
        entry = self.scopes.paths[self.group[box]][-1]
        name = str(entry)
        if self.until[box] >= 0:
            last = self.scopes.paths[self.until[box]][-1]
            numbered = entry.key and entry.name == last.name
            name = (
                f"{entry.name}[{entry.key}={entry.index}…{last.index}]"
                if numbered
                else f"{entry}…{last}"
            )
        return f"{name}·{self.piece[box]}" if self.piece[box] else name

    def blocks(self, box: int) -> int:
        """How many time steps or equal blocks a box stands for."""
        scopes, group, until = self.scopes, self.group[box], self.until[box]
        if group < 0 or until < 0:
            return 1
        alike = (scopes.kin == scopes.kin[group]) & (scopes.parent == scopes.parent[group])
        ran = (scopes.first >= scopes.first[group]) & (scopes.first <= scopes.first[until])
        return int((alike & ran).sum())

    @property
    def any_folded(self) -> bool:
        """Whether any box stands for several nodes."""
        return bool((self.group >= 0).any())


def merged(trace: Trace, scopes: Scopes, key: Array, until: Array) -> Folded:
    """Boxes from keys: nodes of one key share a box; keys below the number of groups are groups."""
    groups = len(scopes)
    piece = np.zeros(len(trace), dtype=np.int64)
    while True:
        box_of, box_key, box_piece = _numbered(key, piece)
        real = np.flatnonzero(trace.input_of >= 0)
        source, target = box_of[trace.input_of[real]], box_of[trace.edge_consumer[real]]
        order, stuck = _in_order(source, target, len(box_key))
        if order is not None:
            break
        inside = stuck[box_of]
        piece = np.where(inside, piece + _pieces(trace, key, inside), piece)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    box_of, box_key, box_piece = rank[box_of], box_key[order], box_piece[order]
    sizes = np.bincount(box_of, minlength=len(order))
    members = np.argsort(box_of, kind="stable")
    alone = (box_key >= groups) | (sizes == 1)
    group = np.where(alone, -1, box_key)
    edge_start, source, silent = _wires(trace, box_of, group, real)
    small = np.int32  # graphs of many nodes are kept for a while
    return Folded(
        trace, scopes, box_of.astype(small), group, np.where(group >= 0, until[group], -1),
        _piece_numbers(group, box_piece), members.astype(small),
        np.concatenate([[0], np.cumsum(sizes)]), edge_start, source, silent,
    )  # fmt: skip


def _numbered(key: Array, piece: Array) -> tuple[Array, Array, Array]:
    """Boxes for the pairs of key and piece, by their first nodes: the box of each node, and the two of each box."""
    both = key * (int(piece.max(initial=0)) + 1) + piece
    _, first, which = np.unique(both, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[which.reshape(-1)], key[first[order]], piece[first[order]]


def _in_order(source: Array, target: Array, count: int) -> tuple[Array | None, Array]:
    """An order of boxes in which wires run forward; where there is none, None and the boxes on circles or between."""
    none = np.zeros(count, dtype=bool)
    between = source != target
    source, target = source[between], target[between]
    if (source < target).all():
        return np.arange(count), none
    pairs = np.unique(source * count + target)
    source, target = pairs // count, pairs % count
    order, left = _sorted_out(source, target, count)
    if not left.any():
        return np.array(order), none
    _, right = _sorted_out(target, source, count)
    return None, left & right


def _sorted_out(source: Array, target: Array, count: int) -> tuple[list[int], Array]:
    """Boxes in an order in which wires run forward, earlier ones first; and which are left over behind circles."""
    waits = np.bincount(target, minlength=count).tolist()
    by_source = np.argsort(source, kind="stable")
    ends = target[by_source].tolist()
    start = np.searchsorted(source[by_source], np.arange(count + 1)).tolist()
    ready = [box for box in range(count) if not waits[box]]
    heapify(ready)
    order = []
    left = np.ones(count, dtype=bool)
    while ready:
        box = heappop(ready)
        order.append(box)
        left[box] = False
        for other in ends[start[box] : start[box + 1]]:
            waits[other] -= 1
            if not waits[other]:
                heappush(ready, other)
    return order, left


def _pieces(trace: Trace, key: Array, inside: Array) -> Array:
    """Ranks that rise along every edge between two boxes and never fall along one inside a box.

    Pieces of one rank cannot read what depends on them. A node goes with the next of its own box if it can.
    """
    rank = np.zeros(len(trace), dtype=np.int64)
    nodes = np.flatnonzero(inside).tolist()
    keys = key.tolist()
    readers: dict[int, list[int]] = {}
    for node in nodes:
        for i in trace.inputs_of(node):
            if i >= 0 and inside[i]:
                readers.setdefault(i, []).append(node)
                rank[node] = max(rank[node], rank[i] + (keys[i] != keys[node]))
    for node in reversed(nodes):
        own = [int(rank[r]) for r in readers.get(node, ()) if keys[r] == keys[node]]
        other = [int(rank[r]) - 1 for r in readers.get(node, ()) if keys[r] != keys[node]]
        if own and min(own) <= min(other, default=min(own)):
            rank[node] = max(rank[node], min(own))
    return rank


def _piece_numbers(group: Array, piece: Array) -> Array:
    """Pieces of one group counted from 1; 0 for a group in one piece."""
    numbers = np.zeros(len(group), dtype=np.int64)
    if not piece.any():
        return numbers
    seen: dict[int, list[int]] = {}
    for box in np.flatnonzero(group >= 0).tolist():
        seen.setdefault(int(group[box]), []).append(box)
    for boxes in seen.values():
        if len(boxes) > 1:
            numbers[boxes] = np.arange(1, len(boxes) + 1)
    return numbers


def _wires(trace: Trace, box_of: Array, group: Array, real: Array) -> tuple[Array, Array, Array]:
    """The wires by the box they enter: those of a node by argument, those of a folded box one for each box it reads."""
    source, target = box_of[trace.input_of[real]], box_of[trace.edge_consumer[real]]
    flows = trace.edge_flows[real]
    folded = group[target] >= 0
    keep = ~folded
    merged = np.flatnonzero(folded & (source != target))
    if len(merged):
        pair = target[merged] * len(group) + source[merged]
        _, first, which = np.unique(pair, return_index=True, return_inverse=True)
        any_flow = np.bincount(which.reshape(-1), weights=flows[merged]) > 0
        keep[merged[first]] = True
        flows = flows.copy()
        flows[merged[first]] = any_flow
    wires = np.flatnonzero(keep)
    order = wires[np.argsort(target[wires], kind="stable")]
    edge_start = np.searchsorted(target[order], np.arange(len(group) + 1))
    return edge_start, source[order], ~flows[order]
