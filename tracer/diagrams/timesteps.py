"""A trace along its time axis: which nodes belong to which step, what is shared, and what folds into one gate.

A scope with the key `t` says where a step begins. Named values stay visible; what has no name and serves one named
value only is folded into that value's gate, so that a cell `a = tanh(waa @ a + wax @ x + ba)` is one gate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tracer.diagrams.frames import Part
from tracer.traces import Trace

TIME_KEY = "t"
BEFORE = -1
RowKey: TypeAlias = tuple[str, int]
"""A visible value, the same in every step: its name or operation, and which of that name within the step."""


@dataclass(frozen=True)
class Slot:
    """One input of a block: the node read, and the edge by which it is read."""

    source: int
    edge: int


@dataclass(frozen=True)
class Block:
    """A visible operation with the unnamed ones folded into its gate, and what they read, in a fixed order."""

    root: int
    time: int
    row: RowKey
    members: frozenset[int]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class TimeAxis:
    """The steps of a part, its blocks in order, and the nodes that several steps read."""

    labels: tuple[str, ...]
    """What each step is called, in the order in which they ran: `t = 3`, or `decoder 3`."""
    indices: tuple[str, ...]
    """The index of each step, as a subscript for names."""
    time_of: Mapping[int, int]
    """Operation to step number; `BEFORE` ahead of the first step, `len(labels)` after the last."""
    given: Mapping[int, int]
    """A leaf, or an operation ahead of the first step, to the one step that reads it."""
    blocks: tuple[Block, ...]
    shared: tuple[int, ...]
    """Nodes from outside that at least two steps read: weights, mostly."""

    @property
    def after(self) -> int:
        """The step number of what follows the last step."""
        return len(self.labels)


def has_time_axis(part: Part) -> bool:
    """Whether the operations of a part were recorded in at least two scopes `[t=...]`."""
    used = {int(part.trace.scope_of[i]) for i in part.nodes if part.draws_operation(i)}
    found = {_time_prefix(part.trace, s) for s in used}
    return len(found - {()}) > 1


def _time_prefix(trace: Trace, scope: int) -> tuple[object, ...]:
    """The scope down to its outermost time entry; empty if it has none."""
    entries = trace.scopes[scope]
    place = next((k for k, entry in enumerate(entries) if entry.key == TIME_KEY), None)
    return () if place is None else tuple(entries[: place + 1])


def time_axis(part: Part) -> TimeAxis:
    """The time axis of a part.

    Steps are told apart by their index alone, so that several scopes may share a step; where that would make a value
    flow back in time (two loops, one after the other), by their whole scope.
    """
    labels, indices, time_of = _operation_times(part, by_index=True)
    if any(
        time_of[j] > time_of[i] for i in time_of for j in part.trace.inputs_of(i) if j in time_of
    ):
        labels, indices, time_of = _operation_times(part, by_index=False)
    readers = _readers(part, time_of)
    outside = [i for i in part.nodes if time_of.get(i, BEFORE) == BEFORE and readers.get(i)]
    return TimeAxis(
        labels,
        indices,
        time_of,
        {i: min(readers[i]) for i in outside if len(readers[i]) == 1},
        _blocks(part, time_of),
        tuple(i for i in outside if len(readers[i]) > 1),
    )


def _operation_times(
    part: Part, *, by_index: bool
) -> tuple[tuple[str, ...], tuple[str, ...], dict[int, int]]:
    """The labels and indices of the steps, and the step of each operation."""
    trace = part.trace
    keys = [_time_prefix(trace, s) for s in range(len(trace.scopes))]
    steps: dict[object, int] = {}
    labels: list[str] = []
    indices: list[str] = []
    times: dict[int, int] = {}
    for i in part.nodes:
        prefix = keys[trace.scope_of[i]]
        if not prefix or not part.draws_operation(i):
            continue
        entry = trace.scopes[trace.scope_of[i]][len(prefix) - 1]
        key = entry.index if by_index else prefix
        if key not in steps:
            steps[key] = len(steps)
            name = ".".join(map(str, (*prefix[:-1], entry.name)))
            labels.append(f"t = {entry.index}" if by_index else f"{name} {entry.index}")
            indices.append(str(entry.index))
        times[i] = steps[key]
    feeding: set[int] = set()  # outside all steps, but a later step needs them
    for i in reversed(part.nodes):
        if i not in times and any(
            k in times or k in feeding for k in trace.edge_consumer[list(part.uses(i))].tolist()
        ):
            feeding.add(i)
    for i in part.nodes:
        if part.draws_operation(i) and i not in times:
            latest = max(
                (times.get(j, BEFORE) for j in trace.inputs_of(i) if j >= 0), default=BEFORE
            )
            times[i] = latest if i in feeding or latest == BEFORE else len(steps)
    return tuple(labels), tuple(indices), times


def _readers(part: Part, time_of: Mapping[int, int]) -> dict[int, set[int]]:
    """For each node the steps that read it, the part after the last step counting as one."""
    readers: dict[int, set[int]] = defaultdict(set)
    for i, time in time_of.items():
        if time != BEFORE:
            for j in part.trace.inputs_of(i):
                if j >= 0:
                    readers[j].add(time)
    return readers


def _blocks(part: Part, time_of: Mapping[int, int]) -> tuple[Block, ...]:
    trace = part.trace
    root: dict[int, int] = {}
    members: dict[int, set[int]] = defaultdict(set)
    working = [i for i in part.nodes if part.draws_operation(i) and time_of[i] != BEFORE]
    for i in reversed(working):
        readers = {int(trace.edge_consumer[e]) for e in part.uses(i)}
        roots = {root[k] for k in readers}
        lonely = len(roots) == 1 and all(time_of[k] == time_of[i] for k in readers)
        folds = (
            lonely and i != trace.loss and (not trace[i].name or _continues(trace, i, min(readers)))
        )
        root[i] = roots.pop() if folds else i
        members[root[i]].add(i)
    counts: dict[tuple[int, str], int] = defaultdict(int)
    blocks = []
    for i in working:
        if root[i] != i:
            continue
        title = trace[i].name or trace[i].op_name
        row = (title, counts[time_of[i], title])
        counts[time_of[i], title] += 1
        blocks.append(
            Block(i, time_of[i], row, frozenset(members[i]), _slots(trace, i, members[i]))
        )
    return tuple(blocks)


def _continues(trace: Trace, i: int, reader: int) -> bool:
    """Whether one expression made both, as in `loss = sum(losses)`: every addition of it bears the name."""
    same_line = (
        trace.place_of[i] == trace.place_of[reader] >= 0 and trace.op_of[i] == trace.op_of[reader]
    )
    return bool(
        same_line and trace.scope_of[i] == trace.scope_of[reader] and trace[i].op_name == "add"
    )


def _slots(trace: Trace, root: int, members: set[int]) -> tuple[Slot, ...]:
    """What a block reads, left to right as its formula is written."""
    slots: list[Slot] = []
    seen: set[int] = set()
    waiting: list[tuple[int, int]] = [(root, -1)]
    while waiting:
        node, edge = waiting.pop()
        if node not in members:
            slots.append(Slot(node, edge))
        elif node not in seen:
            seen.add(node)
            start = int(trace.input_start[node])
            sources = list(enumerate(trace.inputs_of(node)))
            waiting.extend((j, start + k) for k, j in reversed(sources) if j >= 0)
    return tuple(slots)


def buses(axis: TimeAxis) -> dict[RowKey, tuple[Block, ...]]:
    """Rows whose values of several steps are read after the last step, such as the losses: their blocks by step."""
    blocks = {block.root: block for block in axis.blocks}
    found: dict[RowKey, dict[int, Block]] = defaultdict(dict)
    for block in axis.blocks:
        for slot in block.slots if block.time == axis.after else ():
            source = blocks.get(slot.source)
            if source is not None and source.time < axis.after:
                found[source.row][source.root] = source
    return {
        row: tuple(found[row].values())
        for row in found
        if len({b.time for b in found[row].values()}) > 1
    }
