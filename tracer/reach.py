"""The backward pass of a trace: which nodes a cotangent reaches, and the sweep that brings it there."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.kinds import KINDS
from tracer.values import device_name, read_only

if TYPE_CHECKING:
    from tracer.traces import Trace

_DIFFERENTIATED = (KINDS.index("parameter"), KINDS.index("input"))
_MANY_FLOWS = 32


class Swept(NamedTuple):
    """What a sweep leaves: the gradient of each node, and partial sums for nodes with many flows."""

    gradients: list[Array | None]
    checkpoints: Mapping[int, tuple[list[int], list[Array]]]
    """Node to (numbers of flows, sum of so many flows), about every square root of their count."""
    kernels: Mapping[int, str]
    """What ran the rules of a node on a device: its kernels, or `host` where numpy ran any part of them on copies."""

    def nearest(self, node: int, count: int) -> tuple[int, Array | None]:
        """The latest kept partial sum of at most `count` flows."""
        counts, sums = self.checkpoints.get(node, ([], []))
        k = bisect.bisect_right(counts, count) - 1
        return (counts[k], sums[k]) if k >= 0 else (0, None)


def reach(trace: Trace) -> tuple[Array, Array, Array, Array]:
    """(tracked, reaches_loss, receives) over nodes and flows over edges; one pass forward, one backward."""
    n = len(trace)
    starts = trace.input_start.tolist()
    inputs = trace.input_of.tolist()
    op_of = trace.op_of.tolist()
    kinds = trace.kind_of.tolist()
    value = trace.storage.held

    tracked = [False] * n
    for k in range(n):
        which = op_of[k]
        if which < 0:
            tracked[k] = kinds[k] in _DIFFERENTIATED and value(k).dtype.kind == "f"
            continue
        op = trace.ops[which]
        if op.vjps:
            first = starts[k]
            tracked[k] = any(
                i >= 0 and tracked[i] and op.differentiable(e - first)
                for e, i in enumerate(inputs[first : starts[k + 1]], first)
            ) and (value(k).dtype.kind == "f")

    leads = [False] * n
    receives = [False] * n
    flows = [False] * len(inputs)
    if trace.loss >= 0:
        leads[trace.loss] = True
        receives[trace.loss] = tracked[trace.loss] and trace.seed is not None
        for k in range(trace.loss, -1, -1):
            if not leads[k] or op_of[k] < 0:
                continue
            op = trace.ops[op_of[k]]
            first = starts[k]
            for e in range(first, starts[k + 1]):
                i = inputs[e]
                if i < 0:
                    continue
                leads[i] = True
                if receives[k] and tracked[i] and op.differentiable(e - first):
                    flows[e] = receives[i] = True
    return tuple(np.array(column, dtype=bool) for column in (tracked, leads, receives, flows))  # type: ignore[return-value]


def sweep(trace: Trace) -> Swept:
    """The gradient of every node that a cotangent reaches: falling node number, flows added by argument.

    A node with many flows (a weight shared over time) also keeps its partial sums about every square root of their
    number, so that a debugger can jump into the middle of them.
    """
    n = len(trace)
    gradients: list[Array | None] = [None] * n
    checkpoints: dict[int, tuple[list[int], list[Array]]] = {}
    if trace.loss < 0 or trace.seed is None or not trace.receives[trace.loss]:
        return Swept(gradients, checkpoints, {})
    starts = trace.input_start.tolist()
    inputs = trace.input_of.tolist()
    flows_along = trace.edge_flows.tolist()
    expected = np.bincount(trace.input_of[trace.edge_flows], minlength=n)
    strides = {int(k): isqrt(int(expected[k])) for k in np.flatnonzero(expected > _MANY_FLOWS)}
    arrived = dict.fromkeys(strides, 0)
    kernels: dict[int, str] = {}
    pull = trace.pull_back if trace.device == "cpu" else _noting(trace, kernels)
    gradients[trace.loss] = trace.seed

    with np.errstate(all="ignore"):
        for k in range(trace.loss, -1, -1):
            gradient = gradients[k]
            if gradient is None:
                continue
            read_only(gradient)
            first, last = starts[k], starts[k + 1]
            wanted = flows_along[first:last]
            if not any(wanted):
                continue
            sent = pull(k, gradient, wanted)
            for i, flow in zip(inputs[first:last], sent, strict=True):
                if flow is None:
                    continue
                before = gradients[i]
                total = gradients[i] = flow if before is None else before + flow
                if i in strides:
                    arrived[i] += 1
                    if arrived[i] % strides[i] == 0:
                        counts, sums = checkpoints.setdefault(i, ([], []))
                        counts.append(arrived[i])
                        sums.append(total)
    return Swept(gradients, checkpoints, kernels)


def _noting(trace: Trace, kernels: dict[int, str]) -> Callable[..., list[Any]]:
    """The pull of a trace that notes for each node what ran it."""
    from ops.cuda.native import BY_NUMPY

    def pull(node: int, gradient: Any, wanted: Sequence[bool]) -> list[Any]:
        before = BY_NUMPY.times
        sent = trace.pull_back(node, gradient, wanted)
        there = {device_name(x) for x in (gradient, *trace.held_inputs(node))} - {"cpu"}
        kernels[node] = "host" if BY_NUMPY.times > before else min(there, default="numpy")
        return sent

    return pull
