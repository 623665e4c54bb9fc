"""Activations against PyTorch's numbers, at their kinks, far out, and with arguments that are refused.

`activations_golden.json` was made by `activations_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ops
import tracer as tr
from tests.ops.cases import Array

GOLDEN = json.loads(Path(__file__).with_name("activations_golden.json").read_text())["rows"]
WEIGHTS = {"prelu": (0.3,)}


def derived(name: str, x: Array, **params: Any) -> tuple[Array, Array, Array]:
    """Value, first and second derivative of an activation, element by element."""
    at = tr.tensor(x)
    value = getattr(tr, name)(at, *WEIGHTS.get(name, ()), **params)
    first = tr.grad(tr.sum(value), at, create_graph=True)
    try:
        second = tr.grad(tr.sum(first), at)
    except tr.errors.GradientError:  # straight pieces: the slope does not depend on x
        second = np.zeros_like(x)
    return value.value, first.value, second


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['name']}{row['params'] or ''}")
def test_value_and_derivatives_are_those_of_pytorch(row: dict[str, Any]):
    value, first, second = derived(row["name"], np.array(row["x"]), **row["params"])
    np.testing.assert_allclose(value, row["value"], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(first, row["first"], rtol=1e-14, atol=1e-14)
    smooth = [k for k, bend in enumerate(row["second"]) if bend is not None]
    wanted = [row["second"][k] for k in smooth]
    np.testing.assert_allclose(second[smooth], wanted, rtol=1e-13, atol=5e-14)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['name']}{row['params'] or ''}")
def test_float32_is_right_to_its_own_precision(row: dict[str, Any]):
    value, first, second = derived(row["name"], np.array(row["x"], np.float32), **row["params"])
    assert {value.dtype, first.dtype, second.dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(value, row["value"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(first, row["first"], rtol=2e-6, atol=2e-6)
    assert np.isfinite(second).all()


# ----- kinks


@pytest.mark.parametrize(
    ("name", "params", "at", "slope"),
    [
        ("leaky_relu", {}, 0.0, 0.01),
        ("prelu", {}, 0.0, 0.3),
        ("relu6", {}, 0.0, 0.0),
        ("relu6", {}, 6.0, 0.0),
        ("hard_tanh", {}, -1.0, 0.0),
        ("hard_tanh", {}, 1.0, 0.0),
        ("hard_sigmoid", {}, 3.0, 0.0),
        ("elu", {"alpha": 0.5}, 0.0, 0.5),
        ("selu", {}, 0.0, 1.7580993408473766),
        ("softsign", {}, 0.0, 1.0),
    ],
)
def test_at_a_kink_the_slope_is_the_documented_one(
    name: str, params: dict[str, Any], at: float, slope: float
):
    assert derived(name, np.array([at]), **params)[1] == slope


def test_ties_of_maxout_share_equally():
    x = tr.tensor([[2.0, 2.0, 1.0, 0.0, -1.0, 5.0]])
    y = tr.maxout(x, pieces=3)
    assert y.tolist() == [[2.0, 5.0]]
    tr.sum(y * np.array([6.0, 1.0])).backward()
    assert x.grad.tolist() == [[3.0, 3.0, 0.0, 0.0, 0.0, 1.0]]


# ----- far out


@pytest.mark.parametrize(
    "name", ["elu", "celu", "selu", "softplus", "softsign", "silu", "mish", "gelu"]
)
@pytest.mark.parametrize("far", [1e3, 1e18])
def test_far_out_nothing_overflows(name: str, far: float):
    for derivative in derived(name, np.array([-far, far])):
        assert np.isfinite(derivative).all()


def test_a_branch_that_is_not_chosen_leaves_no_nan_in_the_second_derivative():
    """The exponential of 800 is infinite, and 0 · ∞ would be NaN."""
    for name in ("elu", "celu", "selu"):
        assert derived(name, np.array([800.0]))[2] == 0


def test_gelu_keeps_its_digits_on_the_left():
    """−20 Φ(−20) from mpmath with 40 digits; 1 + erf(−20/√2) is 0 in float64."""
    assert ops.gelu(-20.0) == pytest.approx(-5.507248237212467e-88, rel=1e-12)


def test_softplus_is_exact_where_pytorch_switches_to_x():
    """log1p(e⁻³⁰) from mpmath with 40 digits, on top of 30."""
    assert ops.softplus(30.0) - 30.0 == pytest.approx(9.357622968839737e-14, abs=4e-15)
    assert ops.softplus(-30.0) == pytest.approx(9.357622968839737e-14, rel=1e-14)


# ----- shapes and arguments


def test_a_prelu_weight_per_channel_receives_the_sum_over_its_channel():
    x = tr.tensor(np.arange(-6.0, 6.0).reshape(1, 3, 2, 2))
    weight = tr.tensor(np.array([0.1, 0.2, 0.3]).reshape(3, 1, 1))
    tr.sum(tr.prelu(x, weight)).backward()
    assert weight.grad.ravel().tolist() == [-18.0, -3.0, 0.0]
    assert x.grad[0, 0].tolist() == [[0.1, 0.1], [0.1, 0.1]]


def test_swish_is_another_name_of_silu():
    assert tr.swish is tr.silu
    assert tr.swish(tr.tensor(1.0)).op.name == "silu"


def test_glu_gates_the_first_half_by_the_second():
    x = np.array([[1.0, 2.0, 0.0, -800.0]])
    np.testing.assert_array_equal(ops.glu(x), [[0.5, 0.0]])
    np.testing.assert_array_equal(ops.glu(x.T, axis=0), [[0.5], [0.0]])


def test_maxout_takes_neighbours_along_the_axis():
    x = np.array([[1.0, -1.0], [3.0, 0.0], [2.0, 7.0], [0.0, 8.0]])
    np.testing.assert_array_equal(ops.maxout(x, pieces=2, axis=0), [[3.0, 0.0], [2.0, 8.0]])


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("hard_tanh", {"low": 2.0}, "low=2.0 is above high=1.0"),
        ("celu", {"alpha": 0}, "alpha=0 divides by zero"),
        ("softplus", {"beta": 0.0}, "beta=0 divides by zero"),
        ("gelu", {"approximate": "sigmoid"}, "approximate is 'none' or 'tanh', not 'sigmoid'"),
        ("maxout", {"pieces": 2}, r"axis -1 of \(2, 3\) cannot be cut into groups of 2 pieces"),
        ("maxout", {"pieces": 0}, "groups of 0 pieces"),
        ("maxout", {"pieces": 1, "axis": 2}, r"shape \(2, 3\) has no axis 2"),
        ("glu", {}, r"axis -1 of \(2, 3\) cannot be halved"),
        ("glu", {"axis": -3}, r"shape \(2, 3\) has no axis -3"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, params: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        getattr(tr, name)(tr.tensor(np.ones((2, 3))), **params)
