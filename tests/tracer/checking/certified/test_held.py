"""Functions held on the pieces on which they were recorded: exact between kinks, and the function itself at one."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from tests.ops.cases import marked
from tracer.checking.certified.branches import HELD
from tracer.checking.certified.certify import certify
from tracer.checking.certified.held import near_zero, piece_of
from tracer.checking.certified.margins import MARGINS
from tracer.checking.numerical import LossBy
from tracer.checking.pieces import OnPiece, on_piece
from tracer.lanes import Run

MOVE = 1e-6
"""A move so small, beside margins of 1e-4, that all elements stay on their pieces."""


def on_its_pieces(case) -> bool:
    """Whether no element of a case lies near a kink."""
    if case.op.name in ("elu", "celu") and not np.all(case.args[0]):
        return False  # no kink, but another formula
    out = case.op.run(case.args, case.params)[0]
    rule = MARGINS.get(case.op.name)
    margins = rule(case.args, case.params, out) if rule and np.size(out) else []
    return not any(
        near_zero(margin, 1e-4 * np.max(abs(margin.value), initial=0)).any() for margin in margins
    )


CASES = marked(lambda case: case.op.name in HELD and bool(case.floats) and on_its_pieces(case))


def of_a_thousand_kinks(k: int = 133, count: int = 3000) -> tuple[np.ndarray, ...]:
    """Σ v relu(a + b p) / n, with kinks at 1.8e-7 and 2.6e-4 from p; what is drawn before decides the numbers."""
    rng = np.random.default_rng(1)
    a, b, v = (rng.normal(size=(200, count)) for _ in range(3))
    p = rng.normal(size=200) * 0.3
    return a[k] - b[k] * p[k], b[k], v[k] + 0.5, p[k]


def dense() -> tr.Trace:
    """That sum, recorded."""
    a, b, v, p = of_a_thousand_kinks()
    return tr.trace(tr.mean(v * tr.relu(a + b * tr.tensor(p, name="p"))))


@pytest.mark.parametrize("case", CASES)
def test_a_piece_gives_what_its_operation_gives_as_long_as_no_kink_is_crossed(case):
    out = case.op.run(case.args, case.params)[0]
    piece = piece_of(case.op, case.args, case.params, out)
    if not np.size(out):
        assert piece is None
        return
    assert piece is not None
    rng = np.random.default_rng(0)
    moved = [
        x + MOVE * np.max(abs(x)) * rng.uniform(-1, 1, np.shape(x)) if k in case.floats else x
        for k, x in enumerate(case.args)
    ]
    laned = [k in case.floats for k in range(len(moved))]
    lanes = [np.asarray(x)[None] if one else x for x, one in zip(moved, laned, strict=True)]
    held = piece(Run(case.op, lanes, laned, case.params, 1, np.shape(out)))
    assert held.shape == (1, *np.shape(out))
    wanted = case.op.run(moved, case.params)[0]
    np.testing.assert_allclose(held[0], wanted, rtol=1e-14, atol=1e-300)


def test_every_operation_with_pieces_is_held_in_some_case():
    seen = {param.values[0].op.name for param in CASES}
    assert HELD - seen <= {"det_sign", "argmax", "argmin", "argsort", *COMPARED}


COMPARED = (
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "round",
    "trunc",
)
"""Held as constants, all alike; some have no case away from their edges."""


def test_where_a_kink_lies_closer_than_any_step_that_is_seen_the_number_is_that_of_the_piece():
    found = tr.certify(dense(), by="p")
    a, b, v, p = of_a_thousand_kinks()
    truth = np.mean(v * b * (a + b * p > 0))
    assert abs(found.values - truth) <= found.bounds < 1e-12
    assert tr.verify(dense(), {"p": truth}).outcome == "PASS"
    assert tr.verify(dense(), {"p": 1.001 * truth}).outcome == "FAIL"


def test_a_black_box_of_many_kinks_is_known_to_within_its_bound():
    a, b, v, p = of_a_thousand_kinks()
    found = certify(lambda t: float(np.mean(v * np.maximum(a + b * t, 0))), float(p))
    truth = np.mean(v * b * (a + b * p > 0))
    assert found.differentiable
    assert abs(found.value - truth) <= found.bound < 1e-6


def test_a_network_of_a_thousand_samples_passes_and_a_thousandth_of_one_element_does_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 4))
    w = [tr.tensor(rng.normal(size=s), name=n) for n, s in (("w1", (4, 5)), ("w2", (5, 3)))]
    trace = tr.trace(tr.mean(tr.relu(tr.relu(x @ w[0]) @ w[1])))
    right = {name: np.array(trace.gradient(name)) for name in ("w1", "w2")}
    assert tr.verify(trace, right).ok
    right["w1"][2, 3] *= 1.001
    report = tr.verify(trace, right)
    assert [row.verdict for row in report.rows] == ["DISAGREE", "AGREE"]
    assert report.rows[0].worst.index == (2, 3)


def test_a_side_that_rounding_to_float32_decided_is_a_kink_and_no_mistake():
    x, w = np.float32(0.1), tr.tensor(np.float32(0.7), name="w")
    trace = tr.trace(tr.abs(w * x - np.float32(x * np.float32(0.7))))
    assert trace.gradient("w") == 0  # it is 0 in float32, and 1e-9 in float64
    report = tr.verify(trace, {"w": trace.gradient("w")})
    assert report.outcome == "KINK"


def test_at_the_kink_itself_both_slopes_are_given_and_close_by_one():
    x = tr.tensor([0.0, 1e-9, -1e-9], name="x")
    found = tr.certify(tr.trace(tr.relu(x).sum()), by="x")
    assert [slope.status for slope in found.slopes] == ["kink", "smooth", "smooth"]
    assert (found.slopes[0].left, found.slopes[0].right) == (0, 1)
    assert found.values[1:].tolist() == [1, 0]


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_of_an_extreme_stay_a_kink(name):
    x = tr.tensor([[1.0, 1.0 + 1e-16], [1.0, 3.0]], name="x")
    trace = tr.trace(getattr(tr, name)(x, axis=1).sum())
    assert [s.status for s in tr.certify(trace, by="x").slopes] == ["kink"] * 2 + ["smooth"] * 2


def test_a_wrong_rule_of_an_operation_that_is_held_is_found():
    wrong = PRIMITIVES["max"].replaced(
        vjps={"x": lambda g, out, x, *, axis, keepdims: x * 0 + g / x.size}
    )
    x = np.random.default_rng(0).normal(size=(40,))
    report = tr.check(lambda x: wrong(x), (x,))
    assert report.outcome == "FAIL"
    assert report.faulty is not None


def test_a_recording_that_was_cut_is_found_behind_kinks_too():
    x = np.random.default_rng(0).normal(size=(500, 3))

    def cut(w):
        h = tr.relu(x @ w)
        return tr.mean(h * np.asarray(h.value))

    assert tr.check(cut, ([1.0, -1.0, 0.5],)).outcome == "FAIL"


def test_a_branch_of_the_program_is_held_unless_the_value_lies_at_its_edge():
    for start, beyond in ((1.5, 2.0), (1.0, np.nan)):
        x = tr.tensor(start, name="x")
        y = x * 4.0 if x >= 1 else x * 5.0
        held = on_piece(tr.trace(y), 0)
        assert isinstance(held, OnPiece)
        np.testing.assert_equal(held(np.float64(0.5)), beyond)


def test_a_trace_without_kinks_is_not_held_and_one_with_them_can_be_sent():
    x = tr.tensor([0.5, -1.0], name="x")
    assert type(on_piece(tr.trace(tr.tanh(x).sum()), 0)) is LossBy
    held = on_piece(tr.trace(tr.relu(x).sum()), 0)
    assert (
        pickle.loads(pickle.dumps(held))(np.array([-2.0, 3.0])) == held(np.array([-2.0, 3.0])) == -2
    )


def offset_cancelled(x: float) -> float:
    """Rounded by its parts to 2⁻³³, finely beside it: at powers of two its values may lie on a line by chance."""
    return (1e6 + math.sin(x)) - 1e6 + math.tanh(x)


def test_a_rounded_function_is_not_taken_for_one_of_many_kinks():
    x = -1.4493245395315744
    found = certify(offset_cancelled, x)
    assert abs(found.value - (math.cos(x) + 1 / math.cosh(x) ** 2)) <= found.bound
    assert found.status == "smooth"


def test_what_reaches_over_a_kink_as_well_is_no_slope_of_the_point():
    def f(t: float) -> float:  # beside 683 the kink at 0 looks like noise
        return 683.16486289 + (1.758 * math.expm1(t) if t < 0 else 1.0507 * t)

    found = certify(f, -1e-9)
    assert abs(found.value - 1.758) <= found.bound
