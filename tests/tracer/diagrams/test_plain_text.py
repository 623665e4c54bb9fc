"""The text figure: the drawing of the terminal's graph pane, word for word, and numbers that are those of the trace.

Where a change of the kept drawings is meant, `GRADSTEP_REWRITE=1 pytest tests/tracer/diagrams/test_plain_text.py`
writes them anew; look at the diff before it is committed.
"""

from __future__ import annotations

import os
import re
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams import networks
from tracer.diagrams.settings import Settings
from tracer.diagrams.writers.bands import LEAST
from tracer.diagrams.writers.plain_text import LEFT_TO_RIGHT, text_drawing
from tracer.errors import DiagramError
from tracer.timeline import GLYPHS

DRAWINGS = Path(__file__).parent / "drawings"
KEPT = {
    "circuit": ("circuit", {}),
    "circuit-step-4-ascii": ("circuit", {"position": 4, "ascii": True}),
    "neuron-step-14": ("neuron", {"position": 14}),
    "neuron-72-columns": ("neuron", {"width": 72}),
    "batch-norm": ("batch_norm", {}),
    "batch-norm-90-columns": ("batch_norm", {"position": 17, "width": 90}),
    "rnn-4-steps": ("scalar_rnn", {}),
    "rnn-4-steps-step-24-60-columns": ("scalar_rnn", {"position": 24, "width": 60}),
    "badly-named-80-columns": ("badly_named", {"width": 80}),
}


@pytest.mark.parametrize("name", KEPT)
def test_the_drawing_is_as_it_was_looked_at(name):
    network, options = KEPT[name]
    drawn = text_drawing(getattr(networks, network)(), **options)
    file = DRAWINGS / f"{name}.txt"
    if os.environ.get("GRADSTEP_REWRITE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(drawn, encoding="utf-8")
    assert drawn.splitlines() == file.read_text(encoding="utf-8").splitlines()


def test_every_kept_drawing_is_compared():
    assert {file.stem for file in DRAWINGS.glob("*.txt")} == set(KEPT)


# ----- reading a drawing


class Box(NamedTuple):
    """A box of a drawing: its title, the numbers in it, and what its lower border says."""

    title: str
    value: str
    gradient: str
    foot: str


FRAMED = re.compile(r"[╭╔┏] ([^╭╮╔╗┏┓]+?)(?: [─═━┄]*)?[╮╗┓]")
SIDES = "│║┃┆├┣╠"


def boxes_of(drawn: str) -> tuple[list[Box], str]:
    """The boxes of a drawing without folded ones, and all that stands outside of them."""
    lines = drawn.split("\n\nvalue above")[0].split("\n\nstep ")[0].splitlines()
    width = max(map(len, lines))
    cells = np.array([list(line.ljust(width)) for line in lines])
    found = []
    for y, line in enumerate(lines):
        for title in FRAMED.finditer(line):
            left, right = title.span()
            bottom = next(n for n in range(y + 1, len(lines)) if cells[n, left] in "╰╚┗")
            assert all(cells[n, left] in SIDES for n in range(y + 1, bottom))
            assert all(cells[n, right - 1] in SIDES for n in range(y + 1, bottom))
            inside = ["".join(cells[n, left + 1 : right - 1]) for n in range(y + 1, bottom)]
            foot = re.sub("[─═━┬┳╦]", " ", "".join(cells[bottom, left + 1 : right - 1]))
            found.append(Box(title[1].strip(), inside[0].strip(), inside[1].strip(), foot.strip()))
            cells[y : bottom + 1, left:right] = " "
    return found, "\n".join("".join(row) for row in cells)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def shown(array) -> float:
    """The number that stands for an array: itself, or its root mean square."""
    array = np.asarray(array, dtype=np.float64)
    return float(array) if not array.ndim else float(np.sqrt(np.mean(array**2)))


def node_of(trace, title: str) -> int:
    """`h#1 tanh` is the node h#1, `mul @7` the node 7."""
    name, _, op = title.rpartition(" ")
    if op.startswith("@"):
        return int(op[1:])
    return trace.node_index(name if name in trace.labels else title)


SMALL = {
    "circuit": networks.circuit,
    "neuron": networks.neuron,
    "branching": networks.branching,
    "batch_norm": networks.batch_norm,
    "rnn": networks.scalar_rnn,
}


@pytest.mark.parametrize("width", [None, 76])
@pytest.mark.parametrize("build", SMALL.values(), ids=SMALL)
def test_every_number_is_that_of_the_trace_and_is_there_only_when_it_is_known(build, width):
    trace = build()
    last = trace.timeline.last
    for position in (0, last // 3, 2 * last // 3, last):
        boxes, _ = boxes_of(text_drawing(trace, position=position, width=width))
        assert sorted(node_of(trace, box.title) for box in boxes) == list(range(len(trace)))
        for box in boxes:
            node = node_of(trace, box.title)
            status = trace.timeline.status(position, node)
            if trace.timeline.has_run(position, node):
                expected = shown(trace.value(node))
                assert number(box.value) == pytest.approx(expected, rel=6e-4), box
            else:
                assert box.value == "·"
            if status.state in ("partial", "final"):
                label, text = box.gradient.split()
                expected = shown(trace.timeline.gradient(position, node))
                assert label == "∂"
                assert number(text) == pytest.approx(expected, rel=6e-3), box
            else:
                assert box.gradient == GLYPHS[status.state]
            counted = f"{status.arrived}/{status.expected}" in box.foot.split()
            assert counted == (status.state == "partial")


@pytest.mark.parametrize("build", SMALL.values(), ids=SMALL)
def test_no_text_stands_outside_a_box_but_the_names_of_time_steps_and_of_values_that_go_on(build):
    trace = build()
    for width in (None, 76, LEAST):
        _, outside = boxes_of(text_drawing(trace, width=width))
        words = re.findall(r"[^\W_][\w#@=…]*", outside)
        known = {*trace.labels, *(f"t={t}" for t in range(9))}
        assert set(words) <= known
        assert width or not set(words) & set(trace.labels)


# ----- the page


@pytest.mark.parametrize("width", [LEAST, 60, 80, 132])
@pytest.mark.parametrize("build", [*SMALL.values(), networks.rnn, networks.badly_named])
def test_no_line_is_wider_than_the_page_and_no_box_is_lost(build, width):
    trace = build()
    drawn = text_drawing(trace, width=width)
    *lines, end = drawn.split("\n")
    assert end == ""
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    if "+n" not in drawn:
        assert drawn.count("╮") >= len(trace)


def test_what_is_too_wide_runs_down_or_is_cut_into_bands_that_say_which_values_go_on():
    trace = networks.neuron()
    assert "▶" not in text_drawing(trace, width=80)
    assert "▼" in text_drawing(trace, width=80)
    y = tr.tensor(2.0, name="x")
    weights = [tr.parameter(float(n), name=f"w{n}") for n in range(6)]
    for weight in weights:
        y = y * weight
    for weight in weights:
        y = y + weight
    many = tr.trace(y)
    *bands, _ = text_drawing(many, width=75).split("\n\n")
    assert len(bands) == 4
    for before, after in pairwise(bands):
        going = [line for line in before.splitlines() if line.endswith("→")]
        names = re.findall(r"^ *([^\s─│╭╮╰╯├┤]+) [─┄]", after, re.MULTILINE)
        assert len(going) == len(names) > 0
        assert {*names} <= {*many.labels}


def test_scopes_are_folded_until_the_drawing_fits():
    wide = networks.rnn(steps=4)
    narrow = text_drawing(wide, width=80)
    assert "+n: n nodes in one box" in narrow
    assert "+n" not in text_drawing(wide)


def test_fewer_boxes_are_drawn_where_the_settings_say_so():
    trace = networks.rnn(steps=4)
    few = text_drawing(trace, settings=Settings(most=20))
    assert "rnn[t=1]" in few
    assert "matmul" not in few
    one = text_drawing(trace, settings=Settings(scope="rnn[t=3]"))
    assert "a#3 tanh" in one
    assert "a#2" not in one.replace("a#2 tanh", "")  # what flows in is drawn, its past is not
    assert "ell#4" not in one
    near = text_drawing(trace, settings=Settings(around="a#2", radius=1))
    assert "a#2 tanh" in near
    assert "loss" not in near
    names = text_drawing(trace, settings=Settings(style="outline"))
    assert "│ a#1 ├" in names
    assert not re.search(r"\d\.\d", names)


def test_of_a_very_long_trace_a_stretch_is_drawn_and_a_line_says_so():
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.001, name="w")
    for _ in range(3000):
        a = a * w
    trace = tr.trace(a)
    drawn = text_drawing(trace)
    assert "a#3001" in drawn
    assert re.search(r"\d+ of 3002 boxes are drawn; around=NODE", drawn)
    assert "a#6 mul" in text_drawing(trace, position=5)


# ----- the position


def test_a_figure_of_the_whole_run_marks_no_step():
    drawn = text_drawing(networks.circuit())
    assert not set(drawn) & set("═━┄")
    assert "step" not in drawn


def test_a_step_is_marked_named_and_explained():
    drawn = text_drawing(networks.circuit(), position=4)
    assert "╔ f mul" in drawn
    assert "┏ z input" in drawn
    assert "◀" in drawn
    assert "step 4 of 6   backward: f → z (2 of 2)" in drawn
    assert "═ this step   ━ where its flow went   ○ not reached" in drawn
    assert "┄ · not run yet" in text_drawing(networks.circuit(), position=1)


def test_the_same_trace_gives_the_same_text():
    first, second = networks.rnn(), networks.rnn()
    text_drawing(first, width=60)
    assert text_drawing(first) == text_drawing(second)


def test_where_no_gradient_goes_a_sign_says_why():
    with tr.record():
        x = tr.tensor(2.0, name="x")
        unused = tr.exp(x)  # noqa: F841
        held = x.detach()
        y = held * x
        drawn = text_drawing(tr.trace(y))
    gradients = {box.title: box.gradient for box in boxes_of(drawn)[0]}
    assert gradients["unused exp"] == "∅"
    assert gradients["held detach"] == "⊘"
    assert gradients["x input"] == "∂       2"
    assert "∅ disconnected" in drawn
    assert "▷ no gradient flows back" in drawn


def test_a_single_leaf_and_arrays_without_elements_are_drawn():
    x = tr.tensor(3.0, name="x")
    assert boxes_of(text_drawing(tr.trace(x)))[0] == [Box("x input", "3", "∂       1", "")]
    nothing = tr.tensor(np.zeros((0, 3)), name="nothing")
    boxes, _ = boxes_of(text_drawing(tr.trace(tr.sum(nothing))))
    assert boxes[0] == Box("nothing", "empty", "∂   empty", "0×3 rms")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0, 1e-300, 1e300, 5e-324])
def test_extreme_numbers_are_written_in_their_box(value):
    x = tr.tensor(value, name="x")
    (box, *_), _ = boxes_of(text_drawing(tr.trace(x * 1.0)))
    np.testing.assert_allclose(number(box.value), value, rtol=1e-3)
    assert box.value.startswith("−") == bool(np.signbit(value))


# ----- what may not get out


def hostile_trace() -> tr.Trace:
    y = tr.tensor(1.0, name="plain")
    names = [
        *networks.HOSTILE,
        "long" * 2500,
        "\u202eback",
        "网络",
        "e\u0301" * 9,
        "שלום",
        "مرحبا7",
    ]
    for number_, name in enumerate(names):
        with tr.scope(name, t=f"{number_ // 4}\x1b[2J\u202e网"), tr.scope(name):
            y = y * tr.parameter(0.5, name=name)
    return tr.trace(y)


@pytest.mark.parametrize("options", [{}, {"width": 80}, {"position": 20, "width": 100}], ids=str)
def test_no_name_can_command_a_terminal_or_turn_the_direction_of_the_text(options):
    drawn = text_drawing(hostile_trace(), **options)
    for character in set(drawn) - {"\n", LEFT_TO_RIGHT}:
        assert character.isprintable()
        assert not unicodedata.combining(character)
        assert unicodedata.east_asian_width(character) not in "WF"
    plain = text_drawing(hostile_trace(), ascii=True, **options)
    assert plain.isascii()
    assert all(character.isprintable() for character in set(plain) - {"\n"})


def test_words_that_run_from_right_to_left_leave_the_boxes_where_they_are():
    x, y = tr.tensor(2.0, name="שלום"), tr.tensor(3.0, name="مرحبا")
    drawn = text_drawing(tr.trace(x * y))
    assert f"╭ שלום{LEFT_TO_RIGHT} input" in drawn
    assert f"╭ مرحبا{LEFT_TO_RIGHT} input" in drawn
    assert drawn.count(LEFT_TO_RIGHT) == 2
    plain = text_drawing(tr.trace(x * y), ascii=True)
    assert "+ ???? input" in plain


def test_in_ascii_every_line_is_as_long_as_in_unicode():
    trace = networks.batch_norm()
    for position in (0, 9, None):
        drawn = text_drawing(trace, position=position)
        plain = text_drawing(trace, position=position, ascii=True)
        assert [*map(len, drawn.split("\n"))] == [*map(len, plain.split("\n"))]


# ----- complaints


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"position": 7}, "there is no step 7: the timeline goes from 0 to 6"),
        ({"position": -1}, "there is no step -1"),
        ({"position": "end"}, "there is no step 'end'"),
        ({"width": 39}, "at least 40 columns, not 39\n  try: width=80"),
        ({"settings": Settings(scope="nowhere")}, "no operation was recorded in a scope"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_told_with_a_cure(options, words):
    with pytest.raises(DiagramError, match=re.escape(words)):
        text_drawing(networks.circuit(), **options)
