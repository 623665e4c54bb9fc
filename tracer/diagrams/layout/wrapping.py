"""Breaks a long row of shapes into rows, as text is broken into lines: a figure for a slide, not for a strip.

The layout is cut where nothing stands and few lines run. A line that is cut leaves its row on the right, runs back
between the rows, and enters the next one on the left, at the height at which it was cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from operator import itemgetter
from typing import NamedTuple

from tracer.diagrams.layout.curves import Path, finer, moved, pieces_of, rounded, row_of
from tracer.diagrams.layout.cutting import PAGE, Box, chosen, cuts_of
from tracer.diagrams.layout.drawn import Layout
from tracer.diagrams.layout.pinning import continued, held_open, pinned
from tracer.diagrams.layout.sizes import size_of
from tracer.diagrams.picture import Cluster, Edge, Picture, Point

WIDE, LEAST_WIDTH = 4.75, 800.0
"""A figure wider than a page is broken, and so is a strip, so many times as wide as high and not narrower than that,"""
SLIDE = 16 / 9
"""so that it fills a page of this shape as well as it can,"""
GAIN, MORE = 1.3, 1.05
"""if it can be so many times larger there; and so many times for each further row."""
MOST_ROWS, MOST_SHAPES = 4, 600
LANE, STUB, APART = 11.0, 12.0, 22.0
"""Points between two lines that run back, before the first of them, and between rows that none joins."""
MARGIN, HEADLINE = 12.0, 16.0
"""Points between a frame and what is in it, and more of them for its label."""
LONELY, FORLORN = 0.33, 0.8
"""Where the last row is shorter than this share of the average, the figure keeps that share of its worth."""
UNEQUAL = (1.0, 1.08, 1.17, 1.27, 1.4, 1.6, 1.9)
"""How many times as wide as on average the widest row may be: the wider, the better are the places of the cuts."""
SLACK = 15.0
"""Points of empty page that are worth a second drawing."""


class _Row(NamedTuple):
    """What stands in a row: from where to where it goes, how far it moves, and the pieces of frames in it."""

    left: float
    right: float
    hull: Box
    frames: Mapping[str, Box]


def wrapped(picture: Picture, layout: Layout) -> Picture | None:
    """The picture in several rows, placed; None where it fits a page as it is, or cannot be broken.

    Where a long bow alone makes the page higher than what is drawn, the bow comes in short pieces.
    """
    flat = pinned(picture, layout)
    tight = replace(flat, edges=tuple(map(_tight, flat.edges)))
    boxes = {shape.key: _around(shape.at, size_of(shape)) for shape in flat.shapes if shape.at}
    if not 0 < len(boxes) <= MOST_SHAPES:
        return None
    whole = _hull([*boxes.values(), *layout.boxes.values()])
    width, height = whole[2] - whole[0], whole[3] - whole[1]
    flat_paths = [edge.path for edge in flat.edges if edge.path]
    best = tight if _slack(flat_paths, [edge.path for edge in tight.edges if edge.path]) else None
    if width < min(PAGE, max(LEAST_WIDTH, WIDE * height)) or picture.direction != "rows":
        return best
    flat = tight
    paths = [edge.path for edge in flat.edges]
    cuts = cuts_of(boxes, layout.boxes, [path for path in paths if path])
    least, most = GAIN * _scale(width, height), 0.0
    for count in range(2, MOST_ROWS + 1):
        tried = {chosen(cuts, whole[0], whole[2], count, times) for times in UNEQUAL}
        ways = []
        for places in sorted(filter(None, tried)):
            found = _broken(picture, flat, boxes, [cut.at for cut in places])
            if found is not None and (scale := _scale(*found[1])) > least:
                lonely = (whole[2] - places[-1].at) * count < LONELY * width
                worth = prod(cut.worth for cut in places) * (FORLORN if lonely else 1.0)
                ways.append((scale * worth, found[0]))
        largest = max(ways, key=itemgetter(0), default=(0.0, best))
        if largest[0] > MORE * most:
            most, best = largest
    return best


def _slack(paths: Sequence[Path], tight: Sequence[Path]) -> bool:
    """Whether the points that hold the lines reach much further than the lines themselves."""
    if not paths:
        return False
    outer, inner = (_hull([_hull_of(path) for path in each]) for each in (paths, tight))
    return max(abs(a - b) for a, b in zip(outer, inner, strict=True)) > SLACK


def _tight(edge: Edge) -> Edge:
    """The same line, of points that lie near it; none where it is not seen."""
    return replace(edge, path=None if edge.hidden or edge.path is None else finer(edge.path))


def _scale(width: float, height: float) -> float:
    """How large a figure of that size can be on a page."""
    return min(SLIDE / width, 1 / height)


def _around(at: Point, size: Point) -> Box:
    (x, y), (width, height) = at, size
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _hull(boxes: Sequence[Box]) -> Box:
    left, low, right, high = zip(*boxes, strict=True)
    return (min(left), min(low), max(right), max(high))


def _broken(
    picture: Picture, flat: Picture, boxes: Mapping[str, Box], cuts: Sequence[float]
) -> tuple[Picture, tuple[float, float]] | None:
    """The picture cut there, and how wide and high it is."""
    bounds = [float("-inf"), *cuts, float("inf")]
    pieces = [pieces_of(edge.path, cuts) if edge.path else None for edge in flat.edges]
    if any(edge.path and not part for edge, part in zip(flat.edges, pieces, strict=True)):
        return None  # a line runs back
    rows = []
    for row, (left, right) in enumerate(pairwise(bounds)):
        inside = {key: box for key, box in boxes.items() if left < (box[0] + box[2]) / 2 < right}
        if not inside:
            return None
        frames = _frames(picture, inside, flat)
        lines = [_hull_of(part[row]) for part in pieces if part and row in part]
        rows.append(_Row(left, right, _hull([*inside.values(), *frames.values(), *lines]), frames))
    crossing = [
        sorted(
            (k for k, part in enumerate(pieces) if part and row in part and row + 1 in part),
            key=lambda k: -_at_cut(pieces[k], row)[1],
        )
        for row in range(len(cuts))
    ]
    moves = _moves(rows, crossing)
    right = max(row.hull[2] + move[0] for row, move in zip(rows, moves, strict=True))
    back = 0.0
    edges = []
    for k, (edge, part) in enumerate(zip(flat.edges, pieces, strict=True)):
        if not part:
            edges.append(edge)
            continue
        first, last = min(part), max(part)
        path = list(moved(part[first], moves[first]))
        for row in range(first, last):
            order = crossing[row]
            place, count = order.index(k), len(order)
            following = moved(part[row + 1], moves[row + 1])
            out = rows[row].hull[2] + moves[row][0] + STUB + LANE * (count - 1 - place)
            home = rows[row + 1].hull[0] + moves[row + 1][0] - STUB - LANE * place
            level = rows[row].hull[1] + moves[row][1] - STUB - LANE * (count - 1 - place)
            corners = [(out, path[-1][1]), (out, level), (home, level), (home, following[0][1])]
            path += rounded([path[-1], *corners, following[0]])[1:]
            path += following[1:]
            right, back = max(right, out), max(back, STUB + LANE * place)
        edges.append(replace(edge, path=tuple(path)))
    shapes = []
    for shape in flat.shapes:
        box = boxes.get(shape.key)
        if box is None or shape.at is None:
            return None
        x, y = moves[row_of((box[0] + box[2]) / 2, cuts)]
        shapes.append(replace(shape, at=(shape.at[0] + x, shape.at[1] + y)))
    made = replace(
        flat, shapes=tuple(shapes), edges=tuple(edges), clusters=_clusters(picture, rows, moves)
    )
    left = rows[0].hull[0] - back
    high, low = rows[0].hull[3], rows[-1].hull[1] + moves[-1][1]
    return made, (right - left, high - low)


def _moves(rows: Sequence[_Row], crossing: Sequence[Sequence[int]]) -> list[Point]:
    """How far each row moves: flush left, below the row before it and the lines between the two."""
    moves: list[Point] = [(0.0, 0.0)]
    for (above, below), cut in zip(pairwise(rows), crossing, strict=True):
        room = 2 * STUB + LANE * (len(cut) - 1) if cut else APART
        top = above.hull[1] + moves[-1][1] - room
        moves.append((rows[0].hull[0] - below.hull[0], top - below.hull[3]))
    return moves


def _hull_of(path: Path) -> Box:
    return _hull([(x, y, x, y) for x, y in path])


def _frames(picture: Picture, inside: Mapping[str, Box], flat: Picture) -> dict[str, Box]:
    """The pieces of frames around the shapes of a row, outer ones around inner ones."""
    given = {cluster.key: cluster.box for cluster in flat.clusters}
    found: dict[str, Box] = {}
    for cluster in reversed(list(picture.every_cluster())):
        own = [inside[shape.key] for shape in cluster.shapes if shape.key in inside]
        own += [found[child.key] for child in cluster.clusters if child.key in found]
        box = given.get(cluster.key)
        if not own or box is None:
            continue
        left, low, right, high = _hull(own)
        found[cluster.key] = (left - MARGIN, low - MARGIN, right + MARGIN, high + MARGIN + HEADLINE)
    return found


def _clusters(
    picture: Picture, rows: Sequence[_Row], moves: Sequence[Point]
) -> tuple[Cluster, ...]:
    """The frames in their pieces: the first of each, and what continues it in further rows."""
    made = []
    for cluster in picture.every_cluster():
        pieces = [
            (row.frames[cluster.key], move)
            for row, move in zip(rows, moves, strict=True)
            if cluster.key in row.frames
        ]
        for number, ((left, low, right, high), (x, y)) in enumerate(pieces, 1):
            piece = cluster if number == 1 else continued(cluster, number)
            box = (left + x, low + y, right + x, high + y)
            made.append(held_open(replace(piece, box=box, label_at=None)))
    return tuple(made)


def _at_cut(pieces: Mapping[int, Path] | None, row: int) -> Point:
    """Where a line is cut at the end of a row."""
    assert pieces is not None
    return pieces[row][-1]
