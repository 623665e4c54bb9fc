"""The node pane: how a value came about, what has flowed into it, what it sends on, and where the user wrote it."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

import numpy as np
from rich.cells import cell_len

from tracer import format as fmt
from tracer.formulas import formula
from tracer.stats import Summary
from tui.ink import Kind, Line, Span, clip, elide, span
from tui.views.figures import LARGE
from tui.views.flows import flows_in, flows_out, size_of
from tui.views.scene import Scene

BINS = 16


def title(scene: Scene) -> str:
    """What the node is: name, op, type and shape."""
    view = scene.trace[scene.selected]
    op = f" · {view.op_name}" if view.name else ""
    return f"node {scene.selected} · {view.label}{op} · {fmt.typed(view.value)}"


def lines(scene: Scene, width: int) -> list[Line]:
    """Everything known about the selected node at this position, most needed first."""
    if not len(scene.trace):
        return [(span("an empty trace", Kind.FAINT),)]
    parts = [
        *formula_lines(scene, width),
        *number_lines(scene, width),
        *flows_in(scene, width),
        *flows_out(scene, width),
        *kernel_lines(scene),
        *source_lines(scene, width),
    ]
    return [clip(line, width) for line in parts]


def formula_lines(scene: Scene, width: int) -> list[Line]:
    """The formula with names, and below it with the numbers put in."""
    view = scene.trace[scene.selected]
    if view.op is None:
        what = {"input": "an input", "parameter": "a parameter"}.get(view.kind, f"a {view.kind}")
        return [(span(view.label, Kind.NAME), span(f"  {what}", Kind.FAINT))]
    size = size_of(scene, view.index)
    text = scene.figures.text(("formula", view.index), size, lambda: formula(view))
    found: list[Line] = [(span(view.label, Kind.NAME), span(" = ", Kind.FAINT), span(text))]
    if scene.has_run(view.index):
        key = ("numbers", view.index)
        numbers = scene.figures.text(key, size, lambda: formula(view, numbers=True))
        margin = " " * len(view.label)
        result = fmt.elided(view.value) if view.value.ndim else fmt.number(view.value)
        result = f"[{result}]" if view.value.ndim else result
        found.append(_balanced(margin, numbers, result, width))
    return found


def _balanced(margin: str, numbers: str, result: str, width: int) -> Line:
    """The calculation and its result; a long calculation gives way, so that the result can be read."""
    room = width - len(margin) - len(result) - 6
    if cell_len(numbers) > room:
        numbers = re.sub(r"\[(\S+) [^]]*…\]", r"[\1 …]", numbers)
    line: tuple[Span, ...] = (span(margin), span(" = ", Kind.FAINT))
    if room >= 8:
        line = (*line, span(elide(numbers, room), Kind.FAINT), span(" = ", Kind.FAINT))
    return (*line, span(result, Kind.VALUE))


def number_lines(scene: Scene, width: int) -> list[Line]:
    """The summary of the value, then of the gradient and its state in words, each with its histogram."""
    node = scene.selected
    if not scene.has_run(node):
        return [(span("value     ", Kind.FAINT), span("· not run yet", Kind.FAINT))]
    found = _summary_lines(scene, "value", scene.trace.storage.value(node), Kind.VALUE, "", width)
    status = scene.status(node)
    array = scene.gradient(node)
    if array is None:
        return [
            *found,
            (span("gradient  ", Kind.FAINT), span(f"{status.glyph} {status}", Kind.FAINT)),
        ]
    zero = 0 < array.size <= LARGE and not array.any()
    count = f" {status.arrived}/{status.expected}" if status.state == "partial" else ""
    words = f"{status.glyph} {status.state}{count}" + (", exactly zero" if zero else "")
    return [*found, *_summary_lines(scene, "gradient", array, Kind.GRADIENT, words, width)]


RAN = {"numba": "numba", "numba flows": "numpy for the value, numba for the flows"}


def kernel_lines(scene: Scene) -> list[Line]:
    """Which kernels ran, where it was not numpy alone."""
    ran = RAN.get(scene.trace[scene.selected].kernels)
    return [(span("kernels   ", Kind.FAINT), span(ran))] if ran else []


def _summary_lines(
    scene: Scene, word: str, array: Any, kind: Kind, words: str, width: int
) -> list[Line]:
    label = span(word.ljust(10), Kind.FAINT)
    after = (span(f"  {words}", Kind.FAINT),) if words else ()
    if array.ndim == 0:
        text = fmt.number(array)
        return [(label, span(text, kind if np.isfinite(array) else Kind.WARN), *after)]
    key: tuple[Any, ...] = (word, scene.selected)
    if word == "gradient":
        key = (*key, scene.timeline.arrived(scene.position, scene.selected))
    summary = scene.figures.summary(key, array)
    if summary is None:
        return [(label, span("…", Kind.FAINT), *after)]
    bad = summary.nans or summary.infs
    line = (label, span(summary_text(summary), Kind.WARN if bad else kind))
    if not array.size:
        return [(*line, *after)]
    bars = scene.figures.histogram(key, array, BINS)
    ends = [fmt.number(x, 3) for x in (summary.low, summary.high)]
    return [
        line,
        (
            span(f"{ends[0]:>9} ", Kind.FAINT),
            span(bars, kind),
            span(f" {ends[1]}", Kind.FAINT),
            *after,
        ),
    ]


def summary_text(summary: Summary) -> str:
    """Root mean square, mean and deviation in three digits, and how many elements are nan, inf or zero."""
    if not summary.count:
        return "empty"
    rms, mean, std = (fmt.number(x, 3) for x in (summary.rms, summary.mean, summary.std))
    text = f"rms {rms}  μ {mean}  σ {std}"
    for amount, word in ((summary.nans, "nan"), (summary.infs, "inf"), (summary.zeros, "zero")):
        if amount:
            text += f"  {word} {amount}"
    return text


def source_lines(scene: Scene, width: int) -> list[Line]:
    """The user's line, and a line below it that marks the exact columns."""
    place = scene.trace[scene.selected].place
    if place is None:
        return []
    where = f"{PurePath(place.file).name}:{place.line}"
    raw = scene.trace.source_line(place)
    if not raw.strip():
        return [(span("at        ", Kind.FAINT), span(where, Kind.FAINT))]
    encoded = raw.encode()
    start = len(encoded[: place.column].decode(errors="replace"))
    ends_here = place.end_line == place.line and place.end_column > place.column
    end = len(encoded[: place.end_column].decode(errors="replace")) if ends_here else len(raw)
    margin = len(raw) - len(raw.lstrip())
    head = f"{where}  "
    room = width - len(head)
    shift = margin + max(0, min(start - margin, end - margin - room + 1))
    shown = raw[shift:]
    a, b = max(0, start - shift), max(0, end - shift)
    line = (span(head, Kind.FAINT), *_marked(shown, a, b))
    marks = " " * (len(head) + a) + "▔" * (min(b, room) - a)
    return [line, (span(marks, Kind.KEY),)]


def _marked(text: str, start: int, end: int) -> tuple[Span, ...]:
    return (
        span(text[:start], Kind.CODE),
        span(text[start:end], Kind.UNDERLINE),
        span(text[end:], Kind.CODE),
    )
