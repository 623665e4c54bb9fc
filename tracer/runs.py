"""Runs: how long the steps around a position stay inside one scope (a layer, a time step)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tracer.recording import Scope
from tracer.traces import Trace


class Run(NamedTuple):
    """A stretch of steps of one pass inside a scope: the position before it, and the position at its end."""

    scope: Scope
    start: int
    end: int

    @property
    def words(self) -> str:
        """The scope as text: `rnn[t=3].cell`."""
        return ".".join(map(str, self.scope))


def runs_around(trace: Trace, position: int) -> tuple[Run, ...]:
    """The runs that the step which led to a position belongs to: innermost scope first, then the whole pass.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> with tr.scope("layer"):
    ...     y = tr.tanh(x * x)
    >>> [(run.words, run.start, run.end) for run in runs_around(tr.trace(y + 1.0), 1)]
    [('layer', 0, 2), ('', 0, 3)]
    """
    timeline = trace.timeline
    forward = timeline.forward_steps
    if position == 0:
        return (Run((), 0, forward),)
    first, nodes = 0, timeline.forward_nodes
    if position > forward:
        first, nodes = forward, trace.edge_consumer[timeline.flow_edges]
    here = position - first - 1
    scopes = trace.scope_of[nodes]
    scope = trace.scopes[scopes[here]]
    runs = []
    for depth in range(len(scope), -1, -1):
        around = scope[:depth]
        inside = np.array([each[:depth] == around for each in trace.scopes])[scopes]
        outside = np.flatnonzero(~inside)
        k = int(np.searchsorted(outside, here))
        start = int(outside[k - 1]) + 1 if k else 0
        end = int(outside[k]) if k < len(outside) else len(nodes)
        runs.append(Run(around, first + start, first + end))
    return tuple(runs)
