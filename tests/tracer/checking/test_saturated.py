"""Functions that are constant but for rounding: a right gradient never fails, and a wrong one does where it shows."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.checking import DISAGREE
from tracer.checking.numerical import loss_by
from tracer.checking.rounding import rounded, throughput

GAPS = [15.0, 20.0, 25.0, 30.0, 35.0, 38.0, 60.0, 700.0]
TARGETS = np.array([0, 3, 5, 9])


def logits(sd: float) -> np.ndarray:
    return sd * np.random.default_rng(int(sd)).normal(size=(4, 10))


def squeezed(x):
    return tr.sum(1 - tr.tanh(x) ** 2)


def softplus(x):
    return tr.sum(tr.log(1 + tr.exp(-x)))


def surprise(x):
    return -tr.sum(tr.log(tr.sigmoid(x)))


def doubt(x):
    return tr.sum(1 - tr.sigmoid(x))


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize(
    ("fn", "shaped"),
    [
        pytest.param(tr.softmax, lambda c: np.array([c, 0.0, 0.3]), id="softmax"),
        pytest.param(tr.softmax, lambda c: np.array([-c, 0.3 - c, 0.2]), id="softmax below"),
        pytest.param(tr.log_softmax, lambda c: np.array([c, 0.0, 0.3]), id="log_softmax"),
        pytest.param(
            lambda z: tr.cross_entropy(z, np.arange(2)), lambda c: c * np.eye(2), id="cross_entropy"
        ),
        pytest.param(softplus, np.array, id="log(1 + exp -x)"),
        pytest.param(surprise, np.array, id="-log sigmoid"),
        pytest.param(squeezed, lambda c: np.array([c, -0.3]), id="1 - tanh^2"),
        pytest.param(doubt, np.array, id="1 - sigmoid"),
        pytest.param(
            lambda z: tr.binary_cross_entropy_with_logits(z, np.array([1.0, 0.0])),
            lambda c: np.array([c, -c]),
            id="sigmoid and binary cross entropy",
        ),
    ],
)
def test_a_right_gradient_of_a_saturated_function_never_fails(fn, shaped, gap):
    report = tr.check(fn, shaped(gap))
    assert report.outcome in ("PASS", "PRECISION-LIMITED"), report


@pytest.mark.parametrize("sd", [5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("fn", [tr.softmax, tr.log_softmax, lambda z: tr.cross_entropy(z, TARGETS)])
def test_random_logits_never_fail(fn, sd):
    assert tr.check(fn, logits(sd)).outcome in ("PASS", "PRECISION-LIMITED")


def test_attention_with_masked_scores_passes():
    scores = 8 * np.random.default_rng(0).normal(size=(3, 4))
    mask = np.where(np.arange(4) > np.arange(3)[:, None], -np.inf, 0.0)
    assert tr.check(lambda s: tr.softmax(s + mask), scores).outcome == "PASS"


def test_a_saturated_lstm_cell_passes():
    rng = np.random.default_rng(0)
    x, h, c = (20 * rng.normal(size=(2, 3)) for _ in range(3))
    w, u, b = 3 * rng.normal(size=(12, 3)), 3 * rng.normal(size=(12, 3)), rng.normal(size=12)
    report = tr.check(lambda x, w: tr.sum(tr.lstm_cell(x, h, c, w, u, b, b)[0]), (x, w))
    assert report.outcome in ("PASS", "PRECISION-LIMITED"), report


@pytest.mark.parametrize("gap", [15.0, 20.0])
@pytest.mark.parametrize(("factor", "sign"), [(2.0, -1.0), (-1.0, -1.0), (1.0, 1.0)])
def test_a_wrong_gradient_of_a_confident_softmax_still_fails(gap, factor, sign):
    def hand(x):
        p = tr.softmax(x)
        # the value of softmax, with a gradient that is off by a factor
        return factor * p + (1 - factor) * p.value if sign < 0 else p.value * (1 + x - x.value)

    assert tr.check(hand, np.array([gap, 0.0, 0.3])).outcome == "FAIL"


@pytest.mark.parametrize("gap", [15.0, 22.0, 28.0])
@pytest.mark.parametrize("factor", [2.0, -1.0])
def test_a_wrong_gradient_of_a_confident_loss_still_fails(gap, factor):
    def hand(z):
        loss = tr.cross_entropy(z, np.arange(2))
        return factor * loss + (1 - factor) * loss.value

    report = tr.check(hand, gap * np.eye(2))
    assert report.outcome == "FAIL"
    assert any(e.verdict == DISAGREE for e in report.rows[0].elements)


@pytest.mark.parametrize("gap", [15.0, 30.0, 40.0])
def test_a_right_derivation_of_a_confident_cross_entropy_never_fails(gap):
    z = tr.tensor(gap * np.eye(2), name="z")
    trace = tr.trace(tr.cross_entropy(z, np.arange(2)))
    e = np.exp(-gap)
    right = e / (1 + e) / 2 * np.array([[-1.0, 1.0], [1.0, -1.0]])
    assert tr.verify(trace, {"z": right}).outcome != "FAIL"
    if gap < 40:
        assert tr.verify(trace, {"z": -right}).outcome == "FAIL"


@pytest.mark.parametrize("offset", [1e14, 1e16])
def test_a_bound_wider_than_the_gradient_decides_nothing(offset):
    x = np.array([0.3, 0.5, -1.0])
    wrong = tr.check(lambda x: offset + tr.sum(x * x.value), x)
    assert wrong.outcome == "PRECISION-LIMITED"


def test_a_small_gradient_beside_a_large_offset_decides_nothing():
    x = np.array([0.3, 0.5, -1.0])
    assert tr.check(lambda x: 1e8 + tr.sum(x * x.value * 1e-8), x).outcome == "PRECISION-LIMITED"


@pytest.mark.parametrize("x", [2.2384e-5, 1.2e-4, 2.5e-4, 3e-4, 1e-5])
def test_a_difference_that_cancels_is_no_fault_of_the_rules(x):
    for fn in (
        lambda x: (1 - tr.cos(x)) / (x * x),
        lambda x: (tr.exp(x) - 1) / x,
        lambda x: (tr.exp(x) - tr.exp(-x)) / (2 * x),
    ):
        assert tr.check(fn, np.array([x])).outcome in ("PASS", "PRECISION-LIMITED")


@pytest.mark.parametrize("x", [1e-16, 1e-18, 1e-20, 1e-30])
@pytest.mark.parametrize("fn", [tr.log, tr.sqrt, lambda x: 1 / x])
def test_tiny_numbers_have_derivatives(fn, x):
    assert tr.check(fn, np.array([x])).outcome == "PASS"


def test_gradients_that_vanish_on_a_long_way_pass():
    def deep(x):
        for _ in range(150):
            x = tr.tanh(x + 0.1)
        return x

    assert tr.check(deep, np.array([0.3, 0.5, -1.0])).outcome == "PASS"


def test_what_is_rounded_on_the_way_and_inside_fused_operations_is_known():
    x = tr.tensor(40.0, name="x")
    trace = tr.trace(tr.log(1 + tr.exp(-x)))
    assert trace.value(trace.loss) == 0.0
    assert throughput(trace, 0) == pytest.approx(1.0)
    assert loss_by(trace, 0).noise == rounded(trace, 0) == pytest.approx(2.0**-52)
    z = tr.tensor(40 * np.eye(2), name="z")
    fused = tr.trace(tr.cross_entropy(z, np.arange(2)))
    assert 2.0**-55 < rounded(fused, 0) < 2.0**-50


KERNELS = [
    pytest.param(lambda x: np.log(1 + np.exp(-x)), lambda x: -1 / (1 + np.exp(x)), id="softplus"),
    pytest.param(
        lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) / np.cosh(x) ** 2, id="1 - tanh^2"
    ),
    pytest.param(
        lambda x: 1 - 1 / (1 + np.exp(-x)),
        lambda x: -np.exp(-x) / (1 + np.exp(-x)) ** 2,
        id="1 - s",
    ),
]


@pytest.mark.parametrize(("forward", "slope"), KERNELS)
@pytest.mark.parametrize("x", GAPS)
def test_a_right_kernel_never_fails(forward, slope, x):
    report = tr.verify_function(forward, lambda g, x: g * slope(x), (np.array([x]),))
    assert report.outcome in ("PASS", "PRECISION-LIMITED"), report


@pytest.mark.parametrize(("forward", "slope"), KERNELS)
@pytest.mark.parametrize("x", [5.0, 10.0, 14.0])
def test_a_wrong_kernel_fails(forward, slope, x):
    for factor in (-1, 2):
        wrong = scaled(factor, slope)
        assert tr.verify_function(forward, wrong, (np.array([x]),)).outcome == "FAIL"


def scaled(factor, slope):
    return lambda g, x: factor * g * slope(x)


def stable(z):
    z = z - z.max(1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(2), np.arange(2)])


def pulled(g, z):
    p = np.exp(z - z.max(1, keepdims=True))
    return g * (p / p.sum(1, keepdims=True) - np.eye(2)) / 2


@pytest.mark.parametrize("gap", GAPS)
def test_a_hand_written_cross_entropy_never_fails_and_a_wrong_one_does(gap):
    right = tr.verify_function(stable, pulled, (gap * np.eye(2),))
    assert right.outcome in ("PASS", "PRECISION-LIMITED"), right
    if gap < 30:
        wrong = tr.verify_function(stable, lambda g, z: 2 * pulled(g, z), (gap * np.eye(2),))
        assert wrong.outcome == "FAIL"
