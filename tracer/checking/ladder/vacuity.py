"""Gradients that are zero whatever the rule, because of the seed cotangent: the sum of a normalised batch.

Such a check proves nothing: a rule that is twice too large gives zero too. A seed with both signs brings out a gradient
that can be compared. A gradient that is zero for every cotangent, as behind a dead ReLU, is another matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tracer.checking.rounding import largest
from tracer.errors import GradstepError
from tracer.traces import Trace

from .local import signed

Array = Any
"""A numpy array or numpy scalar."""

ZERO = 1e-10
"""A gradient is zero to rounding when it is smaller than this beside that under a random signed seed."""
REDUCING = ("sum", "mean")
MOST = 8
"""So many places where a better seed could go in are tried."""
MOVED = 0.05
"""How far the inputs are moved, relative to their size, to see whether a gradient stays zero."""


def vacuous(trace: Trace, nodes: Sequence[int], rng: np.random.Generator) -> dict[int, str]:
    """Of some nodes, those whose gradient is zero only because of the seed cotangent, with the line to write instead.

    A gradient that vanishes at these numbers alone, as at a minimum, is not among them.
    """
    small = [k for k in nodes if _size(trace, k) is not None and trace.value(k).size]
    if not small:
        return {}
    found: dict[int, str] = {}
    for place in reduced(trace):
        arrived = _size(trace, place) or 1.0
        better = replace(trace, loss=place, seed=arrived * signed(trace.value(place).shape, rng))
        noise = ZERO * max((_size(better, k) or 0.0 for k in range(len(better))), default=0.0)
        for k in small:
            if k in found:
                continue
            with_signs = _size(better, k)
            if with_signs and with_signs > noise and (_size(trace, k) or 0.0) <= ZERO * with_signs:
                found[k] = _line(trace, place)
    if found:
        stays = _zero_nearby(trace, list(found), rng)
        found = {k: line for k, line in found.items() if k in stays}
    return found


def reduced(trace: Trace) -> list[int]:
    """The tensors that the last sums and means before the loss reduce to one number.

    >>> import tracer as tr
    >>> y = tr.tanh(tr.tensor([0.5, 1.0], name="x"))
    >>> trace = tr.trace(3.0 * tr.mean(y))
    >>> [trace.label(k) for k in reduced(trace)]
    ['y']
    """
    found: list[int] = []
    stack, seen = [trace.loss], {trace.loss}
    while stack and len(found) < MOST:
        k = stack.pop()
        op = trace.op(k)
        if op is None or (trace.value(k).size > 1 and op.name not in REDUCING):
            if op is not None and trace.value(k).size > 1:
                found.append(k)
            continue
        for i in trace.inputs_of(k):
            if i >= 0 and trace.receives[i] and i not in seen:
                seen.add(i)
                stack.append(i)
    return found


def _size(trace: Trace, node: int) -> float | None:
    """The largest magnitude in the gradient of a node, None if it has none or it is not finite."""
    gradient = trace.swept.gradients[node]  # what a file holds is of its own loss and seed
    if gradient is None or not np.isfinite(gradient).all():
        return None
    return largest(gradient)


def _zero_nearby(trace: Trace, nodes: Sequence[int], rng: np.random.Generator) -> set[int]:
    """Those of the nodes whose gradient stays zero when the inputs move."""
    moved = {}
    for k in np.flatnonzero(trace.op_of < 0).tolist():
        value = trace.value(k)
        if value.dtype.kind == "f":
            moved[k] = value + MOVED * signed(value.shape, rng) * np.maximum(abs(value), 0.25)
    try:
        other = trace.replay(moved)
        sizes = {k: (_size(trace, k), _size(other, k)) for k in nodes}
    except GradstepError:
        return set(nodes)
    through = max((_size(trace, k) or 0.0 for k in range(len(trace))), default=0.0)
    return {
        k
        for k, (_, there) in sizes.items()
        if there is None or there <= ZERO * max(through, 1e-300)
    }


def _line(trace: Trace, place: int) -> str:
    """The line to write instead, in the user's names."""
    name = trace.names[place]
    said = name or "y"
    where = "" if name else f", y the result of {trace[place].op_name}"
    return f"tr.sum(w * {said}) with w = np.random.default_rng(0).normal(size={said}.shape){where}"
