"""The unrolled style: one pane per step, shared weights once, their flows and the sum of them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import time

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import edges, rnn, scalar_rnn, texts
from tracer.diagrams import diagram, picture_of
from tracer.diagrams.frames import part_of
from tracer.diagrams.moments import root_mean_square
from tracer.diagrams.numerals import numeral
from tracer.diagrams.picture import Caption, Card, Gate, Pane, Wire
from tracer.diagrams.timesteps import time_axis


def plain(text: str) -> str:
    return text.replace("−", "-").replace("- ", "-").replace("+ -", "-")


def box(trace: tr.Trace, name: str, **options: object) -> dict[str, str]:
    return texts(diagram(trace, **options).dot)[f"n{trace.node_index(name)}"]  # type: ignore[arg-type]


def test_time_steps_choose_the_unrolled_style_also_for_scalars():
    assert diagram(scalar_rnn()).engine == "neato"
    assert diagram(rnn()).engine == "neato"
    assert diagram(scalar_rnn(1)).engine == "dot"


def test_there_is_a_pane_for_every_step_from_left_to_right():
    panes = [shape for shape in picture_of(rnn()).shapes if isinstance(shape, Pane)]
    assert [pane.label[0].text for pane in panes] == [f"t = {t}" for t in range(1, 9)]
    assert sorted(pane.at[0] for pane in panes) == [pane.at[0] for pane in panes]


def test_every_number_is_one_of_the_trace():
    trace = scalar_rnn()
    found = texts(diagram(trace).dot)
    drawn = [node for node in trace if f"n{node.index}" in found and node.name != "w"]
    assert {node.name for node in drawn} == {"h0", "h", "x", "loss"}
    for node in drawn:
        assert found[f"n{node.index}"]["value"] == numeral(node.value)
        assert found[f"n{node.index}"]["gradient"] == numeral(node.gradient)


def test_tensors_are_shown_by_their_root_mean_square_and_called_so():
    trace = rnn()
    found = texts(diagram(trace).dot)
    for node in trace:
        if node.name == "a":
            words = found[f"n{node.index}"]
            assert words["value"] == f"rms {numeral(root_mean_square(node.value))}"
            assert words["gradient"] == f"rms {numeral(root_mean_square(node.gradient))}"


def test_a_cell_is_one_gate_and_names_bear_their_step():
    trace = rnn()
    found = texts(diagram(trace).dot)
    gates = {
        trace[int(key[1:])].label: words["ink"]
        for key, words in found.items()
        if re.match(r"g\d", key)
    }
    assert gates["a#3"] == "tanh"
    assert gates["yhat#3"] == "σ"
    assert gates["ell#3"] == "BCE"
    assert gates["loss"] == "Σ"
    assert len(gates) == 3 * 8 + 1
    assert found[f"n{trace.node_index('a#3')}"]["ink"].strip() == "a3"


def test_a_shared_weight_stands_once_and_each_step_bears_its_flow():
    trace = scalar_rnn()
    picture = picture_of(trace)
    weight = trace.node_index("w")
    assert [shape.key for shape in picture.shapes if isinstance(shape, Card)] == [f"n{weight}"]
    flows = reversed(trace.flows_into("w"))
    captions = [shape.text[0].text for shape in picture.shapes if isinstance(shape, Caption)]
    assert [float(plain(text)) for text in captions] == pytest.approx(
        [float(flow.cotangent) for flow in flows], rel=0.06
    )
    lines = [(tail, head) for tail, head, look in edges(diagram(trace).dot) if "dashed" in look]
    roots = [block.root for block in time_axis(part_of(trace, None)).blocks if block.time < 4]
    assert lines == [(f"n{weight}", f"g{root}") for root in roots]


def test_the_flows_in_a_box_add_up_to_the_gradient():
    trace = scalar_rnn()
    said = plain(box(trace, "w")["gradient"])
    left, *terms_and_total = said.split("=")
    assert left.strip() == "∂loss/∂w"
    terms = [float(term) for term in re.findall(r"-?[\d.]+(?:e-?\d+)?", terms_and_total[0])]
    assert len(terms) == 4
    assert terms_and_total[1].strip() == plain(numeral(trace.gradient("w")))
    assert sum(terms) == pytest.approx(float(trace.gradient("w")), rel=0.02)


def test_many_flows_are_elided_in_the_middle():
    said = box(scalar_rnn(9), "w")["gradient"]
    assert said.count("…") == 1
    assert len(re.findall(r"\d\.\d", said.split(" = ")[1])) == 5


def test_the_box_of_a_tensor_speaks_of_root_mean_squares():
    trace = rnn(4)
    said = box(trace, "waa")["gradient"]
    flows = [
        numeral(root_mean_square(flow.cotangent)) for flow in reversed(trace.flows_into("waa"))
    ]
    total = numeral(root_mean_square(trace.gradient("waa")))
    assert said == f"∂loss/∂waa = sum of 4 flows of rms {', '.join(flows)}:  rms {total}"


def test_uses_of_a_weight_within_one_step_are_summed_on_one_line():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0")
    for t in range(3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h + w)
    trace = tr.trace(h)
    picture = picture_of(trace)
    captions = [float(plain(s.text[0].text)) for s in picture.shapes if isinstance(s, Caption)]
    assert len(captions) == 3
    assert sum(captions) == pytest.approx(float(trace.gradient("w")), abs=0.01)


def test_at_a_step_only_the_flows_that_have_arrived_are_shown():
    trace = scalar_rnn()
    weight = trace.node_index("w")
    for step in range(trace.timeline.last + 1):
        k, n = trace.timeline.arrived(step, weight)
        picture = picture_of(trace, step=step)
        assert sum(isinstance(shape, Caption) for shape in picture.shapes) == k
        words = box(trace, "w", step=step)
        assert ("gradient" in words) == (k > 0)
        assert (f"{k}/{n}" in words.get("quiet", "")) == (0 < k < n)
        if k:
            assert words["gradient"].endswith(numeral(trace.timeline.gradient(step, weight)))


def test_the_start_of_a_state_stands_left_of_the_first_step_and_losses_are_gathered_below():
    trace = rnn()
    picture = picture_of(trace)
    panes = [shape for shape in picture.shapes if isinstance(shape, Pane)]
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    left = min(pane.at[0] - pane.size[0] / 2 for pane in panes)
    right = max(pane.at[0] + pane.size[0] / 2 for pane in panes)
    bottom = min(pane.at[1] - pane.size[1] / 2 for pane in panes)
    assert place[f"n{trace.node_index('a0')}"][0] < left
    assert place[f"n{trace.node_index('a0')}"][1] == place[f"g{trace.node_index('a#1')}"][1]
    assert place[f"g{trace.node_index('loss')}"][0] > right
    assert place[f"g{trace.node_index('loss')}"][1] < bottom


def test_shapes_of_a_pane_do_not_overlap():
    for build in (rnn, scalar_rnn, lstm):
        picture = picture_of(build())
        cells = [s.at for s in picture.shapes if isinstance(s, (Gate, Wire))]
        assert len(set(cells)) == len(cells)


def lstm() -> tr.Trace:
    rng = np.random.default_rng(0)
    weights = {k: tr.parameter(rng.normal(size=(2, 2)), name=f"w_{k}") for k in "fiog"}
    h, c = tr.constant(np.zeros(2), name="h0"), tr.constant(np.zeros(2), name="c0")
    for t in range(3):
        x = tr.tensor(rng.normal(size=2))
        with tr.scope("lstm", t=t):
            f = tr.sigmoid(weights["f"] @ x + h)
            i = tr.sigmoid(weights["i"] @ x + h)
            o = tr.sigmoid(weights["o"] @ x + h)
            g = tr.tanh(weights["g"] @ x + h)
            c = f * c + i * g
            h = o * tr.tanh(c)
    loss = tr.sum(h)
    return tr.trace(loss)


def test_two_states_of_a_cell_have_bands_of_their_own_and_gates_in_between_stay_inside():
    trace = lstm()
    picture = picture_of(trace)
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    at = {label: place[f"n{trace.node_index(label)}"] for label in ("f#1", "o#1", "c#1", "h#1")}
    assert len({y for _, y in at.values()}) == 4
    assert at["f#1"][0] < at["c#1"][0] < at["h#1"][0]


def test_two_loops_one_after_the_other_are_not_folded_into_each_other():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0")
    for t in range(2):
        with tr.scope("encoder", t=t):
            h = tr.tanh(w * h)
    s = h
    for t in range(2):
        with tr.scope("decoder", t=t):
            s = tr.tanh(s + h)
    panes = [shape for shape in picture_of(tr.trace(s)).shapes if isinstance(shape, Pane)]
    assert [p.label[0].text for p in panes] == ["encoder 0", "encoder 1", "decoder 0", "decoder 1"]


def test_a_running_total_and_operations_between_the_steps_are_drawn():
    w, h, total = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0"), 0.0
    for t in range(3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
        h = h * 1.1
        total = total + h**2
    trace = tr.trace(total)
    found = texts(diagram(trace).dot)
    assert f"n{trace.loss}" in found
    assert "n0" in found


def cpu(steps: int) -> float:
    trace = rnn(steps)
    diagram(trace)
    start = time.process_time()
    diagram(trace)
    return time.process_time() - start


def test_a_hundred_steps_cost_in_proportion_and_show_every_step_once():
    picture = picture_of(rnn(100))
    assert sum(isinstance(shape, Pane) for shape in picture.shapes) == 100
    assert len(picture.shapes) < 30 * 100
    assert min(cpu(100) for _ in range(3)) < 40 * min(cpu(10) for _ in range(3))


def test_a_hundred_steps_are_rendered_where_graphviz_is():
    if not (shutil.which("dot") or importlib.util.find_spec("pygraphviz")):
        pytest.skip("no Graphviz here")
    svg = diagram(rnn(100)).render("svg").decode("utf-8")
    assert len(re.findall(r">t = \d+<", svg)) == 100
    assert svg.count(">tanh<") == 100


def test_the_style_is_refused_without_time_steps():
    with pytest.raises(tr.errors.DiagramError, match="needs at least two time steps"):
        diagram(tr.trace(tr.tensor(1.0) * 2.0), style="unrolled")


def test_a_scope_over_all_steps_is_unrolled_and_one_step_of_it_is_not():
    trace = rnn()
    assert diagram(trace, scope="rnn").engine == "neato"
    assert f"n{trace.loss}" not in texts(diagram(trace, scope="rnn").dot)
    assert diagram(trace, scope="rnn[t=3]").engine == "dot"


def test_a_target_that_is_read_twice_after_the_last_step_is_drawn_once():
    w, h, target = (
        tr.parameter(0.5, name="w"),
        tr.tensor(0.3, name="h0"),
        tr.tensor(1.0, name="target"),
    )
    for t in range(2):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h)
    d = h - target
    loss = d * d + target
    trace = tr.trace(loss)
    keys = [shape.key for shape in picture_of(trace).shapes]
    assert len(set(keys)) == len(keys)
    assert keys.count(f"n{trace.node_index('target')}") == 1
