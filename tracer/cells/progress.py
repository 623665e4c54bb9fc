"""How far the nodes of a folded box have come: sorted once, so that a step costs a search and not a walk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ops.primitive import Array
from tracer.folding.merging import Folded
from tracer.traces import Trace


@dataclass(frozen=True, eq=False)
class Progress:
    """The positions, rising, at which the operations of a box run and at which its gradients are final."""

    ran: Array
    final: Array
    reached: int
    """The position at which the first flow arrives; beyond the timeline if none does."""

    def run(self, position: int) -> tuple[int, int]:
        """How many operations have run, and how many there are."""
        return int(np.searchsorted(self.ran, position, side="right")), len(self.ran)

    def finished(self, position: int) -> tuple[int, int]:
        """How many gradients are final, and how many will be."""
        return int(np.searchsorted(self.final, position, side="right")), len(self.final)

    def meets(self, positions: Array) -> bool:
        """Whether something happens in the box at one of these positions."""
        for own in (self.ran, self.final):
            few, many = sorted((own, positions), key=len)  # breakpoints may be at every node
            at: Array = np.searchsorted(many, few)
            inside = at < len(many)
            if (many[at[inside]] == few[inside]).any():
                return True
        return False


@dataclass(frozen=True, eq=False)
class Leaving:
    """The nodes that other boxes read, and the positions at which something becomes of all of them."""

    nodes: tuple[int, ...]
    receiving: tuple[int, ...]
    """Those among them that get a gradient."""
    ran: int
    """From when on all have run."""
    reached: int
    """From when on the first flow has arrived at one of them."""
    final: int
    """From when on all gradients that there will be are final."""


def leaving(folded: Folded, box: int) -> Leaving:
    """What leaves a box, and when."""
    return folded.once(("leaving", box), lambda: _leaving(folded, box))


def _leaving(folded: Folded, box: int) -> Leaving:
    nodes = np.array(folded.leaving(box))
    ran, first, final = (each[nodes] for each in _moments(folded.trace))
    return Leaving(
        tuple(nodes.tolist()),
        tuple(nodes[final >= 0].tolist()),
        int(ran.max()),
        int(first.min()),
        int(final.max()),
    )


def progress(folded: Folded, box: int) -> Progress:
    """How far a box comes at which position."""
    return folded.once(("progress", box), lambda: _progress(folded, box))


def _progress(folded: Folded, box: int) -> Progress:
    ran_at, first, final = _moments(folded.trace)
    nodes = folded.nodes(box)
    ran, ends = ran_at[nodes], final[nodes]
    reached = int(first[nodes].min())
    return Progress(np.sort(ran[ran > 0]), np.sort(ends[ends >= 0]), reached)


@lru_cache(maxsize=4)
def _moments(trace: Trace) -> tuple[Array, Array, Array]:
    """For each node the position at which it runs, is reached by a flow, and has its gradient. O(nodes) once."""
    timeline = trace.timeline
    ran = np.zeros(len(trace), dtype=np.int64)
    ran[timeline.forward_nodes] = np.arange(1, timeline.forward_steps + 1)
    receivers = trace.input_of[timeline.flow_edges]
    position = timeline.forward_steps + 1 + np.arange(len(receivers))
    first = np.full(len(trace), timeline.last + 1, dtype=np.int64)
    final = np.full(len(trace), -1, dtype=np.int64)
    first[receivers[::-1]] = position[::-1]  # of repeated receivers the last stays
    final[receivers] = position
    if trace.loss >= 0 and trace.receives[trace.loss] and final[trace.loss] < 0:
        first[trace.loss] = final[trace.loss] = timeline.forward_steps
    return ran, first, final
