"""The rolled style: one pane for all time steps, a directed cycle for each state, parameters once."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.audit import findings, report
from tests.tracer.diagrams.loops import (
    LOOPS,
    attention,
    bidirectional,
    gru,
    lstm,
    lstm_cells,
    nothing_carried,
    stacked,
    translation,
    truncated,
    two_back,
)
from tests.tracer.diagrams.networks import rnn, scalar_rnn
from tests.tracer.diagrams.test_drawing import needs_graphviz
from tests.tracer.diagrams.test_unrolled import plain
from tracer.diagrams import Diagram, diagram
from tracer.diagrams.numerals import numeral
from tracer.diagrams.picture import Caption, Card, Gate, Pane, Picture, Shape, Text, Wire
from tracer.stats import rms


def rolled(trace: tr.Trace, **options: object) -> Diagram:
    return diagram(trace, style="rolled", **options)  # type: ignore[arg-type]


def of(picture: Picture) -> dict[str, Shape]:
    return {shape.key: shape for shape in picture.shapes}


def bare(text: Text) -> str:
    return plain("".join(run.text for run in text))


def wires(picture: Picture) -> dict[str, Wire]:
    """The values that are shown, by name with its index."""
    return {bare(shape.name): shape for shape in picture.shapes if isinstance(shape, Wire)}


def leads_to(picture: Picture) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for edge in picture.edges:
        found[edge.tail].add(edge.head)
    return found


def reached(picture: Picture, start: str) -> set[str]:
    """All shapes that lines lead to from a shape, itself only along a cycle."""
    onward, seen, waiting = leads_to(picture), set[str](), [start]
    while waiting:
        for key in onward[waiting.pop()] - seen:
            seen.add(key)
            waiting.append(key)
    return seen


def cycles(trace: tr.Trace) -> dict[str, str]:
    """What each delay says, by the name of the value that comes back through it; the value must lead to itself."""
    picture = rolled(trace).picture
    shapes, onward = of(picture), leads_to(picture)
    found = {}
    for key, shape in shapes.items():
        if key[0] == "z" and isinstance(shape, Gate):
            (back,) = onward[key]
            wire = shapes[back]
            assert isinstance(wire, Wire)
            assert back in reached(picture, back), f"{back} is on no cycle"
            found[bare(wire.name)] = bare(shape.symbol)
    return found


# ----- cycles


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (rnn, {"at-1": "delay 1"}),
        (scalar_rnn, {"ht-1": "delay 1"}),
        (lstm, {"ht-1": "delay 1", "ct-1": "delay 1"}),
        (gru, {"ht-1": "delay 1"}),
        (stacked, {"ht-1": "delay 1", "st-1": "delay 1"}),
        (two_back, {"newt-1": "delay 1", "newt-2": "delay 2"}),
        (bidirectional, {"ft-1": "delay 1", "bt+1": "delay 1"}),
        (translation, {"ht-1": "delay 1", "st-1": "delay 1"}),
        (nothing_carried, {}),
    ],
)
def test_each_state_comes_back_along_a_cycle_through_a_delay(build, expected):
    assert cycles(build()) == expected


def test_a_value_without_a_later_reader_is_on_no_cycle():
    trace = rnn()
    picture = rolled(trace).picture
    for name in ("yhat#7", "ell#7", "loss"):
        key = f"n{trace.node_index(name)}"
        assert key not in reached(picture, key)


def test_the_start_and_the_loss_stand_outside_the_pane():
    trace = rnn()
    picture = rolled(trace).picture
    (pane,) = [shape for shape in picture.shapes if isinstance(shape, Pane)]
    left, right = (pane.at[0] + side * pane.size[0] / 2 for side in (-1, 1))
    shown = wires(picture)
    assert all(shown[name].at[0] + shown[name].width / 2 < left for name in ("a0", "at-1"))  # type: ignore[index]
    assert shown["loss"].at[0] > right  # type: ignore[index]
    inside = {name for name, wire in shown.items() if left < wire.at[0] < right}  # type: ignore[index]
    assert inside == {"at", "xt", "yt", "yhatt", "ellt"}


def test_a_start_is_marked_with_its_step_and_what_leaves_with_the_steps_it_is_read_at():
    said = {bare(s.text) for s in rolled(rnn()).picture.shapes if isinstance(s, Caption)}
    assert {"t = 1", "all t"} <= said
    said = {bare(s.text) for s in rolled(scalar_rnn()).picture.shapes if isinstance(s, Caption)}
    assert {"t = 1", "t = 4"} <= said


def test_each_loop_has_a_pane_of_its_own():
    def labels(build):
        picture = rolled(build()).picture
        return [bare(s.label) for s in picture.shapes if isinstance(s, Pane)]

    assert labels(translation) == ["encoder 2 of 1 … 3", "decoder 2 of 1 … 3"]
    assert labels(rnn) == ["t = 7 of 1 … 8"]


# ----- parameters


@pytest.mark.parametrize("build", [rnn, lstm, gru, translation, attention])
def test_each_parameter_stands_once_with_the_sum_of_its_flows(build):
    trace = build()
    shapes = of(rolled(trace).picture)
    cards = {key: bare(s.title) for key, s in shapes.items() if isinstance(s, Card)}
    parameters = [node for node in trace if node.kind == "parameter"]
    assert set(cards) == {f"n{node.index}" for node in parameters}
    for node in parameters:
        words = cards[f"n{node.index}"]
        count = len(trace.flows_into(node.index))
        assert words.endswith(f"{count} flows")
        total = rms(node.gradient) if np.size(node.gradient) > 1 else node.gradient
        assert f"Σ {plain(numeral(total))}" in words


def test_at_a_step_the_sum_counts_the_flows_that_have_arrived():
    trace = rnn()
    weight = trace.node_index("waa")
    for step in range(0, trace.timeline.last + 1, 9):
        k, n = trace.timeline.arrived(step, weight)
        words = bare(of(rolled(trace, step=step).picture)[f"n{weight}"].title)  # type: ignore[union-attr]
        assert (f"{k}/{n}" in words) == (0 < k < n)
        assert ("Σ" in words) == (k > 0)


# ----- the numbers of one step


def test_the_pane_shows_the_step_of_the_walk():
    trace = rnn()
    for t in (1, 4, 8):
        node = trace.node_index(f"a#{t}")
        for step in (trace.timeline.after_forward(node), _sending(trace, node)):
            picture = rolled(trace, step=step).picture
            shown = wires(picture)
            assert shown["at"].nodes == (node,)
            before = trace.node_index(f"a#{t - 1}" if t > 1 else "a0")
            assert shown["at-1"].nodes == (before,)
            assert bare(shown["at-1"].value) == plain(numeral(rms(trace.value(before))))
            (pane,) = [s for s in picture.shapes if isinstance(s, Pane)]
            assert bare(pane.label) == f"t = {t} of 1 … 8"


def _sending(trace: tr.Trace, node: int) -> int:
    """The first position at which a node sends a flow."""
    timeline = trace.timeline
    return next(
        k
        for k in range(timeline.last + 1)
        if timeline.step(k).phase == "backward" and timeline.step(k).node == node
    )


def test_the_gradient_runs_back_along_the_cycle():
    trace = scalar_rnn()
    hot = [
        step
        for step in range(trace.timeline.last + 1)
        if any(
            edge.heavy and edge.head == "back0" for edge in rolled(trace, step=step).picture.edges
        )
    ]
    assert len(hot) == 4
    assert all(trace.timeline.step(step).phase == "backward" for step in hot)


def test_what_both_uses_of_a_state_send_back_adds_up_to_its_gradient():
    trace = truncated()
    picture = rolled(trace).picture
    wire = wires(picture)["ht"]
    node = wire.nodes[0]
    parts = _parts(trace, node)
    assert len(parts) == 2
    assert sum(parts) == pytest.approx(float(trace.gradient(node)), abs=0.011)


def _parts(trace: tr.Trace, node: int, **options: object) -> list[float]:
    return [
        float(bare(shape.text))
        for shape in rolled(trace, **options).picture.shapes
        if isinstance(shape, Caption) and shape.key.startswith(f"f{node}x")
    ]


def test_of_what_all_steps_send_to_the_loss_only_that_of_the_shown_step_stands_at_its_line():
    w, h, states = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0"), []
    for t in range(1, 6):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h + 0.5)
        states.append(h)
    loss = sum((k * state for k, state in enumerate(states[1:], start=2)), states[0])
    trace = tr.trace(loss)
    node = wires(rolled(trace).picture)["ht"].nodes[0]
    parts = _parts(trace, node)
    assert len(parts) == 2
    assert 4.0 in parts
    assert sum(parts) == pytest.approx(float(trace.gradient(node)), abs=0.011)


def test_a_value_with_a_single_line_has_no_parts_beside_it():
    trace = gru()
    picture = rolled(trace).picture
    assert trace.timeline.arrived(trace.timeline.last, wires(picture)["zt"].nodes[0])[1] == 2
    assert _parts(trace, wires(picture)["zt"].nodes[0]) == []


def test_the_pane_turns_to_a_step_with_its_first_operation_and_back_with_the_last():
    trace = rnn(3)
    timeline = trace.timeline
    for step in range(1, timeline.last + 1):
        node = trace[timeline.step(step).node]
        if node.scope:
            (pane,) = [s for s in rolled(trace, step=step).picture.shapes if isinstance(s, Pane)]
            assert bare(pane.label) == f"t = {node.scope[0].index} of 1 … 3"


def test_one_start_of_two_states_stands_at_both_cycles():
    w, z = tr.parameter(0.5, name="w"), tr.tensor(0.1, name="z0")
    h = c = z
    for t in range(3):
        with tr.scope("rnn", t=t):
            c = tr.tanh(w * c)
            h = tr.sin(c + h)
    picture = rolled(tr.trace(h), step=2).picture
    names = [bare(s.name) for s in picture.shapes if isinstance(s, Wire)]
    assert names.count("z0") == 2
    assert {"ct-1", "ht-1"} <= set(names)


@pytest.mark.parametrize("build", [rnn, lstm, lstm_cells, translation])
def test_nothing_moves_from_step_to_step(build):
    trace = build(6) if build is lstm_cells else build()
    places: dict[str, set[object]] = defaultdict(set)
    last = trace.timeline.last
    for step in range(0, last + 1, 1 + last // 30):
        picture = rolled(trace, step=step).picture
        for shape in picture.shapes:
            name = bare(shape.name) if isinstance(shape, Wire) else shape.key
            if not isinstance(shape, (Caption, Gate)) and name[:1] not in "dto":
                places[name or shape.key].add(shape.at)
    assert all(len(found) == 1 for found in places.values()), places


# ----- steps that differ


def test_what_only_the_last_step_has_stands_behind_the_loop_and_the_figure_says_so():
    w, v, h = tr.parameter(0.5, name="w"), tr.parameter(2.0, name="v"), tr.tensor(0.3, name="h0")
    for t in range(1, 4):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
            if t == 3:
                yhat = tr.sigmoid(v * h)
    figure = rolled(tr.trace(yhat))
    assert figure.remarks == ("only t = 3 has yhat, drawn behind the loop",)
    shown = wires(figure.picture)
    (pane,) = [shape for shape in figure.picture.shapes if isinstance(shape, Pane)]
    assert shown["yhat"].at[0] > pane.at[0] + pane.size[0] / 2  # type: ignore[index]
    assert "v" in shown
    assert "yhat = σ(v · ht)  at t = 3" in "".join(map(bare, figure.picture.caption))


def test_what_the_first_step_does_otherwise_is_said():
    w, u = tr.parameter(0.5, name="w"), tr.parameter(0.3, name="u")
    for t in range(4):
        x = tr.tensor(0.2 * t, name="x")
        with tr.scope("rnn", t=t):
            if t == 0:
                e = tr.exp(x)
                h = tr.tanh(e * u)
            else:
                h = tr.tanh(w * h + u * x)
    trace = tr.trace(h)
    assert rolled(trace).remarks == ("only t = 0 has e, not drawn",)
    assert cycles(trace) == {"ht-1": "delay 1"}


def test_a_value_that_many_later_steps_read_has_two_cycles_and_the_rest_is_said():
    w, states = tr.parameter(0.5, name="w"), [tr.tensor(0.3, name="h0")]
    for t in range(1, 7):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * sum(states[1:], states[0]))
        states.append(h)
    trace = tr.trace(h)
    assert cycles(trace) == {"ht-1": "delay 1", "ht-2": "delay 2"}
    assert rolled(trace).remarks == ("h is also read after 3 steps or more: not drawn",)


@pytest.mark.parametrize(
    ("loss", "fitting"),
    [
        (lambda: tr.tensor(1.0) * 2.0, "circuit"),
        (lambda: tr.sum(tr.tensor(np.ones(3)) * 2.0), "cards"),
    ],
)
def test_without_time_steps_the_style_is_refused_and_one_that_suits_is_named(loss, fitting):
    with pytest.raises(tr.errors.DiagramError, match="at least two time steps") as caught:
        rolled(tr.trace(loss()))
    assert f"style='{fitting}'" in str(caught.value)


# ----- formats


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("build", LOOPS)
def test_a_rolled_figure_can_be_read(build):
    trace = build()
    last = trace.timeline.last
    for step in (None, last // 4, last // 2, 3 * last // 4, last):
        found = findings(rolled(trace, step=step).drawn)
        assert not found, f"{step}:\n{report(found)}"


@needs_graphviz
@pytest.mark.slow
@pytest.mark.parametrize("format", ["svg", "png", "pdf", "tex", "html", "dot"])
def test_every_format_has_a_rolled_figure(format):
    content = rolled(scalar_rnn()).render(format)
    assert len(content) > 1000
    if format in ("svg", "html", "dot", "tex"):
        assert "delay 1" in (content if isinstance(content, str) else content.decode("utf-8"))


# ----- lines of the outcome and of rows, in the unrolled style


def test_parameters_after_the_steps_stand_side_by_side():
    w, v, b, h = (tr.parameter(k / 2, name=name) for k, name in enumerate("wvbh", start=1))
    for t in range(2):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
    yhat = tr.sigmoid(v * h + b)
    shapes = wires(diagram(tr.trace(yhat)).picture)
    (x, y), (u, z) = shapes["v"].at, shapes["b"].at  # type: ignore[misc]
    assert y == z
    assert abs(x - u) >= (shapes["v"].width + shapes["b"].width) / 2


def test_a_parameter_of_one_step_has_no_index_in_a_formula():
    w, v, h = tr.parameter(0.5, name="w"), tr.parameter(2.0, name="v"), tr.tensor(0.3, name="h0")
    for t in range(1, 4):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
            if t == 3:
                yhat = tr.sigmoid(v * h)
    lines = "".join(bare(line) for line in diagram(tr.trace(yhat)).picture.caption)
    assert "yhatt = σ(v · ht)" in lines


def test_an_input_of_two_gates_of_one_row_runs_below_the_first():
    u, h = tr.parameter(0.5, name="u"), tr.tensor(0.1, name="h0")
    for t in range(1, 4):
        x = tr.tensor(0.3 * t, name="x")
        with tr.scope("rnn", t=t):
            q = tr.relu(u * x)
            p = tr.tanh(q * x)
            h = tr.tanh(p * h)
    trace = tr.trace(h)
    picture = diagram(trace).picture
    shapes = of(picture)
    x, p, q = (trace.node_index(f"{name}#2") for name in "xpq")
    (line,) = [e for e in picture.edges if (e.tail, e.head) == (f"n{x}", f"g{p}")]
    assert line.path is not None
    middle = shapes[f"n{q}"].at
    assert middle is not None
    for (a, b), (c, d) in pairwise(line.path[::3]):
        if min(a, c) <= middle[0] <= max(a, c):
            assert max(b, d) < middle[1] - 23
