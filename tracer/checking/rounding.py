"""What rounding does within a trace: to its loss, by what lies on the way, and to its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tracer.backing import Overlay
from tracer.errors import GradstepError
from tracer.replay import parts_trace, run_node
from tracer.traces import Trace

from .judge import EXACT

Array = Any
"""A numpy array or numpy scalar."""

OPENED = 2**18
"""A fused operation that takes and gives no more numbers is opened to see what is rounded inside."""
SHAKES = 3
"""How often the values of a trace are moved, to see how rounding changes its gradients."""

_KNOWN: WeakKeyDictionary[Trace, Array] = WeakKeyDictionary()


def shake(trace: Trace, rng: np.random.Generator) -> tuple[Trace, ...]:
    """A few runs of the trace with every float up or down by one unit in the last place; 0 stays.

    The leaves are moved, and what every operation gives: 1 + e⁻⁴⁰ is rounded, whatever happens to the leaves.
    """
    return tuple(_shaken(trace, rng) for _ in range(SHAKES))


def _shaken(trace: Trace, rng: np.random.Generator) -> Trace:
    moved: dict[int | str, Array] = {}
    for k in np.flatnonzero(trace.op_of < 0).tolist():
        value = trace.value(k)
        if value.dtype.kind == "f":
            moved[k] = _nudged(value, rng)
    again = trace.replay(moved)
    new: dict[int, Array] = {}
    kept: dict[int, Mapping[str, Array]] = {}
    with np.errstate(all="ignore"):
        for k in np.flatnonzero(again.op_of >= 0).tolist():
            value, kept[k] = run_node(again, k, new)
            new[k] = _nudged(value, rng)
    under = again.storage
    if isinstance(under, Overlay):
        new, kept = {**under.values, **new}, {**under.kept, **kept}
        under = under.under
    return replace(again, storage=Overlay(under, new, kept), like=again.skeleton)


def _nudged(value: Array, rng: np.random.Generator) -> Array:
    """Floats moved up or down by one unit in the last place."""
    if value.dtype.kind != "f":
        return value
    towards = rng.choice((-np.inf, np.inf), np.shape(value)).astype(value.dtype)
    return np.where(value == 0, value, np.nextafter(value, towards))[()]


def throughput(trace: Trace, node: int) -> float:
    """The largest |gradient * value| from the node on, and within the fused operations there, and those within them."""
    return float(_throughputs(trace)[node:].max(initial=0.0))


def rounded(trace: Trace, node: int) -> float:
    """How far the loss is off because the values from a node on are rounded, and those within its fused operations.

    log(1 + e⁻⁴⁰) is 0, as 1 + e⁻⁴⁰ is 1: of the result itself no rounding shows.
    """
    return EXACT * throughput(trace, node)


def _throughputs(trace: Trace) -> Array:
    """The largest |gradient * value| of every node and within it, float (nodes,); worked out once for a trace."""
    if trace not in _KNOWN:
        found = np.zeros(len(trace))
        with np.errstate(all="ignore"):
            for k in range(len(trace)):
                gradient = trace.gradient(k)
                if gradient is not None:
                    found[k] = largest(gradient * trace.value(k))
                    if trace.op_of[k] >= 0:
                        found[k] = max(found[k], throughput_inside(trace, k, gradient))
        _KNOWN[trace] = found
    return _KNOWN[trace]


def cancelled(trace: Trace, node: int) -> float:
    """The largest gradient of an array of this shape within the fused operations that read a node, and those in them.

    Of p − y, the gradient by the logits, nothing but rounding is left where p is y, but p and y are of size 1.
    """
    shape, most = np.shape(trace.value(node)), 0.0
    for reader in sorted({flow.consumer for flow in trace.flows_into(node)}):
        inner = _inside(trace, reader, trace.gradient(reader))
        if inner is not None:
            alike = [k for k in range(len(inner)) if np.shape(inner.value(k)) == shape]
            known = [g for g in map(inner.gradient, alike) if g is not None]
            most = max([most, *map(largest, known), *(cancelled(inner, k) for k in alike)])
    return most


def throughput_inside(trace: Trace, node: int, cotangent: Array) -> float:
    """The largest |gradient * value| within a fused operation that receives a cotangent; 0 where it is not fused."""
    inner = _inside(trace, node, cotangent)
    return 0.0 if inner is None else throughput(inner, 0)


def _inside(trace: Trace, node: int, cotangent: Array) -> Trace | None:
    """A fused operation opened into its parts, if it is one, and not too large."""
    op = trace.op(node)
    size = sum(map(np.size, trace.input_values(node))) + np.size(cotangent)
    if op is None or op.parts is None or size > OPENED:
        return None
    try:
        with np.errstate(all="ignore"):
            return parts_trace(replace(trace, loss=node, seed=cotangent), node)
    except GradstepError:
        return None


def largest(array: Array) -> float:
    """The largest finite magnitude in an array; 0 if there is none.

    >>> largest(np.array([1.0, -2.0, np.inf]))
    2.0
    """
    array = np.asarray(array, np.float64)
    return float(np.max(abs(array), initial=0.0, where=np.isfinite(array)))
