"""Lines over the unit square, in which a frame is drawn: thinned to what can be seen, cut at the sides, in pieces.

Points are float (points, 2): right and up, 0 to 1. A NaN leaves a gap.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracer.plots.record import Array

JUMP = 0.03
"""A line that moves by so much of the height across a gap has jumped."""


def pieces(points: Array, columns: int) -> list[Array]:
    """What is seen of a line, from end to end: each piece float (points, 2); a point by itself is a piece of one.

    columns: how many places are told apart from left to right; more points than that are thinned.

    >>> [piece.tolist() for piece in pieces(np.array([[0, 0], [1, 2], [np.nan, 0], [0.5, 0.5]]), 100)]
    [[[0.0, 0.0], [0.5, 1.0]], [[0.5, 0.5]]]
    """
    points = thinned(np.asarray(points, float), columns)
    there = np.asarray(np.isfinite(points).all(axis=1))
    joined = there[:-1] & there[1:]
    alone = there & ~np.concatenate([[False], joined]) & ~np.concatenate([joined, [False]])
    starts, ends = points[:-1][joined], points[1:][joined]
    way = ends - starts
    enter, leave = _inside(starts, way)
    seen = enter <= leave
    starts, way, enter, leave = starts[seen], way[seen], enter[seen], leave[seen]
    first, last = starts + enter[:, None] * way, starts + leave[:, None] * way
    number = np.flatnonzero(joined)[seen]
    goes_on = (np.diff(number) == 1) & (leave[:-1] == 1) & (enter[1:] == 0)
    cuts = np.flatnonzero(~goes_on) + 1
    runs = zip(np.split(first, cuts), np.split(last, cuts), strict=True) if seen.any() else ()
    lines = [np.concatenate([run, to[-1:]]) for run, to in runs]
    dots = points[alone]
    return [*lines, *dots[((dots >= 0) & (dots <= 1)).all(axis=1)][:, None]]


def _inside(starts: Array, way: Array) -> tuple[Array, Array]:
    """From where to where segments lie in the unit square, as shares of their length (Liang & Barsky 1984)."""
    enter, leave = np.zeros(len(way)), np.ones(len(way))
    for k in (0, 1):
        for speed, room in ((-way[:, k], starts[:, k]), (way[:, k], 1 - starts[:, k])):
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                at = room / speed
            enter = np.where(speed < 0, np.fmax(enter, at), enter)
            leave = np.where(speed > 0, np.fmin(leave, at), leave)
            leave = np.where((speed == 0) & (room < -1e-9), -1.0, leave)
    return enter, leave


def thinned(points: Array, columns: int) -> Array:
    """The points without those that nobody could see: of one column the first and last, the highest and lowest stay.

    What turns back is thinned in the order of its points. Gaps narrower than a column close, but not at a jump.
    """
    if len(points) <= 4 * columns:
        return points
    there = np.isfinite(points).all(axis=1)
    gap = np.cumsum(~there)[there]
    kept = points[there]
    if not len(kept):
        return kept
    if np.all(np.diff(kept[:, 0]) >= 0):
        column = np.floor(np.clip(kept[:, 0], -1, 2) * columns).astype(int)
    else:
        column = np.arange(len(kept)) * columns // len(kept)
    by_height = np.lexsort((kept[:, 1], column))
    edge = np.flatnonzero(np.diff(column)) + 1
    first, behind = np.concatenate([[0], edge]), np.concatenate([edge, [len(kept)]])
    chosen = np.unique(np.concatenate([first, behind - 1, by_height[first], by_height[behind - 1]]))
    kept, gap, column = kept[chosen], gap[chosen], column[chosen]
    away = (np.diff(column) > 1) | (np.abs(np.diff(kept[:, 1])) > JUMP)
    broken = np.flatnonzero((np.diff(gap) > 0) & away) + 1
    thin: Array = np.insert(kept, broken, np.nan, axis=0)
    return thin


def straightened(line: Array, tolerance: float) -> Array:
    """A line without the points that lie so near to the chord of their neighbours that nobody would miss them.

    Every second point is looked at, as long as some can go, eight times at most.

    >>> straightened(np.array([[0.0, 0.0], [1.0, 0.001], [2.0, 0.0], [3.0, 1.0]]), 0.01).tolist()
    [[0.0, 0.0], [2.0, 0.0], [3.0, 1.0]]
    """
    for _ in range(8):
        before, at, after = line[:-2:2], line[1:-1:2], line[2::2]
        way = after - before
        off = np.abs(way[:, 0] * (at - before)[:, 1] - way[:, 1] * (at - before)[:, 0])
        between = ((at - before) * (after - at)).sum(axis=1) >= 0
        spare = between & (off <= tolerance * np.hypot(*way.T))
        if not spare.any():
            break
        line = np.delete(line, 2 * np.flatnonzero(spare) + 1, axis=0)
    return line


Crossing = tuple[int, int, int]
"""Where a line crosses the grid: between a corner (row, column) and the one to the right (0) or below it (1)."""


def level_lines(x: Array, y: Array, z: Array, level: float) -> list[Array]:
    """The line of one height on a grid, in pieces from end to end, by marching squares.

    x: float (columns,), y: float (rows,), z: float (rows, columns); a cell with a number that is not finite is
    left out. A saddle is cut by the height of its middle. Returns: float (points, 2) each.

    >>> unit = np.array([0.0, 1.0])
    >>> [line.tolist() for line in level_lines(unit, unit, np.array([[0.0, 0.0], [1.0, 1.0]]), 0.5)]
    [[[1.0, 0.5], [0.0, 0.5]]]
    """
    corners = np.stack([z[:-1, :-1], z[:-1, 1:], z[1:, 1:], z[1:, :-1]])  # round the cell
    above = corners > level
    crossed = (above != np.roll(above, -1, axis=0)) & np.isfinite(corners).all(axis=0)
    steps: dict[Crossing, list[Crossing]] = {}
    for r, c in np.argwhere(crossed.any(axis=0)).tolist():
        sides = [(r, c, 0), (r, c + 1, 1), (r + 1, c, 0), (r, c, 1)]
        met = [side for side, here in zip(sides, crossed[:, r, c], strict=True) if here]
        if len(met) == 4 and (corners[:, r, c].mean() > level) != above[0, r, c]:
            met = [met[3], *met[:3]]
        for a, b in zip(met[::2], met[1::2], strict=True):
            steps.setdefault(a, []).append(b)
            steps.setdefault(b, []).append(a)

    def place(r: int, c: int, down: int) -> tuple[float, float]:
        end = (r + 1, c) if down else (r, c + 1)
        share = (level - z[r, c]) / (z[end] - z[r, c])
        return x[c] + share * (x[end[1]] - x[c]), y[r] + share * (y[end[0]] - y[r])

    return [np.array([place(*one) for one in chain]) for chain in _chains(steps)]


def _chains(steps: dict[Crossing, list[Crossing]]) -> Iterator[list[Crossing]]:
    """Crossings in the order of their line: those that end first, then those that close."""
    for start in sorted(steps, key=lambda one: len(steps[one])):
        chain = [start]
        while steps.get(chain[-1]):
            after = steps[chain[-1]].pop()
            steps[after].remove(chain[-1])
            chain.append(after)
        if len(chain) > 1:
            yield chain
