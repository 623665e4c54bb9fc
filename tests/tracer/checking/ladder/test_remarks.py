"""Checks of what cannot be compared: values that are not finite, recordings that are cut, results of nothing."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tracer.errors import CheckError

from .declared import wrong

X = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize(
    ("fn", "x", "said"),
    [
        pytest.param(lambda x: tr.sum(tr.log(x)), [1, -1.0], "log@1 is the first", id="log"),
        pytest.param(lambda x: tr.sum(tr.exp(x)), [800, 1.0], "exp@1 is the first", id="exp"),
        pytest.param(
            lambda x: tr.sum(x * np.array([np.nan, 1, 1])), X, "not finite: nan at [0]", id="data"
        ),
        pytest.param(
            lambda x: tr.sum(tr.log(x) * x), [0.0, 2.0], "not finite: -inf at [0]", id="x log x"
        ),
    ],
)
def test_a_value_that_is_not_finite_is_named_and_no_rule_is_blamed(fn, x, said):
    report = tr.check(fn, (np.array(x),))
    assert report.outcome == "PRECISION-LIMITED", report
    assert (report.faulty, report.faults) == ("", ())
    assert said in " ".join(str(report).split())


def test_outputs_that_were_left_out_agree_with_nothing():
    none, some = (tr.check(tr.log, (np.array(x),)) for x in ([-1.0, -2.0], [1.0, -1.0]))
    assert (none.outcome, some.outcome) == ("PRECISION-LIMITED", "KINK")
    assert some.rows[0].count("AGREE") == 1


def test_a_trace_from_a_file_is_as_vacuous_as_a_fresh_one(tmp_path):
    fresh = tr.trace(tr.sum(tr.softmax(tr.tensor(X, name="x"))))
    fresh.save(tmp_path / "it.trace")
    assert tr.check(tr.load(tmp_path / "it.trace")).outcome == "VACUOUS"


def test_a_result_that_depends_on_nothing_is_vacuous():
    assert tr.check(lambda x: tr.constant(3.0), (X,)).outcome == "VACUOUS"
    assert tr.check(lambda x, y: tr.sum(x * x), (X, X)).outcome == "PASS"


def test_no_better_line_is_proposed_where_every_cotangent_gives_zero():
    report = tr.check(lambda x: tr.sum(tr.sin(x) ** 2 + tr.cos(x) ** 2), (X,))
    assert report.rows[0].vacuous == ""


def test_a_cut_in_a_trace_is_told():
    x = tr.tensor(X, name="x")
    report = tr.check(tr.trace(tr.sum(x * tr.detach(x))))
    assert "constant@1 holds what x holds: no gradient flows there" in " ".join(str(report).split())
    assert "no gradient flows" not in str(tr.check(tr.trace(tr.sum(x * x))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"elements": -1}, "elements is -1"),
        ({"elements": 2.5}, "elements is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"order": 3}, "order is 3"),
        ({"executor": 5}, "executor is int"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(CheckError, match=message) as caught:
        tr.check(tr.tanh, (X,), **options)
    assert "try:" in str(caught.value)


@pytest.mark.parametrize("error", [pytest.param(1e-6, marks=pytest.mark.slow), 1e-8])
def test_one_slightly_wrong_element_is_found_among_many_that_are_nearly_flat(error):
    """Far out in a tanh a plain difference is rounded more, relative to its size, than the one claim is wrong."""
    x = np.random.default_rng(0).normal(size=5_000) * 5
    at = x[int(np.argmin(abs(abs(x) - 0.7)))]

    def rule(g, out, x):
        return g * (1 - out**2) * np.where(abs(x - at) < 1e-7, 1 + error, 1)

    report = tr.check(wrong("flat", np.tanh, rule, elementwise=True), (x,))
    assert report.faulty == "flat@1"
    assert tr.check(tr.tanh, (x,)).outcome == "PASS"
