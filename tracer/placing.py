"""Where values lie: the CPU, a GPU, or the interpreter of CUDA kernels; and what runs an operation over there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ContextDecorator
from typing import Any, TypeVar

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
from tracer.places import place_of, read_source, stored_name
from tracer.recording import CURRENT
from tracer.tape import leaf, record, watch_for_devices
from tracer.tensors import Tensor
from tracer.values import device_name, read_only

F = TypeVar("F", bound=Callable[..., Any])


class device(ContextDecorator):  # noqa: N801 (a context manager, used like a function)
    """Where new tensors, constants and parameters are put from now on: `with tr.device("interpret"):`.

    Their operations run there too; nothing that lies elsewhere is moved. In a `with` statement, or as a decorator, the
    choice holds inside only; else from the call on, to the end of the block of Gradstep's around it (a scope, say). It
    may be entered again, and stands for its name: `x.to(device)`.
    Raises `DeviceError` for a device that is not there. Source: `torch.device`.

    >>> import tracer as tr
    >>> with tr.device("interpret"):
    ...     tr.tensor([1.0, 2.0]).device
    'interpret'
    """

    __slots__ = ("before", "called", "name")

    def __init__(self, name: str | device) -> None:
        self.name = named(name)
        if self.name != "cpu":
            opened(self.name)
        self.called: str | None = _choose(self.name)  # what held before, until it is entered
        self.before: list[str] = []  # it may be entered again inside itself

    def __enter__(self) -> None:
        if self.called is not None and CURRENT.get().device == self.name:
            self.before.append(self.called)
            self.called = None
        else:
            self.before.append(_choose(self.name))

    def __exit__(self, *exception: object) -> None:
        _choose(self.before.pop())

    def __call__(self, function: F) -> F:
        """The function, running on this device; the choice that the call had made is undone."""
        if self.called is not None:
            _choose(self.called)
        return super().__call__(function)

    def _recreate_cm(self) -> device:
        """One of its own for every call of a decorated function: threads may run it at once."""
        made = device.__new__(device)
        made.name, made.called, made.before = self.name, None, []
        return made

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"device({self.name!r})"


def _choose(name: str) -> str:
    """Put new leaves on that device from now on; where they were put before."""
    now = CURRENT.get()
    if now.device != name:
        CURRENT.set(now._replace(device=name))
    return now.device


def named(target: Any) -> str:
    """The name of a device, given by name or as `tr.device(...)`. Raises `DeviceError` for what is none."""
    return checked(target.name if isinstance(target, device) else target)


def put(value: Any, name: Any) -> Any:
    """A value on a device, or in the memory of the process: the same object if it lies there already."""
    name = named(name)
    if device_name(value) == name:
        return value
    host = value.numpy() if type(value) is DeviceArray else value
    return read_only(host) if name == "cpu" else array(opened(name), host)


def adopted(foreign: Any) -> DeviceArray:
    """A copy, on the GPU, of an array of CuPy's, PyTorch's or Numba's that lies there."""
    device = opened("cuda")
    return DeviceArray(device, device.adopt(foreign))


def is_dtype(target: Any) -> bool:
    """Whether this names a type of elements, not a device."""
    try:
        np.dtype(target)
    except TypeError:
        return False
    return target is not None


def moved(x: Any, target: Any) -> Any:
    """A recorded value on another device, by the operation `to`; the same one if it lies there."""
    name, source = named(target), x.device
    if name == source:
        return x.recorded
    if name != "cpu":
        opened(name)
    return record(ops.PRIMITIVES["to"], (x,), {"device": name, "source": source})


def run(
    op: Primitive, inputs: tuple[Any, ...], values: Sequence[Any], params: Mapping[str, Any]
) -> tuple[Primitive, tuple[Any, ...], Any]:
    """What runs an operation on the device of some of its inputs, the inputs that it read there, and what it gives.

    What has no gradient follows them there; a constant once and for all: its copy is what the operation reads.
    Raises `MixedDevicesError` for what has one and lies on the cpu.
    """
    there = device_of(values)
    read, numbers = list(inputs), list(values)
    for k, (x, value) in enumerate(zip(inputs, values, strict=True)):
        if type(value) is DeviceArray or type(x) is not Tensor:
            continue
        if x.tracked:
            raise MixedDevicesError(_mixed(op, inputs, k, there.name))
        if x.op is None:
            read[k] = copy_there(x, there.name)
            numbers[k] = read[k].value
    recorded = CURRENT.get().enabled
    wanted = [type(x) is Tensor and x.tracked for x in inputs] if recorded else ()
    found = compute(op, numbers, params, wanted)
    shape = form(op, "host" if found.host else there.name)
    return shape, tuple(read), (found.value, found.saved) if op.saves else found.value


def copy_there(x: Tensor, name: str) -> Tensor:
    """The copy of a constant on a device, made once: a leaf that bears its name and place."""
    extras = x.extras
    if extras is None:
        extras = x.extras = {}
    copies: dict[str, Tensor] = extras.setdefault("copies", {})
    made = copies.get(name)
    if made is None:
        kind = x.params["kind"]
        made = copies[name] = leaf(
            x.value, kind, name=x.name, place=(x.code, x.offset), device=name
        )
        made.scope = x.scope
    return made


ORDINALS = ("first", "second", "third")


def _mixed(op: Primitive, inputs: Sequence[Any], number: int, there: str) -> str:
    """What is wrong where the input of that number lies on the cpu, and one beside it on a device."""
    x = inputs[number]
    other = next(y for y in inputs if type(y) is Tensor and y.device == there)
    name, beside = name_of(x), name_of(other)
    called = name or f"its {ORDINALS[number] if number < 3 else f'{number + 1}th'} input"
    cure = f"{name or 'x'}.to({there!r}), or tr.tensor(..., device={there!r}) where it comes in"
    if x.op is None and x.params["kind"] == "parameter":
        cure = f"module.to({there!r}), or tr.parameter(..., device={there!r}) where it is made"
    return (
        f"{op.name}: {called} {_kind(x)} lies on the cpu, {beside or 'another input'} {_kind(other)} on {there}\n"
        f"  try: {cure}"
    )


def name_of(x: Tensor) -> str:
    """The name that was given to a value, or the variable that it was assigned to at once; empty if there is none."""
    place = place_of(x.code, x.offset)
    if x.name or x.code is None or place is None:
        return x.name
    source = read_source(place.file)
    found = source.assignments.get(place.span, "") if source is not None else ""
    return found or stored_name(x.code, x.offset)


def _kind(x: Tensor) -> str:
    return f"{x.dtype}{list(x.shape)}"


watch_for_devices(run, DeviceArray)
