"""What stands beside what: weights in the column of the operation that reads them, frames behind all that enters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from tracer.diagrams.boxed.boxes import Boxes
from tracer.diagrams.boxed.copies import Box, ranks_of
from tracer.diagrams.picture import Edge
from tracer.kinds import KINDS

BESIDE = tuple(map(KINDS.index, ("parameter", "buffer", "constant")))
MOST_BESIDE = 2
"""So many leaves stand beside an operation, one below and one above."""
STRAIGHT, EARLY = 6, 2
"""How much a layout cares that a line is short: one of the main route, and the one that an operation waits for."""
FAN = 5
"""Where so many lines come together or part, none of them is the straight one."""
MOST_HIDDEN = 400
"""More lines that only hold frames apart would take `dot` too long."""

Column = tuple[tuple[int, ...], ...]
"""The boxes below an operation and those above it, each from the operation outwards."""


def columns_of(drawn: Boxes, stops: Set[int]) -> dict[int, Column]:
    """Operation to the weights and constants that it alone reads and that are not `stops` of the main route.

    They stand below and above it, so that layers stand one after the other; a weight that is rearranged first, as
    for x @ W.T, stands beyond what it becomes.
    """
    boxes = drawn.boxes
    reads = Counter(use.source for box in boxes for use in box.reads)
    found: dict[int, Column] = {}
    for b, box in enumerate(boxes):
        own = [
            chain
            for use in box.reads
            if (chain := _chain(drawn, use.source, reads)) and stops.isdisjoint(chain)
        ]
        if 0 < len(own) <= MOST_BESIDE and len(own) < len(box.reads):
            found[b] = tuple(own)
    return found


def _chain(drawn: Boxes, k: int, reads: Mapping[int, int]) -> tuple[int, ...]:
    """A leaf, or what one operation makes of a leaf, and that; empty for anything else, or what others read too."""
    box = drawn.boxes[k]
    if box.name or reads[k] > 1:
        return ()
    if not box.reads:
        return (k,) if drawn.part.trace.kind_of[box.face] in BESIDE else ()
    leaf = box.reads[0].source
    if len(box.reads) > 1 or drawn.boxes[leaf].reads:
        return ()
    return (k, *ends) if (ends := _chain(drawn, leaf, reads)) else ()


def keys_in(columns: Mapping[int, Column], boxes: Sequence[Box]) -> tuple[tuple[str, ...], ...]:
    """The keys of what stands in one column."""
    return tuple(
        tuple(boxes[k].key for k in (b, *(k for chain in column for k in chain)))
        for b, column in columns.items()
    )


def upright_in(columns: Mapping[int, Column]) -> dict[tuple[int, int], bool]:
    """The lines within columns, and whether they come from above.

    A layout that sees a line the other way around puts its tail on the other side.
    """
    return {
        line: number > 0
        for b, column in columns.items()
        for number, chain in enumerate(column)
        for line in zip(chain, (b, *chain), strict=False)
    }


def frames_apart(drawn: Boxes, columns: Mapping[int, Column]) -> Iterator[Edge]:
    """Unseen lines from what enters a frame to what comes first in it, so that the frame stands behind all of that."""
    boxes = drawn.boxes
    rank = ranks_of([[use.source for use in box.reads] for box in boxes])
    aside = {k for column in columns.values() for chain in column for k in chain}
    inside: dict[int, list[int]] = {}
    for b, box in enumerate(boxes):
        for frame in box.home if b not in aside else ():
            inside.setdefault(frame, []).append(b)
    made: dict[tuple[int, int], None] = {}
    for members in inside.values():
        own = set(members)
        sources = {b: {use.source for use in boxes[b].reads} - aside for b in members}
        entering = sorted(set().union(*sources.values()) - own)
        first = [b for b in members if sources[b].isdisjoint(own)]
        made |= dict.fromkeys(
            (k, b)
            for b in first
            for k in entering
            if k not in sources[b] and not 0 < rank[k] < rank[b]  # else it stands behind anyway
        )
    if len(made) <= MOST_HIDDEN:
        yield from (Edge(boxes[k].key, boxes[b].key, hidden=True) for k, b in made)


def fans_of(drawn: Boxes) -> set[int]:
    """The boxes at which many lines come together or part."""
    readers = Counter(source for box in drawn.boxes for source in {use.source for use in box.reads})
    joining = {b for b, box in enumerate(drawn.boxes) if len(box.reads) >= FAN}
    return joining | {b for b, count in readers.items() if count >= FAN}


def pulls_of(drawn: Boxes, route: Set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """How much a layout should care that each line is short and straight: most for the lines of a `route`.

    An operation stands right behind what it waits for, rather than anywhere ahead of what reads it.
    """
    inputs = [[use.source for use in box.reads] for box in drawn.boxes]
    rank = ranks_of(inputs)
    found: dict[tuple[int, int], int] = {}
    for b, sources in enumerate(inputs):
        last = max(sources, key=rank.__getitem__, default=-1)
        for source in sources:
            main = (source, b) in route
            found[source, b] = STRAIGHT if main else EARLY if source == last else 1
    return found
