"""The flow of gradients by layer or by time step: what the view shows of a trace, and which rows of it.

The numbers are those of `tr.health`, worked out once for a trace; the position decides which of them are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from ops.primitive import Array
from tracer.cells.meanings import Kind
from tracer.errors import GradstepError
from tracer.insight import Vitals, layers, measured, time_steps
from tracer.insight.diagnosis import decade
from tracer.traces import Trace
from tui.ink import Line, clip, span
from tui.views import layer_rows
from tui.views.logscale import Profile, Scale

if TYPE_CHECKING:
    from tui.views.scene import Scene

BY_LAYER, BY_TIME = "layer", "time"
PER_NODE = 256
"""What looking at a node costs, in elements of an array."""
MOST_NODES = 4096
"""A trace of more nodes than this is looked at on another thread anyhow."""
TALL = 4
"""Lines of a row where there is room."""

SMALL = 8
"""In a pane of fewer lines, the rows are all there is."""


@dataclass(frozen=True)
class LayersLook:
    """How the user looks at layers: by layer, by time, or whichever there is; and the learning rate, if it is known."""

    by: str = ""
    rate: float | None = None


@dataclass(frozen=True, eq=False)
class Flow:
    """The rows of one trace, all numbers final, and what follows from them."""

    by: str
    rows: tuple[Vitals, ...]
    both: bool
    """Whether there is the other way to look too."""
    row_of: Mapping[int, int]
    """The row of each node that belongs to one."""
    onset: frozenset[int]
    """The rows at which something begins to go wrong, seen from the loss."""
    profiles: tuple[Profile, Profile]
    """All gradients, and all values, at once."""
    trouble: str = ""
    """Why there are no rows, if there are none."""

    @cached_property
    def widest(self) -> int:
        """The length of the longest name."""
        return max((len(row.name) for row in self.rows), default=0)

    @cached_property
    def ill(self) -> Mapping[str, Array]:
        """For each verdict the positions, rising, at which the rows that have it are known."""
        known: dict[str, list[int]] = {}
        for row, at in zip(self.rows, self.profiles[0].known_from, strict=True):
            if row.verdict:
                known.setdefault(row.verdict, []).append(int(at))
        return {verdict: np.sort(positions) for verdict, positions in known.items()}


@dataclass(frozen=True)
class Plan:
    """How the rows are laid out in a pane: lines above them, lines of each, the first row, and how many."""

    above: int
    each: int
    top: int
    shown: int
    below: int

    def row_at(self, y: int) -> int | None:
        """The row that a line of the pane belongs to."""
        number, inside = (y - self.above) // self.each, y >= self.above
        return self.top + number if inside and number < self.shown else None


def flow(scene: Scene) -> Flow | None:
    """The rows of the scene's trace; None while they are being worked out."""
    look, trace = scene.layers, scene.trace
    size = scene.figures.once("size of the trace", lambda: _size(trace))
    found: Flow | None = scene.figures.scalar(
        ("layers", look), size, lambda: worked_out(trace, look)
    )
    return found


def _size(trace: Trace) -> int:
    """About how many elements are looked at."""
    few = min(len(trace), MOST_NODES)
    return len(trace) * PER_NODE + sum(int(trace.storage.held(n).size) for n in range(few))


def worked_out(trace: Trace, look: LayersLook) -> Flow:
    """The rows that a look asks for; by time where there is a time axis, unless it says otherwise."""
    try:
        steps, stack = time_steps(trace), layers(trace)
        by = look.by or (BY_TIME if len(steps) > 1 else BY_LAYER)
        rows = measured(trace, steps if by == BY_TIME else stack, look.rate)
    except GradstepError as error:  # a file may hold numbers on which no rule can run
        return _nothing(look.by or BY_LAYER, str(error).splitlines()[0])
    if not rows:
        scopes = "scope has the key t: with tr.scope('rnn', t=t):" if by == BY_TIME else ""
        return _nothing(by, f"no {scopes or 'operation runs here'}", both=bool(steps or stack))
    return Flow(
        by,
        rows,
        bool(steps and stack),
        {node: k for k, row in enumerate(rows) for node in _nodes(row)},
        _onset(rows),
        _profiles(trace, rows),
    )


def _nothing(by: str, trouble: str, *, both: bool = False) -> Flow:
    none = Profile.of([], [], Scale.of([]))
    return Flow(by, (), both, {}, frozenset(), (none, none), trouble)


def _profiles(trace: Trace, rows: Sequence[Vitals]) -> tuple[Profile, Profile]:
    """The gradients and the values of all rows, each with the position from which it is known."""
    timeline = trace.timeline
    gradients = [decade(row.gradient_norm) for row in rows]
    values = [decade(row.value_norm) for row in rows]
    final = [timeline.when_final(row.output) for row in rows]
    never = timeline.last + 1
    return (
        Profile.of(gradients, [never if at is None else at for at in final], Scale.of(gradients)),
        Profile.of(values, [timeline.after_forward(r.output) for r in rows], Scale.of(values)),
    )


def _nodes(row: Vitals) -> tuple[int, ...]:
    return (*row.layer.parameters, *row.layer.nodes, row.output)


def _onset(rows: Sequence[Vitals]) -> frozenset[int]:
    """The rows with a verdict that their neighbour nearer the loss does not have."""
    return frozenset(
        k
        for k, row in enumerate(rows)
        if row.verdict and (k + 1 == len(rows) or rows[k + 1].verdict != row.verdict)
    )


def plan(shown: Flow, cursor: int, top: int, width: int, height: int) -> Plan:
    """Where the rows go: tall where all of them fit so, else a line each, with the row of the cursor in words below."""
    count = len(shown.rows)
    wide = width >= layer_rows.WIDE
    if not wide and 1 + count * TALL <= height + 1:
        return Plan(1, TALL, 0, count, 0)
    above, below = 3, 2 if wide else 4
    if height < min(count, 2 * (above + below)) + above + below:  # the rows matter most
        above, below = 2 if height >= SMALL else 1, 0
    room = max(1, height - above - below)
    top = max(0, min(top, count - room, cursor), cursor - room + 1)
    return Plan(above, 1, top, min(room, count - top), below)


def lines(scene: Scene, cursor: int, top: int, width: int, height: int) -> list[Line]:
    """The lines of the pane, with the cursor on a row."""
    shown = flow(scene)
    if shown is None:
        return [(span(" … working out the numbers of all layers", Kind.FAINT),)]
    if not shown.rows:
        words = shown.trouble + ("; h and l turn between the two" if shown.both else "")
        return [(span(f" {part}", Kind.FAINT),) for part in wrap(words, width - 2)[:height]]
    at = plan(shown, cursor, top, width, height)
    picture = layer_rows.Picture(scene, *shown.profiles, shown.onset, width, max(shown.widest, 5))
    found = layer_rows.above(picture, at.above)
    for number in range(at.top, at.top + at.shown):
        row, chosen = shown.rows[number], number == cursor
        if width >= layer_rows.WIDE:
            found.append(layer_rows.wide(picture, row, number, chosen=chosen))
        elif at.each == 1:
            found.append(layer_rows.short(picture, row, number, chosen=chosen))
        else:
            found += layer_rows.tall(picture, row, number, chosen=chosen)
    if at.below:
        found += [()] * (height - at.below - len(found))
        found += layer_rows.details(picture, shown.rows[cursor], at.below)
    return [clip(line, width) for line in found[:height]]


def title(scene: Scene) -> str:
    """What the rows are, and how many."""
    shown = flow(scene)
    if shown is None or not shown.rows:
        return "layers"
    noun = "layer" if shown.by == BY_LAYER else "time step"
    return f"{len(shown.rows)} {noun}{'s' * (len(shown.rows) > 1)}"


def subtitle(scene: Scene) -> str:
    """What is ill, as far as the position has come, and the key to the other way to look."""
    shown = flow(scene)
    if shown is None:
        return ""
    counts = {
        word: int(np.searchsorted(at, scene.position, side="right"))
        for word, at in shown.ill.items()
    }
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    other = f"l by {BY_TIME}" if shown.by == BY_LAYER else f"h by {BY_LAYER}"
    return " · ".join(filter(None, (words, other if shown.both else "")))
