"""LSTM and GRU against PyTorch's layers with the same weights, in small steps and fused, and what their gates keep.

`cells_golden.json` was made by `cells_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tracer as tr
from gallery import GALLERY

GOLDEN = json.loads(Path(__file__).with_name("cells_golden.json").read_text())
CLOSE = {"rtol": 1e-11, "atol": 1e-15}
GATES = {
    "lstm": (["Wi", "Wf", "Wg", "Wo"], ["bi", "bf", "bg", "bo"]),
    "gru": (["Wr", "Wz"], ["br", "bz", "bn"]),
}


@pytest.fixture(params=["lstm", "gru"])
def kind(request):
    return request.param


def gradients(trace, kind):
    """The gradients of the small steps, laid out as PyTorch's: gates below each other, state and input apart."""
    matrices, biases = GATES[kind]
    rows = np.concatenate([trace.gradient(name) for name in matrices])
    state, given = rows[:, :2], rows[:, 2:]
    if kind == "gru":
        state = np.concatenate([state, trace.gradient("wna")])
        given = np.concatenate([given, trace.gradient("wnx")])
    return {"w_hh": state, "w_ih": given, "b": np.concatenate([*map(trace.gradient, biases)])}


def test_small_steps_and_the_fused_layer_give_pytorchs_numbers(kind):
    golden = GOLDEN[kind]
    steps, fused = (tr.trace(GALLERY[name].build()) for name in (kind, f"{kind}:fused"))
    np.testing.assert_allclose([steps.value(f"a#{t}") for t in (1, 2, 3)], golden["a"], **CLOSE)
    for trace in (steps, fused):
        assert trace.value("loss") == pytest.approx(golden["loss"], rel=1e-12)
        np.testing.assert_allclose(trace.gradient("a0"), golden["a0"], **CLOSE)
    for name, small in gradients(steps, kind).items():
        np.testing.assert_allclose(small, golden[name], **CLOSE)
        np.testing.assert_allclose(fused.gradient(name), golden[name], **CLOSE)


def test_the_cell_of_the_lstm_is_pytorchs():
    trace = tr.trace(GALLERY["lstm"].build())
    np.testing.assert_allclose(trace.value("c#3"), GOLDEN["lstm"]["c"], **CLOSE)
    np.testing.assert_allclose(trace.gradient("c0"), GOLDEN["lstm"]["c0"], **CLOSE)


def test_the_two_forms_agree_for_other_settings(kind):
    bias = "forget" if kind == "lstm" else "update"
    turned = {bias: -0.5, "length": 7}
    steps, fused = (tr.trace(GALLERY[name].build(**turned)) for name in (kind, f"{kind}:fused"))
    assert steps.value("loss") == pytest.approx(fused.value("loss"), rel=1e-12)
    for name, small in gradients(steps, kind).items():
        np.testing.assert_allclose(small, fused.gradient(name), **CLOSE)


@pytest.mark.parametrize("form", ["", ":fused"])
def test_the_derivation_holds_for_other_settings(kind, form):
    entry = GALLERY[kind + form]
    bias = "forget" if kind == "lstm" else "update"
    trace = tr.trace(entry.build(**{bias: 3.0, "length": 5}))
    report = tr.verify(trace, entry.derivation)
    assert report.ok, report


def test_an_open_gate_carries_the_gradient_back_and_the_plain_network_loses_it(kind):
    entry = GALLERY[kind]
    (plot,) = entry.plots(**entry.settings())
    lost = {curve.label: curve.y[-1] / curve.y[0] for curve in plot.marks}
    bias = "forget" if kind == "lstm" else "update"
    assert lost["no gates"] > 1e4
    assert lost[f"{bias} bias 5"] < 2
    assert lost[f"{bias} bias 0"] > lost[f"{bias} bias 1"] > lost[f"{bias} bias 2"]


def test_the_cell_hands_its_gradient_on_times_the_forget_gate():
    """dL/dc<t> is what c<t+1> sends through f<t+1>, and what a<t> sends through the output gate."""
    trace = tr.trace(GALLERY["lstm"].build())
    for t in (1, 2):
        flows = {
            trace[flow.consumer].op.name: flow.cotangent for flow in trace.flows_into(f"c#{t}")
        }
        carried = trace.gradient(f"c#{t + 1}") * trace.value(f"f#{t + 1}")
        assert len(flows) == 2
        np.testing.assert_allclose(flows["mul"], carried, rtol=1e-12)
