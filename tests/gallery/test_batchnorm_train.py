"""Figure 1 of Ioffe & Szegedy 2015 on 8x8 digits: faster with batch normalisation, and steadier inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.digits import digits
from gallery.normalisation.batchnorm_train import NETWORKS, PERCENTILES
from gallery.normalisation.sigmoids import Sigmoids
from gallery.training import train

ENTRY = GALLERY["batchnorm_train"]


@pytest.fixture(scope="module")
def begun():
    *_, history = train(ENTRY.training, ENTRY.settings(), steps=60)
    return history


def test_the_first_step_of_the_training_is_what_opens(begun):
    opened, trained = tr.trace(ENTRY.build()), begun.traces[1]
    assert opened.value("loss") == trained.value("loss")
    np.testing.assert_array_equal(opened.gradient("W1"), trained.gradient("W1"))


def test_both_networks_start_from_equal_weights():
    with_bn, without = (tr.trace(ENTRY.build(bn=bn)) for bn in (True, False))
    for name in ("W1", "W2", "W3", "W4", "x"):
        np.testing.assert_array_equal(with_bn.value(name), without.value(name))
    ops = [{node.op_name for node in trace} for trace in (with_bn, without)]
    assert "batch_norm" in ops[0]
    assert "batch_norm" not in ops[1]


def test_scale_and_shift_have_the_shape_of_a_bias_and_are_trained(begun):
    last = tr.trace(ENTRY.build())
    assert last.value("gamma1").shape == last.value("beta1").shape == (60,)
    assert np.any(begun.traces[10].value("gamma1") != 1)
    assert np.any(begun.traces[10].value("beta1") != 0)


def test_which_network_is_shown_does_not_change_what_is_trained(begun):
    *_, other = train(ENTRY.training, ENTRY.settings(bn=False), steps=20)
    for name, (steps, numbers) in other.measures.items():
        np.testing.assert_array_equal(numbers, begun.measures[name][1][: len(steps)])
    assert other.losses[0] != begun.losses[0]


def test_sixty_steps_with_normalisation_reach_what_takes_hundreds_without(begun):
    reached = {name: begun.measures[f"accuracy {name}"][1].max() for name in NETWORKS}
    assert reached["with BN"] > 0.9
    assert reached["without BN"] < 0.75


def test_the_percentiles_are_those_of_the_figure(begun):
    """LECTURES section 4: the 15/50/85 percentiles of a sigmoid's input."""
    assert PERCENTILES == (15, 50, 85)
    for name in NETWORKS:
        low, middle, high = (begun.measures[f"{percent} % {name}"][1] for percent in PERCENTILES)
        assert np.all((low <= middle) & (middle <= high))


def test_in_use_one_batch_as_running_average_is_that_batch():
    network = Sigmoids(bn=True, hidden=7, eps=1e-5, seed=3)
    images, labels = digits().train_images[:50], digits().train_labels[:50]
    _, layers = network.loss(images, labels)
    logits, inputs = network.at_inference(images)
    np.testing.assert_allclose(logits, layers["logits"].value, rtol=1e-10)
    assert inputs.shape == (50, 7)


def test_the_plots_are_both_halves_of_the_figure(begun):
    accuracy, without, with_bn = ENTRY.training.plots(begun, **ENTRY.settings())
    assert [mark.label for mark in accuracy.marks] == list(NETWORKS)
    for plot, name in ((without, "without BN"), (with_bn, "with BN")):
        band, median = plot.marks
        assert name in plot.title
        assert band.label == "15 to 85 %"
        np.testing.assert_array_equal(median.y, begun.measures[f"50 % {name}"][1])
        assert np.all(np.less_equal(band.low, median.y) & np.less_equal(median.y, band.high))
    assert (without.y.low, without.y.high) == (with_bn.y.low, with_bn.y.high), "one scale"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_normalisation_takes_a_fifth_of_the_steps_to_90_percent(seed):
    """Figure 1a of the paper: it trains faster, as the caption says, and no worse in the end."""
    *_, history = train(ENTRY.training, ENTRY.settings(seed=seed))
    first, last = {}, {}
    for name in NETWORKS:
        steps, accuracy = history.measures[f"accuracy {name}"]
        first[name] = steps[np.argmax(accuracy >= 0.9)]
        last[name] = accuracy[-10:].mean()
    assert 5 * first["with BN"] <= first["without BN"]
    assert last["with BN"] >= last["without BN"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_normalisation_keeps_the_inputs_of_the_sigmoids_where_they_are(seed):
    """Figures 1b and 1c: how far the percentiles wander, in means over 25 steps, for the middle one of all units."""
    drift = {}
    for bn in (True, False):
        moments = itertools.islice(ENTRY.training.run(**ENTRY.settings(bn=bn, seed=seed)), 1000)
        inputs = (moment.layers["layer 3"].inputs[0].value for moment in moments)
        wandering = np.array([np.percentile(each, PERCENTILES, axis=0) for each in inputs])
        means = wandering.reshape(-1, 25, *wandering.shape[1:]).mean(axis=1)
        drift[bn] = np.median(np.ptp(means, axis=0), axis=-1)
    assert np.all(1.5 * drift[True] < drift[False]), drift
