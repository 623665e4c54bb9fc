"""Trigonometry, exponentials, rounding and logic beyond their samples: the origin, overflow, crossed bounds, masks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ops
import tracer as tr

NAN, INF = np.nan, np.inf


def slopes(function: Callable[..., Any], *args: float) -> list[float]:
    """The derivative by every argument."""
    xs = [tr.tensor(x) for x in args]
    return [float(slope) for slope in tr.grad(function(*xs), xs)]


# ----- trigonometry


@pytest.mark.parametrize("name", ["hypot", "arctan2"])
def test_at_the_origin_both_slopes_are_0_to_second_order(name: str):
    x, y = tr.tensor(0.0), tr.tensor(0.0)
    firsts = tr.grad(getattr(tr, name)(x, y), [x, y], create_graph=True)
    assert [first.item() for first in firsts] == [0.0, 0.0]
    assert np.isfinite(tr.grad(firsts[0] + firsts[1], [x, y])).all()


def test_a_point_far_out_overflows_neither_in_value_nor_in_slope():
    assert ops.hypot(3e200, 4e200) == pytest.approx(5e200, rel=1e-15)
    assert slopes(tr.hypot, 3e200, 4e200) == pytest.approx([0.6, 0.8], rel=1e-15)
    assert slopes(tr.arctan2, 3e200, 4e200) == pytest.approx([1.6e-201, -1.2e-201], rel=1e-15)
    assert slopes(tr.arcsinh, 1e200) == [1e-200]
    assert slopes(tr.arccosh, 1e200) == [1e-200]


def test_arctan2_takes_y_first_and_knows_the_quadrants():
    x, y = np.array([1.0, -1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    np.testing.assert_allclose(ops.arctan2(y, x) * 4 / math.pi, [1, 3, -3, -1], rtol=1e-15)


def test_close_to_the_edge_of_a_domain_the_slope_keeps_its_digits():
    """1 − x² would lose half of them. x = 1 − 2⁻³⁰; the slopes from mpmath with 40 digits."""
    x = 1 - 2.0**-30
    assert slopes(tr.arcsin, x) == pytest.approx([23170.475011315586], rel=1e-15)
    assert slopes(tr.arctanh, x) == pytest.approx([536870912.25], rel=1e-15)


@pytest.mark.parametrize(("name", "edge"), [("arcsin", 1.0), ("arccosh", 1.0), ("arctanh", 1.0)])
def test_at_the_edge_of_a_domain_the_slope_is_infinite_and_beyond_it_the_value_is_nan(
    name: str, edge: float
):
    function = getattr(tr, name)
    assert slopes(function, edge) == [INF]
    beyond = 0.5 if name == "arccosh" else 1.5
    assert np.isnan(function(tr.tensor(beyond)).item())


# ----- exponentials


def test_erfc_and_expm1_keep_their_digits_in_the_tails():
    """erfc(26) from mpmath with 40 digits."""
    assert ops.erfc(26.0) == pytest.approx(5.663192408856143e-296, rel=1e-13)
    assert ops.expm1(1e-20) == 1e-20
    assert slopes(tr.expm1, -50.0) == [math.exp(-50)]


def test_logaddexp_adds_probabilities_that_underflow():
    assert ops.logaddexp(-1000.0, -1000.0) == pytest.approx(-1000 + math.log(2), rel=1e-15)
    assert slopes(tr.logaddexp, -1000.0, -1000.0) == [0.5, 0.5]
    assert slopes(tr.logaddexp, 800.0, -800.0) == [1.0, 0.0]


def test_a_reciprocal_of_integers_is_no_integer():
    np.testing.assert_array_equal(ops.reciprocal(np.array([2, 4])), [0.5, 0.25])


def test_a_cube_root_of_a_negative_number_is_real():
    assert ops.cbrt(-8.0) == -2.0
    assert slopes(tr.cbrt, -8.0) == pytest.approx([1 / 12], rel=1e-15)


# ----- rounding and clipping


def test_halves_round_to_even_and_decimals_may_be_negative():
    np.testing.assert_array_equal(ops.round(np.array([0.5, 1.5, -2.5])), [0, 2, -2])
    np.testing.assert_array_equal(ops.round(np.array([1250.0, 1351.0]), decimals=-2), [1200, 1400])


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round"])
def test_a_jump_sends_0_back_and_says_so(name: str):
    x = tr.tensor([-1.5, 0.0, 2.0])
    tr.sum(getattr(tr, name)(x)).backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert "derivative is 0" in ops.PRIMITIVES[name].doc


def test_a_bound_that_is_met_receives_the_cotangent_and_x_on_a_bound_keeps_it():
    x = tr.tensor([-2.0, -1.0, 0.5, 1.0, 3.0])
    low, high = tr.tensor(-1.0), tr.tensor(1.0)
    tr.sum(tr.clip(x, low, high) * np.array([1.0, 2.0, 4.0, 8.0, 16.0])).backward()
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 8.0, 0.0]
    assert (low.grad, high.grad) == (1.0, 16.0)


def test_where_the_bounds_cross_the_upper_one_wins():
    x, low, high = tr.tensor([-5.0, 2.0, 5.0]), tr.tensor(3.0), tr.tensor(1.0)
    y = tr.clip(x, low, high)
    assert y.tolist() == np.clip(x.value, 3.0, 1.0).tolist() == [1.0, 1.0, 1.0]
    y.backward(np.ones(3))
    assert (x.grad.tolist(), low.grad, high.grad) == ([0.0, 0.0, 0.0], 0.0, 3.0)


def test_a_bound_may_be_left_out_and_integers_stay_integers():
    x = np.array([1, 5, 9])
    assert ops.clip(x, 3).tolist() == [3, 5, 9]
    assert ops.clip(x, None, 6).tolist() == [1, 5, 6]
    assert ops.clip(x, low=3, high=6).dtype == x.dtype
    assert tr.clip(tr.tensor([NAN, 2.0]), high=1.0).tolist()[1] == 1.0
    assert np.isnan(ops.clip(np.array([NAN]), 0.0, 1.0)).all()


def test_a_bound_that_was_left_out_is_kept_in_a_file(tmp_path: Path):
    x = tr.tensor([1.0, -2.0], name="x")
    loss = tr.sum(tr.clip(x, low=0.0))
    loss.backward()
    tr.trace(loss).save(tmp_path / "clip.trace")
    assert tr.load(tmp_path / "clip.trace").gradient("x").tolist() == x.grad.tolist() == [1.0, 0.0]


# ----- logic


def test_masks_combine_by_signs():
    x = tr.tensor([-1.0, 0.5, 2.0])
    inside = (x > 0) & (x < 1)
    assert inside.op.name == "logical_and"
    assert inside.tolist() == [False, True, False]
    assert (~inside | (x > 1)).tolist() == [True, False, True]
    assert (True ^ inside).tolist() == [True, False, True]
    assert (np.array([True, True, False]) & inside).tolist() == [False, True, False]
    tr.sum(tr.where(inside, x * x, 0.0)).backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_signs_of_bits_are_refused_for_numbers():
    for combine in (
        lambda x: x & 1,
        lambda x: 1 | x,
        lambda x: x ^ x,
        lambda x: ~x,
        lambda x: np.array([1, 2]) & x,
    ):
        with pytest.raises(tr.errors.DTypeError, match=r"masks, not int64\n  try: \(x > 0\) &"):
            combine(tr.tensor([1, 2]))


def test_questions_about_numbers_record_and_stop_the_gradient():
    x = tr.tensor([1.0, NAN, -INF])
    assert tr.isnan(x).tolist() == [False, True, False]
    assert tr.isinf(x).tolist() == [False, False, True]
    assert tr.isfinite(x).tolist() == [True, False, False]
    tr.sum(tr.where(tr.isfinite(x), x, 0.0)).backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0]
