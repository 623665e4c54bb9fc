"""Lays a picture out: by `dot` where it can in time, by our own layers where it cannot."""

from __future__ import annotations

from typing import NamedTuple

from tracer import errors
from tracer.diagrams.boxed.copies import ranks_of
from tracer.diagrams.layout.direct import can_draw, drawn_directly
from tracer.diagrams.layout.drawn import KEYED, Layout, layout_of
from tracer.diagrams.layout.pinning import fits, pinned, tips_of
from tracer.diagrams.layout.placing import placed
from tracer.diagrams.layout.rendering import rendered
from tracer.diagrams.layout.wrapping import wrapped
from tracer.diagrams.layout.writing import dot_text
from tracer.diagrams.picture import Picture
from tracer.layered.collector import uncollected

MOST_FOR_DOT = 10_000
"""Shapes, and layers that lines cross, above which `dot` takes longer than one wants to wait."""

MANY_PLACED = 600
"""Shapes that have their places above which Graphviz is not asked to draw them: it would take most of the time."""


class Laid(NamedTuple):
    """A picture, placed if `dot` did not lay it out, with its layout and what is to be said of that."""

    picture: Picture
    layout: Layout
    remarks: tuple[str, ...] = ()


def laid_out(picture: Picture) -> Laid:
    """The layout of a picture.

    Raises `DiagramError` where even drawing takes too long, and `GraphvizMissingError` where there is no Graphviz.
    """
    if picture.placed:
        return Laid(picture, _drawn(picture))
    if labour(picture) > MOST_FOR_DOT:
        return _in_layers(picture, "it is too large for dot")
    try:
        layout = layout_by("dot", picture)
    except errors.GraphvizMissingError:
        raise
    except errors.DiagramError as error:
        try:
            return _in_layers(picture, str(error).partition("\n")[0])
        except errors.DiagramError:
            raise error from None
    rows = None if picture.direction == "right" else wrapped(picture, layout)
    if rows is None and all(fits(cluster, layout) for cluster in picture.every_cluster()):
        return Laid(picture, layout)
    there = pinned(picture, layout) if rows is None else rows
    return Laid(there, _drawn(there))


def _drawn(picture: Picture) -> Layout:
    """The strokes of a placed picture."""
    if len(picture.shapes) > MANY_PLACED and can_draw(picture):
        return drawn_directly(picture)
    return layout_by("neato", picture)


def layout_by(engine: str, picture: Picture, *, clear: bool = True) -> Layout:
    """What Graphviz makes of it: `dot` finds the places, `neato` takes those of the picture. clear: see `layout_of`."""
    content = rendered(dot_text(picture, KEYED), engine, "json")
    try:
        return layout_of(content, tips_of(picture), clear=clear)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise errors.DiagramError(f"what Graphviz drew cannot be read: {error}") from error


def _in_layers(picture: Picture, reason: str) -> Laid:
    with uncollected():
        there = placed(picture)
        layout = _drawn(there)
    said = f"laid out in plain layers: {reason}"
    new = tuple(remark for remark in there.remarks if remark not in picture.remarks)
    return Laid(there, layout, (said, *new))


def labour(picture: Picture) -> int:
    """A measure of what `dot` has to do: the shapes, and for each line the layers that it crosses.

    >>> from tracer.diagrams.picture import Edge, Joint
    >>> row = tuple(Joint(key) for key in "abc")
    >>> labour(Picture(row, (Edge("a", "b"), Edge("b", "c"), Edge("a", "c"))))
    7
    """
    number = {shape.key: k for k, shape in enumerate(picture.every_shape())}
    ends = [(number[edge.tail], number[edge.head]) for edge in picture.edges]
    inputs: list[list[int]] = [[] for _ in number]
    for tail, head in ends:
        if tail != head:
            inputs[head].append(tail)
    rank = ranks_of(inputs)
    first: dict[int, int] = {}
    for tail, head in ends:
        first[tail] = min(first.get(tail, rank[head]), rank[head])
    for leaf, sources in enumerate(inputs):
        if not sources and leaf in first:
            rank[leaf] = first[leaf] - 1  # it stands beside what reads it first
    return len(number) + sum(abs(rank[head] - rank[tail]) for tail, head in ends)
