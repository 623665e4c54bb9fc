"""Elementwise operations on a device, value and flows, each by one kernel that is written from its own rules.

Broadcasting costs no memory: operands are read where they lie, and the flow of a broadcast operand is summed in the
pass that computes it; only what lies over more than four axes is copied. What has no scalar form is answered with None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ops.cuda.elementwise.broadcasting import Shape, by_columns, layout_of
from ops.cuda.elementwise.casts import cast, widened
from ops.cuda.elementwise.kernels import ADD_PARTIALS
from ops.cuda.elementwise.plans import Plan, Step, plan_of
from ops.cuda.elementwise.table import Representative
from ops.cuda.elementwise.types import DTYPES
from ops.cuda.kernel import Kernel, Launch
from ops.cuda.native import Native
from ops.devices.arrays import DeviceArray, array, empty
from ops.primitive import PRIMITIVES, Primitive


def value(op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> DeviceArray | None:
    """The value of an elementwise operation on device arrays and numbers; None if it does not fit."""
    if op.name == "pow" and type(inputs[1]) is float and inputs[1] == 0.5 and inputs[0].ndim:
        op, inputs = PRIMITIVES["sqrt"].definition, inputs[:1]  # as numpy has it, and as √−0 is −0
    plan = plan_of(op, inputs, None, params)
    if plan is None:
        other = widened(inputs) or _copied(inputs)
        return None if other is None else value(op, other, params)
    device = next(x.device for x in inputs if type(x) is DeviceArray)
    (step,) = plan.steps
    out = empty(device, plan.shape, DTYPES.get(step.made.type, plan.dtype))
    if out.size:
        _run(step, plan, device, dict(enumerate(inputs)), [out])
    return out


def flows(
    op: Primitive,
    g: DeviceArray,
    out: DeviceArray,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
) -> list[Any] | None:
    """The wanted flows, summed to the shapes of their inputs; None if the operation does not fit."""
    if g.dtype != out.dtype or g.shape != out.shape:
        return None
    handed = [None] * len(inputs) if g.number is None else _handed_on(op, g, inputs, wanted)
    if any(flow is not None for flow in handed):
        rest = [wants and flow is None for wants, flow in zip(wanted, handed, strict=True)]
        others = flows(op, g, out, inputs, rest, params) if any(rest) else handed
        if others is None:
            return None
        pairs = zip(handed, others, strict=True)
        return [other if flow is None else flow for flow, other in pairs]
    plan = plan_of(op, inputs, tuple(map(bool, wanted)), params)
    wide = widened(inputs) if plan is None else None
    if wide is not None:
        return _narrowed(flows(op, g, out, wide, wanted, params), inputs)
    whole = _copied(inputs) if plan is None else None
    if whole is not None:
        return _summed(flows(op, g, out, whole, wanted, params), inputs)
    if plan is None or plan.dtype != g.dtype or plan.shape != g.shape:
        return None
    found: list[Any] = [None] * len(inputs)
    operands: dict[int | str, Any] = {"g": g, "out": out}
    operands.update(enumerate(inputs))
    for step in plan.steps:
        if not out.size:
            for k in step.made.stores:
                found[k] = array(g.device, np.zeros(inputs[k].shape, plan.dtype))
            continue
        results = [empty(g.device, shape, plan.dtype) for shape in step.results]
        _run(step, plan, g.device, operands, results)
        for k, flow in zip(step.made.stores, results, strict=True):
            found[k] = _fitted(flow, inputs[k].shape, plan.shape)
    return found


def _handed_on(
    op: Primitive, g: DeviceArray, inputs: Sequence[Any], wanted: Sequence[bool]
) -> list[DeviceArray | None]:
    """A cotangent whose number the host knows, for each input that receives it as it is: so it stays known.

    A loss beside a penalty then receives the 1 of the backward pass, as it would alone.
    """
    return [
        g
        if wants and type(x) is DeviceArray and not x.ndim and x.dtype == g.dtype and _keeps(op, k)
        else None
        for k, (x, wants) in enumerate(zip(inputs, wanted, strict=True))
    ]


@cache
def _keeps(op: Primitive, argument: int) -> bool:
    """Whether the rule of an input gives the cotangent itself: asked with what nothing can be computed of."""
    rule, g, nothing = op.rule_of(argument), object(), object()
    if rule is None or op.variadic or not op.home.startswith("ops."):
        return False
    try:
        return rule(g, nothing, *[nothing] * len(op.inputs)) is g
    except Exception:  # of any kind: it computes
        return False


def _copied(inputs: Sequence[Any]) -> list[Any] | None:
    """The inputs copied to the shape of the result if they lie over more axes than a kernel walks over; else None."""
    shapes = tuple(x.shape if type(x) is DeviceArray else None for x in inputs)
    try:
        shape = np.broadcast_shapes(*(x for x in shapes if x is not None))
    except ValueError:  # the host says what does not fit
        return None
    if layout_of(shape, shapes) is not None:
        return None
    spread = PRIMITIVES["broadcast_to"]
    return [spread(x, shape=shape) if type(x) is DeviceArray else x for x in inputs]


def _summed(found: list[Any] | None, inputs: Sequence[Any]) -> list[Any] | None:
    """Flows of copies, summed to the shapes of the inputs."""
    if found is None:
        return None
    sum_to = PRIMITIVES["sum_to"]
    return [
        flow if flow is None else sum_to(flow, shape=x.shape)
        for flow, x in zip(found, inputs, strict=True)
    ]


def _narrowed(found: list[Any] | None, inputs: Sequence[Any]) -> list[Any] | None:
    """Flows in the dtypes of their inputs."""
    if found is None:
        return None
    return [
        flow if flow is None else cast(flow, dtype=x.dtype.name)
        for flow, x in zip(found, inputs, strict=True)
    ]


def _run(
    step: Step,
    plan: Plan,
    device: Any,
    operands: Mapping[int | str, Any],
    results: Sequence[DeviceArray],
) -> None:
    arguments: list[Any] = list(step.sizes)
    for key, shape in zip(step.made.loads, step.shapes, strict=True):
        x = operands[key]
        arguments.append(plan.number(x) if shape is None else x.seen(shape))
    for x, shape in zip(results, step.results, strict=True):
        arguments.append(x.seen(shape))
    device.launch(step.made.kernel, plan.dtype, step.launch, arguments, step.options)


def _fitted(flow: DeviceArray, shape: Shape, whole: Shape) -> Any:
    """The flow of an input of that shape: of every element it is summed, of the sums of blocks their sum."""
    size = math.prod(shape)
    if flow.size == size:
        return flow.reshape(shape)
    if flow.ndim == 1:
        return PRIMITIVES["sum_to"](flow.reshape(whole), shape=shape)
    splits = flow.shape[0]
    out = empty(flow.device, (1, size), flow.dtype)
    lanes, width, _ = by_columns(splits, size)
    launch = Launch(math.ceil(size / width), lanes)
    arguments = [splits, size, 1, flow.memory, out.memory]
    options = {"lanes": lanes, "width": width}
    flow.device.launch(ADD_PARTIALS, flow.dtype, launch, arguments, options)
    return out.reshape(shape)


# ----- the tables of the family

KERNELS: Mapping[str, Kernel] = Representative()

NATIVE = {"astype": Native(cast), "detach": Native(lambda x: x)}
