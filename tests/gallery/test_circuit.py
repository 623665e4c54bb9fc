"""The lecture's API: gates run forward in topological order, backward in reverse; and its gradient check."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY

CIRCUITS = ("circuit", "sigmoid_neuron", "sigmoid_neuron:one_gate", "gates", "gates:branch")


@pytest.mark.parametrize("name", CIRCUITS)
def test_gates_run_forward_in_topological_order(name):
    """CS188: `for gate in self.graph.nodes_topologically_sorted(): gate.forward()`."""
    trace = tr.trace(GALLERY[name].build())
    for node in range(len(trace)):
        assert all(source < node for source in trace.inputs_of(node))


@pytest.mark.parametrize("name", CIRCUITS)
def test_gates_run_backward_in_reverse(name):
    trace = tr.trace(GALLERY[name].build())
    gates = [node for node in range(len(trace)) if trace.op(node) is not None]
    steps = [trace.timeline.step(position) for position in range(1, trace.timeline.last + 1)]
    forward, backward = steps[: len(gates)], steps[len(gates) :]
    assert [step.node for step in forward] == gates
    assert list(dict.fromkeys(step.node for step in backward)) == gates[::-1]


def test_a_multiply_gate_keeps_its_inputs_which_are_its_local_gradients():
    """CS188: `self.x = x; self.y = y` in forward; `dx = self.y * dz; dy = self.x * dz` in backward."""
    trace = tr.trace(GALLERY["circuit"].build())
    kept = trace.input_values(trace.node_index("f"))
    assert [flow.cotangent for flow in trace.flows_from("f")] == kept[::-1]


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_analytic_gradient_passes_the_numerical_check(name):
    """CS188: analytic is fast, exact and error-prone; numerical slow, approximate and easy: check one by the other."""
    trace = tr.trace(GALLERY[name].build())
    leaves = [node.label for node in trace if node.kind in ("parameter", "input")]
    for leaf in leaves:
        slope = tr.certify(trace, by=leaf)
        assert abs(trace.gradient(leaf) - slope.values) <= slope.bounds + 1e-15
        h = 1e-4
        higher, lower = (trace.replay({leaf: trace.value(leaf) + step}) for step in (h, -h))
        by_hand = (higher.value("f") - lower.value("f")) / (2 * h)
        assert by_hand == pytest.approx(trace.gradient(leaf), rel=1e-6, abs=1e-9)


def test_turning_the_inputs_turns_the_gradients():
    circuit = GALLERY["circuit"]
    trace = tr.trace(circuit.build(**circuit.settings(x=1.0, z="0.5")))
    assert (trace.value("f"), trace.gradient("x"), trace.gradient("z")) == (3.0, 0.5, 6.0)
    assert np.shape(trace.value("f")) == ()
