"""Where values lie: the CPU, a GPU, or the interpreter of CUDA kernels; and what runs an operation over there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import ops
from ops.cuda.native import compute
from ops.devices.arrays import DeviceArray, array, device_of
from ops.devices.finding import Devices as Devices
from ops.devices.finding import Found as Found
from ops.devices.finding import checked, opened
from ops.devices.finding import devices as devices
from ops.kernels.choice import form
from ops.primitive import Primitive
from tracer.errors import MixedDevicesError
from tracer.recording import CURRENT
from tracer.tensors import record, watch_for_devices
from tracer.values import device_name, read_only


class device:  # noqa: N801 (a context manager, used like a function)
    """Where new tensors, constants and parameters are put from now on: `with tr.device("interpret"):`.

    In a `with` statement the choice holds inside only; without one it holds from the call on. Their operations run
    there too. Raises `DeviceError` for a device that is not there. Source: `torch.device` as a context.

    >>> import tracer as tr
    >>> with tr.device("interpret"):
    ...     tr.tensor([1.0, 2.0]).device
    'interpret'
    """

    def __init__(self, name: str) -> None:
        name = checked(name)
        if name != "cpu":
            opened(name)
        now = CURRENT.get()
        self.before = now.device
        CURRENT.set(now._replace(device=name))

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None:
        CURRENT.set(CURRENT.get()._replace(device=self.before))


def put(value: Any, name: str) -> Any:
    """A value on a device, or in the memory of the process: the same object if it lies there already."""
    name = checked(name)
    if device_name(value) == name:
        return value
    host = value.numpy() if type(value) is DeviceArray else value
    if name == "cpu":
        return read_only(host)
    watch_for_devices(run)
    return array(opened(name), host)


def adopted(foreign: Any) -> DeviceArray:
    """A copy, on the GPU, of an array of CuPy's, PyTorch's or Numba's that lies there."""
    watch_for_devices(run)
    device = opened("cuda")
    return DeviceArray(device, device.adopt(foreign))


def is_dtype(target: Any) -> bool:
    """Whether this names a type of elements, not a device."""
    try:
        np.dtype(target)
    except TypeError:
        return False
    return target is not None


def moved(x: Any, name: str) -> Any:
    """A recorded value on another device, by the operation `to`; the same one if it lies there."""
    name, source = checked(name), x.device
    if name == source:
        return x.recorded
    if name != "cpu":
        opened(name)
        watch_for_devices(run)
    return record(ops.PRIMITIVES["to"], (x,), {"device": name, "source": source})


def run(
    op: Primitive, inputs: Sequence[Any], values: Sequence[Any], params: Mapping[str, Any]
) -> tuple[Primitive, Any] | None:
    """What runs an operation on a device, and what it gives; None if all inputs lie in the memory of the process.

    A constant follows the other inputs to their device. Raises `DeviceError` for a recorded value that does not.
    """
    for x in values:
        if type(x) is DeviceArray:
            break
    else:
        return None
    there = device_of(values)
    for name, x, value in zip(_argument_names(op, len(inputs)), inputs, values, strict=True):
        if isinstance(value, (np.ndarray, np.generic)) and (x.tracked or x.op is not None):
            raise MixedDevicesError(
                f"{op.name}: {name} lies on the cpu, and another input on {there.name}\n"
                f"  try: {name}.to({there.name!r}), or tr.tensor(..., device={there.name!r}) where it comes in"
            )
    with np.errstate(all="ignore"):  # what numpy computes on copies may warn
        found = compute(op, values, params)
    shape = form(op, "host" if found.host else there.name)
    return shape, (found.value, found.saved) if op.saves else found.value


def _argument_names(op: Primitive, count: int) -> list[str]:
    names = list(op.inputs)
    return (names + [names[-1]] * (count - len(names)))[:count]
