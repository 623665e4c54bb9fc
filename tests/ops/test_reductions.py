"""Statistics, scans and orders: PyTorch's numbers, numpy's arguments, zeros, ties, NaN, empty arrays, single numbers.

`reductions_golden.json` was made by `reductions_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ops
import tracer as tr
from ops import PRIMITIVES
from tests.ops.test_broadcasting import SHAPES, assert_transpose, quick, whole

GOLDEN = json.loads(Path(__file__).with_name("reductions_golden.json").read_text())
NAN, INF = math.nan, math.inf
X, ZEROS, INDEX = (GOLDEN[name] for name in ("X", "ZEROS", "INDEX"))

SAME: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "var": (X, lambda x: tr.var(x, axis=1, ddof=1)),
    "var of all, ddof 0": (X, lambda x: x.var()),
    "std": (X, lambda x: x.std(axis=0, correction=1, keepdims=True)),
    "norm": (X, lambda x: x.norm(axis=1)),
    "norm 1": (X, lambda x: x.norm(1, axis=0)),
    "norm inf": (X, lambda x: x.norm(INF, axis=1)),
    "norm 3": (X, lambda x: x.norm(ord=3, axis=1)),
    "logsumexp": (X, lambda x: x.logsumexp(axis=1)),
    "prod": (X, lambda x: x.prod(1)),
    "prod around zeros": (ZEROS, lambda x: x.prod(axis=-1)),
    "cumsum": (X, lambda x: x.cumsum(1)),
    "cumprod": (X, lambda x: x.cumprod(1)),
    "cumprod around zeros": (ZEROS, lambda x: x.cumprod(-1)),
    "sort": (X, lambda x: tr.sort(x)),
    "median of three": (X, lambda x: tr.median(x, axis=0)),
    "gather": (X, lambda x: x.gather(1, INDEX)),
    "gather a part": (X, lambda x: x.gather(0, np.transpose(INDEX)[:, :2] % 3)),
    "roll": (X, lambda x: x.roll((1, -2), (0, 1))),
    "repeat": (X, lambda x: x.repeat([2, 0, 1], 0)),
    "tile": (X, lambda x: x.tile((2, 1, 2))),
    "pad": (X, lambda x: tr.pad(x, ((0, 0), (1, 2)), constant_values=0.5)),
    "pad reflect": (X, lambda x: tr.pad(x, ((0, 0), (3, 1)), "reflect")),
    "pad edge": (X, lambda x: tr.pad(x, ((0, 0), (1, 3)), mode="edge")),
    "diagonal": (X, lambda x: x.diagonal(1)),
    "tril": (X, lambda x: x.tril(-1)),
}


@pytest.mark.parametrize("name", SAME)
def test_value_gradient_and_second_derivative_are_pytorchs(name: str):
    data, call = SAME[name]
    value, first, second = GOLDEN[name]
    x = tr.tensor(data)
    out = call(x)
    g = np.arange(1.0, out.size + 1)
    g[1::2] *= -1
    by_x = tr.grad((out**2 * g.reshape(out.shape)).sum(), x, create_graph=True)
    again = tr.grad((by_x**2).sum(), x)
    for ours, theirs in ((out.value, value), (by_x.value, first), (again, second)):
        scale = np.max(np.abs(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13 * scale)


# ----- what float32 keeps

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in order": np.ascontiguousarray,
    "turned": np.asfortranarray,
    "with gaps": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((4099, 3), 0),
        ((4099, 3), (0, 1)),
        ((300, 1100), 0),
        ((130, 65, 5), (0, 1)),
        ((2, 5001, 3), -2),
        ((70, 3, 9, 9), (0, 2, 3)),
        ((9000,), None),
        ((70, 0, 80), 0),
    ],
)
def test_sums_of_float32_are_off_by_a_few_ulps_along_every_axis(shape: Any, axis: Any, layout: str):
    """Numbers of one sign: added one after the other they would be off by a hundred."""
    x = LAYOUTS[layout](1 + np.random.default_rng(0).uniform(size=shape).astype(np.float32))
    for keepdims in (False, True):
        for name in ("sum", "mean"):
            with np.errstate(invalid="ignore"):
                exact = getattr(np, name)(x.astype(float), axis=axis, keepdims=keepdims)
            found = PRIMITIVES[name](x, axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(found, exact.astype(np.float32), rtol=1e-6, strict=True)
    if shape[1:] and axis == 0:
        np.testing.assert_allclose(
            ops.sum_to(x, shape=shape[1:]), x.astype(float).sum(0).astype(np.float32), rtol=1e-6
        )


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_variance_of_float32_beside_a_large_mean_keeps_its_digits(name: str):
    """PyTorch 2.13 is off by 5e-8 here; two passes of plain sums would be off ninefold."""
    x = (1e4 + np.random.default_rng(0).normal(size=(65536, 8))).astype(np.float32)
    exact = getattr(np, name)(x.astype(float), axis=0)
    np.testing.assert_allclose(PRIMITIVES[name](x, axis=0), exact, rtol=1e-6)


# ----- every axis that numpy takes

ALL = {
    "var": np.var,
    "std": np.std,
    "prod": np.prod,
    "any": np.any,
    "all": np.all,
    "median": np.median,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "logsumexp": lambda x, axis, keepdims: (
        np.logaddexp.reduce(x, axis, keepdims=keepdims)
        if np.ndim(axis) == 0 and axis is not None
        else np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_a_reduction_takes_the_axes_that_numpy_takes(name: str):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 0, -1, (0, 2), (-1, 0), ()):
        for keepdims in (False, True):
            out = getattr(ops, name)(x, axis=axis, keepdims=keepdims)
            wanted = ALL[name](x, axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(out, wanted, rtol=1e-13, strict=True)
            t = tr.tensor(x)
            if out.dtype.kind == "f":
                getattr(tr, name)(t, axis=axis, keepdims=keepdims).sum().backward()
                assert t.grad.shape == x.shape
    for axis in (3, (0, 0)):
        with pytest.raises((np.exceptions.AxisError, ValueError)):
            getattr(ops, name)(x, axis=axis)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_a_place_is_that_of_numpy(name: str):
    x = np.array([[1.0, NAN, 3.0], [3.0, 3.0, -1.0]])
    for axis in (None, 0, -1):
        for keepdims in (False, True):
            np.testing.assert_array_equal(
                getattr(tr.tensor(x), name)(axis, keepdims).value,
                getattr(np, name)(x, axis, keepdims=keepdims),
                strict=True,
            )
    with pytest.raises(tr.errors.ShapeError, match=r"empty(.|\n)*leave empty batches out"):
        getattr(tr.tensor(np.empty((0, 3))), name)(axis=0)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "sort", "argsort"])
def test_along_an_axis_or_of_all_elements_as_numpy(name: str):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 0, 1, -1):
        wanted = getattr(np, name)(x, axis=axis)
        np.testing.assert_array_equal(getattr(ops, name)(x, axis=axis), wanted, strict=True)
    with pytest.raises(tr.errors.ShapeError, match="axis 1 is out of bounds"):
        getattr(tr, name)(tr.tensor([1.0, 2.0]), axis=1)


@quick
@given(shape=SHAPES, data=st.data())
def test_the_running_sum_from_the_other_end_is_its_transpose(shape: tuple[int, ...], data: Any):
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1) if shape else st.none())
    assert_transpose("cumsum", [whole(shape)], axis=axis)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_a_single_number_has_no_axis_to_run_along(name: str):
    np.testing.assert_array_equal(getattr(ops, name)(2.0), [2.0])
    with pytest.raises(tr.errors.ShapeError, match="axis 0 is out of bounds"):
        getattr(tr.tensor(2.0), name)(0)


# ----- statistics


def test_ddof_and_correction_are_one_thing_and_too_large_a_one_is_nan():
    x = np.array([1.0, 2.0, 6.0])
    assert ops.var(x, ddof=1) == ops.var(x, correction=1) == 7.0
    assert ops.std([1.0, 2.0, 6.0], None, 1) == math.sqrt(7.0)
    one = tr.tensor([[3.0], [4.0]])
    for name in ("var", "std"):
        assert np.isnan(getattr(one, name)(axis=1, ddof=1).value).all()
        assert np.isnan(getattr(one, name)(axis=1, ddof=2).value).all()
        assert np.isnan(getattr(tr, name)(np.empty(0)))
        assert getattr(tr, name)(np.empty((2, 0)), axis=0).shape == (0,)
    with pytest.raises(tr.errors.PrimitiveError, match=r"no parameter 'dim'(.|\n)*try: axis=0"):
        one.var(dim=0)


def test_the_variance_of_large_close_numbers_keeps_its_digits():
    x = 1e8 + np.array([0.0, 1.0, 2.0])
    assert ops.var(x) == 2 / 3
    assert ops.var(np.float32([4097, 4098, 4099])) == np.float32(2 / 3)


def test_at_a_kink_the_deviation_and_the_norm_receive_0():
    for call in (tr.std, tr.norm, lambda x: tr.norm(x, ord=1), lambda x: tr.norm(x, ord=1.5)):
        x = tr.tensor([0.0, 0.0])
        by_x = tr.grad(call(x), x, create_graph=True)
        np.testing.assert_array_equal(by_x.value, [0, 0])
        assert np.isfinite(tr.grad(by_x.sum(), x)).all()
    np.testing.assert_array_equal(tr.grad(tr.std(c := tr.tensor([2.0, 2.0])), c), [0, 0])


def test_ties_of_the_largest_magnitude_share_equally():
    x = tr.tensor([3.0, -3.0, 1.0, 3.0])
    np.testing.assert_allclose(tr.grad(x.norm(INF), x), [1 / 3, -1 / 3, 0, 1 / 3])


def test_the_norm_is_numpys_and_norms_of_matrices_are_refused():
    x = np.array([[3.0, -4.0], [1.0, 2.0]])
    for ord in (None, "fro"):
        assert ops.norm(x, ord=ord) == np.linalg.norm(x, ord)
    for ord in (1, 2, 3, 0.5, -1, INF, -INF):
        np.testing.assert_allclose(ops.norm(x, ord=ord, axis=1), np.linalg.norm(x, ord, 1))
        with pytest.raises(tr.errors.ShapeError, match=r"norm of matrices(.|\n)*reshape\(-1\)"):
            tr.tensor(x).norm(ord)
    for ord in (0, NAN, "nuc"):
        with pytest.raises(tr.errors.ShapeError, match="ord is None"):
            tr.tensor([1.0]).norm(ord)
    assert ops.norm([3, 4]) == 5.0


def test_logsumexp_neither_overflows_nor_loses_what_is_masked():
    assert ops.logsumexp([1000.0, 1000.0]) == 1000 + math.log(2)
    assert ops.logsumexp(np.float32([-1000, -1001])).dtype == np.float32
    assert ops.logsumexp(np.empty(0)) == -INF
    assert ops.logsumexp([INF, 1.0]) == INF
    assert ops.logsumexp([[1, 2]], axis=0).tolist() == [1.0, 2.0]
    x = tr.tensor([[0.0, -INF], [-INF, -INF]])
    out = x.logsumexp(axis=1)
    out.backward(np.ones(2))
    np.testing.assert_array_equal(out.value, [0, -INF])
    np.testing.assert_array_equal(x.grad, [[1, 0], [0, 0]])


# ----- products around zeros


def test_a_product_around_zeros_has_the_products_of_the_others_to_every_order():
    """x y z at (0, 0, 3): all first derivatives are 0, the mixed one of x and y is 3, the third is 1."""
    x = tr.tensor([0.0, 0.0, 3.0])
    first = tr.grad(x.prod(), x, create_graph=True)
    np.testing.assert_array_equal(first.value, [0, 0, 0])
    second = [tr.grad(first[k], x, create_graph=True) for k in range(3)]
    np.testing.assert_array_equal([row.value for row in second], [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(tr.grad(second[0][1], x), [0, 0, 1])


def test_the_product_of_nothing_is_1_and_underflow_does_not_hide_the_others():
    assert ops.prod([]) == 1.0
    assert ops.prod(np.empty((2, 0)), axis=1).tolist() == [1.0, 1.0]
    x = tr.tensor([1e-200, 1e-200, 1e200])
    np.testing.assert_allclose(tr.grad(x.prod(), x), [1.0, 1.0, 0.0])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrence_and_its_reverse_are_transposes(reverse: bool):
    factors = whole((3, 4), 1)
    assert_transpose("linear_recurrence", [whole((3, 4))], factors, axis=1, reverse=reverse)


# ----- order


def test_equal_elements_are_sorted_and_receive_in_the_order_in_which_they_came():
    x = tr.tensor([2.0, 1.0, 2.0, NAN, 0.0, NAN, 2.0])
    out = tr.sort(x)
    np.testing.assert_array_equal(out.value, [0, 1, 2, 2, 2, NAN, NAN])
    out.backward(np.arange(7.0))
    np.testing.assert_array_equal(x.grad, [2, 1, 3, 5, 0, 6, 4])
    assert x.argsort().tolist() == [4, 1, 0, 2, 6, 3, 5]


def test_the_median_goes_to_the_middle_in_order_and_nan_is_passed_on():
    x = tr.tensor([[3.0, 1.0, 3.0, 9.0, 3.0], [4.0, 4.0, NAN, 0.0, 1.0]])
    out = tr.median(x, axis=1)
    np.testing.assert_array_equal(out.value, [3, NAN])
    out.backward(np.array([1.0, 0.0]))
    np.testing.assert_array_equal(x.grad[0], [0, 0, 1, 0, 0])
    assert np.isnan(ops.median(np.empty(0)))
    assert ops.median([1, 2, 3, 10]) == 2.5
    assert ops.median(np.float32([1, 2])).dtype == np.float32
    assert ops.median(np.float64(3.0), keepdims=True) == 3.0


def test_whether_any_or_all_hold_is_guarded_where_a_program_branches_on_it():
    x = tr.tensor([1.0, -2.0])
    assert bool((x > 0).any())
    assert not (x > 0).all()
    assert (x.any().dtype, ops.all([]), ops.any([])) == (np.bool_, True, False)
    with pytest.raises(tr.errors.GradientError, match="any has no derivative"):
        (x.any() * 1.0).backward()


# ----- what holds for all

SMALL = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@pytest.mark.parametrize("name", ["var", "std", "prod", "norm", "logsumexp", "median"])
@quick
@given(shape=SMALL, data=st.data(), keepdims=st.booleans())
def test_the_gradient_has_the_shape_of_its_input_whatever_is_reduced(
    name: str, shape: tuple[int, ...], data: Any, keepdims: bool
):
    """Of a function of degree d, Euler: ⟨gradient, x⟩ = d · value; the log-sum-exp grows as its input is shifted."""
    axis = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)) if shape else st.none())
    x = tr.tensor(whole(shape))
    out = getattr(tr, name)(x, axis=axis, keepdims=keepdims)
    if not out.size or not x.size:
        return
    by_x = tr.grad(out.sum(), x)
    assert by_x.shape == shape
    if name == "logsumexp":
        np.testing.assert_allclose(np.sum(by_x), out.size, rtol=1e-12)
    else:
        terms = x.size // out.size
        degree = {"var": 2, "prod": terms}.get(name, 1)
        np.testing.assert_allclose(
            np.sum(by_x * x.value), degree * np.sum(out.value), rtol=1e-9, atol=1e-9
        )


def test_a_list_is_an_array_and_a_list_of_recorded_values_is_refused():
    for name in ("var", "std", "prod", "norm", "logsumexp", "median", "cumsum", "sort", "argmax"):
        ours = getattr(tr, name)
        np.testing.assert_array_equal(ours([1.0, 3.0, 2.0]), ours(np.array([1.0, 3.0, 2.0])))
        with pytest.raises(tr.errors.PrimitiveError, match=r"history would be lost(.|\n)*stack"):
            ours([tr.tensor(1.0), 2.0])


def test_a_trace_with_reductions_is_kept_in_a_file(tmp_path: Path):
    x = tr.tensor(X, name="x")
    loss = x.norm(INF, axis=1).sum() + x.std(correction=1) + tr.median(x) + x.cumprod(0).sum()
    trace = tr.trace(loss)
    trace.save(tmp_path / "a.trace")
    again = tr.load(tmp_path / "a.trace")
    np.testing.assert_array_equal(again.gradient("x"), trace.gradient("x"))
    np.testing.assert_array_equal(
        again.replay({"x": 2 * np.array(X)}).value(again.loss),
        (trace.replay({"x": 2 * np.array(X)}).value(trace.loss)),
    )


def test_a_reader_of_a_graph_sees_the_familiar_words():
    x = tr.tensor(X, name="x")
    calls = {
        "var": x.var(axis=1),
        "std": x.std(),
        "cumsum": x.cumsum(1),
        "median": tr.median(x),
        "getitem": x.flip(0),
        "transpose": x.swapaxes(0, 1),
        "reshape": x.flatten(),
        "take_along_axis": x.gather(1, INDEX),
    }
    assert {name: out.op.name for name, out in calls.items()} == {name: name for name in calls}
    assert PRIMITIVES["prod"].formula.symbol == "Π"
