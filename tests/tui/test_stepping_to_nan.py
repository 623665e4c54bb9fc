"""`!` leads to the step at which the first NaN or infinity of a run appears."""

from __future__ import annotations

import pytest

import tracer as tr
from tracer.errors import GradstepError
from tui.orders import obey
from tui.session import Session


def test_nan_goes_to_the_step_and_selects_the_node():
    x, w = tr.tensor([0.0, 1.0], name="x"), tr.parameter([1.0, 2.0], name="w")
    z = tr.log(x)
    loss = tr.sum(z * w)
    session = Session(tr.trace(loss))
    obey(session, "end")
    obey(session, "nan")
    assert session.trace.label(session.selected) == "z"
    assert session.debugger.position == session.trace.timeline.after_forward(session.selected)
    assert session.message == "here z has the first NaN or infinity of the run"


def test_of_a_run_without_any_it_says_so(circuit):
    session = Session(circuit)
    with pytest.raises(GradstepError, match="is NaN or infinite"):
        obey(session, "nan")
    assert session.debugger.position == 0
