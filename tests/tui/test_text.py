"""The trace as text and as JSON: what a reader sees at a position."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY
from tracer.timeline import GLYPHS
from tui.document import document, plain
from tui.text import fit, flow_sum, show, width


@pytest.fixture(scope="module")
def circuit():
    return tr.trace(GALLERY["circuit"].build())


@pytest.fixture(scope="module")
def rnn():
    return tr.trace(GALLERY["rnn"].build())


def row(text, label):
    """The cells of the row of a node."""
    line = next(one for one in text.splitlines() if re.match(rf"\s*\d+  {re.escape(label)}\s", one))
    return re.split(r"\s{2,}", line.strip())


def gradient(text, label):
    """The cell of the gradient of a node: the last that starts with the glyph of a state."""
    return [cell for cell in row(text, label) if cell[0] in GLYPHS.values()][-1]


def test_the_heading_says_what_it_is_how_large_and_how_far(circuit):
    first, second = show(circuit, "circuit").splitlines()[:2]
    assert first == "circuit · loss f = −12"
    assert second == "5 nodes (2 operations, 3 inputs) · f64 · all 6 steps made"


def test_a_row_holds_number_label_operation_formula_shape_value_gradient_and_source(circuit):
    cells = row(show(circuit, "circuit"), "q")
    assert cells[:7] == ["3", "q", "add", "x + y", "()", "3", "● −4"]
    assert re.fullmatch(r"circuit\.py:\d+", cells[7])
    assert cells[8] == "q = x + y"


@pytest.mark.parametrize(
    ("position", "value", "gradient"),
    [
        (0, "·", "· not run yet"),
        (1, "3", "○ not reached"),
        (2, "3", "○ not reached"),
        (3, "3", "● −4"),
    ],
)
def test_a_position_shows_only_what_it_has_reached(circuit, position, value, gradient):
    text = show(circuit, "circuit", position=position)
    assert row(text, "q")[5:7] == [value, gradient]
    assert ("loss f = −12" in text) is (position >= 2)


def test_the_loss_shows_its_seed_as_soon_as_the_forward_pass_is_complete(circuit):
    assert row(show(circuit, "circuit", position=2), "f")[6] == "● 1"


def test_the_heading_names_the_step_in_words(circuit):
    lines = [show(circuit, "c", position=p).splitlines()[1] for p in (0, 1, 3)]
    assert lines[0].endswith("step 0 of 6: nothing has run")
    assert lines[1].endswith("step 1 of 6: forward, q has run")
    assert lines[2].endswith("step 3 of 6: backward, flow 1 of 2 from f")


def test_a_partial_gradient_shows_its_sum_so_far_and_k_of_n():
    x = tr.tensor(3.0)
    trace = tr.trace(x * x)
    assert gradient(show(trace, "square", position=2), "x") == "◐ 3 (1 of 2)"
    assert gradient(show(trace, "square", position=3), "x") == "● 6"


def test_a_gradient_that_is_not_there_is_a_word_and_never_a_zero():
    x = tr.tensor([1.0, 2.0])
    unused = tr.tensor(3.0)
    with tr.record() as recorded:
        aside = unused * 2.0
        target = tr.constant([0.0, 1.0])
        loss = tr.sum(tr.square(x - target)) + tr.sum(tr.detach(x))
    trace = tr.trace(loss, recorded=recorded)
    text = show(trace, "states")
    assert gradient(text, "target") == "⊘ constant"
    assert gradient(text, "aside") == "∅ disconnected"
    assert aside.value == 6.0
    assert "∅ disconnected" in text.splitlines()[-1]


def test_an_exact_zero_is_marked_on_its_gradient():
    x = tr.tensor([1.0, -2.0])
    gate = tr.tensor([0.0, 0.0])
    text = show(tr.trace(tr.sum(x * gate)), "zero")
    assert gradient(text, "x") == "● 0 0 exactly zero"
    assert "exactly zero" not in gradient(text, "gate")


def test_rows_stand_under_their_scope(rnn):
    lines = show(rnn, "rnn").splitlines()
    at = lines.index("─── rnn[t=3]")
    assert lines[at - 2] == "─── rnn[t=3].and"
    assert "x#3" in lines[at - 1]
    assert lines.index("─── rnn[t=2]") < at < lines.index("─── rnn[t=4]")
    assert "─── " not in lines[lines.index("─── rnn[t=8]") + 11]


def test_a_shared_weight_shows_the_flow_of_every_time_step_and_their_sum(rnn):
    block = next(b for b in show(rnn, "rnn").split("\n\n") if b.startswith("gradient of by:"))
    lines = block.splitlines()
    assert lines[0] == "gradient of by: a sum of 8 flows"
    steps = [re.search(r"\+ (\S+)\s+from .* rnn\[t=(\d)\]", line).groups() for line in lines[1:9]]
    assert [int(t) for _, t in steps] == [8, 7, 6, 5, 4, 3, 2, 1]
    total = sum(float(number.replace("−", "-")) for number, _ in steps)
    assert float(lines[9].removeprefix(" = ").replace("−", "-")) == pytest.approx(total, abs=1e-3)


def test_many_flows_are_folded_and_counted():
    w = tr.parameter(1.0)
    total = w * 1.0
    for _ in range(99):
        total = total + w * 1.0
    trace = tr.trace(total)
    text = flow_sum(trace, trace.node_index("w"), trace.timeline.last)
    assert "a sum of 100 flows" in text
    assert "… 88 flows between are folded" in text
    assert len(text.splitlines()) == 15


def test_a_long_trace_is_folded_in_the_middle_unless_all_is_asked_for():
    x = tr.tensor(1.0)
    y = x
    for _ in range(300):
        y = y + 1.0
    trace = tr.trace(y)
    folded, whole = show(trace, "chain"), show(trace, "chain", every=True)
    assert "… 221 nodes between are folded; --all shows them" in folded
    assert len(folded.splitlines()) < 100
    assert len([one for one in whole.splitlines() if "add" in one]) == 300


@pytest.mark.slow
def test_a_chain_of_100_000_nodes_and_60_doublings_is_shown():
    y = tr.tensor(1e-9)
    for _ in range(100_000):
        y = y + 1e-9
    for _ in range(60):
        y = y + y
    text = show(tr.trace(y), "chain")
    assert text.splitlines()[1].startswith("100,061 nodes")
    assert "● 1.153e18" in text


def test_lines_can_be_cut_to_the_terminal(circuit):
    assert max(map(width, show(circuit, "circuit", columns=60).splitlines())) <= 60


def test_width_counts_cells_not_characters():
    assert width("x̂") == 1
    assert width("層") == 2
    assert fit("x̂y", 2) == "x̂y"


def test_empty_arrays_nan_and_inf_are_shown():
    with np.errstate(all="ignore"):
        x = tr.tensor(np.array([np.nan, np.inf]))
        nothing = tr.tensor(np.empty((0, 2)))
        trace = tr.trace(tr.sum(x * 2.0) + tr.sum(nothing))
    text = show(trace, "odd")
    assert row(text, "x")[4] == "nan inf"
    assert row(text, "nothing")[3:5] == ["0×2", "empty"]
    assert row(text, "nothing")[5] == "● empty"


# ----- JSON


def test_the_document_is_json_and_holds_what_the_table_shows(circuit):
    whole = json.loads(json.dumps(document(circuit, "circuit"), allow_nan=False))
    assert (whole["format"], whole["version"], whole["loss"], whole["last"]) == (
        "gradstep-show",
        1,
        4,
        6,
    )
    q = whole["nodes"][3]
    assert (q["label"], q["op"], q["formula"], q["inputs"]) == ("q", "add", "x + y", [0, 1])
    assert (q["value"], q["gradient"], q["state"]) == (3.0, -4.0, "final")
    assert q["flows"] == [{"consumer": 4, "argument": 0, "cotangent": -4.0}]
    assert q["place"]["text"] == "q = x + y"


def test_the_document_at_a_position_leaves_out_what_is_not_reached(circuit):
    nodes = document(circuit, "circuit", position=0)["nodes"]
    assert nodes[3]["value"] is None
    assert nodes[3]["state"] == "not run yet"
    assert nodes[0]["value"] == -2.0
    assert nodes[0]["gradient"] is None
    assert nodes[0]["flows"] == []


def test_scopes_and_python_numbers_are_in_the_document():
    rnn = document(tr.trace(GALLERY["rnn:third"].build()), "rnn:third")
    assert rnn["nodes"][-1]["scope"] == [{"name": "rnn", "key": "t", "index": 3}]
    minus = next(
        node
        for node in document(tr.trace(GALLERY["sigmoid_neuron"].build()), "n")["nodes"]
        if node["label"] == "minus"
    )
    assert minus["inputs"][1] == {"literal": -1}


def test_numbers_that_json_does_not_know_are_named():
    x = tr.tensor(np.array([np.nan, -np.inf, 1.0]))
    trace = tr.trace(tr.sum(x * 2.0))
    whole = json.loads(json.dumps(document(trace, "odd"), allow_nan=False))
    assert whole["nodes"][0]["value"] == ["nan", "-inf", 1.0]
    assert plain({"a": np.float32("inf"), 1: (np.int64(2), True)}) == {"a": "inf", "1": [2, True]}


def test_a_large_array_is_given_by_its_summary():
    trace = tr.trace(tr.sum(tr.tensor(np.ones((40, 40)))))
    node = document(trace, "large")["nodes"][0]
    assert node["value"]["summary"]["count"] == 1600
    assert node["value"]["summary"]["mean"] == 1.0
    json.dumps(node, allow_nan=False)


def test_the_sum_of_empty_flows_is_called_empty_not_zero():
    x = tr.tensor(np.zeros(0), name="x")
    text = show(tr.trace(tr.sum(x + x)), "empty")
    assert " = empty" in text
    assert "rms 0" not in text
    assert "exactly zero" not in text
