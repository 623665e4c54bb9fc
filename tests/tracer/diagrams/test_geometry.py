"""No text leaves its box, no labels overlap, no line runs through text, nothing is cut off: in every figure."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import pytest

import tracer as tr
from tests.tracer.diagrams.audit import findings, report
from tests.tracer.diagrams.boxes import ink
from tests.tracer.diagrams.networks import FIGURES, LARGE
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tracer.diagrams import STYLES, Diagram, diagram
from tracer.diagrams.layout.clearing import shifts_of
from tracer.diagrams.measure import letters_width
from tracer.diagrams.strokes import Curve, Drawn, Ellipse, Item, Letters, Polygon
from tracer.errors import DiagramError

PAGE = (200.0, 100.0)
SQUARE = Polygon(((20, 20), (80, 20), (80, 60), (20, 60)), "gate_edge", "gate")


@lru_cache
def trace_of(name: str) -> tr.Trace:
    return FIGURES[name]()


def fitting(name: str) -> list[str]:
    """The styles that can draw a network."""
    found = []
    for style in STYLES:
        with suppress(DiagramError):
            diagram(trace_of(name), style=style)
            found.append(style)
    return found


def said(text: str, x: float, y: float, size: float = 10) -> Letters:
    return Letters(text, (x, y), letters_width(text, size), "ink", size)


def whats(*items: Item) -> list[str]:
    return [each.what for each in findings(Drawn(*PAGE, items))]


# ----- the audit itself


def test_a_card_with_its_words_in_it_is_fine():
    card = Item("n0", "shape", (SQUARE, said("0.73", 24, 34), said("−0.20", 24, 54)))
    edge = Item("e0", "edge", (Curve(((80, 40), (100, 40), (120, 40), (140, 40)), "wire"),))
    assert whats(edge, card) == []


@pytest.mark.parametrize(
    ("what", "items"),
    [
        ("outside its box", [Item("n0", "shape", (SQUARE, said("much too long for it", 24, 34)))]),
        (
            "outside its box",
            [
                Item(
                    "g0", "shape", (Ellipse((50, 40), (15, 15), "ink", "gate"), said("mmm", 38, 31))
                )
            ],
        ),
        ("off the page", [Item("n0", "shape", (said("cut", 190, 50),))]),
        (
            "off the page",
            [Item("e0", "edge", (Curve(((0, 50), (90, -80), (90, 50), (9, 9)), "wire"),))],
        ),
        (
            "overlaps",
            [
                Item("n0", "shape", (said("0.73", 24, 34),)),
                Item("n1", "shape", (said("0.52", 30, 38),)),
            ],
        ),
        ("overlaps", [Item("n0", "shape", (said("0.73", 24, 34), said("0.52", 30, 34)))]),
        (
            "struck through",
            [
                Item("n0", "shape", (said("0.73", 24, 34),)),
                Item("e0", "edge", (Curve(((0, 31), (30, 31), (60, 31), (90, 31)), "wire"),)),
            ],
        ),
        (
            "struck through",
            [
                Item("f0", "cluster", (SQUARE, said("scope", 40, 40))),
                Item("f1", "cluster", (Polygon(((50, 22), (78, 22), (78, 58), (50, 58)), "ink"),)),
            ],
        ),
        (
            "collides",
            [
                Item("n0", "shape", (SQUARE,)),
                Item(
                    "n1",
                    "shape",
                    (SQUARE._replace(points=((70, 30), (99, 30), (99, 50), (70, 50))),),
                ),
            ],
        ),
        ("squeezed", [Item("n0", "shape", (said("0.7312345", 24, 34)._replace(room=20),))]),
        ("not painted", [Item("n0", "shape", (said("0.73", 24, 34)._replace(paint=""),))]),
    ],
)
def test_the_audit_finds(what, items):
    found = findings(Drawn(*PAGE, tuple(items)))
    assert {each.what for each in found} == {what}, report(found)
    assert what in report(found)


def test_a_line_that_a_card_covers_strikes_nothing():
    card = Item("n0", "shape", (SQUARE, said("0.73", 24, 34)))
    line = Item("e0", "edge", (Curve(((0, 31), (30, 31), (60, 31), (90, 31)), "wire"),))
    assert whats(line, card) == []
    assert whats(card, line) == ["struck through"]


def test_what_hangs_below_the_line_counts():
    high, deep = ink(said("0.73", 0, 50)), ink(said("(y)", 0, 50))
    assert (high.bottom, deep.bottom > 52) == (50, True)


# ----- the figures


def sound(figure: Diagram) -> None:
    found = findings(figure.drawn)
    assert not found, f"{figure.style} at {figure.step}:\n{report(found)}"


ORDINARY = [name for name in FIGURES if name not in LARGE]


@needs_graphviz
@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.slow
def test_a_figure_can_be_read(name):
    """In the style that suits the network, finished and halfway."""
    trace = trace_of(name)
    for step in (None, trace.timeline.last // 2):
        sound(diagram(trace, step=step))


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_can_be_read_in_every_style_at_every_stage(name):
    trace = trace_of(name)
    last = trace.timeline.last
    for style in fitting(name):
        for step in (None, *sorted({0, last // 4, last // 2, 3 * last // 4, last})):
            sound(diagram(trace, style=style, step=step))


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("name", ORDINARY)
def test_every_frame_of_a_film_can_be_read(name):
    trace = trace_of(name)
    for style in fitting(name):
        last = trace.timeline.last
        film = diagram(trace, style=style).film(range(0, last + 1, 1 + last // 40))
        for number, frame in enumerate(film.frames):
            found = findings(film.drawn(number))
            assert not found, f"{style} at {frame.position}:\n{report(found)}"


WISHES = [
    ("neuron", {"local": True}),
    ("residual", {"local": True}),
    ("batch_norm", {"style": "backward"}),
    ("batch_norm", {"scope": "BatchNorm.statistics"}),
    ("transformer", {"around": 28, "radius": 2}),
    ("twelve_layers", {"style": "cards", "most": 10**6}),
    ("twelve_layers", {"style": "outline", "most": 10**6}),
    ("lstm", {"style": "cards", "most": 10**6}),
    ("lstm", {"style": "unrolled", "most": 10**6}),
]


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize(("name", "wishes"), WISHES)
def test_a_part_of_a_figure_or_all_of_a_large_one_can_be_read(name, wishes):
    sound(diagram(trace_of(name), **wishes))


# ----- labels of frames

FRAME = Polygon(((20, 20), (120, 20), (120, 80), (20, 80)), "gate_edge")


def across(x: float) -> Item:
    return Item(f"e{x}", "edge", (Curve(((x, 0), (x, 0), (x, 99), (x, 99)), "wire"),))


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ([], None),
        ([across(100)], None),
        ([across(40)], (16.0, 0.0)),
        ([across(x) for x in (30, 50, 70, 90, 110)], None),
        (
            [Item("e0", "edge", (Curve(((9, 31), (9, 31), (130, 31), (130, 31)), "wire"),))],
            (0.0, -16.5),
        ),
    ],
)
def test_the_label_of_a_frame_moves_to_where_no_line_runs(lines, where):
    """Along the top as little as needed, else onto the frame; it stays where neither helps."""
    label = said("scope", 28, 33, 12)
    shifts = shifts_of([Item("f0", "cluster", (FRAME, label))], lines)
    assert shifts.get("f0") == (pytest.approx(where, abs=1.0) if where else None)


# ----- in a browser

BOXES = """[...document.querySelectorAll("svg g[data-key]")].flatMap((group) =>
  [...group.querySelectorAll("text")].map((text) => {
    const box = text.getBBox();
    return [group.dataset.key, text.textContent, box.x, box.y, box.x + box.width, box.y + box.height];
  }))"""


@needs_graphviz
@pytest.mark.parametrize("name", ["neuron", "batch_norm", "sentence"])
def test_a_browser_sets_the_text_where_the_audit_believes_it(browser, tmp_path, name):
    """Every line of text lies where its letters do, as wide as their room, and within the page."""
    figure = diagram(trace_of(name))
    figure.save(tmp_path / "figure.svg")
    with browser.tab() as tab:
        tab.open(tmp_path / "figure.svg")
        found = tab.evaluate(BOXES)
    drawn = figure.drawn
    letters = {
        item.key: [stroke for stroke in item.strokes if isinstance(stroke, Letters)]
        for item in drawn.items
    }
    assert {key for key, *_ in found} == {key for key, said in letters.items() if said}
    for key, text, left, top, right, bottom in found:
        parts = [
            one
            for one in letters[key]
            if left - 1 <= one.at[0] <= right + 1 and top < one.at[1] < bottom
        ]
        assert "".join(one.text for one in parts) == text, key
        assert left == pytest.approx(
            min(one.at[0] for one in parts), abs=1.5
        )  # slanted letters lean out
        assert right == pytest.approx(max(one.at[0] + one.room for one in parts), abs=1.5), (
            key,
            text,
        )
        assert left >= 0
        assert right <= drawn.width
        assert all(top <= ink(one).top and ink(one).bottom <= bottom + 1 for one in parts)
