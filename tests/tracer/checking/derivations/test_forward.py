"""Forward lines in a derivation: other numbers, other decompositions, and what may be left out."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr

PAPER = """\
m = x.shape[0]
dxhat = dy * gamma
dvar = (dxhat * (x - mu)).sum(0) * -0.5 * (var + eps)**-1.5
dmu = (dxhat * -1/np.sqrt(var + eps)).sum(0) + dvar * (-2*(x - mu)).sum(0)/m
dx = dxhat / np.sqrt(var + eps) + dvar * 2*(x - mu)/m + dmu/m
dgamma = (dy * xhat).sum(0)
dbeta = dy.sum(0)
"""
OTHER_WAY = PAPER.replace("(-2*(x - mu)).sum(0)/m", "-2 * mu").replace("2*(x - mu)/m", "2*x/m")
SQUARES = "var = np.mean(x**2, axis=0) - mu**2\n"


def batch_norm() -> tr.Trace:
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(6, 3)) * 2 + 1, name="x")
    gamma, beta = tr.parameter(rng.normal(size=3)), tr.parameter(rng.normal(size=3))
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    xhat = (x - mu) / tr.sqrt(var + 1e-5)
    y = gamma * xhat + beta
    return tr.trace(((y - rng.normal(size=(6, 3))) ** 2).mean())


TRACE = batch_norm()


def test_epsilon_is_read_from_the_forward_pass():
    report = tr.verify(TRACE, PAPER)
    assert report.ok, report
    assert report.notes == ("eps is defined nowhere: it was read as the recorded 1e-05",)


@pytest.mark.parametrize(
    "forward", [SQUARES, "mu = x.mean(0)\nsquare = x * x\nvar = square.mean(axis=0) - mu * mu\n"]
)
def test_another_decomposition_of_the_variance_is_noticed_and_judged_by(forward):
    report = tr.verify(TRACE, forward + OTHER_WAY)
    assert report.ok, report
    line = forward.count("\n")
    said = f"line {line}: this var is the recorded number, computed another way: dL/dmu is then another number"
    assert said in report.notes
    dmu = next(row for row in report.rows if row.name == "dmu")
    assert abs(dmu.worst.hand - TRACE.gradient("mu")[dmu.worst.index]) > 1e-3


def test_a_mistake_in_another_decomposition_is_still_a_mistake():
    report = tr.verify(TRACE, SQUARES + OTHER_WAY.replace("-2 * mu", "2 * mu"))
    assert report.first_wrong.name == "dmu"


def test_lines_that_fit_the_recorded_forward_pass_are_judged_by_it():
    report = tr.verify(TRACE, SQUARES + PAPER)
    assert report.ok, report
    assert any("judged by the recorded forward pass" in note for note in report.notes)


def test_the_same_decomposition_is_not_remarked():
    report = tr.verify(TRACE, "mu = x.sum(0) / 6\nvar = ((x - mu)**2).sum(axis=0) / 6\n" + PAPER)
    assert report.ok, report
    assert not any("computed another way" in note for note in report.notes)


def test_other_numbers_are_remarked():
    report = tr.verify(TRACE, "var = x.var(0, ddof=1)\n" + PAPER)
    assert "line 1: this var is not the recorded one; the lines below use it" in report.notes
    assert not report.ok


def test_a_term_that_is_exactly_zero_may_be_left_out_with_a_note():
    report = tr.verify(TRACE, PAPER.replace(" + dvar * (-2*(x - mu)).sum(0)/m", ""))
    assert report.ok, report
    assert "line 4: dmu leaves out what comes via var, and may: it is exactly 0" in report.notes
    assert not any("leaves out" in note for note in tr.verify(TRACE, PAPER).notes)


def test_gradients_that_no_line_gives_are_named():
    report = tr.verify(TRACE, "dbeta = dy.sum(0)")
    assert report.notes == ("no line gives dL/dx, dL/dgamma",)


@pytest.mark.parametrize("mean", ["0 * x.mean(0) + np.array({})", "np.round(x.mean(0), 15)"])
def test_a_forward_line_that_cuts_the_graph_is_not_believed(mean):
    """The gradient of an input is one number, however its users are computed."""
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(6, 3)), name="x")
    mu = tr.mean(x, axis=0)
    centred = x - mu
    trace = tr.trace(tr.sum(tr.square(centred) * centred))
    wrong = f"mu = {mean.format(mu.value.tolist())}\ndx = 3 * (x - mu)**2\n"
    report = tr.verify(trace, wrong)
    assert report.first_wrong.line == 2
    assert any("does not depend on x" in note for note in report.notes)
