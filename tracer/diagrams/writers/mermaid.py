"""A picture as a Mermaid flowchart, which many readers of Markdown draw: shapes, frames and arrows.

Mermaid cannot colour parts of a label, so a wire reads `x = −2` above `∂ −4`; joints and bare pieces of wire become
part of the arrow that runs through them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tracer.diagrams.names import text_of
from tracer.diagrams.palettes import Palette
from tracer.diagrams.picture import (
    Caption,
    Cluster,
    Edge,
    Joint,
    Pane,
    Picture,
    Point,
    Role,
    Shape,
    Text,
    Wire,
)
from tracer.diagrams.writers.labels import (
    OUTLINES,
    class_of,
    label_text,
    lines_of,
    one_line,
    outline,
    said_of,
    visible,
)

MOST_ARROWS = 500
"""How many arrows Mermaid draws unless the page that holds the figure allows it more."""

_BREAK = "<br/>"


def mermaid_text(picture: Picture, palette: Palette, *, fenced: bool = False) -> str:
    """The picture as a flowchart; `fenced` puts it between the marks of a Mermaid block in Markdown."""
    chart = _Chart(picture)
    said = " · ".join(text_of(line) for line in picture.caption)
    head = ["---", f"title: {json.dumps(visible(said), ensure_ascii=False)}", "---"] if said else []
    lines = [*head, "flowchart LR", *chart.shapes(), *chart.arrows()]
    if len(chart.found) > MOST_ARROWS:
        lines.insert(
            len(head) + 1,
            f"  %% {len(chart.found)} arrows: set maxEdges, Mermaid draws {MOST_ARROWS} by itself",
        )
    lines += [f"  classDef {name} {look}" for name, look in _looks(palette).items()]
    lines += [f"  class {','.join(ids)} {name}" for name, ids in sorted(chart.dressed.items())]
    lines += chart.colours(palette)
    if fenced:
        lines = ["```mermaid", *lines, "```"]
    return "\n".join(lines) + "\n"


def _looks(palette: Palette) -> Mapping[str, str]:
    plain = f"fill:{palette.paper},color:{palette.ink}"
    return {
        "wire": f"{plain},stroke:{palette.cluster_edge}",
        "parameter": f"{plain},stroke:{palette.parameter},stroke-width:2px",
        "ahead": f"fill:{palette.paper},color:{palette.quiet},stroke:{palette.ahead},stroke-dasharray:4 3",
        "gate": f"fill:{palette.gate},color:{palette.ink},stroke:{palette.gate_edge}",
        "current": f"fill:{palette.current},color:{palette.ink},stroke:{palette.gate_edge},stroke-width:3px",
        "words": f"{plain},stroke:none",
        "frame": f"fill:{palette.cluster},color:{palette.ink},stroke:{palette.cluster_edge}",
        "inner": f"fill:{palette.paper},color:{palette.quiet},stroke:{palette.quiet},stroke-dasharray:5 3",
    }


class _Arrow(NamedTuple):
    """One line of the flowchart between two shapes, in the dress of the edge that it ends with."""

    tail: str
    head: str
    label: str
    edge: Edge


@dataclass
class _Chart:
    """Writes one picture, and remembers which shape wears which class."""

    picture: Picture
    dressed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    found: list[_Arrow] = field(default_factory=list)
    places: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """Which of the arrows run from a shape to a shape."""
    ids: dict[str, str] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    edges: list[Edge] = field(init=False)
    passed: dict[str, Shape] = field(init=False)
    """Joints and bare wires, which become part of an arrow."""
    panes: set[str] = field(init=False)
    loose: set[str] = field(init=False)
    """Captions that no edge touches."""

    def __post_init__(self) -> None:
        leaving: dict[str, list[Edge]] = defaultdict(list)
        entering: dict[str, int] = defaultdict(int)
        self.edges = [edge for edge in self.picture.edges if not edge.hidden]
        for edge in self.edges:
            leaving[edge.tail].append(edge)
            entering[edge.head] += 1
        shapes = list(self.picture.every_shape())
        loose = [
            shape
            for shape in shapes
            if isinstance(shape, Caption) and not leaving[shape.key] and not entering[shape.key]
        ]
        self.panes = {shape.key for shape in shapes if isinstance(shape, Pane)}
        self.loose = {caption.key for caption in loose}
        self.passed = {
            shape.key: shape
            for shape in shapes
            if isinstance(shape, Joint)
            or (_is_bare(shape) and leaving[shape.key] and entering[shape.key])
        }
        for edge in self.edges:
            if edge.tail not in self.passed:
                self.found += self.followed(edge, leaving)
        for k, arrow in enumerate(self.found):
            self.places[arrow.tail, arrow.head].append(k)
        for caption in loose if self.picture.placed else ():
            self.attach(caption)

    def followed(self, start: Edge, leaving: Mapping[str, list[Edge]]) -> Iterator[_Arrow]:
        """The arrows that an edge becomes when joints and bare wires on its way are passed through."""
        waiting: list[tuple[Edge, tuple[str, ...]]] = [(start, ())]
        seen: set[int] = set()
        while waiting:
            edge, labels = waiting.pop()
            if id(edge) in seen:
                continue
            seen.add(id(edge))
            labels += (said_of(edge.label),)
            shape = self.passed.get(edge.head)
            if shape is None:
                yield _Arrow(start.tail, edge.head, " ".join(filter(None, labels)), edge)
                continue
            if isinstance(shape, Wire) and shape.gradient:
                labels += (said_of(shape.gradient),)
            waiting += [(onward, labels) for onward in reversed(leaving[edge.head])]

    def attach(self, caption: Caption) -> None:
        """Make a caption that was placed beside a line the label of that line, if its key says which line that is.

        Nearness would not do: a contribution at the wrong line is a wrong number.
        """
        words = re.fullmatch(r"[tf](\d+)x([a-z]*)(\d+)f?", caption.key)
        if words is None:
            return
        places = self.places.get((f"n{words[1]}", f"{words[2] or 'g'}{words[3]}"), [])
        if len(places) == 1 and not self.found[places[0]].label:
            k = places[0]
            self.found[k] = self.found[k]._replace(label=said_of(caption.text))

    # ----- shapes

    def shapes(self) -> Iterator[str]:
        """Shapes and frames, nested as in the picture; what stands on a pane is inside it."""
        panes = [shape for shape in self.picture.shapes if isinstance(shape, Pane)]
        ground = _Ground(panes)
        inside: dict[str, list[Shape]] = defaultdict(list)
        for shape in self.picture.shapes:
            pane = ground.under(shape)
            if pane is not None:
                inside[pane.key].append(shape)
            elif not isinstance(shape, Pane):
                yield from self.shape(shape, "  ")
        for pane in panes:
            yield from self.frame(pane.key, pane.label, "frame", "  ")
            for shape in inside[pane.key]:
                yield from self.shape(shape, "    ")
            yield "  end"
        todo: list[tuple[Cluster | None, int]] = [
            (cluster, 1) for cluster in reversed(self.picture.clusters)
        ]
        while todo:  # no recursion: scopes may be nested deeply
            cluster, depth = todo.pop()
            indent = "  " * min(depth, 12)
            if cluster is None:
                yield f"{indent}end"
                continue
            yield from self.frame(
                cluster.key, cluster.label, "frame" if cluster.filled else "inner", indent
            )
            for shape in cluster.shapes:
                yield from self.shape(shape, indent + "  ")
            todo.append((None, depth))
            todo += [(inner, depth + 1) for inner in reversed(cluster.clusters)]

    def frame(self, key: str, label: Text, look: str, indent: str) -> Iterator[str]:
        name = self.named(f"in_{key}")
        self.dressed[look].append(name)
        yield f'{indent}subgraph {name}["{one_line(label) and label_text(one_line(label))}"]'

    def shape(self, shape: Shape, indent: str) -> Iterator[str]:
        beside = self.picture.placed and shape.key in self.loose
        if shape.key in self.passed or beside or isinstance(shape, Pane):
            return
        name = self.named(shape.key)
        lines = lines_of(shape)
        label = _BREAK.join(map(label_text, lines)) or " "
        opening, closing = OUTLINES[outline(shape)]
        self.dressed[class_of(shape)].append(name)
        yield f'{indent}{name}{opening}"{label}"{closing}'

    def named(self, key: str) -> str:
        """An identifier for a key: no word of Mermaid's, and no two alike."""
        if key not in self.ids:
            name = re.sub(r"[^A-Za-z0-9]", "_", key)
            name = name if re.fullmatch(r"[a-z]+_?[a-z]*\d+", name) else f"s_{name}"
            name = f"{name}_{len(self.ids)}" if name in self.given else name
            self.ids[key] = name
            self.given.add(name)
        return self.ids[key]

    # ----- arrows

    def arrows(self) -> Iterator[str]:
        """The lines between shapes, with their labels."""
        for arrow in self.found:
            label = f'|"{label_text(arrow.label)}"|' if arrow.label else ""
            tail, head = (
                self.named(f"in_{key}" if key in self.panes else key)
                for key in (arrow.tail, arrow.head)
            )
            yield f"  {tail} {_shaft(arrow.edge)}{label} {head}"

    def colours(self, palette: Palette) -> Iterator[str]:
        """One line for each colour of arrows that differs from a wire's, by their numbers."""
        by_role: dict[Role, list[str]] = defaultdict(list)
        for number, arrow in enumerate(self.found):
            if arrow.edge.role != "wire":
                by_role[arrow.edge.role].append(str(number))
        for role, numbers in sorted(by_role.items()):
            yield f"  linkStyle {','.join(numbers)} stroke:{palette.of(role)}"


def _is_bare(shape: Shape) -> bool:
    return isinstance(shape, Wire) and not shape.value and not shape.name


class _Ground:
    """Panes by the squares of a grid that they touch, so that a shape is held against those near it."""

    def __init__(self, panes: Sequence[Pane]) -> None:
        self.wide, self.high = (
            max(1.0, median(pane.size[k] for pane in panes)) if panes else 1.0 for k in (0, 1)
        )
        self.squares: dict[tuple[int, int], list[Pane]] = defaultdict(list)
        for pane in panes:
            (u, v), (width, height) = pane.at, pane.size
            left, low = self.square(u - width / 2, v - height / 2)
            right, top = self.square(u + width / 2, v + height / 2)
            for column in range(left, right + 1):
                for row in range(low, top + 1):
                    self.squares[column, row].append(pane)

    def square(self, x: float, y: float) -> tuple[int, int]:
        return int(x // self.wide), int(y // self.high)

    def under(self, shape: Shape) -> Pane | None:
        """The first pane that a shape stands on."""
        if isinstance(shape, Pane) or shape.at is None:
            return None
        near = self.squares.get(self.square(*shape.at), ())
        return next((pane for pane in near if _stands_on(shape.at, pane)), None)


def _stands_on(at: Point, pane: Pane) -> bool:
    (x, y), (u, v), (width, height) = at, pane.at, pane.size
    return abs(x - u) <= width / 2 and abs(y - v) <= height / 2


def _shaft(edge: Edge) -> str:
    if edge.dashed:
        return "-.->" if edge.arrow else "-.-"
    if edge.heavy:
        return "==>" if edge.arrow else "==="
    return "-->" if edge.arrow else "---"
