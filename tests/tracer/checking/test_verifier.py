"""`tr.verify`: a hand derivation line by line. The six lines are those of Ioffe & Szegedy 2015, section 3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tracer.checking import AGREE, DISAGREE, UNDECIDABLE, Report
from tracer.errors import CheckError, DerivationError, UnknownNameError

SIX_LINES = """\
m = x.shape[0]
eps = 1e-5
dxhat = dy * gamma
dvar = (dxhat * (x - mu)).sum(0) * -0.5 * (var + eps)**-1.5
dmu = (dxhat * -1/np.sqrt(var + eps)).sum(0) + dvar * (-2*(x - mu)).sum(0)/m
dx = dxhat / np.sqrt(var + eps) + dvar * 2*(x - mu)/m + dmu/m
dgamma = (dy * xhat).sum(0)
dbeta = dy.sum(0)
"""


def batch_norm(dtype: type = np.float64) -> tr.Trace:
    """A batch of 8 with 5 features in small primitives, and a squared error."""
    rng = np.random.default_rng(0)
    x = tr.tensor((rng.normal(size=(8, 5)) * 2 + 1).astype(dtype), name="x")
    gamma = tr.parameter(rng.normal(size=5).astype(dtype), name="gamma")
    beta = tr.parameter(rng.normal(size=5).astype(dtype), name="beta")
    target = rng.normal(size=(8, 5)).astype(dtype)
    mu = x.mean(0)
    xc = x - mu
    var = (xc**2).mean(0)
    xhat = xc / tr.sqrt(var + 1e-5)
    y = gamma * xhat + beta
    loss = ((y - target) ** 2).mean()
    return tr.trace(loss)


TRACE = batch_norm()


def verdicts(report: Report) -> dict[str, str]:
    return {row.name: row.verdict for row in report.rows}


def test_the_six_lines_agree():
    report = tr.verify(TRACE, SIX_LINES)
    assert report.ok, report
    assert verdicts(report) == dict.fromkeys(
        ["dxhat", "dvar", "dmu", "dx", "dgamma", "dbeta"], AGREE
    )
    assert [row.line for row in report.rows] == [3, 4, 5, 6, 7, 8]
    assert report.summary == "verify: PASS, 6 of 6 lines right"


def test_every_element_stands_beside_two_other_numbers():
    row = tr.verify(TRACE, SIX_LINES).rows[3]
    assert len(row.elements) == 40
    for element in row.elements:
        assert element.hand == pytest.approx(element.automatic, rel=1e-9)
        assert abs(element.automatic - element.numerical.value) <= element.numerical.bound + 1e-12


def test_the_second_term_of_dmu_is_exactly_zero_and_may_be_left_out():
    assert tr.verify(TRACE, SIX_LINES.replace(" + dvar * (-2*(x - mu)).sum(0)/m", "")).ok


SLOW = pytest.mark.slow
MUTANTS = [
    pytest.param(" + dvar * 2*(x - mu)/m", "", "dx", "the path via var is missing", id="var forgotten"),
    pytest.param(" + dmu/m", "", "dx", "the flow from mu is missing", id="mean forgotten"),
    pytest.param("+ dmu/m", "+ dmu", "dx", "the flow from mu is 8 times too large: 1/m", id="1/m of mu"),
    pytest.param("2*(x - mu)/m", "2*(x - mu)", "dx", "via var is 8 times too large", id="1/m of var", marks=SLOW),
    pytest.param("2*(x - mu)/m", "(x - mu)/m", "dx", "via var is half of what it should be", id="2 lost", marks=SLOW),
    pytest.param("+ dmu/m", "- dmu/m", "dx", "from mu is of the wrong sign", id="sign of one path", marks=SLOW),
    pytest.param("+ dmu/m", "+ 2*dmu/m", "dx", "the factor 2 is too many", id="a path twice", marks=SLOW),
    pytest.param("* -0.5", "* 0.5", "dvar", "it is of the wrong sign", id="sign"),
    pytest.param("* -0.5", "* -1", "dvar", "it is twice what it should be", id="factor 2", marks=SLOW),
    pytest.param("dy.sum(0)", "dy.mean(0)", "dbeta", "should be a sum", id="mean for sum", marks=SLOW),
    pytest.param("dbeta = dy.sum(0)", "dbeta = dy", "dbeta", "the sum over axis 0 is missing", id="no sum"),
    pytest.param("(dy * xhat).sum(0)", "dy * xhat", "dgamma", "sum over axis 0 is missing", id="no sum 2", marks=SLOW),
    pytest.param("= dy * gamma", "= dy", "dxhat", "", id="gamma forgotten", marks=SLOW),
    pytest.param("-1.5", "-0.5", "dvar", "", id="exponent"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "line", "cause"), MUTANTS)
def test_a_wrong_line_is_named_with_its_cause(right, wrong, line, cause):
    assert right in SIX_LINES
    report = tr.verify(TRACE, SIX_LINES.replace(right, wrong))
    assert not report.ok
    row = report.first_wrong
    assert row.name == line
    assert row.text in SIX_LINES.replace(right, wrong)
    assert cause in " ".join(each.text for each in row.causes)
    assert f"first wrong line: {row.line} ({line})" in report.summary


def test_a_line_that_is_wrong_only_by_an_earlier_one_is_inherited():
    report = tr.verify(TRACE, SIX_LINES.replace("dxhat = dy * gamma", "dxhat = dy"))
    inherited = {row.name for row in report.rows if row.inherited}
    assert inherited == {"dvar", "dmu", "dx"}
    assert all(row.verdict == DISAGREE for row in report.rows if row.inherited)
    assert verdicts(report)["dgamma"] == AGREE


def test_a_mistake_that_a_later_line_undoes_is_still_a_mistake_in_both():
    text = SIX_LINES.replace("= dy * gamma", "= 2*dy * gamma").replace(
        "(dxhat * (x", "(0.5*dxhat * (x"
    )
    report = tr.verify(TRACE, text)
    assert report.first_wrong.name == "dxhat"
    dvar = report.rows[1]
    assert dvar.verdict == DISAGREE
    assert not dvar.inherited
    assert dvar.because == "right only because it undoes an earlier mistake"


def test_the_worst_element_shows_its_three_numbers_and_the_majority():
    report = tr.verify(TRACE, SIX_LINES.replace(" + dvar * 2*(x - mu)/m", ""))
    worst = report.first_wrong.worst
    assert abs(worst.hand - worst.automatic) > 0.01
    assert worst.numerical.value == pytest.approx(worst.automatic, rel=1e-9)
    assert "automatic and certified agree" in report.first_wrong.culprit
    text = str(report)
    assert text.startswith("FAIL at line 6, dx · 5 of 6 lines right, 1 wrong")
    assert worst.where in text
    assert "- dx = dxhat / np.sqrt(var + eps) + dmu/m" in text
    assert "+ dx = dxhat / np.sqrt(var + eps) + dmu/m + dvar" in text


def test_when_hand_and_numbers_agree_our_rule_is_blamed():
    @tr.primitive(vjps={"x": lambda g, out, x: g * 3.0 * x}, name="square_bad")
    def square_bad(x):
        return x * x

    x = tr.tensor([1.0, -2.0], name="x")
    report = tr.verify(tr.trace(tr.sum(square_bad(x))), "dx = 2 * x")
    del PRIMITIVES["square_bad"]
    assert not report.ok
    assert report.rows[0].count(AGREE) == 2
    assert "the rule of square_bad is wrong" in report.rows[0].culprit


def test_gradients_may_be_given_as_arrays():
    right = {name: TRACE.gradient(name) for name in ("x", "gamma", "beta")}
    assert tr.verify(TRACE, right).ok
    wrong = tr.verify(TRACE, {**right, "dx": -right["x"]})
    assert wrong.first_wrong.name == "dx"
    assert [each.text for each in wrong.first_wrong.causes] == ["it is of the wrong sign"]
    assert "gradient" in str(wrong).splitlines()[3]


def test_lecture_notation_is_understood():
    x, w = tr.tensor(3.0, name="x"), tr.tensor(2.0, name="w")
    y = x * w
    trace = tr.trace(tr.square(y))
    report = tr.verify(trace, "dL/dy = 2*y\n∂L/∂w = dL/dy * x   # the chain rule\ndL_dx = dy * w")
    assert report.ok, report
    assert len(report.rows) == 3


def test_a_float32_trace_is_verified_in_float64():
    trace = batch_norm(np.float32)
    report = tr.verify(trace, SIX_LINES)
    assert report.ok, report
    assert all(element.numerical.bound < 1e-9 for row in report.rows for element in row.elements)
    assert tr.verify(trace, {"x": trace.gradient("x"), "gamma": trace.gradient("gamma")}).ok


def test_backpropagation_through_time_by_hand():
    trace = scalar_rnn()
    report = tr.verify(trace, THROUGH_TIME)
    assert report.ok, report
    assert {row.name for row in report.rows} >= {"da#3", "dwaa", "dL_dwax", "dba"}


THROUGH_TIME = """\
da#4 = 2 * (a#4 - 0.5)
dz4 = da#4 * (1 - a#4**2)
da#3 = dz4 * waa
dz3 = da#3 * (1 - a#3**2)
da#2 = dz3 * waa
dz2 = da#2 * (1 - a#2**2)
da#1 = dz2 * waa
dz1 = da#1 * (1 - a#1**2)
dwaa = dz4*a#3 + dz3*a#2 + dz2*a#1 + dz1*a0
dL/dwax = 0.8*dz4 + 0.3*dz3 - 1.0*dz2 + 0.5*dz1
dba = dz4 + dz3 + dz2 + dz1
"""


def scalar_rnn() -> tr.Trace:
    """a⟨t⟩ = tanh(waa a⟨t−1⟩ + wax x⟨t⟩ + ba), four steps, and the squared error of the last."""
    waa, wax = tr.parameter(0.7, name="waa"), tr.parameter(-0.4, name="wax")
    ba = tr.parameter(0.1, name="ba")
    a = tr.tensor(0.2, name="a0")
    for t, x in enumerate([0.5, -1.0, 0.3, 0.8], start=1):
        with tr.scope("rnn", t=t):
            a = tr.tanh(waa * a + wax * x + ba)
    return tr.trace((a - 0.5) ** 2)


@pytest.mark.parametrize(
    ("right", "wrong", "cause"),
    [
        (" + dz1*a0", "", "the flow from step 1 (a#1) is missing"),
        (" + dz2*a#1 + dz1*a0", "", "from step 2 (a#2) to step 1 (a#1) is missing"),
        ("dz2*a#1", "2*dz2*a#1", "the factor 2 is too many"),
    ],
)
def test_time_steps_left_out_of_a_shared_weight_are_named(right, wrong, cause):
    report = tr.verify(scalar_rnn(), THROUGH_TIME.replace(right, wrong))
    assert report.first_wrong.name == "dwaa"
    assert cause in report.first_wrong.causes[0].text


def test_a_wrong_helper_is_pointed_at_by_the_line_that_uses_it():
    report = tr.verify(scalar_rnn(), THROUGH_TIME.replace("(1 - a#3**2)", "(1 - a#3)"))
    assert report.first_wrong.name == "da#2"
    assert "dz3 (line 4)" in report.first_wrong.causes[0].text


def test_a_bare_name_that_repeats_means_the_latest_and_says_so():
    report = tr.verify(scalar_rnn(), "da = 2 * (a - 0.5)")
    assert report.ok
    assert report.notes[0] == "a was recorded 4 times: it means the latest, a#4"


def test_a_line_may_be_built_up_and_only_its_last_form_is_judged():
    report = tr.verify(TRACE, SIX_LINES.replace(" + dmu/m\n", "\ndx += dmu/m\n"))
    assert report.ok, report
    assert [row.line for row in report.rows if row.name == "dx"] == [7]


def test_a_value_defined_anew_and_differently_is_noted():
    report = tr.verify(TRACE, "var = ((x - mu)**2).sum(0)\n" + SIX_LINES)
    assert "line 1: this var is not the recorded one; the lines below use it" in report.notes
    assert not report.ok
    same = tr.verify(TRACE, "var = ((x - mu)**2).mean(0)\n" + SIX_LINES)
    assert same.ok
    assert not same.notes


def test_at_a_kink_any_subgradient_is_accepted():
    x = tr.tensor([0.0, 1.0], name="x")
    trace = tr.trace(tr.sum(tr.relu(x)))
    assert tr.verify(trace, {"x": [0.3, 1.0]}).ok
    only = tr.verify(trace, {"x": [0.3, 0.0]})
    assert not only.ok
    assert only.rows[0].worst.index == (1,)
    kink = tr.verify(tr.trace(tr.relu(tr.tensor(0.0, name="x"))), {"x": 1.0})
    assert kink.ok
    assert kink.rows[0].verdict == UNDECIDABLE


def test_a_value_without_a_recorded_gradient_is_judged_by_the_numbers_alone():
    x, target = tr.tensor([1.0, 2.0], name="x"), tr.constant([0.5, 0.5], name="target")
    trace = tr.trace(tr.sum(tr.square(x - target)))
    report = tr.verify(trace, "dtarget = -2 * (x - target)")
    assert report.ok, report
    assert "judged by the numbers alone" in str(report)
    assert not tr.verify(trace, "dtarget = 2 * (x - target)").ok


def test_a_parameter_of_an_operation_can_be_used_by_name():
    x = tr.tensor(np.arange(6.0).reshape(3, 2), name="x")
    gamma, beta = tr.parameter([1.0, 2.0], name="gamma"), tr.parameter([0.0, 0.5], name="beta")
    y = tr.batch_norm(x, gamma, beta, eps=1e-3)
    trace = tr.trace(tr.sum(tr.square(y)))
    text = "xhat = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)\ndgamma = (dy * xhat).sum(0)"
    assert tr.verify(trace, text).ok


@pytest.mark.parametrize(
    ("claim", "verdict"), [(np.ones((1, 5)), AGREE), (1.0, AGREE), (np.ones((8, 5)), DISAGREE)]
)
def test_axes_of_length_one_and_single_numbers_stand_for_the_whole(claim, verdict):
    beta = tr.parameter(np.zeros(5), name="beta")
    trace = tr.trace(tr.sum(beta))
    assert tr.verify(trace, {"beta": claim}).rows[0].verdict == verdict


def test_a_gradient_that_is_exactly_zero_agrees_with_zero():
    x = tr.tensor(np.random.default_rng(1).normal(size=(6, 3)), name="x")
    xhat = (x - x.mean(0)) / tr.sqrt(tr.square(x - x.mean(0)).mean(0))
    report = tr.verify(tr.trace(tr.sum(xhat)), {"x": np.zeros((6, 3))})
    assert report.ok, report


def test_names_that_were_not_recorded_are_refused_with_the_closest():
    with pytest.raises(UnknownNameError, match="try: gamma"):
        tr.verify(TRACE, {"gama": np.zeros(5)})
    with pytest.raises(UnknownNameError, match="there is no recorded value 'q'"):
        tr.verify(TRACE, {"q": 0.0})


@pytest.mark.parametrize(
    ("derivation", "message"),
    [
        ({}, "the derivation is empty"),
        ({"x": "abc"}, "x: "),
        ({"x": [[1, 2], [3]]}, "x: not an array of numbers"),
        (["dx"], "text or a mapping, not list"),
        (None, "text or a mapping, not NoneType"),
    ],
)
def test_what_is_no_derivation_is_refused(derivation, message):
    with pytest.raises(DerivationError, match=message):
        tr.verify(TRACE, derivation)


def test_a_trace_without_a_loss_cannot_be_verified():
    with pytest.raises(CheckError, match="no loss"):
        tr.verify(replace(TRACE, loss=-1), {"x": 0.0})


def test_a_chain_of_many_nodes_is_no_recursion():
    y = tr.tensor(1.0, name="x")
    for _ in range(3_000):
        y = y * 1.0001
    assert tr.verify(tr.trace(y), {"x": 1.0001**3000}).ok


def test_sixty_doublings_do_not_blow_up():
    y = tr.tensor(1.0, name="x")
    for _ in range(60):
        y = y + y
    trace = tr.trace(y)
    assert tr.verify(trace, {"x": 2.0**60}).ok
    assert "a factor 2 was forgotten" in tr.verify(trace, {"x": 2.0**59}).rows[0].causes[0].text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_of_terms_that_cancel_is_right_though_rounding_is_all_that_is_left(dtype):
    signs = np.repeat([1.0, -1.0], 101)[np.random.default_rng(0).permutation(202)].astype(dtype)
    b = tr.tensor(np.zeros(1, dtype), name="b")
    trace = tr.trace(tr.l1_loss(b + np.zeros(202, dtype), tr.constant(signs)))
    left = trace.gradient("b")
    assert 0 < abs(left[0]) < 1e-8
    assert tr.verify(trace, {"b": left}).first_wrong is None
    assert tr.verify(trace, {"b": left + dtype(1 / 202)}).outcome == "FAIL"
