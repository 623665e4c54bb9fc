"""Nodes as people know them: by their names, and those without one by the nearest name beyond them."""

from __future__ import annotations

from collections.abc import Sequence

from tracer.formulas import formula
from tracer.traces import Trace

from .wrong import step_of

FARTHEST = 64
"""Nodes that are looked at for the nearest name, at most."""
LONGEST = 30
"""Formulas longer than this stand for nothing."""


def place(trace: Trace, node: int) -> str:
    """Where in the network a node stands: the nearest name that it goes into, with its time step.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> y = tr.sin(tr.square(x) + 1.0)
    >>> trace = tr.trace(y)
    >>> trace.label(1), place(trace, 1)
    ('square@1', 'y')
    """
    named = _named_from(trace, node)
    step = step_of(trace, named)
    return trace.label(named) if step is None else f"step {step} ({trace.label(named)})"


def places(trace: Trace, nodes: Sequence[int]) -> list[str]:
    """The places of several nodes; those that would read the same also say by which operation they come."""
    found = [place(trace, node) for node in nodes]
    return [
        f"{here} by way of {trace.label(node)}" if found.count(here) > 1 else here
        for here, node in zip(found, nodes, strict=True)
    ]


def _named_from(trace: Trace, node: int) -> int:
    """The nearest node with a name, from a node on; the last one where there is none."""
    seen, layer = {node}, [node]
    while layer and len(seen) < FARTHEST:
        for k in layer:
            if trace.names[k]:
                return k
        consumers = [int(trace.edge_consumer[e]) for k in layer for e in trace.uses_of(k)]
        layer = [k for k in dict.fromkeys(consumers) if k not in seen]
        seen.update(layer)
    return node


def value_said(trace: Trace, node: int) -> str:
    """A recorded value: its label, or what it computes where it has no name: `sqrt(var + 1e-05)`."""
    if trace.names[node]:
        return trace.label(node)
    text = formula(trace[node])
    short = text and "@" not in text and len(text) <= LONGEST
    if not short:
        return trace.label(node)
    return f"({text})" if " " in text and not text.endswith(")") else text
