"""Kernels whose output does not change: no verdict on backward, and no false one; gradients that are but rounding."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))
LARGE = RNG.normal(size=(300, 20))


def batch_norm(x, b):
    y = x + b
    return (y - y.mean(0)) / np.sqrt(y.var(0) + 1e-5)


def batch_norm_backward(g, x, b):
    hat, std = batch_norm(x, b), np.sqrt((x + b).var(0) + 1e-5)
    g = g + 0 * x
    dx = (g - g.mean(0) - hat * (g * hat).mean(0)) / std
    return dx, dx.sum(0)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def softmax_backward(g, x):
    s = softmax(x)
    return s * (g - (g * s).sum(-1, keepdims=True))


@pytest.mark.parametrize(
    ("forward", "backward", "x"),
    [
        pytest.param(
            lambda x: batch_norm(x, 0).sum(),
            lambda g, x: batch_norm_backward(g, x, 0)[0],
            X,
            id="right",
        ),
        pytest.param(
            lambda x: batch_norm(x, 0).sum(),
            lambda g, x: (g + 0 * x - (g + 0 * x).mean(0)) / np.sqrt(x.var(0) + 1e-5),
            X,
            id="wrong",
        ),
        pytest.param(
            lambda x: batch_norm(x, 0).sum(),
            lambda g, x: batch_norm_backward(g, x, 0)[0],
            LARGE,
            id="large",
        ),
        pytest.param(
            lambda x: batch_norm(x, 0).sum(0),
            lambda g, x: batch_norm_backward(g, x, 0)[0],
            X,
            id="several sums",
        ),
        pytest.param(
            lambda x: softmax(x).sum(-1),
            lambda g, x: softmax_backward(g[:, None] + 0 * x, x),
            X,
            id="softmax",
        ),
    ],
)
def test_of_an_output_that_never_changes_nothing_can_be_told(forward, backward, x):
    report = tr.verify_function(forward, backward, x)
    assert report.outcome == "VACUOUS", report
    assert not report.ok
    said = " ".join(str(report).split())
    assert "does not change with x, so nothing about backward can be told" in said
    assert "try: return the tensor before its last sum" in said


@pytest.mark.parametrize(
    ("forward", "backward", "x"),
    [
        pytest.param(
            lambda x: np.maximum(x, 0).sum(), lambda g, x: g * (x > 0), -abs(X), id="a dead ReLU"
        ),
        pytest.param(lambda x: (x**2).sum(), lambda g, x: 2 * g * x, 0 * X, id="at a minimum"),
        pytest.param(lambda x: np.sign(x).sum(), lambda g, x: 0 * g * x, X, id="a step"),
        pytest.param(
            lambda x: 1e-15 * np.sin(x).sum(), lambda g, x: 1e-15 * g * np.cos(x), X, id="tiny"
        ),
    ],
)
def test_a_gradient_that_is_zero_or_tiny_at_these_numbers_alone_passes(forward, backward, x):
    assert tr.verify_function(forward, backward, x).outcome == "PASS"


def test_a_bias_before_a_normalisation_has_the_gradient_zero_and_that_is_a_finding():
    report = tr.verify_function(batch_norm, batch_norm_backward, (X, X[0]))
    assert report.outcome == "PASS"
    forgotten = tr.verify_function(
        batch_norm, lambda g, x, b: (batch_norm_backward(g, x, b)[0], g.sum(0)), (X, X[0])
    )
    assert [row.verdict for row in forgotten.rows] == ["AGREE", "DISAGREE"]


@pytest.mark.parametrize(
    "wrong", [lambda g, x: np.clip(g, -0.1, 0.1) * x, lambda g, x: 1e-9 * g * x]
)
def test_a_gradient_of_such_an_output_that_is_not_zero_fails(wrong):
    assert tr.verify_function(lambda x: batch_norm(x, 0).sum(), wrong, X).outcome == "FAIL"


def test_a_nonlinear_backward_is_caught_where_gradients_are_hard_to_compute():
    """cos 10⁹ x: a unit in the last place of x changes it in the seventh digit."""
    report = tr.verify_function(
        lambda x: np.sin(1e9 * x) / 1e9, lambda g, x: np.clip(g, -1, 1) * np.cos(1e9 * x), X
    )
    assert any(rung.name == "linear in g" and rung.failed for rung in report.rungs)
