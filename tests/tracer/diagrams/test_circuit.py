"""The circuit style: the numbers of the lecture on the wires, at the end and in the middle of a walk."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.tracer.diagrams.networks import branching, circuit, edges, neuron, texts
from tracer.diagrams import diagram
from tracer.diagrams.numerals import numeral, whole


def shown(trace: tr.Trace, name: str, **options: object) -> tuple[str, str]:
    """The value and the gradient that a figure shows of a node, with true minus signs made plain ones."""
    found = texts(diagram(trace, **options).dot)[f"n{trace.node_index(name)}"]  # type: ignore[arg-type]
    return tuple(found.get(role, "").replace("−", "-") for role in ("value", "gradient"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [("x", "-2", "-4"), ("y", "5", "-4"), ("z", "-4", "3"), ("q", "3", "-4"), ("f", "-12", "1")],
)
def test_the_circuit_shows_the_numbers_of_the_lecture(name, value, gradient):
    """Abbeel & Dragan, CS188 Deep Learning II: f = (x + y) z."""
    assert shown(circuit(), name) == (value, gradient)


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        ("w0", "2.00", "-0.20"),
        ("x0", "-1.00", "0.39"),
        ("w1", "-3.00", "-0.39"),
        ("x1", "-2.00", "-0.59"),
        ("w2", "-3.00", "0.20"),
        ("s", "4.00", "0.20"),
        ("t", "1.00", "0.20"),
        ("n", "-1.00", "-0.20"),
        ("e", "0.37", "-0.53"),
        ("d", "1.37", "-0.53"),
        ("f", "0.73", "1.00"),
    ],
)
def test_the_sigmoid_neuron_shows_the_numbers_of_the_lecture(name, value, gradient):
    """Abbeel & Dragan, CS188 Deep Learning II: the neuron in primitive gates."""
    assert shown(neuron(), name) == (value, gradient)


@pytest.mark.parametrize("build", [circuit, neuron, branching])
def test_every_number_of_a_figure_is_one_of_the_trace(build):
    trace = build()
    form = whole if build is circuit else numeral
    found = texts(diagram(trace).dot)
    for node in trace:
        assert found[f"n{node.index}"]["value"] == form(node.value)
        assert found[f"n{node.index}"]["gradient"] == form(node.gradient)


def test_gates_bear_symbols_with_the_python_numbers_folded_in():
    trace = neuron()
    found = texts(diagram(trace).dot)
    gates = {node.name: found[f"g{node.index}"]["ink"] for node in trace if not node.is_leaf}
    assert [gates[name] for name in "tnedf"] == ["+", "×−1", "exp", "+1", "1/x"]


@pytest.mark.parametrize(
    ("build", "symbol"),
    [
        (lambda x: x - 3, "−3"),
        (lambda x: 3 - x, "3 − x"),
        (lambda x: x / 2, "÷2"),
        (lambda x: 2 / x, "2/x"),
        (lambda x: x**2, "x²"),
        (lambda x: x**-1, "1/x"),
        (lambda x: x**0.5, "√"),
        (lambda x: 2**x, "2ˣ"),
        (lambda x: -x, "×−1"),
        (lambda x: x + -4, "−4"),
        (lambda x: tr.maximum(x, 0.5), "max 0.50"),
        (tr.sigmoid, "σ"),
        (tr.tanh, "tanh"),
        (lambda x: tr.binary_cross_entropy(x, 1.0), "BCE(·, 1)"),
    ],
)
def test_an_operation_with_a_number_is_one_gate(build, symbol):
    trace = tr.trace(build(tr.tensor(0.5, name="x")))
    assert texts(diagram(trace).dot)["g1"]["ink"] == symbol


def test_a_value_with_several_uses_parts_at_a_dot_and_each_branch_bears_its_flow():
    trace = branching()
    found = texts(diagram(trace).dot)
    flows = sorted(f"+{numeral(flow.cotangent)}" for flow in trace.flows_into("x"))
    branches = [found[key]["gradient"] for key in found if key.startswith("b")]
    assert sorted(branches) == flows
    assert len(branches) == 3
    assert ("n0", "j0") in {(tail, head) for tail, head, _ in edges(diagram(trace).dot)}


def test_sixty_doublings_draw_a_gate_with_two_branches_each():
    y = tr.tensor(1.0)
    for _ in range(60):
        y = y + y
    found = texts(diagram(tr.trace(y)).dot)
    assert sum(key.startswith("g") and key != "gradstep" for key in found) == 60
    assert sum(key.startswith("b") for key in found) == 120


def test_a_scope_with_one_value_in_and_one_out_tells_its_local_gradient():
    assert "local gradient 0.20" in diagram(neuron()).dot
    assert "local gradient" not in diagram(neuron(), step=9).dot
    assert "local gradient" not in diagram(circuit()).dot


def test_local_derivatives_stand_on_the_lines_into_a_gate():
    """Abbeel & Dragan, CS188 Deep Learning II: f = (x + y) z; the local gradients of the product are z and q."""
    trace = circuit()
    found = texts(diagram(trace, local=True).dot)
    factors = {
        trace[int(trace.input_of[int(key[1:])])].name: words["quiet"]
        for key, words in found.items()
        if key[0] == "l"
    }
    assert factors == {"x": "×1", "y": "×1", "q": "×−4", "z": "×3"}
    assert "l0" not in texts(diagram(trace).dot)


def test_a_local_derivative_times_the_gradient_of_the_result_is_the_flow():
    trace = neuron()
    found = texts(diagram(trace, local=True).dot)
    for node in trace:
        for flow in () if node.is_leaf else trace.flows_from(node.index):
            edge = int(trace.input_start[node.index]) + flow.argument
            slope = float(found[f"l{edge}"]["quiet"].replace("×", "").replace("−", "-"))
            assert slope * float(node.gradient) == pytest.approx(float(flow.cotangent), abs=0.006)


def test_a_local_derivative_is_known_once_its_gate_has_run():
    trace = circuit()
    q, f = trace.node_index("q"), trace.node_index("f")
    found = texts(diagram(trace, local=True, step=trace.timeline.after_forward(q)).dot)
    into = {node: range(*trace.input_start[node : node + 2].tolist()) for node in (q, f)}
    assert all("×1" in found[f"l{edge}"].get("quiet", "") for edge in into[q])
    assert not any("×" in found.get(f"l{edge}", {}).get("quiet", "") for edge in into[f])


def test_a_single_leaf_is_a_wire_with_its_value_and_the_seed():
    x = tr.tensor(3.0, name="x")
    trace = tr.trace(x)
    assert shown(trace, "x") == ("3", "1")
    assert edges(diagram(trace).dot) == []
    assert diagram(trace, local=True).dot == diagram(trace).dot


def test_an_operation_with_many_inputs_has_an_arrow_for_each():
    parts = [tr.tensor(float(k), name=f"x{k}") for k in range(12)]
    y = parts[0] * 1.0
    for x in parts[1:]:
        y = y + x
    trace = tr.trace(y)
    heads = [head for _, head, _ in edges(diagram(trace).dot) if head.startswith("g")]
    assert len(heads) == sum(
        len([i for i in trace.inputs_of(node.index) if i >= 0]) for node in trace
    )


# ----- in the middle of a walk


def test_a_node_that_has_not_run_shows_no_value_and_one_not_reached_no_gradient():
    trace = neuron()
    for step in range(trace.timeline.last + 1):
        found = texts(diagram(trace, step=step).dot)
        for node in trace:
            state = trace.timeline.status(step, node.index).state
            words = found[f"n{node.index}"]
            assert ("value" in words) == trace.timeline.has_run(step, node.index)
            assert ("gradient" in words) == (state in ("partial", "final"))
            assert ("·" in words.get("quiet", "")) == (state == "not run yet")
            assert ("○" in words.get("quiet", "")) == (state == "not reached")


def test_a_partial_gradient_says_how_many_flows_have_arrived():
    trace = branching()
    step = trace.timeline.forward_steps + 2
    words = texts(diagram(trace, step=step).dot)["n0"]
    assert words["gradient"] == "1.00"
    assert words["quiet"].strip() == "◐ 1/3"


def test_a_frame_marks_the_gate_of_its_step_and_says_what_was_done():
    trace = neuron()
    step = trace.timeline.after_backward(trace.node_index("t"))
    dot = diagram(trace, step=step).dot
    assert dot.count('fillcolor="#FEF3C7"') == 1
    assert f"step {step} of {trace.timeline.last}" in dot
    assert "backward: t → w2 (2 of 2)" in dot
    assert 'fillcolor="#FEF3C7"' not in diagram(trace).dot


def test_blocked_and_disconnected_are_said_in_words():
    x = tr.tensor(2.0, name="x")
    with tr.record():
        a = x * x
        b = a.detach()
        c = b * x
        unused = x * 7.0
        trace = tr.trace(c)
    assert unused.value == 14.0
    found = texts(diagram(trace).dot)
    assert found[f"n{trace.node_index('a')}"]["quiet"] == "⊘ blocked"
    assert found[f"n{trace.node_index('unused')}"]["quiet"] == "∅ disconnected"
    assert [
        words["quiet"] for key, words in found.items() if key[0] == "b" and "quiet" in words
    ] == ["no flow"] * 3


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (np.nan, "nan"),
        (np.inf, "inf"),
        (-np.inf, "−inf"),
        (0.0, "0"),
        (-0.0, "−0"),
        (1e300, "1.0e300"),
        (-2.5e-300, "−2.5e−300"),
        (0.000999, "0.0010"),
        (0.0123, "0.012"),
        (0.999, "1.00"),
        (-12.345, "−12.35"),
        (99_999.4, "99999"),
        (123_456.0, "1.2e5"),
    ],
)
def test_extreme_numbers_are_shown_as_what_they_are(number, text):
    trace = tr.trace(tr.tensor(number, name="x") + tr.tensor(0.5, name="half"))
    assert texts(diagram(trace).dot)["n0"]["value"] == text


def test_a_number_that_is_not_zero_is_never_shown_as_zero():
    for exponent in range(-323, 300):
        for mantissa in (1.0, 4.96, 9.96):
            text = numeral(mantissa * 10.0**exponent)
            assert float(text.replace("−", "-")) == pytest.approx(
                mantissa * 10.0**exponent, rel=0.06
            )
