"""The device that these tests run on: a GPU, or skipped with the word that says what is missing.

On a machine with a GPU: `python -m pytest tests/gpu -n 12 --dist loadgroup`. What takes the time is compiling, about
1,900 kernels for the tests that are not slow, at 0.25 to 0.5 s each: a minute or two in 12 processes, 15 in one. The
very large arrays are one group, so that one process has the memory. `-m slow` adds float64, and arrays of 2³¹ numbers.

`GRADSTEP_GPU=interpret pytest tests/gpu` runs their bodies in our interpreter, at small sizes: whether the tests
themselves work is seen without a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.devices.device import Device
from ops.devices.finding import opened
from tests.patience import PATIENCE

HERE = Path(__file__).parent
STAND_IN = "GRADSTEP_GPU"
PROBE = """
import sys
from ops.devices.cuda_adapter import support
print(support().about)
if not support().available:
    sys.exit(3)
import numpy
from ops.devices.arrays import array
from ops.devices.finding import opened
x = array(opened("cuda"), numpy.ones(33, numpy.float32))
assert (x + x).numpy().tolist() == [2.0] * 33
"""
"""Asked in a process of its own: a driver that crashes takes no test with it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a GPU; and what NVIDIA's packages warn of on some machine is no failure."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.gpu)
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def device() -> Device:
    """The device, once it has computed a sum. A GPU that is there but gives no right sum is a failure, not a skip."""
    name = os.environ.get(STAND_IN, "cuda")
    if name == "cuda":
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode == 3:
            pytest.skip(f"no CUDA device answers: {done.stdout.strip()}")
        assert done.returncode == 0, done.stdout + done.stderr
    return opened(name)


@pytest.fixture(scope="session")
def small(device: Device) -> bool:
    """Whether sizes and repetitions have to be those of the interpreter."""
    return device.name == "interpret"
