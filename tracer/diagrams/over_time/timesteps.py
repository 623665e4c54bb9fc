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
RowKey: TypeAlias = tuple[int, str, int]
"""A visible value, the same in every step: its loop, its name or operation, and which of that name in the step."""


@dataclass(frozen=True)
class Slot:
    """One input of a block: the node read, the edge by which it is read, and whether a detach cuts the way back."""

    source: int
    edge: int
    cut: bool = False


@dataclass(frozen=True)
class Block:
    """A visible operation with the unnamed ones folded into its gate, and what they read, in a fixed order."""

    root: int
    time: int
    row: RowKey
    members: tuple[int, ...]
    slots: tuple[Slot, ...]
    gate: int
    """The node at whose gate the value appears: its own, or that of a cell with several results, as an LSTM's."""

    @property
    def owns_gate(self) -> bool:
        """Whether the gate is drawn for this value; the further results of a cell share that of the first."""
        return bool(self.members)


@dataclass(frozen=True)
class TimeAxis:
    """The steps of a part, its blocks in order, and the nodes that several steps read."""

    labels: tuple[str, ...]
    """What each step is called, in the order in which they ran: `t = 3`, or `decoder 3`."""
    indices: tuple[str, ...]
    """The index of each step, as a subscript for names."""
    loops: tuple[int, ...]
    """For each step the loop that it belongs to: an encoder's, a decoder's."""
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

    Steps are told apart by their index alone, so that several scopes may share a step, and a loop may run from the
    last word to the first; where that would make the value of one loop flow back in time to another (two loops, one
    after the other), by their whole scope.
    """
    columns = _Columns(part)
    steps = _operation_times(columns, by_index=True)
    if _runs_back(columns, steps.time_of):
        steps = _operation_times(columns, by_index=False)
    readers = _readers(columns, steps.time_of)
    outside = [i for i in part.nodes if steps.time_of.get(i, BEFORE) == BEFORE and i in readers]
    return TimeAxis(
        steps.labels,
        steps.indices,
        steps.loops,
        steps.time_of,
        {i: min(readers[i]) for i in outside if len(readers[i]) == 1},
        _blocks(columns, steps),
        tuple(i for i in outside if len(readers[i]) > 1),
    )


class _Columns:
    """The columns of a trace as plain lists: a long loop asks them a hundred thousand times."""

    def __init__(self, part: Part) -> None:
        trace = part.trace
        self.part, self.trace = part, trace
        self.names = trace.names
        self.scope_of: list[int] = trace.scope_of.tolist()
        self.op_of: list[int] = trace.op_of.tolist()
        self.place_of: list[int] = trace.place_of.tolist()
        self.starts: list[int] = trace.input_start.tolist()
        self.inputs: list[int] = trace.input_of.tolist()
        self.consumers: list[int] = trace.edge_consumer.tolist()
        self.working = [i for i in part.nodes if part.draws_operation(i)]
        self.prefixes = [_time_prefix(trace, s) for s in range(len(trace.scopes))]

    def reads(self, i: int) -> list[int]:
        """What node i reads, negative numbers for Python's."""
        return self.inputs[self.starts[i] : self.starts[i + 1]]

    def readers(self, i: int) -> list[int]:
        """The shown operations that read node i."""
        return [self.consumers[edge] for edge in self.part.uses(i)]

    def op_name(self, i: int) -> str:
        return self.trace.ops[self.op_of[i]].name


@dataclass(frozen=True)
class _Steps:
    labels: tuple[str, ...]
    indices: tuple[str, ...]
    loops: tuple[int, ...]
    time_of: dict[int, int]


def _runs_back(columns: _Columns, time_of: Mapping[int, int]) -> bool:
    """Whether a value is read by an earlier step, other than within one loop that runs backwards."""
    loops = [
        (*prefix[:-1], getattr(prefix[-1], "name", "")) if prefix else ()
        for prefix in columns.prefixes
    ]
    ahead: set[tuple[object, ...]] = set()
    back: set[tuple[object, ...]] = set()
    for i, time in time_of.items():
        for j in columns.reads(i):
            before = time_of.get(j) if j >= 0 else None
            if before is None or before in (BEFORE, time):
                continue
            mine, its = loops[columns.scope_of[i]], loops[columns.scope_of[j]]
            if before > time and mine != its:
                return True
            if mine == its and mine:
                (back if before > time else ahead).add(mine)
    return bool(ahead & back)


def _operation_times(columns: _Columns, *, by_index: bool) -> _Steps:
    """The labels and indices of the steps, and the step of each operation."""
    trace = columns.trace
    steps: dict[object, int] = {}
    labels: list[str] = []
    indices: list[str] = []
    loops: list[int] = []
    loop_of: dict[object, int] = {}
    times: dict[int, int] = {}
    for i in columns.working:
        prefix = columns.prefixes[columns.scope_of[i]]
        if not prefix:
            continue
        entry = trace.scopes[columns.scope_of[i]][len(prefix) - 1]
        key = entry.index if by_index else prefix
        if key not in steps:
            steps[key] = len(steps)
            name = ".".join(map(str, (*prefix[:-1], entry.name)))
            labels.append(f"t = {entry.index}" if by_index else f"{name} {entry.index}")
            indices.append(str(entry.index))
            loops.append(0 if by_index else loop_of.setdefault(name, len(loop_of)))
        times[i] = steps[key]
    feeding: set[int] = set()  # outside all steps, but a later step needs them
    for i in reversed(columns.part.nodes):
        if i not in times and any(k in times or k in feeding for k in columns.readers(i)):
            feeding.add(i)
    for i in columns.working:
        if i not in times:
            latest = max((times.get(j, BEFORE) for j in columns.reads(i) if j >= 0), default=BEFORE)
            times[i] = latest if i in feeding or latest == BEFORE else len(steps)
    return _Steps(tuple(labels), tuple(indices), tuple(loops), times)


def _readers(columns: _Columns, time_of: Mapping[int, int]) -> dict[int, set[int]]:
    """For each node the steps that read it, the part after the last step counting as one."""
    readers: dict[int, set[int]] = defaultdict(set)
    for i, time in time_of.items():
        if time != BEFORE:
            for j in columns.reads(i):
                if j >= 0:
                    readers[j].add(time)
    return readers


def _blocks(columns: _Columns, steps: _Steps) -> tuple[Block, ...]:
    time_of, trace = steps.time_of, columns.trace
    root: dict[int, int] = {}
    members: dict[int, list[int]] = defaultdict(list)
    working = [i for i in columns.working if time_of[i] != BEFORE]
    cells = {i for i in working if _has_results(columns, i)}
    for i in reversed(working):
        readers = columns.readers(i)
        roots = {root[k] for k in readers}
        lonely = len(roots) == 1 and all(time_of[k] == time_of[i] for k in readers)
        silent = not columns.names[i] or _continues(columns, i, min(readers, default=i))
        picked = i in cells or not cells.isdisjoint(columns.reads(i)[:1])
        folds = lonely and silent and i != trace.loss and not picked
        root[i] = roots.pop() if folds else i
        members[root[i]].append(i)
    cuts = {
        i
        for i in working
        if root[i] == i
        and i != trace.loss
        and columns.readers(i)
        and {columns.op_name(k) for k in members[i]} == {"detach"}
    }
    counts: dict[tuple[int, str], int] = defaultdict(int)
    opened: set[int] = set()
    blocks = []
    for i in working:
        if root[i] != i or i in cells or i in cuts:
            continue
        time = time_of[i]
        cell = next((j for j in columns.reads(i)[:1] if j in cells), i)
        title = columns.names[i] or columns.op_name(cell)
        loop = steps.loops[time] if time < len(steps.loops) else -1
        row = (loop, title, counts[time, title])
        counts[time, title] += 1
        inside = [] if cell in opened else sorted({*members[i], *members[cell]})
        opened.add(cell)
        slots = _slots(columns, i, frozenset(inside), cuts)
        blocks.append(Block(i, time, row, tuple(inside), slots, cell))
    return tuple(blocks)


def _has_results(columns: _Columns, i: int) -> bool:
    """Whether node i stands for several results that one line of the source picks apart: `h, c = lstm_cell(...)`."""
    if columns.names[i] or columns.op_name(i) == "getitem" or i == columns.trace.loss:
        return False
    readers = columns.readers(i)
    return bool(readers) and all(
        columns.op_name(k) == "getitem" and columns.place_of[k] == columns.place_of[i]
        for k in readers
    )


def _continues(columns: _Columns, i: int, reader: int) -> bool:
    """Whether one expression made both, as in `loss = sum(losses)`: every addition of it bears the name."""
    same_line = (
        columns.place_of[i] == columns.place_of[reader] >= 0
        and columns.op_of[i] == columns.op_of[reader]
    )
    return bool(
        same_line
        and columns.scope_of[i] == columns.scope_of[reader]
        and columns.op_name(i) == "add"
    )


def _slots(
    columns: _Columns, root: int, members: frozenset[int], cuts: set[int]
) -> tuple[Slot, ...]:
    """What a block reads, left to right as its formula is written; a detached value as what it was detached from."""
    slots: list[Slot] = []
    seen: set[int] = set()
    waiting: list[tuple[int, int]] = [(root, -1)] if members else []
    while waiting:
        node, edge = waiting.pop()
        if node not in members:
            slots.append(_behind(columns, node, edge, cuts))
        elif node not in seen:
            seen.add(node)
            start = columns.starts[node]
            sources = list(enumerate(columns.reads(node)))
            waiting.extend((j, start + k) for k, j in reversed(sources) if j >= 0)
    return tuple(slots)


def _behind(columns: _Columns, node: int, edge: int, cuts: set[int]) -> Slot:
    cut = node in cuts
    while node in cuts:
        node = columns.reads(node)[0]
    return Slot(node, edge, cut)


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
        row: tuple(sorted(found[row].values(), key=lambda block: block.time))
        for row in found
        if len({b.time for b in found[row].values()}) > 1
    }
