"""Which node of one run is which of another, and where a position of the one lies in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tracer.kinds import KINDS
from tracer.traces import Trace


@dataclass(frozen=True, eq=False)
class Matching:
    """Two runs, and for each node of the old one its number in the new one, -1 if it is not there any more."""

    old: Trace
    new: Trace
    numbers: Sequence[int]

    def node(self, node: int) -> int | None:
        """The number of a node in the new run, None if it is gone."""
        found = self.numbers[node]
        return found if found >= 0 else None

    def nearest(self, node: int) -> int:
        """The number of a node in the new run, or of the nearest one before it that is there."""
        return next((self.numbers[k] for k in range(node, -1, -1) if self.numbers[k] >= 0), 0)

    def position(self, position: int) -> int:
        """The position after the same step in the new run, or after the nearest step before it that is there.

        The two ends of the timeline and the end of the forward pass stay what they are.
        """
        old, new = self.old.timeline, self.new.timeline
        for here, there in ((0, 0), (old.last, new.last), (old.forward_steps, new.forward_steps)):
            if position == here:
                return there
        while position > 0:
            step = old.step(position)
            found = self._after(step.phase, step.node, step.number)
            if found is not None:
                return found
            position = old.previous_boundary(position)
        return 0

    def _after(self, phase: str, node: int, flows: int) -> int | None:
        """The position in the new run after a node ran, or after it sent so many of its flows."""
        there, timeline = self.numbers[node], self.new.timeline
        if there < 0:
            return None
        if phase == "forward":
            return timeline.after_forward(there) or None
        end = timeline.after_backward(there)
        if end is None:
            return None
        return min(timeline.previous_boundary(end) + flows, end)


def by_number(old: Trace, new: Trace) -> Matching:
    """Two traces with the same nodes, such as one and its replay."""
    return Matching(old, new, range(len(old)))


def by_name(old: Trace, new: Trace) -> Matching:
    """Two runs of a program that may have been edited in between: nodes are told by their names.

    The third `h` of the one is the third of the other. A node without a name is told by its operation, and by the next
    node that has one: in `h = tanh(x @ w)` the product belongs to `h`. The loss is the loss, whatever it is called.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> old, new = tr.trace(x * x), tr.trace(tr.exp(x) * x)
    >>> by_name(old, new).numbers
    [0, 2]
    """
    there = {key: node for node, key in enumerate(_keys(new))}
    numbers = [there.get(key, -1) for key in _keys(old)]
    if old.loss >= 0 and new.loss >= 0:
        numbers[old.loss] = new.loss
    return Matching(old, new, numbers)


def _keys(trace: Trace) -> list[Hashable]:
    """What tells each node from the others."""
    seen: Counter[Hashable] = Counter()
    named: list[Hashable] = []
    for name in trace.names:
        if name:
            seen[name] += 1
        named.append((name, seen[name]) if name else None)
    keys = list(named)
    anchor: Hashable = None
    inside: Counter[Hashable] = Counter()
    for node in range(len(trace) - 1, -1, -1):
        if named[node] is not None:
            anchor = named[node]
        else:
            which = trace.op_of[node]
            word = trace.ops[which].name if which >= 0 else KINDS[trace.kind_of[node]]
            inside[anchor, word] += 1
            keys[node] = anchor, word, inside[anchor, word]
    return keys
