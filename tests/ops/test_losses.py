"""Losses: equal to PyTorch in every option and reduction, exact in the tails, and clear about what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ops
import tracer as tr
from ops import PRIMITIVES
from tests.ops.cases import Array, Case
from tests.walking import walk
from tracer.symbols import Style, Symbol, write

NAN, INF = np.nan, np.inf

GOLDEN = json.loads((Path(__file__).parent / "losses_golden.json").read_text())
"""From PyTorch 2.13, float64, by `losses_in_torch.py`."""


def bound(name: str, *args: Any, **params: Any) -> Case:
    op = PRIMITIVES[name]
    return Case(op, *op.bind(args, params))


def flows(name: str, *args: Any, g: Any = None, **params: Any) -> list[Array]:
    """The cotangents from a seed of ones, or from g."""
    one = bound(name, *args, **params)
    return one.flows(np.ones(np.shape(one.run()[0]))[()] if g is None else g)


def golden_params(params: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in params.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@walk(
    "golden",
    [pytest.param(each, id=f"{each['name']}-{k}") for k, each in enumerate(GOLDEN)],
    by=lambda golden: golden["name"],
)
def test_value_and_gradients_are_those_of_pytorch(golden: dict[str, Any], dtype: Any):
    args = [np.asarray(x) for x in golden["args"]]
    case = bound(golden["name"], *args, **golden_params(golden["params"])).cast(dtype)
    loose = {"rtol": 1e-11, "atol": 1e-13} if dtype == np.float64 else {"rtol": 2e-4, "atol": 2e-5}
    if golden["name"] == "binary_cross_entropy" and dtype == np.float32:
        loose["atol"] = 1e-3 * 1e12  # a slope of 1e12 stands beside those of ordinary size
    value, _ = case.run()
    assert value.dtype == dtype
    np.testing.assert_allclose(value, golden["value"], **loose)
    for flow, wanted in zip(
        case.flows(np.asarray(golden["seed"], dtype)[()]), golden["gradients"], strict=False
    ):
        if wanted is not None:
            assert flow.dtype == dtype
            np.testing.assert_allclose(flow, wanted, **loose)


# ----- cross-entropy


def test_the_formula_of_cross_entropy_is_softmax_minus_one_hot():
    logits = tr.tensor([[0.5, -1.0, 2.0]], name="x")
    loss = tr.cross_entropy(logits, tr.constant([2], name="t"))
    loss.backward()
    from tracer.formulas import flow_formula

    text = flow_formula(tr.trace(loss)[-1], 0)
    assert text.startswith("(softmax(x) − onehot(t)) · ")
    assert "wₙ" in text


def test_an_ignored_sample_has_no_share_in_value_or_gradient():
    x, t = np.array([[0.5, 1.0], [3.0, -1.0], [0.0, 2.0]]), np.array([1, -100, 0])
    few = ops.cross_entropy(x[[0, 2]], t[[0, 2]])
    assert ops.cross_entropy(x, t) == few
    by_x = flows("cross_entropy", x, t)[0]
    np.testing.assert_array_equal(by_x[1], [0, 0])
    np.testing.assert_array_equal(by_x[[0, 2]], flows("cross_entropy", x[[0, 2]], t[[0, 2]])[0])
    assert ops.cross_entropy(x, t, reduction="none")[1] == 0


def test_a_class_that_is_ignored_may_be_one_of_the_classes():
    x, t = np.array([[0.5, 1.0], [3.0, -1.0]]), np.array([1, 0])
    assert ops.cross_entropy(x, t, ignore_index=0) == ops.cross_entropy(x[:1], t[:1])


def test_if_all_samples_are_ignored_the_mean_is_nan_and_nothing_flows():
    """As in PyTorch, where 0/0 is the mean and the gradient is 0."""
    x, t = np.ones((2, 3)), np.full(2, -100)
    assert np.isnan(ops.cross_entropy(x, t))
    assert np.isnan(ops.nll_loss(x, t))
    assert not flows("cross_entropy", x, t)[0].any()
    assert ops.cross_entropy(x, t, reduction="sum") == 0


def test_a_share_of_0_beside_a_masked_class_adds_nothing():
    x, q = np.array([[0.5, -INF, 1.5]]), np.array([[0.25, 0.0, 0.75]])
    few = ops.cross_entropy(x[:, [0, 2]], q[:, [0, 2]])
    np.testing.assert_allclose(ops.cross_entropy(x, q), few, rtol=1e-15)
    by_x = flows("cross_entropy", x, q)[0]
    assert by_x[0, 1] == 0
    assert np.isfinite(by_x).all()


def test_a_target_of_shares_that_is_one_hot_is_the_same_as_class_numbers():
    x, t = np.array([[0.5, 1.0, 0.1], [3.0, -1.0, 2.0]]), np.array([2, 0])
    shares = np.eye(3)[t]
    for reduction in ("none", "mean", "sum"):
        np.testing.assert_allclose(
            ops.cross_entropy(x, shares, reduction=reduction),
            ops.cross_entropy(x, t, reduction=reduction),
            rtol=1e-15,
        )


def test_nll_loss_after_log_softmax_is_cross_entropy():
    x, t, w = np.array([[0.5, 1.0], [3.0, -1.0]]), np.array([1, 0]), np.array([0.5, 2.0])
    assert ops.nll_loss(ops.log_softmax(x), t, w) == ops.cross_entropy(x, t, w)


@pytest.mark.parametrize(
    ("args", "params", "error", "word"),
    [
        (([[0.0, 1.0]], [[0.5, 0.5, 0.0]]), {}, TypeError, r"shape of the logits, \(1, 2\)"),
        (([[0.0, 1.0]], [0], [1.0, 1.0, 1.0]), {}, ValueError, "there are 2 classes"),
        (([[0.0, 1.0]], [0]), {"reduction": "avg"}, ValueError, "'none', 'mean' or 'sum'"),
        (([[0.0, 1.0]], [0]), {"label_smoothing": 1.5}, ValueError, "between 0 and 1"),
        (([[0.0, 1.0]], [0]), {"axis": 2}, ValueError, "axis 2 is not there"),
        (([[0.0, 1.0]], [2]), {}, ValueError, "class 2 lies outside the 2 classes"),
        (([[0.0, 1.0]], [-7]), {}, ValueError, "class -7 lies outside"),
    ],
)
def test_cross_entropy_says_what_does_not_fit(
    args: Any, params: dict[str, Any], error: type[Exception], word: str
):
    with pytest.raises(error, match=word):
        ops.cross_entropy(*map(np.asarray, args), **params)


def test_a_reduction_of_another_name_is_refused_by_every_loss():
    x = np.ones((2, 2))
    for name in (
        "mse_loss",
        "l1_loss",
        "huber_loss",
        "smooth_l1_loss",
        "hinge_loss",
        "kl_div",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
    ):
        with pytest.raises(ValueError, match="reduction is 'none', 'mean' or 'sum', not 'max'"):
            PRIMITIVES[name](x, x, reduction="max")


# ----- two classes


def test_the_loss_of_a_logit_is_exact_in_both_tails():
    """log(1 + e⁻⁴⁰) is e⁻⁴⁰ to all digits, and so are minus its slope and its second derivative."""
    tail = np.exp(-40.0)
    for x, t in ((40.0, 1.0), (-40.0, 0.0)):
        loss = ops.binary_cross_entropy_with_logits(np.float64(x), t)
        np.testing.assert_allclose(loss, tail, rtol=1e-15)
        slope = flows("binary_cross_entropy_with_logits", np.float64(x), t)[0]
        np.testing.assert_allclose(slope, -np.sign(x) * tail, rtol=1e-15)
        leaf = tr.tensor(x)
        first = tr.grad(tr.binary_cross_entropy_with_logits(leaf, t), leaf, create_graph=True)
        np.testing.assert_allclose(tr.grad(first, leaf), tail, rtol=1e-15)


def test_far_out_the_loss_of_a_logit_is_the_logit_itself():
    x, t = np.array([-1e4, 1e4, -1e4, 1e4]), np.array([1.0, 0.0, 0.0, 1.0])
    loss = ops.binary_cross_entropy_with_logits(x, t, reduction="none")
    np.testing.assert_array_equal(loss, [1e4, 1e4, 0, 0])
    by_x = flows("binary_cross_entropy_with_logits", x, t, reduction="none")[0]
    np.testing.assert_array_equal(by_x, [-1, 1, 0, 0])


def test_labels_may_be_integers_or_booleans_and_float32_stays_float32():
    x = np.array([0.3, 0.6], dtype=np.float32)
    for labels in (np.array([0, 1]), np.array([False, True])):
        for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge_loss"):
            assert PRIMITIVES[name](x, labels).dtype == np.float32
            assert flows(name, x, labels)[0].dtype == np.float32


def test_the_hinge_is_0_beyond_the_margin_and_its_rule_returns_0_at_the_kink():
    p, t = np.array([2.0, 1.0, 0.25, -1.0]), np.array([1.0, 1.0, 1.0, -1.0])
    np.testing.assert_array_equal(ops.hinge_loss(p, t, reduction="none"), [0, 0, 0.75, 0])
    np.testing.assert_array_equal(flows("hinge_loss", p, t, reduction="none")[0], [0, 0, -1, 0])


# ----- differences, divergence, angle


def test_the_kinks_of_the_absolute_losses_give_0():
    x = np.array([1.0, 2.0])
    for name, params in (("l1_loss", {}), ("smooth_l1_loss", {"beta": 0.0})):
        for flow in flows(name, x, x, **params):
            np.testing.assert_array_equal(flow, [0, 0])


def test_no_outlier_pulls_harder_than_delta():
    x = np.array([-1e6, -0.5, 0.5, 1e6])
    by_x = flows("huber_loss", x, 0.0, delta=2.0, reduction="sum")[0]
    np.testing.assert_array_equal(by_x, [-2, -0.5, 0.5, 2])
    by_x = flows("smooth_l1_loss", x, 0.0, beta=2.0, reduction="sum")[0]
    np.testing.assert_array_equal(by_x, [-1, -0.25, 0.25, 1])


def test_a_length_of_a_loss_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="delta is 0, but must be above 0"):
        ops.huber_loss(np.ones(2), 0.0, delta=0)
    with pytest.raises(ValueError, match="beta is -1, but must not be below 0"):
        ops.smooth_l1_loss(np.ones(2), 0.0, beta=-1)


def test_a_share_of_0_diverges_by_nothing_and_counts_as_constant():
    p, t = np.log([0.2, 0.8]), np.array([0.0, 1.0])
    np.testing.assert_allclose(ops.kl_div(p, t, reduction="sum"), -np.log(0.8), rtol=1e-15)
    by_p, by_t = flows("kl_div", p, t, reduction="sum")
    np.testing.assert_array_equal(by_p, [0, -1])
    np.testing.assert_allclose(by_t, [-p[0], 1 - p[1]], rtol=1e-15)


def test_a_vector_of_zeros_has_no_direction():
    x, y = np.zeros((1, 2)), np.array([[3.0, 4.0]])
    assert ops.cosine_similarity(x, y) == 0
    by_x, by_y = flows("cosine_similarity", x, y)
    np.testing.assert_allclose(by_x, y / 5 / 1e-8, rtol=1e-14)
    np.testing.assert_array_equal(by_y, [[0, 0]])
    with pytest.raises(ValueError, match="rank 0"):
        ops.cosine_similarity(np.float64(1), np.float64(2))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_the_loss_of_nothing_is_nan_and_sends_nothing(name: str):
    assert np.isnan(PRIMITIVES[name](np.empty((0, 2)), np.ones(2)))
    by_x, by_y = flows(name, np.empty((0, 2)), np.ones(2))
    assert by_x.shape == (0, 2)
    np.testing.assert_array_equal(by_y, [0, 0])


# ----- the compiled kernel


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1), (3, 2), (500, 10), (7, 63), (7, 64), (9, 129), (2, 5000)]
)
@pytest.mark.slow
def test_the_compiled_cross_entropy_is_the_definition(shape: tuple[int, int], dtype: Any):
    rng = np.random.default_rng(0)
    x = (5 * rng.normal(size=shape)).astype(dtype)
    t = rng.integers(0, shape[1], shape[0])
    t[1::3] = -100
    for reduction in ("mean", "sum"):
        found = {}
        for kernels in ("numpy", "numba"):
            leaf = tr.tensor(x)
            with tr.kernels(kernels):
                loss = tr.cross_entropy(leaf, t, reduction=reduction)
            assert loss.op.kernels == kernels
            loss.backward()
            found[kernels] = loss.value, leaf.grad, loss.saved["sample_weight"]
        for one, other in zip(found["numba"], found["numpy"], strict=True):
            assert one.dtype == dtype
            scale = np.max(np.abs(other)) if np.size(other) else 1
            np.testing.assert_allclose(one, other, rtol=0, atol=16 * np.finfo(dtype).eps * scale)


def test_the_compiled_cross_entropy_keeps_nan_infinity_and_masked_classes():
    x = np.array([[0.5, -INF, 1.5], [NAN, 0.0, 1.0], [INF, 0.0, 1.0]])
    t = np.array([0, 1, 1])
    for row in range(3):
        found = []
        for kernels in ("numpy", "numba"):
            leaf = tr.tensor(x[row : row + 1])
            with tr.kernels(kernels):
                loss = tr.cross_entropy(leaf, t[row : row + 1])
            loss.backward()
            found.append((loss.value, leaf.grad))
        np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-15)
        np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-15)


def test_the_compiled_cross_entropy_refuses_a_class_that_is_not_there():
    with tr.kernels("numba"), pytest.raises(Exception, match="class 3 lies outside the 3 classes"):
        tr.cross_entropy(tr.tensor(np.zeros((2, 3))), np.array([0, 3]))


def test_symbols_write_a_weighted_rule_too():
    case = bound("cross_entropy", np.zeros((2, 3)), np.array([0, 2]), np.ones(3))
    written = case.bare_flows(Symbol(np.float64(1), "g", "g"), lambda v: Symbol(v, "v", "v"))
    assert "softmax(v)" in write(written[0], Style())
