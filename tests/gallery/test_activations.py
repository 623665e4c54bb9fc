"""The table of activation functions: slopes, saturation, and what each has to do with the others."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.activations.entries import batch, plots, slopes
from gallery.activations.table import ACTIVATIONS

RESULTS = "s t hard_tanh relu leaky_relu prelu elu swish gelu maxout".split()
EACH = [pytest.param(each, id=each.name) for each in ACTIVATIONS]


@pytest.fixture(scope="module")
def overview():
    return tr.trace(GALLERY["activations"].build())


def alone(name, **settings):
    return tr.trace(GALLERY[f"activations:{name}"].build(**settings))


def output(trace):
    return trace.value(trace.inputs_of(trace.loss)[0])


def test_the_gradient_of_the_batch_is_the_sum_of_all_slopes(overview):
    total = sum(slopes(overview, each.name) for each in ACTIVATIONS)
    np.testing.assert_allclose(overview.gradient("z"), total, rtol=1e-14)


@pytest.mark.parametrize("each", EACH)
def test_a_function_alone_has_the_slopes_that_it_has_among_the_others(overview, each):
    trace = alone(each.name)
    np.testing.assert_array_equal(trace.gradient("z"), slopes(overview, each.name))


@pytest.mark.parametrize("each", EACH)
def test_zero_centred_functions_are_odd_and_the_others_have_a_mean_above_zero(each):
    a = output(alone(each.name))
    if each.zero_centred:
        np.testing.assert_allclose(a, -a[::-1], atol=1e-15)
    else:
        assert np.mean(a) > 0.1


def test_the_slope_of_the_sigmoid_is_at_most_a_quarter_and_that_of_tanh_at_most_one():
    """CS188: s' = s (1 - s), 0.25 at 0; tanh' = 1 - tanh²."""
    for name, most in (("sigmoid", 0.25), ("tanh", 1.0)):
        gradient = alone(name).gradient("z")
        assert np.max(gradient) == gradient[len(gradient) // 2] == most


def test_tanh_is_a_sigmoid_stretched_by_two_in_both_directions():
    """tanh(z) = 2 s(2z) - 1, so its slope is four times that of the sigmoid at 2z."""
    t, s = alone("tanh", reach=6.0), alone("sigmoid", reach=12.0)
    np.testing.assert_allclose(output(t), 2 * output(s) - 1, atol=1e-15)
    np.testing.assert_allclose(t.gradient("z"), 4 * s.gradient("z"), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("each", "name"),
    [*zip(ACTIVATIONS, RESULTS, strict=True)],
)
def test_the_result_bears_the_name_of_its_function(overview, each, name):
    assert overview[name].scope[0].name == each.name


def test_relu_is_dead_where_others_only_saturate():
    """A dead slope is exactly zero; a saturated one is small and tells still which way is up."""
    left = batch(6.0) < -1.5
    assert not alone("relu").gradient("z")[left].any()
    assert not alone("hard_tanh").gradient("z")[left].any()
    for name in ("sigmoid", "tanh", "elu"):
        assert (alone(name).gradient("z")[left] > 0).all()
    for name in ("leaky_relu", "parametric_relu"):
        assert (alone(name).gradient("z")[left] >= 0.1).all()


def test_a_wider_batch_saturates_more():
    for name in ("sigmoid", "tanh", "elu", "gelu"):
        narrow, wide = (
            np.mean(np.abs(alone(name, reach=reach).gradient("z")) < 0.01) for reach in (2.0, 30.0)
        )
        assert narrow < wide


def test_relatives_of_relu_become_one_another():
    """max(αz, z) with α = 0 is ReLU and with α = 0.1 the leaky one; Maxout of 1·z + 0 and 0·z + 0 is ReLU."""
    relu, leaky = output(alone("relu")), output(alone("leaky_relu"))
    parametric, maxout = alone("parametric_relu"), alone("maxout")
    np.testing.assert_array_equal(parametric.replay({"alpha": 0.0}).value("prelu"), relu)
    np.testing.assert_allclose(parametric.replay({"alpha": 0.1}).value("prelu"), leaky)
    lines = {"w1": 1.0, "b1": 0.0, "w2": 0.0, "b2": 0.0}
    np.testing.assert_array_equal(maxout.replay(lines).value("maxout"), relu)


def test_far_out_swish_and_gelu_are_relu_and_elu_is_its_floor():
    relu = output(alone("relu", reach=30.0))
    for name in ("swish", "gelu"):
        np.testing.assert_allclose(output(alone(name, reach=30.0)), relu, atol=0.15)
    assert output(alone("elu", reach=30.0))[0] == pytest.approx(-1, abs=1e-12)


@pytest.mark.parametrize("number", range(len(ACTIVATIONS)))
def test_a_plot_shows_the_function_and_its_slope(number):
    each, plot = ACTIVATIONS[number], plots(6.0)[number]
    value, slope, *flat = plot.marks
    assert plot.title == each.title
    between = np.diff(value.y) / np.diff(value.x)
    middle = (np.asarray(slope.y)[1:] + np.asarray(slope.y)[:-1]) / 2
    kinks = np.abs(np.diff(slope.y)) > 0.1
    np.testing.assert_allclose(between[~kinks], middle[~kinks], atol=2e-3)
    share = sum(len(points.x) for points in flat) / len(batch(6.0))
    assert f"{share:.2f}" == each.share


def test_the_plot_of_one_function_follows_the_knob():
    (plot,) = GALLERY["activations:gelu"].plots(reach=2.0)
    assert (plot.marks[0].x[0], plot.marks[0].x[-1]) == (-2.0, 2.0)
