"""What is said of a node: formula, numbers, flows that add up, the state of its gradient, its place in the source."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len

import tracer as tr
from tracer import elements
from tracer.cells.figures import LARGE, Figures, Kept, bars
from tracer.cells.meanings import Kind
from tracer.errors import ReplayError
from tui.ink import text_of
from tui.orders import obey
from tui.views import node, sources
from tui.views.scene import Scene


def scene_of(trace, position, selected=None, **more):
    scene = Scene(trace, position, 0, Figures(trace), **more)
    chosen = max(0, scene.current) if selected is None else trace.node_index(selected)
    return replace(scene, selected=chosen)


def node_text(trace, position, selected=None, width=48, height=1000, **more):
    scene = scene_of(trace, position, selected, **more)
    rows = [text_of(line) for line in node.lines(scene, width, height)]
    assert max(map(cell_len, rows)) <= width
    return "\n".join(rows)


def row_of(text, words):
    """The one line of a text that holds some words."""
    (found,) = [row for row in text.splitlines() if words in row]
    return found


# ----- the formula


def test_the_node_pane_puts_the_numbers_into_the_formula(circuit):
    text = node_text(circuit, 4)
    assert "f = q · z" in text
    assert "= 3 · (−4) = −12" in text


def test_an_elementwise_node_is_calculated_at_the_element_under_the_cursor(batch_norm):
    x, mu = batch_norm.value("x"), batch_norm.value("mu")
    text = node_text(batch_norm, 30, "xmu", element=(5, 2))
    row = row_of(text, "xmu[5,2] =")
    numbers = [
        float(word.strip("()").replace("−", "-"))
        for word in row.split()
        if word.strip("()")[-1:].isdigit()
    ]
    assert numbers == pytest.approx([x[5, 2], mu[2], x[5, 2] - mu[2]], abs=1e-3)


def test_a_wide_pane_puts_the_numbers_beside_the_formula(batch_norm):
    wide = node_text(batch_norm, 30, "std", width=116, element=(1,)).splitlines()
    assert wide[0].startswith("std = √(add@")
    assert wide[0].count(" = ") == 3
    assert wide[1].startswith("std[1] = √(")
    assert "rms" in wide[2]
    assert "█" in wide[2]


def test_a_local_derivative_has_the_numbers_of_the_element():
    x = tr.tensor([[0.3, -0.7]], name="x")
    y = tr.tanh(x)
    trace = tr.trace(tr.sum(y))
    text = node_text(trace, trace.timeline.last, "y", element=(0, 1))
    assert "out ∂/∂x = 1 − y · y" in text
    t = np.tanh(-0.7)
    assert f"[0,1] = 1 − (−0.6044 · (−0.6044)) = {1 - t * t:.4f}" in text


@pytest.mark.parametrize("op", ["tanh", "sigmoid", "relu", "exp", "sqrt", "softplus", "gelu"])
def test_the_number_of_a_local_derivative_is_what_the_array_rule_gives(op):
    x = tr.tensor(np.array([[0.3, 1.7], [0.9, 2.0]]), name="x")
    trace = tr.trace(tr.sum(getattr(tr, op)(x)))
    gradient = trace.gradient("x")
    for at in np.ndindex(2, 2):
        text, number = elements.derivative(trace[1], 0, at)
        assert number == gradient[at]
        assert text


def test_elements_of_a_broadcast_operand_are_found():
    x, b = tr.tensor(np.ones((4, 3)), name="x"), tr.tensor([1.0, 2.0, 3.0], name="b")
    trace = tr.trace(tr.sum(x * b))
    assert elements.calculation(trace[2], (3, 2)) == "1 · 3"
    assert elements.derivative(trace[2], 0, (3, 2)) == ("3", 3.0)


# ----- flows


def test_the_node_pane_shows_upstream_times_local_for_each_flow(circuit):
    text = node_text(circuit, 4)
    assert "out ∂/∂q = z = −4" in text
    assert "→ q += ∂L/∂f · z = 1 · (−4)" in text
    assert "= −4" in text.split("→ q +=")[1].splitlines()[0]
    assert "= 3" in text.split("→ z +=")[1].splitlines()[0]


def test_of_many_inputs_the_first_are_listed():
    parts = [tr.tensor(float(n), name=f"p{n}") for n in range(12)]
    trace = tr.trace(tr.sum(tr.stack(parts)))
    text = node_text(trace, trace.timeline.last, "stack@12")
    assert "∂/∂p7" in text
    assert "∂/∂p8" not in text
    assert "out … 4 more inputs" in text


def test_a_flow_is_shown_only_once_it_has_run(circuit):
    assert "→ q +=" in node_text(circuit, 3)
    assert "→ z +=" not in node_text(circuit, 3)
    assert "→" not in node_text(circuit, 2)


def test_flows_add_up_before_the_eyes_and_the_newest_is_marked(square):
    seen = []
    for position in range(3, square.timeline.last + 1):
        rows = [row for row in node_text(square, position, "x").splitlines() if "Σ " in row]
        seen.append([row.split("Σ ")[1] for row in rows if "flows" not in row])
    assert seen == [[], ["1"], ["1", "4"], ["1", "4", "7"]]
    partial = node_text(square, 5, "x")
    assert "▶ y[x]  ∂L/∂y · x = 1 · 3" in partial
    assert "○ y[y]  ∂L/∂y · x" in partial
    assert "● loss" in partial
    assert "◐ partial 2/3: 1 to come" in partial
    assert row_of(partial, "Σ 2 of 3 flows").endswith("= 4")
    assert row_of(node_text(square, 6, "x"), "Σ 3 of 3 flows").endswith("= 7")


def test_for_a_tensor_the_flows_add_up_at_the_element_under_the_cursor(batch_norm):
    last = batch_norm.timeline.last
    text = node_text(batch_norm, last, "xmu", element=(2, 1))
    flows = [flow.cotangent[2, 1] for flow in batch_norm.flows_into("xmu")]
    rows = [row for row in text.splitlines() if row.strip().startswith("[2,1]") and "Σ" in row]
    assert len(rows) == len(flows) == 2
    sums = [float(row.split("Σ ")[1].replace("−", "-")) for row in rows]
    assert sums == pytest.approx(np.cumsum(flows).tolist(), rel=2e-3)
    first = rows[0].replace("(", "").replace(")", "").replace("−", "-").split()
    assert first[2] == "/"
    assert float(first[1]) / float(first[3]) == pytest.approx(flows[0], rel=2e-3)


def test_a_flow_over_a_broadcast_axis_says_how_many_terms_it_sums(batch_norm):
    text = node_text(batch_norm, batch_norm.timeline.last, "gamma")
    assert "[0] Σ of 8 terms" in text


def test_a_weight_used_a_thousand_times_lists_a_few_flows_and_goes_on_adding():
    a, w = tr.tensor(1.0, name="a"), tr.parameter(1.0, name="w")
    for _ in range(1000):
        a = a * w
    trace = tr.trace(a)
    text = node_text(trace, trace.timeline.forward_steps + 1000, "w")
    assert len(text.splitlines()) < 20
    assert "494 earlier ones" in text
    assert "Σ 500 of 1000 flows" in text
    running = [row.split("Σ ")[1] for row in text.splitlines() if "Σ 49" in row]
    assert running == [str(n) for n in range(495, 500)]


def test_the_flows_into_a_shared_weight_name_their_time_steps():
    w, h = tr.parameter(0.5, name="w"), tr.tensor(1.0, name="h0")
    for t in range(3):
        with tr.scope("rnn", t=t):
            h = h * w
    trace = tr.trace(h)
    text = node_text(trace, trace.timeline.last, "w")
    steps = [row.split(" t=")[1][0] for row in text.splitlines() if " t=" in row]
    assert steps == ["2", "1", "0"]
    assert "t=" not in node_text(trace, trace.timeline.last, trace.loss).split("out")[0]


def test_partial_sums_are_those_of_the_timeline(long_chain):
    figures = Figures(long_chain)
    w, timeline = long_chain.node_index("w"), long_chain.timeline
    for position in [*range(150_001, 150_020), 150_010, 120_000, timeline.last]:
        assert figures.total(position, w) == timeline.gradient(position, w)


# ----- numbers and states


def test_the_node_pane_says_which_kernels_ran_where_it_was_not_numpy_alone():
    with tr.kernels("numba"):
        trace = tr.trace(tr.sum(tr.relu(tr.tensor([[1.0, -2.0]])) * 2.0), seed=1.0)
    shown = node_text(trace, trace.timeline.last, "relu@1")
    assert "kernels   numba" in shown
    plain = tr.trace(tr.sum(tr.relu(tr.tensor([[1.0, -2.0]]))))
    assert "kernels" not in node_text(plain, plain.timeline.last, "relu@1")


def test_states_are_told_in_words_with_their_reason():
    x, c, i = tr.tensor(2.0, name="x"), tr.constant(3.0, name="c"), tr.tensor(4, name="i")
    unused = tr.tensor(1.0, name="unused")
    d = tr.tensor(5.0, name="d")
    with tr.record() as recorded:
        side = unused * 2.0
        loss = tr.detach(d) * x * c + i * x
    trace = tr.trace(loss, recorded=recorded)
    last = trace.timeline.last
    assert side is not None
    assert "· not run yet" in node_text(trace, 0, trace.loss)
    assert "○ not reached: 2 flows are to come" in node_text(trace, 0, "x")
    assert "⊘ blocked (constant)" in node_text(trace, last, "c")
    assert "⊘ blocked (integer)" in node_text(trace, last, "i")
    assert "no gradient through detach" in node_text(trace, last, "d")
    assert "∅ disconnected: no way to the loss" in node_text(trace, last, "unused")
    assert "● final: the seed" in node_text(trace, last, trace.loss)


def test_an_exactly_zero_gradient_is_marked():
    x = tr.tensor([-1.0, -2.0], name="x")
    trace = tr.trace(tr.sum(tr.relu(x)))
    assert "● final, exactly zero" in node_text(trace, trace.timeline.last, "x")


def test_numbers_that_are_none_are_counted_however_narrow_the_pane(nan):
    for width in (28, 48, 100):
        text = node_text(nan, nan.timeline.last, "y", width, 10)
        assert "nan 1" in text
        assert "inf 1" in text


def test_a_histogram_shows_every_count():
    assert bars(np.array([0.0] * 100 + [1.0]), 4) == "█  ▁"
    assert bars(np.array([2.0, 2.0]), 4) == "█   "
    assert bars(np.array([np.nan]), 4) == "    "
    assert len(bars(np.array([-1e308, 1e308]), 8)) == 8
    assert bars(np.array([1.0, np.nextafter(1.0, 2.0)]), 4) == "█  █"
    assert bars(np.array([0.0, 5e-324]), 4) == "█  █"


# ----- the source


def test_the_exact_columns_of_the_source_are_marked(batch_norm):
    lines = node_text(batch_norm, 5, "xhat").splitlines()
    at = next(
        n for n, line in enumerate(lines) if "xhat = xmu / std" in line and "conftest.py:" in line
    )
    start, end = lines[at + 1].index("▔"), lines[at + 1].rindex("▔") + 1
    assert lines[at][start:end] == "xmu / std"


def test_an_expression_over_several_lines_shows_them():
    x = tr.tensor(2.0, name="x")
    # fmt: off
    y = tr.maximum(
        x * 3.0,
        1.0,
    )
    z = tr.minimum(y,
                   8.0)
    # fmt: on
    trace = tr.trace(z)
    scene = scene_of(trace, 3, "y")
    lines = sources.source_lines(scene, 60)
    marked = ["".join(p.text for p in line if p.ink.kind == Kind.UNDERLINE) for line in lines]
    assert marked == ["tr.maximum(", "x * 3.0,", "1.0,", ""]
    assert text_of(lines[-1]).strip() == "… 1 more lines"
    lines = sources.source_lines(scene_of(trace, 3, "z"), 60)
    marked = ["".join(p.text for p in line if p.ink.kind == Kind.UNDERLINE) for line in lines]
    assert marked == ["tr.minimum(y,", "8.0)"]


def test_a_wide_and_high_pane_shows_the_source_around_the_expression(batch_norm):
    rows = node_text(batch_norm, 5, "xhat", 116, 30).splitlines()
    (at,) = [n for n, row in enumerate(rows) if row.startswith("▸")]
    assert rows[at].endswith("xhat = xmu / std")
    assert rows[at - 1].endswith("std = tr.sqrt(var + 1e-5)")
    assert rows[at + 1].endswith("y = gamma * xhat + beta")
    number = int(rows[at].split()[1])
    assert f"conftest.py:{number}" in "\n".join(rows)
    assert len(rows) <= 30


# ----- the room there is


@pytest.mark.parametrize(("width", "height"), [(28, 10), (46, 14), (116, 30)])
def test_every_pane_fits_and_the_first_lines_are_the_formula(
    batch_norm, square, nan, width, height
):
    for trace in (batch_norm, square, nan):
        for position in range(0, trace.timeline.last + 1, 3):
            for each in range(len(trace)):
                text = node_text(trace, position, each, width, height)
                assert text.startswith(trace.label(each))


def test_a_low_pane_is_denser_before_it_scrolls(batch_norm):
    last = batch_norm.timeline.last
    rows = node_text(batch_norm, last, "xhat", 46, 14).splitlines()
    assert len(rows) <= 14
    assert len(node_text(batch_norm, last, "xhat", 46).splitlines()) > 14
    assert row_of("\n".join(rows), "grad ").endswith("● final")


def test_the_title_gives_way_to_what_matters(batch_norm):
    scene = scene_of(batch_norm, 5, "gamma")
    assert node.title(scene) == "node 1 · gamma · parameter · f64[3]"
    assert node.title(scene, 20) == "node gamma · f64[3]"


# ----- what takes long


def test_rules_on_large_arrays_are_left_to_another_thread(session_after):
    side = 600
    x = tr.tensor(np.ones((side, side)), name="x")
    y = x @ x
    trace = tr.trace(tr.sum(y))
    session = session_after(trace)
    asked = []
    session.later = asked.append
    obey(session, "end")
    rows = [text_of(line) for line in node.lines(session.scene(), 60)]
    assert any("rms …" in row for row in rows)
    edge = trace.timeline.arrivals(trace.node_index("x"))[0]
    assert session.scene().figures.kept.get(("flow", edge)) is None
    while asked:
        asked.pop(0)()
        rows = [text_of(line) for line in node.lines(session.scene(), 60)]
    assert not any("rms …" in row for row in rows)
    flow = trace.flows_into("x")[0].cotangent
    assert any(f"rms {flow[0, 0]:.0f}" in row for row in rows)


def test_a_matrix_product_counts_by_its_multiplications():
    x, w = tr.tensor(np.ones((400, 400)), name="x"), tr.tensor(np.ones((400, 400)), name="w")
    trace = tr.trace(tr.sum(x @ w + x))
    figures = Figures(trace)
    assert figures.work(trace.node_index("matmul@2")) > LARGE
    assert figures.work(trace.node_index("add@3")) == 400 * 400


def test_kept_arrays_stay_within_their_budget():
    kept = Kept(100_000)
    for number in range(50):
        kept.put(number, np.zeros(1000))
    held = [number for number in range(50) if kept.get(number) is not None]
    assert held == list(range(50 - len(held), 50))
    assert 4 < len(held) <= 12


def test_a_rule_that_cannot_run_leaves_a_question_mark(square, monkeypatch):
    def refuse(self, edge):
        raise ReplayError("it cannot run")

    monkeypatch.setattr(type(square), "seen_flow", refuse)
    text = node_text(square, square.timeline.last, "x")
    assert "? " in text or "…" in text


def test_a_line_of_source_that_is_cut_at_the_left_says_so():
    x = tr.tensor([1.0, 2.0])
    a_rather_long_name_of_a_loss = tr.sum(tr.exp(x) * x)
    trace = tr.trace(a_rather_long_name_of_a_loss)
    narrow = node_text(trace, trace.timeline.last, 1, width=44)
    assert re.search(r"\.py:\d+ …\S.*tr\.exp\(x\)", narrow)
