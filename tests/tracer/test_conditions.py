"""Conditions and watches: what they say of numbers, and what they refuse."""

import numpy as np
import pytest

from tests.patience import ends
from tracer.conditions import Condition
from tracer.errors import ConditionError
from tracer.expressions import numbers, read
from tracer.operators import AbsentError
from tracer.vocabulary import FUNCTIONS

MIXED = np.array([[1.0, -2.0], [0.0, 4.0]])
BAD = np.array([1.0, np.nan, -np.inf])
SMALL = np.array([3e-9, -4e-9])


def holds(text, value=None, grad=None):
    return Condition(text).holds(numbers(value=value, grad=grad))


def evaluate(text, value=None, grad=None):
    """What an expression gives, or the word for why it cannot be told."""
    try:
        with np.errstate(all="ignore"):
            return read(text).reading(numbers(value=value, grad=grad))
    except AbsentError as absent:
        return str(absent)


@pytest.mark.parametrize(
    ("text", "value", "grad", "expected"),
    [
        ("nan(value)", BAD, None, True),
        ("nan(value)", MIXED, None, False),
        ("inf(value)", BAD, None, True),
        ("inf(grad)", MIXED, BAD, True),
        ("zero(value)", MIXED, None, True),
        ("all(value == 0)", MIXED, None, False),
        ("norm(grad) < 1e-8", MIXED, SMALL, True),
        ("norm(grad) < 1e-9", MIXED, SMALL, False),
        ("max(abs(value)) > 1e3", MIXED * 1e3, None, True),
        ("max(abs(value)) > 1e3", MIXED, None, False),
        ("min(value) == -2 and max(value) == 4", MIXED, None, True),
        ("mean(value) == 0.75", MIXED, None, True),
        ("sum(value) == 3", MIXED, None, True),
        ("rms(value) ** 2 == 21 / 4", MIXED, None, True),
        ("value > 3", MIXED, None, True),
        ("all(value > 3)", MIXED, None, False),
        ("any(value > 3) and not all(value > 3)", MIXED, None, True),
        ("0 < value < 1", MIXED, None, False),
        ("0 <= value < 1", MIXED, None, True),
        ("value[0, 1] == -2", MIXED, None, True),
        ("max(value[:, 0]) == 1 and value[-1, -1] == 4", MIXED, None, True),
        ("norm(grad) / norm(value) > 1e6 or nan(grad)", MIXED, BAD, True),
        ("abs(value) // 3 == 1", MIXED, None, True),
        ("value % 2 == 1", np.int64(3), None, True),
        ("value == True", np.True_, None, True),
        ("nan(value) + nan(grad) == 2", BAD, BAD, True),
        ("value == 0.1", np.float32(0.1), None, True),
        ("-value - 1 == -2", np.array([True, False]), None, True),
        ("value ** -1 == 0.5", np.int64(2), None, True),
        ("+value == 2", np.int64(2), None, True),
    ],
)
def test_a_condition_holds_or_not(text, value, grad, expected):
    assert holds(text, value, grad) is expected


def test_a_condition_on_the_gradient_is_false_while_there_is_none():
    for text in ("nan(grad)", "not nan(grad)", "nan(value) or nan(grad)", "grad == grad"):
        assert Condition(text).reads_grad
        assert not holds(text, BAD, None)
        assert not holds(text, BAD)


def test_a_condition_knows_what_it_reads():
    both = Condition("norm(grad) > norm(value)")
    assert both.reads_grad
    assert both.own
    assert not Condition("nan(value)").reads_grad
    assert Condition("norm(w.grad) > 1").reads_grad
    assert not Condition("norm(w.grad) > 1").own
    assert Condition("nan(it)").reads_it


def test_nan_compares_false_and_so_does_a_function_of_no_elements():
    empty = np.empty((0, 3))
    for text in (
        "max(value) > 0",
        "max(value) <= 0",
        "min(value) < 0",
        "mean(value) == 0",
        "rms(value) >= 0",
    ):
        assert not holds(text, empty)
        assert not holds(text, np.array([np.nan]))
    assert holds("norm(value) == 0 and sum(value) == 0 and all(value) and not any(value)", empty)


@pytest.mark.parametrize("size", [1e200, 1e-200, 5e-324, 1.0])
def test_the_norm_neither_overflows_nor_vanishes(size):
    assert evaluate("norm(value)", np.array([3.0, -4.0]) * size) == pytest.approx(5 * size)
    assert evaluate("rms(value)", np.full(7, size)) == pytest.approx(size)


def test_the_norm_of_infinite_numbers_is_infinite():
    assert evaluate("norm(value)", np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(evaluate("norm(value)", BAD))


def test_an_element_that_a_node_does_not_have_makes_a_condition_false():
    assert not holds("value[5] > 0", MIXED)
    assert not holds("not value[5] > 0", MIXED)
    assert not holds("value[0, 0] == 1", np.float64(1.0))
    assert evaluate("value[5]", MIXED) == "no element [5] in 2×2"


def test_arithmetic_gives_inf_and_nan_instead_of_raising():
    for text in ("1 / 0 > value", "0 / 0 != value", "9 ** 9 ** 9 ** 9 > value", "value / 0 > 1"):
        assert holds(text, np.float64(1.0))
    assert holds("value % 0 != value", np.array([1, 2]))
    assert (
        evaluate("value[0:1] * value[:, 0:1] + value[0, 0:0]", MIXED)
        == "shapes (2, 2) and (0,) do not fit"
    )


def test_a_huge_power_takes_no_time():
    with ends():
        holds("value < 10 ** 10 ** 10 ** 10 ** 10", np.float64(1.0))


def test_watches_give_numbers_arrays_truths_and_words():
    assert evaluate("sum(value) * 2", MIXED) == 6.0
    np.testing.assert_array_equal(evaluate("value[0] * 2", MIXED), [2.0, -4.0])
    assert evaluate("nan(value)", MIXED) is False
    assert evaluate("max(value) > 3", MIXED) is True
    assert evaluate("norm(grad)", MIXED, None) == "no gradient"
    assert evaluate("value", None) == "no value"
    assert evaluate("2 ** 10", None) == 1024.0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "value.__class__",
        "value.tofile('x')",
        "().__class__.__bases__",
        "(lambda: value)()",
        "[x for x in value]",
        "{value}",
        "[value]",
        "(value, grad)",
        "value[0.5]",
        "value[True]",
        "f'{value}'",
        "'text'",
        "b'bytes'",
        "1j > value",
        "None",
        "value if grad else 1",
        "(value := 3)",
        "value is grad",
        "value in grad",
        "value << 3",
        "await value",
        "print(value)",
        "nan",
        "nan()",
        "nan(value, grad)",
        "max(value, key=abs)",
        "max(*value)",
        "nan(value)(grad)",
        "shape(value)",
        "value >",
        "value > 1; grad",
        "import os",
        "value = 3",
        "value\0",
        "(" * 300 + "value",
        "-" * 400 + "value",
        "not " * 100 + "value",
        "value" + " + value" * 60,
        "value > " + "9" * 400,
        "v" * 600,
        "",
        "   ",
        "1 < 2",
        "nan(1)",
    ],
)
def test_what_is_not_a_word_of_the_language_is_refused(text):
    with pytest.raises(ConditionError) as caught:
        Condition(text)
    assert "try: " in str(caught.value)


def test_a_refusal_names_the_text_the_place_the_words_and_one_thing_to_try():
    with pytest.raises(ConditionError) as caught:
        Condition("nrm(grad) < 1e-8")
    assert str(caught.value).splitlines()[:3] == [
        "expression 'nrm(grad) < 1e-8': there is no function 'nrm': did you mean norm?",
        "    nrm(grad) < 1e-8",
        "    ^^^",
    ]
    for word in ("value", "grad", *FUNCTIONS):
        assert word in str(caught.value)
    assert str(caught.value).endswith("try: norm")


def test_the_place_is_counted_in_letters_not_in_bytes():
    with pytest.raises(ConditionError) as caught:
        Condition("σ(value) > nor(grad)")
    assert str(caught.value).splitlines()[2] == "    ^"
    with pytest.raises(ConditionError) as caught:
        Condition("value > 1 and 'σσ' or nor(grad)")
    assert str(caught.value).splitlines()[2] == " " * 26 + "^^^"


def test_spaces_and_line_ends_do_not_matter():
    assert holds("  max( value )\n > 3 ", MIXED)


def test_equal_texts_are_equal_conditions():
    assert Condition("nan(value)") == Condition("nan(value)")
    assert Condition("nan(value)") != Condition("nan(grad)")


def test_a_condition_changes_no_number():
    before = MIXED.copy()
    holds("max(abs(-value * 2 + value[0] ** 2)) > norm(grad)", MIXED, MIXED)
    np.testing.assert_array_equal(MIXED, before)
