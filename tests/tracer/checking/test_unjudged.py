"""Lines that were not judged: a derivation that holds one does not pass, and the others are judged all the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tracer as tr
from tracer.checking.report import FAIL, INCOMPLETE, PASS
from tracer.errors import DerivationError


def recorded():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(8, 3)), name="X")
    t = tr.tensor(rng.normal(size=(8, 2)), name="t")
    first = tr.parameter(rng.normal(size=(3, 5)), name="W1")
    second = tr.parameter(rng.normal(size=(5, 2)), name="W2")
    h = tr.tanh(x @ first)
    y = h @ second
    return tr.trace(tr.mean((y - t) ** 2))


TRACE = recorded()
UPPER = "dy = 2*(y-t)/16\ndW2 = h.T @ dy\n"


@pytest.mark.parametrize(
    ("line", "name", "near"),
    [
        ("dw1 = 99 * X.T @ (dy @ W2.T)", "dw1", "dW1"),
        ("dL/dw1 = 99 * X.T @ (dy @ W2.T)", "dL_dw1", "dL/dW1"),
        ("grad_w1 = X.T @ (dy @ W2.T)", "grad_w1", "grad_W1"),
        ("dWq = 17 * h.T @ dy", "dWq", ""),
        ("dWq = 17 * X", "dWq", ""),
        ("∂L/∂q = 0.0", "dL_dq", ""),
    ],
)
def test_a_gradient_of_nothing_recorded_does_not_pass(line, name, near):
    report = tr.verify(TRACE, UPPER + line)
    assert (report.outcome, report.ok, bool(report)) == (INCOMPLETE, False, False)
    row = report.rows[-1]
    assert (row.name, row.line, row.outcome, row.unjudged) == (name, 3, INCOMPLETE, True)
    assert "not judged: no value" in row.reason
    assert "recorded are X, t, W1, W2" in row.notes[0]
    assert any("name=" in note for note in row.notes) is not bool(near)
    assert [cause.text for cause in row.causes] == ([f"did you mean {near}?"] if near else [])
    assert report.summary == "verify: INCOMPLETE, 2 of 3 lines right, 1 not judged"
    assert json.loads(report.to_json())["outcome"] == INCOMPLETE


@pytest.mark.parametrize(
    "line",
    ["dim = X.shape[1]", "helper = 2 * X", "dL = 1.0", "denominator = 3.0 * h", "d_k = 3"],
)
def test_a_helper_that_is_no_gradient_passes(line):
    assert tr.verify(TRACE, UPPER + line).outcome == PASS


def test_a_gradient_of_nothing_recorded_that_a_judged_line_uses_passes():
    text = UPPER + "dact = dy @ W2.T\ndW1 = X.T @ (dact * (1 - h**2))"
    assert tr.verify(TRACE, text).outcome == PASS


def test_what_a_function_returns_does_not_count_as_used():
    lines = "".join(f"    {line}\n" for line in (*UPPER.splitlines(), "dWq = 3 * h.T @ dy"))
    report = tr.verify(TRACE, f"def backward():\n{lines}    return dW2, dWq\n")
    assert report.outcome == INCOMPLETE


def test_a_line_whose_shapes_do_not_fit_is_wrong_and_the_others_are_judged():
    text = UPPER + "dh = dy @ W2\ndz = dh * (1 - h**2)\ndW1 = 3 * X.T @ dz"
    report = tr.verify(TRACE, text)
    assert report.outcome == FAIL
    wrong = [row.name for row in report.rows if row.outcome == FAIL]
    assert wrong == ["dh", "dW1"]
    assert report.first_wrong.line == 3
    assert "2 against 5" in report.first_wrong.reason
    assert any("judged on the recorded dL/dh" in note for note in report.notes)


def test_what_needs_a_helper_that_cannot_be_computed_is_not_judged():
    report = tr.verify(TRACE, "dy = 2*(y-t)/16\ns = y @ y\nr = 2 * s\ndW2 = h.T @ (dy * r)")
    found = [(row.name, row.outcome) for row in report.rows]
    assert found == [("dy", PASS), ("s", FAIL), ("r", INCOMPLETE), ("dW2", INCOMPLETE)]
    assert report.rows[-1].reason == "not judged: it uses r (line 3), which cannot be computed"


def test_a_broken_line_in_a_loop_leaves_the_steps_to_the_recorded_gradients():
    rng = np.random.default_rng(1)
    w = tr.parameter(rng.normal(size=(3, 3)), name="W")
    h = tr.tensor(rng.normal(size=(2, 3)), name="h0")
    for t in range(1, 5):
        with tr.scope("rnn", t=t):
            h = tr.tanh(h @ w)
    text = """dh = 2 * h[4]
dW = np.zeros((3, 3))
for t in range(4, 0, -1):
    da = dh * (1 - h[t]**2)
    dW += h[t-1].T @ da
    dh = da.T @ W.T
"""
    report = tr.verify(tr.trace(tr.sum(h * h)), text)
    assert [(row.name, row.outcome) for row in report.rows if not row.passed] == [("dh", FAIL)]


def test_a_broken_line_does_not_hide_an_earlier_one_of_the_same_name():
    report = tr.verify(TRACE, "dy = 2*(y-t)/16\ndh = dy @ W2.T\ndh = dh @ nothing")
    assert [(row.name, row.line, row.outcome) for row in report.rows] == [
        ("dy", 1, PASS),
        ("dh", 2, PASS),
        ("dh", 3, FAIL),
    ]


def test_a_sum_that_cannot_be_completed_is_wrong_once():
    report = tr.verify(TRACE, UPPER + "dW1 = np.zeros_like(W1)\ndW1 += X @ (dy @ W2.T)")
    assert [(row.line, row.outcome) for row in report.rows if not row.passed] == [(4, FAIL)]


def test_where_nothing_is_left_to_be_judged_the_derivation_is_refused():
    with pytest.raises(DerivationError, match="line 1: dy @ W2 cannot be computed"):
        tr.verify(TRACE, "dh = dy @ W2")
    with pytest.raises(DerivationError, match="no recorded value 'w1': did you mean W1"):
        tr.verify(TRACE, "dw1 = X.T @ X")
