"""Every kernel recorded: the same bits as the plain run, and in the order of a GPU every line reads what it read."""

from __future__ import annotations

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch, kernels
from ops.interpreter.machine import run
from ops.interpreter.recording import record
from tests.ops.interpreter.launching import replayed

KERNELS = [pytest.param(kernel, id=name) for name, kernel in kernels().items()]


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_recorded_kernel_gives_the_same_bits_in_the_order_of_a_gpu(kernel: Kernel) -> None:
    trials = list(kernel.trials(np.random.default_rng(7), np.float32))
    trials.sort(key=lambda trial: sum(np.size(x) for x in trial.arguments))
    trial = trials[len(trials) * 2 // 3]
    plain = [x.copy() if isinstance(x, np.ndarray) else x for x in trial.arguments]
    launch = Launch(2, 64)
    run(kernel, "float32", launch, plain, trial.options)
    recorded = record(kernel, "float32", launch, trial.arguments, trial.options)
    assert recorded.fault is None
    for x, name in zip(plain, recorded.arguments, strict=True):
        if isinstance(x, np.ndarray):
            assert x.tobytes() == recorded.results[name].tobytes()
    for block in recorded.runs:
        replayed(block, recorded.arguments)
