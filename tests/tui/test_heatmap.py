"""Which cell gets which colour, and which part of an array is read."""

from __future__ import annotations

import numpy as np
import pytest

from tui import heatmap
from tui.heatmap import NAN, NEUTRAL, PLUS_INF, Grid, Limits, View


def test_colours_are_symmetric_about_zero_and_non_numbers_stand_out():
    row = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 9.0, np.nan, np.inf])
    level = heatmap.levels(row, 2.0)
    assert level[2] == NEUTRAL
    assert level[0] == 0
    assert level[0] + level[4] == level[1] + level[3] == 2 * NEUTRAL
    assert level[5] == level[4]
    assert level[6:] == [NAN, PLUS_INF]


def test_the_scale_ignores_what_is_no_number():
    assert heatmap.limits([np.nan, np.inf, -3.0]) == Limits(3.0, signed=True)
    assert heatmap.limits(np.zeros(4)).top == 1.0
    assert heatmap.limits([]).top == 1.0


def test_the_scale_starts_at_zero_where_no_number_is_negative():
    assert heatmap.limits(np.array([0, 7, 2])) == Limits(7.0, signed=False)
    assert Limits(7.0, signed=False).text == "0…7"
    assert Limits(0.25, signed=True).text == "±0.25"


def test_a_few_outliers_among_many_numbers_do_not_wash_out_the_rest():
    numbers = np.ones(10_000)
    numbers[:5] = 1e6
    assert heatmap.limits(numbers).top == 1.0


@pytest.mark.parametrize("colour", [True, False])
def test_the_legend_runs_from_limit_to_limit_and_gives_way_where_there_is_no_room(colour):
    patches = heatmap.legend(Limits(0.5, signed=True), 40, colour=colour)
    assert [patches[0].text, patches[-1].text] == ["−0.5 ", " 0.5"]
    steps = [patch.paper if colour else patch.text for patch in patches[1:-1]]
    assert steps == (sorted(steps) if colour else list("=-·+#"))
    assert sum(len(patch.text) for patch in patches) <= 40
    assert heatmap.legend(Limits(0.5, signed=True), 8, colour=colour) == []


def test_rows_and_columns_are_numbered_where_there_is_room():
    cells = Grid(1, 2, numbers=False)
    assert heatmap.ruler(cells, View(0, 0, 22), 100) == "0    5    10   15   20"
    text = heatmap.ruler(cells, View(0, 37, 22), 100)
    assert [text.index(str(column)) for column in (40, 45, 50, 55)] == [3, 8, 13, 18]
    numbers = Grid(8, 1, numbers=True)
    assert heatmap.ruler(numbers, View(0, 0, 24), 3).split() == ["0", "1", "2"]
    labels = [heatmap.row_label(cells, y) for y in range(11)]
    assert [label for label in labels if label] == ["0", "10", "20"]
    assert labels[5] == "10"


def test_truths_and_class_numbers_need_few_characters():
    mask = np.array([[True, False, True]] * 3)
    needed = heatmap.needed(mask)
    grid = heatmap.fit((3, 9), 28, 8, number=needed)
    assert grid.numbers
    texts = [
        patch.text.strip() for patch in heatmap.line(mask, 0, Grid(3, 1, True), View(0, 0, 9), 1.0)
    ]
    assert texts == ["1", "0", "1"]


def test_small_matrices_show_their_numbers_and_large_ones_two_rows_a_line():
    assert heatmap.fit((4, 2), 44, 8).numbers
    assert heatmap.fit((64, 64), 44, 8) == Grid(1, 2, numbers=False)


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
