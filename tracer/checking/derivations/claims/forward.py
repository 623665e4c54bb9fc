"""Forward lines in a derivation: whether they say what was recorded, and whether in the same way.

A variance may be mean((x − μ)²) or mean(x²) − μ²: the same number, but dL/dμ is another one, because μ then enters in
another way. So the forward pass is recorded again with the user's own lines in it; gradients that come out otherwise
are judged by that record.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.scope import Bound, Key
from tracer.checking.derivations.running.tape import Done
from tracer.errors import GradstepError
from tracer.freezing import freeze
from tracer.recording import Recorded, switched
from tracer.tensors import Tensor, tensor
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""

CLOSE = 1e-6
"""Relative difference of gradients beyond which they are other numbers."""
MOST_NODES = 20_000
"""Longer runs are not recorded again."""


@dataclass(frozen=True, eq=False)
class Recast:
    """The run recorded again with the user's own forward lines. numbers: of the nodes in it. other: the nodes whose
    gradients come out otherwise, each with the line that makes them so."""

    trace: Trace
    numbers: Mapping[int, int]
    other: Mapping[int, int] = field(default_factory=dict)

    def gradient(self, node: int) -> Array | None:
        """The gradient of a node in it."""
        return self.trace.gradient(self.numbers[node])


def recast(
    names: Names, done: Sequence[Done], claimed: Collection[int]
) -> tuple[Recast | None, list[str]]:
    """The run with the user's own forward lines, if that changes a gradient; and what there is to say about them.

    claimed: the nodes whose gradients the derivation gives. Others count only where the user's line reads them.
    """
    defined, notes = _defined(names, done)
    if not defined or len(names.trace) > MOST_NODES:
        return None, notes
    single = {node: _recorded_again(names, {node: each}, done) for node, each in defined.items()}
    for node, one in single.items():
        cut = [] if one is None else _leaves_changed(names.trace, one)
        if cut:
            each = defined.pop(node)
            notes.append(
                f"line {each.line.number}: this {spoken(each.name)} is the recorded number, but does not depend on "
                f"{names.trace.label(cut[0])} as that does: the recorded one is taken"
            )
    whole = _recorded_again(names, defined, done) if len(defined) > 1 else None
    if len(defined) == 1:
        (whole,) = (single[node] for node in defined)
    if whole is None:
        return None, notes
    other: dict[int, int] = {}
    for node, each in defined.items():
        one = single[node]
        read = {names.nodes.get(spoken(word)) for word in each.words}
        changed = [] if one is None else _changed(names.trace, one)
        changed = [k for k in changed if k in claimed or k in read]
        if not changed:
            continue
        for k in changed:
            other.setdefault(k, each.line.number)
        said = ", ".join(f"dL/d{names.trace.label(k)}" for k in changed[:4])
        notes.append(
            f"line {each.line.number}: this {spoken(each.name)} is the recorded number, computed another way: "
            f"{said} {'is then another number' if len(changed) == 1 else 'are then other numbers'}"
        )
    if not other:
        return None, notes
    return Recast(whole.trace, whole.numbers, other), notes


def _defined(names: Names, done: Iterable[Done]) -> tuple[dict[int, Done], list[str]]:
    """The recorded values that lines define anew, by node; and notes on those that come to other numbers."""
    defined: dict[int, Done] = {}
    notes: dict[int, str] = {}
    for each in done:
        if each.node >= 0 or each.turns or each.put is not None:
            continue
        try:
            node = names.nodes.get(spoken(each.name))
            node = names.value(each.name) if node is None else node
        except RefusedError:
            continue
        if node is None or not isinstance(each.result, (float, np.ndarray, np.floating)):
            continue
        recorded = names.trace.value(node)
        if recorded.dtype.kind != "f":
            continue
        with np.errstate(all="ignore"):
            same = _squeezed(each.result) == _squeezed(recorded) and np.allclose(
                np.reshape(each.result, np.shape(recorded)), recorded, rtol=1e-5
            )
        if not same:
            defined.pop(node, None)
            notes[each.line.number] = (
                f"line {each.line.number}: this {spoken(each.name)} is not the recorded one; the lines below use it"
            )
        elif names.trace.op_of[node] >= 0 and each.before is not None:
            if isinstance(each.line.expression, ast.Name):
                continue
            defined[node] = each
    return defined, list(notes.values())


def _squeezed(value: Any) -> tuple[int, ...]:
    return tuple(n for n in np.shape(value) if n != 1)


def _leaves_changed(trace: Trace, again: Recast) -> list[int]:
    """The leaves whose gradients come out otherwise: that of an input is one number, however it is computed."""
    leaves = np.flatnonzero((trace.op_of < 0) & np.asarray(trace.tracked, bool)).tolist()
    return _changed_of(trace, again, leaves)


def _changed(trace: Trace, again: Recast) -> list[int]:
    """The named nodes whose gradients come out otherwise."""
    return _changed_of(trace, again, [k for k, name in enumerate(trace.names) if name])


def _changed_of(trace: Trace, again: Recast, nodes: Iterable[int]) -> list[int]:
    found = []
    for k in nodes:
        mine = trace.gradient(k) if trace.receives[k] and k in again.numbers else None
        if mine is None:
            continue
        theirs = again.gradient(k)
        if theirs is None:
            found.append(k)
            continue
        size = max(float(np.max(np.abs(a), initial=0.0)) for a in (mine, theirs))
        if np.max(np.abs(mine - theirs), initial=0.0) > CLOSE * size and size > _rounding(trace, k):
            found.append(k)
    return found


def _rounding(trace: Trace, node: int) -> float:
    """How large a gradient may be that is 0 but for rounding."""
    flows = [np.max(np.abs(flow.cotangent), initial=0.0) for flow in trace.flows_into(node)]
    return 1e-9 * float(max(flows, default=0.0))


def _recorded_again(
    names: Names, defined: Mapping[int, Done], done: Sequence[Done]
) -> Recast | None:
    """The run with some values computed by the user's lines; None where those cannot be recorded."""
    trace = names.trace
    found: dict[int, Tensor] = {}
    with switched(scope=(), enabled=True, kept=Recorded([], [])):
        try:
            for k in range(len(trace)):
                op = trace.op(k)
                if op is None:
                    wanted = bool(trace.tracked[k])
                    found[k] = tensor(trace.value(k), name=trace.labels[k], requires_grad=wanted)
                elif k in defined:
                    meaning = _Forward(names, found, done, defined[k].before or {}, k)
                    made = evaluate(defined[k].line.expression, meaning)
                    if not isinstance(made, Tensor):
                        return None
                    size = np.shape(trace.value(k))
                    found[k] = made if made.shape == size else made.reshape(size)
                else:
                    args = [
                        trace.literals[-1 - i] if i < 0 else found[i] for i in trace.inputs_of(k)
                    ]
                    found[k] = op(*args, **trace.params[trace.params_of[k]])
                if not np.allclose(found[k].value, trace.value(k), rtol=1e-5, equal_nan=True):
                    return None
        except (GradstepError, RefusedError, KeyError, ValueError, TypeError, AttributeError):
            return None
        order = _in_order([*found.values()])
        again = freeze(found[trace.loss], trace.seed, found.values())
    if len(again) != len(order):
        return None
    place = {id(each): number for number, each in enumerate(order)}
    return Recast(again, {k: place[id(each)] for k, each in found.items()})


def _in_order(tensors: list[Tensor]) -> list[Tensor]:
    """All that some Tensors depend on, in the order in which it was recorded."""
    known = {each.serial: each for each in tensors}
    waiting = list(known.values())
    while waiting:
        for each in waiting.pop().inputs:
            if type(each) is Tensor and each.serial not in known:
                known[each.serial] = each
                waiting.append(each)
    return [known[serial] for serial in sorted(known)]


class _Forward:
    """What names mean in a forward line that is recorded again: Tensors; see `calculator.Meanings`."""

    def __init__(
        self,
        names: Names,
        found: Mapping[int, Tensor],
        done: Sequence[Done],
        before: Mapping[Key, Bound],
        limit: int,
    ) -> None:
        self.names, self.found, self.done, self.before, self.limit = (
            names,
            found,
            done,
            before,
            limit,
        )

    def value(self, name: str) -> Any:
        """A recorded Tensor, a helper of the user's computed on Tensors, or a number."""
        bound = self.before.get(name)
        node = self.names.value(name)
        if node is not None and node < self.limit and node in self.found:
            return self.found[node]
        if bound is not None:
            if bound.source < 0 or not isinstance(bound.value, np.ndarray):
                return bound.value
            each = self.done[bound.source]
            if each.before is None or each.put is not None or each.node >= 0:
                raise RefusedError(f"{name} is no forward value", "a forward line")
            inner = _Forward(self.names, self.found, self.done, each.before, self.limit)
            return evaluate(each.line.expression, inner)
        if name in self.names.constants:
            return self.names.constants[name]
        raise self.names.unknown(name)

    def steps(self, name: str) -> None:
        """Loops are not recorded again."""

    def tick(self) -> None:
        """A line that has run before takes no longer now."""

    def spend(self, work: int) -> None:
        """As `tick`."""
