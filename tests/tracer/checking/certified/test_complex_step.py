"""Complex steps: only through operations that are proven analytic, and only where differences agree."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from ops.primitive import NUMBERS, PRIMITIVES
from tests.ops.cases import Case, marked, operation, signed
from tests.walking import walk
from tracer.checking.certified.certify import certify_elements
from tracer.checking.certified.complex_step import sharpened
from tracer.checking.numerical import loss_by
from tracer.lanes import ANALYTIC


def traced(case: Case):
    """The operation of a case as a trace, weighed with a random signed cotangent; None if it records nothing."""
    args = [
        x if type(x) in NUMBERS else tr.tensor(x, name=f"x{k}", requires_grad=k in case.floats)
        for k, x in enumerate(case.args)
    ]
    out = case.op(*args, **case.params)
    return tr.trace(out, seed=signed(out.shape))


def fine(case: Case) -> bool:
    """Whether a case has arguments to move, elements in them, and finite values."""
    out, _ = case.run()
    floats = [case.args[k] for k in case.floats]
    return bool(np.isfinite(out).all() and any(np.size(x) for x in floats))


CASES = marked(lambda case: case.op.name in ANALYTIC and bool(case.floats))
ORDINARY = {param.id.rpartition("-")[0]: param.id for param in reversed(CASES)}.values()
"""The first sample of every operation; the others are slow together."""


@walk(
    "case",
    [
        p if p.id in ORDINARY else pytest.param(*p.values, id=p.id, marks=pytest.mark.slow)
        for p in CASES
    ],
    by=operation,
)
def test_through_an_analytic_operation_the_imaginary_part_is_the_certified_derivative(case):
    if not fine(case):
        return
    trace = traced(case)
    leaves = {name: node for node, name in trace.given_names.items()}
    for k in case.floats:
        x = np.asarray(case.args[k])
        loss = loss_by(trace, leaves[f"x{k}"])
        values = np.repeat(x[None].astype(np.complex128), x.size, axis=0)
        values.reshape(x.size, x.size)[np.diag_indices(x.size)] += 1j * 2.0**-330
        seen = loss.complex_many(values) if x.size else np.empty(0, complex)
        here = loss(x)
        for element, slope in enumerate(certify_elements(loss, x)):
            if slope.differentiable:
                rate = seen[element].imag * 2.0**330
                spare = 1e-13 * max(abs(here), abs(rate))
                assert abs(rate - slope.value) <= slope.bound + spare, (k, element, slope)
                assert seen[element].real == pytest.approx(here, rel=1e-12, abs=1e-300)


def test_all_analytic_operations_exist_and_have_rules():
    assert [name for name in ANALYTIC if name not in PRIMITIVES] == []
    assert [n for n in ANALYTIC if not PRIMITIVES[n].vjps] == ["detach"]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(lambda x: tr.abs(x), id="abs"),
        pytest.param(lambda x: tr.norm(x), id="norm"),
        pytest.param(lambda x: tr.astype(x, dtype="float64") * x, id="astype"),
        pytest.param(lambda x: tr.softplus(x), id="softplus"),
    ],
)
def test_an_operation_that_is_not_analytic_takes_no_complex_step(record):
    x = tr.tensor([0.5, -1.5], name="x")
    trace = tr.trace(record(x).sum())
    loss, start = loss_by(trace, 0), np.array([0.5, -1.5])
    assert loss.complex_many(start[None] + 0j) is None
    slopes = certify_elements(loss, start)
    assert sharpened(loss, start, np.arange(2), slopes) == slopes


def test_a_fused_operation_takes_one_through_its_parts():
    x = tr.tensor(np.random.default_rng(0).normal(size=(3, 4)), name="logits")
    loss = loss_by(tr.trace(tr.cross_entropy(x, np.array([1, 0, 3]))), 0)
    slopes = certify_elements(loss, x.value)
    sharp = sharpened(loss, x.value, np.arange(12), slopes)
    assert all(slope.complex_step for slope in sharp)
    assert max(slope.bound for slope in sharp) < 1e-14


def test_at_a_kink_nothing_is_sharpened():
    x = tr.tensor([0.0, 1.0], name="x")
    loss = loss_by(tr.trace((tr.relu(x) ** 3 + tr.relu(x)).sum()), 0)
    slopes = certify_elements(loss, x.value)
    kink, smooth = sharpened(loss, x.value, np.arange(2), slopes)
    assert kink is slopes[0]
    assert smooth.complex_step


def test_a_number_that_differences_contradict_is_not_taken():
    class Liar:
        def complex_many(self, values):
            return 2 * values.reshape(len(values))

    slopes = certify_elements(lambda x: float(x), np.float64(0.5))
    assert sharpened(Liar(), np.array(0.5), np.array([0]), slopes) == slopes


def test_rounding_within_widens_the_bound_of_a_complex_step():
    """(10⁶ + sin x) − 10⁶ is known to ten digits, and so is the slope of what follows it."""
    x = tr.tensor(0.7, name="x")
    trace = tr.trace(tr.exp((tr.sin(x) + 1e6) - 1e6))
    loss = loss_by(trace, 0)
    (slope,) = sharpened(
        loss, np.array(0.7), np.array([0]), certify_elements(loss, np.float64(0.7))
    )
    true = np.cos(0.7) * np.exp(np.sin(0.7))
    assert slope.complex_step
    assert abs(slope.value - true) <= slope.bound
    assert 1e-11 < slope.bound < 1e-8
