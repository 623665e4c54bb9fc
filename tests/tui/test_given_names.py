"""What a derivation is handed of the script that it stands in."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tui.verdicts.given import usable


def own(x):
    return 2 * x


@pytest.mark.parametrize(
    "value",
    [3, 0.5, True, np.float32(2), np.ones(3), [1, 2.0], [[np.ones(2)], (3,)], {"a": 1, 2: [3]}, []],
)
def test_numbers_arrays_and_lists_of_them_are_handed_over(value):
    assert usable({"name": value})["name"] is value


def test_recorded_values_and_lists_of_them_are_handed_over():
    w = tr.parameter(2.0)
    assert set(usable({"w": w, "hs": [w, w * w]})) == {"w", "hs"}


def test_functions_are_handed_over_so_that_their_calls_can_be_refused():
    assert usable({"own": own, "exp": np.exp})["own"] is own


@pytest.mark.parametrize("value", ["text", None, np, object(), dict, ["a"], [1, "a"]])
def test_what_is_no_number_and_no_function_is_left_out(value):
    assert usable({"name": value, "__file__": 3}) == {}


def test_a_list_that_holds_itself_is_left_out():
    endless: list[object] = []
    endless.append(endless)
    assert usable({"endless": endless}) == {}
