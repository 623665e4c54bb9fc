"""The rows of the layers view: bars on a log scale, the numbers beside them, and the verdict in a word.

A row of which the position has not reached the gradient shows the state of it, by glyph and word, and never a 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tracer import format as fmt
from tracer import stats
from tracer.cells.figures import short_number
from tracer.cells.meanings import Kind, Look
from tracer.insight import Vitals
from tracer.insight.diagnosis import decade
from tui.ink import Line, Span, elide, pad, span
from tui.views.logscale import Profile, Scale, bar

if TYPE_CHECKING:
    from tui.views.scene import Scene

WIDE = 92
"""From so many columns on, everything of a row stands in one line."""
ILL = "⚠"


@dataclass(frozen=True, eq=False)
class Picture:
    """What the rows are drawn with."""

    scene: Scene
    gradients: Profile
    values: Profile
    onset: frozenset[int]
    width: int
    names: int
    """The cells that the longest name takes."""


def reached(scene: Scene, row: Vitals) -> bool:
    """Whether the gradient of a row is final at the position, so that its numbers and verdict may be shown."""
    return row.gradient_norm is not None and scene.status(row.output).state == "final"


class Reading(NamedTuple):
    """A norm as far as the position has come: its decades, in figures, or why there is none."""

    decades: float | None
    text: str
    kind: Kind


def gradient_reading(scene: Scene, row: Vitals) -> Reading:
    """The gradient of a row at the position: its norm, that of the sum so far, or its state in words."""
    status = scene.status(row.output)
    if reached(scene, row):
        return _norm(row.gradient_norm, Kind.GRADIENT)
    if status.state == "partial":
        so_far = scene.gradient(row.output)
        size = stats.rms(so_far) * math.sqrt(so_far.size)
        shown = _norm(size, Kind.FAINT)
        return shown._replace(text=f"{status.glyph} {status.arrived} of {status.expected}")
    return Reading(None, f"{status.glyph} {status.state}", Kind.FAINT)


def value_reading(scene: Scene, row: Vitals) -> Reading:
    """The value of a row at the position."""
    if not scene.has_run(row.output):
        return Reading(None, "· not run yet", Kind.FAINT)
    return _norm(row.value_norm, Kind.VALUE)


def _norm(norm: float | None, kind: Kind) -> Reading:
    assert norm is not None
    decades = decade(norm)
    return Reading(decades, short_number(norm, 7), Kind.WARN if decades is None else kind)


def verdict(picture: Picture, row: Vitals, number: int) -> tuple[str, Kind]:
    """The verdict of a row, once the position has reached it; it stands out where the trouble begins."""
    seen = reached(picture.scene, row) or (row.bad and picture.scene.has_run(row.output))
    if not row.verdict or not seen:
        return "", Kind.FAINT
    return row.verdict, Kind.WARN if number in picture.onset else Kind.MARK


# ----- what stands above and below the rows


def above(picture: Picture, count: int) -> list[Line]:
    """The scale, and, where there is room, all rows at once as two lines of levels."""
    scale = picture.gradients.scale
    ends = f"1e{round(scale.low)} to 1e{round(scale.high)}".replace("-", fmt.MINUS)
    found: list[Line] = [(span(f" |∂| {ends}, log scale, loss below", Kind.FAINT),)]
    signs = ((" ∂ ", Kind.GRADIENT, picture.gradients), (" v ", Kind.VALUE, picture.values))
    for sign, kind, profile in signs[: count - 1]:
        levels = profile.levels(picture.scene.position, max(1, picture.width - 4))
        found.append((span(sign, kind), span(levels, kind)))
    return found


def details(picture: Picture, row: Vitals, count: int) -> list[Line]:
    """The row of the cursor in words."""
    scene = picture.scene
    seen = reached(scene, row)
    label = scene.trace.label(row.output)
    about = [span(f" {row.name}", Kind.NAME)]
    if label != row.name:
        about.append(span(f" puts out {label}", Kind.OP))
    if seen and row.decades is not None and math.isfinite(row.decades):
        about.append(span(f"  {fmt.number(row.decades, 3)} decades", Kind.GRADIENT))
    ill = seen and row.verdict
    why = (span(f" {ILL} {row.verdict}: ", Kind.MARK), span(row.reason)) if ill else ()
    rule: Line = (span("─" * picture.width, Kind.FAINT),)
    if count < 4:
        return [rule, (*about, *why)]
    return [rule, tuple(about), (span(" "), *measures(picture, row)), why]


def measures(picture: Picture, row: Vitals) -> list[Span]:
    """Spread, dead or saturated units and the update of a row, as far as the position has come."""
    scene, parts = picture.scene, list[Span]()
    if scene.has_run(row.output):
        parts.append(span(f"σ {short_number(row.spread, 6)}", Kind.VALUE))
        for share, word in ((row.dead, "dead"), (row.saturated, "saturated")):
            if share is not None:
                kind = Kind.MARK if row.verdict == word else Kind.TEXT
                parts.append(span(f"  {share:.0%} {word}", kind))
    if row.update is not None and all(
        scene.status(p).state == "final" for p in row.layer.parameters
    ):
        ratio = "Δw/(w·lr)" if row.rate is None else "Δw/w"
        parts.append(span(f"  {ratio} {short_number(row.update, 6)}", Kind.GRADIENT))
    return parts


# ----- rows


def short(picture: Picture, row: Vitals, number: int, *, chosen: bool) -> Line:
    """A row in one line: name, bar and number of the gradient, verdict."""
    word, kind = verdict(picture, row, number)
    reading = gradient_reading(picture.scene, row)
    name = min(14, picture.width // 4, picture.names)
    room = max(4, picture.width - name - 23)
    look = Look.SELECTED if chosen else Look.PLAIN
    number_width = 8 if reading.decades is not None or reading.kind == Kind.WARN else 19
    line = [
        span("▸" if chosen else " ", Kind.NAME, look),
        span(pad(_short_name(row.name, name), name), Kind.NAME if chosen else Kind.TEXT, look),
        span(
            " " + bar(reading.decades, picture.gradients.scale, room), _ink(reading, Kind.GRADIENT)
        ),
        span(" " + pad(reading.text, number_width, right=reading.kind != Kind.FAINT), reading.kind),
    ]
    if word:
        line += [span(" "), span(f"{ILL} {word}", kind)]
    return tuple(line)


def _short_name(name: str, width: int) -> str:
    """A name in so many cells; of a time step, its number rather than the beginning of its name.

    >>> _short_name("encoder.rnn[t=12]", 8), _short_name("linear[k=0]", 12)
    ('e…[t=12]', 'linear[k=0]')
    """
    head, bracket, index = name.rpartition("[")
    if len(name) <= width or not bracket:
        return elide(name, width)
    return elide(elide(head, max(1, width - len(index) - 1)) + bracket + index, width)


def tall(picture: Picture, row: Vitals, number: int, *, chosen: bool) -> list[Line]:
    """A row in four lines: name and verdict; gradient and update; value, spread and flat units; the reason if ill."""
    word, kind = verdict(picture, row, number)
    look = Look.SELECTED if chosen else Look.PLAIN
    head = [span("▸" if chosen else " ", Kind.NAME, look), span(row.name, Kind.NAME, look)]
    why: Line = ()
    if word:
        head += [span("  "), span(f" {ILL} {word} ", kind)]
        why = (span(f"  {row.reason}", Kind.MARK),)
    elif (label := picture.scene.trace.label(row.output)) != row.name:
        head.append(span(f"  {label}", Kind.FAINT))
    room = max(6, picture.width - 36)
    gradient, value = gradient_reading(picture.scene, row), value_reading(picture.scene, row)
    found = measures(picture, row)
    updates = [part for part in found if "Δw" in part.text]
    spread = [part for part in found if "Δw" not in part.text]
    return [
        tuple(head),
        (*_barred("∂", gradient, picture.gradients.scale, room, Kind.GRADIENT), *updates),
        (*_barred("v", value, picture.values.scale, room, Kind.VALUE), span("  "), *spread),
        why,
    ]


def _barred(sign: str, reading: Reading, scale: Scale, room: int, kind: Kind) -> list[Span]:
    if reading.decades is None and reading.kind == Kind.FAINT:
        return [span(f"  {sign} ", kind), span(reading.text, Kind.FAINT)]
    return [
        span(f"  {sign} ", kind),
        span(bar(reading.decades, scale, room), _ink(reading, kind)),
        span(" " + pad(reading.text, 8, right=True), reading.kind),
    ]


def _ink(reading: Reading, kind: Kind) -> Kind:
    """The ink of a bar: faint while flows are still to come."""
    return Kind.FAINT if reading.kind == Kind.FAINT else kind


def wide(picture: Picture, row: Vitals, number: int, *, chosen: bool) -> Line:
    """A row in one line of the whole screen."""
    word, kind = verdict(picture, row, number)
    look = Look.SELECTED if chosen else Look.PLAIN
    room = max(8, (picture.width - 98) // 2)
    gradient, value = gradient_reading(picture.scene, row), value_reading(picture.scene, row)
    line = [
        span("▸" if chosen else " ", Kind.NAME, look),
        span(pad(_short_name(row.name, 14), 14), Kind.NAME if chosen else Kind.TEXT, look),
    ]
    for sign, reading, scale, ink in (
        ("∂", gradient, picture.gradients.scale, Kind.GRADIENT),
        ("v", value, picture.values.scale, Kind.VALUE),
    ):
        cell = _barred(sign, reading, scale, room, ink)
        used = sum(len(part.text) for part in cell)
        line += [*cell, span(" " * max(0, room + 13 - used))]
    found = measures(picture, row)
    used = sum(len(part.text) for part in found)
    line += [span("  "), *found, span(" " * max(0, 40 - used))]
    if word:
        line += [span("  "), span(f" {ILL} {word} ", kind)]
    return tuple(line)
