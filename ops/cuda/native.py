"""How operations run on a device: by kernels of their own, as their smaller parts, or else on the host.

A family of kernels offers `NATIVE`: the operations that it computes, by name. What it does not take (another dtype, an
axis in the middle) it answers with None. Then the definition takes over: the parts of the operation, or its rules, made
of smaller operations; and where nothing fits, numpy on copies, which the node says by the word `host`. What a user
declared without parts is written for numpy's arrays: its kernel and its rules run on copies from the start, once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import FAMILIES
from ops.devices.arrays import DeviceArray, array, device_of, takes
from ops.devices.device import Device
from ops.devices.finding import opened
from ops.errors import GradstepError, PrimitiveError
from ops.primitive import NOTHING, NUMBERS, PRIMITIVES, Primitive


class Native(NamedTuple):
    """An operation computed by kernels, for arrays that fit: as the definition says, within ulps."""

    value: Callable[..., Any] | None = None
    """`(*inputs, **params)` to the value, with the saved numbers if there are any; None: it does not fit.

    Inputs are device arrays of one device, and Python numbers.
    """
    pull: Callable[..., list[Any] | None] | None = None
    """`(g, out, inputs, wanted, params, saved)` to the flow of every wanted input, None for the others."""
    ahead: Callable[..., Any] | None = None
    """`(wanted, *inputs, **params)` to what `value` gives, where the flows of the wanted inputs are sure to be wanted.

    It may compute them on the way for a cotangent of 1, and leave them to `pull`, which gives the same bits without.
    """


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


class Way(NamedTuple):
    """How an operation is gone about, found once for each: what `Native` says, with the same arguments for all."""

    value: Callable[[Sequence[Any], Mapping[str, Any]], Any] | None
    pull: Callable[..., list[Any] | None] | None
    ahead: Callable[..., Any] | None
    ours: bool
    """Whether it is declared in `ops`, so that its parts and rules take arrays of a device."""


@cache
def way(op: Primitive) -> Way:
    """How to go about an operation. Another one of the name of one of ours has no kernels but those written from it."""
    found = (natives().get(op.name) if PRIMITIVES.get(op.name) is op else None) or Native()
    value, pull = found.value, found.pull
    ours = op.home.startswith("ops.")
    by_kernels = None if value is None else lambda inputs, params: value(*inputs, **params)
    if op.elementwise and not (value and pull):
        from ops.cuda.elementwise import family

        def written(inputs: Sequence[Any], params: Mapping[str, Any]) -> Any:
            if params and ours:
                _check_parameters(op, inputs, params)
            return family.value(op, inputs, params)

        def flows(
            g: Any,
            out: Any,
            inputs: Sequence[Any],
            wanted: Sequence[bool],
            params: Mapping[str, Any],
            saved: Mapping[str, Any],
        ) -> list[Any] | None:
            return family.flows(op, g, out, inputs, wanted, params)

        return Way(by_kernels or written, pull or flows, found.ahead, ours)
    return Way(by_kernels, pull, found.ahead, ours)


_ACCEPTED: dict[Primitive, set[str]] = {}


def _check_parameters(op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any]) -> None:
    """Let the definition refuse parameters on one element: a kernel that can be written for them is no leave."""
    accepted = _ACCEPTED.setdefault(op, set())
    asked = repr(params)
    if asked not in accepted:
        op.run([x if type(x) in NUMBERS else np.ones((), x.dtype) for x in inputs], params)
        accepted.add(asked)


_filling = threading.local()
"""What operations are computing what they save: one whose saved numbers need its own value must not do so for ever."""


def compute(
    op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], wanted: Sequence[bool] = ()
) -> Computed:
    """The value of an operation with at least one device array among its inputs.

    wanted: which inputs want a gradient, in a run that is recorded; nothing is made ready for others.
    Raises what the definition raises on the CPU where inputs do not fit.
    """
    device = device_of(inputs)
    if op.name == "to":
        return Computed(_moved(inputs[0], params["device"]), NOTHING, False)
    inputs = [
        x if type(x) is DeviceArray or type(x) in NUMBERS else array(device, x) for x in inputs
    ]
    how = way(op)
    try:
        found = None
        if how.ahead is not None and any(wanted):
            found = how.ahead(wanted, *inputs, **params)
        elif how.value is not None:
            found = how.value(inputs, params)
        if found is not None:
            whole, saved = found if op.saves else (found, NOTHING)
            return Computed(whole, saved, False)
        if op.parts is not None and (parts := _by_parts(op, inputs, params, device)) is not None:
            return parts
    except Exception as error:
        if how.ours and isinstance(error, GradstepError) and not isinstance(error, PrimitiveError):
            raise  # no memory, a kernel that races: nothing that another way would mend
        wrong: Exception | None = error
    else:
        wrong = None
    with np.errstate(all="ignore"):
        if wrong is None:
            return _on_host(op, inputs, params, device)
        try:  # the definition says what is wrong, as it does on the CPU
            found = _on_host(op, inputs, params, device)
        except Exception as said:
            raise said from None
    if how.ours:
        raise wrong  # the inputs are right: what ran here is not
    return found


def _by_parts(
    op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], device: Device
) -> Computed | None:
    """The value by smaller operations, and what it saves; None where these give no device array."""
    if not op.saves:
        whole = op.parts(*inputs, **params)  # type: ignore[misc]
        return Computed(whole, NOTHING, False) if type(whole) is DeviceArray else None
    running: set[Primitive] = vars(_filling).setdefault("running", set())
    if op in running:
        return None
    running.add(op)
    try:
        whole = op.parts(*inputs, **params)  # type: ignore[misc]
        saved = {each.name: each.compute(*inputs, **params) for each in op.saves}
    finally:
        running.discard(op)
    if type(whole) is not DeviceArray:
        return None
    return Computed(whole, {k: _there(x, device) for k, x in saved.items()}, False)


class _ByNumpy(threading.local):
    times = 0


BY_NUMPY = _ByNumpy()
"""How many times numpy has computed on copies in this thread: what was at work in between can be told by it."""


def _on_host(
    op: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], device: Device
) -> Computed:
    BY_NUMPY.times += 1
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
    how = way(op)
    flows = None
    if how.pull is not None:
        flows = how.pull(g, out, inputs, wanted, params, saved)
    if flows is None and how.ours:
        flows = op.pull_back(g, out, inputs, wanted, params, saved)
    elif flows is None:
        flows = _pulled_by_users(op, g, out, inputs, wanted, params, saved)
        if any(flow is not None and type(flow) is not DeviceArray for flow in flows):
            BY_NUMPY.times += 1
    return [None if flow is None else _there(flow, device) for flow in flows]


def _pulled_by_users(
    op: Primitive,
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    """The flows by the rules of somebody else's: where there are parts, which ran on the device, tried there first."""
    if op.parts is not None:
        try:
            return op.pull_back(g, out, inputs, wanted, params, saved)
        except Exception:  # of any kind: what a rule for numpy's arrays says of others
            pass
    kept = {name: _here(x) for name, x in saved.items()}
    here = [_here(x) for x in inputs]
    return op.pull_back(_here(g), _here(out), here, wanted, params, kept)


def _moved(x: DeviceArray, name: str) -> Any:
    """A device array elsewhere: copied to the host, and from there to another device."""
    if name == x.device.name:
        return x
    return x.numpy() if name == "cpu" else array(opened(name), x.numpy())


def _there(x: Any, device: Device) -> Any:
    """A host array on the device; numbers and device arrays as they are, and what no value may be."""
    if type(x) is DeviceArray or type(x) in NUMBERS:
        return x
    host = np.asarray(x)
    return array(device, host) if takes(host.dtype) else x


def _here(x: Any) -> Any:
    return x.numpy() if type(x) is DeviceArray else x
