"""Verdicts on single numbers, and the reports that gather them."""

from __future__ import annotations

import math

import pytest

from tracer.checking.certified.certificate import Certified
from tracer.checking.certified.certify import certify
from tracer.checking.judge import AGREE, DISAGREE, UNDECIDABLE, judge
from tracer.checking.report import (
    FAIL,
    KINK,
    PASS,
    PRECISION_LIMITED,
    VACUOUS,
    Element,
    Report,
    Row,
    Rung,
)

EXACT = Certified(0.5, 1e-13, "smooth", 0.5, 0.5)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (0.5, AGREE),
        (0.5 + 1e-9, AGREE),
        (0.50005, DISAGREE),
        (-0.5, DISAGREE),
        (math.nan, DISAGREE),
    ],
)
def test_a_claim_is_held_against_the_number_and_its_bound(claim, verdict):
    assert judge(claim, EXACT)[0] == verdict


def test_an_error_of_one_in_ten_thousand_disagrees():
    slope = certify(math.sin, 0.4)
    assert judge(math.cos(0.4), slope) == (AGREE, "")
    assert judge(math.cos(0.4) * (1 + 1e-4), slope)[0] == DISAGREE


def test_a_wrong_sign_disagrees_at_any_size():
    slope = certify(lambda x: 1e-7 * math.sin(x), 0.4)
    assert judge(-1e-7 * math.cos(0.4), slope, scale=1.0)[0] == DISAGREE


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [(0.0, UNDECIDABLE), (0.5, UNDECIDABLE), (1.0, UNDECIDABLE), (1.7, DISAGREE), (-0.1, DISAGREE)],
)
def test_at_a_kink_any_subgradient_passes_and_nothing_else(claim, verdict):
    slope = certify(lambda x: max(x, 0.0), 0.0)
    found, reason = judge(claim, slope)
    assert found == verdict
    assert "slopes 0 and 1" in reason


def test_a_number_that_is_not_known_well_decides_nothing():
    verdict, reason = judge(0.5001, Certified(0.5, 1e-3, "smooth"))
    assert verdict == UNDECIDABLE
    assert reason == "the number is known only to ±0.001"


@pytest.mark.parametrize("status", ["jump", "infinite slope", "one-sided domain", "not finite"])
def test_without_a_derivative_the_reason_is_what_the_point_is(status):
    assert judge(0.0, Certified(status=status)) == (UNDECIDABLE, status)


def element(verdict, reason="", index=(0,), automatic=0.5, numerical=EXACT):
    return Element(index, math.nan, automatic, numerical, verdict, reason)


def test_one_disagreement_makes_a_row_and_the_report_fail():
    row = Row("x", (3,), (element(AGREE), element(DISAGREE, index=(1,)), element(UNDECIDABLE)))
    assert row.verdict == DISAGREE
    assert (row.count(AGREE), row.count(DISAGREE), row.count(UNDECIDABLE)) == (1, 1, 1)
    assert row.worst is row.elements[1]
    assert not Report("check", (row,)).ok


def test_an_input_of_which_nothing_could_be_decided_is_not_ok():
    jump = element(UNDECIDABLE, "jump")
    assert not Report("check", (Row("x", (1,), (jump,)),)).ok
    assert Report("check", (Row("x", (2,), (jump, element(AGREE))),)).ok


def test_valid_subgradients_alone_are_ok_but_do_not_count_as_agreement():
    row = Row("x", (1,), (element(UNDECIDABLE, "at a kink, between its slopes 0 and 1"),))
    report = Report("check", (row,))
    assert row.verdict == UNDECIDABLE
    assert report.ok
    assert report.summary == "check: KINK, 0 of 1 input right, 1 at a kink, between its slopes"


def test_a_report_is_true_only_if_it_is_ok():
    assert Report("check", (Row("x", (1,), (element(AGREE),)),))
    assert not Report("check", (Row("x", (1,), (element(DISAGREE),)),))


def test_the_first_wrong_line_is_not_an_inherited_one():
    wrong = (element(DISAGREE),)
    rows = (
        Row("dy", (1,), wrong, line=2, inherited=True),
        Row("dx", (1,), wrong, line=3),
        Row("dw", (1,), wrong, line=4),
    )
    report = Report("verify", rows, noun="line")
    assert report.first_wrong is rows[1]
    assert report.summary == "verify: FAIL, 0 of 3 lines right, 3 wrong, first wrong line: 3 (dx)"


def test_a_report_shows_as_the_page_that_the_command_prints():
    rows = (
        Row("x", (2,), (element(AGREE), element(DISAGREE, index=(1,), automatic=0.25))),
        Row("weights", (), (element(AGREE, index=()),), notes=("a note",)),
    )
    text = str(Report("check f", rows, ("random seed 0",)))
    assert text.splitlines() == [
        "FAIL at x · 1 of 2 inputs right, 1 wrong",
        " check f · 3 numbers certified",
        "",
        "    input    shape  automatic      certified",
        " ✗  x [1]    2      0.250000       0.5000000000000 ± 1e−13",
        "   1 of 2 elements are wrong",
        " ✓  weights  ()     0.5000000000   0.5000000000000 ± 1e−13",
        "   a note",
        "",
        " · random seed 0",
    ]


@pytest.mark.parametrize(
    ("reasons", "outcome"),
    [
        pytest.param([None], PASS, id="agrees"),
        pytest.param([None, "at a kink, between its slopes 0 and 1"], KINK, id="a kink"),
        pytest.param(["at a kink, between its slopes 0 and 1"], KINK, id="nothing but a kink"),
        pytest.param([None, "jump"], KINK, id="a jump beside what agrees"),
        pytest.param(["jump"], PRECISION_LIMITED, id="nothing but a jump"),
        pytest.param([None, "one-sided domain"], KINK, id="an edge of the domain"),
        pytest.param([None, "the number is known only to ±0.1"], PRECISION_LIMITED, id="rough"),
        pytest.param([], PASS, id="empty"),
    ],
)
def test_the_outcome_says_what_could_not_be_decided(reasons, outcome):
    elements = tuple(element(UNDECIDABLE, why) if why else element(AGREE) for why in reasons)
    report = Report("check", (Row("x", (1,), elements),))
    assert report.outcome == outcome
    assert report.ok is (outcome in (PASS, KINK))


def test_the_gravest_outcome_is_that_of_the_report():
    rough = Row("a", (1,), (element(UNDECIDABLE, "no certified number"),))
    vacuous = Row("b", (1,), (element(AGREE),), vacuous="tr.sum(w * y)")
    wrong = Row("c", (1,), (element(DISAGREE),))
    assert Report("check", (rough,)).outcome == PRECISION_LIMITED
    assert Report("check", (rough, vacuous)).outcome == VACUOUS
    assert Report("check", (rough, vacuous, wrong)).outcome == FAIL


def test_a_rule_at_fault_fails_though_all_inputs_agree():
    rung = Rung("rules of the nodes", 3, 1, "rule of tanh by x", 2, "h#2")
    report = Report("check f", (Row("x", (1,), (element(AGREE),)),), rungs=(rung,))
    assert report.outcome == FAIL
    assert report.faulty == "h#2"
    assert report.summary == "check f: FAIL at h#2 (rule of tanh by x), 1 of 1 input right"


def test_a_report_fits_80_columns_whatever_it_says():
    name = "a_name_of_a_parameter_that_goes_on_and_on"
    long = "why it could not be decided in so many words that they never end at all"
    row = Row(name, (128, 64), (element(UNDECIDABLE, long, index=(100, 63)),), notes=(long,))
    rung = Rung("rules of the nodes", 12, 3, "rule of softmax_cross_entropy by logits", 2, name)
    report = Report(f"check {name}", (row,), (long,), rungs=(rung,), faults=(row,) * 6)
    assert max(map(len, str(report).splitlines())) <= 80
    assert any(len(line) > 80 for line in report.table(140).splitlines())


def test_a_claim_that_is_off_by_a_thousandth_is_no_agreement_however_much_rounding_moves_it():
    slope = Certified(1.0, 1e-13, "smooth")
    assert judge(1.001, slope, rounding=5e-3)[0] == UNDECIDABLE
    assert judge(1.001, slope, rounding=5e-4)[0] == DISAGREE
    assert judge(1.0, slope, rounding=5e-3)[0] == AGREE
