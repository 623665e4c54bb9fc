"""The device `cuda`: run for real in Numba's simulator, and its words for what a driver says."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch
from ops.devices import cuda as cuda_device
from ops.devices.cuda import Cuda
from ops.devices.cuda_adapter import Package, Support
from ops.devices.cuda_memory import CupyMemory
from ops.errors import DeviceError
from tests.patience import PATIENCE


def test_the_device_runs_in_numbas_simulator(checkout):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.ops.cuda.simulated"],
        cwd=checkout,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": yes") == 6


class Numba:
    """As much of `numba.cuda` as the device asks for, on numpy's arrays."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault, self.free = fault, 3 * 10**9
        self.jitted: list[Any] = []

    def to_device(self, host: Any) -> Any:
        return self._or_fault(host)

    def device_array(self, shape: Any, dtype: Any) -> Any:
        self._or_fault(None)
        return np.empty(shape, dtype)

    def _or_fault(self, x: Any) -> Any:
        if self.fault:
            raise self.fault
        return x

    def jit(self, function: Any) -> Any:
        self.jitted.append(function)
        cuda = self

        class Compiled:
            def __getitem__(self, launch: Any) -> Any:
                return lambda *arguments: cuda._or_fault(function(*arguments))

        return Compiled()

    def as_cuda_array(self, x: Any, sync: bool = True) -> Any:
        assert not sync, "a launch waited for a stream"
        return x

    def external_stream(self, pointer: int) -> Any:
        return ("stream", pointer)

    def current_context(self) -> Any:
        return SimpleNamespace(get_memory_info=lambda: (self.free, 141 * 10**9))


@pytest.fixture
def device(monkeypatch):
    """A device whose driver says what a test makes it say."""

    def opened(fault: Exception | None = None, cupy: Any = None) -> Cuda:
        numba = Numba()
        support = Support("numba-cuda", "0.30.4", True, gpu="NVIDIA H200")
        monkeypatch.setattr(cuda_device, "support", lambda: support)
        monkeypatch.setattr(
            cuda_device, "package", lambda: Package(numba, numba, "numba-cuda", "0.30.4")
        )
        monkeypatch.setattr(cuda_device, "_cupy", lambda: cupy)
        found = Cuda()
        numba.fault = fault
        return found

    return opened


class CudaAPIError(Exception):
    """Named as Numba's is."""


NOTHING = Kernel(
    "nothing", "", lambda cuda, math, T, threads: lambda x: None, "T[:]", lambda rng, T: ()
)
FAULTS = {
    "[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY": "not enough memory on NVIDIA H200, by numba-cuda"
    " 0.30.4: 80.00 GB asked for, 3.00 GB of 141.00 GB free\n  try: a smaller batch, or device='cpu'",
    "[700] Call to cuMemcpyDtoH results in CUDA_ERROR_ILLEGAL_ADDRESS": "the GPU stopped at an access out of bounds",
    "[701] Call to cuLaunchKernel results in CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES": "does not fit on the GPU",
    "[222] Call to cuLinkAddData results in CUDA_ERROR_UNSUPPORTED_PTX_VERSION": "the NVIDIA driver is older than",
    "[999] Call to cuLaunchKernel results in UNKNOWN_CUDA_ERROR": "is refused by the GPU",
}


@pytest.mark.parametrize("said", FAULTS)
def test_what_the_driver_says_is_told_in_a_users_words(device, said):
    cuda = device()
    kept = cuda.put(np.ones(3))
    cuda.memory.cuda.fault = CudaAPIError(said)
    with pytest.raises(DeviceError) as raised:
        cuda.empty((10**10,), np.float64)
    assert FAULTS[said] in str(raised.value)
    assert str(raised.value).count("\n  try: ") == 1
    with pytest.raises(DeviceError) as raised:
        cuda.launch(NOTHING, np.float64, Launch(2, 1024), [kept], {})
    if "RESOURCES" in said:
        assert str(raised.value).startswith(
            "kernel nothing in 2 blocks of 1024 threads does not fit on the GPU"
        )


def test_what_was_on_the_device_is_still_there_after_it_had_no_more_memory(device):
    cuda = device()
    kept = cuda.put(np.arange(3.0))
    cuda.memory.cuda.fault = MemoryError()
    with pytest.raises(DeviceError):
        cuda.put(np.zeros(10))
    cuda.memory.cuda.fault = None
    assert kept.elements.tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["complex64", "U3", object])
def test_numbers_that_no_kernel_takes_are_refused_at_the_door(device, dtype):
    with pytest.raises(DeviceError, match="cannot lie on a GPU here\n  try: float32"):
        device().put(np.zeros(2, dtype))


def test_no_cuda_device_is_made_where_none_is_found(monkeypatch):
    missing = Support("", "", False, "no package is installed", "pip install one")
    monkeypatch.setattr(cuda_device, "support", lambda: missing)
    with pytest.raises(DeviceError, match="no package is installed\n  try: pip install one"):
        Cuda()


class Cupy:
    """As much of CuPy as the device asks for, on numpy's arrays; it notes the stream that each call was made on."""

    def __init__(self) -> None:
        self.on: list[str] = []
        self.current: Any = None
        test = self

        class Stream:
            ptr = 42

            def __init__(self, non_blocking: bool) -> None:
                assert non_blocking

            def __enter__(self) -> None:
                test.current = self

            def __exit__(self, *exception: object) -> None:
                test.current = None

            def synchronize(self) -> None:
                test.on.append("synchronize")

        runtime = SimpleNamespace(deviceSynchronize=lambda: self.on.append("all"))
        self.cuda = SimpleNamespace(Stream=Stream, runtime=runtime)

    def __getattr__(self, name: str) -> Any:
        if name not in ("array", "empty", "asnumpy", "matmul", "from_dlpack"):
            raise AttributeError(name)
        assert self.current is not None, f"{name} was called outside the stream of the device"
        self.on.append(name)
        return np.array if name == "asnumpy" else getattr(np, name)


def test_copies_kernels_and_products_share_one_stream(device):
    cupy = Cupy()
    cuda = device(cupy=cupy)
    assert isinstance(cuda.memory, CupyMemory)
    assert cuda.memory.stream == ("stream", 42)
    a = cuda.put(np.arange(6.0).reshape(2, 3)[:, ::-1])
    assert a.flags.c_contiguous
    out = cuda.empty((2, 2), np.float64)
    assert cuda.matmul(a, cuda.put(np.ones((3, 2))), out)
    assert cuda.fetch(out).tolist() == [[3, 3], [12, 12]]
    cuda.launch(NOTHING, np.float64, Launch(1, 32), [out], {})
    cuda.synchronize()
    assert cupy.on == ["array", "empty", "array", "matmul", "asnumpy", "synchronize"]
    assert cuda.fetched == 32


def test_a_product_of_integers_is_left_to_our_own_kernels(device):
    cuda = device(cupy=Cupy())
    a = cuda.put(np.ones((2, 2), int))
    assert not cuda.matmul(a, a, a)


def test_a_foreign_array_is_copied_after_all_that_was_launched(device):
    cupy = Cupy()
    cuda = device(cupy=cupy)
    foreign = np.arange(3.0)
    ours = cuda.adopt(foreign)
    foreign[:] = -1
    assert ours.tolist() == [0, 1, 2]
    assert cupy.on == ["all", "from_dlpack", "array", "synchronize"]


def test_a_foreign_array_without_cupy_says_what_is_missing(device):
    with pytest.raises(
        DeviceError, match="can be read only with CuPy\n  try: pip install cupy-cuda13x"
    ):
        device().adopt(np.arange(3.0))
