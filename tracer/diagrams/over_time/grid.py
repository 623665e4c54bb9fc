"""Where things stand within a time step: rows that all steps of a loop share, columns, and lanes beside them.

A value that the next step reads is a state: its gate and its wire lie side by side. Any other value hangs below its
gate. What reads a state stands under that state's wire, one column further right. The state of a loop that runs
backwards in time lies the other way round, and what it reads stands to the right of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tracer.diagrams.over_time.timesteps import Block, RowKey, TimeAxis

Cell: TypeAlias = tuple[int, int]
"""Column and band; bands count downwards."""
Owner: TypeAlias = RowKey | int | tuple[str, RowKey | Cell]
"""Whose line runs down beside a column: a row's value, a shared node, or a value with branches into the column."""
Lane: TypeAlias = tuple[int, Owner]
"""A column and an owner."""
Side: TypeAlias = Literal["trunk", "left", "right"]
"""From left to right the lanes of a column: trunks, room for what their branches carry, others, the cells, others."""
Place: TypeAlias = tuple[Side, int]
"""Where a lane is, and which of those it is."""


@dataclass(frozen=True)
class Row:
    """The place of one visible value in every step."""

    gate: Cell
    value: Cell
    is_state: bool

    @property
    def backwards(self) -> bool:
        """Whether it is the state of a loop that runs backwards in time: its value stands left of its gate."""
        return self.value[0] < self.gate[0]


@dataclass(frozen=True)
class Grid:
    """The cells of a time step of one loop."""

    rows: Mapping[RowKey, Row]
    leaves: Mapping[int, Cell]
    """Leaf node to its cell; leaves in the same slot of different steps share one."""
    starts: Mapping[int, RowKey]
    """The value that a state has ahead of the first step, and that state."""
    taken: frozenset[Cell]
    lanes: Mapping[Lane, Place] = field(default_factory=dict)
    trunks: Mapping[tuple[RowKey | Cell, RowKey], int] = field(default_factory=dict)
    """For a value and a row that reads it along a trunk, the column beside which the trunk runs."""

    @property
    def columns(self) -> range:
        """The columns in use."""
        used = [column for column, _ in self.taken] or [0]
        return range(min(used), max(used) + 1)

    @property
    def bands(self) -> int:
        """The number of bands."""
        return max((band for _, band in self.taken), default=0) + 1

    def owner(self, node: int, block: Block | None) -> RowKey | Cell | None:
        """What a value is called that is alike in all steps: its row, also ahead of the first step, or its cell."""
        if block is not None:
            return block.row
        return self.starts.get(node) or self.leaves.get(node)

    def band_of(self, owner: RowKey | Cell) -> int:
        """The band of a value, named as `owner` names it."""
        return owner[1] if len(owner) == 2 else self.rows[owner].value[1]

    def is_free(self, band: int, columns: Iterable[int]) -> bool:
        """Whether nothing stands in a band at these columns."""
        return not any((column, band) in self.taken for column in columns)

    def is_barred(self, value: Cell, row: Row) -> bool:
        """Whether something stands between a value and the gate of a row in the same band, further right."""
        column, band = row.gate
        ahead = not row.backwards and value[1] == band and value[0] < column
        return ahead and not self.is_free(band, range(value[0] + 1, column))

    def leaves_lane(self, owner: RowKey | Cell, reader: RowKey) -> bool:
        """Whether the line from a value to a row comes out of a lane, or runs on where one below it leaves."""
        column = self.rows[reader].gate[0]
        parts = (column, ("trunk", owner)) in self.lanes and owner not in {
            o for o, _ in self.trunks
        }
        return (owner, reader) in self.trunks or parts

    def is_top(self, cell: Cell) -> bool:
        """Whether nothing stands above a cell."""
        return not any((cell[0], band) in self.taken for band in range(cell[1]))

    def is_clear(self, upper: Cell, lower: Cell) -> bool:
        """Whether nothing stands between two cells of one column."""
        return not any((upper[0], band) in self.taken for band in range(upper[1] + 1, lower[1]))


@dataclass(frozen=True)
class Loop:
    """What the steps of one loop do."""

    axis: TimeAxis
    blocks: Mapping[int, Block]
    """Every block by its root."""
    inside: Sequence[Block]
    """Those of the loop."""
    number: int

    def sources(self, block: Block) -> list[Block]:
        """The blocks of this loop that a block reads."""
        found = [self.blocks.get(slot.source) for slot in block.slots]
        return [b for b in found if b is not None and b.row[0] == self.number]


def loops_of(axis: TimeAxis) -> list[Loop]:
    """The loops of a time axis."""
    blocks = {block.root: block for block in axis.blocks}
    inside: dict[int, list[Block]] = {number: [] for number in axis.loops}
    for block in axis.blocks:
        if block.time < axis.after:
            inside[block.row[0]].append(block)
    return [Loop(axis, blocks, found, number) for number, found in inside.items()]


def grid_of(loop: Loop) -> Grid:
    """The grid of a loop without lanes: rows in the order in which they first run, then leaves."""
    rows = _rows(loop)
    starts = _starts(loop)
    taken = {cell for row in rows.values() for cell in (row.gate, row.value)}
    leaves = _leaves(loop, rows, starts, taken)
    return Grid(rows, leaves, starts, frozenset(taken))


@dataclass(frozen=True)
class _Needs:
    """Who reads whom."""

    within: Mapping[RowKey, Mapping[RowKey, None]]
    """What each row reads within a step."""
    carrying: set[RowKey]
    """Rows that read another step."""
    lasting: Mapping[RowKey, set[int]]
    """In which steps a value is read by another step."""
    backwards: set[RowKey]
    """Rows that an earlier step reads."""
    gates: Mapping[RowKey, RowKey]
    """A further result of a cell, and the row at whose gate it appears."""


def _rows(loop: Loop) -> dict[RowKey, Row]:
    """States, and what only leads to them, lie; what is made of a state hangs below its wire.

    What leads to a state continues the band of the first value it reads, unless a line from another step ends there.
    """
    needs = _needs(loop)
    runs = Counter(block.row for block in loop.inside)
    states = {row for row, times in needs.lasting.items() if 2 * len(times) >= runs[row] - 1}
    leading = _leading(needs.within, states)
    rows: dict[RowKey, Row] = {}
    taken: set[Cell] = set()
    floor = 0
    for key, sources in needs.within.items():
        if key in needs.gates:
            first = rows[needs.gates[key]]
            value = (first.value[0], max(floor, first.value[1] + 1))
            rows[key] = Row(first.gate, value, key in states)
            taken.add(value)
            floor = max(floor, value[1] + 1)
            continue
        known = [rows[source] for source in sources if source in rows]
        lying = key in states or key in leading or _has_results(needs, key)
        step = {source: 1 if source in leading and lying else 0 for source in sources}
        column = max((rows[s].value[0] + step[s] for s in sources if s in rows), default=0)
        band = floor
        if lying and known and key not in needs.carrying and all(s in leading for s in sources):
            band = known[0].value[1]
        value = (column + 1, band) if lying else (column, band + 1)
        if {(column, band), value} & taken:
            band = floor
            value = (column + 1, band) if lying else (column, band + 1)
        gate = (column, band)
        if key in needs.backwards:
            gate, value = value, gate
        rows[key] = Row(gate, value, key in states)
        taken |= {gate, value}
        floor = max(floor, gate[1] + 1, value[1] + 1)
    return rows


def _has_results(needs: _Needs, key: RowKey) -> bool:
    return key in needs.gates.values()


def _needs(loop: Loop) -> _Needs:
    within: dict[RowKey, dict[RowKey, None]] = {}
    carrying: set[RowKey] = set()
    lasting: dict[RowKey, set[int]] = defaultdict(set)
    backwards: set[RowKey] = set()
    gates: dict[RowKey, RowKey] = {}
    first_of: dict[int, RowKey] = {}
    for block in loop.inside:
        mine = within.setdefault(block.row, {})
        owner = first_of.setdefault(block.gate, block.row)
        if owner != block.row:
            gates[block.row] = owner
        for source in loop.sources(block):
            if source.time == block.time:
                mine[source.row] = None
            else:
                carrying.add(block.row)
                lasting[source.row].add(source.time)
                if source.time > block.time:
                    backwards.add(source.row)
    return _Needs(within, carrying, lasting, backwards, gates)


def _leading(needs: Mapping[RowKey, Mapping[RowKey, None]], states: set[RowKey]) -> set[RowKey]:
    """The rows that no state of the same step leads to, but that lead to one."""
    behind: set[RowKey] = set()
    for key, sources in needs.items():
        if any(source in states or source in behind for source in sources):
            behind.add(key)
    leading: set[RowKey] = set()
    waiting = list(states)
    while waiting:
        for source in needs.get(waiting.pop(), ()):
            if source not in states and source not in behind and source not in leading:
                leading.add(source)
                waiting.append(source)
    return leading


def _starts(loop: Loop) -> dict[int, RowKey]:
    """Where other steps read a state, the first step reads what the state was before: `h0`."""
    carried: dict[tuple[RowKey, int], RowKey] = {}
    opening: dict[RowKey, Block] = {}
    for block in loop.inside:
        opening.setdefault(block.row, block)
        for k, slot in enumerate(block.slots):
            source = loop.blocks.get(slot.source)
            if source is not None and source.time != block.time and source.row[0] == loop.number:
                carried.setdefault((block.row, k), source.row)
    starts: dict[int, RowKey] = {}
    for (row, k), state in carried.items():
        first = opening[row]
        for number, slot in enumerate(first.slots):
            given = loop.axis.given.get(slot.source) == first.time
            if number == k and given and slot.source not in loop.blocks:
                starts.setdefault(slot.source, state)
    return starts


def _leaves(
    loop: Loop, rows: Mapping[RowKey, Row], starts: Mapping[int, RowKey], taken: set[Cell]
) -> dict[int, Cell]:
    """The cells of what only one step reads; it is added to the cells that are `taken`."""
    axis = loop.axis
    below = {key for key, row in rows.items() if row.is_state}
    crossed: set[Cell] = set()  # by lines that come in from the step before
    for block in loop.inside:
        column, band = rows[block.row].gate
        for origin in loop.sources(block):
            if origin.time < block.time and rows[origin.row].value[1] == band:
                below.add(block.row)
                crossed.update((c, band) for c in range(-1, column))
            if origin.time > block.time and rows[origin.row].value[1] == band:
                start = rows[origin.row].value[0]
                crossed.update((c, band) for c in range(-2, start))
                crossed.update((c, band) for c in range(column + 1, column + 4))
    cells: dict[tuple[RowKey, int], Cell] = {}
    leaves: dict[int, Cell] = {}
    for block in loop.inside:
        here = [slot.source for slot in block.slots if axis.given.get(slot.source) == block.time]
        fresh = [j for j in dict.fromkeys(here) if j not in starts and j not in leaves]
        for ordinal, leaf in enumerate(fresh):
            key = (block.row, ordinal)
            if key not in cells:
                cells[key] = _free_cell(rows[block.row], block.row in below, taken, crossed)
                taken.add(cells[key])
            leaves[leaf] = cells[key]
    return leaves


def _free_cell(row: Row, below: bool, taken: set[Cell], crossed: set[Cell]) -> Cell:
    """The cell for a leaf: left of its gate, or below where a line from the step before comes in; else further down."""
    column, band = row.gate
    reach = range(1, len(taken) + len(crossed) + 2)
    wanted = [(column - 1, band)]
    if below:
        stop = next((k for k in reach if (column, band + k) in taken), len(reach))
        wanted = [(column, band + k) for k in reach if k < stop]
    wanted += [(column - 1, band + k) for k in reach]
    return next(cell for cell in wanted if cell not in taken and cell not in crossed)


def needs_lane(grid: Grid, source: Block, reader: Block) -> bool:
    """Whether the line from a value down to a gate of the same step would pass through something."""
    if source.time != reader.time or source.row not in grid.rows:
        return False
    value, gate = grid.rows[source.row].value, grid.rows[reader.row].gate
    return value[0] == gate[0] and not grid.is_clear(value, gate)
