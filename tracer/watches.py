"""Watches: expressions shown anew at every position, such as `norm(grad)`, `xhat`, or `max(abs(value)) of xhat`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.conditions import evaluate
from tracer.errors import UnknownNameError
from tracer.expressions import read
from tracer.format import elided, number, typed
from tracer.traces import Trace


@dataclass(frozen=True)
class Watch:
    """An expression over the numbers of a node; without a node it follows the current one.

    expression: empty to show value and gradient as they are.
    """

    number: int
    expression: str
    node: str = ""

    @property
    def text(self) -> str:
        """The watch as a user would write it."""
        if not self.expression:
            return self.node
        return f"{self.expression} of {self.node}" if self.node else self.expression


def watch(count: int, trace: Trace, text: str) -> Watch:
    """Read the text of a watch: a node, an expression, or `EXPRESSION of NODE`.

    Raises `ConditionError` for an expression that cannot be read, `UnknownNameError` for a node that is not there.
    """
    clean = " ".join(text.split())
    try:
        return Watch(count, "", trace.label(trace.node_index(clean)))
    except UnknownNameError:
        expression, of, node = clean.rpartition(" of ")
        if of:
            label = trace.label(trace.node_index(node.strip()))
        elif clean.isidentifier() and clean not in ("value", "grad"):
            raise
        else:
            expression, label = clean, ""
    read(expression)
    return Watch(count, expression, label)


def shown(watched: Watch, trace: Trace, position: int) -> str:
    """What a watch shows at a position: numbers that are there by then, or the word for why they are not."""
    timeline = trace.timeline
    if watched.node:
        try:
            node = trace.node_index(watched.node)
        except UnknownNameError:
            return "not in this trace"
    else:
        node = timeline.step(position).node
        if node < 0:
            return "nothing has run yet"
    status = timeline.status(position, node)
    if not timeline.has_run(position, node):
        return str(status)
    value, gradient = trace.value(node), timeline.gradient(position, node)
    if not watched.expression:
        now = in_words(gradient) if gradient is not None else str(status)
        mark = f", {status}" if status.state == "partial" else ""
        return f"value {in_words(value)}, gradient {now}{mark}"
    _, names = read(watched.expression)
    if "grad" in names and gradient is None:
        return str(status)
    found = in_words(evaluate(watched.expression, value, gradient))
    return f"{found}, {status}" if "grad" in names and status.state == "partial" else found


def in_words(found: Any) -> str:
    """A number, a truth, an array or a word as short text."""
    if isinstance(found, str):
        return found
    if isinstance(found, np.ndarray) and found.ndim:
        return f"{typed(found)} {elided(found)}"
    return number(found)
