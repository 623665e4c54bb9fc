"""Where things stand within a time step: rows that all steps share, columns, and lanes for lines that pass others.

A value that the next step reads is a state: its gate and its wire lie side by side. Any other value hangs below its
gate. What reads a state stands under that state's wire, one column further right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tracer.diagrams.timesteps import Block, RowKey, TimeAxis, buses

Cell: TypeAlias = tuple[int, int]
"""Column and band; bands count downwards."""
Lane: TypeAlias = tuple[int, RowKey | int]
"""A column, and whose line runs down beside it: a row's value, or a shared node."""


@dataclass(frozen=True)
class Row:
    """The place of one visible value in every step."""

    gate: Cell
    value: Cell
    is_state: bool

    @property
    def lies(self) -> bool:
        """Whether the value stands to the right of its gate rather than below."""
        return self.gate[1] == self.value[1]


@dataclass(frozen=True)
class Grid:
    """The cells of a time step."""

    rows: Mapping[RowKey, Row]
    leaves: Mapping[int, Cell]
    """Leaf node to its cell; leaves in the same slot of different steps share one."""
    starts: Mapping[int, RowKey]
    """The value that a state has ahead of the first step, and that state."""
    lanes: Mapping[Lane, int]
    """A lane's number beside its column, counted from the right."""
    taken: frozenset[Cell]

    @property
    def columns(self) -> range:
        """The columns in use."""
        used = [column for column, _ in self.taken] or [0]
        return range(min(used), max(used) + 1)

    @property
    def bands(self) -> int:
        """The number of bands."""
        return max((band for _, band in self.taken), default=0) + 1

    def is_top(self, cell: Cell) -> bool:
        """Whether nothing stands above a cell."""
        return not any((cell[0], band) in self.taken for band in range(cell[1]))

    def is_clear(self, upper: Cell, lower: Cell) -> bool:
        """Whether nothing stands between two cells of one column."""
        return not any((upper[0], band) in self.taken for band in range(upper[1] + 1, lower[1]))


def grid_of(axis: TimeAxis) -> Grid:
    """The grid of a time axis: rows in the order in which they first run, then leaves, then lanes."""
    blocks = {block.root: block for block in axis.blocks}
    inside = [block for block in axis.blocks if block.time < axis.after]
    rows = _rows(axis, blocks, inside)
    starts = _starts(axis, blocks, inside)
    taken = {cell for row in rows.values() for cell in (row.gate, row.value)}
    leaves = _leaves(axis, blocks, inside, rows, starts, taken)
    grid = Grid(rows, leaves, starts, {}, frozenset(taken))
    return Grid(rows, leaves, starts, _lanes(axis, blocks, inside, grid), grid.taken)


def _rows(axis: TimeAxis, blocks: Mapping[int, Block], inside: list[Block]) -> dict[RowKey, Row]:
    """States, and what only leads to them, lie; what is made of a state hangs below its wire.

    What leads to a state continues the band of the first value it reads, unless a line from an earlier step ends there.
    """
    needs, carrying, lasting = _needs(axis, blocks, inside)
    runs = Counter(block.row for block in inside)
    states = {row for row, times in lasting.items() if 2 * len(times) >= runs[row] - 1}
    leading = _leading(needs, states)
    rows: dict[RowKey, Row] = {}
    taken: set[Cell] = set()
    floor = 0
    for key, sources in needs.items():
        known = [rows[source] for source in sources if source in rows]
        lying = key in states or key in leading
        step = {source: 1 if source in leading and lying else 0 for source in sources}
        column = max((rows[s].value[0] + step[s] for s in sources if s in rows), default=0)
        band = floor
        if lying and known and key not in carrying and all(source in leading for source in sources):
            band = known[0].value[1]
        value = (column + 1, band) if lying else (column, band + 1)
        if {(column, band), value} & taken:
            band = floor
            value = (column + 1, band) if lying else (column, band + 1)
        rows[key] = Row((column, band), value, key in states)
        taken |= {(column, band), value}
        floor = max(floor, value[1] + 1)
    return rows


def _needs(
    axis: TimeAxis, blocks: Mapping[int, Block], inside: list[Block]
) -> tuple[dict[RowKey, dict[RowKey, None]], set[RowKey], dict[RowKey, set[int]]]:
    """What each row reads within a step, which rows read an earlier step, and in which steps a value is read later."""
    needs: dict[RowKey, dict[RowKey, None]] = {}
    carrying: set[RowKey] = set()
    lasting: dict[RowKey, set[int]] = defaultdict(set)
    for block in inside:
        mine = needs.setdefault(block.row, {})
        for slot in block.slots:
            source = blocks.get(slot.source)
            if source is not None and source.time == block.time:
                mine[source.row] = None
            elif source is not None:
                carrying.add(block.row)
                lasting[source.row].add(source.time)
    return needs, carrying, lasting


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


def _starts(axis: TimeAxis, blocks: Mapping[int, Block], inside: list[Block]) -> dict[int, RowKey]:
    """Where later steps read a state, the first step reads what the state was before: `h0`."""
    carried: dict[tuple[RowKey, int], RowKey] = {}
    for block in inside:
        for k, slot in enumerate(block.slots):
            source = blocks.get(slot.source)
            if source is not None and source.time < block.time:
                carried.setdefault((block.row, k), source.row)
    starts: dict[int, RowKey] = {}
    for block in inside:
        for k, slot in enumerate(block.slots):
            if axis.given.get(slot.source) == 0 and (block.row, k) in carried and block.time == 0:
                starts.setdefault(slot.source, carried[block.row, k])
    return starts


def _leaves(
    axis: TimeAxis,
    blocks: Mapping[int, Block],
    inside: list[Block],
    rows: Mapping[RowKey, Row],
    starts: Mapping[int, RowKey],
    taken: set[Cell],
) -> dict[int, Cell]:
    """The cells of what only one step reads; it is added to the cells that are `taken`."""
    below = {key for key, row in rows.items() if row.is_state}
    crossed: set[Cell] = set()  # by lines that come in from the step before
    for block in inside:
        column, band = rows[block.row].gate
        for slot in block.slots:
            origin = blocks.get(slot.source, block)
            if origin.time < block.time and rows[origin.row].value[1] == band:
                below.add(block.row)
                crossed.update((c, band) for c in range(-1, column))
    cells: dict[tuple[RowKey, int], Cell] = {}
    leaves: dict[int, Cell] = {}
    for block in inside:
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


def _lanes(
    axis: TimeAxis, blocks: Mapping[int, Block], inside: list[Block], grid: Grid
) -> dict[Lane, int]:
    lanes: dict[Lane, int] = {}
    count: dict[int, int] = defaultdict(int)

    def open_lane(column: int, owner: RowKey | int) -> None:
        if (column, owner) not in lanes:
            lanes[column, owner] = count[column]
            count[column] += 1

    shared = frozenset(axis.shared)
    for block in inside:
        gate = grid.rows[block.row].gate
        for slot in block.slots:
            source = blocks.get(slot.source)
            if slot.source in shared and not grid.is_top(gate):
                open_lane(gate[0], slot.source)
            elif source is not None and needs_lane(grid, source, block):
                open_lane(gate[0], source.row)
    for row in buses(axis):
        value = grid.rows[row].value
        if not grid.is_clear(value, (value[0], grid.bands)):
            open_lane(value[0], row)
    return lanes


def needs_lane(grid: Grid, source: Block, reader: Block) -> bool:
    """Whether the line from a value down to a gate of the same step would pass through something."""
    value, gate = grid.rows[source.row].value, grid.rows[reader.row].gate
    return source.time == reader.time and value[0] == gate[0] and not grid.is_clear(value, gate)
