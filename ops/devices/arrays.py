"""The array of a device: opaque numbers with a shape and a dtype, whose operators call our primitives.

So CuPy's own operators never stand in for kernels of ours, and a rule written with operators runs where its arrays lie.
It is C-contiguous and never changes after it was made. Reading it, by `numpy()`, `item()` or `np.asarray`, copies.
Functions of numpy's run as the operations that they are; what is none refuses, and says how to copy.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

import ops
from ops.devices.device import Device, DeviceError, Memory
from ops.devices.finding import opened
from ops.errors import MixedDevicesError, PrimitiveError
from ops.operators import Arithmetic
from ops.primitive import PRIMITIVES, Primitive
from ops.shape import getitem, transpose

METHODS = frozenset(
    "sum mean max min prod var std any all argmax argmin cumsum cumprod argsort swapaxes ravel flatten "
    "squeeze clip round dot take repeat diagonal".split()
)
"""The methods of numpy's arrays that operations of ours are; an array of a device has them too."""


MASKS = {"logical_and": "&", "logical_or": "|", "logical_xor": "^", "logical_not": "~"}
"""The operations that operators of bits stand for, on truths, with their signs."""

SHOWN = 1000
"""Up to so many elements are shown in full, as numpy shows them; of more, the first few."""

_compute: Callable[..., Any] | None = None


def _computing() -> Callable[..., Any]:
    """What runs operations, kept: an import on every call costs half a microsecond."""
    global _compute
    from ops.cuda.native import compute

    _compute = compute
    return compute


class DeviceArray(Arithmetic):
    """An array that lies on a device."""

    __slots__ = ("__weakref__", "ahead", "device", "dtype", "memory", "number", "shape")

    device: Device
    memory: Memory
    dtype: np.dtype[Any]
    """The type of the elements."""
    shape: tuple[int, ...]
    """The size of each axis."""
    number: float | None
    """The number that one of rank 0 was put there as, such as the 1 that a backward pass starts from.

    None where nothing but the device knows it.
    """

    ahead: Any
    """What a kernel has computed beside it for who pulls with it next: see `ops.cuda.softmax.ahead`; else None."""

    def __init__(self, device: Device, memory: Memory, number: float | None = None) -> None:
        self.device, self.memory, self.number = device, memory, number
        self.shape, self.dtype, self.ahead = memory.shape, memory.dtype, None

    def __run_primitive__(
        self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Any:
        return (_compute or _computing())(op.definition, args, params).value

    def _apply(self, name: str, *args: Any) -> Any:
        if name in MASKS:
            check_masks(MASKS[name], args)
        return PRIMITIVES[name](*args)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from ops.devices.numpy_calls import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from ops.devices.numpy_calls import apply_function

        return apply_function(function, args, kwargs)

    # it goes to another process as data and the name of its device; in this one it never changes

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self.device.name, self.device.fetch(self.memory))

    def __copy__(self) -> DeviceArray:
        return self

    def __deepcopy__(self, seen: Any) -> DeviceArray:
        return self

    def copy(self) -> DeviceArray:
        """Itself: it never changes."""
        return self

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes that the elements fill."""
        return self.size * self.dtype.itemsize

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return transpose(self)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, given one by one or as a tuple; reversed without any."""
        order = axes[0] if len(axes) == 1 else axes or None
        return transpose(self, axes=order)

    def reshape(self, *shape: Any) -> DeviceArray:
        """The same memory seen in another shape; nothing is copied. Raises `ValueError`, as numpy does."""
        sizes = shape[0] if len(shape) == 1 and type(shape[0]) is tuple else shape
        if sizes == self.shape:
            return self
        if math.prod(sizes) != math.prod(self.shape):
            # numpy finds the size that is left out, and the words for what does not fit
            sizes = np.empty(self.shape, np.dtype([])).reshape(*shape).shape
        return DeviceArray(self.device, self.memory.reshape(sizes))

    def seen(self, shape: tuple[int, ...]) -> Memory:
        """The memory as a kernel takes it, in another shape of as many elements."""
        return self.memory if shape == self.shape else self.memory.reshape(shape)

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another dtype; itself if that is its own."""
        wanted = np.dtype(dtype)
        return self if wanted == self.dtype else PRIMITIVES["astype"](self, dtype=wanted.name)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return partial(getattr(ops, name), self)
        known = name[:2] != "__" and name not in DeviceArray.__slots__  # or it is only being made
        where = f" on {self.device.name}" if known else ""
        raise AttributeError(
            f"an array{where} has no {name!r}\n  try: x.numpy() for a copy on the host",
            name=name,
            obj=None,
        )

    def rows(self, start: int, stop: int) -> DeviceArray:
        """Some entries of the first axis, in the same memory."""
        return DeviceArray(self.device, self.memory[start:stop])

    def numpy(self) -> Any:
        """A copy on the host: a numpy scalar for rank 0, else an array."""
        host = self.device.fetch(self.memory)
        return host if host.ndim else host[()]

    def item(self) -> Any:
        """The one element as a Python number."""
        return self.device.fetch(self.memory).item()

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self.device.fetch(self.memory).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError(
                "an array on a device cannot be seen on the host without a copy\n  try: np.array(x)"
            )
        return np.asarray(self.device.fetch(self.memory), dtype=dtype)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The memory itself, for CuPy, PyTorch and Numba: who writes to it changes what was recorded.

        It is not marked read-only: PyTorch refuses memory that is, and CuPy drops the mark.
        """
        found = dict(self.memory.__cuda_array_interface__)
        self.number = None  # whoever asks may write to it
        self.device.synchronize()  # who reads it does so on another stream than ours
        found["data"] = (found["data"][0], False)
        return found

    def __dlpack__(self, **wishes: Any) -> Any:
        """A copy on the same device, as a DLPack capsule: who takes it may write to it."""
        return self.device.adopt(self.memory).__dlpack__(**wishes)

    def __dlpack_device__(self) -> Any:
        return self.memory.__dlpack_device__()

    def __getitem__(self, index: Any) -> Any:
        return getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"an array on {self.device.name} never changes\n  try: y = x.numpy(); y[...] = ..., a copy on the host"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a value of rank 0 has no length")
        return self.shape[0]

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if other is None else self._apply("equal", self, other)

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if other is None else self._apply("not_equal", self, other)

    __hash__ = object.__hash__

    def __pos__(self) -> DeviceArray:
        return self

    def __round__(self, digits: int = 0) -> Any:
        return PRIMITIVES["round"](self, decimals=digits)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"an array of shape {self.shape} is neither true nor false\n  try: x.any() or x.all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.shape or self.dtype.kind not in "iu":
            raise TypeError(f"{self.dtype}{list(self.shape)} is no index\n  try: an integer")
        return operator.index(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec) if spec else str(self)

    def __str__(self) -> str:
        return str(self.numpy()) if self.size <= SHOWN else repr(self)

    def __repr__(self) -> str:
        if self.size <= SHOWN:
            return f"{self.device.name} {self.numpy()!r}"
        head = " ".join(map(str, self.reshape(-1).rows(0, 3).tolist()))
        return f"{self.device.name} array([{head} ...], shape={self.shape}, dtype={self.dtype})"


def check_masks(sign: str, operands: Sequence[Any]) -> None:
    """Raise `PrimitiveError` unless all are truths: on integers these signs mean bits, which have no operation."""
    for x in operands:
        dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
        if dtype != np.bool_:
            raise PrimitiveError(
                f"{sign} combines masks, not {dtype}\n  try: (x > 0) & (y > 0) with brackets"
            )


def _arrived(device: str, host: Any) -> DeviceArray:
    """What another process sent, on the device of that name here."""
    return array(opened(device), host)


def empty(device: Device, shape: Sequence[int], dtype: Any) -> DeviceArray:
    """A new array of no particular content, for a kernel to write."""
    return DeviceArray(device, device.empty(tuple(shape), np.dtype(dtype)))


def array(device: Device, host: Any) -> DeviceArray:
    """A copy of a host array on a device. Raises `DeviceError` for numbers that no device takes."""
    host = np.asarray(host)
    if not takes(host.dtype):
        raise DeviceError(
            f"numbers of dtype {host.dtype} cannot lie on {device.name}\n"
            f"  try: x.astype('float32'), or another of float32, float64, integer or bool"
        )
    return DeviceArray(device, device.put(host), None if host.ndim else host.item())


def takes(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a dtype may lie on a device: as values of ours anywhere, float32, float64, integer, bool."""
    return dtype.kind in "iub" or dtype.char in "fd"


def device_of(values: Iterable[Any]) -> Device:
    """The device on which the device arrays among some values lie. Raises `DeviceError` if they lie on several."""
    found: Device | None = None
    for x in values:
        if type(x) is DeviceArray:
            if found is not None and x.device is not found:
                raise MixedDevicesError(
                    f"one input lies on {found.name}, another on {x.device.name}\n"
                    f"  try: x.to({found.name!r}) for both"
                )
            found = x.device
    assert found is not None
    return found


def is_there(values: Iterable[Any]) -> bool:
    """Whether any of some values lies on a device."""
    return any(type(x) is DeviceArray for x in values)
