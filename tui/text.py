"""A trace as text: a heading, a table of its nodes, the gradients that are sums of flows.

Pure functions of a trace and a position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tracer import formulas
from tracer.cells.widths import fit as fit
from tracer.cells.widths import width as width
from tracer.format import dtype, elided, number, shape
from tracer.kinds import KINDS
from tracer.nodes import Node
from tracer.stats import all_zero, rms
from tracer.timeline import GLYPHS
from tracer.traces import Trace

FOLD_ABOVE = 200
"""A longer list of nodes is folded in the middle."""
ENDS = 40
"""How many nodes stay at either end of a folded list."""
FLOWS_SHOWN = 12


def show(
    trace: Trace,
    title: str,
    *,
    position: int | None = None,
    every: bool = False,
    columns: int | None = None,
) -> str:
    """The trace at a position (the end if None): a heading, a row per node, and the gradients that are sums of flows.

    every: do not fold the middle of a long list. columns: so wide at most; sources give way first, gradients last.
    """
    at = trace.timeline.last if position is None else trace.timeline.check(position)
    blocks = [
        heading(trace, title, at),
        node_table(trace, at, every=every, columns=columns),
        legend(trace, at),
    ]
    sums = flow_sums(trace, at)
    if sums:
        blocks.append(sums)
    text = "\n\n".join(block for block in blocks if block)
    return text if columns is None else "\n".join(fit(line, columns) for line in text.splitlines())


# ----- the heading


def heading(trace: Trace, title: str, position: int) -> str:
    """Two lines: what it is and its loss; how much there is of it, and where on the timeline we stand."""
    counts = Counter(KINDS[k] for k in trace.kind_of.tolist())
    inside = ", ".join(plural(counts[kind], WORDS[kind]) for kind in WORDS if counts[kind])
    floats = {dtype(trace.storage.held(i)) for i in (trace.loss,) if i >= 0}
    size = " · ".join(
        [plural(len(trace), "node") + f" ({inside})", *floats, *device_text(trace, position)]
    )
    return f"{title}{loss_text(trace, position)}\n{size} · {position_text(trace, position)}"


def device_text(trace: Trace, position: int) -> list[str]:
    """Where it was recorded, and what ran its operations and their flows by now, unless that was the CPU."""
    if trace.device == "cpu":
        return []
    ran = Counter(trace.ops[k].kernels for k in trace.op_of[trace.op_of >= 0].tolist())
    there = ran["cuda"] + ran["interpret"]
    rest = ran.total() - there
    by_kernels = f"{plural(there, 'operation')} by CUDA kernels"
    said = by_kernels + (f", {rest} by numpy on copies" if rest else "")
    flows = Counter(
        trace.flow_kernels(k)
        for k in np.flatnonzero(trace.op_of >= 0).tolist()
        if (trace.timeline.after_backward(k) or position + 1) <= position
    )
    if flows["host"]:
        said += f", the flows of {flows['host']:,} by numpy on copies"
    return [f"on {trace.device}", said]


WORDS = {
    "op": "operation",
    "parameter": "parameter",
    "input": "input",
    "buffer": "buffer",
    "constant": "constant",
}


def plural(count: int, word: str) -> str:
    """A number and its word.

    >>> plural(1, "node"), plural(12000, "node")
    ('1 node', '12,000 nodes')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def loss_text(trace: Trace, position: int) -> str:
    """The loss by name and number, if it has run."""
    if trace.loss < 0 or not trace.timeline.has_run(position, trace.loss):
        return ""
    label = trace.label(trace.loss)
    return (
        f" · {label if label == 'loss' else 'loss ' + label} = {value_text(trace.seen(trace.loss))}"
    )


def position_text(trace: Trace, position: int) -> str:
    """Where a position lies, in words."""
    timeline = trace.timeline
    step = timeline.step(position)
    if position == timeline.last:
        return f"all {plural(timeline.last, 'step')} made"
    where = f"step {position:,} of {timeline.last:,}"
    if step.phase == "start":
        return f"{where}: nothing has run"
    label = trace.label(step.node)
    if step.phase == "forward":
        return f"{where}: forward, {label} has run"
    return f"{where}: backward, flow {step.number} of {step.count} from {label}"


# ----- the table of nodes


HEADINGS = ("#", "node", "op", "formula", "shape", "value", "gradient", "source")
LIMITS = (8, 18, 18, 34, 12, 24, 26, 60)
RIGHT = frozenset({0, 4})
SOURCE, LEAST_SOURCE = 7, 12
GIVE_WAY = ((SOURCE, 0), (2, 10), (3, 8), (5, 16), (6, 16), (1, 8), (5, 8), (2, 6), (3, 3))
"""Which columns are made narrower for a narrow terminal, in order, and how narrow."""


def node_table(
    trace: Trace, position: int, *, every: bool = False, columns: int | None = None
) -> str:
    """A row per node, under its scope; the middle of a long trace is folded into one line that says so."""
    count = len(trace)
    folds = not every and count > FOLD_ABOVE
    shown = [*range(ENDS), *range(count - ENDS, count)] if folds else range(count)
    cells = [HEADINGS, *(node_row(trace, i, position) for i in shown)]
    head, *rows = table(cells, columns).splitlines()
    lines = [head]
    scope = ""
    for k, (i, row) in enumerate(zip(shown, rows, strict=True)):
        if folds and k == ENDS:
            lines.append(f"   … {count - 2 * ENDS:,} nodes between are folded; --all shows them")
        if trace[i].scope_text != scope:
            scope = trace[i].scope_text
            lines.append(f"─── {scope}" if scope else "───")
        lines.append(row)
    return "\n".join(lines)


def node_row(trace: Trace, index: int, position: int) -> tuple[str, ...]:
    """The cells of one node at a position."""
    node = trace[index]
    value = value_text(trace.seen(index)) if trace.timeline.has_run(position, index) else "·"
    return (
        str(index),
        node.label,
        node.op_name,
        "" if node.is_leaf else formulas.formula(node),
        shape(node.shape),
        value,
        gradient_text(trace, index, position),
        source_text(node),
    )


def value_text(value: Any) -> str:
    """A number, or the first numbers of an array."""
    return number(value) if value.ndim == 0 else elided(value, 3)


def gradient_text(trace: Trace, index: int, position: int) -> str:
    """The glyph of the gradient's state, then the number reached so far, or the state in words."""
    timeline = trace.timeline
    status = timeline.status(position, index)
    gradient = timeline.seen_gradient(position, index)
    if gradient is None:
        words = status.reason if status.state == "blocked" and status.reason else status.state
        return f"{status.glyph} {words}"
    text = f"{status.glyph} {value_text(gradient)}"
    if status.state == "partial":
        return f"{text} ({status.arrived} of {status.expected})"
    return f"{text} exactly zero" if gradient.size and all_zero(gradient) else text


def source_text(node: Node) -> str:
    """File, line and text of the place in the user's source."""
    place = node.place
    if place is None:
        return ""
    return f"{Path(place.file).name}:{place.line}  {node.trace.source_line(place).strip()}".rstrip()


def legend(trace: Trace, position: int) -> str:
    """What the glyphs in the gradient column mean: those that occur among the first nodes."""
    states = Counter(
        trace.timeline.status(position, i).state for i in range(min(len(trace), FOLD_ABOVE))
    )
    return "gradient: " + ", ".join(f"{GLYPHS[state]} {state}" for state in GLYPHS if states[state])


def table(rows: Sequence[Sequence[str]], columns: int | None = None) -> str:
    """The columns of the node table: a cell beyond the limit of its column ends in an ellipsis."""
    limits = limited([max(map(width, column)) for column in zip(*rows, strict=True)], columns)
    cut = [
        [fit(text, limit) for text, limit in zip(row, limits, strict=True) if limit] for row in rows
    ]
    return grid(cut, right=RIGHT)


def limited(sizes: Sequence[int], columns: int | None) -> list[int]:
    """How wide each column of the node table may be where there are so many cells in all; 0 for one that is left out.

    >>> limited([2, 9, 6, 20, 5, 24, 26, 40], None)
    [2, 9, 6, 20, 5, 24, 26, 40]
    >>> limited([2, 9, 6, 20, 5, 24, 26, 40], 80)
    [2, 9, 6, 8, 5, 16, 22, 0]
    """
    found = [min(size, limit) for size, limit in zip(sizes, LIMITS, strict=True)]
    if columns is None:
        return found
    for column, least in GIVE_WAY:
        over = sum(found) + 2 * (sum(map(bool, found)) - 1) - columns
        if over > 0:
            found[column] = max(min(least, found[column]), found[column] - over)
            if column == SOURCE and over > 0 and found[column] < LEAST_SOURCE:
                found[column] = 0
    return found


def grid(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell; those in `right` are flush right.

    >>> print(grid([("node", "value"), ("x", "−2")], right={1}))
    node  value
    x        −2
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for k, (text, wide) in enumerate(zip(row, widths, strict=True)):
            space = " " * (wide - width(text))
            cells.append(space + text if k in right else text + space)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


# ----- gradients that are sums


MOST_SUMS = 8
"""So many values are shown with the flows that they sum."""


def flow_sums(trace: Trace, position: int) -> str:
    """For every leaf that several uses read: the flow of each use, by scope, and their sum."""
    expected = np.bincount(trace.input_of[trace.timeline.flow_edges], minlength=len(trace))
    shared = np.flatnonzero((trace.op_of < 0) & (expected > 1)).tolist()
    blocks = [flow_sum(trace, i, position) for i in shared[:MOST_SUMS]]
    if len(shared) > MOST_SUMS:
        blocks.append(f"… and {len(shared) - MOST_SUMS} more values that several uses read")
    return "\n\n".join(blocks)


def flow_sum(trace: Trace, index: int, position: int) -> str:
    """The flows into one node, in the order of the backward pass, and the sum reached at this position."""
    arrived, expected = trace.timeline.arrived(position, index)
    label = trace.label(index)
    so_far = "" if arrived == expected else f", {arrived} arrived"
    lines = [f"gradient of {label}: a sum of {expected} flows{so_far}"]
    edges = trace.timeline.arrivals(index)[:arrived]
    half = FLOWS_SHOWN // 2
    folds = len(edges) > FLOWS_SHOWN
    shown = [*edges[:half], *edges[-half:]] if folds else edges
    lines += [f"   {row}" for row in grid([flow_row(trace, e) for e in shown]).splitlines()]
    if folds:
        lines.insert(half + 1, f"   … {len(edges) - FLOWS_SHOWN:,} flows between are folded")
    total = trace.timeline.seen_gradient(position, index)
    if total is not None:
        lines.append(f" = {size_text(total)}")
    return "\n".join(lines)


def flow_row(trace: Trace, edge: int) -> tuple[str, str, str]:
    """Scope and consumer of the flow along an edge, and its number, or its size and first numbers."""
    consumer = trace[int(trace.edge_consumer[edge])]
    return (f"+ {size_text(trace.seen_flow(edge))}", f"from {consumer.label}", consumer.scope_text)


def size_text(array: Any) -> str:
    """A number, or the root mean square of an array and its first numbers."""
    if not array.size:
        return "empty"
    return number(array) if array.ndim == 0 else f"rms {number(rms(array), 3)} [{elided(array, 3)}]"
