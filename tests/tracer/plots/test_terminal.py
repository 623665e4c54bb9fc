"""Plots in a terminal: where dots go, how marks are told apart, and that any plot fits any size."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from tracer.cells.pieces import text_of
from tracer.plots import Axis, Band, Contours, Curve, Histogram, Plot, Points, Trajectory
from tracer.plots.terminal import grid_of

X = np.linspace(-1.0, 1.0, 401)
UNIT = Axis(low=-1.0, high=1.0)


def inside(*marks, columns=40, rows=8, **how):
    """The cells between the axes, row by row."""
    lines = Plot("", marks, UNIT, UNIT).text(columns, rows, **how).splitlines()
    return [
        re.split("[│┤|+]", line, maxsplit=1)[1].ljust(20)
        for line in lines
        if re.search("[│┤]", line)
    ]


def ink(row):
    return [k for k, sign in enumerate(row) if "⠀" < sign <= "⣿"]


def test_a_rising_line_goes_from_corner_to_corner():
    rows = [ink(row) for row in inside(Curve("", X, X))]
    assert rows[-1][0] == 0
    assert rows[0][-1] == 40 - 5
    assert all(high[0] > low[0] for high, low in pairwise(rows))
    assert sorted({k for row in rows for k in row}) == list(range(36))


def test_a_dashed_curve_has_ink_in_half_of_its_cells():
    flat = np.full_like(X, 0.5)
    rows = inside(Curve("", X, flat)), inside(Curve("", X, flat, dashed=True))
    solid, dashed = (max(len(ink(row)) for row in each) for each in rows)
    assert solid == 36
    assert 15 <= dashed <= 22


def test_where_two_curves_meet_both_have_their_dots_and_the_first_gives_the_colour():
    flat = Curve("flat", X, np.full_like(X, 0.5))
    other = Curve("other", X, np.full_like(X, 0.5), dashed=True)
    plot = Plot("", [flat, other], UNIT, UNIT)
    shown = {
        p.shows for line in plot.lines(40, 9)[1:-2] for p in line if "⠤" in p.text or "⠒" in p.text
    }
    assert shown == {"parameter"}


def test_further_curves_bear_signs_that_the_legend_shows():
    curves = [Curve(name, X, X * k / 3) for k, name in enumerate("fgh", start=1)]
    text = Plot("", curves).text(60, 16)
    assert text.splitlines()[0] == "⠤⠤⠤⠤ f    ⠤⠤●⠤ g    ⠤⠤■⠤ h"
    assert text.count("●") >= 3
    assert text.count("■") >= 3


def test_in_ascii_curves_are_letters_and_nothing_else_is_left():
    plot = Plot("σ(x)", [Curve("f", X, X), Curve("g", X, -X, dashed=True)], Axis("x"), note="a × b")
    text = plot.text(60, 16, braille=False)
    assert text.isascii()
    assert "**** f    oooo g" in text
    assert text.count("*") > 20
    assert text.count("o") > 20


def test_a_gap_at_a_jump_stays_when_the_curve_is_thinned():
    x = np.linspace(-1, 1, 20_001)
    y = np.where(x < 0.1, -0.9, 0.9)
    broken = np.insert(y, np.searchsorted(x, 0.1), np.nan)
    rows = inside(Curve("", np.insert(x, np.searchsorted(x, 0.1), 0.1), broken))
    assert [bool(ink(row)) for row in rows] == [True, *[False] * (len(rows) - 2), True]


def test_what_is_no_number_or_lies_outside_is_left_out():
    wild = np.array([np.nan, np.inf, -np.inf])[np.arange(X.size) % 3]
    assert not any(map(ink, inside(Curve("", X, wild))))
    assert not any(map(ink, inside(Curve("", X, np.full_like(X, 7.0)))))
    half = [ink(row) for row in inside(Curve("", X * 2, X * 2))]
    assert half == [ink(row) for row in inside(Curve("", X, X))]


def test_a_single_histogram_is_bars_as_high_as_their_counts():
    plot = Plot("", [Histogram("", [1, 2, 4, 0], [0, 1, 2, 3, 4])]).text(44, 10).splitlines()
    columns = [[line.ljust(44)[at] for line in plot[:8]] for at in (6, 16, 26, 38)]
    filled = [sum(sign in "▁▂▃▄▅▆▇█" for sign in column) for column in columns]
    assert filled == [2, 4, 8, 0]


def test_two_histograms_are_outlines_told_apart():
    both = [Histogram("a", [1, 3, 1], [0, 1, 2, 3]), Histogram("b", [3, 1, 3], [0, 1, 2, 3])]
    text = Plot("", both).text(50, 12)
    assert "▄▄▄▄ a    ▁ ▁ ▁ b" in text
    assert "█" not in text


def test_a_trajectory_is_marked_where_it_starts_and_ends():
    rows = inside(Trajectory("", [-0.9, 0.0, 0.9], [0.9, -0.9, 0.9]), columns=45)
    assert rows[0].strip()[0] == "S"
    assert rows[0].strip()[-1] == "E"


def test_a_band_is_sparse_dots_between_its_sides():
    rows = inside(Band("", X, np.full_like(X, -1), np.zeros_like(X)), columns=44)
    dots = [sum(bin(ord(row[k]) - 0x2800).count("1") for k in ink(row)) for row in rows]
    assert dots[:2] == [0, 0]
    assert 0.2 < dots[-1] / (8 * 40) < 0.3


def test_a_column_of_bars_is_as_high_as_its_highest_bin():
    counts = np.ones(400)
    counts[200] = 50
    text = Plot("", [Histogram("", counts, np.arange(401))]).text(60, 12)
    assert sum(sign in "▄▅▆▇█" for sign in text.splitlines()[0]) == 1


def test_what_is_not_above_0_is_a_gap_on_a_log_axis():
    y = np.where(np.abs(X) < 0.25, -1.0, 10.0)
    rows = Plot("", [Curve("", X, y)], UNIT, Axis("", "log", 1, 100)).text(46, 9).splitlines()
    (row,) = (ink(re.split("[│┤]", row)[-1].ljust(44)) for row in rows if ink(row))
    assert 28 <= len(row) <= 36
    assert not set(range(17, 24)) & set(row)


def test_a_path_that_runs_away_is_not_followed_back():
    surface = Contours(GRID, GRID, BOWL, [])
    there = Trajectory("", [0.0, 0.5, 9.0, -9.0, -0.9], [0.5, 0.5, 0.5, -0.5, -0.5])
    text = Plot("", [surface, there]).text(50, 12)
    below = text.splitlines()[6:9]
    assert not any(ink(row.split("│")[-1]) for row in below)


def test_the_axes_carry_round_numbers_where_they_belong():
    rows = (
        Plot("", [Curve("", X * 4, X)], Axis("x"), Axis(low=-1, high=1)).text(70, 19).splitlines()
    )
    assert rows[-2].split() == ["−4", "−3", "−2", "−1", "0", "1", "2", "3", "4"]
    assert rows[-3][rows[-2].index("0")] == "┬"
    assert rows[-1].strip() == "x"
    labels = [row.split("┤")[0].strip() for row in rows if "┤" in row]
    assert labels == ["1", "0.5", "0", "−0.5", "−1"]


LONG = (Axis("x " * 90), Axis("y " * 90))
GRID = np.linspace(-1, 1, 9)
BOWL = np.add.outer(GRID**2, GRID**2)
MANY = {
    "empty": Plot("nothing", []),
    "no points": Plot("none", [Curve("c", [], [])]),
    "all nan": Plot("nan", [Curve("c", [0, 1], [np.nan, np.nan])], y=Axis(scale="log")),
    "constant": Plot("flat", [Curve("c", [0, 1, 2], [3, 3, 3])]),
    "one point": Plot("one", [Curve("c", [5], [5])]),
    "inf": Plot("inf", [Curve("c", [0, 1, 2], [1, np.inf, 2]), Points("p", [np.inf], [0])]),
    "huge": Plot("huge", [Curve("c", [-1e308, 1e308], [-1.7e308, 1.7e308])]),
    "tiny": Plot("tiny", [Curve("c", [0, 5e-324], [0, 5e-324])]),
    "log of zero": Plot("log", [Curve("c", [0, 1, 2], [1, 0, 10])], Axis("step"), Axis("loss", "log")),
    "log of none": Plot("log", [Histogram("h", [0, 0], [-1, 0, 1])], Axis("", "log"), Axis("", "log")),
    "thirty": Plot("many", [Curve(f"curve {k}", [0, 1], [0, k]) for k in range(30)]),
    "band": Plot("b", [Band("b", [0, 1, 2, 3], [0, np.nan, 0, 0], [1, 1, 2, 1]), Curve("b", [0, 3], [0, 1])]),
    "surface": Plot("s", [Contours(GRID, GRID, BOWL, [0.5, 1, 9]), Trajectory("t", [5, 0], [5, 0])]),
    "words": Plot("a title " * 30, [Curve("name " * 20, [0], [0])], *LONG, "a note " * 40),
    "one x": Plot("v", [Points("p", [1, 1], [0, 1]), Points("q", np.zeros(500), np.zeros(500))]),
    "wide signs": Plot("網 x̂ 🙂", [Curve("ŷ\x1b[2J", [0, 1], [0, 1])]),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("size", [(30, 8), (80, 20), (120, 36), (41, 9)])
@pytest.mark.parametrize("braille", [True, False])
def test_any_plot_fits_any_size(name, size, braille):
    columns, rows = size
    lines = [text_of(line) for line in MANY[name].lines(columns, rows, braille=braille)]
    assert max(map(len, lines)) <= columns
    assert len(lines) <= rows or name == "words"
    assert all(line.isprintable() for line in lines)
    assert braille or all(line.isascii() for line in lines)


def test_numbers_without_a_place_on_a_log_axis_are_counted():
    assert "1 at or below 0 have no place on a log axis." in MANY["log of zero"].text(80, 20)


def test_more_names_than_fit_are_counted():
    assert re.search(r"curve 0 .*\+\d\d$", MANY["thirty"].text(60, 9), re.MULTILINE)


def test_a_million_points_are_thinned_to_what_can_be_seen():
    x = np.linspace(0, 1, 1_000_000)
    y = np.sin(40 * x)
    y[123_456] = 3.0  # a single spike is not lost
    whole = Plot("", [Curve("", x, y)], y=Axis(low=-1, high=3)).text(80, 20)
    few = Plot("", [Curve("", x[::100], y[::100])], y=Axis(low=-1, high=3)).text(80, 20)
    top = whole.splitlines()[0].split("┤")[1]
    assert len(top.split()) == 1
    assert top.strip() > "⠀"
    below = (text.splitlines()[-7:] for text in (whole, few))
    same = [a == b for pair in zip(*below, strict=True) for a, b in zip(*pair, strict=False)]
    assert sum(same) > 0.9 * len(same)


def test_several_plots_stand_beside_each_other_where_there_is_room():
    plots = [Plot(f"plot {k}", [Curve("", X, X)]) for k in range(3)]
    wide = [text_of(line) for line in grid_of(plots, 120)]
    narrow = [text_of(line) for line in grid_of(plots, 80)]
    assert any("plot 0" in line and "plot 1" in line for line in wide)
    assert not any("plot 0" in line and "plot 1" in line for line in narrow)
    assert max(map(len, wide)) <= 120
    assert max(map(len, narrow)) <= 80


LOSS = """\
loss by step    loss
2 ┤⢦⡀
  │ ⠙⢦⡀
  │   ⠈⠓⠦⣄⡀
  │       ⠉⠓⠒⠤⠤⣄⣀⣀⡀
0 ┤               ⠉⠉⠉⠉⠉⠙⠒⠒⠒⠒⠒⠒
  └─────────────┬────────────┬
               50          100"""
"""A loss that falls, on as few cells as there may be."""


def test_a_small_plot_looks_as_it_does():
    steps = np.arange(1, 101)
    plot = Plot(
        "loss by step",
        [Curve("loss", steps, 2 * np.exp(-steps / 25) + 0.2)],
        Axis("step"),
        Axis("loss"),
    )
    assert plot.text(30, 8) == LOSS


BEFORE_AND_AFTER = """\
before and after
count
▄▄▄▄ before    ▁ ▁ ▁ after
  │            ⢰⠒⠒⠒⠒⠒⠒⡆     ⠰⠂⠒⠂⠒⠂⠒⠂
5 ┤            ⢸      ⡇     ⠰      ⠃
  │      ⣀⣀⣀⣀⣀⣀⣸      ⣇⣀⣀⣀⣀⣀⣰      ⣃⡀⢀⡀⣀⡀⣀
  │      ⡇            ⠃     ⢸            ⢘
  │      ⡇            ⠇     ⢸            ⢘
  │      ⡇            ⠃     ⢸            ⢈
  │⡤⠤⠤⠤⠤⠤⠇     ⢀⠠⠤⠠⠄⠠⠄⠃     ⠸⠤⠤⠤⠤⠤⠤⡄     ⠘⠤⠠⠤ ⠤⢠
0 ┤⣇ ⣀ ⣀ ⣀ ⣀ ⣀ ⣈                   ⣇⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣨
  └┬───────────┬────────────┬────────────┬──────
   0           2            4            6
                         z"""


def test_two_histograms_look_as_they_do():
    bars = [
        Histogram("before", [1, 4, 6, 4, 1, 0, 0], range(8)),
        Histogram("after", [0, 0, 1, 4, 6, 4, 1], range(8)),
    ]
    plot = Plot("before and after", bars, Axis("z"), Axis("count"))
    assert plot.text(48, 14) == BEFORE_AND_AFTER
