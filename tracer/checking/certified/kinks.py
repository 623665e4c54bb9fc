"""Which recorded values lie at a kink, a jump or the edge of a domain: the graph knows, as no black box does.

An operation with straight pieces has at every element a margin, whose zero is the kink: x of relu(x), x − 6 and x of
relu6, the lead of the largest element over the next of a max. A margin of 0 is a kink here, a small one is one near.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.cones import Cone
from tracer.format import number
from tracer.nodes import Guard
from tracer.replay import detached
from tracer.traces import Trace

from .certificate import KINK
from .margins import MARGINS, Margin

Array = Any
"""A numpy array or numpy scalar."""

BRANCH = "branch"
"""Where the program itself looked at a value and would take another way beyond it: `if x > 0`."""
REACH = 1e-6
"""How far an element is moved to see which kinks it reaches, as a share of its size; of its room, for a small one."""


@dataclass(frozen=True)
class Kink:
    """A recorded value at, or close to, a place where an operation has no derivative.

    >>> str(Kink(7, "relu#2", (2, 3), 0.0, 0.0))
    'relu#2 at [2, 3] = 0'
    """

    node: int
    """The operation, by the number of its node."""
    label: str
    index: tuple[int, ...]
    """The element; of a reduction, that of its result."""
    value: float
    """What stands there: of a relu its input, of a max the largest element."""
    distance: float
    """How much that value must change to reach the kink; 0 if it lies at it."""
    kind: str = KINK
    """A kink, a jump, an infinite slope, or a branch of the program."""

    def __str__(self) -> str:
        where = f" at [{', '.join(map(str, self.index))}]" if self.index else ""
        said = "" if self.kind == KINK else f" ({self.kind})"
        if not self.distance:
            return f"{self.label}{where} = {number(self.value)}{said}"
        away = f", {number(self.distance, 2)} from its {'kink' if self.kind == KINK else self.kind}"
        return f"{self.label}{where} = {number(self.value)}{away}"


def kinks_near(
    trace: Trace,
    node: int,
    element: int | tuple[int, ...] | None = None,
    *,
    reach: float = REACH,
) -> tuple[Kink, ...]:
    """The kinks between a node and the loss that the value of that node reaches, the nearest first.

    element: of that one alone, by its index or flat number, moved by `reach` times its size to both sides; those that
    it moves and that lie no further. Without one, all values no further than `reach` times their size from a kink.

    >>> import tracer as tr
    >>> x = tr.tensor([[-1.0, 0.0], [2.0, 1e-9]], name="x")
    >>> trace = tr.trace(tr.relu(x).sum())
    >>> [str(kink) for kink in kinks_near(trace, 0)]
    ['relu@1 at [0, 1] = 0', 'relu@1 at [1, 1] = 1e−9, 1e−9 from its kink']
    >>> [kink.index for kink in kinks_near(trace, 0, (1, 1))]
    [(1, 1)]
    """
    looks = {guard.node: guard for guard in trace.guards if guard.kind != "item"}
    targets = [*([trace.loss] if trace.loss >= 0 else range(len(trace))), *looks]
    cut = detached(trace, node)
    cone = Cone(trace, [node, *cut], targets)
    here = {node: trace.value(node), **{k: trace.value(k) for k in cone.plan}}
    found: list[Kink] = []
    with np.errstate(all="ignore"):
        there = [cone.values({**cut, node: moved}) for moved in _moved(here[node], element, reach)]
        for k in (k for k in cone.plan if _has_margins(trace, k, looks)):
            margins = margins_of(trace, k, here, looks)
            others = [margins_of(trace, k, values, looks) for values in there]
            for n, margin in enumerate(margins):
                room = reach * np.maximum(abs(margin.value), 1.0)
                if others:
                    changes = [abs(abs(other[n].lead) - abs(margin.lead)) for other in others]
                    room = np.maximum(*changes)
                for index in np.argwhere((abs(margin.lead) <= room) & (room > 0)).tolist():
                    at = tuple(index)
                    value, lead = float(margin.value[at]), abs(float(margin.lead[at]))
                    found.append(Kink(k, trace.label(k), at, value, lead, margin.kind))
    return tuple(sorted(dict.fromkeys(found), key=lambda kink: kink.distance))


def _moved(value: Array, element: int | tuple[int, ...] | None, reach: float) -> list[Array]:
    """The value with one element a little larger, and a little smaller; nothing without an element."""
    if element is None:
        return []
    found = []
    for sign in (1, -1):
        moved = np.array(value)
        flat = moved.reshape(-1)
        k = (
            int(np.ravel_multi_index(element, moved.shape))
            if isinstance(element, tuple)
            else element
        )
        flat[k] += sign * reach * max(abs(float(flat[k])), 0.25)
        found.append(moved[()])
    return found


def _has_margins(trace: Trace, node: int, looks: Mapping[int, Guard]) -> bool:
    op = trace.op(node)
    return node in looks or (op is not None and op.name in MARGINS)


def margins_of(
    trace: Trace, node: int, values: Mapping[int, Array], looks: Mapping[int, Guard]
) -> list[Margin]:
    """The margins of one node, on these values and, where there are none, the recorded ones."""
    op, found = trace.op(node), []
    assert op is not None
    if op.name in MARGINS:
        args = [
            trace.literals[-1 - i] if i < 0 else values[i] if i in values else trace.value(i)
            for i in trace.inputs_of(node)
        ]
        found = MARGINS[op.name](args, trace.params[trace.params_of[node]], values[node])
    if node not in looks:
        return found
    if found:
        return [margin._replace(kind=BRANCH) for margin in found]
    value = np.asarray(values[node], np.float64)
    whole = np.trunc(value) if looks[node].kind == "int" else 0.0
    return [Margin(value - whole, value, BRANCH)]
