"""Shapes and texts in DOT: the attributes that draw each shape, and Graphviz's HTML-like markup of its letters."""

from __future__ import annotations

import html
from functools import singledispatch

from tracer.diagrams.layout.sizes import is_round
from tracer.diagrams.measure import BACKSLASH, text_width
from tracer.diagrams.palettes import Palette
from tracer.diagrams.picture import (
    Caption,
    Card,
    Gate,
    Joint,
    Pane,
    Run,
    Shape,
    Text,
    Wire,
)

POINTS_PER_INCH = 72


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


def escaped(text: str) -> str:
    """Characters that mean something to the markup as entities, a backslash as its double in mathematics.

    A bracket too: where it begins a text, Graphviz takes it for the start of `]]>`, and complains of the syntax.

    >>> escaped('<b> & "x"]')
    '&lt;b&gt; &amp; &quot;x&quot;&#93;'
    """
    return html.escape(text).replace("\\", BACKSLASH).replace("]", "&#93;")


def quoted(text: str) -> str:
    """A tooltip's characters, safe as a quoted DOT string; new lines stay."""
    return "&#10;".join(map(escaped, text.split("\n")))
