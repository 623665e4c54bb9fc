"""A walk over many cases is as strict as a test for each of them."""

from __future__ import annotations

import pytest

from tests.walking import walk


def groups(test):
    """The names of the groups that pytest sees, and what each of them gives the test."""
    (mark,) = test.pytestmark
    name, params = mark.args
    return name, {param.id: param.values[0] for param in params}


def test_every_case_is_run_although_one_fails_and_those_that_fail_are_named():
    ran = []

    @walk("number", [1, 2, pytest.param(3, id="three"), 4])
    def odd(number):
        ran.append(number)
        assert number % 2

    name, found = groups(odd)
    with pytest.raises(ExceptionGroup, match="2 of 4 cases: 2, 4") as caught:
        odd(**{name: found["all"]})
    assert ran == [1, 2, 3, 4]
    assert [error.__notes__ for error in caught.value.exceptions] == [
        ["in the case 2"],
        ["in the case 4"],
    ]


@pytest.mark.parametrize("gives_up", [pytest.skip, pytest.fail])
def test_a_case_that_gives_up_is_a_failure(gives_up):
    @walk("number", [1, 2])
    def never(number):
        gives_up("not here")

    name, found = groups(never)
    with pytest.raises(BaseExceptionGroup, match="2 of 2 cases"):
        never(**{name: found["all"]})


def test_cases_are_grouped_by_what_is_asked_and_by_their_marks():
    slow = pytest.param(5, 0, id="five", marks=pytest.mark.slow)

    @walk(("a", "b"), [(1, 2), (2, 3), slow], by=lambda a, b: "odd" if a % 2 else "even")
    def adds(a, b, tmp_path):
        assert a + b

    name, found = groups(adds)
    assert {group: [step.name for step in steps] for group, steps in found.items()} == {
        "odd": ["1-2"],
        "even": ["2-3"],
        "odd-slow": ["five"],
    }
    for steps in found.values():
        adds(tmp_path=None, **{name: steps})
