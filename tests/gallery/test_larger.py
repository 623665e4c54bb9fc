"""The larger networks: what a look-up is, what a causal stack sees, how a convolution shares, how a memory is read."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY, SECTIONS
from gallery.larger import bengio, convnet, turing_machine, wavenet

LATE = 40
"""So many optimiser steps show that a training gets somewhere."""


def losses_of(name):
    training = GALLERY[name].training
    return [float(moment.loss.value) for moment in islice(training.run(), LATE)]


# ----- the language model


def test_a_look_up_is_a_linear_layer_on_one_hot_words():
    looked_up, multiplied = (tr.trace(build()) for build in (bengio.bengio, bengio.one_hot))
    assert "embedding" in {node.op.name for node in looked_up if node.kind == "op"}
    assert "embedding" not in {node.op.name for node in multiplied if node.kind == "op"}
    assert looked_up.value("loss") == pytest.approx(multiplied.value("loss"), rel=1e-14)
    for name in ("C", "H", "d", "U", "b"):
        np.testing.assert_allclose(
            looked_up.gradient(name), multiplied.gradient(name), rtol=1e-11, atol=1e-15
        )


def test_only_the_vectors_of_words_in_the_windows_get_a_gradient():
    trace = tr.trace(bengio.bengio())
    used = set(np.unique(trace.value("words")))
    assert set(np.flatnonzero(np.any(trace.gradient("C"), axis=1))) == used
    assert len(used) < len(bengio.VOCABULARY)


def test_windows_are_the_three_words_before_each_word():
    contexts, target = bengio.windows()
    said = [[bengio.VOCABULARY[k] for k in row] for row in (*contexts[:2], target[:2])]
    a, b, c, d, e = bengio.text()[:5]
    assert said == [[a, b, c], [b, c, d], [d, e]]
    assert len(contexts) == len(target) == len(bengio.text()) - 3


def test_a_sentence_says_what_one_of_its_kind_did_and_words_of_a_kind_stand_in_the_same_places():
    sentences = {tuple(each.split()) for each in " ".join(bengio.text()).split(" .")}
    kind = {word: name for name, words in bengio.KINDS.items() for word in words}
    forms = {tuple(kind.get(word, "") for word in each) for each in sentences if each}
    assert forms == {
        ("", "animals", "what animals do", "", "", "places"),
        ("", "people", "what people do", "", "animals"),
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_brings_the_vectors_of_words_of_a_kind_together(seed):
    """The claim of the entry: after its steps the nearest word of nearly every word is of its kind."""
    training = GALLERY["bengio"].training
    moments = list(islice(training.run(seed=seed), training.steps))
    first, last = (each.measures["words whose nearest is of their kind"] for each in moments[::99])
    assert first < 0.4
    assert last >= 0.9


def test_the_nearest_word_is_of_the_same_kind_where_kinds_lie_apart():
    vectors = np.zeros((len(bengio.VOCABULARY), 4))
    for k, words in enumerate(bengio.KINDS.values()):
        vectors[[bengio.VOCABULARY.index(word) for word in words], 0] = k
    assert bengio.of_their_kind(vectors) == 1
    vectors[bengio.VOCABULARY.index("cat"), 0] = 1.0
    assert bengio.of_their_kind(vectors) < 1


def test_words_and_weights_are_trained_together():
    moments = list(islice(bengio.epochs(), LATE))
    assert moments[-1].measures["perplexity"] < moments[0].measures["perplexity"] / 3
    assert moments[-1].measures["way of the word vectors"] > 0.3


# ----- dilated convolutions


@pytest.mark.parametrize("t", [0, 10, 15, 30, 47])
def test_an_output_sees_the_sixteen_inputs_up_to_its_own_place_and_none_behind_it(t):
    gradient = np.asarray(tr.trace(wavenet.one_output(t)).gradient("x"))
    assert np.flatnonzero(gradient).tolist() == list(range(max(0, t - 15), t + 1))


def test_what_a_stack_sees_is_one_more_than_the_sum_of_its_dilations():
    assert 1 + sum(wavenet.DILATIONS) == 16


def test_an_input_changed_later_changes_no_output_before_it():
    p = wavenet.parameters(0)
    x = wavenet.signal()[:-1]
    other = x.copy()
    other[20] += 1
    before, after = (wavenet.layers_of(p, tr.tensor(each))["yhat"].value for each in (x, other))
    changed = np.flatnonzero(before != after)
    assert changed.min() == 20
    assert changed.max() == 35


# ----- convolution and pooling


def test_a_kernel_gets_the_sum_over_all_places_where_it_was_used():
    trace = tr.trace(convnet.convnet())
    sent, image = (
        np.asarray(trace.gradient("z#1")),
        np.pad(trace.value("x"), ((0, 0), (0, 0), (1, 1), (1, 1))),
    )
    by_hand = np.zeros((convnet.CHANNELS[0], 3, 3))
    for i in range(8):
        for j in range(8):
            window = image[:, 0, i : i + 3, j : j + 3]
            by_hand += np.einsum("no,nkl->okl", sent[:, :, i, j], window)
    np.testing.assert_allclose(trace.gradient("K1")[:, 0], by_hand, rtol=1e-10, atol=1e-14)


def test_pooling_passes_on_all_that_it_receives():
    trace = tr.trace(convnet.convnet())
    for k, layer in enumerate(convnet.POOLED, start=1):
        received = np.asarray(trace.gradient(f"h#{layer}")).sum()
        assert received == pytest.approx(np.asarray(trace.gradient(f"m#{k}")).sum(), abs=1e-12)


def test_it_has_the_layers_of_alexnet():
    """Krizhevsky et al. 2012: five convolutions, pooling behind the first, second and fifth, three dense layers."""
    trace = tr.trace(convnet.convnet())
    made = [node.op.name for node in trace if node.kind == "op"]
    layers = [name for name in made if name in ("conv2d", "max_pool2d", "matmul")]
    conv, pool, dense = "conv2d", "max_pool2d", "matmul"
    assert layers == [conv, pool, conv, pool, conv, conv, conv, pool, dense, dense, dense]


def test_a_batch_order_uses_no_digit_twice_in_an_epoch():
    epoch = convnet.shuffled(np.random.default_rng(0), 1437)
    assert epoch.shape == (44, 32)
    assert len(np.unique(epoch)) == epoch.size


def test_the_digits_are_told_apart_after_two_epochs():
    moments = list(islice(convnet.steps(), 100))
    accuracy = [m.measures["accuracy on test digits"] for m in moments if m.measures]
    assert len(accuracy) == 11
    assert accuracy[0] < 0.3
    assert accuracy[-1] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_ninety_eight_digits_of_a_hundred_are_right_after_ten_epochs(seed):
    training = GALLERY["convnet"].training
    last = list(islice(training.run(seed=seed), training.steps))[-1]
    assert last.measures["accuracy on test digits"] >= 0.98


# ----- the memory


def test_heads_look_with_weights_that_are_positive_and_sum_to_one():
    trace = tr.trace(turing_machine.turing_machine())
    for t in range(1, 2 * 2 * turing_machine.WORDS + 1):
        w = np.asarray(trace.value(f"w#{t}"))
        assert np.all(w > 0)
        assert w.sum() == pytest.approx(1, rel=1e-12)


def test_a_head_that_trusts_its_key_reads_the_row_that_is_most_like_it():
    """A strong key, a gate that is open, no shift, a sharp look: nearly one-hot, at the row along the key."""
    memory = np.eye(4)[[0, 1, 2, 3, 0]] * [1.0, 1.0, 3.0, 1.0]
    memory[4] = [1.0, 1.0, 0.0, 0.0]
    key, told = [-9.0, -9.0, 9.0, -9.0], [50.0, 50.0, -50.0, 50.0, -50.0, 5.0]
    q, start = tr.tensor([*key, *told]), tr.tensor(np.full(5, 0.2))
    w = turing_machine.address(q, start, tr.tensor(memory))
    assert np.argmax(w.value) == 2
    assert w.value[2] > 0.99


def test_a_head_whose_gate_is_shut_stays_where_it_was_or_moves_by_its_shift():
    start, memory = tr.tensor(np.eye(5)[1]), tr.tensor(np.ones((5, 4)))
    for shifts, place in (
        ([-50.0, 50.0, -50.0], 1),
        ([50.0, -50.0, -50.0], 0),
        ([-50.0, -50.0, 50.0], 2),
    ):
        q = tr.tensor([0.1, 0.2, 0.3, 0.4, 0.0, -50.0, *shifts, 1.0])
        assert np.argmax(turing_machine.address(q, start, memory).value) == place


def test_a_write_erases_and_adds_at_each_row_by_its_weight():
    """By hand, two places of two numbers: M(1 - w e) + w a."""
    before = tr.tensor([[1.0, 2.0], [3.0, 4.0]])
    w, e, a = (tr.tensor(each) for each in ([0.5, 1.0], [1.0, 0.5], [10.0, 20.0]))
    after = turing_machine.written(before, w, e, a).value
    np.testing.assert_allclose(after, [[5.5, 11.5], [10.0, 22.0]])
    wiped = turing_machine.written(before, tr.tensor([0.0, 1.0]), tr.tensor([1.0, 1.0]), a).value
    np.testing.assert_allclose(wiped, [[1.0, 2.0], [10.0, 20.0]])


def test_the_memory_of_the_network_is_what_its_heads_wrote():
    """The last step: what the write head erased and added, of the memory before it."""
    trace = tr.trace(turing_machine.turing_machine())
    before, w, e, a = (np.asarray(trace.value(name)) for name in ("M#3", "w#7", "e#4", "a#4"))
    after = before * (1 - np.outer(w, e)) + np.outer(w, a)
    np.testing.assert_allclose(trace.value("M#4"), after, rtol=1e-14)


def test_bits_right_are_those_on_the_side_of_their_target():
    p = turing_machine.parameters(0)
    for name in ("Wy", "Vy"):
        p[name].value = np.zeros_like(p[name].value)
    ones, zeros = (turing_machine.copying(p, np.full((2, 3), each)) for each in (1.0, 0.0))
    assert (ones.right, zeros.right) == (0.0, 1.0)  # a score of 0 says 0


@pytest.mark.slow
def test_it_copies_after_a_thousand_steps():
    training = GALLERY["turing_machine"].training
    right = [m.measures["bits right"] for m in islice(training.run(), training.steps)]
    assert np.mean(right[:20]) < 0.75
    assert np.mean(right[-50:]) > 0.99


def test_every_word_that_was_written_reaches_the_loss_through_the_memory():
    trace = tr.trace(turing_machine.turing_machine())
    for t in range(1, 2 * turing_machine.WORDS + 1):
        assert np.any(trace.gradient(f"M#{t}"))
    assert {str(node.scope[1]) for node in trace if len(node.scope) > 1} == {
        "controller",
        "write",
        "read",
        "output",
    }


# ----- all of them


@pytest.mark.parametrize("name", ["wavenet", "turing_machine"])
def test_training_brings_the_loss_down(name):
    losses = losses_of(name)
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_no_entry_of_these_sections_loads_numba_on_opening():
    sections = ("Initialisation", "Optimisation", "Larger pictures")
    names = [entry.name for section in sections for entry in SECTIONS[section][-4:]]
    script = (
        "import sys, tracer as tr; from gallery import GALLERY\n"
        f"for name in {names!r}: tr.trace(GALLERY[name].build())\n"
        "assert 'numba' not in sys.modules\nassert 'textual' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
