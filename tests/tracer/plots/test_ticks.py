"""Ticks are round numbers inside the axis, few but enough, and written so that each can be read back."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.plots.ticks import labels, log_ticks, nice

ENDS = st.floats(-1e9, 1e9, allow_subnormal=False)
SHARES = st.floats(1e-8, 3)


def above(low, share):
    """A high end; a frame is never narrower, beside its numbers, than these."""
    return low + max(abs(low), 1e-3) * share


def read(text):
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (-4.0, 4.0, 9, [-4, -3, -2, -1, 0, 1, 2, 3, 4]),
        (-1.08, 1.08, 3, [-1, 0, 1]),
        (0.0, 0.26, 3, [0, 0.1, 0.2]),
        (-430.0, 7000.0, 4, [0, 2000, 4000, 6000]),
        (3.1, 3.2, 5, [3.1, 3.12, 3.14, 3.16, 3.18, 3.2]),
        (0.0, 3e-15, 3, [0, 1e-15, 2e-15, 3e-15]),
        (2e-310, 9e-310, 3, [2e-310, 4e-310, 6e-310, 8e-310]),
    ],
)
def test_linear_ticks(low, high, most, ticks):
    assert nice(low, high, most) == ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (1, 1000, 4, [1, 10, 100, 1000]),
        (1, 100, 8, [1, 2, 5, 10, 20, 50, 100]),
        (1e-9, 1, 4, [1e-9, 1e-6, 1e-3, 1]),
        (2.1, 2.9, 4, [2.2, 2.4, 2.6, 2.8]),
    ],
)
def test_log_ticks(low, high, most, ticks):
    assert log_ticks(low, high, most) == pytest.approx(ticks, rel=1e-12)


@given(ENDS, SHARES, st.integers(2, 12))
def test_linear_ticks_are_even_inside_and_few(low, share, most):
    high = above(low, share)
    ticks = nice(low, high, most)
    assert 2 <= len(ticks) <= max(most + 1, 5)
    room = 1e-6 * (high - low)
    assert low - room <= ticks[0] <= ticks[-1] <= high + room
    steps = {float(f"{b - a:.3g}") for a, b in pairwise(ticks)}
    assert len(steps) <= 1 or max(steps) - min(steps) < 1e-2 * max(steps)
    assert len(ticks) >= most // 3


@given(st.floats(-200, 200), st.floats(0.02, 40), st.integers(3, 12))
def test_log_ticks_are_inside_rising_and_few(power, span, most):
    low, high = 10.0**power, 10.0 ** (power + span)
    ticks = log_ticks(low, high, most)
    assert len(ticks) >= 1
    assert len(ticks) <= max(most + 1, 6)
    assert low * (1 - 1e-6) <= ticks[0] <= ticks[-1] <= high * (1 + 1e-6)
    assert ticks == sorted(set(ticks))


@given(ENDS, SHARES, st.integers(2, 12))
def test_labels_say_their_ticks_exactly(low, share, most):
    ticks = nice(low, above(low, share), most)
    for tick, text in zip(ticks, labels(ticks), strict=True):
        assert math.isclose(read(text), tick, rel_tol=1e-11, abs_tol=0)


def test_labels_are_short_where_they_can_be():
    assert labels([0.0, 0.2, 0.4]) == ["0", "0.2", "0.4"]
    assert labels([-2e-7, 0.0]) == ["−2e−7", "0"]
    assert labels([]) == []
