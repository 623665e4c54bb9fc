"""The two forms of the sigmoid neuron."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY


def test_four_gates_and_one_gate_give_the_same_numbers():
    gates = tr.trace(GALLERY["sigmoid_neuron"].build())
    one = tr.trace(GALLERY["sigmoid_neuron:one_gate"].build())
    assert one.value("f") == pytest.approx(gates.value("f"), rel=1e-15)
    for name in ("w0", "x0", "w1", "x1", "w2", "t"):
        assert one.gradient(name) == pytest.approx(gates.gradient(name), rel=1e-14)


def test_the_product_on_the_slide_is_upstream_times_local():
    """CS188: (1)(-1/1.37²) = -0.53 at the gate 1/x, and (1)(-0.53) = -0.53 at the gate +1."""
    trace = tr.trace(GALLERY["sigmoid_neuron"].build())
    (over,) = trace.flows_into("d")
    (plus,) = trace.flows_into("e")
    assert f"{over.cotangent:.2f}" == f"{plus.cotangent:.2f}" == "-0.53"
    assert plus.cotangent == 1 * over.cotangent


def test_the_local_gradient_of_the_sigmoid_gate_is_one_minus_s_times_s():
    """CS188: (1 - 0.73)(0.73) = 0.20."""
    trace = tr.trace(GALLERY["sigmoid_neuron:one_gate"].build())
    s = trace.value("f")
    (flow,) = trace.flows_into("t")
    assert flow.cotangent == pytest.approx((1 - s) * s)
    assert f"{(1 - 0.73) * 0.73:.2f}" == f"{flow.cotangent:.2f}" == "0.20"


def test_an_add_gate_distributes_and_a_multiply_gate_exchanges():
    trace = tr.trace(GALLERY["circuit"].build())
    sent = {flow.input: flow.cotangent for flow in trace.flows_from("q")}
    assert set(sent.values()) == {trace.gradient("q")}
    exchanged = [flow.cotangent for flow in trace.flows_from("f")]
    assert exchanged == [trace.value("z"), trace.value("q")]
    assert np.shape(exchanged[0]) == ()


def test_primitive_gates_overflow_where_one_sigmoid_gate_stays_exact():
    """exp(1000) is infinite, 1 over it 0, and infinity times 0 comes back as NaN."""
    gates, one = (
        tr.trace(GALLERY[name].build(w2=-1000.0))
        for name in ("sigmoid_neuron", "sigmoid_neuron:one_gate")
    )
    assert np.isposinf(gates.value("e"))
    assert gates.value("f") == one.value("f") == 0
    assert np.isnan(gates.gradient("w2"))
    assert one.gradient("w2") == 0
