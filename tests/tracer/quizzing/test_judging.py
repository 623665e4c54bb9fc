"""Answers: numbers to the digits typed, matrices, formulas that hold for other numbers too, and whatever is typed."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tests.tracer.quizzing.networks import asked, product, question, subject
from tracer.quizzing.judging import AGAIN, RIGHT, WRONG, Judge, judge
from tracer.quizzing.keyboard import typed
from tracer.quizzing.making import draw
from tracer.quizzing.question import Subject
from tracer.quizzing.solving import solution
from tracer.quizzing.wording import plain

F_BY_Q = {"name": "circuit", "kind": "formula", "node": "q"}
F_BY_X = {"name": "circuit", "kind": "formula", "node": "x"}


def said(found):
    return "; ".join(found.said)


# ----- numbers


@pytest.mark.parametrize(
    "text", ["0.2689", "0.27", ".269", "2.7e-1", "1/(1 + exp(1))", "y = 0.27", "0.268"]
)
def test_a_number_is_right_to_the_digits_that_were_typed(text):
    one = asked(Subject(tr.trace(tr.sigmoid(tr.tensor(-1.0, name="x")))), "value", "sigmoid@1")
    text = text.replace("y =", "sigmoid@1 =")
    assert judge(one, text).verdict == RIGHT


@pytest.mark.parametrize("text", ["0.26", "0.28", "-0.2689", "0.3689", "2.689"])
def test_a_number_that_the_right_one_does_not_round_to_is_wrong(text):
    one = asked(Subject(tr.trace(tr.sigmoid(tr.tensor(-1.0, name="x")))), "value", "sigmoid@1")
    assert judge(one, text).verdict == WRONG


def test_a_rounded_number_of_one_digit_is_asked_for_again():
    one = asked(Subject(tr.trace(tr.sigmoid(tr.tensor(-1.0, name="x")))), "value", "sigmoid@1")
    found = judge(one, "0.3")
    assert found.verdict == AGAIN
    assert "2 significant digits" in said(found)
    assert judge(question("circuit", "value", "q"), "3").verdict == RIGHT  # that is exact


def test_the_tolerance_is_said_where_it_was_needed():
    q = question("xor:one_zero", "value", "y")
    assert judge(q, "0.743").said == ("to the digits typed",)
    assert "0.5%" in said(judge(q, "0.7440"))


@pytest.mark.parametrize(
    "text",
    [
        "[[1, 2], [3, 4]]",
        "1 2; 3 4",
        "1 2\n3 4",
        "1, 2, 3, 4",
        "[1 2 3 4]",
        "((1,2),(3,4))",
        "[[1,2],[3,4.0]]",
    ],
)
def test_a_matrix_can_be_typed_in_rows(text):
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    y = x * 1.0
    assert judge(asked(Subject(tr.trace(tr.sum(y))), "value", "y"), text).verdict == RIGHT


def test_of_a_wrong_matrix_it_is_said_which_numbers_are_wrong():
    found = judge(question("xor:one_zero", "value", "h"), "0.731 0.9")
    assert found.verdict == WRONG
    assert "1 of 2 numbers are right; wrong at [1]" in said(found)


def test_a_transposed_matrix_is_recognised():
    x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    y = x + 1.0
    found = judge(asked(Subject(tr.trace(tr.sum(y))), "value", "y"), "2 4; 3 5")
    assert "transposed" in said(found)


def test_rounding_is_allowed_for_zeros_and_tiny_numbers():
    x = tr.tensor([1e-9, 0.0], name="x")
    y = x * 2.0
    one = asked(Subject(tr.trace(tr.sum(y))), "value", "y")
    assert judge(one, "2.0e-9 0").verdict == RIGHT
    assert judge(one, "2.0e-8 0").verdict == WRONG


# ----- formulas


@pytest.mark.parametrize(
    "text",
    ["dL/dq", "df/dq", "∂L/∂q", "df/dx = df/dq", "z", "f / q", r"\frac{\partial L}{\partial q}"],
)
def test_a_formula_is_right_however_it_is_written(text):
    assert judge(question(**F_BY_X), text).verdict == RIGHT


def test_a_formula_that_is_right_by_these_numbers_alone_is_told_from_one_that_is_right():
    found = judge(question("circuit", "formula", "z"), "-x + 1")  # q is 3, and so is 1 − x
    assert found.verdict == WRONG
    assert "coincidence" in said(found)
    assert judge(question("circuit", "formula", "z"), "x + y").verdict == RIGHT


def test_the_number_of_a_formula_is_no_formula():
    found = judge(question(**F_BY_Q), "-4")
    assert found.verdict == AGAIN
    assert "holds for other numbers too" in said(found)


def test_the_asked_gradient_cannot_be_used_nor_one_that_does_not_lie_on_the_way():
    assert judge(question(**F_BY_X), "dL/dx").verdict == AGAIN
    assert judge(question(**F_BY_X), "dL/dy").verdict == AGAIN
    assert judge(question("rnn:third", "formula", "a#1"), "dL/da#1").verdict == AGAIN


def test_the_asked_value_and_later_ones_cannot_be_used():
    one = question("xor:one_zero", "value", "h")
    assert judge(one, "h").verdict == AGAIN
    assert judge(one, "y * 2").verdict == AGAIN
    assert judge(one, "sigmoid(z1)").verdict == RIGHT


def test_a_value_of_a_later_time_step_cannot_be_used():
    one = question("rnn:third", "value", "a#2")
    assert judge(one, "a").verdict == AGAIN
    assert judge(one, "a[2]").verdict == AGAIN
    assert judge(one, "tanh(waa @ a#1 + wax @ x#2 + ba)").verdict == RIGHT


def test_a_line_that_gives_another_gradient_is_asked_for_again():
    found = judge(question(**F_BY_X), "dL/dy = dL/dq")
    assert found.verdict == AGAIN
    assert "dL/dx is asked for" in said(found)


def test_a_formula_holds_for_the_whole_array():
    one = question("batchnorm", "formula", "centred")
    assert judge(one, "dL/dxhat / std + dL/dvar * 2 * centred / 4").verdict == RIGHT
    assert judge(one, "dL/dxhat / std").verdict == WRONG


def test_a_constant_of_four_digits_will_do_in_a_formula():
    x = tr.tensor([0.3, -1.2], name="x")
    y = x * 0.70710678
    one = asked(Subject(tr.trace(tr.sum(y * y))), "formula", "x")
    found = judge(one, "dL/dy * 0.7071")
    assert found.verdict == RIGHT
    assert "rounded" in said(found)
    assert judge(one, "dL/dy * 0.71").verdict == WRONG


def test_in_float32_a_formula_is_judged_in_float64():
    x = tr.tensor(np.array([0.3, -1.2], np.float32), name="x")
    y = tr.tanh(x)
    one = asked(Subject(tr.trace(tr.sum(y * y))), "formula", "x")
    assert judge(one, "dL/dy * (1 - y**2)").verdict == RIGHT


def test_other_runs_keep_to_the_recorded_path():
    x = tr.tensor(0.01, name="x")
    y = x * 2.0 if x > 0 else x * 3.0
    f = y * y
    runs = Judge(asked(Subject(tr.trace(f)), "formula", "x")).runs
    assert runs
    assert all(not run.flipped for run in runs)


ALL = [
    pytest.param(name, marks=() if name in ("koehn", "batchnorm", "softmax") else pytest.mark.slow)
    for name in GALLERY
    if not name.startswith(("initialization", "convnet"))
]


@pytest.mark.parametrize("name", ALL)
def test_the_solution_that_is_shown_is_right_when_it_is_typed(name):
    questions = [
        one
        for seed in (1, 2)
        for one in draw(subject(name).trace, 12, seed=seed)
        if one.kind == "formula"
    ]
    for one in questions:
        shown = plain(solution(one)[0])
        assert judge(one, shown).verdict == RIGHT, shown
        assert judge(one, typed(one)).verdict == RIGHT, typed(one)


@pytest.mark.parametrize(
    ("name", "node", "text"),
    [
        ("batchnorm", "gamma", r"\sum_i \frac{\partial L}{\partial y_i} \hat{x}_i"),
        (
            "batchnorm",
            "gamma",
            r"\frac{\partial L}{\partial \gamma} = "
            r"\sum_{i=1}^{m} \frac{\partial L}{\partial y_i} \hat{x}_i",
        ),
        ("batchnorm", "beta", r"\sum_i \frac{\partial L}{\partial y_i}"),
    ],
)  # fmt: skip
def test_the_lecture_s_own_latex_is_right(name, node, text):
    assert judge(question(name, "formula", node), text).verdict == RIGHT


def test_a_sum_in_latex_over_the_wrong_terms_is_wrong():
    text = r"\sum_i \frac{\partial L}{\partial y_i} x_i"
    assert judge(question("batchnorm", "formula", "gamma"), text).verdict == WRONG


@pytest.mark.parametrize("text", ["dL/dp1 @ x.T", "outer(dL/dp1, x)", "dL/dp1[:, None] * x"])
def test_a_column_times_a_row_is_the_outer_product(text):
    assert judge(question("koehn", "formula", "W1"), text).verdict == RIGHT
    assert judge(question("koehn", "formula", "W1"), "x @ dL/dp1.T").verdict == WRONG


def test_the_larger_of_two_is_taken_element_by_element():
    assert judge(question("gates", "value", "m"), "max(z, w)").verdict == RIGHT
    assert judge(question("gates", "value", "m"), "min(z, w)").verdict == WRONG


def test_of_a_formula_for_the_whole_array_the_element_counts():
    one = question("batchnorm", "local", "centred", sender="xhat", at=(0, 1))
    assert judge(one, "1/std").verdict == RIGHT
    assert judge(one, "1/std[1]").verdict == RIGHT
    assert judge(one, "std").verdict == WRONG
    found = judge(one, "np.ones(3)/3")
    assert found.verdict == AGAIN
    assert "one number is asked for" in said(found)


def test_two_digits_are_two_digits_of_the_right_number():
    x = tr.tensor(9.51, name="x")
    y = x * 1.0
    one = asked(Subject(tr.trace(y * y)), "value", "y")
    assert judge(one, "9.5").verdict == RIGHT
    assert judge(one, "10").verdict != RIGHT
    assert judge(one, "9.7").verdict == WRONG


@pytest.mark.parametrize(
    ("text", "cure"),
    [("0,2", "0.2"), ("20%", "0.2 for 20%"), ("pi", "np.pi"), ("abc", "the names that are given")],
)
def test_what_cannot_be_read_gets_a_cure_of_the_quiz(text, cure):
    found = judge(question("circuit", "value", "q"), text)
    assert found.verdict == AGAIN
    assert cure in said(found)
    assert "line" not in said(found)


# ----- whatever is typed


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "?", "=", "==", "x =", "1;2 3", "nan", "1e999", "9**9**9", "1/0", "[[1", "'a'", "lambda: 1",
        "__import__('os')", "x.__class__.__mro__", "import os", "dL/dq\nz", "\x1b[2Jz", "z" * 3000, "(" * 900,
        "-" * 1900 + "z", "[0]*10**9", "[i for i in range(10**9)]", "np.load('/etc/passwd')", r"\frac{", "$$",
        "dL/dnothing", "z @ z", "np.zeros(10**12)", "0x", "ı̇∂∂", "dL/dq if z else 0 for", "1e400 1e-400", "f(x)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["value", "formula"])
def test_nothing_that_is_typed_fails_or_counts_or_commands_a_terminal(text, kind):
    found = judge(question("circuit", kind, "q"), text)
    assert found.verdict in (AGAIN, WRONG)
    assert all(line.isprintable() and len(line) < 400 for line in found.said)
    assert found.verdict == WRONG or found.said


def test_a_node_used_twice_gets_the_sum_of_its_flows():
    one = asked(Subject(product()), "gradient", "x")
    assert judge(one, "-3").verdict == RIGHT
    assert [str(g[0].text) for g in one.givens] == ["flow from f", "flow from p"]
