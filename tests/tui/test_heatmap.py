"""Which cell gets which colour, and which part of an array is read."""

from __future__ import annotations

import numpy as np
import pytest

from tui import heatmap
from tui.heatmap import NAN, NEUTRAL, PLUS_INF, View


def test_colours_are_symmetric_about_zero_and_non_numbers_stand_out():
    row = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 9.0, np.nan, np.inf])
    level = heatmap.levels(row, 2.0)
    assert level[2] == NEUTRAL
    assert level[0] == 0
    assert level[0] + level[4] == level[1] + level[3] == 2 * NEUTRAL
    assert level[5] == level[4]
    assert level[6:] == [NAN, PLUS_INF]


def test_the_scale_ignores_what_is_no_number():
    assert heatmap.scale(np.array([np.nan, np.inf, -3.0])) == 3.0
    assert heatmap.scale(np.zeros(4)) == 1.0
    assert heatmap.scale(np.array([])) == 1.0


def test_a_huge_array_is_only_sampled():
    class Watched(np.ndarray):
        pass

    huge = np.broadcast_to(np.float64(2.0), (1 << 20, 1 << 14))
    assert heatmap.scale(huge[:1024, :1024]) == 2.0
    view = View(5, 9, 40)
    grid = heatmap.fit(huge.shape, 40, 10)
    assert len(heatmap.line(huge, 0, grid, view, 2.0)) == 40


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((5,), (1, 5)), ((4, 3), (4, 3)), ((2, 3, 4, 5), (4, 5)), ((0, 3), (0, 0))],
)
def test_the_last_two_axes_are_the_picture(shape, expected):
    assert heatmap.plane(np.zeros(shape)).shape == expected


def test_leading_axes_are_counted_through():
    array = np.arange(24.0).reshape(2, 3, 2, 2)
    assert heatmap.slices(array.shape) == 6
    for number in range(6):
        lead = heatmap.lead_of(array.shape, number)
        np.testing.assert_array_equal(heatmap.plane(array, number), array[lead])


def test_small_matrices_show_their_numbers_and_large_ones_two_rows_a_line():
    assert heatmap.fit((4, 2), 44, 8).numbers
    assert heatmap.fit((64, 64), 44, 8) == heatmap.Grid(1, 2, numbers=False)


def test_the_cursor_marks_the_number_it_reads():
    matrix = np.array([[1.5, -2.25], [0.0, np.nan]])
    grid = heatmap.fit(matrix.shape, 44, 8)
    patches = heatmap.line(matrix, 0, grid, View(0, 0, 44, (0, 1)), 2.25)
    assert [patch.text.strip() for patch in patches] == ["1.5", "[−2.25]"]
    assert "nan" in heatmap.line(matrix, 1, grid, View(0, 0, 44), 2.25)[1].text


def test_without_colour_the_sign_is_written():
    matrix = np.array([[-2.0, -0.7, 0.0, 0.7, 2.0, np.nan, np.inf, -np.inf]])
    assert heatmap.plain_line(matrix, 0, View(0, 0, 20), 2.0) == "=-·+#NIi"
    assert heatmap.plain_line(matrix, 0, View(0, 0, 20, (0, 2)), 2.0) == "=-◆+#NIi"


@pytest.mark.parametrize("dark", [True, False])
def test_every_level_has_a_colour(dark):
    colours = heatmap.palette(dark=dark)
    assert len(colours) == heatmap.LEVELS
    assert all(0 <= part <= 255 for colour in colours for part in colour)
