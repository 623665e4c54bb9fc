"""The rung of the rules: it names the faulty operation among right ones, and blames none that is right."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tests.tracer.checking.ladder.declared import wrong
from tracer.checking import AGREE, DISAGREE
from tracer.checking.ladder.rules import RuleTests
from tracer.checking.report import FAIL, PASS

RNG = np.random.default_rng(1)
X, W = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 4))

TANH = wrong("my_tanh", np.tanh, lambda g, out, x: g * (1 - out * out) * 1.0001)


def rung(trace, number=0):
    return RuleTests(trace, np.random.default_rng(0)).run().rungs[number]


def test_the_faulty_operation_is_named_among_right_ones():
    x, w = tr.tensor(X, name="x"), tr.parameter(W, name="w")
    h = tr.tanh(x @ w)
    h = TANH(h @ w)
    h = tr.tanh(h @ w)
    report = tr.check(tr.trace(tr.mean(h * h)))
    assert report.outcome == FAIL
    assert report.faulty == "h#2"
    assert report.summary.startswith("check: FAIL at h#2 (rule of my_tanh by x)")
    (fault,) = report.faults
    assert (fault.name, fault.shape, fault.count(DISAGREE)) == ("h#2 by x", (5, 4), 20)


def test_a_wrong_rule_is_found_where_the_recorded_cotangent_is_zero():
    """Weighed with 0 its gradient is right by accident: every input agrees, and the check fails all the same."""
    report = tr.check(lambda x: tr.sum(TANH(x) * 0.0 + x), (X,))
    assert [row.verdict for row in report.rows] == [AGREE]
    assert report.outcome == FAIL
    assert "rule of my_tanh" in report.summary


def test_every_elementwise_operation_is_tested_element_by_element_in_its_own_shape():
    mask = np.ones((5, 4))
    mask[3, 2] = 1.001
    one = wrong("one_off", np.sin, lambda g, out, x: g * np.cos(x) * mask, elementwise=True)
    x = tr.tensor(X, name="x")
    y = tr.sin(x)
    z = one(y)
    (fault,) = RuleTests(tr.trace(z.sum()), RNG).run().faults
    assert [e.index for e in fault.elements if e.verdict == DISAGREE] == [(3, 2)]


def test_a_sum_over_broadcast_axes_that_goes_wrong_is_found():
    def by_y(g, out, x, y):
        return g * x if y.shape == x.shape else g.mean(axis=0) * x.mean(axis=0)

    product = wrong("product", np.multiply, lambda g, out, x, y: g * y, by_y, elementwise=True)
    x, y = tr.tensor(X, name="x"), tr.tensor(W[0], name="y")
    (fault,) = RuleTests(tr.trace(product(x, y).sum()), RNG).run().faults
    assert fault.name.endswith("by y")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(lambda flow, g: flow.T, 12, id="transposed"),
        pytest.param(lambda flow, g: np.roll(flow, 1, axis=0), 16, id="shifted"),
        pytest.param(lambda flow, g: flow * np.sign(g.sum()), None, id="as it should be"),
    ],
)
def test_a_rule_of_a_matrix_product_is_tested_along_directions_and_bisected(change, found):
    by_w = lambda g, out, x, w: change(x.T @ g, abs(g))  # noqa: E731
    product = wrong("product", np.matmul, lambda g, out, x, w: g @ w.T, by_w)
    x, w = tr.tensor(X, name="x"), tr.tensor(W, name="w")
    faults = RuleTests(tr.trace(product(x, w).sum()), RNG).run().faults
    assert [fault.count(DISAGREE) for fault in faults] == ([] if found is None else [found])


def test_one_wrong_element_of_ten_thousand_is_found_by_halving():
    mask = np.ones(10_000)
    mask[[17, 9_999]] = 1.001
    copy = wrong("copy", lambda x: x + 0.0, lambda g, out, x: g * mask)
    x = tr.tensor(RNG.normal(size=10_000), name="x")
    (fault,) = RuleTests(tr.trace(copy(x).sum()), RNG).run().faults
    assert [element.index for element in fault.elements] == [(17,), (9_999,)]
    assert "all other elements are right" in fault.notes


def test_a_large_elementwise_array_with_one_wrong_element_is_screened():
    mask = np.ones(10_000)
    mask[123] = 1.0 + 1e-6
    sine = wrong("sine", np.sin, lambda g, out, x: g * np.cos(x) * mask, elementwise=True)
    x = tr.tensor(RNG.normal(size=10_000), name="x")
    (fault,) = RuleTests(tr.trace(sine(x).sum()), RNG).run().faults
    assert [e.index for e in fault.elements if e.verdict == DISAGREE] == [(123,)]


def test_of_a_fused_operation_that_fails_it_is_said_whether_its_parts_are_right():
    right = PRIMITIVES["softmax"]
    rules = {"x": lambda g, out, x, **params: g * out}
    bad = right.replaced(vjps=MappingProxyType(rules), joint=None)
    report = tr.check(bad, (X,), params={"axis": -1})
    assert report.outcome == FAIL
    assert "the parts of softmax are right: the fault is in its own fused rule" in str(report)


def test_a_rule_that_gives_other_numbers_the_second_time_is_nondeterministic():
    draw = np.random.default_rng(0)
    shaky = wrong("shaky", np.sin, lambda g, out, x: g * np.cos(x) * (1 + 1e-14 * draw.random()))
    x = tr.tensor(X, name="x")
    found = rung(tr.trace(shaky(x).sum()), 1)
    assert found.failed == 1
    assert found.said.startswith("nondeterministic: shaky")


def test_a_rule_that_forgets_its_cotangent_is_found_though_the_loss_sends_ones():
    forgets = wrong("forgets", np.sin, lambda g, out, x: np.cos(x))
    report = tr.check(lambda x: tr.sum(forgets(x)), (X,))
    assert report.outcome == FAIL
    assert "rule of forgets" in report.summary


def test_a_node_that_reads_the_same_value_twice_is_tested_by_each_argument():
    x = tr.tensor(X, name="x")
    assert rung(tr.trace((x * x).sum())).made == 3


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e6])
def test_numbers_of_any_size_are_no_false_alarm(scale):
    report = tr.check(lambda x, w: tr.sum(tr.softmax(x * 1e-3 @ w) * w[0]), (scale * X, W))
    assert report.outcome == PASS, report


@pytest.mark.slow
def test_a_thousand_nodes_are_checked_and_one_fault_among_them_is_named():
    x, w = tr.tensor(X, name="x"), tr.tensor(0.3 * W, name="w")
    h = x
    for step in range(250):
        h = (TANH if step == 123 else tr.tanh)(h @ w + x)
    report = tr.check(tr.trace(h.sum()), elements=0)
    assert len(report.faults) == 1
    assert report.faulty == "h#124"
