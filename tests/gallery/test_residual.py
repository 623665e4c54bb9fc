"""Residual and highway connections: the lecture's formulas, and the gradient as a sum over paths."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.residual.forms import FORMS, HIDDEN
from gallery.residual.paths import left_over, paths
from gallery.residual.saturation import P, gradient_sizes

CONNECTIONS = ("residual:plain", "residual", "residual:scaled", "highway")
h = np.array(HIDDEN)


def sigma(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("b", [-2.0, 4.0, -25.0])
@pytest.mark.parametrize("name", CONNECTIONS)
def test_the_paths_to_the_weights_add_up_to_their_gradient(name, b):
    trace = tr.trace(GALLERY[name].build(b=b))
    np.testing.assert_allclose(left_over(trace, "W2"), 0, atol=1e-13)


@pytest.mark.parametrize(("name", "count"), [*zip(CONNECTIONS, (1, 2, 2, 4), strict=True)])
def test_each_form_has_as_many_paths_as_the_lecture_draws(name, count):
    assert len(paths(tr.trace(GALLERY[name].build()), "W2")) == count


def test_plain_and_residual_are_the_lectures_formulas():
    """Simion: de/dW2 = (y - t) s(s)(1 - s(s)) h, and (y - t) h for the second path of the residual form."""
    for name in ("residual:plain", "residual"):
        trace = tr.trace(GALLERY[name].build())
        y, s, t = (trace.value(each) for each in ("y", "s", "t"))
        expected = [(y - t) * sigma(s) * (1 - sigma(s)) * h, (y - t) * h]
        for found, path in zip(paths(trace, "W2"), expected, strict=False):
            np.testing.assert_allclose(found, path, rtol=1e-12)


def test_the_scaled_form_times_its_second_path_by_the_weight():
    """y = s(s) + W s, as the deck writes it."""
    trace = tr.trace(GALLERY["residual:scaled"].build(scale=-0.3))
    assert trace.value("y") == pytest.approx(sigma(trace.value("s")) - 0.3 * trace.value("s"))
    second = paths(trace, "W2")[1]
    np.testing.assert_allclose(second, (trace.value("y") - 1) * -0.3 * h, rtol=1e-12)


@pytest.mark.parametrize("b", [-2.0, 1.5])
def test_the_highway_gradient_is_the_lectures_two_terms(b):
    """(y - t) s(p) s(s)(1 - s(s)) h + (y - t)[s(p)(1 - s(p)) s(s) + 1 - s(p) - p s(p)(1 - s(p))] h."""
    trace = tr.trace(GALLERY["highway"].build(b=b))
    y, s, t, p = (trace.value(each) for each in ("y", "s", "t", "p"))
    assert y == pytest.approx(sigma(p) * sigma(s) + (1 - sigma(p)) * p)
    gate = sigma(p) * (1 - sigma(p))
    first = (y - t) * sigma(p) * sigma(s) * (1 - sigma(s)) * h
    second = (y - t) * (gate * sigma(s) + 1 - sigma(p) - p * gate) * h
    np.testing.assert_allclose(trace.gradient("W2"), first + second, rtol=1e-12)
    np.testing.assert_allclose(paths(trace, "W2")[0], first, rtol=1e-12)


def test_the_highway_layer_of_the_library_is_this_form():
    trace = tr.trace(GALLERY["highway"].build())
    layer = tr.nn.Highway(2, 1, rng=0)
    layer.weight.set(trace.value("W2")[None, :])
    layer.bias.set([-2.0])
    assert layer(h[None, :]).value.item() == pytest.approx(trace.value("y"), rel=1e-14)


@pytest.mark.parametrize("b", [-60.0, 60.0])
def test_only_a_path_past_the_sigmoid_survives_saturation(b):
    """Simion: the plain gradient vanishes for large |s|; that of the other forms does not."""
    sizes = {
        name: np.abs(tr.trace(GALLERY[name].build(b=b)).gradient("W2")).max()
        for name in CONNECTIONS
    }
    assert sizes.pop("residual:plain") < 1e-20
    assert min(sizes.values()) > 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_the_plotted_sizes_are_those_of_the_entries(form):
    name = {"plain": "residual:plain", "scaled": "residual:scaled"}.get(form, form)
    s = np.array([-7.0, 0.0, 3.0])
    recorded = [
        np.linalg.norm(tr.trace(GALLERY[name].build(b=each - P)).gradient("W2")) for each in s
    ]
    np.testing.assert_allclose(gradient_sizes(FORMS[form], s), recorded, rtol=1e-12)


def test_the_plot_shows_every_form_and_where_b_stands_however_far():
    for b in (-2.0, 500.0):
        (plot,) = GALLERY["residual"].plots(b=b)
        assert [mark.label for mark in plot.marks] == [*FORMS, f"b = {b:g}"]
        assert plot.marks[-1].x[0] == pytest.approx(P + b)
        assert plot.y.scale == "log"
        assert max(plot.marks[0].x) >= P + b
