"""The device `cuda`: run for real in Numba's simulator, and its words for what a driver says."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import copy
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch
from ops.devices import cuda as cuda_device
from ops.devices import cuda_memory
from ops.devices.arrays import array
from ops.devices.cuda import Cuda
from ops.devices.cuda_adapter import Support
from ops.devices.cuda_memory import CupyMemory
from ops.errors import DeviceError
from tests.ops.cuda.pretended import STREAM, Cupy, device_on
from tests.patience import PATIENCE


@pytest.mark.slow
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


@pytest.fixture
def device(monkeypatch):
    """A device whose driver says what a test makes it say."""
    return partial(device_on, monkeypatch)


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
    assert cuda.fetch(kept).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["complex64", "U3", object])
def test_numbers_that_no_kernel_takes_are_refused_at_the_door(device, dtype):
    with pytest.raises(DeviceError, match="cannot lie on a GPU here\n  try: float32"):
        device().put(np.zeros(2, dtype))


def test_no_cuda_device_is_made_where_none_is_found(monkeypatch):
    missing = Support("", "", False, "no package is installed", "pip install one")
    monkeypatch.setattr(cuda_device, "support", lambda: missing)
    with pytest.raises(DeviceError, match="no package is installed\n  try: pip install one"):
        Cuda()


def test_copies_kernels_and_products_share_one_stream(device):
    """The fake CuPy refuses copies and products outside the stream of the device."""
    cupy = Cupy()
    cuda = device(cupy)
    assert isinstance(cuda.memory, CupyMemory)
    a = cuda.put(np.arange(6.0).reshape(2, 3)[:, ::-1])
    assert a.flags.c_contiguous
    out = cuda.empty((2, 2), np.float64)
    assert cuda.matmul(a, cuda.put(np.ones((3, 2))), out)
    assert cuda.fetch(out).tolist() == [[3, 3], [12, 12]]
    cuda.launch(NOTHING, np.float64, Launch(1, 32), [out], {})
    cuda.launch(NOTHING, np.float64, Launch(5, 64), [out], {})
    assert cuda.memory.cuda.launched == [(1, 32, ("stream", STREAM)), (5, 64, ("stream", STREAM))]
    cuda.synchronize()
    assert cupy.on == ["array", "empty", "array", "gemm", "asnumpy", "synchronize"]
    assert cuda.fetched == 32


def test_without_cupy_kernels_run_on_the_stream_that_waits_for_all(device):
    cuda = device()
    cuda.launch(NOTHING, np.float64, Launch(1, 32), [cuda.put(np.ones(2))], {})
    assert cuda.memory.cuda.launched == [(1, 32, 0)]


def test_a_launch_has_no_more_blocks_than_a_gpu_starts(device):
    cuda = device()
    x = cuda.put(np.ones(2))
    for blocks in (2**32, (2**32, 2**20), (3, 2)):
        cuda.launch(NOTHING, np.float64, Launch(blocks, 32), [x], {})
    launched = [blocks for blocks, *_ in cuda.memory.cuda.launched]
    assert launched == [2**31 - 1, (2**31 - 1, 65535), (3, 2)]


def test_the_launches_that_are_kept_ready_are_bounded(device, monkeypatch):
    monkeypatch.setattr(cuda_device, "KEPT", 3)
    cuda = device()
    x = cuda.put(np.ones(2))
    for blocks in (*range(1, 9), 1):
        cuda.launch(NOTHING, np.float64, Launch(blocks, 32), [x], {})
    assert len(cuda._ready) == 3
    assert len(cuda.memory.cuda.jitted) == 1


@pytest.mark.parametrize("cupy", [Cupy, lambda: None], ids=["cupy", "numba"])
def test_numbas_view_of_an_array_is_made_once_for_each_shape(device, cupy):
    cuda = device(cupy())
    x = cuda.put(np.arange(6.0))
    taken = [cuda.memory.argument(x.reshape(*shape)) for shape in ((6,), (2, 3), (6,), (2, 3))]
    assert [each.shape for each in taken] == [(6,), (2, 3)] * 2
    assert taken[0] is taken[2]
    assert taken[1] is taken[3]
    assert taken[1].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_numbas_views_are_told_apart_by_address_and_dtype_and_bounded(device, monkeypatch):
    cuda = device(Cupy())
    x = cuda.put(np.arange(6.0))
    views = [x, x.view(np.int64), x[2:], x]
    seen = [cuda.memory.argument(each) for each in views]
    assert seen[0] is seen[3]
    for view, found in zip(views, seen, strict=True):
        assert (found.dtype, found.tolist()) == (view.dtype, view.tolist())
    monkeypatch.setattr(cuda_memory, "KEPT", 3)
    for _ in range(2):
        for start in range(6):
            assert cuda.memory.argument(x[start:])[0] == start
    assert len(cuda.memory.views) == 3


def _as_pytorch_reads(x: Any) -> np.ndarray[Any, Any]:
    """A view of the memory, under the conditions of PyTorch's `tensor_from_cuda_array_interface`."""
    found = x.__cuda_array_interface__
    pointer, read_only = found["data"]
    if read_only:
        raise TypeError("the read only flag is not supported, should always be False")
    assert type(found["shape"]) is tuple
    assert found["strides"] is None
    there = {key: found[key] for key in ("shape", "typestr", "version")}
    there["data"] = (pointer, False)
    return np.asarray(SimpleNamespace(__array_interface__=there))


def test_pytorch_takes_the_memory_itself_once_all_that_was_launched_has_ended(device):
    cupy = Cupy()
    x = array(device(cupy), np.arange(6.0).reshape(2, 3))
    cupy.on.clear()
    assert _as_pytorch_reads(x).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert cupy.on == ["synchronize"]
    alone = device()
    assert _as_pytorch_reads(array(alone, np.arange(3.0))).tolist() == [0, 1, 2]
    assert alone.memory.cuda.waits == 1


def test_a_foreign_array_is_copied_after_all_that_was_launched(device):
    cupy = Cupy()
    foreign = np.arange(3.0)
    ours = device(cupy).adopt(foreign)
    foreign[:] = -1
    assert ours.tolist() == [0, 1, 2]
    apart = "from_dlpack outside the pool", "array outside the pool"
    assert cupy.on == ["all", *apart, "synchronize"]


def test_what_is_given_away_is_not_memory_of_the_pool(device):
    """Who takes it frees it, when kernels on another stream may still read it."""
    cupy = Cupy()
    x = array(device(cupy), np.arange(3.0))
    cupy.on.clear()
    given = np.from_dlpack(_Capsule(x))
    assert given.tolist() == [0, 1, 2]
    assert given.ctypes.data != x.memory.data.ptr
    assert cupy.on == ["all", "array outside the pool", "synchronize"]


class _Capsule:
    """What numpy takes for memory of the host, as the made-up CuPy's is."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __dlpack__(self, **wishes: Any) -> Any:
        return self.x.__dlpack__(**wishes)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@pytest.mark.parametrize(("free", "asked"), [(10**9, False), (8, True)])
def test_the_pool_gives_up_its_reserve_where_the_driver_has_too_little(device, free, asked):
    cupy = Cupy()
    cupy.room = (free, 141 * 10**9)
    device(cupy).adopt(np.arange(3.0))
    assert ("free_all_blocks" in cupy.on) is asked


def test_a_foreign_array_without_cupy_says_what_is_missing(device):
    with pytest.raises(
        DeviceError, match="can be read only with CuPy\n  try: pip install cupy-cuda13x"
    ):
        device().adopt(np.arange(3.0))


def test_a_copy_of_an_array_lies_on_the_same_device(device, monkeypatch):
    cuda = device(Cupy())
    monkeypatch.setattr(cuda_device, "opened", lambda name: cuda)
    assert cuda.__reduce__()[1] == ("cuda",)
    assert copy(cuda) is cuda
