"""A figure at several steps on one layout: what never changes is drawn once, and of the rest each look once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tracer.diagrams.layout.drawn import PAD, Layout
from tracer.diagrams.layout.pinning import held_open
from tracer.diagrams.measure import text_width
from tracer.diagrams.picture import (
    Caption,
    Card,
    Cluster,
    Edge,
    Gate,
    Joint,
    Picture,
    Point,
    Shape,
    Text,
)
from tracer.diagrams.strokes import Drawn, Item, Letters

LINE = 15.0
"""Points from one line of a caption to the next."""


@dataclass(frozen=True)
class Frame:
    """One moment of a film: its position on the timeline, the words below it, and the looks it shows."""

    position: int
    caption: tuple[Text, ...]
    looks: tuple[int, ...]
    """For each actor of the film, in order, which of its looks is seen; -1 for none."""


@dataclass(frozen=True)
class Actor:
    """A shape, edge or cluster, with its different appearances: one if it never changes."""

    key: str
    looks: tuple[Item, ...]
    nodes: tuple[int, ...] = ()
    """The nodes of the trace that it stands for."""


@dataclass(frozen=True)
class Film:
    """A page of a fixed size, the actors in painting order, and the frames. Captions stand outside the page."""

    width: float
    height: float
    actors: tuple[Actor, ...]
    frames: tuple[Frame, ...]
    corner: Point = (0.0, 0.0)
    """Where the lower left corner of the page, less its margin, lies in the pictures, whose points go upwards."""

    @cached_property
    def page(self) -> tuple[float, float]:
        """The size of a page with room for the longest caption below the figure."""
        captions = [frame.caption for frame in self.frames]
        widest = max((text_width(line) for lines in captions for line in lines), default=0.0)
        most = max(map(len, captions), default=0)
        return max(self.width, widest + 2 * PAD), self.height + LINE * most

    def drawn(self, number: int) -> Drawn:
        """One frame as a page of its own, with its caption; all pages are of one size."""
        frame = self.frames[number]
        shown = zip(self.actors, frame.looks, strict=True)
        items = [actor.looks[k] for actor, k in shown if k >= 0]
        width, height = self.page
        said = self.caption(number)
        return Drawn(width, height, (*items, *([] if said is None else [said])))

    def caption(self, number: int) -> Item | None:
        """The words below one frame, if there are any."""
        letters = []
        for row, line in enumerate(self.frames[number].caption):
            x, y = PAD, self.height - PAD + LINE * (row + 1)
            for run in line:
                room = text_width((run,))
                letters.append(
                    Letters(run.text, (x, y), room, run.role, run.size, run.bold, run.italic)
                )
                x += room
        return Item("caption", "figure", tuple(letters)) if letters else None


def film_of(
    pictures: Sequence[Picture], positions: Sequence[int], draw: Callable[[Picture], Layout]
) -> Film:
    """The film of placed pictures with the same keys, edges and clusters, by one call of `draw`.

    Every look of every shape becomes a shape of its own in one big picture, all looks of one at the same place. So the
    cost follows what changes, not the number of frames.
    """
    cast = _Cast()
    seen = [cast.looks_in(picture) for picture in pictures]
    together = cast.together()
    layout = draw(together)
    drawn = layout.drawn
    roles = cast.actors()
    items: dict[str, dict[int, Item]] = {}
    for item in drawn.items:
        if item.key not in roles:
            continue  # what only holds a frame open
        key, look = roles[item.key]
        items.setdefault(key, {})[look] = item._replace(key=key)
    return Film(
        drawn.width,
        drawn.height,
        tuple(
            Actor(key, tuple(looks[k] for k in sorted(looks)), cast.nodes_of(key))
            for key, looks in items.items()
        ),
        tuple(
            Frame(position, picture.caption, tuple(looks.get(key, -1) for key in items))
            for picture, position, looks in zip(pictures, positions, seen, strict=True)
        ),
        _corner_in(together, layout),
    )


def telling(pictures: Sequence[Picture]) -> list[int]:
    """The numbers of those pictures in which more is new than the mark of the step on a shape that stands for several.

    So of the steps inside a folded gate only that is left which brings its value.
    """
    found: list[int] = []
    last: object = None
    for number, picture in enumerate(pictures):
        shapes = tuple(map(_unmarked, picture.every_shape()))
        shown = shapes, tuple(replace(edge, tip="") for edge in picture.edges)
        if shown != last:
            found.append(number)
        last = shown
    return found


def _unmarked(shape: Shape) -> Shape:
    """A shape without its tip; one that stands for several nodes also without the mark of the step."""
    bare = replace(shape, tip="")
    if isinstance(bare, (Gate, Card)) and len(bare.nodes) > 1:
        return replace(bare, current=False)
    return bare


def _corner_in(picture: Picture, layout: Layout) -> Point:
    """The lower left corner of a layout in the coordinates of the picture: Graphviz may have moved it as a whole."""
    (left, low), shapes = layout.corner, picture.every_shape()
    pairs = ((shape.at, layout.spots.get(shape.key)) for shape in shapes)
    (x, y), (u, v) = next(((at, spot) for at, spot in pairs if at and spot), ((0, 0), (0, 0)))
    return left + x - u, low + y - v


@dataclass
class _Cast:
    """Collects the looks that are met, each once, in order."""

    shapes: dict[str, dict[Shape, int]] = field(default_factory=dict)
    edges: dict[int, dict[Edge, int]] = field(default_factory=dict)
    clusters: dict[str, dict[Cluster, int]] = field(default_factory=dict)

    def looks_in(self, picture: Picture) -> dict[str, int]:
        """Which look each actor has in a picture."""
        looks: dict[str, int] = {}
        for shape in picture.every_shape():
            bare = replace(shape, tip="") if shape.tip else shape
            known = self.shapes.setdefault(shape.key, {})
            looks[shape.key] = known.setdefault(bare, len(known))
        for number, edge in enumerate(picture.edges):
            lines = self.edges.setdefault(number, {})
            looks[f"e{number}"] = lines.setdefault(replace(edge, tip=""), len(lines))
        for cluster in picture.every_cluster():
            frames = self.clusters.setdefault(cluster.key, {})
            frame = replace(cluster, shapes=(), clusters=())
            looks[cluster.key] = frames.setdefault(frame, len(frames))
        return looks

    def nodes_of(self, key: str) -> tuple[int, ...]:
        """The nodes that an actor stands for; none for an edge or a cluster."""
        shape = next(iter(self.shapes.get(key, ())), None)
        return () if shape is None or isinstance(shape, (Joint, Caption)) else shape.nodes

    def together(self) -> Picture:
        """One picture with every look; those of one shape lie on each other."""
        edges = [
            replace(edge, tail=_named(edge.tail, 0), head=_named(edge.head, 0))
            for looks in self.edges.values()
            for edge in looks
        ]
        return Picture(
            tuple(
                replace(shape, key=_named(key, k))
                for key, looks in self.shapes.items()
                for shape, k in looks.items()
            ),
            tuple(edges),
            tuple(
                held_open(replace(frame, key=_named(key, k)))
                for key, looks in self.clusters.items()
                for frame, k in looks.items()
            ),
            placed=True,
        )

    def actors(self) -> dict[str, tuple[str, int]]:
        """From the keys of `together` to actor and look."""
        found = {
            _named(key, k): (key, k) for key, looks in self.shapes.items() for k in looks.values()
        }
        found |= {
            _named(key, k): (key, k) for key, looks in self.clusters.items() for k in looks.values()
        }
        number = 0
        for edge, lines in self.edges.items():
            for k in lines.values():
                found[f"e{number}"] = (f"e{edge}", k)
                number += 1
        return found


def _named(key: str, look: int) -> str:
    return f"look{look}_{key}"
