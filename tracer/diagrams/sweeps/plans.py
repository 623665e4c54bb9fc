"""What the figures of the backward pass share: which flows are drawn, where shapes stand, and what has come by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property

from tracer.diagrams.frames import Frames, Part
from tracer.diagrams.moments import PARAMETER, SMALL, Moment
from tracer.diagrams.picture import Edge, Role, Run, Shape, Side, Text
from tracer.diagrams.sweeps.rules import gradient_name
from tracer.timeline import GLYPHS


@dataclass
class Plan:
    """The flows of a part, and the shapes and edges made so far."""

    part: Part
    moment: Moment
    frames: Frames
    flows: Set[int]
    """The edges of the trace whose flows are drawn."""
    into: dict[int, list[int]]
    """Node to the edges along which drawn flows reach it, in the order of the backward pass."""
    route: Set[tuple[int, int]] = frozenset()
    """The edges from the main input to the loss, drawn as straight as the layout can."""
    down: bool = False
    """Whether lines run down and not to the right."""
    placed: dict[int, list[Shape]] = field(default_factory=lambda: defaultdict(list))
    edges: list[Edge] = field(default_factory=list)

    @cached_property
    def stops(self) -> frozenset[int]:
        """The nodes on the main route."""
        return frozenset(i for edge in self.route for i in edge)

    def put(self, home: tuple[int, ...], *shapes: Shape) -> None:
        """Shapes into the innermost of some frames."""
        self.placed[home[-1] if home else -1] += shapes

    def home(self, i: int) -> tuple[int, ...]:
        """The frames around the gradient of a node, which lies between those of its readers and its own."""
        readers = [int(self.moment.trace.edge_consumer[edge]) for edge in self.into[i]]
        if not self.part.draws_operation(i):
            return self.frames.around[i]
        return self.frames.shared([i, *readers])

    def join(self, tail: str, head: str, edge: int, *, arrow: bool = True, weight: int = 1) -> None:
        """A line along which the flow of an edge runs."""
        come, moving = self.moment.has_come(edge), self.is_moving(edge)
        role: Role = "wire" if come else "ahead"
        if (self.receiver(edge), self.sender(edge)) in self.route:
            weight = 6
        leaving: Side = ("s" if self.down else "e") if tail[0] in "nf" else ""
        entering: Side = ("n" if self.down else "w") if head[0] in "nf" else ""
        self.edges.append(
            Edge(tail, head, leaving, entering, arrow, role, not come, moving, weight=weight)
        )

    def is_seed(self, i: int) -> bool:
        """Whether the backward pass starts at a node."""
        return i == self.moment.trace.loss

    def is_ahead(self, i: int) -> bool:
        """Whether no flow has reached a node yet."""
        state = self.moment.timeline.status(self.moment.position, i).state
        return state in ("not run yet", "not reached")

    def is_moving(self, edge: int) -> bool:
        """Whether the current step sends the flow of an edge."""
        return self.moment.sending(self.sender(edge), int(self.moment.trace.edge_argument[edge]))

    def sender(self, edge: int) -> int:
        """The node from which the flow of an edge comes."""
        return int(self.moment.trace.edge_consumer[edge])

    def receiver(self, edge: int) -> int:
        """The node to which it comes."""
        return int(self.moment.trace.input_of[edge])

    def elsewhere(self, i: int) -> int:
        """How many flows reach a node from operations that the figure does not show."""
        return len(self.moment.timeline.arrivals(i)) - len(self.into[i])

    def name(self, i: int) -> Text:
        """The name of the gradient of a node, blue for a parameter."""
        trace = self.moment.trace
        return gradient_name(trace, i, role="parameter" if trace.kind_of[i] == PARAMETER else "ink")

    def number(self, edge: int) -> Text:
        """What the flow of an edge brings, or the mark of one that has not come."""
        if self.moment.has_come(edge):
            return self.final_number(edge)
        return (Run(GLYPHS["not reached"], "quiet", SMALL),)

    def final_number(self, edge: int) -> Text:
        """What the flow of an edge brings in the end."""
        return (Run(self.moment.flow(edge), "gradient", 12),)
