"""Wrong answers are explained: by the mistakes that come to them, and formulas by the verifier's diagnosis."""

from __future__ import annotations

import pytest

from tests.tracer.quizzing.networks import asked, product, question
from tracer.quizzing.judging import WRONG, judge
from tracer.quizzing.question import Subject
from tracer.quizzing.wording import numbers


def explained(one, text):
    found = judge(one, text)
    assert found.verdict == WRONG, found
    return "; ".join(found.said)


def typed(value):
    """Numbers as somebody types them: three digits."""
    return numbers(value, 3).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-3", "of the wrong sign"),
        ("-7", "the difference"),
        ("-10", "the product"),
        ("5", "that is y"),
        ("-4", "that is its gradient"),
        ("3.5", "the sign is right, but it is too large"),
        ("0", "it is not 0"),
    ],
)
def test_a_wrong_value(text, words):
    assert words in explained(question("circuit", "value", "q"), text)


def test_a_value_whose_last_step_was_left_out():
    one = question("xor:one_zero", "value", "z2")
    trace = one.trace
    before = trace.value("h") @ trace.value("W2")
    assert "that is h @ W2" in explained(one, typed(before))


def test_a_flow_without_the_local_derivative_and_without_what_comes_in():
    one = question("xor:one_zero", "flow", "z2", sender="y")
    trace = one.trace
    g, y = trace.gradient("y"), trace.value("y")
    assert "the local derivative y · (1 − y) was forgotten" in explained(one, typed(g))
    assert "the factor ∂L/∂y was forgotten" in explained(one, typed(y * (1 - y)))
    assert "the factor 1 − y was forgotten" in explained(one, typed(g * y))
    assert "the value of z2" in explained(one, typed(trace.value("z2")))
    assert "wrong sign" in explained(one, typed(-g * y * (1 - y)))
    assert "twice" in explained(one, typed(2 * g * y * (1 - y)))


def test_a_flow_to_another_input():
    one = question("circuit", "flow", "q", sender="f")
    assert "that is the flow to z" in explained(one, "3")


def test_a_local_derivative_with_what_comes_in():
    one = question("xor:one_zero", "local", "z1", sender="h", at=(0,))
    right, g = one.right(), one.trace.gradient("h")[0]
    assert "without what comes in" in explained(one, typed(right * g))
    assert "1 − h[0] was forgotten" in explained(one, typed(one.trace.value("h")[0]))


def test_a_gradient_that_lacks_a_flow():
    one = asked(Subject(product()), "gradient", "x")  # flows 1 from f and −4 from p
    assert "the flow from p was forgotten" in explained(one, "1")
    assert "the flow from f was forgotten" in explained(one, "-4")
    assert "counted twice" in explained(one, "-2")
    assert "their mean" in explained(one, "-1.5")
    assert "wrong sign" in explained(one, "3")


def test_one_flow_is_not_the_whole_gradient():
    one = asked(Subject(product()), "flow", "x", sender="p")
    assert "the whole gradient, of 2 flows" in explained(one, "-3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dL/dcentred", "the flow from mu is missing"),
        ("dL/dcentred - dL/dmu / 4", "the flow from mu is of the wrong sign"),
        ("dL/dcentred + dL/dmu", "4 times too large"),
        ("-(dL/dcentred + dL/dmu / 4)", "of the wrong sign"),
    ],
)
def test_a_wrong_formula_gets_the_diagnosis_of_the_verifier(text, words):
    assert words in explained(question("batchnorm", "formula", "x"), text)


def test_a_forgotten_sum_over_the_batch_and_a_forgotten_derivative():
    assert "sum" in explained(question("batchnorm", "formula", "beta"), "dL/dy")
    text = explained(question("xor", "formula", "z1"), "dL/dh")
    assert "local derivative" in text or "was forgotten" in text


def test_a_formula_that_nothing_explains_is_shown_beside_what_it_should_come_to():
    assert "it comes to" in explained(question("circuit", "formula", "x"), "z**3 + y")


@pytest.mark.parametrize(
    ("node", "text", "not_said"),
    [
        ("y", "x", "factor 2"),  # x is −2, and −4 is right
        ("x", "x", "factor 2"),
        ("z", "-z", "missing"),
        ("z", "y - 9", "should be 2"),
        ("z", "-x", "missing"),
    ],
)
def test_what_would_explain_a_formula_by_these_numbers_alone_is_not_said(node, text, not_said):
    said = explained(question("circuit", "formula", node), text)
    assert not_said not in said
    assert "it comes to" in said


def test_what_would_explain_an_expression_by_these_numbers_alone_is_not_said():
    said = explained(question("gates", "flow", "s", sender="f"), "y")
    assert "factor 2" not in said
    assert "the sign is wrong" in said


def test_of_what_no_mistake_explains_the_signs_are_told():
    h = question("xor:one_zero", "value", "h")
    assert "all signs are right" in explained(h, "7 8")
    assert "0 of 2 signs are right" in explained(h, "-7 -8")
    zero = question("gates", "local", "w", sender="m")
    assert "nearer to 0" in explained(zero, "0.3")


def test_a_cure_uses_only_what_the_answer_may():
    said = explained(question("xor:one_zero", "formula", "W2"), "h*dL/de")
    assert "belongs" not in said
    assert "dL_d" not in said
