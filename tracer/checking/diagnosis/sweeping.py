"""Backward passes that go wrong in a known way: truncated in time, or through what should have stopped or masked them.

Each is the trace's own sweep with one change, so that a claim that equals its gradient has made that very mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tracer.traces import Trace

from .causes import Cause
from .naming import value_said
from .wrong import Wrong, same, step_of

Array = Any
"""A numpy array or numpy scalar."""

MOST_NODES = 4000
"""Traces with more nodes are not swept again."""
DEEPEST = 8
"""How many steps back in time a truncated pass is told apart."""

STOPS = frozenset({"detach"})
MASKS = frozenset(
    {
        "relu",
        "relu6",
        "clip",
        "dropout",
        "hard_tanh",
        "hard_sigmoid",
        "leaky_relu",
        "elu",
        "softplus",
        "abs",
    }
)
"""Operations whose rule passes on the cotangent only in part, of one input."""
SOFTMAX = frozenset({"softmax"})

Pull = Callable[[int, Array, list[bool]], list[Any]]
"""The flows of a node for a cotangent of it; None for one's own rule."""


def unstopped(wrong: Wrong) -> Iterator[Cause]:
    """A detach, a clip, a ReLU or a dropout that the claim takes no account of."""
    trace = wrong.trace
    if trace is None or not wrong.fits:
        return
    present = {op.name for op in trace.ops}
    if STOPS & present and same(_passed(trace, wrong.node, STOPS), wrong.claim):
        yield Cause("mask", "it goes on through detach, where the gradient stops")
        return
    for name in sorted(MASKS & present):
        if same(_passed(trace, wrong.node, frozenset({name})), wrong.claim):
            yield Cause(
                "mask", f"the derivative of {name} was forgotten: it goes through unchanged"
            )
            return


def diagonal(wrong: Wrong) -> Iterator[Cause]:
    """The Jacobian of softmax taken as diagonal: s or s (1 − s) times what comes in."""
    trace = wrong.trace
    if trace is None or not wrong.fits:
        return
    for p in range(wrong.node + 1, len(trace)):
        g, s = trace.gradient(p), trace.value(p)
        if g is None or np.shape(s) != wrong.claim.shape:
            continue
        with np.errstate(all="ignore"):
            shared, label = _is_share(s), trace.label(p)
            if shared and any(same(wrong.claim, part) for part in (g * s, g * s * (1 - s))):
                yield Cause("softmax", _diagonal(label))
                return
            if shared and same(wrong.claim, wrong.right * s * (1 - s)):
                text = (
                    f"the derivative of softmax is in it twice: {label} * (1 - {label}) is too much"
                )
                yield Cause("softmax", text)
                return
    if SOFTMAX & {op.name for op in trace.ops}:
        for squared in (True, False):

            def pull(node: int, g: Array, wanted: list[bool], squared: bool = squared) -> list[Any]:
                s = trace.value(node)
                return [g * s * (1 - s) if squared else g * s] + [None] * (len(wanted) - 1)

            if same(_swept(trace, wrong.node, SOFTMAX, pull), wrong.claim):
                ends = [k for k in range(len(trace)) if (op := trace.op(k)) and op.name in SOFTMAX]
                yield Cause("softmax", _diagonal(value_said(trace, ends[0])))
                return


def _diagonal(s: str) -> str:
    """What is wrong with a diagonal Jacobian of a softmax of that name."""
    g = f"d{s}" if s.replace("#", "").isidentifier() else f"dL/d({s})"
    return f"the Jacobian of softmax was taken as diagonal: - {s} * sum({g} * {s}) is missing"


def _is_share(value: Array) -> bool:
    """Whether a value is positive and adds up to 1 along its last axis."""
    if np.ndim(value) < 1 or value.shape[-1] < 2 or value.dtype.kind != "f":
        return False
    return bool((value >= 0).all() and np.allclose(np.sum(value, -1), 1.0, rtol=1e-6))


def truncated(wrong: Wrong) -> Iterator[Cause]:
    """A backward pass that goes back through so many steps in time, and no further."""
    trace = wrong.trace
    if trace is None or not wrong.fits or len(trace) > MOST_NODES:
        return
    steps = [step_of(trace, k) for k in range(len(trace))]
    if len({step for step in steps if step is not None}) < 2:
        return
    total = np.zeros_like(wrong.right)
    for depth, part in enumerate(_by_depth(trace, wrong.node, steps)):
        total = total + part
        if same(total, wrong.claim):
            back = (
                "does not go back in time" if not depth else f"goes back {depth} steps in time only"
            )
            text = f"it is truncated: the gradient {back}"
            yield Cause("truncated", text.replace("1 steps", "1 step"))
            return


def _by_depth(trace: Trace, node: int, steps: list[int | None]) -> list[Array]:
    """The gradient of a node, apart by how many steps in time its routes go back."""
    found: dict[int, list[Array]] = {trace.loss: [np.asarray(trace.seed)]}
    with np.errstate(all="ignore"):
        for k in range(trace.loss, node, -1):
            wanted = _wanted(trace, k)
            if k not in found or not any(wanted):
                continue
            for depth, g in enumerate(found.pop(k)):
                if np.ndim(g) == 0 and not np.any(g) and trace.value(k).ndim:
                    continue
                sent = trace.pull_back(k, g, wanted)
                for i, flow in zip(trace.inputs_of(k), sent, strict=True):
                    if flow is None:
                        continue
                    here, there = steps[k], steps[i]
                    back = here is not None and there is not None and there < here
                    _add(found.setdefault(i, []), min(depth + back, DEEPEST), flow)
    return found.get(node, [])


def _add(parts: list[Array], depth: int, flow: Array) -> None:
    while len(parts) <= depth:
        parts.append(np.float64(0.0))
    parts[depth] = parts[depth] + flow


def _passed(trace: Trace, node: int, names: frozenset[str]) -> Array:
    """The gradient of a node if some operations passed their cotangent on unchanged to their first input."""

    def pull(k: int, g: Array, wanted: list[bool]) -> list[Any]:
        shape = np.shape(trace.input_values(k)[0])
        return [g if np.shape(g) == shape else None] + [None] * (len(wanted) - 1)

    return _swept(trace, node, names, pull)


def _swept(trace: Trace, node: int, names: frozenset[str], pull: Pull) -> Array:
    """The gradient of a node if some operations had another rule; also beyond what the trace's own sweep reaches."""
    if len(trace) > MOST_NODES:
        return np.zeros(0)
    found: dict[int, Array] = {trace.loss: np.asarray(trace.seed)}
    with np.errstate(all="ignore"):
        for k in range(trace.loss, node, -1):
            op = trace.op(k)
            if k not in found or op is None:
                continue
            g = found.pop(k)
            inputs = trace.inputs_of(k)
            wanted = [
                i >= node and op.differentiable(n) and trace.value(i).dtype.kind == "f"
                for n, i in enumerate(inputs)
            ]
            if op.name in names:
                sent = pull(k, g, wanted)
            elif any(wanted):
                sent = trace.pull_back(k, g, wanted)
            else:
                continue
            for i, flow in zip(inputs, sent, strict=True):
                if i >= node and flow is not None:
                    found[i] = flow if i not in found else found[i] + flow
    return found.get(node, np.zeros(0))


def _wanted(trace: Trace, node: int) -> list[bool]:
    first, last = int(trace.input_start[node]), int(trace.input_start[node + 1])
    wanted: list[bool] = trace.edge_flows[first:last].tolist()
    return wanted
