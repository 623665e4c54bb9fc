"""The pieces of a drawing: a box, a layer with the gap behind it, the layers of a time step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tracer.layered.tracks import Wire

TILE = 64
"""The wires of a gap are found by stretches of so many rows."""


class Box(NamedTuple):
    """The rectangle of a node: left column, top row, size."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Column:
    """One layer: its boxes, the bends that pass it as (source, row), and the gap behind it with the wires in it.

    Places along the flow count from the first layer, rows across it: of a drawing from left to right these are the
    columns and rows of the screen, of one from top to bottom it is the other way round.
    """

    start: int
    size: int
    boxes: tuple[int, ...]
    bends: tuple[tuple[int, int], ...]
    gap: int
    wires: tuple[Wire, ...]

    @property
    def edge(self) -> int:
        """Where the gap begins."""
        return self.start + self.size

    @property
    def end(self) -> int:
        """The first place behind the gap."""
        return self.start + self.size + self.gap

    def wires_near(self, low: int, high: int) -> Sequence[Wire]:
        """The wires that have a part between two rows, the second not included."""
        if len(self.wires) <= TILE:
            return [wire for wire in self.wires if wire.high >= low and wire.low < high]
        tiles = self._tiles
        found: dict[int, None] = {}
        for tile in range(max(0, low) // TILE, max(0, high - 1) // TILE + 1):
            found.update(dict.fromkeys(tiles.get(tile, ())))
        return [self.wires[number] for number in found]

    @cached_property
    def _tiles(self) -> dict[int, list[int]]:
        tiles: dict[int, list[int]] = {}
        for number, wire in enumerate(self.wires):
            for tile in range(wire.low // TILE, wire.high // TILE + 1):
                tiles.setdefault(tile, []).append(number)
        return tiles

    @cached_property
    def wires_of(self) -> dict[int, list[Wire]]:
        """The wires that carry each value."""
        found: dict[int, list[Wire]] = {}
        for wire in self.wires:
            found.setdefault(wire.source, []).append(wire)
        return found

    @cached_property
    def bend_of(self) -> dict[int, int]:
        """The row of each value that passes the layer."""
        return dict(self.bends)

    def bends_near(self, low: int, high: int) -> Sequence[tuple[int, int]]:
        """The bends between two rows, the second not included."""
        first = bisect_left(self.bends, low, key=_row)
        return self.bends[first : bisect_left(self.bends, high, key=_row)]


def _row(bend: tuple[int, int]) -> int:
    return bend[1]


class Block(NamedTuple):
    """The layers of a time step: where they begin and end along the flow, and the rank of the time step."""

    start: int
    end: int
    time: int
