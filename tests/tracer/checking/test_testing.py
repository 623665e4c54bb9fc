"""`tr.assert_gradients` and `tr.assert_derivation` under any test runner."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tracer.checking import testing
from tracer.errors import CheckError, DerivationError


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch):
    """Keep what is asserted here out of the reports of this very session."""
    monkeypatch.setattr(testing, "made", [])


def square_with_a_wrong_rule():
    @tr.primitive(vjps={"x": lambda g, out, x: g * x}, name="square_halved")
    def square_halved(x):
        return x * x

    del PRIMITIVES["square_halved"]
    return square_halved


def test_right_gradients_give_the_report():
    assert tr.assert_gradients(lambda x, w: tr.tanh(x @ w), ([[0.5]], [[2.0]]), seed=3).ok
    assert tr.assert_gradients(np.sin, 0.5, backward=lambda g, x: g * np.cos(x)).ok
    assert tr.assert_gradients(tr.tanh, [[0.5, 1.0]]).ok


def test_a_wrong_gradient_raises_with_report_and_trace():
    wrong = square_with_a_wrong_rule()
    with pytest.raises(tr.WrongGradientError) as caught:
        tr.assert_gradients(lambda x: wrong(tr.tanh(x)), [[0.5, 1.0]])
    error = caught.value
    assert isinstance(error, AssertionError)
    first, _, rest = str(error).partition("\n")
    assert first.startswith("FAIL: ")
    assert " is right" in first
    assert rest == str(error.report)
    row = error.report.rows[0]
    assert error.trace.label(row.node) == row.name == "x"
    assert error.trace.gradient(row.node)[0] == row.elements[0].automatic


def test_the_error_survives_a_trip_between_processes():
    with pytest.raises(tr.WrongGradientError) as caught:
        tr.assert_derivation(lambda x: tr.square(x), "dL/dx = x", 3.0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.derivation == "dL/dx = x"


def test_a_failure_shows_the_page_that_the_command_prints():
    with pytest.raises(tr.WrongGradientError) as caught:
        tr.assert_derivation(lambda x: tr.square(x), "dL/dx = x", 3.0)
    text = str(caught.value)
    assert "FAIL at line 1, dL/dx · 0 of 1 line right, 1 wrong" in text
    for words in ("by hand", "automatic", "certified", "✗", "- dL/dx = x\n", "+ dL/dx = x * 2\n"):
        assert words in text
    assert not any(word in text for word in ("AGREE", "numerical", "hand's"))


def test_a_gradient_of_nothing_recorded_fails_the_test():
    with pytest.raises(tr.WrongGradientError, match=r"INCOMPLETE: line 2 \(dX\): not judged"):
        tr.assert_derivation(lambda x: tr.square(x), "dL/dx = 2 * x\ndX = 99 * x", 3.0)


def test_a_derivation_is_of_a_trace_a_loss_or_a_function():
    x = tr.tensor(3.0, name="x")
    loss = tr.square(x)
    for target in (loss, tr.trace(loss), lambda: tr.square(tr.tensor(3.0, name="x"))):
        assert tr.assert_derivation(target, "dL/dx = 2 * x").ok
        assert tr.assert_derivation(target, {"x": 6.0}).ok
    assert tr.assert_derivation(lambda x: tr.square(x), "dL/dx = 2 * x", 3.0).ok


@pytest.mark.parametrize(
    ("target", "derivation", "error", "message"),
    [
        (3, "dL/dx = 1", CheckError, "int is no trace, no loss and no function"),
        (lambda: 3, "dL/dx = 1", CheckError, "records nothing"),
        (lambda: tr.square(tr.tensor(3.0, name="x")), "dL/dx = ", DerivationError, "line 1"),
    ],
)
def test_what_cannot_be_asserted_is_refused_with_a_cure(target, derivation, error, message):
    with pytest.raises(error, match=message):
        tr.assert_derivation(target, derivation)


def test_outside_of_pytest_no_report_is_kept(monkeypatch):
    tr.assert_gradients(tr.tanh, 0.5)
    assert len(testing.made) == 1
    testing.made.clear()
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    tr.assert_gradients(tr.tanh, 0.5)
    assert testing.made == []
