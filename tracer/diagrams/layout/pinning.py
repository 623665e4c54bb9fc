"""A picture pinned to the places of a layout, so that every step of a walk stands alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf

from tracer.diagrams.layout.drawn import Layout
from tracer.diagrams.measure import text_width
from tracer.diagrams.picture import Cluster, Edge, Joint, Picture, Point, Run, Text

BESIDE_LABEL = 20.0
"""Points of a frame's width beside its label."""
LEAST = 9.0
"""The size of the smallest letters of a label."""


def pinned(picture: Picture, layout: Layout) -> Picture:
    """The picture at the places of a layout that was made of a picture with the same keys and edges.

    Frames no longer hold shapes, they only lie behind them; one that the layout left out is not drawn.

    >>> from tracer.diagrams.picture import Joint
    >>> from tracer.diagrams.strokes import Drawn
    >>> pinned(Picture((Joint("a"),), ()), Layout(Drawn(9, 9, ()), {"a": (1.0, 2.0)}, {}, {})).shapes[0].at
    (1.0, 2.0)
    """
    return replace(
        picture,
        shapes=tuple(
            replace(shape, at=layout.spots[shape.key]) if shape.key in layout.spots else shape
            for shape in picture.every_shape()
        ),
        edges=tuple(
            replace(edge, path=_path(edge, layout.paths.get(f"e{number}")))
            for number, edge in enumerate(picture.edges)
        ),
        clusters=tuple(
            held_open(
                replace(
                    cluster,
                    box=layout.boxes[cluster.key],
                    label_at=layout.labels.get(cluster.key),
                )
            )
            for whole in picture.every_cluster()
            for cluster in _pieces(whole, layout)
        ),
        abreast=(),
        columns=(),
        placed=True,
    )


def _path(edge: Edge, line: tuple[Point, ...] | None) -> tuple[Point, ...] | None:
    """The line from tail to head; a layout that was shown the edge from head to tail gives it so."""
    if line is None:
        return edge.path
    return line[::-1] if edge.backward else line


def _pieces(cluster: Cluster, layout: Layout) -> Iterator[Cluster]:
    """A frame, and its pieces in further rows where the layout was broken; nothing where it was left out."""
    piece, number = cluster, 1
    while piece.key in layout.boxes:
        yield piece
        number += 1
        piece = continued(cluster, number)


def continued(cluster: Cluster, number: int) -> Cluster:
    """The piece of a frame that stands in a further row."""
    size = cluster.label[0].size if cluster.label else 12
    said = (*cluster.label, Run("  continued", "quiet", size - 2))
    return replace(cluster, key=f"{cluster.key}_{number}", label=said)


def held_open(cluster: Cluster) -> Cluster:
    """A frame of its own, drawn behind the shapes; Graphviz draws none that is empty, so it holds a point unseen."""
    left, low, right, high = cluster.box or (0.0, 0.0, 0.0, 0.0)
    middle = ((left + right) / 2, (low + high) / 2)
    label, at = fitted(cluster.label, right - left - BESIDE_LABEL), cluster.label_at
    if at is not None and (label != cluster.label or at[0] + text_width(label) > right - 6):
        at = None
    return replace(
        cluster,
        label=label,
        label_at=at,
        shapes=(Joint(f"in_{cluster.key}", dot=False, at=middle),),
        clusters=(),
    )


def fits(cluster: Cluster, layout: Layout) -> bool:
    """Whether the label of a frame is no wider than the frame; `dot` does not see to that."""
    left, _, right, _ = layout.boxes.get(cluster.key, (0.0, 0.0, inf, 0.0))
    return text_width(cluster.label) <= right - left - BESIDE_LABEL


def fitted(label: Text, room: float) -> Text:
    """The label in smaller letters, if those do not help with its end elided.

    >>> fitted((Run("conv2d", size=12),), 100)[0].size, fitted((Run("conv2d[k=0]", size=12),), 40)[0].text
    (12, 'conv2d…')
    """
    wide = text_width(label)
    if wide <= room:
        return label
    share = room / wide
    smaller = tuple(replace(run, size=max(LEAST, run.size * share)) for run in label)
    while text_width(smaller) > room and smaller:
        *before, last = smaller
        kept = last.text.removesuffix("…")[:-1].rstrip()
        smaller = (*before, *((replace(last, text=f"{kept}…"),) if kept else ()))
    return smaller


def tips_of(picture: Picture) -> Mapping[str, str]:
    """What a pointer that rests on a shape or an edge reads, by key."""
    tips = {shape.key: shape.tip for shape in picture.every_shape() if shape.tip}
    tips |= {f"e{number}": edge.tip for number, edge in enumerate(picture.edges) if edge.tip}
    return tips
