"""What a launch has left in the arrays of a kernel, and whether that is what its trial expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tracer.format import number
from tui.stepper.cells import spelled
from tui.stepper.trials import Launched

if TYPE_CHECKING:
    from ops.interpreter.record import KernelRun

ACROSS = 8
"""So many numbers stand in a row."""
MANY = 12
"""So many rows of an array are written, and no more."""


@dataclass(frozen=True)
class Result:
    """An array that the launch has changed, or that its trial expects to be changed."""

    name: str
    values: NDArray[Any]
    ulps: float | None
    """How far it lies from what is expected, in ulps of the largest number; None where nothing is expected."""
    allowed: float

    @property
    def fits(self) -> bool:
        """Whether it is what is expected, as far as anything is."""
        return self.ulps is None or self.ulps <= self.allowed


def results(found: Launched, run: KernelRun) -> tuple[Result, ...]:
    """The arrays that were changed, or should have been."""
    made = []
    for k, (name, before) in enumerate(run.arguments.items()):
        if name not in run.results:
            continue
        after, wanted = run.results[name], found.trial.expected.get(k)
        if wanted is None and np.array_equal(before, after, equal_nan=after.dtype.kind == "f"):
            continue
        ulps = None if wanted is None else ulps_between(after, np.asarray(wanted))
        made.append(Result(name, after, ulps, found.kernel.ulps))
    return tuple(made)


def ulps_between(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The largest difference of two arrays, in ulps of the largest finite number that is wanted; inf if NaNs differ.

    >>> ulps_between(np.float32([1.0, 2.0]), np.array([1.0, 2.0])), ulps_between(np.float32([np.nan]), np.array([1.0]))
    (0.0, inf)
    """
    if not wanted.size or found.size != wanted.size:
        return 0.0 if found.size == wanted.size else float("inf")
    one, two = found.reshape(-1).astype(np.float64), wanted.reshape(-1).astype(np.float64)
    finite = np.isfinite(two)
    if not np.array_equal(one[~finite], two[~finite], equal_nan=True):
        return float("inf")
    if not np.all(np.isfinite(one[finite])):
        return float("inf")
    if not finite.any():
        return 0.0
    apart = float(np.abs(one[finite] - two[finite]).max())
    if found.dtype.kind != "f":
        return apart
    largest = np.abs(two[finite]).max().astype(found.dtype)
    return apart / float(np.spacing(largest)) if apart else 0.0


def outcome(found: Launched, run: KernelRun) -> str:
    """In a few words whether the launch has done what its trial expects; empty where that is not known."""
    if run.fault is not None or run.stopped:
        return ""
    judged = [each for each in results(found, run) if each.ulps is not None]
    if not judged:
        return ""
    wrong = [each for each in judged if not each.fits]
    worst = max(each.ulps or 0.0 for each in judged)
    if wrong:
        return f"✗ {', '.join(each.name for each in wrong)} not as expected"
    return f"✓ as expected{f', within {number(worst, 2)} ulp' if worst else ' to the bit'}"


def written(found: Launched, run: KernelRun) -> Iterator[str]:
    """The arrays at the end of the launch, as lines of text."""
    for each in results(found, run):
        shape = ",".join(map(str, each.values.shape))
        judged = ""
        if each.ulps is not None:
            apart = f"{number(each.ulps, 2)} ulp away at most, {number(each.allowed, 2)} allowed"
            judged = f": {'as expected' if each.fits else 'not as expected'}, {apart}"
        yield ""
        yield f"result {each.name} {each.values.dtype}[{shape}]{judged}"
        flat = each.values.reshape(-1)
        label = len(str(max(0, flat.size - 1)))
        for row in range(0, min(flat.size, MANY * ACROSS), ACROSS):
            numbers = (spelled(value, 6).rjust(12) for value in flat[row : row + ACROSS])
            yield f"{row:>{label}} {''.join(numbers)}"
        if flat.size > MANY * ACROSS:
            yield f"… {flat.size - MANY * ACROSS} more; --json has all"
