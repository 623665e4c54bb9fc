"""Stepping into a fused operation: its parts as a trace of their own, with the same result and the same flows."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES, Primitive
from tests.ops.cases import Case, cases_of, signed
from tests.ops.test_second_order import leaves
from tracer.debugger import Debugger
from tracer.replay import parts_trace

FUSED = [op for op in PRIMITIVES.values() if op.parts is not None and op.home.startswith("ops.")]


def traced(case: Case) -> tr.Trace:
    xs = leaves(case)
    out = case.op(*xs, **case.params)
    return tr.trace(out, seed=signed(out.shape) if out.ndim else None)


@pytest.mark.parametrize("op", FUSED, ids=lambda op: op.name)
def test_the_parts_open_as_a_trace_with_the_same_value_and_gradients(op: Primitive):
    for case in (case for case in cases_of(op) if case.floats):
        trace = traced(case)
        inside = parts_trace(trace, trace.loss)
        np.testing.assert_allclose(
            inside.value(inside.loss), trace.value(trace.loss), rtol=1e-9, atol=1e-12
        )
        assert op.name not in {node.op_name for node in inside}
        names = trace[trace.loss].argument_names
        for flow in trace.flows_from(trace.loss):
            found = inside.gradient(names[flow.argument])
            if found is not None:
                np.testing.assert_allclose(found, flow.cotangent, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("op", FUSED, ids=lambda op: op.name)
def test_step_into_opens_the_parts_and_finish_closes_them(op: Primitive):
    case = next(case for case in cases_of(op) if case.floats)
    debugger = Debugger(traced(case))
    debugger.run_to(debugger.trace.loss)
    debugger.into()
    assert debugger.depth == 1
    assert debugger.trace.meta["op"] == op.name
    debugger.finish()
    assert debugger.depth == 0


def test_the_inputs_of_the_parts_have_no_line_of_the_debuggers():
    trace = traced(cases_of(PRIMITIVES["softmax"])[0])
    inside = parts_trace(trace, trace.loss)
    assert [node.place for node in inside if node.is_leaf] == [None]
