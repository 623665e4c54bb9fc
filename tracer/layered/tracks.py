"""The gap between two layers: every wire gets a vertical track of its own, so that no two wires lie on each other.

A wire that comes in at a row where another goes out must turn before that other one does. Where such demands go
round in a circle, one wire of the circle turns twice, over a row that nobody uses.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

WIDE_TRACKS = 3
"""Up to so many tracks stand a column apart; more stand side by side."""


@dataclass(frozen=True)
class Run:
    """One value crossing a gap: it comes in at a row and goes out at one or several."""

    source: int
    enters: int
    leaves: tuple[int, ...]


@dataclass(frozen=True)
class Wire:
    """A piece of a wire.

    Along `row` from column `start` to column `turn`, then up and down that column, then to the gap's end at
    `leaves`.

    Columns count from the left edge of the gap. A straight wire has turn == start. The first piece of a wire that
    turns twice leaves nowhere.
    """

    source: int
    start: int
    row: int
    turn: int
    low: int
    high: int
    leaves: tuple[int, ...]


@dataclass(frozen=True)
class _Piece:
    run: int
    enters: int
    rows: tuple[int, ...]
    through: bool
    """Whether it goes on to the end of the gap; false for the first half of a wire that turns twice."""

    @property
    def span(self) -> tuple[int, int]:
        return min(self.enters, *self.rows), max(self.enters, *self.rows)


def route(runs: Sequence[Run], *, tight: bool = False) -> tuple[tuple[Wire, ...], int]:
    """The wires of a gap and its width in columns; `tight` where columns are dear.

    >>> wires, width = route([Run(source=0, enters=0, leaves=(0, 3))])
    >>> width, wires[0].turn, (wires[0].low, wires[0].high)
    (4, 1, (0, 3))
    """
    pieces, track = _assign(runs)
    tracks = max(track.values(), default=-1) + 1
    step = 2 if tracks <= WIDE_TRACKS and not tight else 1
    column = {piece: 1 + step * at for piece, at in track.items()}
    first: dict[int, int] = {}
    wires = []
    for number, piece in enumerate(pieces):
        start = column[first[piece.run]] if piece.run in first else 0
        first.setdefault(piece.run, number)
        turn = column.get(number, start)
        leaves = piece.rows if piece.through else ()
        wires.append(Wire(runs[piece.run].source, start, piece.enters, turn, *piece.span, leaves))
    return tuple(wires), max(2 if tight else 3, step * tracks + 2)


def _assign(runs: Sequence[Run]) -> tuple[list[_Piece], dict[int, int]]:
    """Pieces, and the track of each that turns: from the left, a piece as soon as those it waits for have turned."""
    pieces = [_Piece(n, run.enters, run.leaves, True) for n, run in enumerate(runs) if run.leaves]
    used = {row for run in runs for row in (run.enters, *run.leaves)}
    waiting = {n for n, piece in enumerate(pieces) if piece.span[0] != piece.span[1]}
    waits = _waits(pieces, waiting)
    followers: dict[int, list[int]] = {n: [] for n in waiting}
    for n, before in waits.items():
        for other in before:
            followers[other].append(n)
    track: dict[int, int] = {}
    taken: list[list[tuple[int, int]]] = []
    earliest = dict.fromkeys(waiting, 0)
    ready = sorted((n for n in waiting if not waits[n]), key=lambda n: pieces[n].span)
    while waiting:
        if not ready:
            n = min(waiting, key=lambda n: (len(waits[n]), n))
            second = _turn_twice(n, pieces, used)
            waits[second], waits[n] = waits[n] | {n}, set()
            for other in waits[second]:
                followers[other].append(second)
            followers[second], earliest[second], ready = [], earliest[n], [n]
            waiting.add(second)
        freed = []
        for n in ready:
            track[n] = _settle(pieces[n].span, earliest[n], taken)
            waiting.discard(n)
            for other in followers[n]:
                waits[other].discard(n)
                earliest[other] = max(earliest[other], track[n] + 1)
                if not waits[other] and other in waiting:
                    freed.append(other)
        ready = sorted(set(freed), key=lambda n: (earliest[n], pieces[n].span))
    return pieces, track


def _waits(pieces: Sequence[_Piece], turning: set[int]) -> dict[int, set[int]]:
    """For each piece that turns, those that must turn before it: they come in at a row where it goes out."""
    enters = {pieces[n].enters: n for n in turning}
    return {n: {enters[row] for row in pieces[n].rows if enters.get(row, n) != n} for n in turning}


def _settle(span: tuple[int, int], earliest: int, taken: list[list[tuple[int, int]]]) -> int:
    """The leftmost track, not left of `earliest`, where these rows are free; they are taken from now on."""
    at = earliest
    while at < len(taken) and not _is_free(span, taken[at]):
        at += 1
    while at >= len(taken):
        taken.append([])
    insort(taken[at], span)
    return at


def _is_free(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """Whether no row of a span is taken by others, which are apart from each other and in order."""
    at = bisect_left(taken, (span[1] + 1,))
    return at == 0 or taken[at - 1][1] < span[0]


def _turn_twice(n: int, pieces: list[_Piece], used: set[int]) -> int:
    """Break a circle at piece n: it first turns to a free row; what is left of it, a new piece, waits in its stead."""
    piece = pieces[n]
    middle = sum(piece.span) // 2
    free = next(row for row in _outwards(middle) if row not in used)
    used.add(free)
    pieces[n] = _Piece(piece.run, piece.enters, (free,), False)
    pieces.append(_Piece(piece.run, free, piece.rows, True))
    return len(pieces) - 1


def _outwards(row: int) -> Iterator[int]:
    """row, row + 1, row - 1, row + 2, ...; never below 0."""
    yield row
    for step in count(1):
        yield row + step
        if row >= step:
            yield row - step
