"""The loss as a function of one recorded value: one value at a time and many at once, within the branch that ran."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tracer as tr
from tracer.checking.certified.certificate import ONE_SIDED, SMOOTH
from tracer.checking.certified.certify import certify_direction, certify_elements
from tracer.checking.numerical import loss_by, measure


def network(kind: str) -> tuple[tr.Trace, str]:
    """A small network and the name of a value to move."""
    rng = np.random.default_rng(0)
    x = tr.constant(rng.normal(size=(6, 4)))
    w = tr.parameter(rng.normal(size=(4, 5)), name="w")
    if kind == "mlp":
        z = tr.relu(x @ w) @ rng.normal(size=(5, 3))
        return tr.trace(tr.cross_entropy(z, np.array([0, 1, 2, 0, 1, 2]))), "w"
    if kind == "batch norm":
        return tr.trace((tr.batch_norm(x @ w) ** 3).sum()), "w"
    if kind == "rnn":
        u = tr.parameter(rng.normal(size=(5, 5)), name="u")
        h = tr.tensor(np.zeros((1, 5)), name="h0")
        for t in range(6):
            h = tr.tanh(x[t : t + 1] @ w + h @ u)
        return tr.trace((h * h).sum()), "u"
    if kind == "attention":
        q = x @ w
        return tr.trace(tr.scaled_dot_product_attention(q, q * 0.5, q + 1.0).sum()), "w"
    assert kind == "convolution"
    image = tr.constant(rng.normal(size=(2, 1, 6, 6)))
    k = tr.parameter(rng.normal(size=(3, 1, 3, 3)), name="k")
    return tr.trace(tr.max_pool2d(tr.conv2d(image, k), kernel_size=2).sum()), "k"


NETWORKS = ["mlp", "batch norm", "rnn", "attention", "convolution"]


@pytest.mark.parametrize("kind", NETWORKS)
def test_many_values_at_once_give_what_each_gives_alone(kind):
    trace, name = network(kind)
    loss, value = loss_by(trace, trace.node_index(name)), trace.value(name)
    moves = np.random.default_rng(1).normal(size=(9, *value.shape))
    values = value + 1e-2 * moves
    np.testing.assert_allclose(loss.many(values), [loss(v) for v in values], rtol=1e-13)


@pytest.mark.parametrize("kind", NETWORKS)
def test_certified_by_lanes_or_one_by_one_the_numbers_agree_and_cover_the_gradient(kind):
    trace, name = network(kind)
    loss, value = loss_by(trace, trace.node_index(name)), trace.value(name)
    by_lanes = certify_elements(loss, value)
    one_by_one = certify_elements(lambda v: loss(v), value)
    gradient = trace.gradient(name).reshape(-1)
    for a, b, g in zip(by_lanes, one_by_one, gradient, strict=True):
        assert a.status == b.status
        assert abs(a.value - b.value) <= a.bound + b.bound
        assert abs(a.value - g) <= a.bound + 1e-14 * np.max(abs(gradient))


def test_a_direction_runs_by_lanes_too():
    trace, name = network("mlp")
    loss, value = loss_by(trace, trace.node_index(name)), trace.value(name)
    along = np.random.default_rng(2).normal(size=value.shape)
    slope = certify_direction(loss, value, along)
    assert abs(slope.value - np.sum(along * trace.gradient(name))) <= slope.bound + 1e-14


def test_no_step_goes_the_way_that_the_program_did_not_take():
    x = tr.tensor(1.02, name="x")
    y = x * x * 3.0 if x > 1 else x * 5.0
    trace = tr.trace(y)
    loss = loss_by(trace, 0)
    assert np.isnan(loss(np.float64(0.9)))
    np.testing.assert_array_equal(np.isnan(loss.many(np.array([1.5, 0.5, 1.01]))), [0, 1, 0])
    assert trace.replay({"x": 0.9}).flipped
    (slope,) = certify_elements(loss, np.float64(1.02))
    assert slope.status == SMOOTH
    assert abs(slope.value - 6.12) <= slope.bound < 1e-9


def test_where_the_program_turns_off_only_one_side_is_known():
    x = tr.tensor(1.0, name="x")
    y = x * 3.0 if x >= 1 else x * 5.0
    (slope,) = certify_elements(loss_by(tr.trace(y), 0), np.float64(1.0))
    assert slope.status == ONE_SIDED
    assert slope.right == pytest.approx(3.0)


def test_a_look_by_item_stops_no_step():
    x = tr.tensor(2.0, name="x")
    y = x * x
    y.item()
    (slope,) = certify_elements(loss_by(tr.trace(y), 0), np.float64(2.0))
    assert abs(slope.value - 4.0) <= slope.bound < 1e-12


def test_what_was_detached_keeps_its_recorded_value():
    x = tr.tensor(2.0, name="x")
    trace = tr.trace(x * tr.detach(x * x))
    loss = loss_by(trace, 0)
    assert loss(np.float64(3.0)) == 12.0
    np.testing.assert_array_equal(loss.many(np.array([3.0, 0.0])), [12.0, 0.0])


def test_a_value_that_an_operation_refuses_is_no_number():
    a = tr.tensor([[2.0, 0.0], [0.0, 1.0]], name="a")
    loss = loss_by(tr.trace(tr.inv(a).sum()), 0)
    assert np.isnan(loss(np.ones((2, 2))))


def test_a_mask_that_picks_other_elements_is_no_value():
    x = tr.tensor([1.0, -1.0, 2.0], name="x")
    trace = tr.trace((x[x > 0] ** 2).sum())
    loss = loss_by(trace, 0)
    values = np.array([[1.0, -1.0, 2.0], [1.0, 1.0, 2.0], [3.0, -1.0, 1.0]])
    np.testing.assert_array_equal(loss.many(values), [5.0, np.nan, 10.0])
    np.testing.assert_array_equal([loss(v) for v in values], [5.0, np.nan, 10.0])


def test_the_function_can_be_sent_to_another_process():
    trace, name = network("mlp")
    loss = loss_by(trace, trace.node_index(name))
    again = copy.copy(loss)
    assert again(trace.value(name)) == loss(trace.value(name))
    assert again.__reduce__()[1] == (trace, loss.node)


def test_where_differences_know_little_a_complex_step_is_measured():
    x = tr.tensor(0.7, name="x")
    trace = tr.trace(tr.sin(x) + 1e6)
    (slope,) = measure(loss_by(trace, 0), np.float64(0.7), rng=np.random.default_rng(0)).slopes
    assert slope.complex_step
    assert abs(slope.value - np.cos(0.7)) <= slope.bound < 1e-13
