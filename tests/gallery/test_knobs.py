"""Knobs: what they read, what they refuse and in which words, and how far one press turns them."""

from __future__ import annotations

import itertools

import pytest

from gallery.knobs import Knob, KnobError, assignments, settings, written

LR = Knob("lr", 0.1, "learning rate", low=0.0)
WAA = Knob("waa", 0.5, "scale", low=-2.0, high=2.0)
STEPS = Knob("steps", 30, "time steps", low=2, high=60)
UNIT = Knob("unit", "relu", "activation", choices=("tanh", "relu", "sigmoid"))
BIAS = Knob("bias", True, "with a bias")
EVERY = (LR, WAA, STEPS, UNIT, BIAS)


@pytest.mark.parametrize(
    ("knob", "text", "value"),
    [
        (LR, "1e-3", 0.001),
        (LR, "0", 0.0),
        (STEPS, "12", 12),
        (STEPS, "1e1", 10),
        (UNIT, "tanh", "tanh"),
        (BIAS, "No", False),
        (BIAS, "on", True),
    ],
)
def test_a_knob_reads_what_one_types_as_its_own_type(knob, text, value):
    read = knob.read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("knob", "text", "said"),
    [
        (LR, "fast", "lr: 'fast' is not a number of at least 0"),
        (LR, "nan", "lr: 'nan' is not a number of at least 0"),
        (LR, "inf", "lr: 'inf' is not a number of at least 0"),
        (LR, "-1", "lr: -1 is not a number of at least 0"),
        (WAA, "3", "waa: 3 is not a number from -2 to 2"),
        (STEPS, "2.5", "steps: '2.5' is not a whole number from 2 to 60"),
        (STEPS, "inf", "steps: 'inf' is not a whole number from 2 to 60"),
        (STEPS, "1e400", "steps: '1e400' is not a whole number from 2 to 60"),
        (STEPS, "1", "steps: 1 is not a whole number from 2 to 60"),
        (UNIT, "gelu", "unit: gelu is not one of tanh, relu, sigmoid"),
        (BIAS, "maybe", "bias: 'maybe' is not yes or no"),
    ],
)
def test_a_value_that_a_knob_cannot_take_is_refused_with_its_range_and_a_cure(knob, text, said):
    with pytest.raises(KnobError) as refused:
        knob.read(text)
    first, second = str(refused.value).split("\n")
    assert first == said
    assert second == f"  try: {knob.name}={written(knob.default)}"


def test_a_very_long_value_is_not_repeated_whole():
    with pytest.raises(KnobError) as refused:
        LR.read("x" * 10_000)
    assert len(str(refused.value)) < 200


def test_what_is_not_turned_stands_at_its_default():
    assert settings(EVERY, {"waa": "1.5", "bias": "off"}) == {
        "lr": 0.1,
        "waa": 1.5,
        "steps": 30,
        "unit": "relu",
        "bias": False,
    }


@pytest.mark.parametrize(
    ("knobs", "name", "cure"),
    [(EVERY, "wa", "try: waa=1"), (EVERY, "zzz", "try: lr=1"), ((), "lr", "try: without it")],
)
def test_a_knob_that_is_not_there_names_those_that_are(knobs, name, cure):
    with pytest.raises(KnobError, match=f"no knob '{name}'") as refused:
        settings(knobs, {name: "1"})
    assert cure in str(refused.value)
    assert all(knob.name in str(refused.value) for knob in knobs)


def test_words_of_the_command_line_turn_knobs_and_the_last_one_counts():
    assert assignments(["lr=1", "waa = -0.5", "lr=2"]) == {"lr": "2", "waa": "-0.5"}


@pytest.mark.parametrize("word", ["lr", "=1", "lr=", "", " = "])
def test_a_word_that_turns_nothing_is_refused(word):
    with pytest.raises(KnobError, match="turns no knob\n  try: NAME=VALUE"):
        assignments([word])


def walk(knob: Knob, way: int, steps: int) -> list[object]:
    """The values that so many presses lead to."""
    values = [knob.default]
    for _ in range(steps):
        values.append(knob.beside(values[-1], way))
    return values[1:]


def test_a_press_turns_a_knob_by_a_step_that_suits_it_and_stays_in_its_range():
    assert walk(LR, 1, 4) == [0.2, 0.5, 1.0, 2.0]
    assert walk(LR, -1, 3) == [0.05, 0.02, 0.01]
    assert walk(WAA, 1, 16)[-2:] == [2.0, 2.0]
    assert walk(WAA, -1, 6)[3:] == [0.1, 0.0, -0.1]
    assert walk(STEPS, -1, 40)[-1] == 2
    assert walk(UNIT, 1, 3) == ["sigmoid", "tanh", "relu"]
    assert walk(BIAS, -1, 2) == [False, True]


def test_every_press_changes_a_whole_number_that_may_still_grow():
    for low in (0, 1):
        knob = Knob("units", low, "hidden units", low=0)
        values = [low, *walk(knob, 1, 8)]
        assert all(a < b for a, b in itertools.pairwise(values))
        assert all(isinstance(value, int) for value in values)


@pytest.mark.parametrize("knob", EVERY)
def test_what_is_written_is_read_back(knob):
    for value in (knob.default, *walk(knob, 1, 3), *walk(knob, -1, 3)):
        assert knob.read(written(value)) == value


@pytest.mark.parametrize(
    ("turned", "cure"),
    [({"step": "12"}, "steps=12"), ({"step": "1e9"}, "steps=30"), ({"wa": "default"}, "waa=0.5")],
)
def test_the_cure_for_an_unknown_knob_is_one_that_works(turned, cure):
    with pytest.raises(KnobError) as refused:
        settings(EVERY, turned)
    assert str(refused.value).endswith(f"\n  try: {cure}")
    settings(EVERY, assignments([cure]))
