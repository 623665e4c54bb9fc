"""Verdicts at hard points, and the pitfalls of numerical derivatives: the tables at the end of the study, as tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tracer as tr
from tracer.checking.certified.certificate import (
    INFINITE,
    JUMP,
    KINK,
    NEAR_KINK,
    ONE_SIDED,
    SMOOTH,
)
from tracer.checking.certified.certify import certify, certify_elements
from tracer.checking.certified.extrapolate import FINE, STENCIL, noise_level, unit_of
from tracer.checking.certified.kinks import kinks_near
from tracer.checking.judge import AGREE, DISAGREE, UNDECIDABLE, judge
from tracer.checking.numerical import loss_by


def relu(x: float) -> float:
    return max(x, 0.0)


def leaky(x: float) -> float:
    return x if x > 0 else 0.01 * x


def clip(x: float) -> float:
    return min(max(x, -1.0), 1.0)


def single_tanh(x: float) -> float:
    return float(np.tanh(np.float32(x)))


VERDICTS = [
    pytest.param(relu, 0.0, 0.0, UNDECIDABLE, KINK, id="relu at 0, claim 0"),
    pytest.param(relu, 0.0, 0.5, UNDECIDABLE, KINK, id="relu at 0, claim 1/2"),
    pytest.param(relu, 0.0, 1.0, UNDECIDABLE, KINK, id="relu at 0, claim 1"),
    pytest.param(relu, 0.0, 1.7, DISAGREE, KINK, id="relu at 0, claim 1.7"),
    pytest.param(relu, 0.0, -0.1, DISAGREE, KINK, id="relu at 0, claim −0.1"),
    pytest.param(leaky, 0.0, 0.3, UNDECIDABLE, KINK, id="leaky relu at 0"),
    pytest.param(leaky, 0.0, 0.0, DISAGREE, KINK, id="leaky relu at 0, claim 0"),
    pytest.param(abs, 0.0, 0.0, UNDECIDABLE, KINK, id="abs at 0"),
    pytest.param(clip, 1.0, 1.0, UNDECIDABLE, KINK, id="edge of clip"),
    pytest.param(lambda x: max(x, 1.0), 1.0, 0.5, UNDECIDABLE, KINK, id="tie of max"),
    pytest.param(relu, 1e-3, 1.0, AGREE, NEAR_KINK, id="relu at 1e-3"),
    pytest.param(relu, 1e-5, 1.0, AGREE, NEAR_KINK, id="relu at 1e-5"),
    pytest.param(relu, 1e-5, 0.0, DISAGREE, NEAR_KINK, id="relu at 1e-5, claim 0"),
    pytest.param(relu, 1e-15, 1.0, UNDECIDABLE, KINK, id="relu at 1e-15"),
    pytest.param(relu, -1e-15, 0.0, UNDECIDABLE, KINK, id="relu at −1e-15"),
    pytest.param(lambda x: x if x > 0 else math.expm1(x), 0.0, 1.0, AGREE, SMOOTH, id="elu at 0"),
    pytest.param(math.sqrt, 1e-8, 5000.0, AGREE, SMOOTH, id="square root at 1e-8"),
    pytest.param(math.sqrt, 0.0, 1.0, UNDECIDABLE, ONE_SIDED, id="square root at 0"),
    pytest.param(lambda x: float(x > 0), 0.0, 0.0, UNDECIDABLE, JUMP, id="step at 0"),
    pytest.param(math.floor, 1.0, 0.0, UNDECIDABLE, JUMP, id="floor at 1"),
    pytest.param(np.cbrt, 0.0, 1.0, UNDECIDABLE, INFINITE, id="cube root at 0"),
    pytest.param(math.sin, 0.4, math.cos(0.4), AGREE, SMOOTH, id="sin"),
    pytest.param(math.sin, 0.4, 1.0001 * math.cos(0.4), DISAGREE, SMOOTH, id="sin off by 1e-4"),
    pytest.param(math.sin, 0.4, -math.cos(0.4), DISAGREE, SMOOTH, id="sin, sign"),
    pytest.param(lambda x: 1e-7 * x, 0.4, -1e-7, DISAGREE, SMOOTH, id="a gradient of 1e-7, sign"),
]


@pytest.mark.parametrize(("f", "x", "claim", "verdict", "status"), VERDICTS)
def test_the_verdict_at_a_hard_point(f, x, claim, verdict, status):
    slope = certify(f, x)
    assert (judge(claim, slope)[0], slope.status) == (verdict, status)


@pytest.mark.parametrize(
    "f",
    [
        pytest.param(lambda x: relu(x) ** 2, id="relu squared"),
        pytest.param(lambda x: x * abs(x), id="x abs x"),
    ],
)
def test_a_slope_of_0_agrees_once_the_size_of_the_terms_is_told(f):
    assert judge(0.0, certify(f, 0.0), floor=1e-8)[0] == AGREE


@pytest.mark.parametrize("x", [0.4, -1.6057624e-3, 2.0, 0.5])
def test_a_right_claim_about_float32_does_not_disagree(x):
    true = 1 - math.tanh(np.float32(x)) ** 2
    for slope in (certify(single_tanh, x), certify(single_tanh, x, unit=2.0**-23)):
        assert judge(true, slope, unit=2.0**-23)[0] != DISAGREE
        assert abs(slope.value - true) <= slope.bound + 1e-7


def test_float32_is_seen_where_the_stencil_lies_on_one_of_its_steps():
    def f(x: float) -> float:
        x = np.float32(x)
        return float(np.exp(1 / (1 + x * x)))

    x = -0.001605762482164177
    true = -2 * x / (1 + x * x) ** 2 * math.exp(1 / (1 + x * x))
    slope = certify(f, x)
    assert abs(slope.value - true) <= slope.bound


def test_float32_within_a_float64_result_must_be_told():
    def f(x: float) -> float:
        return 1.0114 / (1 + float(np.sqrt(np.float32(1) + np.float32(x) ** 2)) ** 2)

    x = -0.0059441520609913034
    true = -1.0114 * 2 * x / (2 + x * x) ** 2
    told = certify(f, x, unit=2.0**-23)
    assert abs(told.value - true) <= told.bound


def test_a_step_that_vanishes_beside_x_is_never_taken():
    seen = []

    def f(x: float) -> float:
        seen.append(x)
        return 3.0 * x

    slope = certify(f, 1e17)
    assert slope.value == pytest.approx(3.0, rel=1e-12)
    assert len(set(seen[1:17])) == 16  # all steps of the first round lead away from x


def test_an_integer_is_taken_as_a_float():
    assert abs(certify(lambda x: x**2, 3).value - 6.0) < 1e-11
    (slope,) = certify_elements(lambda x: float(x**2), np.array(3))
    assert abs(slope.value - 6.0) < 1e-11


def test_what_a_function_does_to_its_argument_changes_no_other_number():
    def f(x: np.ndarray) -> float:
        x *= 2.0
        return float(x.sum())

    x = np.array([1.0, 2.0])
    assert [s.value for s in certify_elements(f, x)] == pytest.approx([2.0, 2.0], rel=1e-12)
    assert x.tolist() == [1.0, 2.0]


def test_a_random_function_has_no_sharp_number():
    rng = np.random.default_rng(0)
    slope = certify(lambda x: x + rng.normal(), 1.0)
    assert not slope.bound < 1.0


def test_views_that_share_memory_are_moved_together():
    x = tr.tensor(np.arange(1.0, 5.0), name="x")
    view = x.reshape(2, 2)
    trace = tr.trace((view * tr.transpose(view)).sum() + x[0] * x[3])
    found = tr.certify(trace, "x")
    np.testing.assert_allclose(found.values, trace.gradient("x"), rtol=1e-12)


def test_a_broadcast_input_is_moved_in_all_its_copies():
    x = tr.tensor(np.array([[1.0], [2.0], [3.0]]), name="x")
    y = tr.constant(np.arange(12.0).reshape(3, 4))
    found = tr.certify(tr.trace((x * y).sum()), "x")
    np.testing.assert_allclose(found.values, [[6.0], [22.0], [38.0]], rtol=1e-12)


def test_a_number_of_rank_0_and_an_empty_array_are_no_special_case():
    (slope,) = certify_elements(lambda x: float(x * x), np.float64(2.0))
    assert slope.value == pytest.approx(4.0, rel=1e-12)
    x = tr.tensor(np.empty((0, 3)), name="x")
    loss = loss_by(tr.trace(x.sum()), 0)
    assert certify_elements(loss, x.value) == ()
    assert loss.many(np.empty((4, 0, 3))).tolist() == [0.0] * 4


def test_a_slope_of_0_is_known_absolutely():
    slope = certify(math.cos, 0.0)
    assert slope.status == SMOOTH
    assert abs(slope.value) <= slope.bound < 1e-11


def test_an_offset_that_cancels_widens_the_bound_and_no_more():
    slope = certify(lambda x: (1e8 + math.sin(x)) - 1e8, 0.4)
    assert abs(slope.value - math.cos(0.4)) <= slope.bound < 1e-2


def test_a_tie_of_max_is_a_kink_that_is_named():
    x = tr.tensor([1.0, 2.0, 2.0], name="x")
    trace = tr.trace(tr.max(x))
    slopes = certify_elements(loss_by(trace, 0), x.value)
    assert [s.status for s in slopes] == [SMOOTH, KINK, KINK]
    assert kinks_near(trace, 0, 1)[0].value == 2.0
    assert kinks_near(trace, 0, 0) == ()


def test_what_is_not_a_number_in_a_dead_branch_leaves_the_other_its_derivative():
    """where(x > 0, log x, x) at −1: the branch that is not taken is NaN, and so would its own slope be."""
    x = tr.tensor([-1.0, 2.0], name="x")
    trace = tr.trace(tr.where(x > 0, tr.log(x), x).sum())
    slopes = certify_elements(loss_by(trace, 0), x.value)
    assert [s.value for s in slopes] == pytest.approx([1.0, 0.5], rel=1e-11)


def test_nan_everywhere_is_not_finite_and_no_number():
    x = tr.tensor([1.0], name="x")
    (slope,) = certify_elements(loss_by(tr.trace((x * np.nan).sum()), 0), x.value)
    assert slope.status == "not finite"
    assert judge(math.nan, slope)[0] == UNDECIDABLE


# ----- what a search among 100,000 functions found, and what stays beyond the method


def test_a_kink_stays_one_beside_an_element_that_takes_more_rounds():
    def f(a: np.ndarray) -> float:
        return float(np.sum(np.where(a > 0, 1.05 * a, 1.75 * np.expm1(a)) * [1.3, 1.1, 0.9]))

    at_kink = certify_elements(f, np.array([-1e-9, 0.0, 800.0]))[1]
    assert at_kink.status == KINK
    assert (at_kink.left, at_kink.right) == (pytest.approx(1.925), pytest.approx(1.155))


def test_wide_steps_over_something_narrow_are_contradicted_by_the_finer_ones():
    def bump(x: float) -> float:
        return math.exp(
            -(((313.1748273813801 * x + 0.36326907992139956) / 0.2655780821071625) ** 2)
        )

    x = -0.002096587096595781
    slope = certify(bump, x)
    assert abs(slope.value - 769.1117948363491) <= slope.bound < 1e-6


def test_rounding_that_is_alike_on_a_coarse_grid_is_heard():
    x = -2.4028741890601037
    slope = certify(lambda t: math.log(1e4 + t) - math.log(1e4), x)
    assert abs(slope.value - 1 / (1e4 + x)) <= slope.bound < 1e-12


def test_an_oscillation_finer_than_float64_is_known_to_nothing():
    """The period of sin(e^(123 x)) at 0.24 is 10⁻¹⁴ of x: what is seen is noise, and the number says no more."""
    slope = certify(lambda x: math.sin(math.exp(123.3 * x)), 0.24035643918031546)
    assert not slope.bound < abs(slope.value)


def test_rounding_that_is_alike_at_all_points_of_the_coarse_stencil_is_heard_on_the_fine_one():
    """Slope times spacing is 7 units of what is rounded to, so that every point of the coarse stencil is off alike."""
    line = 7 * STENCIL[:, None]
    assert noise_level(np.round(line + 0.3))[0] < 1e-9
    line = 7 * FINE[:, None] / 1024
    assert 0.05 < noise_level(np.round(line + 0.3), fine=True)[0] < 1


def test_a_unit_is_read_off_the_bits_of_the_values():
    x = 0.7 + 1e-7 * FINE[:, None]
    single = np.float64(np.sin(np.float32(x)))
    half = np.float64(np.sin((1e4 * x).astype(np.float16)).astype(np.float16))
    assert unit_of(np.sin(x), np.sin(x))[0] == 2.0**-52
    assert unit_of(single, single)[0] == 2.0**-23
    assert unit_of(half, half)[0] == 2.0**-10
    whole = np.floor(10 * x)
    assert unit_of(whole, whole)[0] == 2.0**-52  # a step of floor says nothing


@pytest.mark.parametrize(
    ("function", "x", "truth"),
    [
        pytest.param(lambda x: x if x > 0 else math.expm1(x), 0.0, 1.0, id="elu"),
        pytest.param(lambda x: x / (1 + abs(x)), 0.0, 1.0, id="softsign"),
        pytest.param(lambda x: max(1 - x, 0.0) ** 2 + x, 1.0, 1.0, id="squared hinge"),
        pytest.param(lambda x: math.sin(x) + x * abs(x), 0.0, 1.0, id="a bend in a sine"),
    ],
)
def test_where_the_second_derivative_jumps_the_first_is_known_well(function, x, truth):
    slope = certify(function, x)
    assert slope.status == SMOOTH
    assert abs(slope.value - truth) <= slope.bound < 1e-7


@pytest.mark.parametrize("share", [1e-3, 1e-6, 1e-8])
def test_a_faint_kink_is_no_bend(share):
    slope = certify(lambda x: math.sin(x) + share * abs(x), 0.0)
    assert slope.status == KINK
    assert slope.right - slope.left == pytest.approx(2 * share, rel=1e-3)


@pytest.mark.parametrize("x", [2.2384e-5, 1.2e-4, 2.5e-4])
@pytest.mark.parametrize("claim", [-1.0, 1.0])
def test_a_cancelling_difference_quotient_calls_no_right_claim_wrong(x, claim):
    slope = certify(lambda x: (1 - math.cos(x)) / x**2, x)
    assert judge(-x / 12, slope)[0] != DISAGREE
    assert judge(claim * 4e4, slope)[0] == DISAGREE
