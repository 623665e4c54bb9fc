"""Certified numerical derivatives: the bound covers the truth, and points without a derivative are told apart.

The truth is the closed form of each derivative in extended precision (np.longdouble). Where a platform has no wider
type, or the closed form itself cancels, the truth may be off by 4 units in the last place: the slack.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tracer.checking.certified.certificate import (
    INFINITE,
    JUMP,
    KINK,
    NEAR_KINK,
    NONFINITE,
    ONE_SIDED,
    SMOOTH,
)
from tracer.checking.certified.certify import (
    certify,
    certify_direction,
    certify_each,
    certify_elements,
)

Array = Any
POINTS = 25
erf = np.vectorize(math.erf)


def batch_norm_of_four(x: Array) -> Array:
    batch = np.stack([x, *(np.full_like(x, other) for other in (1.5, -0.2, 0.9))])
    return (x - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-5)


def slope_of_batch_norm(x: Array) -> Array:
    batch = np.stack([x, *(np.full_like(x, other) for other in (1.5, -0.2, 0.9))])
    centred, var = x - batch.mean(0), batch.var(0) + type(x[0])(1e-5)
    return (type(x[0])(3) / 4 - centred**2 / (4 * var)) / np.sqrt(var)


def rnn_of_eight_steps(x: Array) -> Array:
    h = 0.1 * x
    for t in range(8):
        h = np.tanh(0.9 * h + 0.5 * x * (t % 3 - 1) + 0.2)
    return h * h


def slope_of_rnn(x: Array) -> Array:
    h, slope = 0.1 * x, np.full_like(x, 0.1)
    for t in range(8):
        h = np.tanh(0.9 * h + 0.5 * x * (t % 3 - 1) + 0.2)
        slope = (1 - h * h) * (0.9 * slope + 0.5 * (t % 3 - 1))
    return 2 * h * slope


def squire_and_trapp(x: Array) -> Array:
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


def slope_of_squire_and_trapp(x: Array) -> Array:
    s, c = np.sin(x), np.cos(x)
    below = s**3 + c**3
    return np.exp(x) * (below - 3 * s * s * c + 3 * c * c * s) / below**2


FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], float, float]] = {
    "sin": (np.sin, np.cos, -3, 3),
    "exp": (np.exp, np.exp, -3, 3),
    "log": (np.log, lambda x: 1 / x, 0.05, 5),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, -3, 3),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (2 + np.exp(x) + np.exp(-x)), -6, 6),
    "softplus": (lambda x: np.log(1 + np.exp(x)), lambda x: 1 / (1 + np.exp(-x)), -6, 6),
    "erf": (erf, lambda x: np.exp(-x * x) * 2 / np.sqrt(np.pi * (x * 0 + 1)), -3, 3),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.05, 5),
    "cube": (lambda x: x**3, lambda x: 3 * x * x, -3, 3),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / (x * x), 0.1, 3),
    "x to the x": (
        lambda x: np.exp(x * np.log(x)),
        lambda x: np.exp(x * np.log(x)) * (1 + np.log(x)),
        0.1,
        3,
    ),
    "gauss": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x), -3, 3),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x), -3, 3),
    "x log x": (lambda x: x * np.log(x), lambda x: 1 + np.log(x), 1e-3, 5),
    "batch norm of 4": (batch_norm_of_four, slope_of_batch_norm, -3, 3),
    "rnn of 8 steps": (rnn_of_eight_steps, slope_of_rnn, -2, 2),
    "Squire & Trapp": (squire_and_trapp, slope_of_squire_and_trapp, 0.2, 1.4),
    "cos 50x": (lambda x: np.cos(50 * x), lambda x: -50 * np.sin(50 * x), -3, 3),
    "cos 1000x": (lambda x: np.cos(1000 * x), lambda x: -1000 * np.sin(1000 * x), -3, 3),
    "tiny": (lambda x: 1e-9 * np.sin(x), lambda x: x.dtype.type(1e-9) * np.cos(x), -3, 3),
    "big offset": (lambda x: 1e6 + np.sin(x), np.cos, -3, 3),
    "offset cancelled": (
        lambda x: (1e6 + np.sin(x)) - 1e6 + np.tanh(x),
        lambda x: np.cos(x) + 1 / np.cosh(x) ** 2,
        -3,
        3,
    ),
    "far away": (np.sin, np.cos, 1e6, 1e6 + 6),
    "log near 0": (np.log, lambda x: 1 / x, 1e-12, 1e-9),
    "steep exp": (lambda x: np.exp(20 * x), lambda x: 20 * np.exp(20 * x), -3, 3),
    "Runge": (
        lambda x: 1 / (1 + 2500 * x * x),
        lambda x: -5000 * x / (1 + 2500 * x * x) ** 2,
        -1,
        1,
    ),
    "sin x²": (lambda x: np.sin(x * x), lambda x: 2 * x * np.cos(x * x), -6, 6),
}
ROUGH = {"big offset", "offset cancelled", "far away"}
"""Where f, or the place where it is taken, is known to ten digits only, so its derivative cannot have thirteen."""


def slopes_and_truth(name: str, *, seed: int) -> tuple[Array, Array, Array]:
    """(certified, truth, slack) at seeded points, the numbers in float64."""
    f, slope, low, high = FUNCTIONS[name]
    x = np.random.default_rng(seed).uniform(low, high, POINTS)
    found = certify_each(lambda which, at: f(at), x)
    truth = slope(x.astype(np.longdouble))
    return found, truth, 4 * 2.0**-52 * np.maximum(abs(truth), 1e-300)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bound_covers_the_truth_at_every_point(name, seed):
    found, truth, slack = slopes_and_truth(name, seed=seed)
    for slope, true, spare in zip(found, truth, slack, strict=True):
        assert slope.differentiable, slope
        assert abs(slope.value - true) <= slope.bound + spare, (slope, true)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - ROUGH))
def test_the_bound_is_small_enough_to_judge_by(name):
    found, truth, _ = slopes_and_truth(name, seed=0)
    assert np.median([s.bound / abs(float(t)) for s, t in zip(found, truth, strict=True)]) < 1e-9


def test_half_of_all_derivatives_are_right_to_thirteen_digits():
    digits = []
    for name in FUNCTIONS.keys() - ROUGH:
        found, truth, _ = slopes_and_truth(name, seed=0)
        off = [abs(s.value - t) / abs(t) for s, t in zip(found, truth, strict=True)]
        digits += [-math.log10(max(float(one), 1e-17)) for one in off]
    assert len(digits) >= 20 * POINTS
    assert np.median(digits) >= 13


def test_most_derivatives_take_one_round_of_25_evaluations():
    found = [slopes_and_truth(name, seed=0)[0] for name in FUNCTIONS.keys() - ROUGH]
    assert np.median([slope.evaluations for column in found for slope in column]) == 25


def root(x: float) -> float:
    return math.sqrt(x)


def relu(x: float) -> float:
    return max(x, 0.0)


KINKS = [
    pytest.param(relu, 0.0, 0.0, 1.0, id="relu"),
    pytest.param(abs, 0.0, -1.0, 1.0, id="abs"),
    pytest.param(lambda x: x if x > 0 else 0.01 * x, 0.0, 0.01, 1.0, id="leaky relu"),
    pytest.param(lambda x: min(max(x, -1.0), 1.0), 1.0, 1.0, 0.0, id="edge of clip"),
    pytest.param(lambda x: max(x, 1.0), 1.0, 0.0, 1.0, id="tie of max"),
    pytest.param(lambda x: math.sin(x) + 1e-6 * abs(x), 0.0, 1 - 1e-6, 1 + 1e-6, id="faint"),
    pytest.param(lambda x: max(1e8 * x, 0.0), 0.0, 0.0, 1e8, id="steep"),
    pytest.param(lambda x: abs(x - 0.4) + abs(x - 0.400001), 0.4, -2.0, 0.0, id="of two close"),
    pytest.param(lambda x: math.exp(x) * abs(x), 0.0, -1.0, 1.0, id="curved"),
]


@pytest.mark.parametrize(("f", "x", "left", "right"), KINKS)
def test_a_kink_has_a_left_and_a_right_slope(f, x, left, right):
    slope = certify(f, x)
    assert slope.status == KINK
    assert not slope.differentiable
    assert abs(slope.left - left) <= slope.bound <= 1e-6 * max(abs(left), abs(right))
    assert abs(slope.right - right) <= slope.bound
    assert slope.value == (slope.left + slope.right) / 2


@pytest.mark.parametrize("x", [1e-3, 1e-5, 1e-7, 1e-9, -1e-9, -1e-5])
def test_close_to_a_kink_the_steps_grow_narrow_enough_to_miss_it(x):
    slope = certify(relu, x)
    assert slope.status == NEAR_KINK
    assert slope.differentiable
    assert slope.value == pytest.approx(float(x > 0), abs=1e-13)
    assert slope.bound < 1e-12


def test_a_kink_too_close_to_step_around_counts_as_here():
    slope = certify(relu, 1e-15)
    assert slope.status == KINK
    assert (slope.left, slope.right) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0))


@pytest.mark.parametrize(
    ("f", "x", "status"),
    [
        pytest.param(lambda x: float(x > 0), 0.0, JUMP, id="step"),
        pytest.param(math.floor, 1.0, JUMP, id="floor"),
        pytest.param(lambda x: float(np.sign(x)), 0.0, JUMP, id="sign"),
        pytest.param(lambda x: 1e6 + (x > 0.3), 0.3, JUMP, id="small step on a big number"),
        pytest.param(np.cbrt, 0.0, INFINITE, id="cube root"),
        pytest.param(lambda x: math.sqrt(abs(x)), 0.0, INFINITE, id="cusp"),
        pytest.param(root, 0.0, ONE_SIDED, id="square root"),
        pytest.param(math.asin, 1.0, ONE_SIDED, id="arcsine"),
        pytest.param(math.log, 0.0, NONFINITE, id="log of 0"),
        pytest.param(lambda x: 1 / x, 0.0, NONFINITE, id="division by 0"),
        pytest.param(lambda x: math.nan, 1.0, NONFINITE, id="nan"),
        pytest.param(math.sin, math.inf, NONFINITE, id="at infinity"),
        pytest.param(lambda x: 1.0 if x == 1.0 else math.nan, 1.0, NONFINITE, id="island"),
    ],
)
def test_a_point_without_a_derivative_says_why(f, x, status):
    slope = certify(f, x)
    assert slope.status == status
    assert math.isnan(slope.value)
    assert math.isinf(slope.bound)


def test_the_edge_of_a_domain_keeps_the_slope_of_the_side_that_exists():
    slope = certify(lambda x: x * math.sqrt(x), 0.0)
    assert slope.status == ONE_SIDED
    assert math.isnan(slope.left)
    assert slope.right == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("f", "x", "true"),
    [
        pytest.param(lambda x: x if x > 0 else math.expm1(x), 0.0, 1.0, id="elu at 0"),
        pytest.param(lambda x: max(x, 0.0) ** 2, 0.0, 0.0, id="relu squared at 0"),
        pytest.param(lambda x: x * abs(x), 0.0, 0.0, id="x abs x at 0"),
        pytest.param(root, 1e-8, 5000.0, id="square root close to its edge"),
        pytest.param(round, 0.4, 0.0, id="a flat step"),
        pytest.param(lambda x: 3.0, 0.4, 0.0, id="constant"),
        pytest.param(math.exp, 709.0, math.exp(709.0), id="close to overflow"),
        pytest.param(lambda x: 2 * x, 1e300, 2.0, id="huge"),
        pytest.param(lambda x: 2 * x, 1e-300, 2.0, id="hardly above 0"),
    ],
)
def test_a_smooth_point_that_looks_hard_is_certified(f, x, true):
    slope = certify(f, x)
    assert slope.status == SMOOTH
    assert abs(slope.value - true) <= slope.bound + 1e-15 * abs(true)
    assert slope.bound <= 1e-9 * max(abs(true), 1.0)


@pytest.mark.parametrize("x", [0.4, 1.7, -0.8])
def test_a_function_computed_in_float32_is_not_certified_beyond_its_digits(x):
    slope = certify(lambda t: float(np.tanh(np.float32(t))), x)
    true = 1 - math.tanh(x) ** 2
    assert slope.status == SMOOTH
    assert abs(slope.value - true) <= slope.bound
    assert 1e-8 < slope.bound < 1e-3


def test_noise_widens_the_bound_until_it_covers_the_truth():
    slope = certify(lambda x: math.sin(x) + 1e-8 * math.sin(1e12 * x), 0.4)
    assert abs(slope.value - math.cos(0.4)) <= slope.bound < 1e-3


def test_the_partial_derivatives_of_an_array_function():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    slopes = certify_elements(lambda a: float(np.sum(a**3)), x)
    assert [s.value for s in slopes] == pytest.approx((3 * x**2).reshape(-1).tolist(), rel=1e-12)


def test_only_the_elements_asked_for_are_moved():
    seen = []

    def function(a):
        seen.append(a.copy())
        return float(a.sum())

    (slope,) = certify_elements(function, np.arange(4.0), [2])
    assert slope.value == pytest.approx(1.0, rel=1e-12)
    assert all(a[0] == 0 and a[1] == 1 and a[3] == 3 for a in seen)


def test_a_direction_gives_the_inner_product_with_the_gradient():
    x, d = np.array([1.0, -2.0, 0.5]), np.array([1.0, -1.0, 2.0])
    slope = certify_direction(lambda a: float(np.sum(np.sin(a))), x, d)
    assert abs(slope.value - np.cos(x) @ d) <= slope.bound < 1e-10


def test_an_empty_array_has_no_derivatives():
    assert certify_elements(lambda a: 0.0, np.empty((0, 3))) == ()


def test_an_error_of_the_function_itself_is_not_swallowed():
    def function(x):
        raise ValueError("my own mistake")

    with pytest.raises(ValueError, match="my own mistake"):
        certify(function, 1.0)


def test_steps_that_are_multiples_of_a_period_are_not_taken_for_a_slow_function():
    """50 · 2⁻³ is 2π but for 0.03: at all wide steps cos 50 x looks like a wave of 190 times the length."""
    slope = certify(lambda t: math.cos(50 * t), -112.90112879370872)
    truth = 50 * math.sin(50 * 112.90112879370872)
    assert abs(slope.value - truth) <= slope.bound < 1e-6


def test_the_bound_covers_the_slope_of_waves_of_any_length_anywhere():
    rng = np.random.default_rng(0)
    for x, k in zip(rng.uniform(-300, 300, 150), 10 ** rng.uniform(0, 2.5, 150), strict=True):
        slope = certify(lambda t, k=k: math.sin(k * t), float(x))
        # k t is rounded: what sin makes of it moves by a unit in the last place of k t
        rounding = k * k * abs(x) * 2.0**-52
        assert abs(slope.value - k * math.cos(k * x)) <= slope.bound + rounding


@pytest.mark.parametrize("bend", [1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("at", [0.0, 1e-9])
def test_a_faint_kink_is_one_though_the_last_steps_cannot_see_it(bend, at):
    found = certify(lambda t: 1.0 + 3e-5 * t + bend * abs(t - at), 0.0)
    assert found.status == KINK
    assert abs(found.left - (3e-5 - bend)) <= found.bound
    assert abs(found.right - (3e-5 + bend)) < 1e-3 * bend
