"""A picture pinned to the places of a layout, so that every step of a walk stands alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tracer.diagrams.layout.drawn import Layout
from tracer.diagrams.picture import Cluster, Joint, Picture


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
            replace(edge, path=layout.paths.get(f"e{number}", edge.path))
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
            for cluster in picture.every_cluster()
            if cluster.key in layout.boxes
        ),
        abreast=(),
        placed=True,
    )


def held_open(cluster: Cluster) -> Cluster:
    """A frame of its own, drawn behind the shapes; Graphviz draws none that is empty, so it holds a point unseen."""
    left, low, right, high = cluster.box or (0.0, 0.0, 0.0, 0.0)
    middle = ((left + right) / 2, (low + high) / 2)
    return replace(cluster, shapes=(Joint(f"in_{cluster.key}", dot=False, at=middle),), clusters=())


def tips_of(picture: Picture) -> Mapping[str, str]:
    """What a pointer that rests on a shape or an edge reads, by key."""
    tips = {shape.key: shape.tip for shape in picture.every_shape() if shape.tip}
    tips |= {f"e{number}": edge.tip for number, edge in enumerate(picture.edges) if edge.tip}
    return tips
