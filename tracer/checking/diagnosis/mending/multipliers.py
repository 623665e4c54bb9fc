"""The constants that the local derivatives on the way from a gradient down to a value bring: a 2, a 1/m."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tracer.traces import Trace

MOST_STEPS, MOST_ROUTES = 6, 24
"""Operations on a route, and routes that are followed, at most."""

Multiplier = tuple[float, int]
"""A factor, and the length of axes by which it is divided; 1 where there is none."""


def multipliers(trace: Trace, node: int, above: int) -> tuple[Multiplier, ...]:
    """The constants by which the gradient of a node above comes down to a node, one for each route.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0, 4.0], name="x")
    >>> trace = tr.trace(tr.mean(tr.square(x)))
    >>> multipliers(trace, 0, trace.loss)
    ((2.0, 3),)
    """
    found = dict.fromkeys(_along(trace, node, above, MOST_STEPS))
    return tuple(found)[:MOST_ROUTES]


def _along(trace: Trace, node: int, above: int, left: int) -> Iterator[Multiplier]:
    if node == above:
        yield 1.0, 1
        return
    if not left or node > above:
        return
    for edge in trace.uses_of(node)[:MOST_ROUTES]:
        consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
        if not trace.edge_flows[edge]:
            continue
        factor, length = _of(trace, consumer, argument)
        for further, below in _along(trace, consumer, above, left - 1):
            yield factor * further, length * below


def _of(trace: Trace, consumer: int, argument: int) -> Multiplier:
    """The constant in one local derivative."""
    op, inputs = trace.op(consumer), trace.inputs_of(consumer)
    assert op is not None
    entries = np.size(trace.value(inputs[argument])) // max(np.size(trace.value(consumer)), 1)
    params = trace.params[trace.params_of[consumer]]
    other = None
    if len(inputs) == 2 and inputs[1 - argument] < 0:
        other = trace.literals[-1 - inputs[1 - argument]]
    number = float(other) if isinstance(other, (int, float)) else None
    match op.name:
        case "mean":
            return 1.0, entries
        case "var":
            return 2.0, max(entries - int(params.get("ddof", 0)), 1)
        case "square":
            return 2.0, 1
        case "sqrt":
            return 0.5, 1
        case "mul" if inputs[0] == inputs[1]:
            return 2.0, 1
        case "mul" if number is not None:
            return abs(number), 1
        case "div" if number and not argument:
            whole = number == int(number) and abs(number) > 2
            return (1.0, abs(int(number))) if whole else (abs(1 / number), 1)
        case "pow" if number and not argument and math.isfinite(number):
            return abs(number), 1
    return 1.0, 1
