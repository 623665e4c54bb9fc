"""Plots in a terminal: where dots go, how two curves are told apart, and what part of a function is shown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ops import PRIMITIVES
from tui.curves import curves, has_curve
from tui.plots import Frame, draw, legend, nice
from tui.printing import text_of

PLANE = Frame(-1.0, 1.0, -1.0, 1.0, 20, 5)
NOWHERE = np.full(PLANE.points.size, np.nan)


def drawn(solid, dashed=NOWHERE, *, frame=PLANE, braille=True):
    return [text_of(line) for line in draw(frame, solid, dashed, braille=braille)]


def plotted(name, columns=60):
    frame, value, slope = curves(PRIMITIVES[name], columns, 15)
    return frame, drawn(value, slope, frame=frame)


def test_a_rising_line_goes_from_corner_to_corner():
    rows = drawn(PLANE.points)
    ink = [[k for k, sign in enumerate(row) if sign > "⠀"] for row in rows[:5]]
    left = rows[0].index("│") + 1
    assert ink[4][0] == left
    assert ink[0][-1] == left + 19
    assert all(high[0] > low[0] for high, low in pairwise(ink))
    assert sorted({k for row in ink for k in row}) == list(range(left, left + 20))


def test_the_second_curve_is_dashed_and_the_first_is_not():
    flat = np.full_like(PLANE.points, 0.5)
    solid, dashed = drawn(flat)[1].split("│")[-1], drawn(NOWHERE, flat)[1].split("│")[-1]
    assert len(solid) == 20
    assert set(solid.replace("┊", "")) <= set(map(chr, range(0x2801, 0x2900)))
    assert 8 <= sum(sign in " ┊" for sign in dashed.ljust(20)) <= 12


def test_where_both_pass_both_have_their_dots():
    flat = np.full_like(PLANE.points, 0.5)
    both, solid = drawn(flat, flat), drawn(flat)
    assert both == solid
    crossing = drawn(PLANE.points, -PLANE.points)
    assert sum(map(str.count, crossing, "⠀" * 7)) == 0


def test_in_ascii_the_curves_are_letters():
    rows = drawn(PLANE.points, -PLANE.points, braille=False)
    signs = set("".join(rows))
    assert {"*", "o"} <= signs
    assert not any("\u2800" <= sign <= "\u28ff" for sign in signs)
    assert text_of(legend("f", "g", braille=False)) == "**** f    oooo g"


def test_a_jump_and_a_pole_are_not_joined():
    rows = drawn(np.where(PLANE.points < 0.1, -0.9, 0.9))
    assert all(not any(sign > "\u2800" for sign in row[3:]) for row in rows[1:4])
    with np.errstate(divide="ignore"):
        rows = drawn(0.2 / (PLANE.points - 0.31))
    column = rows[0].index("│") + 1 + int((0.31 + 1) / 2 * 20)
    assert rows[2][column] in "┈ "


def test_what_is_no_number_or_lies_outside_is_left_out():
    wild = np.array([np.nan, np.inf, -np.inf, 7.0, -7.0])[np.arange(PLANE.points.size) % 5]
    assert drawn(wild) == drawn(NOWHERE)


def test_steep_curves_have_no_gaps():
    frame = Frame(-1.0, 1.0, -1.0, 1.0, 40, 12)
    rows = drawn(np.sin(25 * frame.points), NOWHERE.repeat(2), frame=frame)
    assert all(any(sign > "⠀" for sign in row[4:]) for row in rows[:12])


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (-4.0, 4.0, 9, [-4, -3, -2, -1, 0, 1, 2, 3, 4]),
        (-1.08, 1.08, 3, [-1, 0, 1]),
        (0.0, 0.26, 3, [0, 0.1, 0.2]),
        (-430.0, 7000.0, 4, [0, 2000, 4000, 6000]),
        (3.1, 3.2, 5, [3.1, 3.12, 3.14, 3.16, 3.18, 3.2]),
    ],
)
def test_ticks_are_round_numbers(low, high, most, ticks):
    assert nice(low, high, most) == ticks


def test_the_axes_carry_numbers_where_they_belong():
    _, rows = plotted("tanh", 64)
    assert rows[-1].split() == ["−4", "−3", "−2", "−1", "0", "1", "2", "3", "4"]
    zero = rows[-1].split("0")[0]
    assert rows[-2][len(zero)] == "┬"
    assert rows[5][len(zero)] in "┊⠀⡀⢀⣀⠒" or rows[5][len(zero)] > "⠀"
    labels = [row.split("┤")[0].strip() for row in rows if "┤" in row]
    assert labels == ["1", "0.5", "0", "−0.5", "−1"]


@pytest.mark.parametrize("name", [op.name for op in PRIMITIVES.values() if has_curve(op)])
def test_every_curve_fits_its_frame_and_shows_something(name):
    frame, rows = plotted(name)
    assert len(rows) == 17
    assert max(map(len, rows)) <= 60 + 10
    assert sum(sign > "⠀" for row in rows[:15] for sign in row) >= 25
    assert frame.left < frame.right
    assert frame.low < frame.high


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [("log", 0, 4), ("sqrt", 0, 4), ("log1p", -1, 4), ("arcsin", -1, 1), ("arccosh", 1, 4)],
)
def test_a_function_is_shown_where_it_is_defined(name, left, right):
    frame, _ = plotted(name)
    assert frame.left == pytest.approx(left, abs=0.3)
    assert frame.right == pytest.approx(right, abs=0.6)


def test_a_kink_further_out_is_shown_too():
    assert plotted("relu6")[0].right == 7
    assert plotted("relu")[0].right == 4
    assert plotted("gelu")[0].left == -4


def test_an_exponential_does_not_flatten_what_happens_around_0():
    frame, _ = plotted("exp")
    assert frame.high < 10
    frame, _ = plotted("reciprocal")
    assert -10 < frame.low < frame.high < 10


def test_the_slope_is_that_of_the_rule():
    frame, value, slope = curves(PRIMITIVES["relu"], 40, 10)
    np.testing.assert_array_equal(value, np.maximum(frame.points, 0))
    np.testing.assert_array_equal(slope, frame.points > 0)
    bent = PRIMITIVES["relu"].replaced(vjps={"x": lambda g, out, x: g * 0.25})
    assert set(curves(bent, 40, 10).slope) == {0.25}


def test_operations_without_a_curve_have_none():
    for name in ("add", "matmul", "sum", "greater", "logical_not", "isnan"):
        assert not has_curve(PRIMITIVES[name])
