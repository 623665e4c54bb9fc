"""Softmax of two and three classes, log-likelihood, and cross-entropy with soft targets."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY


def trace_of(name, **settings):
    return tr.trace(GALLERY[name].build(**settings))


@pytest.mark.parametrize("scale", [0.0, 1.0, 7.5])
def test_a_softmax_of_the_scores_plus_and_minus_z_is_a_sigmoid_of_two_z(scale):
    """CS188: exp(z) / (exp(z) + exp(-z)), with z = w·f(x)."""
    two, one = trace_of("softmax", scale=scale), trace_of("softmax:sigmoid", scale=scale)
    np.testing.assert_allclose(two.value("p")[:, 0], 1 / (1 + np.exp(-2 * two.value("z"))))
    assert two.value("loss") == pytest.approx(one.value("loss"), rel=1e-12)
    np.testing.assert_allclose(two.gradient("w"), one.gradient("w"), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "softmax:three", "softmax:two_layers"])
def test_probabilities_sum_to_one_and_the_gradient_of_the_scores_to_zero(name):
    trace = trace_of(name)
    p, y = trace.value("p"), trace.value("y")
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(trace.gradient("scores"), p - y, atol=1e-14)
    np.testing.assert_allclose(trace.gradient("scores").sum(axis=1), 0, atol=1e-14)
    assert trace.value("ll") == pytest.approx(np.log(np.sum(p * y, axis=1)).sum())


def test_three_classes_are_the_cross_entropy_of_their_scores():
    trace = trace_of("softmax:three")
    scores, classes = trace.value("scores"), np.argmax(trace.value("y"), axis=1)
    mean = tr.cross_entropy(tr.constant(scores), tr.constant(classes))
    assert trace.value("loss") == pytest.approx(len(classes) * float(mean.value))


def test_a_sample_pulls_the_weights_of_its_class_towards_it_and_pushes_the_others():
    """The update of wA is the sum of (1 - p(A)) f over samples of A and -p(A) f over the others."""
    trace = trace_of("softmax:three")
    f, p, y = (trace.value(name) for name in ("f", "p", "y"))
    for column, name in enumerate(("wA", "wB", "wC")):
        np.testing.assert_allclose(-trace.gradient(name), (y - p)[:, column] @ f)


def test_weights_of_zero_leave_every_class_as_likely():
    for name, classes in (("softmax", 2), ("softmax:three", 3), ("softmax:two_layers", 3)):
        trace = trace_of(name, scale=0.0)
        np.testing.assert_allclose(trace.value("p"), 1 / classes)
        assert trace.value("loss") == pytest.approx(4 * math.log(classes))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_gradient_of_the_scores_is_p_minus_q_for_one_hot_and_soft_targets(share):
    trace = trace_of("softmax:soft_targets", share=share)
    np.testing.assert_allclose(
        trace.gradient("z"), trace.value("p") - [share, 1 - share], atol=1e-15
    )


def test_a_soft_target_has_a_lowest_loss_and_a_one_hot_target_none():
    at_target = trace_of("softmax:soft_targets", z1=math.log(0.7), z2=math.log(0.3))
    entropy = -0.7 * math.log(0.7) - 0.3 * math.log(0.3)
    assert f"{entropy:.3f}" == "0.611"
    assert at_target.value("H") == pytest.approx(entropy)
    np.testing.assert_allclose(at_target.gradient("z"), 0, atol=1e-15)
    one_hot = [trace_of("softmax:soft_targets", share=1.0, z1=z).value("H") for z in (1, 3, 9)]
    assert one_hot == sorted(one_hot, reverse=True)


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_the_plot_of_the_cross_entropy_passes_through_what_is_recorded(share):
    entry = GALLERY["softmax:soft_targets"]
    (plot,) = entry.plots(**entry.settings(share=share))
    _, soft, here, *lowest = plot.marks
    assert here.y[0] == pytest.approx(trace_of("softmax:soft_targets", share=share).value("H"))
    assert len(lowest) == (share == 0.7)
    if lowest:
        assert lowest[0].y[0] == pytest.approx(min(soft.y), abs=1e-3)
