"""Every kernel on its trials: equal to numpy, the same bits for every launch, and no barrier too many or too few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ops.cuda.kernel import Kernel, Launch, Trial, kernels
from ops.interpreter.barriers import barriers, without_barrier
from ops.interpreter.machine import KernelFault, run
from tests.walking import walk

KERNELS = kernels()

CASES = [
    pytest.param(
        kernel, dtype, id=f"{name}-{dtype}", marks=[pytest.mark.slow] if dtype == "float64" else []
    )
    for name, kernel in KERNELS.items()
    for dtype in ("float32", "float64")
]


def trials(kernel: Kernel, dtype: str) -> list[Trial]:
    return list(kernel.trials(np.random.default_rng(7), np.dtype(dtype).type))


def results(kernel: Kernel, dtype: str, launch: Launch, trial: Trial) -> dict[int, Any]:
    """The arrays that a trial writes, after a launch on copies."""
    arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in trial.arguments]
    run(kernel, dtype, launch, arguments, trial.options)
    return {i: arguments[i] for i in trial.expected}


def assert_close(got: Any, expected: Any, ulps: float, what: str) -> None:
    """Equal within ulps of the largest number; NaN and inf where numpy has them; integers exactly."""
    expected = np.asarray(expected)
    assert got.shape == expected.shape, what
    if got.dtype.kind != "f":
        assert np.array_equal(got, expected), what
        return
    with np.errstate(all="ignore"):  # what is too large for float32 is inf there
        rounded = expected.astype(got.dtype)
    finite = np.isfinite(rounded)
    assert np.array_equal(got[~finite], rounded[~finite], equal_nan=True), what
    if finite.any():
        one = np.spacing(np.abs(rounded[finite]).max())
        off = np.abs(got[finite].astype(np.float64) - expected[finite]).max() / np.float64(one)
        assert off <= ulps, f"{what}: {off:.1f} ulps, {ulps} allowed"


def first_word(kernel: Kernel, *_: str) -> str:
    """Of its name, by which the tests walk the kernels."""
    return kernel.name.partition("_")[0]


@walk(("kernel", "dtype"), CASES, by=first_word)
def test_a_kernel_gives_numpys_numbers_and_the_same_bits_for_every_launch(
    kernel: Kernel, dtype: str
) -> None:
    for trial in trials(kernel, dtype):
        first, *others = kernel.launches
        found = results(kernel, dtype, first, trial)
        for i, expected in trial.expected.items():
            assert_close(found[i], expected, kernel.ulps, f"{trial.what}, argument {i}, {first}")
        for launch in others:
            again = results(kernel, dtype, launch, trial)
            for i in trial.expected:
                assert again[i].tobytes() == found[i].tobytes(), f"{trial.what}: {launch} differs"


@walk("kernel", KERNELS.values(), by=first_word, ids=lambda kernel: kernel.name)
def test_every_barrier_is_missed(kernel: Kernel) -> None:
    """Without it a race is found, on some trial with some launch; one block with several pieces of work shows most."""
    found = trials(kernel, "float32")
    found.sort(key=lambda trial: -sum(np.size(x) for x in trial.arguments))
    launches = sorted(kernel.launches, key=lambda launch: np.prod(launch.blocks))
    for barrier in barriers(kernel, "float32"):
        mutant = without_barrier(kernel, barrier.number)
        missed = any(races(mutant, launch, trial) for launch in launches for trial in found)
        assert missed, f"line {barrier.line}: {barrier.text}"


def races(kernel: Kernel, launch: Launch, trial: Trial) -> bool:
    """Whether a trial shows a race in a launch."""
    try:
        results(kernel, "float32", launch, trial)
    except KernelFault as fault:
        return fault.fault.kind in ("race", "uninitialised")
    return False


def test_every_family_has_kernels_under_its_own_name() -> None:
    assert KERNELS
    assert all(kernel.name == name for name, kernel in KERNELS.items())
