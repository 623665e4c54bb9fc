"""The backward style: gradients joined by the rules that make one from another, and sums where flows meet."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import (
    batch_norm,
    branching,
    circuit,
    edges,
    highway,
    neuron,
    one_gate,
    residual_block,
    texts,
)
from tracer.diagrams import diagram
from tracer.diagrams.numerals import first_numbers, numeral, whole
from tracer.diagrams.picture import Card
from tracer.errors import DiagramError


def figure(trace: tr.Trace, **options: object) -> dict[str, dict[str, str]]:
    """What the figure shows, by shape and role."""
    return texts(diagram(trace, style="backward", **options).dot)  # type: ignore[arg-type]


def lines(trace: tr.Trace) -> set[tuple[str, str]]:
    """Tail and head of every line."""
    return {(tail, head) for tail, head, _ in edges(diagram(trace, style="backward").dot)}


def factor(words: dict[str, str]) -> str:
    return words.get("ink", "") + words.get("value", "")


def test_the_circuit_of_the_lecture_runs_from_the_seed_to_its_inputs():
    """Abbeel & Dragan, CS188 Deep Learning II: f = (x + y) z."""
    trace = circuit()
    found = figure(trace)
    shown = {
        trace[int(key[1:])].name: words["gradient"]
        for key, words in found.items()
        if key[0] == "n" and key[1:].isdigit()
    }
    assert shown == {"x": "−4", "y": "−4", "z": "3", "q": "−4", "f": "1"}
    assert found[f"n{trace.loss}"]["quiet"] == "seed"
    factors = {
        trace[int(trace.input_of[int(key[1:])])].name: factor(words)
        for key, words in found.items()
        if key[0] == "r"
    }
    assert factors == {"x": "×1", "y": "×1", "z": "× q = 3", "q": "× z = −4"}


@pytest.mark.parametrize(
    "build", [neuron, one_gate, branching, highway, batch_norm, residual_block]
)
def test_every_gradient_that_flows_is_shown_and_no_other(build):
    trace = build()
    found = figure(trace)
    form = numeral if all(np.ndim(node.value) == 0 for node in trace) else first_numbers
    for node in trace:
        assert (f"n{node.index}" in found) == bool(trace.receives[node.index])
        if trace.receives[node.index]:
            assert found[f"n{node.index}"]["gradient"] == form(node.gradient)


def test_a_line_runs_from_each_gradient_to_those_that_are_made_of_it():
    trace = circuit()
    f, q, z = (trace.node_index(name) for name in "fqz")
    found = lines(trace)
    start = int(trace.input_start[f])
    assert {
        (f"n{f}", f"j{f}"),
        (f"j{f}", f"r{start}"),
        (f"r{start}", f"n{q}"),
        (f"r{start + 1}", f"n{z}"),
    } <= found


def test_flows_that_meet_are_summed_with_their_numbers():
    trace = branching()
    found = figure(trace)
    x = trace.node_index("x")
    flows = {key: words["gradient"] for key, words in found.items() if key[0] == "f"}
    assert sorted(flows.values()) == sorted(
        numeral(flow.cotangent) for flow in trace.flows_into("x")
    )
    assert found[f"s{x}"]["ink"] == "+"
    assert {(key, f"s{x}") for key in flows} | {(f"s{x}", f"n{x}")} <= lines(trace)


def test_cards_bear_the_rule_of_their_gradient():
    trace = residual_block()
    found = figure(trace)
    v, second = trace.node_index("v"), trace.node_index("W2")
    assert "∂L/∂W2" in found[f"n{second}"]["parameter"]
    assert "uᵀ @ ∂L/∂v" in found[f"n{second}"]["ink"]
    assert f"n{v}" in {tail for tail, head in lines(trace) if head == f"n{second}"}


def test_several_flows_of_a_tensor_are_a_card_each_and_their_sum():
    trace = residual_block()
    found = figure(trace)
    x = trace.node_index("x")
    cards = {key for key in found if key[0] == "f"}
    assert len(cards) == 2
    assert {(key, f"n{x}") for key in cards} <= lines(trace)
    assert "sum of 2 flows" in found[f"n{x}"]["quiet"]


def test_what_has_not_run_shows_no_number():
    for trace in (highway(), batch_norm()):
        for step in range(0, trace.timeline.last + 1, 5):
            found = figure(trace, step=step)
            for node in trace:
                if trace.receives[node.index]:
                    state = trace.timeline.status(step, node.index).state
                    known = state in ("partial", "final")
                    assert ("gradient" in found[f"n{node.index}"]) == known
            for edge in trace.timeline.flow_edges.tolist():
                words = found.get(f"f{edge}")
                if words is not None:
                    come = (
                        edge
                        in trace.timeline.flow_edges[: max(0, step - trace.timeline.forward_steps)]
                    )
                    assert ("gradient" in words) == come


def test_a_factor_shows_its_number_once_its_operation_has_run():
    trace = circuit()
    f = trace.node_index("f")
    key = f"r{int(trace.input_start[f])}"
    assert figure(trace, step=0)[key]["value"].strip(" \xa0=") == ""
    assert figure(trace, step=trace.timeline.after_forward(f))[key]["value"] == " = −4"


def test_the_frames_of_a_walk_have_the_same_shapes_and_lines():
    for trace in (branching(), residual_block()):
        pictures = [
            diagram(trace, style="backward", step=step).picture
            for step in range(trace.timeline.last + 1)
        ]
        assert len({tuple(shape.key for shape in p.every_shape()) for p in pictures}) == 1
        assert len({tuple((edge.tail, edge.head) for edge in p.edges) for p in pictures}) == 1


def test_a_scope_says_how_many_flows_come_from_elsewhere():
    x = tr.tensor(0.5, name="x")
    with tr.scope("inner"):
        a = tr.tanh(x)
    trace = tr.trace(a * x)
    found = figure(trace, scope="inner")
    assert found[f"e{trace.node_index('x')}"]["quiet"] == "1 from elsewhere"
    assert found[f"n{trace.node_index('x')}"]["gradient"] == numeral(trace.gradient("x"))


def test_a_long_factor_is_a_number_and_out_is_explained():
    trace = branching()
    figured = diagram(trace, style="backward")
    assert "out · (1 − out)" in "".join(words.get("ink", "") for words in figure(trace).values())
    assert "out: what the operation gave" in figured.dot
    assert "out: what" not in diagram(one_gate(), style="backward").dot


def test_sixty_doublings_are_sixty_sums():
    y = tr.tensor(1.0)
    for _ in range(60):
        y = y + y
    found = figure(tr.trace(y))
    assert sum(key[0] == "s" for key in found) == 60


def test_a_leaf_that_is_the_loss_is_the_seed_alone():
    found = figure(tr.trace(tr.tensor(2.0, name="x")))
    assert found["n0"]["gradient"] == whole(1.0)
    assert found["n0"]["quiet"] == "seed"


def test_a_trace_without_gradients_has_no_backward_pass(monkeypatch):
    trace = circuit()
    monkeypatch.setitem(trace.__dict__, "receives", np.zeros(len(trace), bool))
    for style in ("backward", "paths"):
        with pytest.raises(
            DiagramError, match=r"no gradient flows in this trace.*\n  try: style=.circuit."
        ):
            diagram(trace, style=style)


def test_values_without_a_name_are_called_as_their_cards_are():
    found = drawn_text(residual_block())
    assert "@" not in found.replace(" @ ", "")


def test_a_backward_pass_that_nobody_could_read_is_refused_with_a_cure():
    h = tr.parameter([1.0, 2.0], name="h")
    for _ in range(250):
        h = tr.tanh(h)
    with pytest.raises(DiagramError, match=r"252 could not be read\n  try: "):
        diagram(tr.trace(tr.sum(h)), style="backward")


def drawn_text(trace: tr.Trace) -> str:
    """All words of the backward pass."""
    shapes = diagram(trace, style="backward").picture.every_shape()
    cards = [shape for shape in shapes if isinstance(shape, Card)]
    return " ".join(run.text for card in cards for text in (card.title, *card.rows) for run in text)
