"""Which scopes to fold so that at most so many boxes are left: time steps first, then repeats, then inner scopes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ops.primitive import Array
from tracer.folding.folds import MANY_STEPS, covers
from tracer.folding.merging import Folded, merged
from tracer.folding.repeats import repeats_of
from tracer.folding.scopes import Scopes, scopes_of
from tracer.traces import Trace

FEW_LEAVES = 3
"""Up to so many leaves that a folded box alone reads are shown."""


def fold_to(trace: Trace, nodes: Sequence[int], most: int) -> Folded:
    """The folded graph of a trace in which these nodes lie in at most so many boxes; in as few as there can be else.

    First only what repeats is folded: the time steps in the middle of a loop, and equal blocks but for the first. If
    that is not enough, everything is folded and opened again, outer scopes first, as far as there is room.
    """
    return _fold_to(trace.skeleton, tuple(nodes), most)


@lru_cache(maxsize=8)
def _fold_to(trace: Trace, nodes: tuple[int, ...], most: int) -> Folded:
    scopes = scopes_of(trace)
    kept = np.array(nodes, dtype=np.int64)
    for state in _states(trace, scopes, kept, most):
        if _boxes(trace, scopes, state, kept) <= most:
            break
    until = covers(scopes, state.is_open, state.row)[1]
    return merged(trace, scopes, _keys(trace, scopes, state), until)


def _keys(trace: Trace, scopes: Scopes, state: _State) -> Array:
    """int (nodes,): what shares a key shares a box; keys below the number of groups are groups.

    Leaves that only one folded box reads go into it, if they are many: the words of a sentence, one for each step.
    """
    cover = covers(scopes, state.is_open, state.row)[0][scopes.of_node]
    key = np.where(cover >= 0, cover, len(scopes) + np.arange(len(trace)))
    real = np.flatnonzero(trace.input_of >= 0)
    read, by = trace.input_of[real], key[trace.edge_consumer[real]]
    least, last = np.full(len(trace), len(scopes)), np.full(len(trace), -1)
    np.minimum.at(least, read, by)
    np.maximum.at(last, read, by)
    feeds = (trace.op_of < 0) & (cover < 0) & (least == last) & (last < len(scopes))
    many = np.bincount(last[feeds], minlength=len(scopes)) > FEW_LEAVES
    feeds[feeds] = many[last[feeds]]
    return np.where(feeds, last, key)


@dataclass(frozen=True)
class _State:
    """Which groups are open, and for each group that is folded with its neighbours the first of them, else -1."""

    is_open: Array
    row: Array


def _states(trace: Trace, scopes: Scopes, kept: Array, most: int) -> Iterator[_State]:
    """From nothing folded to what is left when all is: each folds more than the one before it."""
    all_open = np.ones(len(scopes), dtype=bool)
    nothing = np.full(len(scopes), -1)
    yield _State(all_open, nothing)
    families = [(steps, [0, 1, -1], MANY_STEPS) for steps in scopes.families]
    long_loops = _rows(nothing, [one for one in families if len(one[0]) > MANY_STEPS])
    yield _State(all_open, long_loops)
    families += [(blocks, [0], 2) for blocks in repeats_of(trace)]
    yield _State(all_open, _rows(nothing, [one for one in families if len(one[0]) > one[2]]))
    yield _opened(trace, scopes, families, kept, most)


_Family = tuple[Array, list[int], int]
"""The groups of a loop or of a row of blocks, the places of those that are shown, and how many are few."""


def _rows(row: Array, families: Sequence[_Family]) -> Array:
    """The rows with the middle of each family folded into one."""
    row = row.copy()
    for groups, shown, _ in families:
        hidden = np.delete(groups, shown)
        row[hidden] = hidden[0]
    return row


def _opened(
    trace: Trace, scopes: Scopes, families: Sequence[_Family], kept: Array, most: int
) -> _State:
    """Everything folded, then opened level by level: all that lies there if there is room, else kin by kin."""
    is_open = np.zeros(len(scopes), dtype=bool)
    is_open[0] = True
    row = np.full(len(scopes), -1)
    family_of: dict[int, _Family] = {}
    for family in families:
        row[family[0]] = family[0][0]
        family_of.update(dict.fromkeys(family[0].tolist(), family))
    state = _State(is_open, row)
    if _boxes(trace, scopes, state, kept) > most:
        return state
    for level in range(1, int(scopes.depth.max()) + 1):
        here = np.flatnonzero((scopes.depth == level) & state.is_open[scopes.parent])
        kin = scopes.kin[here]
        tries = [here] if len(here) else []
        if len(np.unique(kin)) > 1:
            tries += [here[kin == one] for one in dict.fromkeys(kin.tolist())]
        for groups in tries[: 1 + most]:
            wider = _with_open(state, groups, family_of)
            if _boxes(trace, scopes, wider, kept) <= most:
                state = wider
    return state


def _with_open(state: _State, groups: Array, family_of: dict[int, _Family]) -> _State:
    """With these groups open; of a family the ones that are shown, and the others folded into one."""
    is_open, row = state.is_open.copy(), state.row
    is_open[groups] = True
    touched = {int(family_of[g][0][0]): family_of[g] for g in groups.tolist() if g in family_of}
    few = [family for family in touched.values() if len(family[0]) <= family[2]]
    row = _rows(row, [family for family in touched.values() if len(family[0]) > family[2]])
    for family in touched.values():
        row[family[0][family[1]]] = -1
    for family in few:
        row[family[0]] = -1
    return _State(is_open, row)


def _boxes(trace: Trace, scopes: Scopes, state: _State, kept: Array) -> int:
    """In how many boxes the kept nodes lie."""
    return len(np.unique(_keys(trace, scopes, state)[kept]))
