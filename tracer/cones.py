"""Running the way from some nodes to a target many times with other values, one after the other or as lanes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from ops.primitive import NUMBERS, Array, Primitive
from tracer.freezing import freeze
from tracer.lanes import ANALYTIC, Run, looped, run_lanes
from tracer.replay import affected, opened
from tracer.running import asked_by, check_shape, prove
from tracer.tensors import tensor
from tracer.traces import Trace

NO_VALUES: Mapping[int, Array] = MappingProxyType({})


class NotAnalyticError(Exception):
    """Complex lanes came to an operation that has no complex derivative."""


class Cone:
    """The part of a trace between some nodes and a target, made ready to run many times with other values.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> trace = tr.trace(x * x + 1.0)
    >>> Cone(trace, [0], trace.loss)({0: np.float64(2.0)})
    np.float64(5.0)
    """

    def __init__(self, trace: Trace, sources: Sequence[int], target: int | Sequence[int]) -> None:
        self.trace = trace
        self.targets = (target,) if isinstance(target, int) else tuple(target)
        self.plan = affected(trace, sources, self.targets)
        """The nodes that run, in order."""
        self._steps = [self._step(node) for node in self.plan]
        self._parts: dict[int, tuple[Cone, dict[int, int]] | None] = {}

    def _step(self, node: int) -> tuple[int, Primitive, list[int], list[Any], Mapping[str, Any]]:
        trace = self.trace
        op = trace.op(node)
        assert op is not None
        prove(trace, node)
        known = trace.input_values(node)
        return node, op, trace.inputs_of(node), known, trace.params[trace.params_of[node]]

    def __call__(self, values: Mapping[int, Array]) -> Array:
        """The value of the (first) target with some nodes overridden."""
        return self._read(self.values(values), self.targets[0])

    def _read(self, now: Mapping[int, Array], node: int) -> Array:
        return now[node] if node in now else self.trace.storage.value(node)

    def values(self, values: Mapping[int, Array]) -> dict[int, Array]:
        """The values of all nodes that run, and of those overridden."""
        now = dict(values)
        for node, op, inputs, known, params in self._steps:
            args = [now.get(i, recorded) for i, recorded in zip(inputs, known, strict=True)]
            now[node] = op.run(args, params)[0]
            check_shape(self.trace, node, now[node])
        return now

    @cached_property
    def room(self) -> int:
        """How many numbers the largest step of one run may make: so many runs at once need so many times as much."""
        asked = [1.0]
        for _, op, _, known, params in self._steps:
            asked.append(asked_by(op, known, params))
            if op.parts is not None:
                asked.append(asked_by(op, known, params, parts=True))
        return int(max(asked))

    @cached_property
    def _spent(self) -> list[list[int]]:
        """For each step, the values that no later one reads."""
        last = {i: k for k, step in enumerate(self._steps) for i in step[2] if i >= 0}
        spent: list[list[int]] = [[] for _ in self._steps]
        for node, k in last.items():
            if node not in self.targets:
                spent[k].append(node)
        return spent

    def many(
        self, lanes: Mapping[int, Array], fixed: Mapping[int, Array] = NO_VALUES
    ) -> list[Array]:
        """The targets under many overrides at once: a value of each source for every lane, (lanes, *shape).

        fixed: overrides that are the same in all lanes. A target that nothing reaches has no lanes, but its value.
        An operation that refuses the values of a lane gives NaN there. Complex lanes raise `NotAnalyticError` where an
        operation is not in `tracer.lanes.ANALYTIC`.

        >>> import tracer as tr
        >>> x = tr.tensor([3.0, 4.0], name="x")
        >>> cone = Cone(tr.trace((x * x).sum()), [0], 2)
        >>> cone.many({0: np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]])})
        [array([ 5., 25.,  1.])]
        """
        now, moving = {**fixed, **lanes}, set(lanes)
        count = len(next(iter(lanes.values())))
        for step, spent in zip(self._steps, self._spent, strict=True):
            node, op, inputs, known, params = step
            laned = [i in moving for i in inputs]
            args = [now.get(i, recorded) for i, recorded in zip(inputs, known, strict=True)]
            if any(laned):
                shape = self.trace.storage.held(node).shape
                now[node] = self._lanes_of(node, Run(op, args, laned, params, count, shape))
                moving.add(node)
            else:
                now[node] = op.run(args, params)[0]
            for i in spent:
                now.pop(i, None)
        return [self._read(now, target) for target in self.targets]

    def _lanes_of(self, node: int, run: Run) -> Array:
        """The value of one node in every lane: by the rule of its operation, by its parts, or lane by lane."""
        imaginary = any(getattr(x, "dtype", None) == np.complex128 for x in run.args)
        try:
            value = run_lanes(run) if not imaginary or run.op.name in ANALYTIC else None
        except Exception:  # it refuses the values of some lane: which one, the loop finds
            value = None
        if value is None and run.op.parts is not None and run.op.home.startswith("ops."):
            value = self._by_parts(node, run)
        if value is None and imaginary and run.op.name not in ANALYTIC:
            raise NotAnalyticError(run.op.name)
        return looped(run) if value is None else value

    def like(self, trace: Trace, sources: Sequence[int], target: int) -> Cone:
        """A cone of another trace that runs in the same way, as that of the parts of a node."""
        return Cone(trace, sources, target)

    def _by_parts(self, node: int, run: Run) -> Array | None:
        """The value of a fused node in every lane, by its parts; None where they do not give what was recorded."""
        if node not in self._parts:
            self._parts[node] = _parts_cone(self.trace, node, self.like)
        inner = self._parts[node]
        if inner is None:
            return None
        cone, leaves = inner
        given = {leaves[k]: x for k, x in enumerate(run.args) if run.laned[k] and k in leaves}
        return cone.many(given)[0] if given else None


def _parts_cone(
    trace: Trace, node: int, made: Callable[[Trace, Sequence[int], int], Cone]
) -> tuple[Cone, dict[int, int]] | None:
    """The parts of a fused node, from its arguments to its value, and the leaf of each argument.

    None where they do not give the recorded value to within the ulps that its operation declares.
    """
    op = trace.op(node)
    assert op is not None
    prove(trace, node, parts=True)
    args = trace.input_values(node)
    named = {f"argument {k}": k for k, x in enumerate(args) if type(x) not in NUMBERS}
    leaves = {k: tensor(args[k], name=name, device="cpu") for name, k in named.items()}
    out = opened(trace, node, [leaves.get(k, x) for k, x in enumerate(args)])
    value = trace.storage.value(node)
    if not out.tracked or out.shape != value.shape or value.dtype != np.float64:
        return None
    inner = freeze(out, np.zeros(out.shape)[()])
    off = np.max(abs(inner.value(inner.loss) - value), initial=0.0)
    if not off <= op.parts_ulps * np.spacing(np.max(abs(value), initial=0.0)):
        return None
    found = {named[name]: n for n, name in inner.given_names.items() if name in named}
    return made(inner, list(found.values()), inner.loss), found
