"""What holds at these inputs only: no cure is proposed that does, and a right line that does is remarked on."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.checking import AGREE, DISAGREE, UNDECIDABLE
from tracer.checking.otherwise import other_runs
from tracer.checking.verifying.elsewhere import HERE_ONLY, NUMBER
from tracer.errors import DerivationError


def circuit(x: float = -2.0, y: float = 5.0, z: float = -4.0) -> tr.Trace:
    """f = (x + y) z, of small whole numbers, of which many are equal by chance."""
    a, b, c = (tr.tensor(v, name=n) for v, n in ((x, "x"), (y, "y"), (z, "z")))
    q = a + b
    return tr.trace(q * c)


def row(trace: tr.Trace, text: str) -> tr.checking.Row:
    return tr.verify(trace, text).rows[-1]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [({"x": -3.0}, "dL/dx = 2*x"), ({"x": 4.0}, "dL/dx = 2*x"), ({"z": -6.0}, "dL/dy = 5*x")],
)
def test_a_cure_that_fits_these_inputs_only_is_not_proposed(inputs, text):
    found = row(circuit(**inputs), text)
    assert found.verdict == DISAGREE
    assert not found.causes


def test_the_search_goes_on_behind_a_cure_that_fits_these_inputs_only():
    for inputs in ({}, {"z": 5.0}):  # where 2x and y are the number of z
        found = row(circuit(**inputs), "dL/dy = x")
        assert [cause.fix for cause in found.causes] == ["dL_dy = z"]


def test_a_factor_of_a_formula_is_a_cause_where_it_is_one_on_other_runs_too():
    assert row(circuit(), "dL/dx = -z").causes[0].kind == "sign"
    assert row(circuit(), "dL/dx = 2*z").causes[0].fix == "dL_dx = z"


def test_of_a_bare_number_the_numbers_are_told():
    (cause,) = row(circuit(), "dL/dx = 4").causes
    assert (cause.kind, cause.fix) == ("sign", "")


def test_a_right_line_that_holds_at_these_inputs_only_is_remarked_on_and_stays_right():
    report = tr.verify(circuit(), "dL/dx = 2*x\ndL/dy = -4\ndL/dz = 3*1")
    assert report.ok
    assert [line.notes for line in report.rows] == [(HERE_ONLY,), (NUMBER,), (NUMBER,)]


def test_a_number_that_is_the_same_for_all_inputs_and_constants_of_the_script_are_no_coincidence():
    x = tr.tensor(np.arange(6.0).reshape(3, 2), name="x")
    text = "m = 3\neps = 1e-5\ndL/dloss = 1\ndL/dx = 2 * x / m + eps"
    loss = tr.sum(x * x) / 3 + 1e-5 * tr.sum(x)
    report = tr.verify(tr.trace(loss), text)
    assert report.ok
    assert not any(line.notes for line in report.rows)


def test_a_gradient_of_nothing_but_rounding_is_no_coincidence():
    x = tr.tensor(np.random.default_rng(0).normal(size=(5, 3)), name="x")
    b = tr.tensor(np.ones(3), name="b")
    z = x + b
    xhat = (z - tr.mean(z, axis=0)) / tr.sqrt(tr.var(z, axis=0) + 1e-5)
    found = row(tr.trace(tr.sum(xhat**3)), "dL/db = 0 * b")
    assert (found.verdict, found.notes) == (AGREE, ())


def test_other_runs_take_the_recorded_way_and_are_those_that_will_do():
    x = tr.tensor(0.1, name="x")
    trace = tr.trace(x * x if x > 0.09 else x)
    runs = [*other_runs(trace, 3, usable=lambda run: bool(run.value("x") != 0.1))]
    assert runs
    assert all(run.value("x") > 0.09 for run in runs)


@pytest.mark.parametrize("text", ["dL/dw1 = x * dL/dz", "dL/dz = 1", "dw1 = x * z"])
def test_the_stem_of_several_names_is_not_guessed(text):
    x, w1, w2 = (tr.tensor(v, name=n) for v, n in ((3.0, "x"), (2.0, "w1"), (5.0, "w2")))
    z1 = x * w1
    z2 = z1 * w2
    with pytest.raises(DerivationError, match=r"did you mean (dL/d)?z1 or (dL/d)?z2\?"):
        tr.verify(tr.trace(z2 * z2), text)


def fitted_exactly() -> tr.Trace:
    """A network that fits its data but for the last digits."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=3)
    out = tr.tensor(x, name="x") @ tr.tensor(w, name="w")
    target = tr.constant(np.nextafter(x @ w, 9.0), name="target")
    return tr.trace(tr.sum((out - target) ** 2))


def test_gradients_of_rounding_are_undecided_and_never_wrong():
    trace = fitted_exactly()
    text = "dL/dout = 2 * (out - target)\ndL/dw = x.T @ dL/dout\ndL/dx = outer(dL/dout, w)"
    for report in (tr.verify(trace, text), tr.check(trace)):
        assert all(line.verdict != DISAGREE for line in report.rows)
        assert report.outcome == "PRECISION-LIMITED"
        assert any(line.because.startswith("zero to rounding") for line in report.rows)


def test_a_gradient_that_is_no_rounding_is_wrong_where_the_right_one_is():
    found = row(fitted_exactly(), "dL/dw = w")
    assert found.verdict == DISAGREE


def test_a_gradient_that_jumps_at_an_edge_is_not_called_rounding():
    a, b = tr.tensor(1.5, name="a"), tr.tensor(1.5, name="b")
    c = tr.tensor([2.0, 3.0], name="c")
    step, kink = tr.sum(tr.where(a - b > 0, c, 2 * c)), tr.sum(tr.relu(a - b) * c)
    assert row(tr.trace(step), "dL/dc = 5 * c").verdict == DISAGREE
    assert row(tr.trace(kink), "dL/da = 9 * b").verdict == DISAGREE


def test_numbers_that_are_nan_are_said_to_be():
    w = tr.tensor([np.nan, 1.0], name="w")
    report = tr.verify(tr.trace(tr.sum(w * w)), "dL/dw = 2 * w")
    assert report.rows[0].verdict == UNDECIDABLE
    assert "w is the first value that is not finite: nan at [0]" in report.notes
