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


def test_a_gpu_says_what_it_is(device: Device, small):
    if small:
        pytest.skip("the interpreter is no GPU")
    from ops.devices.cuda_driver import driver

    assert driver().gpus[0].name in device.about
    assert driver().gpus[0].memory > 2**30
