"""How a change spreads to first order: tangents pushed forward through the recorded run, node by node.

A tangent is the change that a node would make if every operation were a straight line. No second table of rules is
needed: the rule of an elementwise operation multiplies by its derivative, which is what a tangent asks for too; any
other rule is linear in its cotangent, and transposed by it (recorded, and pulled back in its turn) it pushes forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.primitive import NUMBERS, Array, Primitive
from tracer.pullback import Pullback
from tracer.recording import switched
from tracer.running import prove
from tracer.tensors import Tensor, tensor
from tracer.traces import Trace


def push(
    trace: Trace, node: int, moving: Mapping[int, Array], numbers: Mapping[int, float]
) -> Array | None:
    """The tangent of a node, Σ ∂node/∂input · tangent of the input; None where nothing comes through.

    moving: the inputs that have a tangent. numbers: arguments that are Python numbers, and by how much they change.
    Raises `ReplayError` where a rule cannot run on the recorded numbers.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> push(tr.trace(x * x), 1, {0: np.float64(0.1)}, {})
    np.float64(0.6000000000000001)
    """
    op = trace.op(node)
    assert op is not None
    inputs = trace.inputs_of(node)
    tangents = [
        (moving.get(i) if i >= 0 else numbers.get(k)) if op.differentiable(k) else None
        for k, i in enumerate(inputs)
    ]
    value = trace.storage.value(node)
    if value.dtype.kind != "f" or all(tangent is None for tangent in tangents):
        return None
    if not trace.storage.is_proven(node):
        prove(trace, node)
    way = _along if _is_diagonal(op) else _transposed
    with np.errstate(all="ignore"):
        found: Array = np.asarray(way(trace, node, op, tangents), dtype=value.dtype)
    return found[()] if not value.ndim else found


def can_push(trace: Trace, node: int, argument: int) -> bool:
    """Whether a change of a Python number that a node reads has a tangent."""
    op = trace.op(node)
    return op is not None and op.differentiable(argument) and _is_diagonal(op)


def _is_diagonal(op: Primitive) -> bool:
    """Whether an element of the output depends on one element of each input, by one rule for each."""
    return op.elementwise and op.joint is None and not op.variadic


def _along(trace: Trace, node: int, op: Primitive, tangents: Sequence[Any]) -> Array:
    """Of an elementwise operation: each rule takes the tangent for a cotangent, since both are multiplied alike."""
    value, params = trace.storage.value(node), trace.params[trace.params_of[node]]
    # a number that changes is looked at as the value that it stands for: rules may leave out those that do not
    args = [
        value.dtype.type(x) if type(x) in NUMBERS and tangent is not None else x
        for x, tangent in zip(trace.input_values(node), tangents, strict=True)
    ]
    total: Any = np.zeros(value.shape, value.dtype)[()]
    for rule, tangent in zip(op.rules, tangents, strict=False):
        if tangent is not None and rule is not None:
            g = value.dtype.type(tangent) if not value.ndim else _spread(tangent, value)
            total = total + rule(g, value, *args, **params, **trace.storage.saved(node))
    return total


def _spread(tangent: Any, value: Array) -> Array:
    return np.broadcast_to(np.asarray(tangent, value.dtype), value.shape)


def _transposed(trace: Trace, node: int, op: Primitive, tangents: Sequence[Any]) -> Array:
    """Of any other operation: its rules recorded with the cotangent as their variable, and pulled back."""
    value = trace.storage.value(node)
    wanted = [tangent is not None for tangent in tangents]
    with switched(enabled=True, kept=None, scope=()):
        # any cotangent would do: a rule is linear in it
        g = tensor(np.zeros(value.shape, value.dtype))
        flows = trace.pull_back(node, g, wanted)
    recorded = [flow if isinstance(flow, Tensor) else None for flow in flows]
    (found,) = Pullback(recorded, [g])(tangents)
    return np.zeros(value.shape, value.dtype) if found is None else found
