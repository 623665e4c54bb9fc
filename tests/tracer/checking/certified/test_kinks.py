"""The kinks that a trace names: all that certified numbers find, and none where they find a derivative."""

from __future__ import annotations

import pytest

import tracer as tr
from ops.primitive import NUMBERS
from tests.ops.cases import marked, operation, signed
from tests.walking import walk
from tracer.checking.certified.certificate import INFINITE, JUMP, KINK, SMOOTH
from tracer.checking.certified.certify import certify_elements
from tracer.checking.certified.kinks import kinks_near
from tracer.checking.certified.margins import MARGINS
from tracer.checking.numerical import loss_by

CASES = marked(lambda case: bool(case.floats))


def ordinary(param) -> bool:
    """Cases of operations with kinks, and the first of every other; the rest is slow together."""
    name, _, number = param.id.rpartition("-")
    return name in MARGINS or number == "0"


@walk(
    "case",
    [p if ordinary(p) else pytest.param(*p.values, id=p.id, marks=pytest.mark.slow) for p in CASES],
    by=operation,
)
def test_wherever_certified_numbers_find_a_kink_its_node_and_element_are_named(case):
    args = [
        x if type(x) in NUMBERS else tr.tensor(x, name=f"x{k}", requires_grad=k in case.floats)
        for k, x in enumerate(case.args)
    ]
    out = case.op(*args, **case.params)
    trace = tr.trace(out, seed=signed(out.shape))
    leaves = {name: node for node, name in trace.given_names.items()}
    for k in case.floats:
        node = leaves[f"x{k}"]
        for element, slope in enumerate(certify_elements(loss_by(trace, node), case.args[k])):
            named = kinks_near(trace, node, element)
            if slope.status in (KINK, JUMP, INFINITE):
                assert named, (k, element, slope)
                assert named[0].node == trace.loss
            elif slope.status == SMOOTH:
                assert not named or named[0].kind == "infinite slope", (k, element, slope, named)


def test_kinks_of_a_network_are_named_by_node_and_index_the_nearest_first():
    w = tr.tensor([[1.0, -1.0], [1.0, 2.0]], name="w")
    h = tr.relu(tr.constant([[1.0, 1.0]]) @ w - [2.0, 1.0 - 1e-9])
    trace = tr.trace(h.sum())
    first, second = kinks_near(trace, trace.node_index("w"))
    assert str(first) == "h at [0, 0] = 0"
    assert (second.label, second.index, second.kind) == ("h", (0, 1), KINK)
    assert second.distance == pytest.approx(1e-9, rel=1e-6)
    assert "from its kink" in str(second)


def test_only_the_kinks_that_an_element_moves_are_named_for_it():
    x = tr.tensor([0.0, 0.0, 1.0], name="x")
    trace = tr.trace(tr.relu(x).sum())
    assert [[kink.index for kink in kinks_near(trace, 0, k)] for k in range(3)] == [
        [(0,)],
        [(1,)],
        [],
    ]
    assert kinks_near(trace, 0, 2, reach=1.5)[0].index == (2,)


def test_what_was_detached_leads_to_no_kink():
    x = tr.tensor(0.0, name="x")
    trace = tr.trace(x * 2 + tr.relu(tr.detach(x)))
    assert kinks_near(trace, 0) == ()


def test_a_branch_of_the_program_is_named_where_it_would_go_the_other_way():
    x = tr.tensor(1.0, name="x")
    y = x * 3.0 if x >= 1 else x * 5.0
    (kink,) = kinks_near(tr.trace(y), 0)
    assert kink.kind == "branch"
    assert kink.distance == 0
