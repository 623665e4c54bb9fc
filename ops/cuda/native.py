"""How operations run on a device: by kernels of their own, as their smaller parts, or else on the host.

A family of kernels offers `NATIVE`: the operations that it computes, by name. What it does not take (another dtype, an
axis in the middle) it answers with None. Then the definition takes over: the parts of the operation, or its rules, made
of smaller operations; and where nothing fits, numpy on copies, which the node says by the word `host`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import FAMILIES
from ops.devices.arrays import DeviceArray, array, device_of
from ops.devices.device import Device
from ops.devices.finding import opened
from ops.errors import PrimitiveError
from ops.primitive import NOTHING, NUMBERS, Primitive


class Native(NamedTuple):
    """An operation computed by kernels, for arrays that fit: as the definition says, within ulps."""

    value: Callable[..., Any] | None = None
    """`(*inputs, **params)` to the value, with the saved numbers if there are any; None: it does not fit.

    Inputs are device arrays of one device, and Python numbers.
    """
    pull: Callable[..., list[Any] | None] | None = None
    """`(g, out, inputs, wanted, params, saved)` to the flow of every wanted input, None for the others."""


@cache
def natives() -> Mapping[str, Native]:
    """Every operation with kernels of its own."""
    found: dict[str, Native] = {}
    for module in FAMILIES.values():
        found |= getattr(import_module(module), "NATIVE", {})
    return found


class Computed(NamedTuple):
    """What an operation gave on a device: its value, what it saved, and whether numpy had to do it on copies."""

    value: Any
    saved: Mapping[str, Any]
    host: bool


def compute(op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> Computed:
    """The value of an operation with at least one device array among its inputs."""
    device = device_of(inputs)
    if op.name == "to":
        return Computed(_moved(inputs[0], params["device"]), NOTHING, False)
    inputs = [_there(x, device) for x in inputs]
    native = natives().get(op.name)
    found = None
    if native is not None and native.value is not None:
        found = native.value(*inputs, **params)
    elif op.elementwise:
        from ops.cuda.elementwise.family import value

        found = value(op, inputs, params)
    if found is not None:
        whole, saved = found if op.saves else (found, NOTHING)
        return Computed(whole, saved, False)
    if op.parts is not None:
        whole = op.parts(*inputs, **params)
        if type(whole) is DeviceArray:
            saved = {each.name: each.compute(*inputs, **params) for each in op.saves}
            return Computed(whole, {k: _there(x, device) for k, x in saved.items()}, False)
    out, kept = op.run([_here(x) for x in inputs], params)
    return Computed(_there(out, device), {k: _there(x, device) for k, x in kept.items()}, True)


def pull(
    op: Primitive,
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any] = NOTHING,
    saved: Mapping[str, Any] = NOTHING,
) -> list[Any]:
    """The flows of an operation whose numbers lie on a device."""
    device = device_of([g, out, *inputs])
    g, out, *inputs = [_there(x, device) for x in (g, out, *inputs)]
    saved = {name: _there(x, device) for name, x in saved.items()}
    native = natives().get(op.name)
    flows = None
    if native is not None and native.pull is not None:
        flows = native.pull(g, out, inputs, wanted, params, saved)
    elif op.elementwise:
        from ops.cuda.elementwise.family import flows as elementwise_flows

        flows = elementwise_flows(op, g, out, inputs, wanted, params)
    if flows is None:
        try:
            flows = op.pull_back(g, out, inputs, wanted, params, saved)
        except (
            TypeError,
            AttributeError,
            PrimitiveError,
        ):  # a rule that only numpy's arrays can run
            kept = {name: _here(x) for name, x in saved.items()}
            arrays = [_here(x) for x in inputs]
            flows = op.pull_back(_here(g), _here(out), arrays, wanted, params, kept)
    return [None if flow is None else _there(flow, device) for flow in flows]


def _moved(x: DeviceArray, name: str) -> Any:
    """A device array elsewhere: copied to the host, and from there to another device."""
    if name == x.device.name:
        return x
    return x.numpy() if name == "cpu" else array(opened(name), x.numpy())


def _there(x: Any, device: Device) -> Any:
    """A host array on the device; numbers and device arrays as they are."""
    if type(x) is DeviceArray or type(x) in NUMBERS:
        return x
    return DeviceArray(device, device.put(np.asarray(x)))


def _here(x: Any) -> Any:
    return x.numpy() if type(x) is DeviceArray else x
