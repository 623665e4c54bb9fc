"""What add, max and multiply gates do to a gradient, at other inputs than the slide's."""

from __future__ import annotations

import pytest

import tracer as tr
from gallery import GALLERY


@pytest.mark.parametrize(
    ("z", "w", "routed"), [(2.0, -1.0, (2, 0)), (-3.0, -1.0, (0, 2)), (1.0, 1.0, (1, 1))]
)
def test_a_max_gate_routes_to_the_larger_input_and_shares_a_tie(z, w, routed):
    gates = GALLERY["gates"]
    trace = tr.trace(gates.build(**gates.settings(z=z, w=w)))
    assert (trace.gradient("z"), trace.gradient("w")) == routed
    assert trace.gradient("m") == sum(routed)


def test_each_gate_is_of_the_kind_that_the_slide_names():
    trace = tr.trace(GALLERY["gates"].build())
    assert [trace[name].op_name for name in "pms"] == ["mul", "maximum", "add"]


def test_the_gradients_of_the_branches_add():
    """Two flows into x: dL/dp · y and dL/ds · 1; neither alone is the gradient."""
    trace = tr.trace(GALLERY["gates:branch"].build())
    flows = [flow.cotangent for flow in trace.flows_into("x")]
    assert sorted(flows) == [-20, -12]
    assert trace.gradient("x") == sum(flows)
    shown = tr.verify(trace, "dL/dx = dL/dp * y")
    assert not shown.ok, "a derivation that forgets a branch is found wrong"
