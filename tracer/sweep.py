"""The reverse sweep over live Tensors: from the loss to the leaves, by falling serial number, without recursion.

Serial numbers grow with time, so falling serial is an order in which every node comes after all of its consumers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import float64, ndarray

from ops.primitive import Array, fitted
from tracer.errors import DTypeError, GradientError, ShapeError
from tracer.operands import Operators
from tracer.parameters import Parameter
from tracer.recording import BACKWARD, OWNER, ScopeEntry, announce, switched
from tracer.tape import as_operand, leaf
from tracer.tensors import Tensor
from tracer.values import as_value, placed, read_only


def graph_of(*roots: Tensor) -> list[Tensor]:
    """The tracked nodes that lead to a loss, or to some nodes, the latest first."""
    found = {root.serial: root for root in roots}
    stack = list(found.values())
    while stack:
        for x in stack.pop().inputs:
            if type(x) is Tensor and x.tracked and (serial := x.serial) not in found:
                found[serial] = x
                stack.append(x)
    return [found[serial] for serial in sorted(found, reverse=True)]


def seed_of(loss: Any, seed: Any) -> Array:
    """The seed cotangent: 1 for a loss of rank 0, else what was given, in the shape and dtype of the loss.

    Raises `GradientError` for a loss without a gradient or a missing seed, `ShapeError` for one that does not fit.
    """
    if not isinstance(loss, Tensor):
        raise GradientError(
            f"the loss is {type(loss).__name__}, not a recorded value\n"
            f"  try: compute it from tr.tensor(...) or tr.parameter(...)"
        )
    dtype = loss.value.dtype
    if dtype.kind != "f":
        raise DTypeError(
            f"backward from a {dtype} loss: integers and booleans have no gradient\n"
            f"  try: 3.0 instead of 3, or x.astype('float64'), where the data comes in"
        )
    if not loss.tracked:
        raise GradientError(_why_untracked(loss))
    if seed is None:
        if loss.value.ndim:
            raise GradientError(
                f"backward from a loss of shape {loss.shape} needs a seed cotangent of that shape\n"
                f"  try: loss.sum().backward(), or loss.backward(np.ones({loss.shape}))"
            )
        one: Array = dtype.type(1)
        return placed(one, loss.device)
    value = as_value(as_value(seed), loss.dtype)
    if value.shape != loss.shape:
        raise ShapeError(
            f"the seed cotangent has shape {value.shape}, the loss {loss.shape}\n"
            f"  try: a seed of shape {loss.shape}"
        )
    return read_only(placed(value, loss.device))


def _why_untracked(loss: Tensor) -> str:
    leaves: list[Tensor] = []
    stack, seen = [loss], {loss.serial}
    while stack and len(leaves) < 1000:
        node = stack.pop()
        if node.op is None:
            leaves.append(node)
        for k, x in enumerate(node.inputs):
            if type(x) is Tensor and x.serial not in seen:
                seen.add(x.serial)
                stack.append(x)
                if x.tracked and node.op is not None and not node.op.differentiable(k):
                    return (
                        f"backward: {node.op.name} has no derivative by its inputs, "
                        f"and no other way leads to a tensor whose gradient is wanted\n"
                        f"  try: a differentiable operation, or vjps={{...}} where {node.op.name} is declared"
                    )
    if leaves and all(x.dtype.kind != "f" for x in leaves):
        return (
            f"backward: everything the loss depends on is {leaves[0].dtype}, which has no gradient\n"
            f"  try: 3.0 instead of 3, where the data comes in"
        )
    return (
        "backward: the loss does not depend on a tensor whose gradient is wanted "
        "(only on constants, detached values or values made under no_grad)\n"
        "  try: tr.tensor(...) or tr.parameter(...) for what should receive a gradient"
    )


def backward(loss: Any, seed: Any = None) -> None:
    """The backward pass of `Tensor.backward`: leaves add to `grad`, inner nodes keep that of this pass."""
    start = seed_of(loss, seed)
    announce(loss, start)
    nodes = graph_of(loss)
    before = [(node, node.gradient) for node in nodes if node.op is None]
    for node in nodes:
        node.gradient = None
    loss.gradient = start
    try:
        with np.errstate(all="ignore"):
            _run(nodes)
    except BaseException:  # a rule or hook failed: leave no half-added gradient behind
        for node in nodes:
            node.gradient = None
        for node, old in before:
            node.gradient = old
        raise
    for node, old in before:
        if old is not None:
            new = node.gradient
            node.gradient = old if new is None else old + new


def _run(nodes: Sequence[Tensor]) -> None:
    """The hot loop: the latest node first, each one's flows added where they belong.

    It does what `pull_back` does, without building lists for the common case of two inputs.
    """
    for node in nodes:
        gradient = node.gradient
        if gradient is None:
            continue
        if node.extras is not None:
            gradient = node.gradient = _hooked(node, gradient)
        op = node.op
        if op is None:
            continue
        inputs = node.inputs
        if op.plain and not node.params and len(inputs) == 2:
            # two inputs are nearly all of a scalar graph: unrolled, this is a tenth of the whole step
            x, y = inputs
            rule_x, rule_y = op.rules
            out = node.value
            a = x.value if type(x) is Tensor else x
            b = y.value if type(y) is Tensor else y
            if rule_x is not None and type(x) is Tensor and x.tracked:
                flow = rule_x(gradient, out, a, b)
                if type(flow) is ndarray and type(a) is ndarray:
                    if flow.shape != a.shape or flow.dtype is not a.dtype:
                        flow = fitted(flow, a, op.name)
                elif type(flow) is not float64 or type(a) is not float64:
                    flow = fitted(flow, a, op.name)
                arrived = x.gradient
                x.gradient = flow if arrived is None else arrived + flow
            if rule_y is not None and type(y) is Tensor and y.tracked:
                flow = rule_y(gradient, out, a, b)
                if type(flow) is ndarray and type(b) is ndarray:
                    if flow.shape != b.shape or flow.dtype is not b.dtype:
                        flow = fitted(flow, b, op.name)
                elif type(flow) is not float64 or type(b) is not float64:
                    flow = fitted(flow, b, op.name)
                arrived = y.gradient
                y.gradient = flow if arrived is None else arrived + flow
            continue
        if op.plain and not node.params and len(inputs) == 1:
            (x,) = inputs
            if x.tracked and (rule := op.rules[0]) is not None:
                a = x.value
                flow = rule(gradient, node.value, a)
                if type(flow) is ndarray and type(a) is ndarray:
                    if flow.shape != a.shape or flow.dtype is not a.dtype:
                        flow = fitted(flow, a, op.name)
                elif type(flow) is not float64 or type(a) is not float64:
                    flow = fitted(flow, a, op.name)
                arrived = x.gradient
                x.gradient = flow if arrived is None else arrived + flow
            continue
        values = [x.value if type(x) is Tensor else x for x in inputs]
        wanted = [type(x) is Tensor and x.tracked for x in inputs]
        run = op.pull_back if op.pull is None else op.pull
        if type(gradient) is ndarray and not op.home.startswith("ops."):
            read_only(gradient)  # others hold it too
        flows = run(gradient, node.value, values, wanted, node.params, node.saved)
        for x, flow in zip(inputs, flows, strict=True):
            if flow is not None:
                arrived = x.gradient
                x.gradient = flow if arrived is None else arrived + flow


def _hooked(node: Tensor, gradient: Array) -> Array:
    for hook in tuple((node.extras or {}).get("hooks", ())):
        replaced = hook(read_only(gradient))
        if replaced is not None:
            replaced = placed(as_value(replaced, gradient.dtype), node.device)
            if replaced.shape != gradient.shape:
                raise ShapeError(
                    f"a gradient hook gave shape {replaced.shape} for a gradient of shape {gradient.shape}\n"
                    f"  try: a gradient of the same shape, or None to leave it"
                )
            gradient = replaced
    return gradient


def grad(
    loss: Any,
    xs: Any,
    *,
    seed: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The gradient of a loss by one or several recorded values, without touching any `grad`.

    xs: a Tensor or Parameter, or a sequence of them; the result has the same form: arrays, or Tensors with
    `create_graph=True`, whose own history is recorded, so that they can be differentiated again.
    Raises `GradientError` for an x that the loss does not reach; with `allow_unused=True` its gradient is None.

    >>> import tracer as tr
    >>> x = tr.tensor(2.0)
    >>> first = tr.grad(x * x * x, x, create_graph=True)
    >>> first.item(), tr.grad(first, x).item()
    (12.0, 12.0)
    """
    single = isinstance(xs, Operators)
    targets = [x.tensor if isinstance(x, Parameter) else x for x in ([xs] if single else xs)]
    for number, x in enumerate(targets):
        if not isinstance(x, Tensor):
            raise GradientError(
                f"grad: number {number} of the xs is {type(x).__name__}, not a recorded value\n"
                f"  try: tr.tensor(...) before the loss is computed"
            )
    loss = loss.tensor if isinstance(loss, Parameter) else loss
    start = seed_of(loss, seed)
    if create_graph:
        start = as_operand(seed) if isinstance(seed, Operators) else leaf(start, "constant")
    with np.errstate(all="ignore"), switched(enabled=True):
        found = _collect(loss, start, {x.serial for x in targets}, create_graph)
    for number, x in enumerate(targets):
        if x.serial not in found and not (allow_unused and x.tracked):
            which = f"number {number} of the xs{' (' + x.name + ')' if x.name else ''}"
            if not x.tracked:
                raise GradientError(
                    f"grad: {which} is a constant, which has no gradient\n"
                    f"  try: tr.tensor(...) instead, before the loss is computed"
                )
            raise GradientError(
                f"grad: the loss does not depend on {which}\n"
                f"  try: leave it out, or check that it is used before the loss is computed"
            )
    results = [found.get(x.serial) for x in targets]
    return results[0] if single else type(xs)(results) if type(xs) in (list, tuple) else results


def _collect(loss: Tensor, start: Any, targets: set[int], recorded: bool) -> dict[int, Any]:
    """The gradients of the nodes with those serials; as Tensors with a history of their own if recorded."""
    cotangents: dict[int, Any] = {loss.serial: start}
    found: dict[int, Any] = {}
    for node in graph_of(loss):
        gradient = cotangents.pop(node.serial, None)
        if gradient is None:
            continue
        if node.serial in targets:
            found[node.serial] = gradient if recorded else read_only(gradient)
        if node.op is None:
            continue
        wanted = [type(x) is Tensor and x.tracked for x in node.inputs]
        flows = (
            _recorded_flows(node, gradient, wanted)
            if recorded
            else node.op.pull_back(
                gradient,
                node.value,
                [x.value if type(x) is Tensor else x for x in node.inputs],
                wanted,
                node.params,
                node.saved,
            )
        )
        for x, flow in zip(node.inputs, flows, strict=True):
            if flow is not None:
                arrived = cotangents.get(x.serial)
                cotangents[x.serial] = flow if arrived is None else arrived + flow
    return found


def _recorded_flows(node: Tensor, gradient: Tensor, wanted: Sequence[bool]) -> list[Any]:
    """The flows of one node with its rules run on Tensors, under a scope that names the node they belong to."""
    assert node.op is not None
    entry = ScopeEntry(BACKWARD, OWNER, node.serial)
    with switched(scope=(*node.scope, entry)):
        saved = {s.name: s.compute(*node.inputs, **node.params) for s in node.op.saves}
        flows = node.op.pull_back(gradient, node, node.inputs, wanted, node.params, saved)
        # a rule may hand back a plain number or array (the derivative is constant): make it a node all the same
        return [
            flow
            if flow is None or isinstance(flow, Tensor)
            else leaf(flow, "constant", device=x.device)
            for x, flow in zip(node.inputs, flows, strict=True)
        ]
