"""The curve of an operation: where it is shown, where it breaks off, and that its slope is that of the rule."""

from __future__ import annotations

import numpy as np
import pytest

from ops import PRIMITIVES
from tracer.cells.pieces import text_of
from tui.curves import curves, has_curve

WITH_CURVES = [op.name for op in PRIMITIVES.values() if has_curve(op)]


def ends(name):
    found = curves(PRIMITIVES[name])
    return found.x.low, found.x.high, found.y.low, found.y.high


@pytest.mark.parametrize("name", WITH_CURVES)
def test_every_curve_fits_its_frame_and_shows_something(name):
    rows = [text_of(line) for line in curves(PRIMITIVES[name]).lines(64, 18)]
    assert len(rows) == 18
    assert max(map(len, rows)) <= 64
    assert sum(sign > "⠀" for row in rows[1:16] for sign in row) >= 25


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [("log", 0, 4), ("sqrt", 0, 4), ("log1p", -1, 4), ("arcsin", -1, 1), ("arccosh", 1, 4)],
)
def test_a_function_is_shown_where_it_is_defined(name, left, right):
    low, high, *_ = ends(name)
    assert low == pytest.approx(left, abs=0.3)
    assert high == pytest.approx(right, abs=0.6)


def test_a_kink_further_out_is_shown_too():
    assert ends("relu6")[1] == 7
    assert ends("relu")[1] == 4
    assert ends("gelu")[0] == -4


def test_an_exponential_and_a_pole_do_not_flatten_what_happens_around_0():
    assert ends("exp")[3] < 10
    _, _, low, high = ends("reciprocal")
    assert -10 < low < high < 10


def test_jumps_and_poles_are_gaps_and_steep_slopes_are_not():
    gaps = {
        name: np.isnan(curves(PRIMITIVES[name]).marks[0].y).sum()
        for name in ("floor", "sign", "reciprocal", "tanh", "relu", "exp")
    }
    assert gaps["floor"] == 8
    assert gaps["sign"] == 2
    assert gaps["reciprocal"] > 0
    assert gaps["tanh"] == gaps["relu"] == gaps["exp"] == 0


def test_the_slope_is_that_of_the_rule():
    value, slope = curves(PRIMITIVES["relu"]).marks
    np.testing.assert_array_equal(value.y, np.maximum(value.x, 0))
    np.testing.assert_array_equal(slope.y[~np.isnan(slope.y)], slope.x[~np.isnan(slope.y)] > 0)
    bent = PRIMITIVES["relu"].replaced(vjps={"x": lambda g, out, x: g * 0.25})
    assert set(curves(bent).marks[1].y) == {0.25}
    assert (value.shows, slope.shows, slope.dashed) == ("value", "gradient", True)


def test_operations_without_a_curve_have_none():
    for name in ("add", "matmul", "sum", "greater", "logical_not", "isnan"):
        assert not has_curve(PRIMITIVES[name])
