"""Gradients that are off by a recorded value: a factor too many or too few, another gradient, an epsilon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tracer.formulas import local_derivative
from tracer.traces import Trace

from .causes import Cause
from .naming import place, value_said
from .wrong import Wrong, is_mask, neighbours, same

Array = Any
"""A numpy array or numpy scalar."""

MOST_VALUES = 256
"""Recorded values that are tried as a factor, the nearest first."""
MOST_NUMBERS = 20_000_000
"""Numbers that are multiplied in all, at most."""
SMALL = 1e-2
"""Numbers of the trace below it may be an epsilon."""

FORMS: Mapping[str, Callable[[Array], Array]] = {
    "{}": lambda v: v,
    "1/{}": lambda v: 1 / v,
    "1 − {}²": lambda v: 1 - v * v,
    "{} (1 − {})": lambda v: v * (1 - v),
    "({} > 0)": lambda v: v > 0,
    "{}²": lambda v: v * v,
    "1/{}²": lambda v: 1 / (v * v),
    "√{}": np.sqrt,
    "1/√{}": lambda v: 1 / np.sqrt(v),
    "1 − {}": lambda v: 1 - v,
}
"""What a factor may be of a recorded value: itself, and the local derivatives that are made of it."""


def upstream(wrong: Wrong) -> Iterator[Cause]:
    """What comes in, passed on as it is: the local derivative was forgotten; or the gradient of something else."""
    trace, node = wrong.trace, wrong.node
    edges = [] if trace is None else [e for e in trace.uses_of(node) if trace.edge_flows[e]]
    if trace is None or not wrong.fits or not wrong.claim.any() or len(edges) != 1:
        return
    consumer, argument = int(trace.edge_consumer[edges[0]]), int(trace.edge_argument[edges[0]])
    g = trace.gradient(consumer)
    if g is None or not same(wrong.claim, np.asarray(g)):
        return
    local = local_derivative(trace[consumer], argument)
    if local == "1":
        return
    kind = "mask" if any(word in local for word in (">", "where", "max")) else "missing factor"
    what = f" {local}" if local else ""
    came = f"it is the gradient of {trace.label(consumer)}"
    if not trace.names[consumer]:
        came = f"it is what comes in from {place(trace, consumer)}"
    yield Cause(kind, f"{came}: the local derivative{what} was forgotten")


def other_gradients(wrong: Wrong) -> Iterator[Cause]:
    """The gradient of another value, or one that was added."""
    trace = wrong.trace
    if trace is None or not wrong.fits or not wrong.claim.any() or wrong.claim.size < 2:
        return
    extra = wrong.claim - wrong.right
    for k in _near(wrong, trace):
        g = trace.gradient(k)
        if g is None or k == wrong.node or np.shape(g) != wrong.claim.shape or not trace.names[k]:
            continue
        if same(wrong.claim, np.asarray(g)):
            yield Cause(
                "wrong factor", f"it is the gradient of {trace.label(k)}, not of {wrong.name}"
            )
            return
        if same(extra, np.asarray(g)):
            yield Cause("stale", f"the gradient of {trace.label(k)} was added to it")
            return


def values(wrong: Wrong) -> Iterator[Cause]:
    """A factor equal to a recorded value, its reciprocal, or a local derivative made of it."""
    trace = wrong.trace
    if trace is None or wrong.claim.ndim != wrong.right.ndim or not wrong.claim.any():
        return
    left = MOST_NUMBERS
    if not wrong.fits:
        return
    candidates = [(k, np.asarray(trace.value(k))) for k in _near(wrong, trace)]
    candidates = [(k, v) for k, v in candidates if _fits(v, wrong.right) and _varies(v)]
    for said, form in FORMS.items():
        for k, value in candidates:
            left -= wrong.right.size
            if left < 0:
                return
            with np.errstate(all="ignore"):
                made = np.asarray(form(value), np.float64)
                if not np.isfinite(made).all() or not _varies(made):
                    continue
                forgotten, too_many = wrong.claim * made, wrong.right * made
            name = said.replace("{}", value_said(trace, k))
            mask = ">" in said or is_mask(value)
            if same(forgotten, wrong.right):
                kind = "mask" if mask else "missing factor"
                what = "the mask" if mask else "the factor"
                yield Cause(kind, f"{what} {name} was forgotten")
                return
            if same(too_many, wrong.claim):
                yield Cause("extra factor", f"the factor {name} is too many")
                return


def exchanged(wrong: Wrong) -> Iterator[Cause]:
    """Another recorded value where a product reads its other input: `x` in the place of `xhat`."""
    trace, node = wrong.trace, wrong.node
    if trace is None or not wrong.fits or len(trace.uses_of(node)) != 1:
        return
    edge = trace.uses_of(node)[0]
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    op, g = trace.op(consumer), trace.gradient(consumer)
    if op is None or op.name not in ("mul", "div", "matmul") or g is None or argument > 1:
        return
    inputs = trace.input_values(consumer)
    other = trace.inputs_of(consumer)[1 - argument]
    shape = np.shape(inputs[1 - argument])
    if op.name == "div" and not argument:
        return
    for k in _near(wrong, trace):
        value = trace.value(k)
        if k in (other, node) or np.shape(value) != shape or value.dtype.kind != "f":
            continue
        inputs[1 - argument] = value
        wanted = [n == argument for n in range(len(inputs))]
        with np.errstate(all="ignore"):
            params = trace.params[trace.params_of[consumer]]
            flow = op.pull_back(g, trace.value(consumer), inputs, wanted, params)[argument]
        if flow is not None and same(np.asarray(flow, np.float64), wrong.claim):
            belongs = value_said(trace, other) if other >= 0 else "a number"
            text = f"{value_said(trace, k)} stands where {belongs} belongs"
            yield Cause("wrong factor", text)
            return


def other_axes(wrong: Wrong) -> Iterator[Cause]:
    """The sum of what flows in, over the wrong axes."""
    trace, node = wrong.trace, wrong.node
    if trace is None or len(trace.uses_of(node)) != 1:
        return
    edge = trace.uses_of(node)[0]
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    op, g = trace.op(consumer), trace.gradient(consumer)
    if op is None or not op.elementwise or g is None or np.shape(g) == wrong.right.shape:
        return
    inputs = list(trace.input_values(consumer))
    inputs[argument] = np.broadcast_to(inputs[argument], np.shape(g))
    wanted = [n == argument for n in range(len(inputs))]
    with np.errstate(all="ignore"):
        params = trace.params[trace.params_of[consumer]]
        flow = op.pull_back(g, trace.value(consumer), inputs, wanted, params)[argument]
    whole = np.asarray(flow, np.float64)
    axes = range(whole.ndim)
    for some in [(a,) for a in axes] + ([tuple(axes)] if whole.ndim > 1 else []):
        for kept in (False, True):
            total = whole.sum(some, keepdims=kept)
            spread = (
                total.size == 1
                and wrong.claim.size
                and same(np.full_like(wrong.claim, total), wrong.claim)
            )
            if spread or same(total, wrong.claim):
                where = f"axis {some[0]}" if len(some) == 1 else "all axes"
                yield Cause("sum", f"it is summed over {where}, not over those that were broadcast")
                return


def epsilons(wrong: Wrong) -> Iterator[Cause]:
    """The gradient of the same network without its epsilon."""
    trace = wrong.trace
    if trace is None or not wrong.fits:
        return
    numbers = {
        (k, n): 0.0
        for k in range(len(trace))
        for n, i in enumerate(trace.inputs_of(k))
        if i < 0 and _is_small(trace.literals[-1 - i])
    }
    params = {
        k: {"eps": 0.0}
        for k in range(len(trace))
        if trace.op_of[k] >= 0 and _is_small(trace.params[trace.params_of[k]].get("eps"))
    }
    if numbers or params:
        with np.errstate(all="ignore"):
            bare = trace.replay(numbers=numbers, params=params).gradient(wrong.node)
        if bare is not None and same(np.asarray(bare, np.float64), wrong.claim, 1e-10):
            yield Cause("epsilon", "epsilon was forgotten: it is the gradient without one")


def _is_small(value: Any) -> bool:
    return isinstance(value, float) and 0 < abs(value) < SMALL


def _near(wrong: Wrong, trace: Trace) -> list[int]:
    """The nodes that a factor may come from, neighbours first, those with a name before those without."""
    beside = neighbours(trace, wrong.node)

    def order(k: int) -> tuple[bool, bool, int, int]:
        return k not in beside, not trace.names[k], abs(k - wrong.node), k

    return sorted(range(len(trace)), key=order)[:MOST_VALUES]


def _fits(value: Array, right: Array) -> bool:
    if value.dtype.kind not in "fiub":
        return False
    try:
        return bool(np.broadcast_shapes(value.shape, right.shape) == right.shape)
    except ValueError:
        return False


def _varies(value: Array) -> bool:
    """Whether a value is not the same number everywhere, so that it is told from a constant."""
    return bool(value.size > 1 and np.ptp(value.astype(np.float64)) > 0)
