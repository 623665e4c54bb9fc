"""The edits, and what they changed: each node before and after, its difference, and what first order said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer import format as fmt
from tracer import stats
from tracer.cells.figures import short_number
from tracer.cells.meanings import Kind, Look
from tracer.insight.whatif import Changes, Prediction
from tracer.traces import Trace
from tracer.watches import in_words
from tui.ink import Line, Span, clip, elide, pad, span

if TYPE_CHECKING:
    from tui.views.scene import Scene

ABOUT = (
    "Nothing is edited.",
    "",
    "x edits the selected node, or the element under the cursor; only what depends on it runs again.",
    "",
    ":edit w = 3          all elements",
    ":edit w[0, 2] = 0.5  one element",
    ":edit w[:, 0] *= 2   a column",
    ":edit xhat.eps = 1e-3  a parameter",
    ":edit w -= 0.1 * w.grad  a step downhill",
    "",
    ":undo  :redo  :revert",
)
VAST = 1e6
"""A difference so many times the prediction was not predicted: rounding alone made that not zero."""
MOST_EDITS = 5
"""So many edits are shown, the last ones."""


@dataclass(frozen=True)
class Columns:
    """How wide each column is; 0 leaves it out."""

    label: int
    before: int
    after: int
    change: int
    predicted: int
    ratio: int


class Room(NamedTuple):
    """How a pane is divided: lines above the rows, and how many rows there is room for."""

    above: int
    rows: int


def before(scene: Scene, node: int) -> tuple[Array, Array | None] | None:
    """The value and the gradient of a node before any edit; None while nothing is edited."""
    changes = shown(scene)
    if changes is None or not changes.edits:
        return None
    return changes.base.storage.value(node), changes.base.gradient(node)


def changed(scene: Scene, node: int) -> bool:
    """Whether the edits gave a node another value."""
    changes = shown(scene)
    return changes is not None and bool(changes.changed[node])


def shown(scene: Scene) -> Changes | None:
    """The changes that this scene shows: none while parts are open, whose nodes are others."""
    changes = scene.changes
    return changes if changes is not None and changes.trace is scene.trace else None


def order(changes: Changes) -> Array:
    """The nodes of the rows: the loss, if it changed, then the others as they ran."""
    nodes, loss = changes.nodes, changes.base.loss
    if loss < 0 or not changes.changed[loss]:
        return nodes
    return np.concatenate([[loss], nodes[nodes != loss]])


def columns(width: int) -> Columns:
    """The columns that fit; the label takes what is left.

    >>> columns(48)
    Columns(label=9, before=7, after=7, change=7, predicted=7, ratio=5)
    """
    before, after = (7 if width >= 46 else 0), (7 if width >= 38 else 0)
    used = sum(part + 1 for part in (before, after, 7, 7, 5) if part)
    return Columns(max(4, min(24, width - used - 1)), before, after, 7, 7, 5)


def room(scene: Scene, height: int) -> Room:
    """The lines of the edits and the heading, and the rows below them."""
    changes = shown(scene)
    above = len(_edits(changes, 80)) + 2 if changes is not None else 0
    return Room(above, max(0, height - above))


def lines(scene: Scene, cursor: int, top: int, width: int, height: int) -> list[Line]:
    """The edits, the heading, and the rows in sight."""
    if scene.depth:
        return [(span(elide("Parts are open: f closes them.", width), Kind.FAINT),)]
    changes = shown(scene)
    if changes is None or not (changes.edits or changes.undone):
        return about(width)
    nodes = order(changes)
    found = [*_edits(changes, width), (), heading(width)]
    rows = range(top, min(len(nodes), top + room(scene, height).rows))
    found += [row(scene, changes, int(nodes[k]), width, chosen=k == cursor) for k in rows]
    return found


def about(width: int) -> list[Line]:
    """What one can do here, before anything is edited."""
    found: list[Line] = []
    for text in ABOUT:
        code, gap, words = text.partition("  ") if text.startswith(":") else ("", "", text)
        if code:
            found.append(clip((span(code + gap, Kind.CODE), span(words, Kind.FAINT)), width))
            continue
        line = ""
        for word in words.split():
            if line and len(line) + len(word) + 1 > width:
                found.append((span(line, Kind.FAINT),))
                line = ""
            line = f"{line} {word}" if line else word
        found.append((span(line, Kind.FAINT),))
    return found


def _edits(changes: Changes, width: int) -> list[Line]:
    """The last edits, from what to what, and what has been undone."""
    found: list[Line] = []
    hidden = len(changes.edits) - MOST_EDITS
    if hidden > 0:
        found.append((span(f"… {hidden} edits before; :edits lists them", Kind.FAINT),))
    for each in changes.edits[-MOST_EDITS:]:
        numbers = apart(each.before, each.after)
        found.append(clip((span(f"{each.text}  ", Kind.KEY), span(numbers, Kind.VALUE)), width))
    if changes.edits and changes.trace.flipped:
        for text in flipped(changes.trace):
            found.append(clip((span(text, Kind.WARN),), width))
    if changes.undone:
        text = f"undone: {changes.undone[-1].text}; :redo makes it again"
        found.append(clip((span(text, Kind.FAINT),), width))
    return found


def flipped(trace: Trace) -> list[str]:
    """That Python would have seen another value, and perhaps gone another way; and the line where, if it is known."""
    guard = trace.flipped[0]
    line = trace.source_line(trace.places[guard.place]).strip() if guard.place >= 0 else ""
    return ["⚠ the program would have gone another way", *([f"`{line}`"] if line else [])]


def heading(width: int) -> Line:
    """What the columns hold."""
    at = columns(width)
    cells = [" " + "node".ljust(at.label)]
    names = (
        ("before", at.before),
        ("after", at.after),
        ("Δ", at.change),
        ("∂·Δ", at.predicted),
        ("ratio", at.ratio),
    )
    cells += [name.rjust(size) for name, size in names if size]
    return (span(" ".join(cells)[:width], Kind.FAINT),)


def row(scene: Scene, changes: Changes, node: int, width: int, *, chosen: bool = False) -> Line:
    """One node: before, after, difference, prediction, and difference over prediction."""
    at, found = columns(width), changes.difference(node)
    predicted = found.predicted
    look = Look.CURRENT if chosen else Look.SELECTED if node == scene.selected else Look.PLAIN
    loss = node == changes.base.loss
    name = changes.trace.label(node)
    far = predicted is not None and not 0.5 <= predicted.ratio <= 2

    def cell(text: str, size: int, kind: Kind) -> list[Span]:
        return [span(" " + pad(text, size, right=True), kind, look)] if size else []

    return (
        span("›" if node == scene.selected else " ", Kind.NAME, look),
        span(pad(name, at.label), Kind.NAME if loss else Kind.TEXT, look),
        *cell(short_number(found.before, 7), at.before, Kind.FAINT),
        *cell(short_number(found.after, 7), at.after, Kind.VALUE),
        *cell(short_number(found.change, 7), at.change, Kind.TEXT),
        *cell(
            "·" if predicted is None else short_number(predicted.size, 7),
            at.predicted,
            Kind.GRADIENT,
        ),
        *cell(_ratio(predicted), at.ratio, Kind.WARN if far else Kind.FAINT),
    )


def _ratio(predicted: Prediction | None) -> str:
    """The difference over the prediction; a sign where there was none, or next to none."""
    if predicted is None or math.isnan(predicted.ratio):
        return "·"
    return "≫" if abs(predicted.ratio) >= VAST else short_number(predicted.ratio, 5)


def apart(before: Any, after: Any) -> str:
    """Two values, with as many digits as tell them apart; of arrays the root mean squares.

    >>> apart(1.0, 1.00002), apart(3, "valid"), apart(np.zeros(3), np.ones(3))
    ('1 → 1.00002', '3 → valid', 'rms 0 → 1')
    """
    if isinstance(before, np.ndarray) and before.ndim:
        return f"rms {apart(stats.rms(before), stats.rms(after))}"
    for digits in (4, 6, 9, 17):
        texts = [
            fmt.number(x, digits) if isinstance(x, (float, np.floating)) else in_words(x)
            for x in (before, after)
        ]
        if texts[0] != texts[1]:
            break
    return " → ".join(texts)


def title(scene: Scene) -> str:
    """How much changed."""
    changes = shown(scene)
    if changes is None or not changes.edits:
        return ""
    count = int(changes.changed.sum())
    edits = len(changes.edits)
    return f"{edits} edit{'s' * (edits > 1)}, {count} node{'s' * (count != 1)}"


def subtitle(scene: Scene, cursor: int) -> str:
    """What the prediction is; which row of how many."""
    changes = shown(scene)
    if changes is None or not changes.edits:
        return ""
    count = len(order(changes))
    return f"∂·Δ first order · {min(cursor + 1, count)}/{count}"
