"""A picture as DOT text: statements, frames and lines; the same picture gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tracer.diagrams.layout.arrows import shortened
from tracer.diagrams.layout.markup import markup, quoted, shape_attributes
from tracer.diagrams.measure import text_width
from tracer.diagrams.palettes import FONT, Palette
from tracer.diagrams.picture import (
    Cluster,
    Edge,
    Pane,
    Picture,
    Point,
    Side,
    Wire,
)

UNSEEN = "cluster-"
"""What the name of a frame begins with that is not drawn."""
LONGEST_LINE = 16_000
"""Characters of a line's points that Graphviz reads; one with more turns than that is drawn straight."""
MANY_SHAPES = 150
HASTE = {"nslimit": "2", "nslimit1": "2", "mclimit": "0.3"}
"""Of more shapes than that, `dot` seeks less long: a weight shared over thirty ranks would take it minutes."""


def dot_text(picture: Picture, palette: Palette) -> str:
    """The picture in the DOT language, for `dot`, or for `neato -n2` where the picture is placed.

    An edge bears the id `e` and its number in the picture.
    """
    import graphviz  # loaded on first use, so that `import tracer` stays light

    graph = graphviz.Digraph("gradstep", engine="neato" if picture.placed else "dot")
    graph.attr("graph", **_graph_attributes(picture, palette))
    graph.attr("node", fontname=FONT, fontsize="13", fontcolor=palette.ink, color=palette.gate_edge)
    graph.attr(
        "edge", fontname=FONT, color=palette.wire, penwidth="1.3", arrowsize="0.65", arrowhead="vee"
    )
    for shape in picture.shapes:
        graph.body.append(_statement(shape.key, shape_attributes(shape, palette)))
    together = _together(picture)
    graph.body += [f"\t{line}\n" for line in together.get("", ())]
    _write_clusters(graph, picture.clusters, palette, together)
    for keys in (*picture.abreast, *picture.columns):
        graph.body.append(f"\t{{rank=same; {'; '.join(keys)}}}\n")
    wires = {shape.key for shape in picture.every_shape() if isinstance(shape, Wire)}
    for number, edge in enumerate(picture.edges):
        tail = _end(edge.tail, edge.tail_side, edge.tail in wires)
        head = _end(edge.head, edge.head_side, edge.head in wires)
        ends = (head, tail) if edge.backward else (tail, head)
        attributes = {"id": f"e{number}"} | edge_attributes(edge, palette)
        graph.body.append(_statement(" -> ".join(ends), attributes))
    return str(graph.source)


UNIQUE = ("id", "pos", "tooltip")
"""Values that differ from shape to shape and hold no quotation marks: tooltips have been through `quoted`."""


def _statement(what: str, attributes: Mapping[str, str]) -> str:
    """A line of DOT. The package would quote the same few values again for each of many thousand shapes."""
    assigned = (
        f'{name}="{value}"' if name in UNIQUE else _assigned(name, value)
        for name, value in sorted(attributes.items())
    )
    return f"\t{what} [{' '.join(assigned)}]\n"


@lru_cache(1 << 12)
def _assigned(name: str, value: str) -> str:
    from graphviz.quoting import quote

    return f"{name}={quote(value)}"


def _graph_attributes(picture: Picture, palette: Palette) -> dict[str, str]:
    attributes = {
        "bgcolor": palette.paper,
        "pad": "0.25",
        "fontname": FONT,
        "fontcolor": palette.ink,
    }
    if picture.placed:
        grounds = any(
            isinstance(shape, Pane) for shape in picture.shapes
        )  # they lie below the edges
        attributes |= {"splines": "line", "outputorder": "nodesfirst" if grounds else "edgesfirst"}
    else:
        between, ranks = picture.spread
        attributes |= {
            "rankdir": "TB" if picture.direction == "down" else "LR",
            "splines": "spline",
            "newrank": "true",
        }
        attributes |= {"outputorder": "edgesfirst", "nodesep": f"{between}", "ranksep": f"{ranks}"}
        if sum(1 for _ in picture.every_shape()) > MANY_SHAPES:
            attributes |= HASTE
    if picture.caption:
        lines = "".join(f'{markup(line, palette)}<BR ALIGN="LEFT"/>' for line in picture.caption)
        attributes |= {"label": f"<{lines}>", "labelloc": "b", "labeljust": "l"}
    return attributes


def _together(picture: Picture) -> dict[str, list[str]]:
    """For each frame, and the empty key for what is in none, unseen frames that hold columns together.

    Without them `dot` would mix two columns of one rank.
    """
    frame = {shape.key: "" for shape in picture.shapes}
    for cluster in picture.every_cluster():
        frame |= {shape.key: cluster.key for shape in cluster.shapes}
    found: dict[str, list[str]] = {}
    for number, keys in enumerate(picture.columns):
        if len({frame[key] for key in keys}) == 1:
            line = f'subgraph "{UNSEEN}{number}" {{label=""; peripheries=0; margin=0; {"; ".join(keys)}}}'
            found.setdefault(frame[keys[0]], []).append(line)
    return found


def _write_clusters(
    graph: Any,
    clusters: tuple[Cluster, ...],
    palette: Palette,
    together: Mapping[str, Sequence[str]],
) -> None:
    """Nested subgraphs, without recursion: scopes may be nested deeply."""
    todo: list[tuple[str, Any]] = [("cluster", cluster) for cluster in reversed(clusters)]
    lines: list[str] = []
    while todo:
        kind, item = todo.pop()
        if kind == "end":
            lines.append("}")
            continue
        inner = type(graph)()
        inner.attr("graph", **cluster_attributes(item, palette))
        for shape in item.shapes:
            inner.body.append(_statement(shape.key, shape_attributes(shape, palette)))
        lines.append(f'subgraph "cluster_{item.key}" {{')
        lines.extend(line.strip("\n") for line in inner.body)
        lines.extend(together.get(item.key, ()))
        todo.append(("end", None))
        todo.extend(("cluster", child) for child in reversed(item.clusters))
    graph.body.extend(f"\t{line.strip()}\n" for line in lines)


def _end(key: str, side: Side, wire: bool) -> str:
    """Where an edge touches: on a wire it is the rule between the two numbers, drawn as the cell `w`."""
    if wire and side in {"e", "w"}:
        return f"{key}:w:{side}"
    return f"{key}:{side}" if side else key


def cluster_attributes(cluster: Cluster, palette: Palette) -> dict[str, str]:
    """A filled frame for an outermost scope, a dashed one inside."""
    attributes = {"label": f"<{markup(cluster.label, palette)}>", "labeljust": "l", "labelloc": "t"}
    attributes["margin"] = "12"
    if cluster.filled:
        look = {
            "style": "rounded,filled",
            "fillcolor": palette.cluster,
            "color": palette.cluster_edge,
        }
    else:
        look = {"style": "rounded,dashed", "color": palette.quiet}
    if cluster.box is not None:
        left, low, right, high = cluster.box
        start, level = cluster.label_at or (left + 12, high - 13)
        middle = start + text_width(cluster.label) / 2
        look |= {
            "bb": f"{left:.1f},{low:.1f},{right:.1f},{high:.1f}",
            "lp": f"{middle:.1f},{level:.1f}",
        }
    return attributes | look


def edge_attributes(edge: Edge, palette: Palette) -> dict[str, str]:
    """Colour, dashes, weight and tooltip of an edge; only what differs from the default.

    Gradient paths are solid, dashed, dotted and double, so that no colour is needed to tell them apart.
    """
    if edge.hidden:
        return {"style": "invis", "weight": "0"}
    attributes: dict[str, str] = {}
    if edge.role != "wire":
        attributes["color"] = palette.of(edge.role)
    if not edge.arrow:
        attributes["arrowhead"] = "none"
    moving = (
        edge.role == "gradient" and edge.arrow
    )  # a flow runs against the arrow of the forward pass
    if edge.backward != moving:
        attributes |= {"dir": "back", "arrowtail": "vee"}
    if edge.dashed or edge.role == "route1":
        attributes["style"] = "dashed"
    elif edge.role == "route2":
        attributes["style"] = "dotted"
    elif edge.role == "route3":  # two thin lines side by side
        attributes |= {"color": ":invis:".join([palette.of(edge.role)] * 2), "penwidth": "1.2"}
    if edge.heavy and edge.role != "route3":
        attributes["penwidth"] = "2.2"
    if edge.weight != 1:
        attributes["weight"] = f"{edge.weight}"
    if edge.span != 1:
        attributes["minlen"] = f"{edge.span}"
    if edge.tip:
        attributes["tooltip"] = quoted(edge.tip)
    if edge.label:
        attributes["label"] = f"<{markup(edge.label, palette)}>"
    if edge.path is not None:
        attributes |= _route(edge, edge.path, at_start="dir" in attributes)
    return attributes


def _route(edge: Edge, path: tuple[Point, ...], *, at_start: bool) -> dict[str, str]:
    """A line of its own, for `neato -n2`: an arrow is drawn over the straight piece at its end."""
    points = list(path[::-1] if edge.backward else path)
    tip = ""
    if at_start:
        tip, points = f"s,{_pair(points[0])} ", shortened(points[::-1])[::-1]
    elif edge.arrow:
        tip, points = f"e,{_pair(points[-1])} ", shortened(points)
    line = " ".join(map(_pair, points))
    if len(line) > LONGEST_LINE:
        line = " ".join(map(_pair, (points[0], points[0], points[-1], points[-1])))
    attributes = {"pos": tip + line}
    if edge.label:
        x, y = _middle(path)
        attributes["lp"] = f"{x:.1f},{y + 9:.1f}"
    return attributes


def _middle(path: tuple[Point, ...]) -> Point:
    """Where half of the pieces end."""
    if len(path) > 4:
        return path[(len(path) - 1) // 6 * 3]
    (a, b), (c, d), (e, f), (g, h) = path
    return ((a + 3 * c + 3 * e + g) / 8, (b + 3 * d + 3 * f + h) / 8)


def _pair(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
