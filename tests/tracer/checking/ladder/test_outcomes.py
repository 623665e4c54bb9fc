"""PASS, FAIL, KINK, VACUOUS: what a check comes to, with names; and what the rungs beside the rules find."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.checking.ladder.declared import wrong
from tracer.checking import AGREE, DISAGREE
from tracer.checking.ladder.forward import forward_rung
from tracer.checking.progress import StoppedError
from tracer.checking.report import FAIL, KINK, PASS, PRECISION_LIMITED, VACUOUS

RNG = np.random.default_rng(2)
X, W = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 4))


def test_the_sum_of_a_normalised_batch_is_vacuous_and_a_better_line_is_proposed():
    def loss(x, gamma, beta):
        y = tr.batch_norm(x, gamma, beta)
        return tr.sum(y)

    report = tr.check(loss, (X, np.ones(4), np.zeros(4)))
    assert report.outcome == VACUOUS
    assert not report.ok
    proposed = [row.vacuous.partition(" with")[0] for row in report.rows]
    assert proposed == ["tr.sum(w * y)", "tr.sum(w * y)", ""]
    w = np.random.default_rng(0).normal(size=X.shape)
    better = tr.check(lambda *args: tr.sum(w * tr.batch_norm(*args)), (X, np.ones(4), np.zeros(4)))
    assert better.outcome == PASS


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda x: tr.mean(tr.softmax(x)), id="mean of softmax"),
        pytest.param(lambda x: tr.sum(x - tr.mean(x)), id="sum of deviations"),
        pytest.param(lambda x: 3.0 * tr.sum(tr.layer_norm(x)) + 1.0, id="scaled and shifted"),
        pytest.param(lambda x: tr.sum(tr.softmax(x)) + tr.sum(W * W), id="one of two terms"),
    ],
)
def test_other_seeds_under_which_everything_cancels_are_vacuous_too(loss):
    assert tr.check(loss, (X,)).outcome == VACUOUS


@pytest.mark.parametrize(
    ("loss", "args"),
    [
        pytest.param(lambda x: tr.sum(tr.relu(x - 100.0)), (X,), id="dead units"),
        pytest.param(lambda x: tr.sum(x * 0.0), (X,), id="times zero"),
        pytest.param(lambda x, t: tr.mean((x - t) ** 2), (X, X), id="the minimum"),
        pytest.param(lambda b: tr.mean((X - X.mean() - b) ** 2), (0.0,), id="an optimum of one"),
        pytest.param(lambda x: tr.softmax(x), (X,), id="an output that is no single number"),
    ],
)
def test_a_gradient_that_is_zero_by_itself_is_not_vacuous(loss, args):
    report = tr.check(loss, args)
    assert report.outcome == PASS
    assert report.rungs[0].said == ""


def test_a_kink_names_the_recorded_node_and_element():
    def loss(x):
        h = tr.relu(x)
        return tr.sum(h * h + h)

    x = X.copy()
    x[2, 3] = 0.0
    report = tr.check(loss, (x,))
    assert report.outcome == KINK
    assert report.ok
    assert any("h at [2, 3] = 0" in note for note in report.rows[0].notes)
    (element,) = (e for e in report.rows[0].elements if e.verdict != AGREE)
    assert (element.index, element.numerical.left, element.numerical.right) == ((2, 3), 0, 1)


def test_a_kink_in_a_large_input_is_set_apart_and_all_other_elements_are_decided():
    x = RNG.normal(size=(30, 30))
    x[2, 3] = 0.0
    report = tr.check(lambda x: tr.sum(tr.relu(x)), (x,))
    assert report.outcome == KINK
    assert [(e.where, e.verdict) for e in report.rows[0].elements] == [
        ("[2, 3]", "UNDECIDABLE"),
        ("direction 0", AGREE),
    ]


def test_a_number_outside_the_slopes_of_a_kink_disagrees():
    wild = wrong("wild", lambda x: np.maximum(x, 0.0), lambda g, out, x: g * 1.7)
    report = tr.check(wild, (np.array([0.0]),))
    assert report.outcome == FAIL
    assert "outside the slopes" in str(report)


def test_what_a_recording_does_not_see_is_found_end_to_end_and_said():
    report = tr.check(lambda x: tr.sum(tr.tanh(x) * tr.tanh(x).detach()), (X,))
    assert report.outcome == FAIL
    assert report.faulty == ""
    assert "every rule is right by itself: look for a detach" in " ".join(str(report).split())


def test_forward_against_reverse_finds_a_rule_that_is_not_linear_in_its_cotangent():
    def recorded(rule, home):
        op = wrong("odd", np.sin, rule, home=home)
        x = tr.tensor(X, name="x")
        y = op(x)
        return tr.trace(tr.sum(3.0 * y))

    def clipped(g, out, x):
        return tr.clip(g, -1.0, 1.0) * tr.cos(x)

    found = forward_rung(recorded(clipped, "ops.odd"), RNG)
    assert (found.failed, found.label) == (1, "y")
    assert forward_rung(recorded(lambda g, out, x: g * tr.cos(x), "ops.odd"), RNG).failed == 0
    in_numpy = forward_rung(recorded(lambda g, out, x: np.asarray(g) * np.cos(x), "user"), RNG)
    assert (in_numpy.made, in_numpy.failed) == (0, 0)
    assert "the rule of y is not recorded" in in_numpy.said


def test_one_wrong_element_of_4096_is_found_end_to_end_by_halving():
    """The recording is cut for one element only: no rule is wrong, a direction disagrees, halving finds it."""

    def loss(x):
        y = tr.tanh(x)
        return tr.sum(y) + tr.tensor(np.asarray(y)[40, 7]) * 0.5

    report = tr.check(loss, (RNG.normal(size=(64, 64)),))
    (row,) = report.rows
    assert [(e.index, e.verdict) for e in row.elements] == [((40, 7), DISAGREE)]
    assert report.outcome == FAIL


def test_a_check_that_is_stopped_keeps_what_is_known_and_does_not_pass():
    def told(done, of):
        if done > 30:
            raise StoppedError

    report = tr.check(lambda x, w: tr.sum(tr.tanh(x @ w)), (X, W), told=told)
    assert report.outcome == PRECISION_LIMITED
    assert any(note.startswith("stopped: ") for note in report.notes)
    assert "not judged" in str(report)


def test_progress_rises_to_all_there_is():
    seen = []
    tr.check(lambda x, w: tr.tanh(x @ w), (X, W), told=lambda *counts: seen.append(counts))
    done = [count for count, _ in seen]
    assert done == sorted(done)
    assert {of for _, of in seen} == {seen[-1][1]}
    assert done[-1] > 0.9 * seen[-1][1]
