"""Which positions of the timeline an animation shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tracer.diagrams.frames import Part
from tracer.errors import DiagramError
from tracer.timeline import Timeline

MOST = 300
"""More frames than that are too many to look at, and to write."""
ALL, NODE, DRAWN = "all", "node", "drawn"
_RANGE = re.compile(r"(\d*):(\d*)")


def chosen_positions(part: Part, which: str = DRAWN) -> tuple[int, ...]:
    """The positions: `all`, `node` for those after whole nodes, or a range such as `10:20`, both ends included.

    Of those that are `drawn`, which are all of them too, `Diagram.film` keeps the ones that show something new.
    Of a part of a trace they are the first, the last, and those at which something happens in that part.
    Raises `DiagramError` for another word, a range outside the timeline, or more than `MOST` positions.
    """
    timeline = part.trace.timeline
    if which == NODE:
        found = list(_boundaries(timeline))
    elif which in (ALL, DRAWN):
        found = list(range(timeline.last + 1))
    else:
        found = list(_range(timeline, which))
    if len(part.nodes) < len(part.trace):
        shown = frozenset(part.nodes)
        seen = [position for position in found if _changed_by(timeline, position) in shown]
        found = sorted({found[0], *seen, found[-1]})
    if len(found) > MOST:
        raise DiagramError(
            f"{len(found)} frames are more than {MOST}\n  try: {_fewer(found, which)}"
        )
    return tuple(found)


def _boundaries(timeline: Timeline) -> Iterator[int]:
    position = 0
    yield position
    while position < timeline.last:
        position = timeline.next_boundary(position)
        yield position


def _range(timeline: Timeline, which: str) -> range:
    found = _RANGE.fullmatch(which)
    if found is None:
        raise DiagramError(
            f"no frames {which!r}\n  try: {DRAWN} (whenever the picture changes), {ALL}, {NODE} (one for each node and "
            "pass), or a range such as 10:20"
        )
    # int() refuses thousands of digits, and no timeline is that long
    first, last = (int(word[:12]) if word else None for word in found.groups())
    first, last = first or 0, timeline.last if last is None else last
    if not first <= last <= timeline.last:
        raise DiagramError(
            f"no frames {which[:40]}: the steps go from 0 to {timeline.last}\n  try: 0:{timeline.last}"
        )
    return range(first, last + 1)


def _changed_by(timeline: Timeline, position: int) -> int:
    """The node that gets its value, or a flow, by the step that leads to a position; -1 at the start."""
    edge = timeline.flow_at(position)
    return timeline.step(position).node if edge is None else int(timeline.trace.input_of[edge])


def _fewer(found: Sequence[int], which: str) -> str:
    end = f"a range such as {found[0]}:{found[MOST - 1]}"
    return f"{NODE} (one for each node and pass), or {end}" if which in (ALL, DRAWN) else end
