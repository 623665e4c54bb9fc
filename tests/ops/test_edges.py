"""Corners that a sample cannot hold: NaN and inf, infinite slopes, empty means, saturated losses, refused arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ops
from ops import PRIMITIVES
from tests.ops.cases import Array, Case

NAN, INF = np.nan, np.inf


def case(name: str, *args: Any, **params: Any) -> Case:
    op = PRIMITIVES[name]
    return Case(op, *op.bind(args, params))


def flows(name: str, *args: Any, g: Any = None, **params: Any) -> list[Array]:
    """The cotangents from a seed of ones, or from g."""
    one = case(name, *args, **params)
    return one.flows(np.ones(np.shape(one.run()[0]))[()] if g is None else g)


# ----- powers


@pytest.mark.parametrize(
    ("x", "y", "by_x", "by_y"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 2.0, 0.0, 0.0),
        (0.0, 0.5, INF, 0.0),
        (0.0, -1.0, -INF, 0.0),
        (-2.0, 3.0, 12.0, 0.0),
        (-2.0, 0.0, 0.0, 0.0),
        (INF, 0.0, 0.0, None),
        (4.0, 0.5, 0.25, 2 * np.log(4.0)),
        (-8.0, 1 / 3, NAN, 0.0),
    ],
)
def test_a_power_has_the_slope_that_its_limit_has(x: float, y: float, by_x: float, by_y: Any):
    """As recorded values, and with the exponent or the base as a number in the program."""
    with np.errstate(all="ignore"):
        found = flows("pow", np.float64(x), np.float64(y))
        np.testing.assert_array_equal(found[0], by_x)
        np.testing.assert_array_equal(flows("pow", np.float64(x), y)[0], by_x)
        if by_y is not None:
            np.testing.assert_allclose(found[1], by_y, rtol=1e-15)
            np.testing.assert_allclose(flows("pow", x, np.float64(y))[1], by_y, rtol=1e-15)


def test_the_mixed_second_derivative_of_a_power_is_right_where_the_exponent_is_0():
    """d²/dxdy x^y = x^(y−1) (1 + y log x), which is 1/x at y = 0."""
    import tracer as tr

    x, y = tr.tensor(2.0), tr.tensor(0.0)
    by_x = tr.grad(x**y, x, create_graph=True)
    assert by_x.item() == 0
    assert tr.grad(by_x, y) == 0.5


# ----- kinks, ties, NaN


@pytest.mark.parametrize("name", ["abs", "relu", "sign"])
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_kink_of_one_input_gives_0(name: str, zero: float):
    assert flows(name, np.float64(zero))[0] == 0
    assert flows(name, np.array([zero]))[0] == [0]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_inputs_of_which_neither_wins_share_equally(name: str):
    x, y = np.array([1.0, NAN, 1.0, INF]), np.array([1.0, 1.0, NAN, INF])
    for flow in flows(name, x, y):
        np.testing.assert_array_equal(flow, [0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_equally_and_a_nan_makes_all_of_its_row_a_tie(name: str):
    x = np.array([[2.0, 2.0, 2.0, 2.0], [1.0, NAN, 3.0, 2.0]])
    value, _ = case(name, x, axis=1).run()
    np.testing.assert_array_equal(value, [2.0, NAN])
    np.testing.assert_array_equal(flows(name, x, axis=1)[0], np.full((2, 4), 0.25))


@pytest.mark.parametrize("far", [1e20, -1e20, INF])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_tanh_form_of_gelu_is_flat_far_out(far: float, dtype: Any):
    """There x³ overflows, and ∞ · 0 is not a number."""
    (slope,) = flows("gelu", np.array([far, 0.5], dtype), approximate="tanh")
    assert slope[0] == (far > 0)
    assert slope[1] == flows("gelu", np.array([0.5], dtype), approximate="tanh")[0]


def test_the_mean_that_a_variance_saves_is_infinite_beside_an_infinite_number():
    for dtype in (np.float32, np.float64):
        _, saved = case("var", np.array([INF, 1.0, 2.0], dtype)).run()
        assert saved["mean"] == INF


def test_the_largest_of_truths_in_a_window_is_whether_there_is_one():
    x = np.array([[[True, False, False, False]]])
    np.testing.assert_array_equal(ops.max_pool1d(x, kernel_size=2), [[[True, False]]])


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_shares_of_no_classes_are_none_as_in_pytorch(name: str, axis: int):
    x = np.empty((3, 0), np.float32)
    one = case(name, x, axis=axis)
    parts: Any = one.op.parts
    for value in (one.run()[0], parts(x, axis=axis), flows(name, x, axis=axis)[0]):
        assert value.shape == (3, 0)
        assert value.dtype == np.float32


def test_a_loss_over_no_classes_is_refused():
    with pytest.raises(ValueError, match="no class to choose"):
        ops.cross_entropy(np.empty((3, 0)), np.zeros(3, int))


def test_one_matrix_that_is_not_finite_leaves_the_determinants_of_the_others_alone():
    a = np.array([[[NAN, 1], [1, 2]], [[1, 2], [3, 4]], [[INF, 1], [1, 2]]])
    (by_det,) = flows("det", a)
    np.testing.assert_allclose(by_det[1], [[4, -3], [-2, 1]])
    assert np.isnan(by_det[0]).all()
    np.testing.assert_allclose(flows("log_abs_det", a)[0][1], [[-2, 1.5], [1, -0.5]])


@pytest.mark.parametrize("name", ["max", "min"])
def test_the_largest_of_nothing_is_refused(name: str):
    with pytest.raises(ValueError, match="no identity"):
        PRIMITIVES[name](np.empty((0, 3)), axis=0)


def test_relu_and_maximum_pass_nan_on():
    for x in (np.float64(NAN), np.array([NAN])):
        assert np.isnan(ops.relu(x))
        assert np.isnan(ops.maximum(x, 0))


def test_a_step_function_stops_even_an_infinite_cotangent():
    assert flows("sign", np.array([2.0]), g=np.array([INF]))[0] == 0


def test_a_choice_keeps_what_was_not_chosen_out():
    x = np.array([NAN, 1.0])
    chosen = np.array([False, True])
    np.testing.assert_array_equal(ops.where(chosen, x, 0), [0, 1])
    by_x, by_y = flows("where", chosen, x, x, g=np.array([INF, 2.0]))[1:]
    np.testing.assert_array_equal(by_x, [0, 2])
    np.testing.assert_array_equal(by_y, [INF, 0])


# ----- infinite slopes and facts of IEEE arithmetic


def test_infinite_slopes_are_infinite():
    assert flows("sqrt", np.float64(0.0))[0] == INF
    assert flows("log", np.float64(0.0))[0] == INF
    assert flows("log1p", np.float64(-1.0))[0] == INF
    assert ops.div(np.float64(1.0), np.float64(0.0)) == INF
    assert ops.div(1.0, 0.0) == INF


def test_the_mean_of_nothing_is_nan_and_sends_nothing():
    assert np.isnan(ops.mean(np.empty((0, 3))))
    np.testing.assert_array_equal(ops.mean(np.empty((0, 3)), axis=0), np.full(3, NAN))
    assert ops.mean(np.empty((0, 3)), axis=1).shape == (0,)
    assert flows("mean", np.empty((0, 3)))[0].shape == (0, 3)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_the_reductions_take_the_axes_that_numpy_takes(name: str):
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis in (None, 0, -1, (0, 2), (-1, 0), ()):
        for keepdims in (False, True):
            wanted = getattr(np, name)(x, axis=axis, keepdims=keepdims)
            np.testing.assert_array_equal(PRIMITIVES[name](x, axis, keepdims), wanted)
            assert flows(name, x, axis=axis, keepdims=keepdims)[0].shape == x.shape
    with pytest.raises(np.exceptions.AxisError):
        PRIMITIVES[name](x, axis=3)


# ----- losses


def test_a_saturated_sigmoid_is_exactly_flat_and_finite():
    x = np.array([-1e4, 1e4])
    np.testing.assert_array_equal(ops.sigmoid(x), [0, 1])
    np.testing.assert_array_equal(flows("sigmoid", x)[0], [0, 0])


def test_masked_logits_are_left_out():
    """Minus infinity is how a class is masked: it gets no share and no gradient, and the others lack nothing."""
    x = np.array([0.5, -INF, 1.5])
    few = np.array([0.5, 1.5])
    np.testing.assert_array_equal(ops.softmax(x)[[0, 2]], ops.softmax(few))
    assert ops.softmax(x)[1] == 0
    g = np.array([1.0, 5.0, -2.0])
    np.testing.assert_array_equal(flows("softmax", x, g=g)[0][1], 0)
    loss = ops.cross_entropy(x, 2)
    assert loss == ops.cross_entropy(few, 1)
    np.testing.assert_allclose(
        flows("cross_entropy", x, np.int64(2))[0], [ops.softmax(few)[0], 0, ops.softmax(few)[1] - 1]
    )


def test_cross_entropy_of_one_sample_is_that_of_a_batch_of_one():
    x = np.array([0.3, -1.0, 2.0])
    alone, batch = ops.cross_entropy(x, np.int64(1)), ops.cross_entropy(x[None], np.array([1]))
    assert alone == batch
    one, many = flows("cross_entropy", x, 1)[0], flows("cross_entropy", x[None], np.array([1]))[0]
    np.testing.assert_array_equal(one, many[0])


@pytest.mark.parametrize(
    ("logits", "target", "error", "word"),
    [
        (np.zeros((2, 3)), np.array([0.0, 1.0]), TypeError, "integers, not float64"),
        (np.zeros((2, 3)), np.array([True, False]), TypeError, "integers, not bool"),
        (np.zeros((2, 3)), np.array([0, 3]), ValueError, "class 3 lies outside the 3 classes"),
        (np.zeros((2, 3)), np.array([-1, 0]), ValueError, "class -1 lies outside"),
        (np.zeros((2, 3)), np.array([[0], [1]]), ValueError, r"shape \(2, 1\)"),
        (np.zeros((2, 3)), 1, ValueError, r"shape \(\)"),
        (np.float64(0.0), np.int64(0), ValueError, "rank 0"),
    ],
)
def test_cross_entropy_says_what_is_wrong_with_a_target(
    logits: Array, target: Any, error: type[Exception], word: str
):
    with pytest.raises(error, match=word):
        ops.cross_entropy(logits, target)


def test_one_hot_refuses_a_class_that_is_not_there():
    with pytest.raises(ValueError, match="class 3 lies outside the 3 classes, 0 to 2"):
        ops.one_hot(np.array([0, 3]), classes=3)
    with pytest.raises(TypeError, match="float64"):
        ops.one_hot(np.array([0.0]), classes=3)


def test_the_loss_of_an_empty_batch_is_nan_and_sends_nothing():
    assert np.isnan(ops.mse_loss(np.empty((0, 2)), np.empty((0, 2))))
    assert np.isnan(ops.cross_entropy(np.empty((0, 2)), np.empty(0, dtype=int)))
    assert flows("mse_loss", np.empty((0, 2)), np.ones(2))[0].shape == (0, 2)
    np.testing.assert_array_equal(flows("mse_loss", np.empty((0, 2)), np.ones(2))[1], [0, 0])
    assert flows("cross_entropy", np.empty((0, 2)), np.empty(0, dtype=int))[0].shape == (0, 2)


def test_binary_cross_entropy_is_clamped_as_pytorch_clamps_it():
    """At p = 0 and 1 the loss of a wrong prediction is 100, and the slope ±1e12 where the true one is infinite."""
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    assert ops.binary_cross_entropy(p, t) == 50
    np.testing.assert_allclose(
        4 * flows("binary_cross_entropy", p, t)[0], [-1e12, 1e12, 0, 0], rtol=1e-15
    )
    np.testing.assert_allclose(4 * flows("binary_cross_entropy", p, t)[1], [100, -100, 100, -100])


def test_a_batch_of_one_normalises_to_beta_and_sends_nothing_to_x():
    x, gamma, beta = np.array([[3.0, -1e3]]), np.array([2.0, 2.0]), np.array([0.5, 0.1])
    np.testing.assert_array_equal(ops.batch_norm(x, gamma, beta), beta[None])
    by_x, by_gamma, by_beta = flows("batch_norm", x, gamma, beta)
    assert not by_x.any()
    assert not by_gamma.any()
    np.testing.assert_array_equal(by_beta, [1, 1])


def test_batch_norm_takes_python_numbers_for_scale_and_shift():
    x = np.array([[1.0], [2.0], [4.0]], dtype=np.float32)
    assert ops.batch_norm(x, 2.0, 0.0).dtype == np.float32
    np.testing.assert_array_equal(
        flows("batch_norm", x, 2.0, 0.0, g=x)[0],
        flows("batch_norm", x, np.float32(2.0), np.float32(0.0), g=x)[0],
    )


# ----- dtypes


@pytest.mark.parametrize(
    "name", ["add", "mul", "div", "pow", "maximum", "matmul", "mse_loss", "binary_cross_entropy"]
)
def test_of_mixed_precision_each_input_receives_its_own(name: str):
    x, y = np.full((2, 2), 0.5, dtype=np.float32), np.full((2, 2), 0.25)
    assert PRIMITIVES[name](x, y).dtype == np.float64
    assert [flow.dtype for flow in flows(name, x, y)[:2]] == [np.float32, np.float64]


def test_a_cast_gives_the_cotangent_back_in_the_dtype_of_its_input():
    x, g = np.array([1.0, 2.0]), np.array([0.1, 0.2], dtype=np.float32)
    assert ops.astype(x, dtype="float32").dtype == np.float32
    (flow,) = flows("astype", x, dtype="float32", g=g)
    assert flow.dtype == np.float64
    np.testing.assert_array_equal(flow, g)


def test_sums_of_booleans_and_integers_count():
    assert ops.sum(np.array([True, True, False])) == 2
    assert ops.mean(np.array([True, True, False, False])) == 0.5
    assert ops.mean(np.array([1, 2])).dtype == np.float64
    assert ops.max(np.array([1, 3])).dtype == np.int64


# ----- shapes


@pytest.mark.parametrize(
    ("shape", "to"), [((4,), (2, 2)), ((2, 6), (3, 4)), ((3,), (2,)), ((3, 4), (3,)), ((), (1,))]
)
def test_sum_to_refuses_a_shape_that_does_not_broadcast_back(shape: Any, to: Any):
    with pytest.raises(ValueError, match="does not broadcast to"):
        ops.sum_to(np.ones(shape)[()], shape=to)


def test_concatenate_along_no_axis_is_refused():
    with pytest.raises(TypeError, match="reshape"):
        ops.concatenate([np.ones(2), np.ones((2, 2))], axis=None)


def test_joining_one_array_alone():
    x = np.ones((2, 3))
    np.testing.assert_array_equal(ops.concatenate([x], axis=1), x)
    np.testing.assert_array_equal(ops.stack([x], axis=-1), x[..., None])
    assert flows("stack", x, axis=-1, g=x[..., None])[0].shape == (2, 3)


@pytest.mark.parametrize("infinity", [INF, -INF])
def test_two_equal_infinities_add_up_to_themselves_in_the_parts_of_logaddexp_too(infinity):
    x = np.array([infinity, infinity, 1.0])
    y = np.array([infinity, -infinity, 1.0])
    parts: Any = PRIMITIVES["logaddexp"].parts
    with np.errstate(invalid="ignore"):
        opened = parts(x, y)
    np.testing.assert_array_equal(opened, np.logaddexp(x, y))
