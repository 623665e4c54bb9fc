"""The memory of the GPU: there and back, foreign arrays, and what happens when there is not enough of it."""

from __future__ import annotations

import numpy as np
import pytest

from ops.devices.arrays import array
from ops.devices.device import Device
from ops.errors import DeviceError


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (7,), (1000, 1001)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_arrays_come_back_as_they_went(device: Device, dtype, shape):
    host = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = device.fetch(device.put(host))
    assert back.dtype == host.dtype
    np.testing.assert_array_equal(back, host)


def test_what_is_too_large_is_refused_and_nothing_is_lost(device: Device, small):
    if small:
        pytest.skip("the interpreter has the memory of the process")
    kept = array(device, np.arange(5.0))
    with pytest.raises(DeviceError, match="not enough memory on"):
        device.empty((2**42,), np.float64)
    assert (kept * 2.0).numpy().tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("package", ["cupy", "torch"])
def test_a_foreign_array_is_copied(device: Device, small, package):
    if small:
        pytest.skip("foreign arrays lie on a GPU")
    module = pytest.importorskip(package)
    made = module.arange(6, dtype=module.float32)
    foreign = made.cuda() if package == "torch" else made
    ours = device.adopt(foreign.reshape(2, 3))
    foreign[:] = -1
    assert device.fetch(ours).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("package", ["cupy", "torch"])
@pytest.mark.parametrize("way", ["interface", "dlpack"])
def test_others_read_what_a_kernel_has_written(device: Device, small, package, way):
    if small:
        pytest.skip("others read memory of a GPU")
    module = pytest.importorskip(package)
    x = array(device, np.arange(2.0**20))
    y = x * 2.0 + 1.0
    if way == "dlpack":
        taken = module.from_dlpack(y)
    else:
        taken = module.as_tensor(y, device="cuda") if package == "torch" else module.asarray(y)
    first = float(taken[0]), float(taken[-1])
    assert first == (1, 2.0**21 - 1)
    if way == "dlpack":  # a copy, which is theirs
        taken[:] = 0
        assert (y.numpy()[[0, -1]] == first).all()


def test_memory_that_was_given_away_is_not_handed_out_again(device: Device, small):
    if small:
        pytest.skip("the memory of a GPU is given away")
    cupy = pytest.importorskip("cupy")
    y = array(device, np.full(2**20, 7.0))
    elsewhere = cupy.cuda.Stream(non_blocking=True)
    with elsewhere:
        taken = cupy.from_dlpack(y)
        for _ in range(200):  # so much that it is still being read when its owner drops it
            found = taken * 1.0
        del taken
    for _ in range(20):
        array(device, np.zeros(2**20))
    elsewhere.synchronize()
    assert float(found.min()) == float(found.max()) == 7


def test_a_gpu_says_what_it_is(device: Device, small):
    if small:
        pytest.skip("the interpreter is no GPU")
    from ops.devices.cuda_driver import driver

    assert driver().gpus[0].name in device.about
    assert driver().gpus[0].memory > 2**30
