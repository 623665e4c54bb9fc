"""Memory of a GPU: CuPy's, from a pool and in the order of one stream; without CuPy, Numba's own.

Both give arrays with a shape and a dtype, that can be seen in another shape and cut along the first axis, and turn them
into what a kernel of Numba's takes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.devices.cuda_products import Products
from ops.devices.device import Memory
from ops.errors import DeviceError

KINDS = "biuf"
"""The kinds of numbers that may lie on a GPU: truth values, integers, floats."""
KEPT = 4096
"""Arrays as Numba sees them that are kept: a pool hands out the same addresses again and again."""


class Described:
    """A place in the memory of the GPU, in the words that Numba makes an array of; it keeps nothing alive."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.__cuda_array_interface__ = described


class CupyMemory:
    """Arrays of CuPy's. Copies, kernels and products run one after another on a stream of our own."""

    def __init__(self, cupy: Any, cuda: Any) -> None:
        self.cupy, self.cuda = cupy, cuda
        self.queue = cupy.cuda.Stream(non_blocking=True)
        self.stream = cuda.external_stream(self.queue.ptr)
        """The same stream, as Numba knows it."""
        self.views: dict[tuple[int, tuple[int, ...], np.dtype[Any]], Any] = {}
        """What `argument` made, by address, shape and dtype; the oldest go first."""
        self.products = Products(cupy)

    def put(self, array: np.ndarray[Any, Any]) -> Memory:
        """A copy of a host array."""
        with self.queue:
            return self.cupy.array(array, order="C")

    def fetch(self, memory: Memory) -> np.ndarray[Any, Any]:
        """A copy on the host, once all that was launched before has ended."""
        with self.queue:
            host: np.ndarray[Any, Any] = self.cupy.asnumpy(memory)
        return host

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Memory:
        """New memory."""
        with self.queue:  # the pool hands out again what was freed on the same stream, so no kernel still reads it
            return self.cupy.empty(shape, dtype)

    def argument(self, memory: Memory) -> Any:
        """The array as Numba sees it; it does not wait for a stream, for there is only one.

        Numba takes 13 us to make one, so it is kept. It owns nothing and is right for whatever lies there next: who
        launches holds the memory until the launch returns, and the pool gives it away in the order of the stream.
        """
        key = memory.data.ptr, memory.shape, memory.dtype
        found = self.views.get(key)
        if found is None:
            pointer, shape, dtype = key
            described = {
                "shape": shape,
                "typestr": dtype.str,
                "data": (pointer, False),
                "strides": None,
                "version": 3,
            }
            found = self.cuda.as_cuda_array(Described(described), sync=False)
            if len(self.views) >= KEPT:
                del self.views[next(iter(self.views))]
            self.views[key] = found
        return found

    def matmul(self, a: Memory, b: Memory, out: Memory) -> bool:
        """The product by cuBLAS, in full float32; False for what it does not take without a copy."""
        with self.queue:
            return self.products.multiply(a, b, out)

    def adopt(self, foreign: Any) -> Memory:
        """A copy of an array of somebody else's, once all that was launched by anybody has ended.

        The copy does not come from the pool: given away by DLPack, it is freed by who took it, whose kernels on another
        stream may still read it then. The driver waits for those; a pool would hand it out again at once.
        """
        self.cupy.cuda.runtime.deviceSynchronize()
        with self.queue, self.cupy.cuda.using_allocator(None):
            if not hasattr(foreign, "__cuda_array_interface__"):
                foreign = self.cupy.from_dlpack(foreign)
            self._make_room(foreign.nbytes)
            copy = self.cupy.array(foreign, order="C")
            self.queue.synchronize()  # its owner may overwrite it from now on
        return copy

    def _make_room(self, needed: int) -> None:
        """Give what the pool holds in reserve back to the driver, if the driver has less than is needed."""
        free, _ = self.cupy.cuda.runtime.memGetInfo()
        if free < needed:
            self.cupy.get_default_memory_pool().free_all_blocks()

    def room(self) -> tuple[int, int]:
        """Bytes that are free, in the pool too, and bytes in all."""
        free, total = self.cupy.cuda.runtime.memGetInfo()
        return free + self.cupy.get_default_memory_pool().free_bytes(), total

    def synchronize(self) -> None:
        """Wait for all that was launched."""
        self.queue.synchronize()


class Flat:
    """An array of Numba's: its elements in a row, and a shape of our own."""

    __slots__ = ("dtype", "elements", "shape", "views")

    def __init__(
        self,
        elements: Any,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        views: dict[tuple[int, ...], Any] | None = None,
    ) -> None:
        self.elements, self.shape, self.dtype = elements, shape, dtype
        self.views = {} if views is None else views
        """The elements in the shapes in which kernels took them: kept, as Numba makes one in microseconds."""

    @property
    def nbytes(self) -> int:
        """The bytes that the elements fill."""
        return math.prod(self.shape) * self.dtype.itemsize

    def reshape(self, *shape: Any) -> Flat:
        """The same elements in another shape of the same size."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        if math.prod(sizes) != math.prod(self.shape):
            raise ValueError(f"{self.shape} has another number of elements than {tuple(sizes)}")
        return Flat(self.elements, tuple(sizes), self.dtype, self.views)

    def __getitem__(self, rows: slice) -> Flat:
        start, stop, _ = rows.indices(self.shape[0])
        width = math.prod(self.shape[1:])
        count = max(stop - start, 0)
        cut = self.elements[start * width : (start + count) * width] if count * width else None
        return Flat(cut, (count, *self.shape[1:]), self.dtype)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (
                self.elements.__cuda_array_interface__["data"][0] if self.nbytes else 0,
                False,
            ),
            "strides": None,
            "version": 3,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0  # CUDA, the first GPU

    def __dlpack__(self, **wishes: Any) -> Any:
        raise BufferError(
            "Numba's arrays are not shared by DLPack\n"
            "  try: pip install cupy-cuda13x, or np.asarray(x) for a copy on the host"
        )


class NumbaMemory:
    """Arrays of Numba's, each allocated by the driver. Copies and kernels run on the stream that waits for all."""

    stream = 0

    def __init__(self, cuda: Any) -> None:
        self.cuda = cuda

    def put(self, array: np.ndarray[Any, Any]) -> Flat:
        """A copy of a host array."""
        elements = (
            self.cuda.to_device(np.ascontiguousarray(array).reshape(-1)) if array.size else None
        )
        return Flat(elements, array.shape, array.dtype)

    def fetch(self, memory: Flat) -> np.ndarray[Any, Any]:
        """A copy on the host, once all that was launched before has ended."""
        if not memory.nbytes:
            return np.empty(memory.shape, memory.dtype)
        host: np.ndarray[Any, Any] = memory.elements.copy_to_host()
        return host.reshape(memory.shape)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Flat:
        """New memory."""
        size = math.prod(shape)
        elements = self.cuda.device_array(size, dtype) if size else None
        return Flat(elements, shape, np.dtype(dtype))

    def argument(self, memory: Flat) -> Any:
        """The array as a kernel takes it."""
        found = memory.views.get(memory.shape)
        if found is None:
            found = memory.views[memory.shape] = (
                memory.elements.reshape(*memory.shape)
                if memory.nbytes
                else self.cuda.device_array(memory.shape, memory.dtype)
            )
        return found

    def matmul(self, a: Flat, b: Flat, out: Flat) -> bool:
        """False: cuBLAS comes with CuPy."""
        return False

    def adopt(self, foreign: Any) -> Flat:
        """A copy of an array of somebody else's, by way of the host."""
        if not hasattr(foreign, "__cuda_array_interface__"):
            raise DeviceError(
                f"a {type(foreign).__name__} on the GPU can be read only with CuPy\n"
                "  try: pip install cupy-cuda13x, or hand over a copy on the host"
            )
        self.cuda.synchronize()
        return self.put(self.cuda.as_cuda_array(foreign).copy_to_host())

    def room(self) -> tuple[int, int]:
        """Bytes that are free, and bytes in all."""
        free, total = self.cuda.current_context().get_memory_info()
        return free, total

    def synchronize(self) -> None:
        """Wait for all that was launched."""
        self.cuda.synchronize()
