"""Reads what Graphviz drew: its JSON of drawing operations as strokes, and where it put everything.

The DOT text for this is written with `KEYED`, a palette whose colours are only the numbers of the roles; so a stroke
knows its role, and one layout serves every theme.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any, NamedTuple

from tracer.diagrams.layout.clearing import moved, shifts_of
from tracer.diagrams.measure import BACKSLASH, LOWERED
from tracer.diagrams.palettes import Palette
from tracer.diagrams.picture import Point
from tracer.diagrams.strokes import (
    Curve,
    Dash,
    Drawn,
    Ellipse,
    Item,
    Kind,
    Letters,
    Polygon,
    Stroke,
)

PAD = 18.0
"""Points of paper around the figure."""
FLAT = 2.5
"""A filled rectangle no higher than that is a rule."""
WIRE, HEAD = 1.3, 0.8
"""How thick a wire is drawn, and the rim of an arrow's head."""
ROLES = tuple(field.name for field in fields(Palette))
KEYED = Palette(*(f"#{number:02x}ff00" for number in range(len(ROLES))))
_PAINTS = {getattr(KEYED, role): role for role in ROLES}
OBJECTS, EDGES = b'"objects":', b'"edges":'
"""What begins the lists of the file; an object may have a list of edges too, but that of the graph comes last."""
WINDOW = 1 << 20
"""Bytes of the file that are looked at in one go."""
_BETWEEN = re.compile(r"[\s,]*")
_BOLD, _ITALIC, _LOWERED = 1, 2, 16
_CLUSTER = "cluster_"


class Layout(NamedTuple):
    """A page, and where things stand on it in the coordinates of DOT: points, y upwards."""

    drawn: Drawn
    spots: Mapping[str, Point]
    """Shape to its middle."""
    paths: Mapping[str, tuple[Point, ...]]
    """Edge to its line, arrow tips included."""
    boxes: Mapping[str, tuple[float, float, float, float]]
    """Cluster to left, bottom, right and top."""
    corner: Point = (0.0, 0.0)
    """The lower left corner of all that is drawn, without the paper around it."""
    labels: Mapping[str, Point] = MappingProxyType({})
    """Cluster to the left end of its label, at half its height."""


def layout_of(
    content: bytes, tips: Mapping[str, str] | None = None, *, clear: bool = True
) -> Layout:
    """The layout in a JSON file that Graphviz wrote of a text in the palette `KEYED`; `tips` are by the same keys.

    clear: whether the labels of clusters move out of the way of lines; those of pinned pictures have done so.
    """
    graph = _head(content)
    left, low, right, high = map(float, graph["bb"].split(","))
    page = _Page(PAD - left, PAD + high, tips or {})
    clusters: list[Item] = []
    shapes: list[Item] = []
    spots: dict[str, Point] = {}
    boxes: dict[str, tuple[float, float, float, float]] = {}
    labels: dict[str, Point] = {}
    for thing in _members(content, content.find(OBJECTS)):
        name = thing["name"]
        if "nodes" not in thing and "pos" in thing:
            x, _, y = thing["pos"].partition(",")
            spots[name] = (float(x), float(y.rstrip("!")))
            shapes.append(page.item(name, "shape", thing))
        elif name.startswith(_CLUSTER) and thing.get("bb"):
            key = name[len(_CLUSTER) :]
            x0, y0, x1, y1 = map(float, thing["bb"].split(","))
            boxes[key] = (x0, y0, x1, y1)
            clusters.append(page.item(key, "cluster", thing))
            starts = [each.at[0] for each in clusters[-1].strokes if isinstance(each, Letters)]
            if starts and thing.get("lp"):
                labels[key] = (min(starts) - page.right, float(thing["lp"].partition(",")[2]))
    edges: list[Item] = []
    paths: dict[str, tuple[Point, ...]] = {}
    for thing in _members(content, content.rfind(EDGES)):
        key = thing["id"]
        edges.append(page.item(key, "edge", thing))
        if thing.get("pos"):
            paths[key] = _line(thing["pos"])
    shifts = shifts_of(clusters, (*shapes, *edges)) if clear else {}
    clusters = moved(clusters, shifts)
    for key, (right_by, down_by) in shifts.items():
        labels[key] = (labels[key][0] + right_by, labels[key][1] - down_by)
    below = graph.get("outputorder") == "nodesfirst"
    said = Item("caption", "figure", tuple(page.strokes(graph.get("_ldraw_", ()))))
    items = (
        *clusters,
        *(shapes if below else edges),
        *(edges if below else shapes),
        *((said,) if said.strokes else ()),
    )
    drawn = Drawn(right - left + 2 * PAD, high - low + 2 * PAD, items)
    return Layout(drawn, spots, paths, boxes, (left, low), labels)


def _head(content: bytes) -> dict[str, Any]:
    """What the file says before its lists of objects and edges."""
    found = min((at for at in (content.find(OBJECTS), content.find(EDGES)) if at >= 0), default=-1)
    head = content if found < 0 else content[:found].rstrip(b", \r\n\t") + b"}"
    graph: dict[str, Any] = json.loads(head)
    return graph


def _members(content: bytes, start: int) -> Iterator[dict[str, Any]]:
    """The members of a list in the file, one by one: those of a large figure would take half a gigabyte at once."""
    if start < 0:
        return
    at, window = content.index(b"[", start) + 1, WINDOW
    decode = json.JSONDecoder().raw_decode
    while True:
        text, place = content[at : at + window].decode("utf-8", "ignore"), 0
        while True:
            begin = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]  # it matches anything
            if text[begin : begin + 1] == "]":
                return
            try:
                thing, place = decode(text, begin)
            except json.JSONDecodeError:
                break  # the window ends within it
            yield thing
        if not place:
            if at + window > len(content):
                raise ValueError("Graphviz wrote half a file")
            window *= 2
        at += len(text[:place].encode())


def _line(text: str) -> tuple[Point, ...]:
    """The points of an edge's `pos`; an arrow's tip is reached by a straight last piece."""
    start: Point | None = None
    end: Point | None = None
    points: list[Point] = []
    for word in text.split(";")[0].split():
        mark, _, rest = word.partition(",") if word[0] in "se" else ("", "", word)
        x, _, y = rest.partition(",")
        point = (float(x), float(y))
        if mark == "s":
            start = point
        elif mark == "e":
            end = point
        else:
            points.append(point)
    if start is not None:
        points[:0] = [start, start, points[0]]
    if end is not None:
        points += [points[-1], end, end]
    return tuple(points)


class _Page(NamedTuple):
    """Moves DOT's points to the page."""

    right: float
    down: float
    tips: Mapping[str, str]

    def item(self, key: str, kind: Kind, thing: Mapping[str, Any]) -> Item:
        strokes = list(self.strokes(thing.get("_draw_", ())))
        for name in ("_hdraw_", "_tdraw_"):  # an arrow with a thick rim is a blot
            strokes += [
                tip if isinstance(tip, Letters) else tip._replace(width=HEAD)
                for tip in self.strokes(thing.get(name, ()))
            ]
        strokes += self.strokes(thing.get("_ldraw_", ()))
        return Item(key, kind, tuple(strokes), self.tips.get(key, ""))

    def at(self, point: Sequence[float]) -> Point:
        return (point[0] + self.right, self.down - point[1])

    def strokes(self, operations: Sequence[Mapping[str, Any]]) -> Iterator[Stroke]:
        """The strokes of a list of operations, each of which sets a pen or draws with it."""
        right, down = self.right, self.down
        line = fill = ""
        size, style, width, dash = 14.0, 0, 1.0, _SOLID
        for operation in operations:
            kind = operation["op"]
            if kind == "c":
                line = _PAINTS.get(operation["color"], "")
            elif kind == "C":
                fill = _PAINTS.get(operation["color"], "")
            elif kind == "F":
                size, style = float(operation["size"]), 0
            elif kind == "t":
                style = int(operation["fontchar"])
            elif kind == "S":
                word = operation["style"]
                if word.startswith("setlinewidth("):
                    width = float(word[13:-1])
                elif word in _DASHES:
                    dash = _DASHES[word]
            elif kind == "T":
                if operation["text"].strip():
                    yield self._letters(operation, line, size, style)
            elif kind in "bB":
                points = tuple((x + right, down - y) for x, y in operation["points"])
                yield Curve(points, line, fill if kind == "B" else "", width, dash)
            elif kind in "pPL":
                points = tuple((x + right, down - y) for x, y in operation["points"])
                filled = fill if kind == "P" else ""
                yield _rule(points, filled) or Polygon(
                    points, line, filled, width, dash, kind == "L"
                )
            elif kind in "eE":
                x, y, across, up = operation["rect"]
                filled = fill if kind == "E" else ""
                yield Ellipse(self.at((x, y)), (across, up), line, filled, width, dash)

    def _letters(
        self, operation: Mapping[str, Any], paint: str, size: float, style: int
    ) -> Letters:
        room = float(operation["width"])
        x, y = self.at(operation["pt"])
        x -= {"l": 0.0, "c": room / 2, "r": room}[operation["align"]]
        bold, italic, lowered = (bool(style & bit) for bit in (_BOLD, _ITALIC, _LOWERED))
        size = size * LOWERED if lowered else size
        text = operation["text"].replace(BACKSLASH, "\\")
        return Letters(text, (x, y), room, paint, size, bold, italic, lowered)


def _rule(points: Sequence[Point], paint: str) -> Polygon | None:
    """A cell as flat as a wire is a line through its middle."""
    high, low = min(y for _, y in points), max(y for _, y in points)
    if not paint or not 0 < low - high <= FLAT:
        return None
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    middle = (high + low) / 2
    return Polygon(((left, middle), (right, middle)), paint, width=WIRE, open=True)


_SOLID: Dash = ""
_DASHES: Mapping[str, Dash] = {"solid": "", "dashed": "dashed", "dotted": "dotted"}
