"""The unrolled style: one pane per step, shared weights once, their flows and the sum of them."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

import tracer as tr
from tests.effort import effort
from tests.tracer.diagrams.audit import findings, report
from tests.tracer.diagrams.loops import (
    LOOPS,
    attention,
    bidirectional,
    gru,
    lstm,
    lstm_cells,
    translation,
    truncated,
    two_back,
)
from tests.tracer.diagrams.networks import edges, rnn, scalar_rnn, texts
from tracer.diagrams import diagram
from tracer.diagrams.frames import part_of
from tracer.diagrams.numerals import numeral
from tracer.diagrams.over_time import contributions, naming, unrolled
from tracer.diagrams.over_time.timesteps import time_axis
from tracer.diagrams.picture import Caption, Card, Gate, Pane, Wire
from tracer.stats import rms


def plain(text: str) -> str:
    return text.replace("−", "-").replace("- ", "-").replace("+ -", "-")


def box(trace: tr.Trace, name: str, **options: object) -> dict[str, str]:
    return texts(diagram(trace, **options).dot)[f"n{trace.node_index(name)}"]  # type: ignore[arg-type]


def test_time_steps_choose_the_unrolled_style_also_for_scalars():
    assert diagram(scalar_rnn()).engine == "neato"
    assert diagram(rnn()).engine == "neato"
    assert diagram(scalar_rnn(1)).engine == "dot"


def test_there_is_a_pane_for_every_step_from_left_to_right():
    panes = [shape for shape in diagram(rnn()).picture.shapes if isinstance(shape, Pane)]
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


def said(trace: tr.Trace, **options: object) -> list[str]:
    """The lines below a figure."""
    caption = diagram(trace, **options).picture.caption  # type: ignore[arg-type]
    return ["".join(run.text for run in line) for line in caption]


def test_tensors_are_shown_by_their_rms_and_the_caption_says_so_once():
    trace = rnn()
    figure = diagram(trace)
    found = texts(figure.dot)
    assert sum("rms" in line for line in said(trace)) == 1
    assert "whose rms is not the sum of theirs" in said(trace)[0]
    assert not any("rms" in line for line in said(scalar_rnn()))
    shown = [shape for shape in figure.picture.shapes if isinstance(shape, Wire)]
    assert not any("rms" in run.text for s in shown for run in (*s.value, *s.gradient))
    assert all("rms" in s.tip for s in shown if trace.names[int(s.key[1:])] == "a")
    for node in trace:
        if node.name == "a":
            words = found[f"n{node.index}"]
            assert words["value"] == numeral(rms(node.value))
            assert words["gradient"] == numeral(rms(node.gradient))


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
    picture = diagram(trace).picture
    weight = trace.node_index("w")
    assert [shape.key for shape in picture.shapes if isinstance(shape, Card)] == [f"n{weight}"]
    flows = reversed(trace.flows_into("w"))
    captions = [shape.text[0].text for shape in picture.shapes if isinstance(shape, Caption)]
    assert [float(plain(text)) for text in captions] == pytest.approx(
        [float(flow.cotangent) for flow in flows], rel=0.06
    )
    lines = [(tail, head) for tail, head, look in edges(diagram(trace).dot) if "dashed" in look]
    roots = [block.root for block in time_axis(part_of(trace)).blocks if block.time < 4]
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


def test_uses_of_a_weight_within_one_step_are_summed_on_one_line():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0")
    for t in range(3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w * h + w)
    trace = tr.trace(h)
    picture = diagram(trace).picture
    captions = [float(plain(s.text[0].text)) for s in picture.shapes if isinstance(s, Caption)]
    assert len(captions) == 3
    assert sum(captions) == pytest.approx(float(trace.gradient("w")), abs=0.01)


def test_at_a_step_only_the_flows_that_have_arrived_are_shown():
    trace = scalar_rnn()
    weight = trace.node_index("w")
    for step in range(trace.timeline.last + 1):
        k, n = trace.timeline.arrived(step, weight)
        picture = diagram(trace, step=step).picture
        assert sum(isinstance(shape, Caption) for shape in picture.shapes) == k
        words = box(trace, "w", step=step)
        assert ("gradient" in words) == (k > 0)
        assert (f"{k}/{n}" in words.get("quiet", "")) == (0 < k < n)
        if k:
            assert words["gradient"].endswith(numeral(trace.timeline.gradient(step, weight)))


def test_two_loops_one_after_the_other_are_not_folded_into_each_other():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(0.3, name="h0")
    for t in range(2):
        with tr.scope("encoder", t=t):
            h = tr.tanh(w * h)
    s = h
    for t in range(2):
        with tr.scope("decoder", t=t):
            s = tr.tanh(s + h)
    panes = [shape for shape in diagram(tr.trace(s)).picture.shapes if isinstance(shape, Pane)]
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


def test_the_style_is_refused_without_time_steps():
    with pytest.raises(tr.errors.DiagramError, match="needs at least two time steps"):
        diagram(tr.trace(tr.tensor(1.0) * 2.0), style="unrolled")


def test_a_scope_over_all_steps_is_unrolled_and_one_step_of_it_is_not():
    trace = rnn()
    assert diagram(trace, scope="rnn").engine == "neato"
    assert f"n{trace.loss}" not in texts(diagram(trace, scope="rnn").dot)
    assert diagram(trace, scope="rnn[t=3]").engine == "dot"


def test_the_surroundings_of_a_node_are_not_unrolled_unless_asked_for():
    trace = rnn()
    assert diagram(trace, around="a#4").style != "unrolled"
    assert diagram(trace, around="a#4", style="unrolled").engine == "neato"


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
    keys = [shape.key for shape in diagram(trace).picture.shapes]
    assert len(set(keys)) == len(keys)
    assert keys.count(f"n{trace.node_index('target')}") == 1


# ----- flows of values that are used more than once


def captions(trace: tr.Trace, prefix: str = "f", **options: object) -> dict[str, str]:
    """Key to words of the texts beside lines."""
    picture = diagram(trace, **options).picture  # type: ignore[arg-type]
    return {
        shape.key: plain("".join(run.text for run in shape.text))
        for shape in picture.shapes
        if isinstance(shape, Caption) and shape.key.startswith(prefix)
    }


def parts_of(trace: tr.Trace, node: int, **options: object) -> list[float]:
    found = captions(trace, f"f{node}x", **options)
    return [float(words) for words in found.values()]


def test_a_state_shows_what_each_use_sends_back_and_the_parts_add_up():
    trace = truncated()
    for label in ("h#1", "h#2", "h#6", "h#7"):
        node = trace.node_index(label)
        parts = parts_of(trace, node)
        assert len(parts) == 2
        assert sum(parts) == pytest.approx(float(trace.gradient(node)), abs=0.011)


def test_parts_appear_as_the_flows_arrive():
    trace = truncated(4, 9)
    node = trace.node_index("h#2")
    for step in range(trace.timeline.last + 1):
        arrived, _ = trace.timeline.arrived(step, node)
        parts = parts_of(trace, node, step=step)
        assert len(parts) == arrived
        if arrived:
            total = float(trace.timeline.gradient(step, node))
            assert sum(parts) == pytest.approx(total, abs=0.011)


def test_a_value_that_is_used_once_has_no_parts():
    assert captions(scalar_rnn()) == {}


def test_parts_of_a_tensor_are_rmss_and_the_figure_says_so():
    trace = rnn(4)
    node = trace.node_index("a#2")
    flows = trace.flows_into(node)
    later = [flow for flow in flows if trace[flow.consumer].scope != trace[node].scope]
    assert len(later) == 1
    found = captions(trace, f"f{node}x")
    assert numeral(rms(later[0].cotangent)) in found.values()
    assert "on a line the contribution of one use" in said(trace)[0]
    assert "on a line" not in "".join(said(scalar_rnn()))


# ----- gates of several operations, and names


def gates(trace: tr.Trace) -> list[str]:
    """What the gates say, each once."""
    found = [s for s in diagram(trace).picture.shapes if isinstance(s, Gate)]
    return list(dict.fromkeys("".join(run.text for run in s.symbol) for s in found))


def test_a_gate_of_several_operations_says_what_it_computes():
    assert "(1 − z) · n + z · ht−1" in gates(gru(3))
    assert "tanh(wn @ x + un @ (r · ht−1))" in gates(gru(3))
    assert gates(scalar_rnn()) == ["tanh", "(h4 − 1)²"]
    w, h = tr.parameter(np.eye(2), name="w"), tr.tensor(np.ones(2), name="h0")
    for t in range(3):
        with tr.scope("rnn", t=t):
            h = tr.tanh(w @ h)
    target = tr.constant(np.zeros(2), name="target")
    assert gates(tr.trace(((h - target) ** 2).sum())) == ["tanh", "Σ (h2 − target)²"]


def test_an_activation_of_a_weighted_sum_keeps_its_sign_and_the_caption_gives_the_formula():
    assert "ft = σ(wf @ xt + uf @ ht−1)" in said(lstm(3))[-1]
    assert said(translation())[-1].split("      ")[1] == "st = tanh(wd @ st−1)"
    trace = lstm(3)
    gate = next(s for s in diagram(trace).picture.shapes if s.key == f"g{trace.node_index('f#2')}")
    assert gate.tip.startswith("σ(wf @ x + uf @ ht−1)\n")  # type: ignore[union-attr]


def test_a_gate_of_very_many_operations_is_marked_as_such():
    assert "+ (…)" in gates(attention(20))


@pytest.mark.slow
def test_the_caption_calls_a_node_what_the_figure_calls_it():
    trace = rnn(4)
    node = trace.node_index("a#3")
    position = trace.timeline.after_forward(node)
    assert said(trace, step=position)[0].endswith("forward: a₃")
    figure = diagram(trace)
    assert figure.called(node) == "a₃"
    assert figure.called(trace.node_index("a0")) == "a₀"
    product = trace.inputs_of(trace.inputs_of(node)[0])[0]
    assert figure.called(product) == "waa @ a₂ + wax @ x₃"
    assert "a#" not in "".join("".join(said(trace, step=k)) for k in range(trace.timeline.last))


@pytest.mark.slow
def test_an_unnamed_chain_of_any_length_has_a_name():
    h = tr.tensor(0.3, name="h0")
    for t in range(2):
        with tr.scope("rnn", t=t):
            for _ in range(3000):
                h = h * 1.0001
    trace = tr.trace(h)
    assert len(diagram(trace).called(1500)) < 60


# ----- long time


def panes(trace: tr.Trace, **options: object) -> list[str]:
    picture = diagram(trace, **options).picture  # type: ignore[arg-type]
    return [shape.label[0].text for shape in picture.shapes if isinstance(shape, Pane)]


def in_order(trace: tr.Trace, **options: object) -> list[str]:
    picture = diagram(trace, **options).picture  # type: ignore[arg-type]
    found = [shape for shape in picture.shapes if isinstance(shape, Pane)]
    return [shape.label[0].text for shape in sorted(found, key=lambda shape: shape.at)]


def test_the_middle_of_a_long_loop_is_one_pane():
    names = ["t = 1", "t = 2", "t = 3", "t = 4 … 47   × 44", "t = 48", "t = 49", "t = 50"]
    assert in_order(rnn(50)) == names
    figure = diagram(rnn(50))
    assert figure.remarks == ("44 time steps are folded into one pane: t = 4 to t = 47",)
    assert len(panes(rnn(12))) == 12


def test_the_reader_decides_how_much_is_folded():
    assert len(panes(rnn(50), most=10**9)) == 50
    assert diagram(rnn(50), most=10**9).remarks == ()
    assert len(panes(rnn(8), most=60)) < 8
    assert len(panes(rnn(50), most=1)) == 3


def test_wide_steps_are_folded_sooner():
    assert in_order(gru(6)) == ["t = 1", "t = 2", "t = 3 … 5   × 3", "t = 6"]
    assert len(panes(gru(3))) == 3


def test_flows_of_folded_steps_are_one_sum_that_says_how_many_it_has():
    trace = scalar_rnn(50)
    weight = trace.node_index("w")
    found = captions(trace, f"t{weight}x")
    inside = [flow.cotangent for flow in trace.flows_into(weight)][::-1][3:47]
    (summed,) = [words for words in found.values() if "Σ" in words]
    count, number = re.fullmatch(r"Σ (\d+) flows\s+(\S+)", summed).groups()  # type: ignore[union-attr]
    assert int(count) == 44
    assert float(number) == pytest.approx(float(sum(inside)), rel=0.06)
    total = sum(float(words.split()[-1]) for words in found.values())
    assert total == pytest.approx(float(trace.gradient(weight)), rel=0.06)


def test_a_sum_of_folded_flows_counts_those_that_have_arrived():
    trace = scalar_rnn(30)
    weight = trace.node_index("w")
    for step in range(trace.timeline.forward_steps, trace.timeline.last + 1, 7):
        arrived, _ = trace.timeline.arrived(step, weight)
        inside = min(max(arrived - 3, 0), 24)
        summed = [w for w in captions(trace, f"t{weight}x", step=step).values() if "Σ" in w]
        said = [] if not inside else [f"Σ {inside}/24 flows" if inside < 24 else "Σ 24 flows"]
        assert [words.split("  ")[0] for words in summed] == said


def test_a_fold_shows_how_the_gradient_shrank_across_it():
    trace = scalar_rnn(50)
    words = captions(trace, "v")
    first, last = (trace.gradient(f"h#{t}") for t in (4, 47))
    assert float(words["v30x0xha"]) == pytest.approx(float(first), rel=0.06)
    assert float(words["v30x0xhz"]) == pytest.approx(float(last), rel=0.06)
    assert words["v30x0xhn"].split() == ["h4", "…", "h47"]
    picture = diagram(trace).picture
    (curve,) = [edge for edge in picture.edges if edge.role == "gradient" and edge.path]
    heights = [y for _, y in curve.path[::3]]  # type: ignore[index]
    assert heights == sorted(heights)
    assert len(heights) == 44


def test_the_curve_of_a_fold_grows_from_the_right_as_the_walk_goes_back():
    trace = scalar_rnn(40)
    lengths = []
    for step in range(trace.timeline.forward_steps, trace.timeline.last + 1, 5):
        edges_then = diagram(trace, step=step).picture.edges
        found = [edge for edge in edges_then if "rms" in edge.tip]
        lengths.append(len(found[0].path[::3]) if found and found[0].path else 0)  # type: ignore[index]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[-1] == 34


def test_a_step_within_a_fold_is_named():
    trace = scalar_rnn(40)
    position = trace.timeline.after_forward(trace.node_index("h#20"))
    assert "now 20" in "".join(panes(trace, step=position))


# ----- other recurrences


def test_an_lstm_of_fifty_steps_shows_two_states_and_the_gates_of_the_first_and_last_steps():
    trace = lstm(50)
    picture = diagram(trace).picture
    assert in_order(trace) == ["t = 1", "t = 2", "t = 3 … 49   × 47", "t = 50"]
    symbols = ["".join(run.text for run in s.symbol) for s in picture.shapes if isinstance(s, Gate)]
    told = [*"σσσ", "tanh", "f · ct−1 + i · g", "o · tanh(c)"]
    assert sorted(symbols) == sorted(told * 3 + ["Σ"])
    assert set(captions(trace, "v")) >= {"v20x0xcn", "v20x0xhn"}


def test_two_states_of_a_cell_have_bands_of_their_own_and_gates_in_between_stay_inside():
    trace = lstm()
    picture = diagram(trace).picture
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    at = {label: place[f"n{trace.node_index(label)}"] for label in ("f#1", "o#1", "c#1", "h#1")}
    assert len({y for _, y in at.values()}) == 4
    assert at["f#1"][0] < at["c#1"][0] < at["h#1"][0]


def test_a_fused_cell_is_one_gate_with_two_named_results():
    trace = lstm_cells(3)
    picture = diagram(trace).picture
    symbols = ["".join(run.text for run in s.symbol) for s in picture.shapes if isinstance(s, Gate)]
    assert symbols == ["LSTM"] * 3 + ["Σ h3 · h3"]
    names = ["".join(r.text for r in s.name) for s in picture.shapes if isinstance(s, Wire)]
    assert {"h1", "c1", "h2", "c2", "h3"} <= set(names)


def test_a_loop_that_runs_backwards_shares_the_panes_and_points_left():
    trace = bidirectional()
    picture = diagram(trace).picture
    assert in_order(trace) == [f"t = {t}" for t in range(1, 5)]
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    for t in range(1, 5):
        ahead, back = trace.node_index(f"f#{t}"), trace.node_index(f"b#{t}")
        assert place[f"g{ahead}"][0] < place[f"n{ahead}"][0]
        assert place[f"n{back}"][0] < place[f"g{back}"][0]
    first = trace.node_index("b0")
    assert place[f"n{first}"][0] > max(x for key, (x, _) in place.items() if key[0] == "g") - 60


def test_a_decoder_goes_on_where_the_encoder_stopped():
    trace = translation()
    names = [f"{loop} {t}" for loop in ("encoder", "decoder") for t in (1, 2, 3)]
    assert in_order(trace) == names
    picture = diagram(trace).picture
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    states = [f"n{trace.node_index(label)}" for label in ("h#1", "h#3", "s#1", "s#3")]
    assert len({place[key][1] for key in states}) == 1


def test_what_is_read_from_afar_comes_over_the_panes_between():
    trace = two_back()
    picture = diagram(trace).picture
    assert said(trace) == ["newt = tanh(w · newt−1 + newt−2)"]
    top = max(s.at[1] + s.size[1] / 2 for s in picture.shapes if isinstance(s, Pane))
    names = [f"new#{t}" for t in range(1, 7)]
    nodes = [trace.node_index(name) for name in names]
    far = {(f"n{a}", f"g{b}") for a, b in zip(nodes, nodes[2:], strict=False)}
    near = {(f"n{a}", f"g{b}") for a, b in pairwise(nodes)}
    lines = {(edge.tail, edge.head): edge.path or () for edge in picture.edges}
    assert far | near <= set(lines)
    assert all(max(y for _, y in lines[pair]) > top for pair in far)
    assert all(max(y for _, y in lines[pair]) < top for pair in near)


def test_values_that_leave_a_fold_together_share_a_line():
    trace = attention(20)
    tails = defaultdict(list)
    for edge in diagram(trace).picture.edges:
        if edge.head.startswith("g"):
            tails[edge.head].append(edge.tail)
    out = [[tail for tail in found if tail.startswith("x")] for found in tails.values()]
    assert sorted(map(len, out))[-3:] == [
        1,
        1,
        1,
    ]  # to the next step of the encoder, to each decoder
    assert not findings(diagram(trace).drawn)


def test_a_detached_state_is_a_line_that_is_cut():
    trace = truncated()
    picture = diagram(trace).picture
    marks = [s for s in picture.shapes if isinstance(s, Caption) and "⊘" in s.text[0].text]
    assert len(marks) == 1
    node, reader = trace.node_index("h#4"), trace.node_index("h#6")
    key = marks[0].key
    assert key.startswith(f"c{node}x")
    cut = [edge for edge in picture.edges if edge.dashed and edge.tail == f"n{node}"]
    assert len(cut) == 1
    assert cut[0].head == f"g{key.split('x')[1]}"
    assert reader > node
    assert not any(s.key.startswith("g") and "detach" in s.tip for s in picture.shapes)


def test_a_fused_loop_without_time_steps_is_not_unrolled():
    rng = np.random.default_rng(0)
    x = tr.tensor(rng.normal(size=(5, 1, 3)))
    w, u = tr.parameter(rng.normal(size=(2, 3))), tr.parameter(rng.normal(size=(2, 2)))
    output, _ = tr.rnn(x, 0.0, [(w, u, tr.parameter(np.zeros(2)), tr.parameter(np.zeros(2)))])
    trace = tr.trace(tr.sum(output))
    assert diagram(trace).style != "unrolled"
    with pytest.raises(tr.errors.DiagramError, match="needs at least two time steps"):
        diagram(trace, style="unrolled")


# ----- how it looks


def test_the_start_of_a_state_stands_left_of_the_first_step_and_losses_are_gathered_below():
    trace = rnn()
    picture = diagram(trace).picture
    found = [shape for shape in picture.shapes if isinstance(shape, Pane)]
    place = {shape.key: shape.at for shape in picture.shapes if isinstance(shape, (Gate, Wire))}
    left = min(pane.at[0] - pane.size[0] / 2 for pane in found)
    bottom = min(pane.at[1] - pane.size[1] / 2 for pane in found)
    assert place[f"n{trace.node_index('a0')}"][0] < left
    last = max(x for key, (x, y) in place.items() if y > bottom)
    assert place[f"g{trace.node_index('loss')}"][0] > last
    assert place[f"g{trace.node_index('loss')}"][1] < bottom


def test_a_wire_is_as_wide_as_those_at_the_same_place_of_other_steps():
    widths = defaultdict(set)
    trace = rnn()
    for shape in diagram(trace).picture.shapes:
        if isinstance(shape, Wire):
            widths[trace.names[int(shape.key[1:])]].add(shape.width)
    assert all(len(found) == 1 for name, found in widths.items() if name != "a0")


@pytest.mark.parametrize("build", [*LOOPS, rnn, scalar_rnn])
@pytest.mark.slow
def test_no_text_is_struck_through_or_leaves_its_place(build):
    trace = build()
    last = trace.timeline.last
    for step in (None, last * 2 // 3):
        found = findings(diagram(trace, step=step).drawn)
        assert not found, report(found)


@pytest.mark.parametrize("build", [truncated, gru, bidirectional, rnn])
def test_shapes_stand_alike_at_every_step(build):
    trace = build()
    last = trace.timeline.last
    whole = {shape.key: shape.at for shape in diagram(trace).picture.shapes}
    lines = [(edge.tail, edge.head) for edge in diagram(trace).picture.edges]
    for step in range(0, last + 1, max(1, last // 7)):
        picture = diagram(trace, step=step).picture
        moved = {
            shape.key
            for shape in picture.shapes
            if shape.at != whole[shape.key] and not isinstance(shape, Caption)
        }
        assert not moved
        assert [(edge.tail, edge.head) for edge in picture.edges] == lines


def lines_to(trace: tr.Trace, label: str) -> list[tuple[tuple[float, float], ...]]:
    """The corners of the lines into the gate of a node."""
    head = f"g{trace.node_index(label)}"
    return [e.path[::3] for e in diagram(trace).picture.edges if e.head == head and e.path]


def test_lines_into_a_gate_from_above_come_down_beside_each_other():
    found = [points for points in lines_to(lstm(), "c#2") if len(points) == 3]
    assert len(found) == 3
    assert all(b == d and c == e for (_, b), (c, d), (e, _) in found)
    ends = sorted(points[-1][0] for points in found)
    assert min(b - a for a, b in pairwise(ends)) > 8
    top_down = sorted(found, key=lambda points: -points[0][1])
    assert [points[-1][0] for points in top_down] == ends[::-1]


def test_weights_enter_a_gate_from_the_side_where_no_output_leaves():
    trace = lstm()
    picture = diagram(trace).picture
    at = {shape.key: shape.at for shape in picture.shapes}
    head = f"g{trace.node_index('i#2')}"
    drops = [e.path for e in picture.edges if e.head == head and e.dashed]
    assert len(drops) == 2
    assert all(path[-1][0] < at[head][0] for path in drops)


# ----- many steps


def test_what_does_not_change_is_worked_out_once_for_all_frames(monkeypatch):
    trace = lstm()
    figure = diagram(trace)
    wanted = [diagram(trace, step=k).picture.shapes for k in (5, 90)]
    for module, name in (
        (unrolled, "sheet_of"),
        (unrolled, "tracks_of"),
        (naming, "time_axis"),
        (naming, "grids_of"),
        (naming, "words_of"),
        (contributions, "_Surroundings"),
    ):
        monkeypatch.setattr(module, name, lambda *_, name=name: pytest.fail(f"{name} again"))
    monkeypatch.setattr(tr.Trace, "flow", lambda *_: pytest.fail("a flow again"))
    last = trace.timeline.last
    assert figure.pinned_at(last).shapes == figure.pinned_at(last).shapes
    monkeypatch.undo()
    assert [figure.pinned_at(k).shapes for k in (5, 90)] == wanted


def test_a_hundred_steps_are_all_drawn_if_one_wants_them():
    figure = diagram(rnn(100), most=10**9)
    assert len(figure.picture.shapes) < 25 * 100
    svg = figure.render("svg").decode("utf-8")
    assert len(re.findall(r">t = \d+<", svg)) == 100
    assert svg.count(">tanh<") == 100


@pytest.mark.slow
def test_the_cost_of_a_figure_grows_with_the_number_of_steps_and_not_faster():
    def cost(trace: tr.Trace) -> int:
        diagram(trace, most=10**9)  # everything that is worked out once
        return effort(lambda: diagram(trace, most=10**9).render("svg"))

    assert cost(rnn(60)) < 4 * 1.5 * cost(rnn(15))


def test_the_style_is_drawn_without_graphviz_if_there_is_much_of_it(monkeypatch):
    monkeypatch.setattr("subprocess.run", lambda *args, **options: pytest.fail("called"))
    assert diagram(rnn(60), most=10**9).render("svg").startswith(b"<svg")


def test_the_stepper_page_speaks_of_nodes_as_the_figure_does_and_says_what_its_numbers_are():
    page = html.unescape(diagram(rnn(3)).render("html").decode("utf-8"))
    assert "Numbers of tensors are root mean squares (rms)" in page
    assert "waa @ a<sub>t−1</sub> + wax @ x<sub>t</sub>" in page
    assert "tanh of waa @ a₁ + wax @ x₂ + ba gives a₂" in page
