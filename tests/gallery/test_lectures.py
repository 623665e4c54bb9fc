"""The lectures' own numbers, typed from the lectures and not read from the entries: none is dropped in silence."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY, compare
from gallery.entry import OURS, PUBLISHED, TORCH, as_printed, origins

VALUES = {
    "circuit": {"q": "3", "f": "-12"},
    "sigmoid_neuron": {
        "p0": "-2",
        "p1": "6",
        "s": "4",
        "t": "1",
        "minus": "-1",
        "e": "0.37",
        "d": "1.37",
        "f": "0.73",
    },
    "sigmoid_neuron:one_gate": {"p0": "-2", "p1": "6", "s": "4", "t": "1", "f": "0.73"},
    "xor": {
        "h": "0.119 0.018 0.881 0.269 0.731 0.119 0.993 0.731",
        "y": "0.183 0.743 0.743 0.334",
    },
    "xor:one_zero": {"z1": "1 -2", "z2": "1.0593", "h": "0.731 0.119", "y": "0.743"},
    "koehn": {"s1": "1 -2", "s2": "1.0593", "h": "0.731 0.119", "y": "0.743"},
    "softmax:soft_targets": {"q": "0.7 0.3"},
}
"""Sections 1 and 2: what the nodes hold."""

NEURON = {"w0": "-0.20", "x0": "0.39", "w1": "-0.39", "x1": "-0.59", "w2": "0.20"}
GRADIENTS = {
    "circuit": {"f": "1", "z": "3", "q": "-4", "x": "-4", "y": "-4"},
    "sigmoid_neuron": {
        "f": "1",
        "d": "-0.53",
        "e": "-0.53",
        "minus": "-0.20",
        "t": "0.20",
        "s": "0.20",
        **NEURON,
    },
    "sigmoid_neuron:one_gate": {"f": "1", "t": "0.20", **NEURON},
}
"""Section 1: what the nodes receive."""

FACTS = {
    "sigmoid_neuron": ["-0.53", "0.20"],
    "sigmoid_neuron:one_gate": ["0.20"],
    "xor:one_zero": ["1.060"],
    "activations": ["0.25"],
    "activations:sigmoid": ["0.25"],
    "initialization:small": [
        "0.213 0.0476 0.0106 0.00238 0.000532 0.000119 0.000026 0.000006 0.000001 0.000000"
    ],
    "initialization:large": ["0.982 0.982 0.982 0.982 0.982 0.982 0.982 0.982 0.982 0.982"],
    "initialization": ["0.628 0.486 0.408 0.357 0.321 0.292 0.273 0.255 0.239 0.228"],
    "initialization:relu": [
        "0.583 0.404 0.277 0.199 0.140 0.103 0.0727 0.0516 0.0386 0.0261",
        "0.399 0.272 0.186 0.136 0.0996 0.0722 0.0498 0.0351 0.0254 0.0184",
    ],
    "initialization:he": [
        "0.825 0.828 0.814 0.827 0.834 0.860 0.871 0.889 0.845 0.845",
        "0.562 0.554 0.546 0.565 0.548 0.587 0.597 0.623 0.567 0.553",
    ],
}
"""Sections 1, 2, 3 and 7: what is not one node."""

HELD = {
    "softmax": (OURS, 1),
    "softmax:soft_targets": (OURS, 2),
    "perceptron": (OURS, 1),
    "koehn": (OURS, 10),
    "gates:branch": (OURS, 1),
    "activations": (OURS, 12),
    "batchnorm": (OURS, 6),
    "batchnorm:fused": (OURS, 4),
    "batchnorm:by_hand": (OURS, 4),
    "batchnorm:inference": (OURS, 4),
    "layernorm": (OURS, 4),
    "residual": (OURS, 8),
    "residual:plain": (OURS, 4),
    "residual:scaled": (OURS, 8),
    "highway": (OURS, 11),
    "rnn": (TORCH, 7),
    "rnn:third": (TORCH, 7),
    "rnn_scalar": (TORCH, 14),
    "vanishing": (OURS, 1),
    "lstm": (TORCH, 11),
    "lstm:fused": (TORCH, 5),
    "gru": (TORCH, 10),
    "gru:fused": (TORCH, 4),
    "initialization:zero": (OURS, 2),
    "optimizers": (OURS, 3),
    "dropout": (OURS, 2),
    "dropout:inverted": (OURS, 1),
    "dropout:four_masks": (OURS, 12),
    "weight_decay": (OURS, 8),
    "bengio": (OURS, 1),
    "wavenet:one_output": (OURS, 1),
    "turing_machine": (OURS, 1),
}
"""Where the lectures give formulas: how many rows an entry is held to at least, and where they are from."""


@pytest.mark.parametrize("name", VALUES)
def test_the_values_of_the_lectures_are_recorded_and_stand_in_the_entry(name):
    trace, shown = tr.trace(GALLERY[name].build()), GALLERY[name].values
    for node, printed in VALUES[name].items():
        assert as_printed(trace.value(node), printed) == printed, node
        assert shown[node] == printed


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_gradients_of_the_lectures_are_recorded_and_stand_in_the_entry(name):
    trace, shown = tr.trace(GALLERY[name].build()), GALLERY[name].gradients
    for node, printed in GRADIENTS[name].items():
        assert as_printed(trace.gradient(node), printed) == printed, node
        assert shown[node] == printed


@pytest.mark.parametrize("name", FACTS)
def test_the_other_numbers_of_the_lectures_stand_in_the_entry_as_published(name):
    rows = compare(GALLERY[name], tr.trace(GALLERY[name].build()))
    shown = {row.printed for row in rows if row.what == "fact" and row.origin == PUBLISHED}
    assert set(FACTS[name]) <= shown


@pytest.mark.parametrize("name", HELD)
def test_where_the_lectures_give_formulas_an_entry_is_held_to_numbers_all_the_same(name):
    origin, most = HELD[name]
    assert Counter(origins(GALLERY[name]))[origin] >= most


def test_nothing_is_called_published_that_is_not_in_this_table():
    """But for the circuit of CS231n in `gates`, which LECTURES describes without its numbers."""
    named = {*VALUES, *GRADIENTS, *FACTS, "gates"}
    assert {name for name, entry in GALLERY.items() if PUBLISHED in origins(entry)} <= named


def test_the_names_of_the_sentence_are_the_targets_of_the_lecture():
    """Section 6: Kate Farrahi and Jonathon Hare teach deep learning, y = 1 1 0 1 1 0 0 0, one-hot words, T = 8."""
    trace = tr.trace(GALLERY["rnn"].build())
    yhat = np.array([float(trace.value(f"yhat#{t}").squeeze()) for t in range(1, 9)])
    losses = np.array([float(trace.value(f"L#{t}").squeeze()) for t in range(1, 9)])
    y = np.array([1, 1, 0, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(losses, -np.where(y, np.log(yhat), np.log(1 - yhat)), rtol=1e-9)
    for t in range(1, 9):
        assert np.ravel(trace.value(f"x#{t}")).tolist() == np.eye(8)[t - 1].tolist()


def test_batchnorm_is_undone_by_its_own_statistics_and_has_the_shape_of_a_bias():
    """Section 4: gamma = sqrt(var + eps) and beta = mu give x back; xhat has mean 0 and deviation 1."""
    trace = tr.trace(GALLERY["batchnorm"].build())
    undone = trace.replay({"gamma": trace.value("std"), "beta": trace.value("mu")})
    np.testing.assert_allclose(undone.value("y"), trace.value("x"), atol=1e-14)
    assert trace.value("gamma").shape == trace.value("beta").shape == (trace.value("x").shape[1],)
