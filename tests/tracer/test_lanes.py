"""Lanes: an operation run for many inputs at once gives what it gives for each of them, on every sample."""

from __future__ import annotations

from typing import Any

import numpy as np

import tracer as tr
from ops.primitive import NUMBERS
from tests.ops.cases import Case, marked, operation
from tests.walking import walk
from tracer import cones
from tracer.cones import Cone
from tracer.lanes import looped

Array = Any
LANES = 5
ULPS = 8
"""Of the largest element: a product of matrices adds up in another order, and fused operations run by their parts."""
LOOPED = {
    "tensordot",
    "solve",
    "lower_half",
    "cofactors",
    "cofactor_change",
    "inverse_transpose",
    "avg_unpool",
    "adaptive_avg_unpool",
    "add_rows",
    "linear_recurrence",
    "back_through_time",
    "ahead_through_time",
    "dot",
}
"""Operations that run lane by lane, for some of their inputs: mostly derivatives of others, seldom in a network."""


def traced(case: Case) -> Any:
    """The one operation of a case as a trace whose loss it is, with every array argument a leaf."""
    args = [
        x if type(x) in NUMBERS else tr.tensor(x, name=f"x{k}", requires_grad=k in case.floats)
        for k, x in enumerate(case.args)
    ]
    out = case.op(*args, **case.params)
    return tr.trace(out, seed=np.zeros(out.shape)[()]) if out.tracked else None


def lanes_of(x: Array, seed: int) -> Array:
    """The value itself, and some close by."""
    move = np.random.default_rng(seed).normal(size=(LANES, *np.shape(x)))
    move[0] = 0
    return x + 1e-3 * move


@walk("case", marked(lambda case: bool(case.floats)), by=operation)
def test_lanes_give_what_each_of_them_gives_alone(case: Case):
    assert_lanes_alone(case)


def assert_lanes_alone(case: Case) -> None:
    trace = traced(case)
    leaves = {name: node for node, name in trace.given_names.items()}
    chosen = [[k] for k in case.floats] + ([case.floats] if len(case.floats) > 1 else [])
    for moved in chosen:
        nodes = {leaves[f"x{k}"]: lanes_of(case.args[k], k) for k in moved}
        (found,) = Cone(trace, list(nodes), trace.loss).many(nodes)
        cone = Cone(trace, list(nodes), trace.loss)
        alone = [cone({node: x[lane][()] for node, x in nodes.items()}) for lane in range(LANES)]
        size = np.max(abs(np.where(np.isfinite(alone), alone, 0)), initial=0.0)
        np.testing.assert_allclose(found, alone, rtol=0, atol=ULPS * np.spacing(size))


def test_few_operations_are_looped(monkeypatch):
    seen = set()

    def spy(run):
        seen.add(run.op.name)
        return looped(run)

    monkeypatch.setattr(cones, "looped", spy)
    for param in marked(lambda case: bool(case.floats)):
        assert_lanes_alone(param.values[0])
    assert seen == LOOPED


def test_an_operation_of_a_user_is_looped_whatever_it_says_of_itself():
    from ops.primitive import PRIMITIVES

    @tr.primitive(vjps={"x": lambda g, out, x: g}, elementwise=True, name="centred_example")
    def centred(x):
        return x - x.mean()

    try:
        x = tr.tensor([1.0, 2.0, 6.0], name="x")
        trace = tr.trace((centred(x) ** 2).sum())
    finally:
        del PRIMITIVES["centred_example"]
    cone, values = Cone(trace, [0], trace.loss), np.random.default_rng(0).normal(size=(4, 3))
    alone = [cone({0: value}) for value in values]
    np.testing.assert_allclose(cone.many({0: values})[0], alone, rtol=1e-14)


def test_parts_that_do_not_give_the_value_are_not_used():
    x = tr.tensor([[1.0, 2.0, 4.0]], name="x")
    trace = tr.trace(tr.layer_norm(x).sum(), seed=1.0)
    node = trace.node_index("layer_norm@1") if "layer_norm@1" in trace.labels else 1
    op = trace.op(node)
    liar = op.replaced(parts=lambda x, *rest, **params: x * 2.0)
    object.__setattr__(trace, "ops", tuple(liar if o is op else o for o in trace.ops))
    gamma = Cone(trace, [0], trace.loss)
    values = np.array([[[1.0, 2.0, 4.0]], [[3.0, -1.0, 0.5]]])
    np.testing.assert_allclose(gamma.many({0: values})[0], [gamma({0: v}) for v in values])


def test_a_lane_that_an_operation_refuses_is_nan_and_the_others_are_not():
    a = tr.tensor([[2.0, 0.0], [0.0, 1.0]], name="a")
    trace = tr.trace(tr.inv(a).sum())
    values = np.array(
        [[[2.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 4.0]]]
    )
    (found,) = Cone(trace, [0], trace.loss).many({0: values})
    np.testing.assert_allclose(found, [1.5, np.nan, 1.25])
