"""The character model: where its loss begins, how it falls, what it writes, and where its windows are cut."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from gallery.knobs import settings
from gallery.recurrent import char_rnn
from gallery.recurrent.char_rnn import CHARACTERS, GUESSING, TEXT, sample, weights, window
from gallery.training import train

ENTRY = GALLERY["char_rnn"]


def learning(steps, **turned):
    chosen = settings(ENTRY.every_knob, turned)
    *_, history = train(ENTRY.training, chosen, steps=steps)
    return history


def test_the_first_loss_is_that_of_guessing_whatever_the_seed():
    for seed in range(3):
        loss = ENTRY.build(seed=seed).item()
        assert loss == pytest.approx(math.log(len(CHARACTERS)), abs=0.03)


def test_training_begins_with_the_network_that_is_opened():
    history = learning(1)
    assert history.losses[0] == ENTRY.build().item()
    assert history.traces[1].labels == tr.trace(ENTRY.build()).labels


def test_the_loss_falls_to_under_half_of_guessing_within_a_hundred_steps():
    history = learning(100)
    right = history.measures["next character right"][1]
    assert history.losses[-10:].mean() < GUESSING / 2
    assert right[:5].mean() < 0.2 < 0.6 < right[-10:].mean()
    (plot,) = ENTRY.training.plots(history, length=25)
    assert [curve.label for curve in plot.marks] == ["step 1", "step 10", "step 100"]
    assert all(sample(history.traces[step]) in plot.note for step in (1, 10, 100))


@pytest.mark.slow
def test_it_writes_words_of_the_text_in_the_end():
    history = learning(400)
    assert history.losses[-10:].mean() < GUESSING / 10
    words = set(TEXT.replace("'", " ").split())
    first, last = (sample(history.traces[k]).replace("'", " ").split() for k in (1, 400))
    assert np.mean([word in words for word in first]) < 0.2
    assert np.mean([word in words for word in last]) > 0.4


def test_a_window_goes_on_from_the_last_state_but_sends_no_gradient_back():
    shared = weights(4, 0)
    first = window(shared, 0, 3, np.zeros(4))
    second = window(shared, 3, 2, first.states[-1].value)
    whole = window(shared, 0, 5, np.zeros(4))
    losses = [one.item() for one in (*first.losses, *second.losses)]
    assert losses == pytest.approx([one.item() for one in whole.losses], rel=1e-12)
    assert tr.trace(second.losses[-1])["a0"].kind == "constant"


def test_training_begins_each_window_with_the_last_state_of_the_one_before():
    """Truncated backpropagation: the state goes on, the characters too."""
    chosen = settings(ENTRY.every_knob, {"hidden": 8, "length": 5})
    *_, history = train(ENTRY.training, chosen, steps=3, keep=(1, 2, 3))
    for step in (2, 3):
        now, before = history.traces[step], history.traces[step - 1]
        np.testing.assert_array_equal(now.value("a0"), before.value("a#5"))
        np.testing.assert_array_equal(now.value("x#1"), before.value("y#5"))


def test_the_next_character_is_the_input_of_the_next_step_and_the_text_begins_anew():
    trace = tr.trace(ENTRY.build(length=len(TEXT[:6])))
    read = "".join(CHARACTERS[int(np.argmax(trace.value(f"x#{t}")))] for t in range(1, 7))
    told = "".join(CHARACTERS[int(np.argmax(trace.value(f"y#{t}")))] for t in range(1, 7))
    assert (read, told) == ("Alice ", "lice w")
    assert CHARACTERS[int(np.argmax(char_rnn.one_hot(len(TEXT))))] == "A"


def test_longer_gradients_are_shortened_before_the_step():
    """The norm is measured before that. Adam does not see the length of its first gradient, but how it changes."""
    free, cut = learning(12, clip=1e6), learning(12, clip=0.82)
    norms = free.measures["norm of all gradients"][1]
    assert norms.min() < 0.82 < norms.max()
    assert cut.measures["norm of all gradients"][1][0] == norms[0]
    assert cut.losses[0] == free.losses[0]
    assert abs(cut.losses[-1] - free.losses[-1]) > 1e-6


def test_the_same_seed_writes_the_same():
    trace = tr.trace(ENTRY.build())
    assert sample(trace, 20) == sample(trace, 20)
    assert len(sample(trace, 20)) == 20
    assert sample(trace, 20, seed=1) != sample(trace, 20)
