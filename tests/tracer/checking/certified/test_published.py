"""The published set: the bound covers the truth everywhere, with thirteen digits in the median, and no false kink."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.certified.published import FUNCTIONS, PROTOTYPE, Function
from tracer.checking.certified.certificate import Certified
from tracer.checking.certified.certify import certify, certify_elements
from tracer.checking.certified.complex_step import sharpened
from tracer.checking.numerical import loss_by

RECORDED = SimpleNamespace(
    **{
        name: getattr(tr, name)
        for name in "sin cos tan exp log log1p expm1 tanh sinh cosh sqrt arctan arcsin arcsinh erf erfc".split()
    }
)
"""The same names as operations of ours, so that a function of the set is recorded."""
ROUNDED = 2.0**-53
"""The truth is compared as a float64 would hold it."""


class Measured(NamedTuple):
    """What was found at one point of one function."""

    function: Function
    x: float
    slope: Certified
    error: float
    """How far from the truth, beyond the rounding of the truth to float64."""
    digits: float


def measured(function: Function, x: float, slope: Certified) -> Measured:
    truth = function.slope(x)
    off = abs(slope.value - truth) if slope.differentiable else math.inf
    digits = min(17.0, -math.log10(max(float(off / abs(truth)), 1e-17)))
    return Measured(function, x, slope, float(off - ROUNDED * abs(truth)), digits)


def drawn(function: Function, *, seed: int, points: int) -> list[float]:
    """Seeded points of a function, the same whatever other functions there are."""
    rng = np.random.default_rng([seed, *function.name.encode()])
    return [float(x) for x in rng.uniform(function.low, function.high, points)]


def by_differences(*, seed: int, points: int) -> list[Measured]:
    return [
        measured(function, x, certify(function.numeric, x))
        for function in FUNCTIONS
        for x in drawn(function, seed=seed, points=points)
    ]


def traced(function: Function, x: float) -> Any:
    """The function recorded at x, as a trace; None where we have no operation for it."""
    try:
        y = function.of(RECORDED, tr.tensor(x, name="x"))
    except AttributeError:
        return None
    return tr.trace(y)


def by_complex_steps(*, seed: int, points: int) -> list[Measured]:
    found = []
    for function in FUNCTIONS:
        for x in drawn(function, seed=seed, points=points):
            trace = traced(function, x)
            if trace is None:
                break
            loss = loss_by(trace, trace.node_index("x"))
            slopes = certify_elements(loss, np.float64(x))
            (slope,) = sharpened(loss, np.asarray(x), np.array([0]), slopes)
            found.append(measured(function, x, slope))
    return found


def hold(found: list[Measured], *, digits: float) -> None:
    """The bound covers the truth everywhere, nothing is called a kink, and half of all have so many digits."""
    assert [m for m in found if not m.slope.differentiable] == []
    assert [m for m in found if m.error > m.slope.bound] == []
    assert np.median([m.digits for m in found]) >= digits


def test_the_set_holds_the_prototypes_functions_and_thirty_more():
    names = {function.name for function in FUNCTIONS}
    assert len(names) == len(FUNCTIONS)
    assert len(PROTOTYPE) == 24
    assert len(FUNCTIONS) - len(PROTOTYPE) >= 30


def test_the_bound_covers_the_truth_with_thirteen_digits_at_a_sample_of_points():
    hold(by_differences(seed=0, points=4), digits=13)


def test_a_complex_step_gives_fifteen_digits_and_its_bound_covers_the_truth_too():
    found = by_complex_steps(seed=0, points=1)
    hold(found, digits=15)
    assert np.mean([m.slope.complex_step for m in found]) > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_the_bound_covers_the_truth_at_all_points_of_several_seeds(seed):
    found = by_differences(seed=seed, points=25)
    hold(found, digits=13)
    hold([m for m in found if m.function in PROTOTYPE], digits=13)


@pytest.mark.slow
def test_complex_steps_cover_the_truth_at_all_points():
    hold(by_complex_steps(seed=1, points=25), digits=15)
