"""What the panes say at a position, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tracer.timeline import GLYPHS
from tui.drawing import WHOLE, draw, stretch
from tui.ink import Kind, Look, text_of
from tui.views import boxes, node, status, tape, tensor
from tui.views.figures import Figures, bars, figure
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


# ----- boxes


def test_a_number_appears_only_when_the_position_has_reached_it(circuit):
    f = circuit.node_index("f")
    for position in range(circuit.timeline.last + 1):
        face = boxes.face(scene_of(circuit, position), f)
        value, gradient = rows_of(face)
        assert value == (("", "−12") if position >= 2 else ("", "·"))
        assert gradient == (("∂", "1") if position >= 2 else ("", GLYPHS["not run yet"]))


def test_a_gradient_that_is_not_there_is_never_drawn_as_zero(batch_norm):
    timeline = batch_norm.timeline
    for position in range(timeline.last + 1):
        scene = scene_of(batch_norm, position)
        for each in range(len(batch_norm)):
            _, (label, text) = rows_of(boxes.face(scene, each))
            if timeline.status(position, each).state not in ("partial", "final"):
                assert (label, text) == ("", timeline.status(position, each).glyph)
            else:
                assert label == "∂"


def test_a_partial_gradient_says_how_much_has_arrived(square):
    x = square.node_index("x")
    seen = [
        boxes.face(scene_of(square, position), x) for position in range(square.timeline.last + 1)
    ]
    assert [face.count for face in seen] == ["", "", "", "", "1/3", "2/3", ""]
    assert [rows_of(face)[1][1] for face in seen][4:] == ["1", "4", "7"]


def test_a_tensor_shows_its_shape_and_says_that_its_numbers_are_rms(batch_norm):
    scene = scene_of(batch_norm, batch_norm.timeline.last)
    face = boxes.face(scene, batch_norm.node_index("x"))
    assert face.foot == "8×3 rms"
    value = batch_norm.value("x")
    assert face.rows[0][1] == figure(value).text
    assert float(face.rows[0][1]) == pytest.approx(np.sqrt(np.mean(value**2)), abs=1e-4)


def test_current_operands_reached_and_not_run_look_different(circuit):
    x, y, z, q, f = range(5)
    forward = scene_of(circuit, 1)
    assert [forward.look(n) for n in (q, x, y, z, f)] == [
        Look.CURRENT, Look.OPERAND, Look.OPERAND, Look.PLAIN, Look.AHEAD,
    ]  # fmt: skip
    backward = scene_of(circuit, 4)
    assert [backward.look(n) for n in (f, z, q, x)] == [
        Look.CURRENT, Look.OPERAND, Look.REACHED, Look.PLAIN,
    ]  # fmt: skip


def test_the_wire_of_the_latest_flow_is_lit_backwards(circuit):
    drawing = draw(circuit, 0)
    forward = boxes.threads(scene_of(circuit, 2), drawing)
    assert [thread.backward for thread in forward] == [False, False]
    backward = boxes.threads(scene_of(circuit, 3), drawing)
    assert [thread.backward for thread in backward] == [True]
    assert backward[0].runs == tuple(drawing.layout.path(4, 0))


def test_python_numbers_do_not_shift_the_wires():
    x, y = tr.tensor(2.0, name="x"), tr.tensor(3.0, name="y")
    trace = tr.trace((1.0 - x) * y)
    drawing = draw(trace, 0)
    first = trace.timeline.step(trace.timeline.last)
    scene = scene_of(trace, trace.timeline.last)
    assert first.argument == 1
    (thread,) = boxes.threads(scene, drawing)
    assert thread.runs == tuple(drawing.layout.path(drawing.place[first.node], 0))


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


# ----- node


def test_the_node_pane_puts_the_numbers_into_the_formula(circuit):
    text = node_text(circuit, 4)
    assert "f = q · z" in text
    assert "= 3 · (−4) = −12" in text


def test_the_node_pane_shows_upstream_times_local_for_each_flow(circuit):
    text = node_text(circuit, 4)
    assert "out ∂/∂q = z = −4" in text
    assert "→ q += ∂L/∂f · z" in text
    assert "= −4" in text.split("→ q +=")[1].splitlines()[0]
    assert "= 3" in text.split("→ z +=")[1].splitlines()[0]


def test_the_node_pane_says_which_kernels_ran_where_it_was_not_numpy_alone():
    with tr.kernels("numba"):
        trace = tr.trace(tr.sum(tr.relu(tr.tensor([[1.0, -2.0]])) * 2.0), seed=1.0)
    shown = node_text(trace, trace.timeline.last, "relu@1")
    assert "kernels   numba" in shown
    plain = tr.trace(tr.sum(tr.relu(tr.tensor([[1.0, -2.0]]))))
    assert "kernels" not in node_text(plain, plain.timeline.last, "relu@1")


def test_a_flow_is_shown_only_once_it_has_run(circuit):
    assert "→ q +=" in node_text(circuit, 3)
    assert "→ z +=" not in node_text(circuit, 3)
    assert "→" not in node_text(circuit, 2)


def test_the_flows_into_a_node_are_listed_with_their_sum(square):
    text = node_text(square, square.timeline.last, "x")
    assert text.count("●") == 4  # three flows, and the state of the sum
    assert "y[x]  ∂L/∂y · x" in text
    assert "Σ 3 of 3 flows" in text
    assert "= 7" in text
    partial = node_text(square, 5, "x")
    assert "◐ partial 2/3" in partial
    assert "Σ 2 of 3 flows" in partial


def test_the_exact_columns_of_the_source_are_marked(batch_norm):
    lines = node_text(batch_norm, 5, "xhat").splitlines()
    at = next(
        n for n, line in enumerate(lines) if "xhat = xmu / std" in line and "conftest.py:" in line
    )
    start, end = lines[at + 1].index("▔"), lines[at + 1].rindex("▔") + 1
    assert lines[at][start:end] == "xmu / std"


def test_a_weight_used_a_thousand_times_lists_a_few_flows():
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.0, name="w")
    for _ in range(1000):
        a = a * w
    trace = tr.trace(a)
    lines = node_text(trace, trace.timeline.forward_steps + 1000, "w").splitlines()
    assert len(lines) < 20
    assert any("494 earlier ones" in line for line in lines)
    assert any("Σ 500 of 1000 flows" in line for line in lines)


def test_states_are_told_in_words():
    x, c = tr.tensor(2.0, name="x"), tr.constant(3.0, name="c")
    loss = tr.detach(x) * x * c
    trace = tr.trace(loss)
    last = trace.timeline.last
    assert "· not run yet" in node_text(trace, 0, len(trace) - 1)
    assert "○ not reached" in node_text(trace, 0, "x")
    assert "⊘ blocked (constant)" in node_text(trace, last, "c")


def test_every_line_of_the_node_pane_fits_its_width(batch_norm):
    from rich.cells import cell_len

    for width in (28, 46, 80):
        for position in range(0, batch_norm.timeline.last + 1, 5):
            for each in range(len(batch_norm)):
                for line in node.lines(scene_of(batch_norm, position, each), width):
                    assert cell_len(text_of(line)) <= width


def test_a_histogram_shows_every_count():
    assert bars(np.array([0.0] * 100 + [1.0]), 4) == "█  ▁"
    assert bars(np.array([2.0, 2.0]), 4) == "█   "
    assert bars(np.array([np.nan]), 4) == "    "
    assert len(bars(np.array([-1e308, 1e308]), 8)) == 8


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
    kinds = {row[2] for row in boxes.face(scene_of(nan, 1), 1).rows}
    assert Kind.WARN in kinds


# ----- tensor


def test_the_cursor_reads_value_and_gradient(batch_norm):
    scene = scene_of(batch_norm, batch_norm.timeline.last, "x")
    shown = tensor.picture(scene)
    text = tensor.subtitle(scene, shown, tensor.Reading(row=2, column=1))
    x, g = batch_norm.value("x")[2, 1], batch_norm.gradient("x")[2, 1]
    assert text == f"[2,1] v {figure(x).text} ∂ {figure(g).text}"


def test_slices_of_leading_axes_are_read_at_their_own_place():
    x = tr.tensor(np.arange(24.0).reshape(2, 3, 4), name="x")
    trace = tr.trace(tr.sum(x * x))
    scene = scene_of(trace, 2, "x", slice_number=1)
    shown = tensor.picture(scene)
    assert tensor.element(shown, tensor.Reading(row=2, column=3)) == (1, 2, 3)
    assert "[1,:,:]" in tensor.title(scene, shown)


def test_the_window_of_the_tensor_pane_follows_the_cursor():
    at = tensor.move((500, 300), tensor.Reading(row=499, column=299), 40, 10, colour=True)
    assert (at.row, at.column) == (499, 299)
    assert at.top == 240
    assert at.left == 260
    assert tensor.move(
        (4, 3), tensor.Reading(row=9, column=-2), 40, 10, colour=True
    ) == tensor.Reading(0, 0, 3, 0)


# ----- long traces


def test_a_long_trace_is_drawn_as_a_stretch_around_the_node(long_chain):
    assert len(long_chain) > WHOLE
    drawing = draw(long_chain, 50_000)
    assert 50_000 in drawing.place
    assert not drawing.whole
    assert len(drawing.nodes) < 600
    assert long_chain.node_index("w") in drawing.place


def test_every_node_lies_well_inside_its_own_stretch():
    count = 100_000
    for chosen in (0, 95, 96, 5_000, 99_999):
        first, last = stretch(count, chosen // 96)
        assert first <= chosen < last
        assert chosen - first >= min(chosen, 90)


def test_partial_sums_are_those_of_the_timeline(long_chain):
    figures = Figures(long_chain)
    w, timeline = long_chain.node_index("w"), long_chain.timeline
    for position in [*range(150_001, 150_020), 150_010, 120_000, timeline.last]:
        assert figures.total(position, w) == timeline.gradient(position, w)
