"""Functions that go in stairs close by, as something is rounded on the way to them: their bounds cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tracer.checking.certified.certificate import SMOOTH
from tracer.checking.certified.certify import certify, certify_each

SIGMOID = [
    pytest.param(lambda x: math.log(1 + math.exp(-x)), lambda e: -e / (1 + e), id="softplus"),
    pytest.param(lambda x: 1 - 1 / (1 + math.exp(-x)), lambda e: -e / (1 + e) ** 2, id="1 - s"),
    pytest.param(
        lambda x: math.log(math.exp(x) + 1) - x, lambda e: -e / (1 + e), id="log-sum-exp less x"
    ),
]


@pytest.mark.parametrize(("function", "slope"), SIGMOID)
def test_what_is_absorbed_by_1_is_in_the_bound(function, slope):
    for x in np.random.default_rng(0).uniform(12.0, 90.0, 60).tolist():
        found = certify(function, x)
        assert abs(found.value - slope(math.exp(-x))) <= found.bound, x


@pytest.mark.parametrize("x", [2.2384e-5, 1.2e-4, 2.5e-4, 1e-3])
def test_wide_steps_that_agree_are_not_replaced_by_narrow_ones_within_a_stair(x):
    found = certify(lambda x: (1 - math.cos(x)) / x**2, x)
    assert abs(found.value + x / 12) <= found.bound < 1e3


@pytest.mark.parametrize("x", [1e-9, 1e-7, 1e-5])
def test_a_difference_quotient_of_exp_is_not_taken_for_its_stairs(x):
    found = certify(lambda x: (math.exp(x) - 1) / x, x)
    assert abs(found.value - 0.5) <= found.bound + x


@pytest.mark.parametrize("x", [-8.0, -8.2, -8.3])
def test_a_gelu_far_to_the_left_is_known_roughly(x):
    found = certify(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))), x)
    truth = 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert abs(found.value - truth) <= found.bound


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        pytest.param(lambda x: max(x, 0.0), -3.0, 0.0, id="a dead relu"),
        pytest.param(lambda x: max(x, 0.0), -0.04, 0.0, id="a relu near its kink"),
        pytest.param(lambda x: max(x, 0.0), 0.04, 1.0, id="a relu near its kink, right"),
        pytest.param(lambda x: min(max(x, -1.0), 1.0), 1.5, 0.0, id="a clip"),
        pytest.param(lambda x: float(math.floor(x)), 1.3, 0.0, id="a floor"),
        pytest.param(lambda x: 2.5, 1.3, 0.0, id="a constant"),
        pytest.param(lambda x: x - math.floor(x), 2.3, 1.0, id="a saw"),
        pytest.param(lambda x: math.exp(-1 / x**2) if x else 0.0, 0.0, 0.0, id="flat at 0"),
    ],
)
def test_what_is_flat_or_jumps_elsewhere_is_no_stair(function, x, slope):
    found = certify(function, x)
    assert found.status.startswith(("smooth", "near"))
    assert abs(found.value - slope) <= found.bound < 1e-11


@pytest.mark.parametrize("x", [1e-16, 1e-18, -1e-20, 1e-30, 3e-200])
def test_steps_are_small_beside_a_tiny_x_too(x):
    found = certify(lambda x: math.log(abs(x)), x)
    assert found.status == SMOOTH
    assert abs(found.value - 1 / x) <= found.bound < 1e-8 * abs(1 / x)


def test_noise_that_is_known_is_in_the_bound():
    x = np.array([0.5, 0.5])
    sharp, rough = certify_each(lambda which, at: np.sin(at), x, noise=np.array([0.0, 1e-6]))
    assert sharp.bound < 1e-10
    assert 1e-6 < rough.bound < 1e-3
    assert abs(rough.value - math.cos(0.5)) <= rough.bound
