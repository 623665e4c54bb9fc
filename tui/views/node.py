"""The node pane: how a value came about, what has flowed into it, what it sends on, and where the user wrote it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from rich.cells import cell_len

from tracer import elements
from tracer import format as fmt
from tracer.cells.figures import LARGE
from tracer.cells.meanings import Kind
from tracer.formulas import formula
from tracer.stats import Summary, all_zero
from tui.ink import Line, Span, clip, elide, span, width_of
from tui.views.arrivals import cursor, index_text
from tui.views.flows import WIDE, flows_in, flows_out
from tui.views.scene import Scene
from tui.views.sources import source_around, source_lines

BINS, FEW_BINS = 16, 8
AROUND = 4
"""In a wide pane with room for it the source is shown with so many lines before and after."""


def title(scene: Scene, width: int = 1000) -> str:
    """What the node is: number, name, op, type and shape; where that is too long, name, type and shape."""
    view = scene.trace[scene.selected]
    op, typed = f" · {view.op_name}" if view.name else "", fmt.typed(view.form)
    whole = f"node {scene.selected} · {view.label}{op} · {typed}"
    room = max(4, width - cell_len(f"node  · {typed}"))
    return whole if cell_len(whole) <= width else f"node {elide(view.label, room)} · {typed}"


def lines(scene: Scene, width: int, height: int = 1000) -> list[Line]:
    """Everything known about the selected node at this position, most needed first; denser where the pane is low."""
    if not len(scene.trace):
        return [(span("an empty trace", Kind.FAINT),)]
    found: list[Line] = []
    source = source_lines(scene, width)
    for dense, sparse in ((False, False), (True, False), (True, True)):
        found = _lines(scene, width, dense=dense, sparse=sparse)
        if len(found) + len(source) <= height:
            break
    if width >= WIDE and height - len(found) >= 2 * AROUND:
        source = [(), *source_around(scene, height - len(found) - 1)]
    return [clip(line, width) for line in (*found, *source)]


def _lines(scene: Scene, width: int, *, dense: bool, sparse: bool) -> list[Line]:
    """The lines; `dense` puts two into one where they fit, `sparse` leaves out what an element sends and gets."""
    return [
        *formula_lines(scene, width, dense=dense),
        *number_lines(scene, width, dense=dense),
        *flows_in(scene, width, sparse=sparse),
        *flows_out(scene, width, sparse=sparse),
        *kernel_lines(scene),
    ]


# ----- the formula


def formula_lines(scene: Scene, width: int, *, dense: bool = False) -> list[Line]:
    """The formula with names, and with the numbers put in: of the element under the cursor, or of the arrays."""
    view = scene.trace[scene.selected]
    if view.op is None:
        what = {"input": "an input", "parameter": "a parameter"}.get(view.kind, f"a {view.kind}")
        return [(span(view.label, Kind.NAME), span(f"  {what}", Kind.FAINT))]
    work = scene.figures.work(view.index)
    text = scene.figures.text(("formula", view.index), work, lambda: formula(view))
    names: Line = (span(view.label, Kind.NAME), span(" = ", Kind.FAINT), span(text))
    if not scene.has_run(view.index):
        return [names]
    wide = width >= WIDE
    of_element = (
        [_of_element(scene, width)] if view.form.ndim and elements.has_elements(view) else []
    )
    if of_element and not wide:
        beside: Line = (*names, span("   "), *of_element[0])
        return [beside] if dense and width_of(beside) <= width else [names, *of_element]
    beside = (*names, *_with_numbers(scene, width, margin=""))
    if (wide or dense) and width_of(beside) <= width:
        return [beside, *of_element]
    margin = " " * cell_len(view.label)
    return [names, _with_numbers(scene, width, margin=margin), *of_element]


def _with_numbers(scene: Scene, width: int, *, margin: str) -> Line:
    """The calculation with the numbers of single numbers and the first ones of arrays, and its result."""
    view = scene.trace[scene.selected]
    numbers = scene.figures.text(
        ("numbers", view.index),
        scene.figures.work(view.index),
        lambda: formula(view, numbers=True),
    )
    result = f"[{fmt.elided(view.seen)}]" if view.shape else fmt.number(view.seen)
    return _balanced((span(margin),), numbers, result, width)


def _of_element(scene: Scene, width: int) -> Line:
    view = scene.trace[scene.selected]
    at = cursor(scene, view.index)
    numbers = scene.figures.text(
        ("calculation", view.index, at),
        scene.figures.work(view.index),
        lambda: elements.calculation(view, at),
    )
    head = (span(view.label, Kind.NAME), span(index_text(at), Kind.FAINT))
    return _balanced(head, numbers, fmt.number(scene.trace.seen(view.index)[at]), width)


def _balanced(head: Line, numbers: str, result: str, width: int) -> Line:
    """The calculation and its result; a long calculation gives way, so that the result can be read."""
    room = width - width_of(head) - len(result) - 6
    if cell_len(numbers) > room:
        numbers = re.sub(r"\[(\S+) [^]]*…\]", r"[\1 …]", numbers)
    line: tuple[Span, ...] = (*head, span(" = ", Kind.FAINT))
    if room >= 8 and numbers != result:
        line = (*line, span(elide(numbers, room), Kind.FAINT), span(" = ", Kind.FAINT))
    return (*line, span(result, Kind.VALUE))


# ----- value and gradient


def number_lines(scene: Scene, width: int, *, dense: bool = False) -> list[Line]:
    """The summary of the value, then of the gradient and its state in words, each with its histogram."""
    node = scene.selected
    if not scene.has_run(node):
        return [(span("value     ", Kind.FAINT), span("· not run yet", Kind.FAINT))]
    value = scene.trace.seen(node)
    found = _summary_lines(scene, "value", value, width, dense=dense)
    array, words = scene.gradient(node), state_words(scene, node)
    if array is None:
        label = (span("gradient  ", Kind.FAINT), span(words, Kind.FAINT))
        return [*found, label]
    state = span(f"  {words}", Kind.FAINT)
    room = width - width_of((state,)) if dense else width
    gradient = _summary_lines(scene, "gradient", array, room, dense=dense)
    if width_of((*gradient[-1], state)) <= width:
        return [*found, *gradient[:-1], (*gradient[-1], state)]
    return [*found, *gradient, (span(" " * 8), state)]


def state_words(scene: Scene, node: int) -> str:
    """The state of a gradient with its sign, and why it is so or what is still to come."""
    status = scene.status(node)
    to_come = status.expected - status.arrived
    words = f"{status.glyph} {status}"
    if status.state == "partial":
        return f"{status.glyph} partial {status.arrived}/{status.expected}: {to_come} to come"
    if status.state == "not reached" and to_come:
        flows = "its flow is" if to_come == 1 else f"{to_come} flows are"
        return f"{words}: {flows} to come"
    if status.state == "disconnected":
        return f"{words}: no way to the loss"
    if status.state == "final":
        array = scene.gradient(node)
        if array is not None and 0 < array.size <= LARGE and all_zero(array):
            words += ", exactly zero"
        elif node == scene.trace.loss and not scene.figures.arrivals(node):
            words += ": the seed"
    return words


RAN = {
    "numba": "numba",
    "numba flows": "numpy for the value, numba for the flows",
    "cuda": "CUDA",
    "interpret": "CUDA, interpreted",
    "host": "numpy, on copies from the device",
}


def kernel_lines(scene: Scene) -> list[Line]:
    """Which kernels ran, where it was not numpy alone; those of the flows too, once they ran, where they are others."""
    node = scene.trace[scene.selected]
    ran = RAN.get(node.kernels)
    found: list[Line] = [(span("kernels   ", Kind.FAINT), span(ran))] if ran else []
    sent = scene.timeline.after_backward(node.index)
    if ran and sent is not None and sent <= scene.position and not node.kernels.startswith("numba"):
        flows = node.flow_kernels
        if flows not in ("", node.kernels):
            found.append((span("  flows   ", Kind.FAINT), span(RAN.get(flows, flows))))
    return found


def _summary_lines(scene: Scene, word: str, array: Any, width: int, *, dense: bool) -> list[Line]:
    """The summary and the histogram of an array, in one line where the pane is wide or low."""
    kind = Kind.VALUE if word == "value" else Kind.GRADIENT
    label = span(word.ljust(10), Kind.FAINT)
    if array.ndim == 0:
        return [(label, span(fmt.number(array), kind if np.isfinite(array) else Kind.WARN))]
    key: tuple[Any, ...] = (word, scene.selected)
    if word == "gradient":
        key = (*key, scene.timeline.arrived(scene.position, scene.selected))
    summary = scene.figures.summary(key, array)
    if summary is None:
        return [(label, span("…", Kind.FAINT))]
    if not array.size:
        return [(label, span("empty", kind))]
    if dense:
        return [_in_one_line(scene, key, array, summary, width)]
    room = (
        34 if width >= WIDE and not (summary.nans or summary.infs) else width - width_of((label,))
    )
    texts = summary_texts(summary)
    words = next((text for text in texts if cell_len(text) <= room), texts[-1])
    text = span(words, Kind.WARN if summary.nans or summary.infs else kind)
    low, high = (fmt.number(x, 3) for x in (summary.low, summary.high))
    bars = span(scene.figures.histogram(key, array, BINS), kind)
    histogram = (span(f"{low:>9} ", Kind.FAINT), bars, span(f" {high}", Kind.FAINT))
    if width >= WIDE:
        return [(label, *_padded((text,), 34), *histogram)]
    return [(label, text), histogram]


def _in_one_line(
    scene: Scene, key: tuple[Any, ...], array: Any, summary: Summary, width: int
) -> Line:
    """As much of a summary as fits: histogram and moments, fewer moments, no histogram."""
    kind = Kind.VALUE if key[0] == "value" else Kind.GRADIENT
    ink = Kind.WARN if summary.nans or summary.infs else kind
    label = span("value " if key[0] == "value" else "grad  ", Kind.FAINT)
    bars = (span(scene.figures.histogram(key, array, FEW_BINS), kind), span(" "))
    texts = summary_texts(summary)
    lines: list[Line] = [(label, *front, span(text, ink)) for front in (bars, ()) for text in texts]
    return next((line for line in lines if width_of(line) <= width), lines[-1])


def _padded(line: Line, width: int) -> Line:
    return (*line, span(" " * max(1, width - width_of(line))))


def summary_texts(summary: Summary) -> list[str]:
    """What is said of an array, from long to short: moments in three digits; how many elements are no numbers stays.

    >>> summary_texts(Summary(4, 0.5, 1.5, -1.0, 2.0, 1.58, nans=1, infs=0, zeros=0))
    ['rms 1.58  μ 0.5  σ 1.5  nan 1', 'rms 1.58  σ 1.5  nan 1', 'rms 1.58  nan 1', 'nan 1']
    """
    rms, mean, std = (fmt.number(x, 3) for x in (summary.rms, summary.mean, summary.std))
    bad = [f"{word} {n}" for n, word in ((summary.nans, "nan"), (summary.infs, "inf")) if n]
    zeros = [f"zero {summary.zeros}"] if summary.zeros else []
    choices = (
        [f"rms {rms}", f"μ {mean}", f"σ {std}", *bad, *zeros],
        [f"rms {rms}", f"μ {mean}", f"σ {std}", *bad],
        [f"rms {rms}", f"σ {std}", *bad],
        [f"rms {rms}", *bad],
        bad,
    )
    return list(dict.fromkeys("  ".join(words) for words in choices if words))
