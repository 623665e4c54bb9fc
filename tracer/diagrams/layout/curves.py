"""Lines of Bezier curves: divided, cut into rows, moved, and drawn at right angles with round corners."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tracer.diagrams.picture import Point

BOW = 8.0
"""Points before and behind a corner in which a line turns."""
Path = tuple[Point, ...]


def finer(path: Path) -> Path:
    """The same line in four times as many pieces, whose points lie near it."""
    found = [path[0]]
    for k in range(0, len(path) - 3, 3):
        for half in divided(path[k : k + 4], 0.5):
            for quarter in divided(half, 0.5):
                found += quarter[1:]
    return tuple(found)


def pieces_of(path: Path, cuts: Sequence[float]) -> dict[int, Path] | None:
    """What of a line lies in which row, from its tail on; None if it runs back to an earlier row."""
    row = row_of(path[0][0], cuts)
    found: dict[int, list[Point]] = {row: [path[0]]}
    for k in range(0, len(path) - 3, 3):
        rest = list(path[k : k + 4])
        while (goal := row_of(rest[3][0], cuts)) > row:
            before, rest = _split(rest, cuts[row])
            found[row] += before[1:]
            row += 1
            found[row] = [rest[0]]
        if goal < row:
            return None
        found[row] += rest[1:]
    return {row: tuple(points) for row, points in found.items()}


def row_of(x: float, cuts: Sequence[float]) -> int:
    """In which row an abscissa lies that is cut there."""
    return sum(x > cut for cut in cuts)


def _split(piece: Sequence[Point], at: float) -> tuple[list[Point], list[Point]]:
    """A Bezier curve in two, where it comes to an abscissa."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if divided(piece, middle)[1][0][0] < at:
            low = middle
        else:
            high = middle
    return divided(piece, high)


def divided(piece: Sequence[Point], share: float) -> tuple[list[Point], list[Point]]:
    """The two parts of a Bezier curve, by the construction of de Casteljau."""
    levels = [list(piece)]
    while len(levels[-1]) > 1:
        levels.append(
            [(a + (c - a) * share, b + (d - b) * share) for (a, b), (c, d) in pairwise(levels[-1])]
        )
    return [level[0] for level in levels], [level[-1] for level in reversed(levels)]


def moved(path: Path, by: Point) -> Path:
    """The line somewhere else."""
    return tuple((x + by[0], y + by[1]) for x, y in path)


def rounded(corners: Sequence[Point]) -> list[Point]:
    """A line at right angles, as curves, with its corners rounded."""
    path = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        near, far = _towards(corner, before), _towards(corner, after)
        path += [*_straight(path[-1], near), corner, corner, far]
    return [*path, *_straight(path[-1], corners[-1])]


def _towards(start: Point, goal: Point) -> Point:
    """A little way from a corner towards the next one."""
    (x, y), (u, v) = start, goal
    length = abs(u - x) + abs(v - y)
    share = min(BOW, length / 2) / length if length else 0.0
    return (x + (u - x) * share, y + (v - y) * share)


def _straight(start: Point, end: Point) -> list[Point]:
    (x, y), (u, v) = start, end
    return [
        (x + (u - x) / 3, y + (v - y) / 3),
        (u - (u - x) / 3, v - (v - y) / 3),
        end,
    ]
