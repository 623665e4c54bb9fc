"""What if: a trace run again with some things edited, what that changed, and what its gradients had said it would.

A gradient is a prediction: a small change Δ of a value changes the loss by about ⟨gradient, Δ⟩. Pushed forward from the
edit through every node (`tracer.insight.tangents`), the same derivatives say to first order how each of them changes,
and beside the difference that the replay made, a reader sees how far a straight line holds.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer import stats
from tracer.errors import GradstepError
from tracer.insight.edits import Edit, read_edit
from tracer.insight.tangents import can_push, push
from tracer.replay import OFTEN, Told, replay, run_again
from tracer.traces import Trace


class Prediction(NamedTuple):
    """What first order says of one node: its change (of an array the rms), and the true change along it, 1 if exact."""

    size: float
    ratio: float


class Difference(NamedTuple):
    """How one node changed, in numbers: those of a scalar with their signs, of an array the root mean squares."""

    before: float
    after: float
    change: float
    predicted: Prediction | None


@dataclass(frozen=True, eq=False)
class Changes:
    """What some edits made of a trace.

    base: as it was recorded. trace: as it is now, with the same node numbers. changed: bool (nodes,): the nodes with
    another value. predictions: by node, as far as they have been worked out. undone: edits that `redo` would make.
    """

    base: Trace
    edits: tuple[Edit, ...]
    trace: Trace
    changed: Array
    predictions: Mapping[int, Prediction]
    undone: tuple[Edit, ...] = ()
    _known: dict[int, Difference] = field(default_factory=dict, repr=False)

    @property
    def nodes(self) -> Array:
        """The nodes that changed, rising."""
        return np.flatnonzero(self.changed)

    def difference(self, node: int) -> Difference:
        """How one node changed; worked out when asked for."""
        if node not in self._known:
            before, after = self.base.storage.value(node), self.trace.storage.value(node)
            self._known[node] = Difference(
                size(before), size(after), size(_minus(after, before)), self.predictions.get(node)
            )
        return self._known[node]


def _nothing_to_tell(done: int, of: int) -> None: ...


def changes(base: Trace, edits: Sequence[Edit], told: Told = _nothing_to_tell) -> Changes:
    """Run what some edits affect again, and push what they change forward to first order.

    told: how many of how many steps are done; it may raise to stop, and then nothing has happened.
    Raises what `replay` raises where an edit does not fit.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> base = tr.trace(x * x)
    >>> found = changes(base, [read_edit(base, "x = 3.5")]).difference(1)
    >>> found.change, found.predicted
    (3.25, Prediction(size=3.0, ratio=1.0833333333333333))
    """
    if not edits:
        return Changes(base, (), base, np.zeros(len(base), dtype=bool), {})
    values = {each.node: each.value for each in edits if each.is_value}
    numbers = {(each.node, each.argument): each.value for each in edits if each.argument >= 0}
    params: dict[int, dict[str, Any]] = {}
    for each in edits:
        if each.parameter:
            params.setdefault(each.node, {})[each.parameter] = each.value
    trace = replay(
        base, values, params=params, numbers=numbers, told=lambda done, of: told(done, 2 * of)
    )
    plan = run_again(base, values, {*params, *(node for node, _ in numbers)})
    changed = np.zeros(len(base), dtype=bool)
    for node in (*values, *plan):
        changed[node] = differs(base.storage.value(node), trace.storage.value(node))
    now = Changes(base, tuple(edits), trace, changed, {})
    return replace(now, predictions=dict(_Forecast(now, set(params)).along(plan, told)))


def edited(
    base: Trace, before: Changes | None, text: str, told: Told = _nothing_to_tell
) -> Changes:
    """One more edit, as somebody wrote it, on top of those before. Raises `GradstepError` where it cannot be made."""
    edits, trace = (before.edits, before.trace) if before is not None else ((), base)
    return changes(base, (*edits, read_edit(trace, text)), told)


def undo(changed: Changes, told: Told = _nothing_to_tell) -> Changes:
    """Without the last edit, which `redo` makes again."""
    *rest, last = changed.edits
    return replace(changes(changed.base, rest, told), undone=(*changed.undone, last))


def redo(changed: Changes, told: Told = _nothing_to_tell) -> Changes:
    """With the edit that was undone last."""
    *rest, last = changed.undone
    again = changes(changed.base, (*changed.edits, last), told)
    return replace(again, undone=tuple(rest))


# ----- first order


class _Forecast:
    """A change pushed forward: the tangents that are still needed, and what has no derivative to be pushed by.

    Where first order says nothing of a step (a parameter, an index, a rule that cannot run), the difference that the
    replay made there is taken as it is, and spreads to first order from there.
    """

    def __init__(self, now: Changes, altered: set[int]) -> None:
        self.base, self.trace, self.changed = now.base, now.trace, now.changed
        self.altered = altered
        self.numbers: dict[int, dict[int, float]] = {}
        self.tangents: dict[int, Array] = {}
        self.whole: set[int] = set()
        """Nodes of integers or truths that were edited, or follow from such alone."""
        for each in now.edits:
            if each.argument >= 0:
                old = now.base.input_values(each.node)[each.argument]
                self.numbers.setdefault(each.node, {})[each.argument] = each.value - old
            elif each.is_value and now.base.storage.held(each.node).dtype.kind == "f":
                self.tangents[each.node] = self._difference(each.node)
            elif each.is_value:
                self.whole.add(each.node)

    def along(self, plan: Sequence[int], told: Told) -> Iterator[tuple[int, Prediction]]:
        """The prediction for every node that changed, in order; a tangent is dropped after its last use."""
        for node, tangent in self.tangents.items():
            yield node, _prediction(tangent, self._difference(node))
        last = {i: node for node in plan for i in self.base.inputs_of(node)}
        for count, node in enumerate(plan):
            if count % OFTEN == 0:
                told(len(plan) + count, 2 * len(plan))
            inputs = self.base.inputs_of(node)
            if self.base.storage.held(node).dtype.kind == "f":
                tangent = self._tangent(node, inputs)
                if tangent is not None:
                    self.tangents[node] = tangent
                if self.changed[node]:
                    yield node, _prediction(tangent, self._difference(node))
            elif node in self.altered or self._only_whole(inputs):
                self.whole.add(node)
            for i in inputs:
                if last[i] == node:
                    self.tangents.pop(i, None)

    def _only_whole(self, inputs: Sequence[int]) -> bool:
        moving = [i for i in inputs if i >= 0 and self.changed[i]]
        return bool(moving) and self.whole.issuperset(moving)

    def _tangent(self, node: int, inputs: Sequence[int]) -> Array | None:
        numbers = self.numbers.get(node, {})
        pushed = all(can_push(self.base, node, k) for k in numbers)
        if pushed and node not in self.altered and self.whole.isdisjoint(inputs):
            moving = {i: self.tangents[i] for i in inputs if i in self.tangents}
            with contextlib.suppress(GradstepError):
                return push(self.base, node, moving, numbers)
        return self._difference(node)

    def _difference(self, node: int) -> Array:
        return _minus(self.trace.storage.value(node), self.base.storage.value(node))


def _prediction(tangent: Array | None, change: Array) -> Prediction:
    if tangent is None:
        return Prediction(0.0, math.nan)
    if not change.ndim:
        return Prediction(float(tangent), float(change) / float(tangent) if tangent else math.nan)
    flat, true = (np.ravel(np.asarray(x, np.float64)) for x in (tangent, change))
    with np.errstate(all="ignore"):
        square = float(flat @ flat)
        ratio = float(flat @ true) / square if square else math.nan
    return Prediction(size(tangent), ratio)


# ----- numbers


def size(value: Array) -> float:
    """A scalar itself, the root mean square of an array."""
    return float(value) if not np.ndim(value) else stats.rms(value)


def differs(before: Array, after: Array) -> bool:
    """Whether two values differ anywhere; NaN is like NaN."""
    if not np.ndim(before):
        return bool(before != after and not (before != before and after != after))
    floats = before.dtype.kind == after.dtype.kind == "f"
    return not np.array_equal(before, after, equal_nan=floats)


def _minus(after: Array, before: Array) -> Array:
    with np.errstate(all="ignore"):
        found: Array = np.subtract(after, before, dtype=np.float64)
    return found
