"""The 2-3-1 network: the way back to one weight, and the steps that its knobs make."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.training import train

MLP = GALLERY["mlp"]


def test_the_gradient_of_one_weight_is_a_product_of_five_local_gradients():
    """dL/da2 · da2/dz2 · dz2/da1 · da1/dz1 · dz1/dW1: the one way from the loss to W1[0, 0]."""
    trace = tr.trace(MLP.build())
    y, x = trace.value("y"), trace.value("x")
    a1, a2 = trace.value("a1"), trace.value("a2")
    out = trace.value("W2")
    five = ((a2 - y) / (a2 * (1 - a2)), a2 * (1 - a2), out[0], a1[0] * (1 - a1[0]), x[0])
    assert trace.gradient("W1")[0, 0] == pytest.approx(np.prod(five), rel=1e-12)


def test_the_shapes_are_two_inputs_three_hidden_units_and_one_output():
    trace = tr.trace(MLP.build())
    shapes = [np.shape(trace.value(name)) for name in ("x", "W1", "b1", "z1", "a1", "W2", "z2")]
    assert shapes == [(2,), (3, 2), (3,), (3,), (3,), (3,), ()]


def test_the_knob_is_the_first_weight():
    trace = tr.trace(MLP.build(w=-2.0))
    assert trace.value("W1")[0, 0] == -2.0
    np.testing.assert_array_equal(
        trace.value("W1").ravel()[1:], tr.trace(MLP.build()).value("W1").ravel()[1:]
    )


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_step_more_moves_every_weight_against_its_gradient(steps):
    before, after = (tr.trace(MLP.build(lr=0.3, steps=count)) for count in (steps, steps + 1))
    for name in ("W1", "b1", "W2", "b2"):
        moved = before.value(name) - 0.3 * before.gradient(name)
        np.testing.assert_allclose(after.value(name), moved, rtol=1e-15)


def test_the_loss_falls_with_the_steps():
    losses = [tr.trace(MLP.build(steps=steps)).value("L") for steps in (0, 1, 10, 100)]
    assert losses == sorted(losses, reverse=True)


def test_the_plot_shows_the_loss_along_the_weight_and_the_step_downhill():
    (plot,) = MLP.plots(**MLP.settings(lr=2.0))
    loss, tangent, here, there = plot.marks
    assert here.y[0] == pytest.approx(tr.trace(MLP.build()).value("L"))
    assert there.y[0] < here.y[0]
    slope = np.interp(0.6, loss.x, np.gradient(loss.y, loss.x))
    assert np.diff(tangent.y) / np.diff(tangent.x) == pytest.approx(slope, rel=1e-2)


def test_its_training_makes_the_steps_of_the_knob_and_goes_to_the_target():
    *_, history = train(MLP.training, MLP.settings(), steps=12)
    knob = [MLP.build(steps=steps).item() for steps in range(12)]
    np.testing.assert_array_equal(history.losses, knob)
    assert history.traces[1].labels == tr.trace(MLP.build()).labels
    output = history.measures["output a2"][1]
    assert np.all(np.diff(output) > 0)
    *_, later = train(MLP.training, MLP.settings(steps=5), steps=3)
    np.testing.assert_array_equal(later.losses, knob[5:8])
