"""Dropout in the lecture's form and in PyTorch's, its four masks, and training against overfitting."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.digits import digits
from gallery.regularisation.dropout import (
    BATCH,
    IMAGES,
    Classifier,
    training_set,
    validation_set,
)
from gallery.regularisation.overfitting import stopped
from gallery.training import train


def test_a_dropped_unit_passes_nothing_on_and_receives_nothing():
    trace = tr.trace(GALLERY["dropout"].build())
    gone = trace.value("r") == 0
    assert 0.4 < gone.mean() < 0.6
    assert not trace.value("atilde")[gone].any()
    assert not trace.gradient("a")[gone].any()
    np.testing.assert_array_equal(trace.gradient("a")[~gone], trace.gradient("atilde")[~gone])


@pytest.mark.parametrize("p", [0.25, 0.9])
def test_the_lectures_layer_scales_by_p_in_use_and_pytorchs_while_training(p):
    """LECTURES section 9: p stays and the test scales, or p is dropped and training scales."""
    lecture = tr.trace(GALLERY["dropout"].build(p=p, training=False))
    np.testing.assert_allclose(lecture.value("atilde"), p * lecture.value("a"), rtol=1e-15)
    torch_in_use = tr.trace(GALLERY["dropout:inverted"].build(p=p, training=False))
    assert "atilde" not in torch_in_use.names, "nothing is done, so there is no node"
    torch = tr.trace(GALLERY["dropout:inverted"].build(p=p))
    stays = torch.value("atilde") != 0
    np.testing.assert_allclose(
        torch.value("atilde")[stays], torch.value("a")[stays] / (1 - p), rtol=1e-14
    )


def test_over_many_masks_what_is_read_in_training_is_what_is_read_in_use():
    """E[r a] = p a, for every unit within five standard errors."""
    draws = [tr.trace(GALLERY["dropout"].build(seed=0)).value("a")]
    a, p, count = draws[0][0], 0.5, 400
    kept = np.mean(
        [(np.random.default_rng(k).random(a.shape) < p) * a for k in range(count)], axis=0
    )
    assert np.all(np.abs(kept - p * a) <= 5 * a * np.sqrt(p * (1 - p) / count))


@pytest.mark.parametrize("p", [0.5, 0.2, 1.0, 0.0])
def test_the_four_masks_average_to_p_times_the_whole(p):
    trace = tr.trace(GALLERY["dropout:four_masks"].build(p=p))
    u, v = trace.value("u"), trace.value("v")
    shares = [
        (p if r0 else 1 - p) * (p if r1 else 1 - p) * (r0 * u + r1 * v)
        for r0, r1 in itertools.product((0, 1), repeat=2)
    ]
    assert trace.value("E") == pytest.approx(sum(shares), abs=1e-15)
    assert trace.value("E") == pytest.approx(p * (u + v), abs=1e-15)
    assert trace.gradient("w0") == pytest.approx(p * trace.value("x"), abs=1e-15)


def test_a_fifth_of_the_labels_is_drawn_anew():
    clean, noisy = training_set(0.0, 0)[1], training_set(0.2, 0)[1]
    assert len(clean) == IMAGES
    assert IMAGES % BATCH == 0
    assert 0.1 < np.mean(clean != noisy) < 0.25
    assert not np.array_equal(training_set(0.2, 1)[1], noisy)


@pytest.mark.parametrize("p", [0.25, 1.0])
def test_in_use_the_classifier_reads_its_activations_times_p(p):
    """LECTURES section 9: test: no dropout, scale by p; the same numbers as the recorded network in use."""
    network, (images, labels) = Classifier(hidden=9, seed=4), validation_set()
    a = np.maximum(images @ network.W1.value + network.b1.value, 0)
    by_hand = (p * a) @ network.W2.value + network.b2.value
    np.testing.assert_allclose(network.at_test(images, p), by_hand, rtol=1e-12, atol=1e-12)
    _, layers = network.loss(images, labels, lambda a: a * p)
    np.testing.assert_allclose(layers["logits"].value, by_hand, rtol=1e-12, atol=1e-12)


def test_early_stopping_chooses_on_images_that_are_neither_trained_on_nor_tested():
    """They are the ones right behind those of the training; every image of the digits is in one set at most."""
    held, labels = validation_set()
    assert held.shape == (360, 64)
    assert labels.shape == (360,)
    np.testing.assert_array_equal(held[0], digits().train_images[IMAGES])
    sets = [{image.tobytes() for image in each} for each in (held, training_set(0.2, 0)[0])]
    tested = {image.tobytes() for image in digits().test_images}
    assert not sets[0] & sets[1]
    assert not sets[0] & tested


def test_early_stopping_goes_back_to_the_least_loss_or_waits():
    steps = np.arange(1, 31)
    losses = np.abs(steps - 5.0)
    assert stopped(steps, losses) == (5, 0.0)
    assert stopped(steps[:20], losses[:20]) is None


def test_a_training_that_has_begun_can_be_plotted():
    entry = GALLERY["dropout"]
    *_, history = train(entry.training, entry.settings(), steps=25)
    accuracy, loss = entry.training.plots(history, **entry.settings())
    assert len(accuracy.marks) == 4
    assert [mark.label for mark in loss.marks] == ["with dropout", "without"]
    assert set(history.layers) == {"hidden", "dropout", "logits"}
    first = tr.trace(entry.build())
    np.testing.assert_array_equal(history.traces[1].value("W1"), first.value("W1"))


def test_a_keeping_probability_of_one_is_no_dropout():
    entry = GALLERY["dropout"]
    *_, history = train(entry.training, entry.settings(p=1.0), steps=25)
    for part in ("train", "test", "held-back loss"):
        np.testing.assert_allclose(
            history.measures[f"{part} with dropout"][1],
            history.measures[f"{part} without"][1],
            rtol=1e-12,
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_dropout_learns_less_by_heart_and_does_better_in_the_test(seed):
    """LECTURES section 9; the held-back loss turns round without dropout, where early stopping goes back."""
    entry = GALLERY["dropout"]
    *_, history = train(entry.training, entry.settings(seed=seed))
    last = {name: float(np.mean(numbers[-10:])) for name, (_, numbers) in history.measures.items()}
    assert last["train without"] > 0.99 > last["train with dropout"]
    assert last["test with dropout"] > last["test without"] + 0.02
    assert last["held-back loss with dropout"] < last["held-back loss without"]
    stop = stopped(*history.measures["held-back loss without"])
    assert stop is not None
    assert stop[1] < last["held-back loss without"] - 0.03
