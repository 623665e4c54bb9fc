"""Blocks that come again: sibling scopes that run one after the other and hold the same operations, wired alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ops.primitive import Array
from tracer.folding.scopes import TIME, Scopes, scopes_of
from tracer.traces import Trace

LEAST_REPEATS = 2
"""So many equal blocks make a row."""


def repeats_of(trace: Trace) -> tuple[Array, ...]:
    """The rows of equal blocks, each as its groups in the order in which they run; time steps are no such row.

    Blocks are equal if their names differ only in numbers and they hold the same operations, on values of the same
    shapes, wired alike. O(nodes * depth of scopes) once; the latest ones are kept.
    """
    return _repeats_of(trace.skeleton)


@lru_cache(maxsize=4)
def _repeats_of(trace: Trace) -> tuple[Array, ...]:
    scopes = scopes_of(trace)
    ran = np.flatnonzero(trace.op_of >= 0)
    rank = np.cumsum(trace.op_of >= 0) - 1
    families: dict[tuple[int, int], list[int]] = {}
    for group in range(1, len(scopes)):
        if scopes.paths[group][-1].key != TIME and scopes.first[group] < len(trace):
            kin = int(scopes.parent[group]), int(scopes.kin[group])
            families.setdefault(kin, []).append(group)
    wanted: dict[int, list[list[int]]] = {}
    for groups in families.values():
        if len(groups) >= LEAST_REPEATS:
            ordered = sorted(groups, key=scopes.first.__getitem__)
            wanted.setdefault(int(scopes.depth[groups[0]]), []).append(ordered)
    rows: list[Array] = []
    for depth, kins in wanted.items():
        members = _members(scopes, depth, ran)
        for groups in kins:
            faces = [_structure(trace, scopes, group, members[group]) for group in groups]
            rows += [np.array(row) for row in _runs(groups, faces, members, rank)]
    return tuple(rows)


def _members(scopes: Scopes, depth: int, ran: Array) -> dict[int, list[int]]:
    """The operations in each group of a depth, those of the groups inside it among them, as they ran."""
    above = np.where(scopes.depth == depth, np.arange(len(scopes)), -1)
    for group in np.flatnonzero(scopes.depth > depth).tolist():
        above[group] = above[scopes.parent[group]]
    owner = above[scopes.of_node[ran]]
    order = np.argsort(owner, kind="stable")
    groups, starts = np.unique(owner[order], return_index=True)
    pieces = np.split(ran[order], starts[1:])
    return {int(group): piece.tolist() for group, piece in zip(groups, pieces, strict=True)}


def _structure(
    trace: Trace, scopes: Scopes, group: int, nodes: Sequence[int]
) -> tuple[object, ...]:
    """What the operations of a group are, apart from their numbers: equal for blocks that repeat each other."""
    place = {node: at for at, node in enumerate(nodes)}
    depth = int(scopes.depth[group])
    found = []
    for node in nodes:
        inputs = [place.get(i, -1) for i in trace.inputs_of(node)]
        inner = tuple(entry.name for entry in scopes.paths[scopes.of_node[node]][depth:])
        shape = trace.storage.held(node).shape
        found.append((int(trace.op_of[node]), tuple(inputs), inner, shape))
    return tuple(found)


def _runs(
    groups: Sequence[int], faces: Sequence[object], members: dict[int, list[int]], rank: Array
) -> Iterator[list[int]]:
    """Stretches of groups with equal faces and nothing else run between one and the next."""
    run: list[int] = []
    for at, group in enumerate(groups):
        follows = bool(run) and faces[at] == faces[at - 1]
        follows = follows and rank[members[group][0]] == rank[members[run[-1]][-1]] + 1
        if not follows:
            if len(run) >= LEAST_REPEATS:
                yield run
            run = []
        run.append(group)
    if len(run) >= LEAST_REPEATS:
        yield run
