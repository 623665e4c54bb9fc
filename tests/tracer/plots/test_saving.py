"""Plots as files: what is drawn stands where its numbers say, inside the page, and can be read in any theme."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.tracer.plots.test_terminal import MANY
from tracer.diagrams.measure import letters_width
from tracer.diagrams.palettes import LIGHT, PRINT, THEMES
from tracer.diagrams.writers.xdot import page_dot
from tracer.errors import DiagramError, PlotError
from tracer.plots import Axis, Band, Contours, Curve, Histogram, Plot, Points, Trajectory
from tracer.plots.lines import level_lines
from tracer.plots.panel import TICK, spread
from tracer.plots.saving import drawn, save, svg

SVG = "{http://www.w3.org/2000/svg}"
LOSS = Plot(
    "Loss by step",
    [Curve("train", [0, 50, 100], [1.0, 0.5, 0.0]), Curve("test", [0, 100], [1, 0.5], dashed=True)],
    Axis("step"),
    Axis("loss", low=0, high=1),
    "A note.",
)


def page_of(*plots, **how):
    return ElementTree.fromstring(svg(plots, **how))


def group(page, key):
    (found,) = (each for each in page.iter(f"{SVG}g") if each.get("data-key") == key)
    return found


def places(path):
    return [
        tuple(map(float, pair.split()))
        for pair in re.findall(r"[ML]([-\d.]+ [-\d.]+)", path.get("d"))
    ]


def texts(page):
    return {each.text: each for each in page.iter(f"{SVG}text")}


@pytest.mark.parametrize("name", MANY)
def test_every_text_and_stroke_lies_on_the_page(name):
    page = page_of(MANY[name], LOSS)
    _, _, width, height = map(float, page.get("viewBox").split())
    for text in page.iter(f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y"))
        length = float(text.get("textLength", 8))
        assert x >= 0
        assert x + length <= width
        assert 8 <= y <= height - 2
    for path in page.iter(f"{SVG}path"):
        for x, y in places(path):
            assert -1 <= x <= width + 1
            assert -1 <= y <= height + 1


def test_a_curve_stands_where_its_ticks_say():
    plot = Plot(
        "", [Curve("", [1, 3, 5], [20, 80, 60])], Axis(low=1, high=5), Axis(low=20, high=90)
    )
    page = page_of(plot)
    (path,) = group(page, "p0mark0").iter(f"{SVG}path")
    said = texts(page)
    for (x, y), across, up in zip(places(path), "135", ("20", "80", "60"), strict=True):
        middle = float(said[across].get("x")) + letters_width(across, TICK) / 2
        assert x == pytest.approx(middle, abs=0.02)
        assert y == pytest.approx(float(said[up].get("y")) - 3.5, abs=0.02)


def test_curves_are_labelled_at_their_ends_and_told_apart_by_dashes():
    page = page_of(LOSS)
    (solid,) = group(page, "p0mark0").iter(f"{SVG}path")
    (dashed,) = group(page, "p0mark1").iter(f"{SVG}path")
    assert solid.get("stroke-dasharray") is None
    assert dashed.get("stroke-dasharray")
    for name, path in (("train", solid), ("test", dashed)):
        x, y = places(path)[-1]
        label = texts(page)[name]
        assert 0 < float(label.get("x")) - x < 12
        assert abs(float(label.get("y")) - y) < 10
        assert label.get("fill") == path.get("stroke")


def test_labels_that_would_stray_from_their_ends_become_a_legend():
    near = [Curve(f"run {k}", [0, 1], [k, 0.5 + k / 1000]) for k in range(6)]
    page = page_of(Plot("", near))
    ys = {texts(page)[f"run {k}"].get("y") for k in range(6)}
    assert len(ys) == 1
    assert float(ys.pop()) < min(
        y for path in group(page, "p0mark0").iter(f"{SVG}path") for _, y in places(path)
    )


def test_labels_at_ends_keep_apart():
    curves = [Curve(f"run {k}", [0, 1], [k, 5 + 0.1 * k]) for k in range(2)]
    ys = sorted(float(texts(page_of(Plot("", curves)))[f"run {k}"].get("y")) for k in range(2))
    assert ys[1] - ys[0] >= 12.9
    assert spread([0.0, 1.0, 2.0], 10, 100) == [0.0, 10.0, 20.0]
    assert spread([99.0, 100.0], 10, 100) == [90.0, 100.0]


def test_a_screen_reader_is_told_what_is_seen():
    page = page_of(LOSS)
    assert page.get("role") == "img"
    title, described = page.find(f"{SVG}title"), page.find(f"{SVG}desc")
    assert title.text == "Loss by step"
    assert described.text == "Loss by step. loss over step: train, test. A note."
    assert page.get("aria-describedby") == described.get("id")


@pytest.mark.parametrize("theme", THEMES)
def test_only_the_colours_of_the_theme_are_used(theme):
    used = set(re.findall(r"#[0-9A-F]{6}", svg([LOSS, MANY["surface"], MANY["band"]], theme=theme)))
    assert used <= {value for value in vars(THEMES[theme]).values() if value.startswith("#")}
    if theme == "print":
        assert all(len({colour[1:3], colour[3:5], colour[5:]}) == 1 for colour in used)


def test_a_theme_may_follow_the_reader():
    text = svg([LOSS], theme="auto")
    assert "prefers-color-scheme:dark" in text
    assert LIGHT.paper in text
    assert THEMES["dark"].paper in text


def test_in_print_every_curve_of_many_has_its_own_look():
    curves = [Curve(f"run {k}", np.arange(9), np.arange(9) * k) for k in range(6)]
    page = page_of(Plot("", curves), theme="print")
    looks = set()
    for k in range(6):
        shapes = [each.tag + (each.get("fill") or "") for each in group(page, f"p0mark{k}")]
        sides = {len(places(each)) for each in group(page, f"p0mark{k}") if each.get("d")}
        looks.add((*sorted(set(shapes)), *sorted(sides)))
    assert len(looks) == 6
    assert PRINT.route0 == PRINT.route1


def test_a_histogram_is_steps_that_stand_on_the_ground():
    page = page_of(Plot("", [Histogram("", [1, 3, 2], [0, 1, 2, 3])]))
    filled, outline = group(page, "p0mark0").iter(f"{SVG}path")
    ground = max(y for _, y in places(filled))
    heights = sorted({round(ground - y, 1) for _, y in places(outline)})
    assert heights[0] == 0
    assert heights[2] / heights[1] == pytest.approx(2, abs=0.01)
    assert heights[3] / heights[1] == pytest.approx(3, abs=0.01)
    assert float(filled.get("opacity")) < 0.5


def test_a_path_starts_with_a_ring_and_ends_with_a_disc():
    page = page_of(Plot("", [Trajectory("", [0, 1, 2], [0, 2, 0])]))
    ring, disc = group(page, "p0mark0").iter(f"{SVG}circle")
    (line, *arrows) = group(page, "p0mark0").iter(f"{SVG}path")
    assert ring.get("fill") == LIGHT.paper
    assert disc.get("fill") == disc.get("stroke")
    assert (float(ring.get("cx")), float(ring.get("cy"))) == places(line)[0]
    assert (float(disc.get("cx")), float(disc.get("cy"))) == places(line)[-1]
    assert len(arrows) == 3


def test_a_level_line_of_a_bowl_is_a_closed_circle():
    grid = np.linspace(-2, 2, 81)
    (line,) = level_lines(grid, grid, np.add.outer(grid**2, grid**2), 1.0)
    np.testing.assert_allclose(np.hypot(*line.T), 1, atol=0.002)
    np.testing.assert_array_equal(line[0], line[-1])


def test_a_saddle_is_cut_by_its_middle_and_a_hole_is_left_out():
    unit = np.array([0.0, 1.0])
    for height in (0.4, 0.6):
        lines = level_lines(unit, unit, np.array([[1.0, 0.0], [0.0, 1.0]]), height)
        corners = {tuple(np.rint(line.mean(axis=0)).astype(int)) for line in lines}
        assert corners == ({(0, 1), (1, 0)} if height < 0.5 else {(0, 0), (1, 1)})
    assert level_lines(unit, unit, np.array([[1.0, np.nan], [0.0, 1.0]]), 0.5) == []


def test_the_heights_of_contours_are_written_on_them():
    grid = np.linspace(-2, 2, 41)
    page = page_of(Plot("", [Contours(grid, grid, np.add.outer(grid**2, grid**2), [1.7, 2.9])]))
    assert {"1.7", "2.9"} <= set(texts(page))


def test_areas_of_a_grid_stand_in_line():
    plots = [Plot(f"plot {k}" * (1 + k), [Curve("", [0, 10**k], [0, 10**k])]) for k in range(4)]
    page = page_of(*plots, columns=2)
    starts = [places(next(group(page, f"p{k}mark0").iter(f"{SVG}path")))[0] for k in range(4)]
    assert starts[0][0] == starts[2][0] < starts[1][0] == starts[3][0]
    assert starts[0][1] == starts[1][1] < starts[2][1] == starts[3][1]


def test_labels_of_neighbours_do_not_overlap():
    wide = Plot("", [Curve("a label that is long", [0, 1], [0, 1])])
    page = page_of(wide, Plot("", [Curve("", [0, 1], [0, 1e9 + 0.5])]), wide, columns=2)
    ends = [
        float(t.get("x")) + float(t.get("textLength"))
        for t in page.iter(f"{SVG}text")
        if "label" in t.text
    ]
    numbers = [float(t.get("x")) for t in page.iter(f"{SVG}text") if "e8" in t.text]
    assert len(ends) == 2
    assert min(numbers) > max(ends)


def test_a_page_for_graphviz_counts_bytes():
    page, _ = drawn([Plot("", [Curve("", [-1, 1], [-1, 1])])])
    assert "4 -−1 " in page_dot(page, LIGHT)


def test_a_million_points_make_a_small_file():
    x = np.linspace(0, 1, 1_000_000)
    marks = [Curve("c", x, np.sin(900 * x)), Points("p", x, x**2), Band("b", x, x - 1, x)]
    text = svg([Plot("", [*marks, Trajectory("t", np.sin(20 * x), np.cos(30 * x))])])
    assert len(text) < 700_000


def test_the_suffix_chooses_the_format(tmp_path):
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    for suffix, start in starts.items():
        assert save([LOSS], tmp_path / f"x.{suffix}").read_bytes().startswith(start)
    tex = LOSS.save(tmp_path / "x.tex").read_text()
    assert r"\begin{tikzpicture}" in tex
    assert "opacity=" in tex


def test_a_page_for_graphviz_holds_long_strings_and_quotation_marks(tmp_path):
    x = np.linspace(0, 1, 800)
    plot = Plot('a "quoted" \\ title', [Curve('"', x, np.sin(300 * x)), Band("b", x, x, x + 1)])
    assert plot.save(tmp_path / "x.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("plots", "path", "how", "error", "words"),
    [
        ([], "x.svg", {}, PlotError, "there is no plot"),
        ([LOSS], "x.gif", {}, DiagramError, r"try: one of .svg, .png, .pdf or .tex"),
        ([LOSS], "x.svg", {"theme": "lihgt"}, PlotError, "unknown theme 'lihgt'"),
        ([LOSS], "x.svg", {"columns": 0}, PlotError, "columns=0"),
        ([LOSS], "nowhere/x.svg", {}, DiagramError, "no directory"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, plots, path, how, error, words):
    with pytest.raises(error, match=words):
        save(plots, tmp_path / path, **how)


def test_a_plot_is_drawn_the_same_every_time():
    assert svg([LOSS]) == svg([LOSS])
    assert drawn([LOSS]) == drawn([LOSS])
    assert LOSS._repr_svg_() == svg([LOSS])
