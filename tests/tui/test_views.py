"""What the panes say at a position, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tracer as tr
from tracer.cells.figures import Figures
from tui.ink import text_of
from tui.views import node, status, tape
from tui.views.scene import Scene


def scene_of(trace, position, selected=None, **more):
    scene = Scene(trace, position, 0, Figures(trace), **more)
    chosen = max(0, scene.current) if selected is None else trace.node_index(selected)
    return replace(scene, selected=chosen)


def node_text(trace, position, selected=None, width=48):
    scene = scene_of(trace, position, selected)
    return "\n".join(text_of(line) for line in node.lines(scene, width))


def rows_of(face):
    return [(label, text) for label, text, _ in face.rows]


def test_a_control_character_in_a_name_does_not_reach_the_terminal():
    x = tr.tensor(1.0, name="evil\x1b[2J\n")
    trace = tr.trace(x * 2.0)
    scene = scene_of(trace, trace.timeline.last)
    texts = [
        text_of(tape.row(scene, 0, 60)),
        text_of(status.status_line(scene, 120)),
        node.title(scene),
    ]
    texts += [text_of(line) for line in node.lines(scene, 48)]
    assert all(text.isprintable() for text in texts[:2] + texts[3:])


# ----- tape


def test_the_tape_shows_values_on_the_way_down_and_gradients_on_the_way_up(circuit):
    rows = [text_of(tape.row(scene_of(circuit, 4), n, 60)).split() for n in range(5)]
    assert rows[0] == ["0", "↓", "x", "input", "()", "−2", "○"]
    assert rows[2] == ["2", "↑", "z", "input", "()", "−4", "3"]
    assert rows[4] == ["▶", "4", "↑", "f", "mul", "()", "−12", "1"]


@pytest.mark.parametrize("width", [24, 28, 34, 40, 48, 60, 100])
def test_a_row_of_the_tape_fills_its_pane_exactly(batch_norm, width):
    scene = scene_of(batch_norm, 20)
    assert len(text_of(tape.heading(width, len(batch_norm)))) == width
    for n in range(len(batch_norm)):
        assert len(text_of(tape.row(scene, n, width))) == width


# ----- status


def test_the_status_line_says_where_one_is(square):
    text = text_of(status.status_line(scene_of(square, 5), 120))
    assert "BACKWARD" in text
    assert "step 5/6" in text
    assert "y mul → x 1/2" in text
    assert "loss 12" in text


def test_the_status_line_drops_what_matters_least(batch_norm):
    scene = scene_of(batch_norm, 20, watches=(("x", "1"),), breakpoints=1)
    for width in (60, 80, 120):
        text = text_of(status.status_line(scene, width))
        assert len(text) <= width
        assert "step 20/" in text


def test_nan_is_flagged_from_where_it_first_appears(nan):
    assert "NaN" not in text_of(status.status_line(scene_of(nan, 0, bad=(1, 1)), 120))
    assert "NaN or inf since y's value" in text_of(
        status.status_line(scene_of(nan, 1, bad=(1, 1)), 120)
    )
