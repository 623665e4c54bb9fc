"""The second rung: a tangent pushed forward through the trace against the cotangents swept back. No step at all.

⟨seed, J d⟩ = ⟨Jᵀ seed, d⟩ holds to the last digits whatever the numbers. The forward rules are the backward ones
transposed, so this proves nothing of a rule by itself: it tests the sweep (which flows arrive where, and are added) and
that rules are linear in their cotangent.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tracer.checking.report import Rung
from tracer.checking.rounding import largest, rounded
from tracer.errors import GradstepError
from tracer.insight.tangents import push
from tracer.traces import Trace

from .operations import reaching
from .probes import STRICT

Array = Any
"""A numpy array or numpy scalar."""

NAME = "forward against reverse"
INSIDE = 64.0
"""So many roundings of what is added up within rules may a tangent and the flows differ by."""
TINY = 2.0**-960
"""And by as much as what underflows on the way."""


def forward_rung(trace: Trace, rng: np.random.Generator) -> Rung:
    """One random signed direction of all leaves, pushed forward to the loss, against the gradients of the leaves."""
    leaves = np.flatnonzero(trace.receives & (trace.op_of < 0)).tolist()
    moving: dict[int, Array] = {k: reaching(trace.value(k), rng) for k in leaves}
    with np.errstate(all="ignore"):
        terms = [np.ravel(trace.gradient(k) * d) for k, d in moving.items()]
    back, size = math.fsum(map(float, map(np.sum, terms))), sum(float(abs(t).sum()) for t in terms)
    carries = set(trace.edge_consumer[trace.edge_flows].tolist())
    for k in sorted(carries):
        try:
            tangent = push(trace, k, {i: moving[i] for i in trace.inputs_of(k) if i in moving}, {})
        except (GradstepError, TypeError, ValueError):
            said = f"not made: the rule of {trace.label(k)} does not run on recorded values"
            return Rung(NAME, 0, said=said)
        if tangent is not None:
            moving[k] = tangent
            with np.errstate(all="ignore"):  # what cancels on the way is rounded on the way
                size = max(size, float(np.sum(abs(trace.gradient(k) * tangent))))
    if trace.loss not in moving or not math.isfinite(size):
        return Rung(NAME, 0, said="not made: the gradients are not finite")
    with np.errstate(all="ignore"):
        ahead = float(np.sum(trace.seed * moving[trace.loss]))
    if abs(ahead - back) <= STRICT * size:
        return Rung(NAME, 1)
    # what is rounded within a rule shows neither in its flows nor in its tangent, where it cancels
    reach = max(1.0, *(largest(d) for d in moving.values()))
    floor = INSIDE * rounded(trace, 0) * reach + TINY
    if not abs(ahead - back) > STRICT * size + floor:
        return Rung(NAME, 1)
    for k in sorted(carries):
        if not _agrees(trace, k, moving, floor):
            if not trace.ops[trace.op_of[k]].home.startswith("ops."):
                return Rung(NAME, 0, said=f"not made: the rule of {trace.label(k)} is not recorded")
            return Rung(NAME, 1, 1, "its rule is not linear in its cotangent", k, trace.label(k))
    return Rung(NAME, 1, 1, "the flows are not added up as the graph says")


def _agrees(trace: Trace, node: int, moving: dict[int, Array], floor: float) -> bool:
    """Whether the tangent of one node fits the flows that it sends, but for as much as `floor`."""
    gradient = trace.gradient(node)
    if node not in moving or gradient is None:
        return True
    with np.errstate(all="ignore"):
        ahead = float(np.sum(gradient * moving[node]))
        terms = [
            np.ravel(flow.cotangent * moving[flow.input])
            for flow in trace.flows_from(node)
            if flow.input in moving
        ]
        back = math.fsum(float(term.sum()) for term in terms)
        size = sum(float(abs(term).sum()) for term in terms)
    return abs(ahead - back) <= STRICT * size + floor or not math.isfinite(size)
