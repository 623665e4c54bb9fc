"""Rules run on Tensors: the recorded gradient is the same number, and its own gradient is the second derivative."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES, Primitive
from tests.ops.cases import (
    UNDECIDED,
    Array,
    Case,
    against,
    cases_of,
    marked,
    objection,
    operation,
    signed,
)
from tests.walking import walk
from tracer.checking.certified.certify import Certified

DIFFERENTIABLE = marked(lambda case: bool(case.floats))


def mostly_slow(cases: list[Any]) -> list[Any]:
    """The same, slow but for the first of each operation."""
    counts: Counter[str] = Counter()
    found = []
    for param in cases:
        name = param.values[0].op.name
        counts[name] += 1
        marks = [pytest.mark.slow] if counts[name] > 1 else []
        found.append(pytest.param(*param.values, id=param.id, marks=marks))
    return found


def leaves(case: Case) -> list[Any]:
    """The arguments as a user holds them: Tensors, constants, Python numbers."""
    made: list[Any] = [tr.constant(x) if hasattr(x, "dtype") else x for x in case.args]
    for k in case.floats:
        made[k] = tr.tensor(case.args[k])
    return made


def gradients(total: Any, xs: list[Any], *, create_graph: bool = False) -> list[Any]:
    """The gradient of a sum by each leaf: zeros where the sum does not depend on it."""
    found = []
    for x in xs:
        try:
            found.append(tr.grad(total, x, create_graph=create_graph))
        except tr.errors.GradientError:
            nothing = np.zeros(x.shape, dtype=x.dtype)
            found.append(tr.constant(nothing) if create_graph else nothing)
    return found


def recorded(case: Case, g: Any) -> tuple[list[Any], Any, list[Any]]:
    """The leaves, the value, and the recorded gradients of Σ g · value by the float leaves."""
    xs = leaves(case)
    out = case.op(*xs, **case.params)
    return xs, out, gradients(tr.sum(out * g), [xs[k] for k in case.floats], create_graph=True)


@walk("case", DIFFERENTIABLE, by=operation)
def test_a_recorded_rule_gives_the_same_numbers(case: Case):
    out, _ = case.run()
    g = signed(np.shape(out))
    _, value, firsts = recorded(case, g)
    np.testing.assert_array_equal(value.value, out)
    flows = case.flows(g)
    for k, first in zip(case.floats, firsts, strict=True):
        assert first.shape == flows[k].shape
        np.testing.assert_allclose(first.value, flows[k], rtol=1e-13, atol=1e-15)


@walk("case", mostly_slow(DIFFERENTIABLE), by=operation)
def test_the_second_derivative_agrees_with_certified_numbers(case: Case):
    """The first gradient is the function now; g is an argument too, as the rule must be differentiable by it."""
    out, _ = case.run()
    g = signed(np.shape(out))
    weights = {k: signed(np.shape(case.args[k]), seed=3) for k in case.floats}

    xs, gate = leaves(case), tr.tensor(g)
    floats = [xs[k] for k in case.floats]
    firsts = gradients(tr.sum(case.op(*xs, **case.params) * gate), floats, create_graph=True)
    total: Any = 0.0
    for k, first in zip(case.floats, firsts, strict=True):
        total = total + tr.sum(first * weights[k])
    seconds = gradients(total, [*floats, gate])

    def slope(moved: Case) -> Array:
        flows = moved.flows(g)
        return np.concatenate([np.ravel(flows[k] * weights[k]) for k in case.floats])

    claims: list[Any] = [None] * len(case.args)
    for k, second in zip(case.floats, seconds, strict=False):
        claims[k] = second
    assert against(case, claims, slope, np.ones(1), _of_a_gradient) == []

    def inner(direction: Array) -> float:
        """Σₖ ⟨weightₖ, rule(direction)ₖ⟩, which is linear in the direction."""
        flows = case.flows(direction)
        return float(sum(np.sum(flows[k] * weights[k]) for k in case.floats))

    probe = signed(np.shape(out), seed=4)
    by_gate = float(np.sum(seconds[-1] * probe))
    scale = float(np.sum(np.abs(seconds[-1] * probe)))
    assert abs(by_gate - inner(probe)) <= 1e-11 * max(scale, abs(inner(probe)))


@walk("case", DIFFERENTIABLE, by=operation)
def test_no_float64_creeps_into_the_recorded_gradient_of_float32(case: Case):
    narrow = case.cast(np.float32)
    g = signed(np.shape(narrow.run()[0]), dtype=np.float32)
    with tr.record() as kept:
        recorded(narrow, g)
    assert {node.dtype for node in kept.nodes if node.dtype.kind == "f"} == {np.dtype(np.float32)}


def _of_a_gradient(claim: float, found: Certified, scale: float) -> str | None:
    """As of a value, but at a kink a gradient jumps, and its derivative is only asked to be a number.

    A gradient may also be too small beside its noise for the numbers to decide.
    """
    if found.status == "jump":
        return None if np.isfinite(claim) else f"{claim} at a jump"
    why = objection(claim, found, scale)
    return None if why and why.startswith(UNDECIDED) else why


FUSED = [op for op in PRIMITIVES.values() if op.parts is not None and op.home.startswith("ops.")]


def test_every_saved_number_is_what_its_function_computes():
    for op in PRIMITIVES.values():
        for case in cases_of(op) if op.saves else ():
            saved = case.run()[1]
            for each in op.saves:
                again = each.compute(*case.args, **case.params)
                assert again.shape == saved[each.name].shape
                if again.dtype.kind == "f":
                    np.testing.assert_array_max_ulp(again, saved[each.name], 4)
                else:  # a mask, an index
                    np.testing.assert_array_equal(again, saved[each.name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("op", FUSED, ids=lambda op: op.name)
def test_the_parts_give_the_fused_value_and_gradient(op: Primitive, dtype: Any):
    assert op.parts is not None
    for case in (case.cast(dtype) for case in cases_of(op)):
        whole, pieces = leaves(case), leaves(case)
        fused = op(*whole, **case.params)
        parts = op.parts(*pieces, **case.params)
        assert_close(parts.value, fused.value, op.parts_ulps)
        g = signed(fused.shape, dtype=dtype)
        for k in case.floats:
            one, other = tr.grad(tr.sum(fused * g), whole[k]), tr.grad(tr.sum(parts * g), pieces[k])
            assert_close(other, one, 2 * op.parts_ulps)


def assert_close(actual: Array, wanted: Array, ulps: int) -> None:
    assert np.shape(actual) == np.shape(wanted)
    kind = np.finfo(wanted.dtype)
    apart = np.max(np.abs(actual - wanted), initial=0.0)
    assert apart <= ulps * kind.eps * max(np.max(np.abs(wanted), initial=0.0), kind.tiny)
