"""Weight decay: what the penalty sends to a weight, and where it keeps the weights in the end."""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery import GALLERY
from gallery.regularisation.weight_decay import descent, updated


def test_weight_decay_is_a_second_path_that_shrinks_the_weight():
    """d/dw of J + lambda/(2m) sum w^2: dJ/dw + lambda/m w; w <- (1 - alpha lambda/m) w - alpha dJ/dw."""
    with_decay = tr.trace(GALLERY["weight_decay"].build(lam=2.0))
    without = tr.trace(GALLERY["weight_decay"].build(lam=0.0))
    extra = with_decay.gradient("w") - without.gradient("w")
    np.testing.assert_allclose(extra, 2.0 / 4 * with_decay.value("w"), rtol=1e-12)
    assert with_decay.gradient("b") == without.gradient("b")


def test_descent_starts_with_the_step_of_the_entry_but_for_the_bias():
    trace = tr.trace(GALLERY["weight_decay"].build())
    np.testing.assert_allclose(descent(0.8)[:2], [trace.value("w"), updated(trace)], rtol=1e-12)


def test_without_decay_the_weights_of_separable_data_grow_and_with_it_they_settle():
    free, held = descent(0.0), descent(0.8)
    assert np.linalg.norm(free[-1]) > np.linalg.norm(free[-50]) + 0.1
    np.testing.assert_allclose(held[-1], held[-50], atol=1e-3)


def test_the_plot_draws_the_way_without_decay_once():
    for lam, count in ((0.0, 1), (2.0, 2)):
        (plot,) = GALLERY["weight_decay"].plots(lam=lam)
        assert len(plot.marks) == 1 + count
