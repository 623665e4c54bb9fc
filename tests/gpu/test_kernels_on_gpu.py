"""Every kernel on its trials, on the GPU: equal to numpy, the same bits for every launch and in each of 100 runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch, Trial, kernels
from ops.devices.device import Device
from tracer.insight.comparison import apart

AGAIN = 100
ULPS = {"float32": 8, "float64": 8}
"""What a GPU's own functions (exp, erf, tan ...) may add to what a kernel is allowed, in ulps of the largest number."""


def trials(kernel: Kernel, dtype: str) -> list[Trial]:
    return list(kernel.trials(np.random.default_rng(7), np.dtype(dtype).type))


def results(
    device: Device, kernel: Kernel, dtype: str, launch: Launch, trial: Trial
) -> dict[int, Any]:
    """What a trial writes, on copies of its arguments."""
    arguments = [device.put(x) if isinstance(x, np.ndarray) else x for x in trial.arguments]
    device.launch(kernel, np.dtype(dtype), launch, arguments, trial.options)
    return {number: device.fetch(arguments[number]) for number in trial.expected}


@pytest.mark.parametrize("name", kernels())
def test_a_kernel_gives_numpys_numbers_for_every_launch_and_in_every_run(device, small, name):
    """In one test, so that each launch is compiled once by whichever process has the kernel."""
    kernel = kernels()[name]
    assert_equal_to_numpy(device, kernel, "float32")
    trial = max(trials(kernel, "float32"), key=_work)
    launch = max(kernel.launches, key=lambda each: int(np.prod(each.blocks)))
    seen = {
        _bits(results(device, kernel, "float32", launch, trial))
        for _ in range(2 if small else AGAIN)
    }
    assert len(seen) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", kernels())
def test_a_kernel_gives_numpys_numbers_in_float64(device, name):
    assert_equal_to_numpy(device, kernels()[name], "float64")


def assert_equal_to_numpy(device: Device, kernel: Kernel, dtype: str) -> None:
    """On all trials: the first launch by ulps, the others by their bits."""
    for trial in trials(kernel, dtype):
        first, *others = kernel.launches
        found = results(device, kernel, dtype, first, trial)
        for number, expected in trial.expected.items():
            with np.errstate(all="ignore"):  # what is too large for float32 is inf there
                rounded = np.asarray(expected).astype(found[number].dtype)
            far = apart(found[number], rounded)
            assert far.ulps <= kernel.ulps + ULPS[dtype], f"{trial.what}, argument {number}: {far}"
        for launch in others:
            again = results(device, kernel, dtype, launch, trial)
            assert _bits(again) == _bits(found), f"{trial.what}: {launch} differs from {first}"


def _bits(found: dict[int, Any]) -> tuple[bytes, ...]:
    return tuple(x.tobytes() for x in found.values())


def _work(trial: Trial) -> int:
    return sum(np.size(x) for x in trial.arguments)
