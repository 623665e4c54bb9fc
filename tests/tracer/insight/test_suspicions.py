"""What is seldom meant is told in a sentence that names nodes; networks as they should be are told nothing."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tracer.insight import suspicions


def test_a_detached_value_is_named_with_what_it_was_detached_from():
    w, v = tr.parameter([1.0, 2.0]), tr.parameter([3.0, 4.0])
    h = tr.tanh(w)
    still = h.detach()
    trace = tr.trace((still * v).sum())
    assert suspicions(trace) == ("still is h detached: no gradient flows from it to h",)
    node = trace.node_index("still")
    assert trace.timeline.status(trace.timeline.last, node).reason == "detached"
    assert str(tr.health(trace)).endswith("flows from it to h")


def test_detach_as_a_function_and_of_an_expression_is_seen_too():
    w, v = tr.parameter(2.0), tr.parameter(3.0)
    h = w * w
    a = tr.detach(h)
    b = (w * v).detach()
    found = suspicions(tr.trace(a * b * v))
    assert found == (
        "a is h detached: no gradient flows from it to h",
        "b is a value that was detached: no gradient flows from it to that",
    )


def test_a_constant_that_was_never_detached_is_not_suspected():
    w, c = tr.parameter([1.0, 2.0]), tr.constant([3.0, 4.0])
    assert suspicions(tr.trace((w * c).sum())) == ()


@pytest.mark.parametrize(
    ("first", "second", "made"),
    [((8, 1), (8,), "8×8"), ((8,), (8, 1), "8×8"), ((8, 1, 1), (8,), "8×1×8")],
)
def test_a_column_and_a_row_of_one_length_are_told(first, second, made):
    y, t = tr.tensor(np.ones(first)), tr.tensor(np.ones(second))
    (sentence,) = suspicions(tr.trace((y - t).sum()))
    assert f"is {made}, of y " in sentence
    column = "y" if len(first) > len(second) else "t"
    assert sentence.endswith(f"{column}.reshape(8) meets one")


@pytest.mark.parametrize(
    ("first", "second"), [((8, 1), (1, 8)), ((8, 1), (5,)), ((8, 3), (3,)), ((1, 8), (8,)), ((1, 1), (1,))]
)  # fmt: skip
def test_broadcasting_that_is_meant_is_not(first, second):
    y, t = tr.tensor(np.ones(first)), tr.tensor(np.ones(second))
    assert suspicions(tr.trace((y * t).sum())) == ()


def test_pairs_layers_from_one_number_and_masks_are_meant():
    x, column = tr.tensor(np.arange(5.0)), tr.tensor(np.ones((5, 1)))
    w, places = tr.parameter(np.ones(5)), tr.constant(np.arange(5))
    apart = tr.sum((x[:, None] - x) ** 2 + (x.reshape(5, 1) - x) ** 2 + column * w + w)
    classes = tr.constant(np.zeros((5, 1), int))
    masked = tr.where(places[:, None] >= places, 1.0, 0.0) + (classes == places) * 1.0
    assert suspicions(tr.trace(apart + tr.sum(masked * x))) == ()
    means = tr.mean(column * tr.tensor(np.ones((5, 3))), axis=1, keepdims=True)
    assert len(suspicions(tr.trace(tr.sum(means - x)))) == 1


def test_parameters_that_get_nothing_at_all_are_told():
    w, x = tr.parameter([[-1.0], [-2.0]]), tr.constant([[1.0, 2.0]])
    assert suspicions(tr.trace(tr.relu(x @ w).sum())) == (
        "the gradient of every parameter is exactly 0 (1 of them)",
    )


def test_of_many_of_a_kind_the_first_are_told_and_the_others_counted():
    w = tr.parameter(2.0)
    total = w
    for _ in range(5):
        total = total * w.detach()
    found = suspicions(tr.trace(total))
    assert len(found) == 3
    assert found[-1] == "… and 3 more of this kind"


SUSPECT = {"perceptron", "initialization:zero"}
"""Networks whose lesson is that nothing moves."""


def test_no_other_network_of_the_lectures_is_suspected():
    large = {"initialization", "batchnorm_train", "convnet"}
    plain = [name for name in GALLERY if ":" not in name and name not in SUSPECT | large]
    assert len(plain) > 20
    assert {n: found for n in plain if (found := suspicions(tr.trace(GALLERY[n].build())))} == {}


@pytest.mark.parametrize("name", sorted(SUSPECT))
def test_a_network_in_which_nothing_moves_is(name):
    (sentence,) = suspicions(tr.trace(GALLERY[name].build()))
    assert "exactly 0" in sentence
