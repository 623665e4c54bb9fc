"""The array of a device: opaque numbers with a shape and a dtype, whose operators call our primitives.

So CuPy's own operators never stand in for kernels of ours, and a rule written with operators runs where its arrays lie.
It is C-contiguous and never changes after it was made. Reading it, by `numpy()`, `item()` or `np.asarray`, copies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ops.devices.device import Device, DeviceError, Memory
from ops.errors import MixedDevicesError
from ops.numpy_names import UFUNCS
from ops.operators import Arithmetic
from ops.primitive import PRIMITIVES, Primitive

METHODS = frozenset(
    "sum mean max min prod var std any all argmax argmin cumsum cumprod argsort transpose swapaxes ravel flatten "
    "squeeze clip round dot take repeat diagonal".split()
)
"""The methods of numpy's arrays that operations of ours are; an array of a device has them too."""


class DeviceArray(Arithmetic):
    """An array that lies on a device."""

    __slots__ = ("device", "memory")

    def __init__(self, device: Device, memory: Memory) -> None:
        self.device, self.memory = device, memory

    def __run_primitive__(
        self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Any:
        from ops.cuda.native import compute

        return compute(op.definition, args, params).value

    def _apply(self, name: str, *args: Any) -> Any:
        return PRIMITIVES[name](*args)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = UFUNCS.get(ufunc.__name__, "") if method == "__call__" and not kwargs else ""
        if not name:
            raise DeviceError(
                f"np.{ufunc.__name__} does not compute on an array that lies on {self.device.name}\n"
                f"  try: x.numpy() for a copy on the host"
            )
        return PRIMITIVES[name](*inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return tuple(self.memory.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.memory.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.memory.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        found: np.dtype[Any] = self.memory.dtype
        return found

    @property
    def nbytes(self) -> int:
        """The bytes that the elements fill."""
        return self.size * self.dtype.itemsize

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        from ops.shape import transpose

        return transpose(self)

    def reshape(self, *shape: Any) -> DeviceArray:
        """The same memory seen in another shape; nothing is copied."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        sizes = tuple(int(size) for size in sizes)
        if -1 in sizes:
            known = math.prod(size for size in sizes if size != -1)
            sizes = tuple(self.size // max(known, 1) if size == -1 else size for size in sizes)
        return self if sizes == self.shape else DeviceArray(self.device, self.memory.reshape(sizes))

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another dtype; itself if that is its own."""
        wanted = np.dtype(dtype)
        return self if wanted == self.dtype else PRIMITIVES["astype"](self, dtype=wanted.name)

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(
                f"an array on {self.device.name} has no {name!r}\n  try: x.numpy() for a copy on the host",
                name=name,
                obj=None,
            )
        import ops

        return partial(getattr(ops, name), self)

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
        """The memory itself, for CuPy, PyTorch and Numba; marked read-only, as a recorded value never changes."""
        found = dict(self.memory.__cuda_array_interface__)
        self.device.synchronize()  # who reads it does so on another stream than ours
        found["data"] = (found["data"][0], True)
        return found

    def __dlpack__(self, **wishes: Any) -> Any:
        """A copy on the same device, as a DLPack capsule: who takes it may write to it."""
        return self.device.adopt(self.memory).__dlpack__(**wishes)

    def __dlpack_device__(self) -> Any:
        return self.memory.__dlpack_device__()

    def __getitem__(self, index: Any) -> Any:
        from ops.shape import getitem

        return getitem(self, index)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a value of rank 0 has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return f"{self.device.name} {self.numpy()!r}"


def empty(device: Device, shape: Sequence[int], dtype: Any) -> DeviceArray:
    """A new array of no particular content, for a kernel to write."""
    return DeviceArray(device, device.empty(tuple(shape), np.dtype(dtype)))


def array(device: Device, host: Any) -> DeviceArray:
    """A copy of a host array on a device."""
    return DeviceArray(device, device.put(np.asarray(host)))


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
