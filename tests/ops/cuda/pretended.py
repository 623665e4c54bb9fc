"""A GPU made up for tests: as much of `numba.cuda` and CuPy as the device asks for, on numpy's arrays."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ops.devices import cuda as cuda_device
from ops.devices.cuda import Cuda
from ops.devices.cuda_adapter import Package, Support

STREAM = 42
"""The address of the stream that the device makes for itself."""
TF32 = 3
FULL = 0


class Numba:
    """`numba.cuda`: it notes each launch, with the stream that it was on."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.free = 3 * 10**9
        self.jitted: list[Any] = []
        self.launched: list[tuple[Any, ...]] = []
        """Blocks, threads and stream of each."""
        self.waits = 0

    def to_device(self, host: Any) -> Any:
        self._tell()
        return Elements(host)

    def device_array(self, shape: Any, dtype: Any) -> Any:
        self._tell()
        return Elements(np.empty(shape, dtype))

    def _tell(self) -> None:
        if self.fault:
            raise self.fault

    def jit(self, function: Any) -> Any:
        self.jitted.append(function)
        cuda = self

        class Compiled:
            def __getitem__(self, launch: Any) -> Any:
                def run(*arguments: Any) -> None:
                    cuda.launched.append(launch)
                    cuda._tell()
                    function(*arguments)

                return run

        return Compiled()

    def as_cuda_array(self, x: Any, sync: bool = True) -> Any:
        assert not sync, "a launch waited for a stream"
        described = x.__cuda_array_interface__
        return np.asarray(SimpleNamespace(__array_interface__=described))

    def external_stream(self, pointer: int) -> Any:
        return ("stream", pointer)

    def current_context(self) -> Any:
        return SimpleNamespace(get_memory_info=lambda: (self.free, 141 * 10**9))

    def synchronize(self) -> None:
        self.waits += 1


class Elements:
    """An array of Numba's, which makes a new one for each shape in which it is asked for."""

    def __init__(self, elements: np.ndarray[Any, Any]) -> None:
        self.elements = elements

    def reshape(self, *shape: int) -> Any:
        return self.elements.reshape(*shape)

    def copy_to_host(self) -> Any:
        return self.elements.copy()

    @property
    def __cuda_array_interface__(self) -> Any:
        return self.elements.__array_interface__


class Array(np.ndarray[Any, Any]):
    """An array of CuPy's: it says where it lies as those do."""

    @property
    def data(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(ptr=self.ctypes.data)

    @property
    def __cuda_array_interface__(self) -> Any:
        return {**self.__array_interface__, "stream": 1, "data": (self.ctypes.data, False)}


class Cupy:
    """CuPy: it notes each call that must be made on the stream of the device, and fails those made elsewhere."""

    def __init__(self) -> None:
        self.on: list[str] = []
        self.pooled = True
        """Whether memory comes from the pool."""
        self.current: Any = None
        self.blas = Cublas(self)
        self.room = (10**9, 141 * 10**9)
        test = self

        class Stream:
            ptr = STREAM

            def __init__(self, non_blocking: bool) -> None:
                assert non_blocking

            def __enter__(self) -> None:
                test.current = self

            def __exit__(self, *exception: object) -> None:
                test.current = None

            def synchronize(self) -> None:
                test.on.append("synchronize")

        self.cuda = SimpleNamespace(
            Stream=Stream,
            cublas=self.blas,
            get_cublas_handle=lambda: 7,
            using_allocator=self._using_allocator,
            runtime=SimpleNamespace(
                deviceSynchronize=lambda: self.on.append("all"), memGetInfo=lambda: self.room
            ),
        )

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(
            free_bytes=lambda: 0, free_all_blocks=lambda: self.on.append("free_all_blocks")
        )

    @contextmanager
    def _using_allocator(self, allocator: None) -> Any:
        self.pooled = False
        yield
        self.pooled = True

    def _called(self, name: str) -> None:
        assert self.current is not None, f"{name} was called outside the stream of the device"
        self.on.append(name if self.pooled else f"{name} outside the pool")

    def array(self, x: Any, order: str) -> Array:
        self._called("array")
        return np.array(x, order=order).view(Array)  # type: ignore[call-overload, no-any-return]

    def empty(self, shape: Any, dtype: Any) -> Array:
        self._called("empty")
        return np.empty(shape, dtype).view(Array)

    def asnumpy(self, x: Array) -> np.ndarray[Any, Any]:
        self._called("asnumpy")
        return np.array(x)

    def from_dlpack(self, x: Any) -> Array:
        self._called("from_dlpack")
        return np.from_dlpack(x).view(Array)


class Cublas:
    """cuBLAS, on addresses: matrices lie column by column."""

    CUBLAS_DEFAULT_MATH = FULL

    def __init__(self, cupy: Cupy) -> None:
        self.cupy, self.mode = cupy, TF32
        self.modes: list[int] = []
        """The mode of each product."""

    def getMathMode(self, handle: int) -> int:
        return self.mode

    def setMathMode(self, handle: int, mode: int) -> None:
        self.mode = mode

    def sgemmStridedBatched(self, *arguments: int) -> None:
        self._multiply(np.dtype("f"), *arguments)

    def dgemmStridedBatched(self, *arguments: int) -> None:
        self._multiply(np.dtype("d"), *arguments)

    def _multiply(
        self,
        dtype: np.dtype[Any],
        handle: int,
        ta: int,
        tb: int,
        m: int,
        n: int,
        k: int,
        alpha: int,
        a: int,
        lda: int,
        step_a: int,
        b: int,
        ldb: int,
        step_b: int,
        beta: int,
        c: int,
        ldc: int,
        step_c: int,
        count: int,
    ) -> None:
        self.cupy._called("gemm")
        self.modes.append(self.mode)
        one, zero = (_columns(where, 1, 1, 1, dtype)[0, 0] for where in (alpha, beta))
        assert (one, zero) == (1, 0)
        for i in range(count):
            from_a, from_b, to_c = (
                where + i * step * dtype.itemsize
                for where, step in ((a, step_a), (b, step_b), (c, step_c))
            )
            left = _columns(from_a, *((k, m) if ta else (m, k)), lda, dtype)
            right = _columns(from_b, *((n, k) if tb else (k, n)), ldb, dtype)
            product = (left.T if ta else left) @ (right.T if tb else right)
            _columns(to_c, m, n, ldc, dtype)[...] = product


def _columns(where: int, rows: int, columns: int, ahead: int, dtype: np.dtype[Any]) -> Any:
    """The matrix that lies at an address, column by column."""
    assert ahead >= rows
    there = (ctypes.c_char * (ahead * columns * dtype.itemsize)).from_address(where)
    return np.frombuffer(there, dtype).reshape(columns, ahead)[:, :rows].T


def device_on(monkeypatch: pytest.MonkeyPatch, cupy: Cupy | None = None) -> Cuda:
    """A device on that GPU; its driver says what `device.memory.cuda.fault` holds."""
    numba = Numba()
    support = Support("numba-cuda", "0.30.4", True, gpu="NVIDIA H200")
    packages = Package(numba, numba, "numba-cuda", "0.30.4")
    monkeypatch.setattr(cuda_device, "support", lambda: support)
    monkeypatch.setattr(cuda_device, "package", lambda: packages)
    monkeypatch.setattr(cuda_device, "_cupy", lambda: cupy)
    return Cuda()
