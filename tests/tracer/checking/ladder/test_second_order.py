"""Second order: the gradient is checked as a function, and a rule that cannot be differentiated again is named."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.ladder.declared import wrong
from tracer.checking.report import FAIL, PASS

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))

CONSTANT = wrong("sine", np.sin, lambda g, out, x: g * np.cos(np.asarray(x)))
"""Its flows are right, but the rule reads the number of x, which a second derivative does not see."""


def test_the_second_derivatives_of_right_rules_agree():
    report = tr.check(lambda x, w: tr.softmax(tr.tanh(x @ w)), (X, W), order=2)
    assert report.outcome == PASS
    assert [row.name for row in report.rows] == ["x", "w", "x (2nd)", "w (2nd)"]


def test_a_rule_that_is_right_but_wrong_to_differentiate_is_named():
    def loss(x, w):
        h = tr.tanh(x @ w)
        y = CONSTANT(h)
        return tr.sum(y * y)

    assert tr.check(loss, (X, W)).outcome == PASS
    report = tr.check(loss, (X, W), order=2)
    assert report.outcome == FAIL
    assert report.faulty == "y"
    assert "rule of sine, differentiated again" in report.summary


def test_a_trace_is_checked_to_second_order():
    def recorded(op):
        x, w = tr.tensor(X, name="x"), tr.parameter(W, name="w")
        h = op(x @ w)
        return tr.trace(tr.mean(h * h))

    assert tr.check(recorded(tr.tanh), order=2).outcome == PASS
    report = tr.check(recorded(CONSTANT), order=2)
    assert (report.outcome, report.faulty) == (FAIL, "h")


@pytest.mark.parametrize(
    "fn",
    [
        pytest.param(lambda x: tr.sum(x), id="a gradient that is constant"),
        pytest.param(lambda x: tr.sum(tr.relu(x)), id="straight pieces"),
        pytest.param(lambda x: x * 2.0, id="linear, with several outputs"),
        pytest.param(lambda x: tr.batch_norm(x, np.ones(4), np.zeros(4)), id="fused"),
        pytest.param(lambda x: tr.log(tr.sum(tr.exp(x), axis=1)), id="composed"),
    ],
)
def test_functions_whose_second_derivative_is_plain_pass(fn):
    assert tr.check(fn, (X,), order=2).outcome == PASS
