"""Properties over drawn shapes, axes and indices. Whole numbers make every sum exact, so that equal means equal."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ops
import tracer as tr
from ops import PRIMITIVES
from ops.shape import Slot, filled, split_index
from tests.ops.cases import Array, Case

quick = settings(max_examples=60, derandomize=True, deadline=None, database=None)

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
TWO_SHAPES = hnp.mutually_broadcastable_shapes(
    num_shapes=2, min_dims=0, max_dims=3, min_side=0, max_side=3
)


def whole(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Small whole numbers, none of them 0, as float64."""
    drawn = np.random.default_rng([seed, *shape]).integers(1, 8, size=shape)
    return np.asarray(drawn * np.where(drawn % 2, 1, -1), dtype=np.float64)[()]


def pulled(name: str, g: Array, *args: Any, **params: Any) -> list[Array]:
    op = PRIMITIVES[name]
    return Case(op, *op.bind(args, params)).flows(g)


def value(name: str, *args: Any, **params: Any) -> Array:
    op = PRIMITIVES[name]
    return op.run(*op.bind(args, params))[0]


def summed(x: Array, shape: tuple[int, ...]) -> Array:
    """The sum over the axes that broadcasting added or stretched, one axis at a time."""
    while x.ndim > len(shape):
        x = x.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and x.shape[axis] != 1:
            x = x.sum(axis=axis, keepdims=True)
    return x


TWO_INPUTS = ["add", "sub", "mul", "maximum", "minimum", "where"]


@pytest.mark.parametrize("name", TWO_INPUTS)
@quick
@given(shapes=TWO_SHAPES)
def test_a_flow_is_summed_over_the_axes_that_were_broadcast(name: str, shapes: Any):
    """What a broadcast input receives is the sum of what its copies receive when they are laid out by hand."""
    (one, other), full = shapes.input_shapes, shapes.result_shape
    x, y, g = whole(one, 1), whole(other, 2), whole(full, 3)
    lead = (whole(full, 4) > 0,) if name == "where" else ()
    copies = [np.broadcast_to(each, full).copy()[()] for each in (x, y)]
    np.testing.assert_array_equal(value(name, *lead, x, y), value(name, *lead, *copies))
    found, wanted = pulled(name, g, *lead, x, y), pulled(name, g, *lead, *copies)
    for flow, long, shape in zip(
        found[len(lead) :], wanted[len(lead) :], (one, other), strict=True
    ):
        assert flow.shape == shape
        np.testing.assert_array_equal(flow, summed(np.asarray(long), shape))


def assert_transpose(name: str, xs: list[Array], *rest: Any, **params: Any) -> None:
    """Of a linear operation the rule is the transpose: ⟨g, A x⟩ = Σᵢ ⟨(Aᵀ g)ᵢ, xᵢ⟩, exactly."""
    out = value(name, *xs, *rest, **params)
    g = whole(np.shape(out), 9)
    flows = pulled(name, g, *xs, *rest, **params)[: len(xs)]
    assert [flow.shape for flow in flows] == [np.shape(x) for x in xs]
    assert np.sum(g * out) == sum(np.sum(flow * x) for flow, x in zip(flows, xs, strict=True))


@quick
@given(shapes=TWO_SHAPES)
def test_broadcast_to_and_sum_to_are_transposes_of_each_other(shapes: Any):
    small, full = shapes.input_shapes[0], shapes.result_shape
    x, y = whole(small), whole(full, 1)
    assert_transpose("broadcast_to", [x], shape=full)
    assert_transpose("sum_to", [y], shape=small)
    np.testing.assert_array_equal(
        pulled("broadcast_to", y, x, shape=full)[0], summed(np.asarray(y), small)
    )


@quick
@given(shape=SHAPES, data=st.data(), keepdims=st.booleans())
def test_sums_over_any_axes_are_numpys(shape: tuple[int, ...], data: Any, keepdims: bool):
    x = whole(shape)
    axes = st.none() if not shape else st.none() | hnp.valid_tuple_axes(len(shape))
    axis = data.draw(axes)
    np.testing.assert_array_equal(ops.sum(x, axis, keepdims), np.sum(x, axis, keepdims=keepdims))
    assert_transpose("sum", [x], axis=axis, keepdims=keepdims)


@quick
@given(shape=SHAPES, data=st.data())
def test_transposed_axes_go_back_where_they_came_from(shape: tuple[int, ...], data: Any):
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    mixed = tuple(a - len(shape) if k % 2 else a for k, a in enumerate(axes))
    x = whole(shape)
    assert_transpose("transpose", [x], axes=mixed)
    back = pulled("transpose", value("transpose", x, axes=mixed), x, axes=mixed)[0]
    np.testing.assert_array_equal(back, x)


@quick
@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=3), data=st.data())
def test_what_was_joined_is_taken_apart_again(shape: tuple[int, ...], data: Any):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    xs = [
        whole(tuple(n if a == axis % len(shape) else size for a, size in enumerate(shape)), k)
        for k, n in enumerate(sizes)
    ]
    joined = value("concatenate", *xs, axis=axis)
    for flow, x in zip(pulled("concatenate", joined, *xs, axis=axis), xs, strict=True):
        np.testing.assert_array_equal(flow, x)
    layers = [whole(shape, k) for k in range(len(sizes))]
    for at in range(-len(shape) - 1, len(shape) + 1):
        stacked = value("stack", *layers, axis=at)
        for flow, x in zip(pulled("stack", stacked, *layers, axis=at), layers, strict=True):
            np.testing.assert_array_equal(flow, x)


# ----- indexing


def assert_index(x: Array, index: Any) -> None:
    """The value is numpy's, the rule is its transpose, and adding back at the index gives what is summed there."""
    template, arrays = split_index(index)
    np.testing.assert_array_equal(value("getitem", x, *arrays, index=template), x[index])
    assert_transpose("getitem", [x], *arrays, index=template)
    values = whole(np.shape(x[index]), 5)
    assert_transpose("scatter_add", [values], *arrays, index=template, shape=x.shape)
    wanted = np.zeros(x.shape)
    np.add.at(wanted, index, values)
    np.testing.assert_array_equal(ops.scatter_add(values, index, shape=x.shape), wanted)


@quick
@given(
    shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    data=st.data(),
)
def test_a_basic_index_is_numpys(shape: tuple[int, ...], data: Any):
    """Integers, slices with steps of both signs, Ellipsis, newaxis."""
    assert_index(whole(shape), data.draw(hnp.basic_indices(shape, allow_newaxis=True)))


@quick
@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), data=st.data())
def test_index_arrays_are_numpys_also_where_they_repeat(shape: tuple[int, ...], data: Any):
    index = data.draw(
        hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4))
    )
    assert_index(whole(shape), index)


X = whole((3, 4))


@pytest.mark.parametrize(
    "index",
    [
        X > 0,
        (X > 0)[:, 0],
        (slice(None), np.array([True, False, False, True])),
        [2, 0, 2],
        [],
        ([0, 1], [1, 1]),
        ([[0], [2]], [3, 3]),
        (0, slice(None), None),
        (slice(None), [1, 1], None),
        ([0, 2], Ellipsis),
        (np.int64(1), np.int32(-1)),
        np.array(1),
        True,
        (False, 0),
        (slice(np.int64(0), np.int64(2)), slice(None, None, -2)),
        (),
        Ellipsis,
        None,
    ],
    ids=str,
)
def test_every_way_to_index_is_numpys(index: Any):
    assert_index(X, index)
    picked = tr.tensor(X)[index]
    np.testing.assert_array_equal(picked.value, X[index])


def test_an_index_may_be_recorded_itself():
    x, rows = tr.tensor(X), tr.tensor([2, 0, 2])
    picked = x[rows]
    assert picked.inputs[1] is rows
    picked.backward(np.ones((3, 4)))
    np.testing.assert_array_equal(x.grad, [[1] * 4, [0] * 4, [2] * 4])


def test_a_template_holds_only_what_a_trace_can_keep():
    template, arrays = split_index((np.int64(1), slice(np.int64(0), None), [0, 1], None, ...))
    assert template == (1, slice(0, None), Slot(0), None, ...)
    assert [type(each) for each in (template[0], template[1].start)] == [int, int]
    assert filled(template, arrays)[2].tolist() == [0, 1]


# ----- matrix products

RANKS = [(2,), (3, 2), (2, 3, 2), (2, 2, 3, 2)]
RIGHT = [(2,), (2, 4), (2, 2, 4), (1, 2, 4), (2, 1, 2, 4)]
EMPTY = [
    ((0, 2), (2, 4)),
    ((3, 0), (0, 4)),
    ((3, 2), (2, 0)),
    ((0,), (0,)),
    ((0, 3, 2), (2, 4)),
    ((2, 3, 0), (0,)),
]


@pytest.mark.parametrize(("left", "right"), [*itertools.product(RANKS, RIGHT), *EMPTY])
def test_matmul_follows_numpys_rules_for_every_pair_of_ranks(left: Any, right: Any):
    x, y = whole(left, 1), whole(right, 2)
    wanted = np.matmul(x, y)
    out = value("matmul", x, y)
    assert np.shape(out) == np.shape(wanted)
    np.testing.assert_array_equal(out, wanted)
    g = whole(np.shape(out), 3)
    by_x, by_y = pulled("matmul", g, x, y)
    assert (by_x.shape, by_y.shape) == (left, right)
    for seed in (4, 5):  # linear in either input: ⟨g, dx @ y⟩ = ⟨by_x, dx⟩
        dx, dy = whole(left, seed), whole(right, seed)
        assert np.sum(g * np.matmul(dx, y)) == np.sum(by_x * dx)
        assert np.sum(g * np.matmul(x, dy)) == np.sum(by_y * dy)


@pytest.mark.parametrize(
    ("left", "right"), [((), (2,)), ((2, 3), (2, 3)), ((2,), ()), ((2, 2, 3), (3, 3, 1))]
)
def test_matmul_refuses_what_numpy_refuses(left: Any, right: Any):
    with pytest.raises(ValueError, match=r"inner sizes differ|no matrix|do not broadcast"):
        ops.matmul(whole(left), whole(right))
