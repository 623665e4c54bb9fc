"""A picture as DOT text. The only module that knows DOT; the same picture gives the same bytes."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import lru_cache, singledispatch
from itertools import pairwise
from math import hypot
from typing import Any

from tracer.diagrams.layout.sizes import is_round
from tracer.diagrams.measure import text_width
from tracer.diagrams.palettes import FONT, Palette
from tracer.diagrams.picture import (
    Caption,
    Card,
    Cluster,
    Edge,
    Gate,
    Joint,
    Pane,
    Picture,
    Point,
    Run,
    Shape,
    Side,
    Text,
    Wire,
)

POINTS_PER_INCH = 72
ARROW = 6.5
"""Points of a line that its arrow covers."""
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
    _write_clusters(graph, picture.clusters, palette)
    for keys in picture.abreast:
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
        attributes |= {"rankdir": "LR", "splines": "spline", "newrank": "true"}
        attributes |= {"outputorder": "edgesfirst", "nodesep": f"{between}", "ranksep": f"{ranks}"}
        if sum(1 for _ in picture.every_shape()) > MANY_SHAPES:
            attributes |= HASTE
    if picture.caption:
        lines = "".join(f'{markup(line, palette)}<BR ALIGN="LEFT"/>' for line in picture.caption)
        attributes |= {"label": f"<{lines}>", "labelloc": "b", "labeljust": "l"}
    return attributes


def _write_clusters(graph: Any, clusters: tuple[Cluster, ...], palette: Palette) -> None:
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
    attributes = {"pos": tip + " ".join(map(_pair, points))}
    if edge.label:
        x, y = _middle(path)
        attributes["lp"] = f"{x:.1f},{y + 9:.1f}"
    return attributes


def shortened(points: list[Point]) -> list[Point]:
    """The line without the length that an arrow covers at its end."""
    if len(points) > 4 and _apart(points[-4], points[-1]) <= ARROW + 0.5:
        return points[:-3]
    (x, y), _, (c, d), (u, v) = points[-4:]
    if abs((c - x) * (v - y) - (d - y) * (u - x)) < 0.1:  # a straight piece
        share = 1 - ARROW / max(_apart((x, y), (u, v)), ARROW)
        end = (x + (u - x) * share, y + (v - y) * share)
        return (
            [*points[:-1], end]
            if _apart((c, d), (u, v)) > ARROW
            else [*points[:-3], points[-3], end, end]
        )
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        far = _apart(_first_part(points[-4:], middle)[3], points[-1]) > ARROW
        low, high = (middle, high) if far else (low, middle)
    return [*points[:-4], *_first_part(points[-4:], low)]


def _first_part(piece: Sequence[Point], share: float) -> list[Point]:
    """The beginning of a Bezier curve, by the construction of de Casteljau."""
    rows = [list(piece)]
    while len(rows[-1]) > 1:
        rows.append(
            [(a + (c - a) * share, b + (d - b) * share) for (a, b), (c, d) in pairwise(rows[-1])]
        )
    return [row[0] for row in rows]


def _apart(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _middle(path: tuple[Point, ...]) -> Point:
    """Where half of the pieces end."""
    if len(path) > 4:
        return path[(len(path) - 1) // 6 * 3]
    (a, b), (c, d), (e, f), (g, h) = path
    return ((a + 3 * c + 3 * e + g) / 8, (b + 3 * d + 3 * f + h) / 8)


def _pair(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"


@singledispatch
def shape_attributes(shape: Shape, palette: Palette) -> dict[str, str]:
    """The DOT attributes that draw one shape."""
    raise NotImplementedError(type(shape).__name__)


@shape_attributes.register
def _(shape: Wire, palette: Palette) -> dict[str, str]:
    value, gradient = (markup(text, palette) for text in (shape.value, shape.gradient))
    name = markup(shape.name, palette) if shape.name else ""
    if name and shape.name_at == "above":
        value = f"{name}{_GAP}{value}" if shape.value else name
    named = bool(name) and shape.name_at == "left"
    left = f'<TD ROWSPAN="3" ALIGN="RIGHT" CELLPADDING="4">{name}</TD>' if named else ""
    rule = f'<TD PORT="w" HEIGHT="2" BGCOLOR="{palette.of(shape.role)}" CELLPADDING="0"></TD>'
    table = (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
        f'<TR>{left}<TD WIDTH="{shape.width:.0f}" HEIGHT="{_HALF}">{value}</TD></TR>'
        f'<TR>{rule}</TR><TR><TD HEIGHT="{_HALF + 2}">{gradient}</TD></TR></TABLE>'
    )
    return {"label": f"<{table}>", "shape": "plain"} | _common(shape.tip, shape.at)


@shape_attributes.register
def _(shape: Gate, palette: Palette) -> dict[str, str]:
    attributes = {"label": f"<{markup(shape.symbol, palette)}>"}
    wide = text_width(shape.symbol)
    if is_round(shape):
        attributes |= {"shape": "circle", "width": "0.46", "style": "filled"}
    else:
        inches = (wide + 14) / POINTS_PER_INCH
        attributes |= {
            "shape": "box",
            "width": f"{inches:.2f}",
            "height": "0.4",
            "style": "rounded,filled",
        }
    attributes |= {"fixedsize": "true", "fillcolor": palette.gate, "penwidth": "1.2"}
    if shape.ahead:
        attributes |= {"color": palette.ahead, "style": attributes["style"] + ",dashed"}
    if shape.current:
        attributes |= {"fillcolor": palette.current, "penwidth": "2.4"}
    if shape.ordered:
        attributes["ordering"] = "in"
    return attributes | _common(shape.tip, shape.at)


@shape_attributes.register
def _(shape: Card, palette: Palette) -> dict[str, str]:
    fill = palette.current if shape.current else palette.gate
    border = palette.gate_edge if shape.role == "ink" else palette.of(shape.role)
    width = f' WIDTH="{shape.width:.0f}"' if shape.width else ""
    cell = f'<TD ALIGN="LEFT" COLSPAN="2"{width}>'
    note = (
        f'<TD ALIGN="RIGHT">{markup(shape.note, palette)}</TD>' if shape.note or shape.rows else ""
    )
    head = width if not shape.rows else ""
    rows = "".join(f"<TR>{cell}{markup(row, palette)}</TD></TR>" for row in shape.rows)
    table = (
        f'<TABLE BORDER="{2 if shape.current else 1}" COLOR="{border}" CELLBORDER="0" CELLSPACING="0"'
        f' CELLPADDING="3" BGCOLOR="{fill}" STYLE="ROUNDED">'
        f'<TR><TD ALIGN="LEFT"{head}>{markup(shape.title, palette)}</TD>{note}</TR>'
        f"{'<HR/>' if rows else ''}{rows}</TABLE>"
    )
    group = {"group": "route"} if shape.on_route else {}
    return {"label": f"<{table}>", "shape": "plain"} | group | _common(shape.tip, shape.at)


@shape_attributes.register
def _(shape: Joint, palette: Palette) -> dict[str, str]:
    width = "0.07" if shape.dot else "0.01"
    look = {"shape": "point", "width": width, "color": palette.of(shape.role)}
    return look | ({} if shape.dot else {"style": "invis"}) | _common("", shape.at)


@shape_attributes.register
def _(shape: Caption, palette: Palette) -> dict[str, str]:
    label = f"<{markup(shape.text, palette)}>" if shape.text else ""
    return {"label": label, "shape": "plain"} | _common(shape.tip, shape.at)


@shape_attributes.register
def _(shape: Pane, palette: Palette) -> dict[str, str]:
    width, height = (size / POINTS_PER_INCH for size in shape.size)
    look = {
        "shape": "box",
        "style": "rounded,filled",
        "fillcolor": palette.cluster,
        "labelloc": "b",
    }
    size = {"width": f"{width:.2f}", "height": f"{height:.2f}", "fixedsize": "true"}
    table = (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="6"><TR>'
        f'<TD ALIGN="LEFT" WIDTH="{shape.size[0] - 4:.0f}">{markup(shape.label, palette)}</TD></TR></TABLE>'
    )  # left, where no line to the figure below runs
    label = {"label": f"<{table}>", "color": palette.cluster_edge}
    return label | look | size | _common(shape.tip, shape.at)


_HALF = 21
"""Points above a wire; two more below it, by which Graphviz places a port above the middle of its cell."""
_GAP = '<FONT POINT-SIZE="9">  </FONT>'


def _common(tip: str, at: tuple[float, float] | None) -> dict[str, str]:
    attributes = {"tooltip": quoted(tip) if tip else " "}
    if at is not None:
        attributes["pos"] = f"{at[0]:.1f},{at[1]:.1f}!"
    return attributes


def markup(text: Text, palette: Palette) -> str:
    """A text in Graphviz's HTML-like markup; an empty one still takes its line's height."""
    return "".join(_run(run, palette) for run in text) or '<FONT POINT-SIZE="13"> </FONT>'


def _run(run: Run, palette: Palette) -> str:
    body = escaped(run.text) or " "
    if run.bold:
        body = f"<B>{body}</B>"
    if run.italic:
        body = f"<I>{body}</I>"
    body = f'<FONT COLOR="{palette.of(run.role)}" POINT-SIZE="{run.size:g}">{body}</FONT>'
    return f"<SUB>{body}</SUB>" if run.lowered else body


def escaped(text: str, backslashes: int = 2) -> str:
    """Characters that mean something to the markup as entities; a backslash doubled, or `\\N` would be expanded.

    >>> escaped('<b> & "x"')
    '&lt;b&gt; &amp; &quot;x&quot;'
    """
    return html.escape(text).replace("\\", "&#92;" * backslashes)


def quoted(text: str) -> str:
    """A tooltip's characters, safe as a quoted DOT string; new lines stay. Graphviz reads its backslashes twice."""
    return "&#10;".join(escaped(line, 4) for line in text.split("\n"))
