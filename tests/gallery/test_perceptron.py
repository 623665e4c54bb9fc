"""Accuracy as an objective: the gradient says nothing; that of the log-likelihood does."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY

PERCEPTRON, LOG_LIKELIHOOD = GALLERY["perceptron"], GALLERY["perceptron:log_likelihood"]


@pytest.mark.parametrize("w2", np.linspace(-2.9, 3.1, 7))
def test_the_gradient_of_the_accuracy_is_exactly_zero_everywhere_on_the_plateaus(w2):
    trace = tr.trace(PERCEPTRON.build(w2=w2))
    assert not np.any(trace.gradient("w"))
    assert trace.gradient("predicted").all(), "it is lost at the sign, not before"
    assert tr.trace(LOG_LIKELIHOOD.build(w2=w2)).gradient("w").all()


def test_the_accuracy_is_the_share_of_samples_on_their_side():
    trace = tr.trace(PERCEPTRON.build())
    right = np.sign(trace.value("z")) == trace.value("y")
    assert trace.value("accuracy") == np.mean(right)
    assert 1 - trace.value("loss") == pytest.approx(trace.value("accuracy"))


def test_a_small_move_changes_the_log_likelihood_and_not_the_accuracy():
    for entry, changes in ((PERCEPTRON, False), (LOG_LIKELIHOOD, True)):
        here, beside = (tr.trace(entry.build(w2=w2)).value("loss") for w2 in (-0.3, -0.29))
        assert (here != beside) == changes


def test_steps_along_the_gradient_of_the_log_likelihood_raise_the_accuracy():
    w = np.array([0.4, -0.3])
    for _ in range(50):
        w = w - tr.trace(LOG_LIKELIHOOD.build(w1=w[0], w2=w[1])).gradient("w")
    before, after = (
        tr.trace(PERCEPTRON.build(w1=w1, w2=w2)).value("accuracy") for w1, w2 in ((0.4, -0.3), w)
    )
    assert after > before


def test_the_plots_are_steps_and_a_hill_through_the_recorded_numbers():
    steps, hill = PERCEPTRON.plots(**PERCEPTRON.settings())
    accuracy, likelihood = np.asarray(steps.marks[0].y), np.asarray(hill.marks[0].y)
    assert np.mean(np.diff(accuracy) == 0) > 0.9
    assert len(set(accuracy)) > 3
    assert np.all(np.diff(likelihood) != 0)
    assert np.all(np.diff(likelihood, 2) < 1e-12), "it has one top"
    assert steps.marks[1].y[0] == tr.trace(PERCEPTRON.build()).value("accuracy")
    assert hill.marks[1].y[0] == pytest.approx(tr.trace(LOG_LIKELIHOOD.build()).value("ll"))
