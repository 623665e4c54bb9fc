"""The scopes of a trace as a tree of groups: what can be folded into one box, and which groups are time steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ops.primitive import Array
from tracer.kinds import KINDS
from tracer.recording import Scope
from tracer.traces import Trace

TIME = "t"
"""The key of the scope entries that count time steps."""


@dataclass(frozen=True, eq=False)
class Scopes:
    """The groups of a trace, outer ones first; group 0 is the whole trace. A column for each fact about them."""

    paths: tuple[Scope, ...]
    parent: Array
    depth: Array
    first: Array
    """int (groups,): the first node in the group that is not a leaf."""
    of_node: Array
    """int (nodes,): the innermost group around each node."""
    families: tuple[Array, ...]
    """The time steps of one loop, in the order in which they run; loops of several steps only."""
    family_of: Array
    """int (groups,): which of `families`, -1 for a group that is no time step."""
    time: Array
    """int (groups,): the rank of the time step that a group lies in, counted over all loops; -1 for none."""
    times: tuple[str, ...]
    """How each time step is written, by rank: `t=3`."""
    kin: Array
    """int (groups,): groups whose paths differ only in numbers are of one kin, and are opened together."""
    by_path: dict[Scope, int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    def own(self) -> Array:
        """int (groups,): how many nodes each group has beside those of the groups inside it."""
        return np.bincount(self.of_node, minlength=len(self))

    def around(self, node: int) -> list[int]:
        """The groups that a node lies in, innermost first, without the whole trace."""
        found, group = [], int(self.of_node[node])
        while group > 0:
            found.append(group)
            group = int(self.parent[group])
        return found


def scopes_of(trace: Trace) -> Scopes:
    """The groups of a trace. O(nodes) once; those of the latest traces are kept."""
    return _scopes_of(trace.skeleton)


@lru_cache(maxsize=4)
def _scopes_of(trace: Trace) -> Scopes:
    paths: list[Scope] = [()]
    by_path: dict[Scope, int] = {(): 0}
    parent, depth = [0], [0]
    of_scope = []
    for scope in trace.scopes:
        for level in range(1, len(scope) + 1):
            path = scope[:level]
            if path not in by_path:
                by_path[path] = len(paths)
                parent.append(by_path[path[:-1]])
                depth.append(level)
                paths.append(path)
        of_scope.append(by_path[scope])
    of_node = np.array(of_scope, dtype=np.int64)[trace.scope_of]
    if len(paths) > 1:
        _adopt(trace, of_node, parent, depth)
    first = _first_nodes(of_node, parent, trace.op_of >= 0)
    families, family_of = _families(paths, parent, first)
    time, times = _times(paths, parent, first)
    return Scopes(
        tuple(paths), np.array(parent), np.array(depth), first, of_node, families, family_of,
        time, times, _kin(paths, parent), by_path,
    )  # fmt: skip


def _adopt(trace: Trace, of_node: Array, parent: Sequence[int], depth: Sequence[int]) -> None:
    """Count a parameter or a scalar constant to the innermost group that holds all that read it."""
    leaf = trace.op_of < 0
    kinds = [KINDS.index("parameter"), KINDS.index("constant"), KINDS.index("buffer")]
    weight = leaf & np.isin(trace.kind_of, kinds)
    for node in np.flatnonzero(weight).tolist():
        if trace.kind_of[node] != kinds[0] and trace.storage.held(node).ndim:
            continue
        edges = trace.uses_of(node)
        if not edges:
            continue
        groups = set(of_node[trace.edge_consumer[edges]].tolist())
        common = groups.pop()
        while groups:
            other = groups.pop()
            while common != other:
                if depth[common] >= depth[other]:
                    common = parent[common]
                else:
                    other = parent[other]
        if depth[common] > depth[of_node[node]]:
            of_node[node] = common


def _first_nodes(of_node: Array, parent: Sequence[int], ran: Array) -> Array:
    first = np.full(len(parent), len(of_node), dtype=np.int64)
    np.minimum.at(first, of_node[ran], np.flatnonzero(ran))
    for group in range(len(parent) - 1, 0, -1):
        first[parent[group]] = min(first[parent[group]], first[group])
    return first


def _families(
    paths: Sequence[Scope], parent: Sequence[int], first: Array
) -> tuple[tuple[Array, ...], Array]:
    found: dict[tuple[int, str], list[int]] = {}
    for group in range(1, len(paths)):
        entry = paths[group][-1]
        if entry.key == TIME:
            found.setdefault((parent[group], entry.name), []).append(group)
    family_of = np.full(len(paths), -1, dtype=np.int64)
    families: list[Array] = []
    for steps in found.values():
        if len(steps) > 1:
            ordered = np.array(sorted(steps, key=first.__getitem__))
            family_of[ordered] = len(families)
            families.append(ordered)
    return tuple(families), family_of


def _times(
    paths: Sequence[Scope], parent: Sequence[int], first: Array
) -> tuple[Array, tuple[str, ...]]:
    """The time step that each group lies in: that of its outermost scope with the key `t`."""
    ranks: dict[str, int] = {}
    time = np.full(len(paths), -1, dtype=np.int64)
    timed = [g for g in range(1, len(paths)) if paths[g][-1].key == TIME]
    for group in sorted(timed, key=first.__getitem__):
        ranks.setdefault(f"{TIME}={paths[group][-1].index}", len(ranks))
    for group in range(1, len(paths)):
        entry = paths[group][-1]
        if time[parent[group]] >= 0:
            time[group] = time[parent[group]]
        elif entry.key == TIME:
            time[group] = ranks[f"{TIME}={entry.index}"]
    return time, tuple(ranks)


def _kin(paths: Sequence[Scope], parent: Sequence[int]) -> Array:
    known: dict[tuple[int, str, str], int] = {}
    kin = [0]
    for group in range(1, len(paths)):
        entry = paths[group][-1]
        name = (kin[parent[group]], re.sub(r"\d+", "", entry.name), entry.key)
        kin.append(known.setdefault(name, len(known) + 1))
    return np.array(kin)
