"""What is folded into one box, and that the folded graph is still a graph."""

from __future__ import annotations

import gc
import random
import weakref

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tests.tui.networks import layers_of_scalars, unrolled
from tracer.cells import boxes, headings
from tracer.cells.canvas import Window
from tracer.cells.drawing import draw
from tracer.cells.figures import Figures
from tracer.cells.meanings import Kind, Look
from tracer.cells.progress import progress
from tracer.debugger import Debugger
from tracer.errors import GradstepError
from tracer.folding.folds import READABLE_BOXES, GraphLook, fold, steps_around
from tracer.recording import ScopeEntry
from tui.orders import obey
from tui.session import Session
from tui.views import timebar
from tui.views.scene import Scene

ALL = GraphLook().all(True)
NONE = GraphLook().all(False)


@pytest.fixture(scope="module")
def network():
    return layers_of_scalars(4, 4, 1)


@pytest.fixture(scope="module")
def recurrent():
    return unrolled(100)


def names(folded) -> list[str]:
    return [folded.name(box) for box in range(len(folded)) if folded.is_folded(box)]


def runs_forward(folded) -> bool:
    return all(i < box for box in range(len(folded)) for i in folded.inputs(box))


# ----- scopes


def test_what_is_small_is_shown_whole(circuit, batch_norm):
    for trace in (circuit, batch_norm):
        folded = fold(trace, GraphLook())
        assert not folded.any_folded
        assert folded.box_of.tolist() == list(range(len(trace)))
        for node in range(len(trace)):
            assert folded.inputs(node) == [i for i in trace.inputs_of(node) if i >= 0]


def test_outer_scopes_are_opened_as_far_as_the_graph_stays_readable():
    small, large = layers_of_scalars(2, 1), layers_of_scalars(12, 12, 12, 1)
    assert not fold(small, GraphLook()).any_folded
    folded = fold(large, GraphLook())
    assert len(folded) <= READABLE_BOXES
    assert names(folded) == ["layer0", "layer1", "layer2", "layer3"]


def test_scopes_are_opened_and_folded_one_by_one(network):
    layer = (ScopeEntry("layer1"),)
    neuron = (*layer, ScopeEntry("neuron2"))
    assert names(fold(network, NONE)) == ["layer0", "layer1", "layer2"]
    one = NONE.open(neuron)
    assert names(fold(network, one)) == ["layer0", "neuron0", "neuron1", "neuron3", "layer2"]
    assert names(fold(network, one.close(neuron)))[1:5] == [
        "neuron0",
        "neuron1",
        "neuron2",
        "neuron3",
    ]
    assert names(fold(network, one.close(layer))) == ["layer0", "layer1", "layer2"]
    assert not fold(network, ALL).any_folded


def test_every_node_is_in_one_box_and_wires_between_boxes_are_merged(network):
    folded = fold(network, NONE)
    assert sorted(folded.members.tolist()) == list(range(len(network)))
    for box in range(len(folded)):
        assert all(folded.box_of[node] == box for node in folded.nodes(box))
        inputs = folded.inputs(box)
        if folded.is_folded(box):
            assert len(set(inputs)) == len(inputs)
            assert box not in inputs
    expected = {
        (int(folded.box_of[i]), int(folded.box_of[node]))
        for node in range(len(network))
        for i in network.inputs_of(node)
        if i >= 0 and folded.box_of[i] != folded.box_of[node]
    }
    actual = {(i, box) for box in range(len(folded)) for i in folded.inputs(box)}
    assert actual == expected


def test_a_parameter_is_folded_with_the_only_scope_that_reads_it():
    w = tr.parameter(2.0, name="w")
    shared = tr.parameter(3.0, name="shared")
    x = tr.tensor(1.0, name="x")
    with tr.scope("one"):
        y = tr.tanh(x * w * shared)
    with tr.scope("two"):
        y = tr.tanh(y * shared)
    trace = tr.trace(y)
    folded = fold(trace, NONE)
    boxed = {
        folded.name(box): folded.nodes(box).tolist()
        for box in range(len(folded))
        if folded.is_folded(box)
    }
    assert trace.node_index("w") in boxed["one"]
    assert not folded.is_folded(int(folded.box_of[trace.node_index("shared")]))
    assert not folded.is_folded(int(folded.box_of[trace.node_index("x")]))


def test_a_scope_that_reads_what_depends_on_itself_is_cut_into_pieces_that_do_not():
    x = tr.tensor(1.0, name="x")
    with tr.scope("inner"):
        a = tr.tanh(x * 2.0)
    b = tr.sin(a)
    with tr.scope("inner"):
        c = tr.tanh(b * a)
    trace = tr.trace(c)
    folded = fold(trace, NONE)
    assert names(folded) == ["inner·1", "inner·2"]
    assert runs_forward(folded)


@pytest.mark.parametrize("seed", range(30))
def test_any_scopes_give_a_graph_without_circles(seed):
    rng = random.Random(seed)
    values = [tr.tensor(float(n), name=f"x{n}") for n in range(3)]
    for _ in range(60):
        path = [f"s{rng.randrange(4)}" for _ in range(rng.randrange(3))]
        scopes = [
            tr.scope(name, **({"t": rng.randrange(8)} if rng.random() < 0.4 else {}))
            for name in path
        ]
        for scope in scopes:
            scope.__enter__()
        values.append(rng.choice(values[-9:]) * rng.choice(values) + 1.0)
        for scope in reversed(scopes):
            scope.__exit__(None, None, None)
    trace = tr.trace(values[-1] + values[-2] + values[-3])
    for look in (GraphLook(), NONE, ALL, GraphLook(everything=False, time=False)):
        folded = fold(trace, look)
        assert runs_forward(folded)
        assert sorted(folded.members.tolist()) == list(range(len(trace)))
        draw(trace, look, 0)


# ----- time


def test_the_time_steps_in_the_middle_are_one_box(recurrent):
    assert names(fold(recurrent, NONE)) == ["rnn[t=0]", "rnn[t=1]", "rnn[t=2…98]", "rnn[t=99]"]
    shown = fold(recurrent, GraphLook())
    assert names(shown) == ["rnn[t=2…98]"]
    assert len(shown.nodes(names_at(shown, "rnn[t=2…98]"))) == 97 * 5
    assert len(names(fold(recurrent, GraphLook(time=False)))) == 100


def names_at(folded, name: str) -> int:
    return next(b for b in range(len(folded)) if folded.is_folded(b) and folded.name(b) == name)


def test_the_time_step_of_the_selected_and_of_the_current_node_is_shown(recurrent):
    node = recurrent.node_index("h#50")
    steps = steps_around(recurrent, NONE, node)
    assert names(fold(recurrent, NONE, steps))[2:5] == ["rnn[t=2…48]", "rnn[t=49]", "rnn[t=50…98]"]
    drawing = draw(recurrent, GraphLook(), node)
    assert drawing.folded.group[drawing.boxes[drawing.place(node)]] < 0


def test_time_runs_to_the_right_in_columns_with_a_heading_each(recurrent, circuit):
    session = Session(recurrent)
    drawing = draw(recurrent, GraphLook(), 0)
    layout = drawing.layout
    assert [headings.name(drawing, block) for block in layout.blocks] == [
        "t=0",
        "t=1",
        "t=2…98",
        "t=99",
    ]
    for block in layout.blocks:
        for place in range(len(layout.boxes)):
            inside = block.start <= layout.start(place) < block.end
            assert (
                inside == (drawing.folded.time(place) == block.time)
                or drawing.folded.time(place) < 0
            )
    text = headings.above(drawing, Window(0, 0, layout.width, 12), session.scene().current).text()
    assert [text.index(name) for name in (" t=0 ", " t=1 ", " t=2…98 ", " t=99 ")]
    assert text.index(" t=1 ") - 1 == layout.blocks[1].start
    assert draw(circuit, GraphLook(), 0).layout.blocks == ()


def test_a_shared_weight_stands_once_and_its_gradient_gathers_over_time(recurrent):
    folded = fold(recurrent, GraphLook(time=False))
    weight = int(folded.box_of[recurrent.node_index("wh")])
    readers = [box for box in range(len(folded)) if weight in folded.inputs(box)]
    assert len(readers) == 100


def test_the_parts_of_an_opened_layer_are_folded_by_time():
    layer = tr.nn.LSTM(3, 4)
    y, *_ = layer(tr.tensor(np.ones((12, 2, 3)), name="x"))
    debugger = Debugger(tr.trace(tr.sum(y)))
    debugger.into()
    debugger.into()
    assert debugger.depth == 1
    assert names(fold(debugger.trace, GraphLook())) == ["lstm[t=2…10]"]


# ----- what a folded box says


def test_a_folded_box_counts_its_nodes_and_how_far_they_are_and_shows_what_leaves_it(network):
    session = Session(network)
    session.graph = NONE
    folded = fold(network, NONE)
    box = names_at(folded, "layer0")
    nodes = folded.nodes(box)
    operations = [n for n in nodes if network.op_of[n] >= 0]

    def face(position):
        session.goto(position)
        drawing = draw(network, NONE, 0)
        return boxes.faces(session.scene(), drawing, [box])[box]

    start = face(0)
    assert start.name == "layer0"
    assert start.look == Look.AHEAD
    assert start.rows[0][1] == "·"
    assert start.foot == f"+{len(nodes)} rms"
    inside = face(3)
    assert inside.look == Look.CURRENT
    assert inside.count == f"3/{len(operations)}"
    done = face(network.timeline.forward_steps)
    leaving = folded.leaving(box)
    assert len(leaving) == 4
    rms = np.sqrt(np.mean([network.value(n) ** 2 for n in leaving]))
    assert float(done.rows[0][1]) == pytest.approx(rms, rel=1e-3)
    assert done.rows[1][1] == "○"
    end = face(network.timeline.last)
    rms = np.sqrt(np.mean([network.gradient(n) ** 2 for n in leaving]))
    assert float(end.rows[1][1].replace("−", "-")) == pytest.approx(rms, rel=1e-3)
    assert end.rows[1][2] == Kind.GRADIENT
    partial = progress(folded, box).final[2]
    assert face(int(partial)).count == f"3/{len(nodes)}"


def test_a_breakpoint_inside_a_folded_box_marks_it(network):
    session = Session(network)
    session.graph = NONE

    def marks():
        drawing = draw(network, NONE, 0)
        faces = boxes.faces(session.scene(), drawing, range(len(drawing.boxes)))
        return {face.name: face.mark for face in faces.values() if face.name.startswith("layer")}

    assert set(marks().values()) == {""}
    inside = int(
        np.flatnonzero(
            [str(s).count("layer1") for s in (network[n].scope for n in range(len(network)))]
        )[-1]
    )
    obey(session, f"break {inside}")
    assert marks() == {"layer0": "", "layer1": "●", "layer2": ""}


# ----- orders


def box_names(session) -> list[str]:
    return names(
        fold(
            session.trace,
            session.graph,
            steps_around(session.trace, session.graph, session.selected),
        )
    )


def test_open_and_fold_go_through_the_scopes_of_the_selected_node(network):
    session = Session(network)
    for line in ("fold all", "select 12", "open"):
        obey(session, line)
    assert box_names(session)[:4] == ["neuron0", "neuron1", "neuron2", "neuron3"]
    obey(session, "open")
    assert "neuron0" not in box_names(session)
    obey(session, "open")  # it is open: fold it again
    assert "neuron0" in box_names(session)
    obey(session, "fold")
    assert box_names(session) == ["layer0", "layer1", "layer2"]
    obey(session, "open layer1")
    assert box_names(session)[1:5] == ["neuron0", "neuron1", "neuron2", "neuron3"]
    obey(session, "unfold")
    assert box_names(session) == []
    obey(session, "unfold")
    assert box_names(session) == ["layer0", "layer1", "layer2"]


def test_time_is_unfolded_by_opening_its_row_of_steps_and_by_name(recurrent):
    session = Session(recurrent)
    assert len(box_names(session)) == 1
    row = fold(recurrent, session.graph)
    session.select(row.face_of(names_at(row, "rnn[t=2…98]")))
    session.select(int(row.nodes(names_at(row, "rnn[t=2…98]"))[0]))
    obey(session, "unfold time")
    assert len(box_names(session)) == 100
    obey(session, "fold time")
    assert len(box_names(session)) <= 2
    obey(session, "open rnn[t=50]")
    assert "rnn[t=51…98]" in box_names(session)


def test_a_name_that_several_scopes_share_folds_and_opens_all_of_them(network):
    session = Session(network)
    obey(session, "fold neuron1")
    folded = session.graph.closed
    assert len(folded) > 1
    assert {str(path[-1]) for path in folded} == {"neuron1"}
    assert f"({len(folded)} scopes)" in session.message
    obey(session, "open neuron1")
    assert session.graph.opened >= folded
    assert not session.graph.closed


def test_orders_that_cannot_be_carried_out_say_why(network, circuit):
    for trace, line, words in (
        (network, "fold nowhere", "there is no scope 'nowhere': the scopes are layer0"),
        (network, "go away", "try go left"),
        (network, "fold time", "there are no time steps"),
        (network, "detail much", "try detail +"),
        (network, "orientation up", "try orientation td"),
        (network, "unfold layer0", "try open layer0"),
        (circuit, "fold", "lies in no scope"),
        (circuit, "go left", "x reads nothing"),
        (circuit, "open layer", "there are none"),
    ):
        with pytest.raises(GradstepError) as error:
            obey(Session(trace), line)
        assert words in str(error.value), line


def test_the_selection_walks_wires_back_the_way_it_came_and_on_to_the_next_one(circuit):
    session = Session(circuit)
    x, y, z, q, f = range(5)
    session.select(f)

    def go(*directions):
        seen = []
        for direction in directions:
            obey(session, f"go {direction}")
            seen.append(session.selected)
        return seen

    assert go("left", "right", "left", "right", "left", "right") == [q, f, z, f, q, f]
    session.select(q)
    assert go("down", "up", "left", "down") == [z, q, x, y]
    obey(session, "orientation td")
    session.select(f)
    assert go("up", "down", "up") == [z, f, q]


def test_detail_and_orientation_change_the_drawing_and_not_the_boxes(circuit):
    session = Session(circuit)
    sizes = []
    for line in ("detail 3", "detail -", "detail -", "detail -", "detail -"):
        obey(session, line)
        layout = draw(circuit, session.graph, 0).layout
        sizes.append(layout.width * layout.height)
    assert sizes == sorted(sizes, reverse=True)
    assert session.graph.detail == 0
    obey(session, "orientation td")
    assert draw(circuit, session.graph, 0).layout.down


# ----- cost


@pytest.mark.slow
def test_to_open_another_of_20000_time_steps_costs_less_than_to_fold_them():
    trace = unrolled(20_000, size=1)
    assert len(trace) > 100_000
    assert trace.labels
    assert trace.timeline
    first = effort(lambda: fold(trace, GraphLook()))
    for node in range(20_000, 90_000, 10_000):
        assert effort(lambda at=node: fold(trace, NONE, steps_around(trace, NONE, at))) < first / 4


# ----- replays


def test_a_replay_of_other_values_has_the_same_drawing_and_another_cone_has_not(network):
    again = network.replay({0: 2.0 * network.value(0)})
    assert again.skeleton is network
    assert again.replay({0: network.value(0)}).skeleton is network
    assert again.labels is network.labels
    assert draw(again, GraphLook(), 0).layout is draw(network, GraphLook(), 0).layout
    inner = network.loss - 1
    cut = again.replay({inner: network.value(inner)})
    assert cut.skeleton is cut
    assert draw(cut, GraphLook(), 0).trace is cut


def test_thirty_edits_keep_one_trace_alive(network, session_after):
    session, seen = session_after(network, "end"), []
    for k in range(30):
        leaf = network.label(0)
        obey(session, f"edit {leaf} *= {1 + k / 100}")
        scene = session.scene()
        drawing = draw(scene.trace, scene.graph, scene.selected)
        boxes.picture(scene, drawing, Window(0, 0, 80, 20))
        timebar.line(scene, 80)
        seen.append(weakref.ref(scene.trace))
    del scene
    gc.collect()
    assert sum(each() is not None for each in seen) == 1


def test_what_leaves_a_box_is_the_same_however_many_nodes_it_is(monkeypatch):
    x, total = tr.tensor(0.5, name="x"), tr.tensor(0.0, name="zero")
    with tr.scope("a"):
        parts = [tr.sin(x * float(k)) for k in range(9)]
    with tr.scope("b"):
        for part in parts:
            total = total + part
    trace = tr.trace(total)
    look = GraphLook(everything=False)

    def texts():
        figures = Figures(trace)
        for position in range(trace.timeline.last + 1):
            scene = Scene(trace, position, 0, figures, graph=look)
            yield boxes.picture(scene, draw(trace, look, 0), Window(0, 0, 80, 20)).text()

    few = list(texts())
    monkeypatch.setattr(boxes, "MANY_LEAVING", 1)
    many = list(texts())
    done = trace.timeline.last
    assert many[: trace.timeline.forward_steps] == few[: trace.timeline.forward_steps]
    assert many[done] == few[done]
