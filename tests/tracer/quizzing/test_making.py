"""Which questions are drawn: the same for the same random seed, along the timeline, and every one of them good."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tracer as tr
from tests.tracer.quizzing.networks import asked, product, question, subject
from tracer.quizzing.making import LEVELS, MOST_ASKED, MOVING, QuizError, draw
from tracer.quizzing.question import KINDS, MOST_GIVEN, Subject
from tracer.quizzing.solving import hints, solution
from tracer.quizzing.wording import numbers, plain


def trace_of(name):
    return subject(name).trace


def facts(questions):
    return [(each.kind, each.node, each.edge, each.at) for each in questions]


def test_the_same_random_seed_draws_the_same_questions():
    trace = trace_of("batchnorm")
    assert facts(draw(trace, 8, seed=3)) == facts(draw(trace, 8, seed=3))
    assert facts(draw(trace, 8, seed=3)) != facts(draw(trace, 8, seed=4))


def test_a_loss_says_what_it_is_the_mean_of():
    one = question("batchnorm", "flow", "y", sender="loss", at=(0, 0))
    said = [plain(each) for each in one.definitions]
    assert said == [
        "loss = mse(y, target)",
        "mean squared error: mean((prediction − target)²), of 8 numbers",
    ]


def test_questions_follow_the_timeline():
    positions = [each.position for each in draw(trace_of("rnn"), 12)]
    assert positions == sorted(positions)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_chosen_kind_is_asked(kind):
    assert {each.kind for each in draw(trace_of("batchnorm"), 4, kinds=[kind])} == {kind}


def test_a_level_has_all_kinds_of_those_below_it():
    assert set(LEVELS[1]) < set(LEVELS[2]) < set(LEVELS[3]) == set(KINDS)


def test_questions_vary():
    questions = draw(trace_of("batchnorm"), 8)
    assert len({each.operation for each in questions}) >= 4
    assert len({each.kind for each in questions}) >= 4
    assert max(Counter(each.node for each in questions).values()) <= 2


def test_from_the_start_the_first_values_are_asked_in_order():
    questions = draw(trace_of("xor"), 4, from_start=True)
    assert [each.asked.text.partition("[")[0] for each in questions] == ["z1", "h", "z2", "y"]


def test_what_moves_numbers_is_no_question():
    x = tr.tensor(np.arange(6.0), name="x")
    y = tr.reshape(x, (2, 3)).T
    loss = tr.sum(y * y)
    questions = draw(tr.trace(loss), 20)
    assert not MOVING & {each.operation for each in questions if each.kind == "value"}
    assert "y" not in {each.asked.text for each in questions if each.kind == "value"}


def test_of_large_arrays_single_elements_are_asked():
    for each in draw(trace_of("batchnorm:digits"), 12):
        if each.kind != "formula":
            assert np.size(each.right()) <= MOST_ASKED
            assert all(leaf.value.size <= MOST_GIVEN for leaf in each.operands)


def test_an_element_of_a_product_of_matrices_is_a_row_times_a_column():
    x = tr.tensor(np.arange(8.0).reshape(4, 2), name="x")
    w = tr.parameter(np.arange(10.0).reshape(2, 5), name="w")
    z = x @ w
    one = asked(Subject(tr.trace(tr.sum(z * z))), "value", "z", at=(3, 4))
    assert plain(solution(one)[0]) == "z[3,4] = x[3] @ w[:,4]"
    assert plain(solution(one)[-1]) == "z[3,4] = 87"


def test_what_is_to_be_practised_comes_earlier():
    trace = trace_of("xor")

    def weight(operation, kind):
        return 1000.0 if operation == "sigmoid" else 1.0

    often = sum(draw(trace, 1, seed=s, weight=weight)[0].operation == "sigmoid" for s in range(20))
    seldom = sum(draw(trace, 1, seed=s)[0].operation == "sigmoid" for s in range(20))
    assert often > seldom + 5


def test_the_answer_is_not_yet_seen_where_the_question_stands():
    for name in ("circuit", "xor", "batchnorm", "rnn:third"):
        for each in draw(trace_of(name), 20, kinds=["value", "flow", "gradient"]):
            timeline = each.trace.timeline
            if each.kind == "value":
                assert not timeline.has_run(each.position, each.node)
            else:
                arrived, expected = timeline.arrived(each.position, each.node)
                assert arrived < expected
            if each.kind == "flow":
                for edge in each.subject.chain.path(each.edge):  # nor what it is passed on by
                    state = timeline.status(each.position, int(each.trace.input_of[edge])).state
                    assert state in ("not reached", "partial")


def test_unknown_kinds_and_traces_without_questions_are_refused():
    with pytest.raises(QuizError, match="no questions of the kind 'values'"):
        draw(product(), kinds=["values"])
    with pytest.raises(QuizError, match=r"no question about gradient"):
        draw(trace_of("circuit"), kinds=["gradient"])
    leaf = tr.trace(tr.tensor(1.0, name="x"))
    with pytest.raises(QuizError):
        draw(leaf)


def test_what_is_not_finite_is_not_asked():
    x = tr.tensor([1.0, 0.0], name="x")
    y = tr.log(x)
    z = x * 2.0
    for each in draw(tr.trace(tr.sum(y + z)), 20):
        assert np.isfinite(each.right()).all()


def test_a_long_trace_is_asked_about_near_its_loss():
    a = tr.tensor(1.0, name="a")
    for _ in range(5000):
        a = a * 1.0001
    questions = draw(tr.trace(a), 5)
    assert len(questions) == 5
    assert min(each.node for each in questions) > 2000


def test_hints_say_more_and_more_and_the_solution_ends_in_the_answer():
    for each in draw(trace_of("batchnorm"), 8, kinds=["value", "local", "flow", "gradient"]):
        said = [plain(hint) for hint in hints(each)]
        assert 2 <= len(said) <= 3
        assert len(set(said)) == len(said)
        lines = [plain(step) for step in solution(each) if not plain(step).startswith("Σ")]
        assert lines[-1].endswith(f"= {numbers(each.right()).text}")
