"""Slips that every lecture knows: `+=` for `=` in a loop, W for W.T beside a vector, the incoming gradient left out."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

BACKWARD = """\
dh = 2 * h[4]
dWh, dWx = np.zeros((3, 3)), np.zeros((3, 2))
for t in range(4, 0, -1):
    da = dh * (1 - h[t] ** 2)
    dWh += np.outer(da, h[t - 1])
    dWx += np.outer(da, x[t])
    dh = Wh.T @ da
"""


@pytest.fixture(scope="module")
def rnn():
    rng = np.random.default_rng(0)
    wh = tr.parameter(rng.normal(size=(3, 3)) / 2, name="Wh")
    wx = tr.parameter(rng.normal(size=(3, 2)), name="Wx")
    x = tr.constant(rng.normal(size=(5, 2)), name="x")
    h = tr.constant(np.zeros(3), name="h0")
    for t in range(1, 5):
        with tr.scope("rnn", t=t):
            h = tr.tanh(wh @ h + wx @ x[t])
    return tr.trace(tr.sum(tr.square(h)))


def test_a_sum_over_the_steps_that_should_be_an_assignment_is_the_line_at_fault(rnn):
    report = tr.verify(rnn, BACKWARD.replace("dh = Wh.T", "dh += Wh.T"))
    assert {row.fault or row.line for row in report.rows if row.verdict == "DISAGREE"} == {7}
    for row in report.rows:
        assert row.causes[0].kind == "stale"
        assert row.causes[0].fix == "dh = Wh.T @ da"
    assert "`+=` keeps the dh of the step before" in report.first_wrong.causes[0].text


def test_beside_a_vector_the_table_is_transposed_and_not_the_order_changed(rnn):
    row = tr.verify(rnn, BACKWARD.replace("Wh.T @ da", "Wh @ da")).first_wrong
    assert row.causes[0].text == "Wh should be transposed: Wh.T"
    assert row.causes[0].fix == "dh = Wh.T @ da"


def test_a_local_derivative_alone_lacks_the_gradient_that_comes_in():
    x, w = tr.tensor([1.0, -2.0, 0.5], name="x"), tr.parameter([0.3, 0.1, -0.4], name="w")
    z = x @ w
    p = tr.sigmoid(z)
    row = tr.verify(tr.trace(-tr.log(p)), "dz = p * (1 - p)\ndw = dz * x").first_wrong
    assert row.causes[0].kind == "upstream"
    assert row.causes[0].text == "the factor dp, the gradient that comes in, is missing"
    assert row.causes[0].fix == "dz = p * (1 - p) * dp"


@pytest.mark.parametrize(
    ("latex", "local"),
    [
        (r"\sech^2(x)", lambda x: 1 / np.cosh(x) ** 2),
        (r"\coth(x) \csch(x)", lambda x: 1 / np.tanh(x) / np.sinh(x)),
        (r"\arsinh(x)", np.arcsinh),
        (r"\sec(x) \tan(x)", lambda x: np.tan(x) / np.cos(x)),
    ],
)
def test_hyperbolic_functions_are_read_in_latex(latex, local):
    x = tr.tensor([0.5, 1.25], name="x")
    gradient = local(x.value)
    trace = tr.trace(tr.sum(x * tr.constant(gradient)))
    assert tr.verify(trace, rf"\frac{{\partial L}}{{\partial x}} = {latex}").ok
