"""Watches: expressions shown anew at every position: `norm(w1.grad) / norm(w1)`, `xhat`, `rms(grad) of xhat`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.errors import UnknownNameError
from tracer.expressions import Expression, node_of, read
from tracer.fetching import Distant
from tracer.format import elided, number, typed
from tracer.operators import AbsentError
from tracer.reading import OWN
from tracer.traces import Trace


@dataclass(frozen=True)
class Watch:
    """An expression over the numbers of a trace; `value` and `grad` are those of its node, without one of the current.

    expression: empty to show value and gradient of the node as they are.
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
        elif _NAME.fullmatch(clean) and clean not in OWN:
            raise
        else:
            expression, label = clean, ""
    read(expression).fit(trace)
    return Watch(count, expression, label)


_NAME = re.compile(r"[^\W\d]\w*(#\d+)?")


class Present:
    """The numbers of a trace as they stand at a position: values that have run, gradients as far as they have arrived.

    Raises `AbsentError` with the state in words for a number that is not there yet.
    """

    def __init__(self, trace: Trace, position: int, node: int) -> None:
        self.trace, self.position, self.node = trace, position, node

    def __call__(self, name: str, quantity: str) -> Any:
        """The number of a node, the empty name being the node in question."""
        trace, position = self.trace, self.position
        node = node_of(trace, name) if name else self.node
        if node < 0:
            raise AbsentError("nothing has run yet")
        status = trace.timeline.status(position, node)
        who = f"{trace.label(node)} " if name else ""
        if not trace.timeline.has_run(position, node):
            raise AbsentError(f"{who}{status}")
        found = trace.timeline.gradient(position, node) if quantity != "value" else None
        if found is None and quantity == "grad":
            raise AbsentError(f"gradient of {who}{status}" if who else str(status))
        return trace.storage.value(node) if found is None else found

    def partial(self, expression: Expression) -> str:
        """Which of the gradients that an expression asks for are only partly there; empty if none is."""
        words = []
        for name, quantity in sorted(expression.uses):
            node = node_of(self.trace, name) if name else self.node
            status = self.trace.timeline.status(self.position, node)
            if quantity != "value" and status.state == "partial":
                words.append(f"{name} {status}" if name else str(status))
        return ", ".join(words)


def evaluated(trace: Trace, position: int, node: int, text: str) -> tuple[Any, str]:
    """What an expression gives at a position, a word where it cannot be told; and which gradients are partly there.

    node: the one in question, for `value` and `grad`. Raises `ConditionError` for a text that does not fit the trace.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> trace = tr.trace(x * x)
    >>> evaluated(trace, 0, -1, "norm(x)"), evaluated(trace, 1, 1, "x.grad")
    ((3.0, ''), ('gradient of x not reached', ''))
    """
    expression = read(text)
    expression.fit(trace)
    numbers = Present(trace, position, node)
    try:
        with np.errstate(all="ignore"):
            found = expression.reading(numbers)
    except AbsentError as absent:
        return str(absent), ""
    return found.item() if isinstance(found, np.bool_) else found, numbers.partial(expression)


class Shown:
    """What watches show, worked out again only when a number that they ask for has changed."""

    def __init__(self) -> None:
        self._known: dict[Watch, tuple[object, str]] = {}

    def __call__(self, watched: Watch, trace: Trace, position: int) -> str:
        """What a watch shows at a position: numbers that are there by then, or the word for why they are not."""
        try:
            node = trace.node_index(watched.node) if watched.node else _current(trace, position)
            names = {name for name, _ in read(watched.expression or "value").uses}
            asked = sorted({node_of(trace, name) if name else node for name in names} - {-1})
        except UnknownNameError:
            return "not in this trace"
        timeline = trace.timeline
        states = [(timeline.status(position, k), timeline.has_run(position, k)) for k in asked]
        key = (trace, node, states)
        known = self._known.get(watched)
        if known is None or known[0] != key:
            known = self._known[watched] = key, _shown(watched, trace, position, node)
        return known[1]

    def forget(self, watched: Watch) -> None:
        """A watch is no more."""
        self._known.pop(watched, None)


def _current(trace: Trace, position: int) -> int:
    return trace.timeline.step(position).node


def _shown(watched: Watch, trace: Trace, position: int, node: int) -> str:
    if watched.expression:
        found, partial = evaluated(trace, position, node, watched.expression)
        return ", ".join(filter(None, (in_words(found), partial)))
    timeline = trace.timeline
    status = timeline.status(position, node)
    if not timeline.has_run(position, node):
        return str(status)
    gradient = timeline.seen_gradient(position, node)
    now = in_words(gradient) if gradient is not None else str(status)
    mark = f", {status}" if status.state == "partial" else ""
    return f"value {in_words(trace.seen(node))}, gradient {now}{mark}"


def in_words(found: Any) -> str:
    """A number, a truth, an array, a shape or a word as short text."""
    if isinstance(found, (str, tuple)):
        return str(found)
    if isinstance(found, np.ndarray | Distant) and found.ndim:
        return f"{typed(found)} {elided(found)}"
    return number(found)
