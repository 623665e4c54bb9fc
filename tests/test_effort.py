"""Effort is a number that does not depend on how busy the machine is, and grows with the work."""

from __future__ import annotations

import numpy as np
import pytest

from tests.effort import ELEMENTS, effort

LARGE = np.zeros(10**6)


def test_the_same_work_costs_the_same_and_ten_times_the_work_ten_times_as_much():
    def loop(times):
        total = 0
        for number in range(times):
            total += number
        return total

    once = effort(lambda: loop(1_000))
    assert effort(lambda: loop(1_000)) == pytest.approx(
        once, rel=0.05
    )  # of memory, a little is left over
    assert 9 * once < effort(lambda: loop(10_000)) < 11 * once


@pytest.mark.parametrize(
    "work", [LARGE.max, lambda: np.max(LARGE), lambda: LARGE > 0, lambda: np.sum(LARGE), LARGE.copy]
)
def test_what_numpy_does_with_a_large_array_counts(work):
    assert effort(work) > LARGE.size // ELEMENTS // 8


def test_a_look_at_a_few_elements_of_a_large_array_does_not():
    assert effort(lambda: (LARGE[3:5].sum(), LARGE.searchsorted(0.5), LARGE.reshape(10, -1))) < 100
