"""What the boxes and wires of the graph say at a position, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tracer as tr
from tracer.cells import boxes
from tracer.cells.canvas import Window
from tracer.cells.drawing import AT_ONCE, draw, stretch
from tracer.cells.figures import Figures, figure
from tracer.cells.meanings import Kind, Look
from tracer.folding.folds import GraphLook
from tracer.timeline import GLYPHS
from tui.views.scene import Scene


def scene_of(trace, position, **more):
    scene = Scene(trace, position, 0, Figures(trace), **more)
    return replace(scene, selected=max(0, scene.current))


def face_of(scene, node):
    """The face of the box that shows a node."""
    drawing = draw(scene.trace, scene.graph, node, scene.current)
    place = drawing.place(node)
    return boxes.faces(scene, drawing, [place])[place]


def threads(scene, drawing):
    layout = drawing.layout
    return boxes.threads(scene, drawing, Window(0, 0, layout.width, layout.height))


def rows_of(face):
    return [(label, text) for label, text, _ in face.rows]


def test_a_number_appears_only_when_the_position_has_reached_it(circuit):
    f = circuit.node_index("f")
    for position in range(circuit.timeline.last + 1):
        face = face_of(scene_of(circuit, position), f)
        value, gradient = rows_of(face)
        assert value == (("", "−12") if position >= 2 else ("", "·"))
        assert gradient == (("∂", "1") if position >= 2 else ("", GLYPHS["not run yet"]))


def test_a_gradient_that_is_not_there_is_never_drawn_as_zero(batch_norm):
    timeline = batch_norm.timeline
    for position in range(timeline.last + 1):
        scene = scene_of(batch_norm, position)
        for each in range(len(batch_norm)):
            _, (label, text) = rows_of(face_of(scene, each))
            if timeline.status(position, each).state not in ("partial", "final"):
                assert (label, text) == ("", timeline.status(position, each).glyph)
            else:
                assert label == "∂"


def test_a_partial_gradient_says_how_much_has_arrived(square):
    x = square.node_index("x")
    seen = [face_of(scene_of(square, position), x) for position in range(square.timeline.last + 1)]
    assert [face.count for face in seen] == ["", "", "", "", "1/3", "2/3", ""]
    assert [rows_of(face)[1][1] for face in seen][4:] == ["1", "4", "7"]


def test_a_tensor_shows_its_shape_and_says_that_its_numbers_are_rms(batch_norm):
    scene = scene_of(batch_norm, batch_norm.timeline.last)
    face = face_of(scene, batch_norm.node_index("x"))
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
    drawing = draw(circuit, GraphLook(), 0)
    forward = threads(scene_of(circuit, 2), drawing)
    assert [thread.backward for thread in forward] == [False, False]
    backward = threads(scene_of(circuit, 3), drawing)
    assert [thread.backward for thread in backward] == [True]
    assert backward[0].runs == tuple(drawing.layout.path(4, 0))


def test_python_numbers_do_not_shift_the_wires():
    x, y = tr.tensor(2.0, name="x"), tr.tensor(3.0, name="y")
    trace = tr.trace((1.0 - x) * y)
    drawing = draw(trace, GraphLook(), 0)
    first = trace.timeline.step(trace.timeline.last)
    scene = scene_of(trace, trace.timeline.last)
    assert first.argument == 1
    (thread,) = threads(scene, drawing)
    assert thread.runs == tuple(drawing.layout.path(drawing.place(first.node), 0))


def test_a_number_that_is_not_finite_is_flagged_in_its_box(nan):
    kinds = {row[2] for row in face_of(scene_of(nan, 1), 1).rows}
    assert Kind.WARN in kinds


def test_a_long_trace_is_drawn_as_a_stretch_around_the_node(long_chain):
    assert len(long_chain) > AT_ONCE
    drawing = draw(long_chain, GraphLook(), 50_000)
    assert drawing.place(50_000) is not None
    assert not drawing.whole
    assert len(drawing.boxes) < 600
    assert drawing.place(long_chain.node_index("w")) is not None


def test_every_node_lies_well_inside_its_own_stretch():
    count = 100_000
    for chosen in (0, 95, 96, 5_000, 99_999):
        first, last = stretch(count, chosen // 96)
        assert first <= chosen < last
        assert chosen - first >= min(chosen, 90)
