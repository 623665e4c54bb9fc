"""Lanes beside the columns of a time step: where lines run down that must not pass through what stands there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from tracer.diagrams.over_time.grid import (
    Cell,
    Grid,
    Lane,
    Loop,
    Owner,
    Place,
    Side,
    grid_of,
    loops_of,
    needs_lane,
)
from tracer.diagrams.over_time.timesteps import Block, RowKey, TimeAxis, buses

SIDE = 0.4
"""How far left of its middle the shapes of a column begin, in columns."""
NEAR = 0.45
"""A straight line that passes a cell at less than so many bands is taken to strike it."""


def grids_of(axis: TimeAxis) -> dict[int, Grid]:
    """The grid of each loop, with its lanes."""
    return {loop.number: with_lanes(loop, grid_of(loop)) for loop in loops_of(axis)}


def with_lanes(loop: Loop, grid: Grid) -> Grid:
    """A grid with the lanes that the lines of its loop need."""
    trunks = _trunks(loop, grid)
    lanes: dict[Lane, Place] = {}
    count: dict[tuple[int, Side], int] = defaultdict(int)

    def open_lane(column: int, owner: Owner, side: Side) -> None:
        if (column, owner) not in lanes:
            lanes[column, owner] = side, count[column, side]
            count[column, side] += 1

    shared = frozenset(loop.axis.shared)
    readers = Counter((owner, column) for (owner, _), column in trunks.items())
    for (owner, column), count_of in readers.items():
        open_lane(column, ("trunk", owner), "trunk" if count_of > 1 else "left")
    for block in loop.inside:
        row = grid.rows[block.row]
        for slot in block.slots:
            source = loop.blocks.get(slot.source)
            start = _source(loop, grid, slot.source, block)
            if start is not None and grid.is_barred((start.column, start.band), row):
                open_lane(start.column + 1, ("trunk", start.owner), "trunk")
            if slot.source in shared and not grid.is_top(row.gate):
                open_lane(row.gate[0], slot.source, "right" if row.backwards else "left")
            elif source is not None and needs_lane(grid, source, block):
                open_lane(row.gate[0], source.row, "right")
    for bus in buses(loop.axis):
        if bus in grid.rows:
            value = grid.rows[bus].value
            if not grid.is_clear(value, (value[0], grid.bands)):
                open_lane(value[0], bus, "right")
    return replace(grid, lanes=lanes, trunks=trunks)


@dataclass(frozen=True)
class _Source:
    """A value on its way to gates further right: the last column and the band where it comes from."""

    owner: RowKey | Cell
    column: int
    band: int


def _trunks(loop: Loop, grid: Grid) -> dict[tuple[RowKey | Cell, RowKey], int]:
    """Which values run to which rows along a trunk, and the column left of which it stands.

    Several gates that one value reaches share a line with branches. A single one has a line of its own where a
    straight one would strike something.
    """
    read: dict[tuple[int, _Source], dict[RowKey, Cell]] = defaultdict(dict)
    for block in loop.inside:
        row = grid.rows[block.row]
        for slot in block.slots:
            source = _source(loop, grid, slot.source, block)
            if source is not None and source.column < row.gate[0]:
                read[block.time, source][block.row] = row.gate
    trunks: dict[tuple[RowKey | Cell, RowKey], int] = {}
    seen: set[tuple[_Source, frozenset[RowKey]]] = set()
    for (_, source), gates in read.items():
        if (source, frozenset(gates)) in seen:
            continue
        seen.add((source, frozenset(gates)))
        for key, column in _together(grid, source, gates).items():
            trunks[source.owner, key] = column
    return trunks


def _together(grid: Grid, source: _Source, gates: Mapping[RowKey, Cell]) -> dict[RowKey, int]:
    """The readers that a trunk leads to, each with its column."""
    first = min(column for column, _ in gates.values())
    found: dict[RowKey, int] = {}
    if grid.is_free(source.band, range(source.column + 1, first)):
        members = {
            key: first
            for key, (column, band) in gates.items()
            if column == first or grid.is_free(band, range(first, column))
        }
        found = members if len(members) > 1 else {}
    for key, (column, band) in gates.items():
        struck = band != source.band and _strikes(grid, source, (column, band))
        if (
            key not in found
            and struck
            and grid.is_free(source.band, range(source.column + 1, column))
        ):
            found[key] = column
    return found


def _strikes(grid: Grid, source: _Source, gate: Cell) -> bool:
    """Whether a straight line to a gate would pass through something."""
    far = gate[0] - source.column
    places = [
        *range(1, far),
        far - SIDE,
    ]  # the middles of the columns between, and the side of the gate's own
    return any(
        abs(source.band + (gate[1] - source.band) * place / far - band) < NEAR
        for place in places
        for column, band in grid.taken
        if column == source.column + ceil(place) and (column, band) != gate
    )


def _source(loop: Loop, grid: Grid, node: int, reader: Block) -> _Source | None:
    """Where a value comes from that a block reads; None for what stands above the steps or comes from the right."""
    block = loop.blocks.get(node)
    if block is None:
        start = grid.starts.get(node)
        if start is not None and grid.rows[start].backwards:
            return None
        if start is not None:
            return _Source(start, grid.columns.start - 1, grid.rows[start].value[1])
        cell = grid.leaves.get(node)
        return None if cell is None else _Source(cell, *cell)
    if block.row not in grid.rows or block.time > reader.time:
        return None
    column, band = grid.rows[block.row].value
    if block.time == reader.time:
        return _Source(block.row, column, band)
    if not grid.is_free(band, range(column + 1, grid.columns.stop)):
        return None
    return _Source(block.row, grid.columns.start - 1, band)
