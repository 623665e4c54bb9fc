"""Copies on a device: axes, slices, slabs, edges and triangles have numpy's elements, bit for bit, in every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops import rearranging
from ops.cuda.moving import family as moving
from ops.cuda.moving import strides as moving_strides
from ops.cuda.moving.strides import View, move, view_of, viewed
from ops.cuda.native import compute, pull
from ops.devices.arrays import DeviceArray, empty
from ops.devices.interpreting import INTERPRET
from ops.primitive import PRIMITIVES
from ops.shape import getitem, scatter_add
from tests.ops.cuda.moved import assert_moves, assert_same, there

REARRANGING = (
    "reshape transpose broadcast_to diagonal tril triu concatenate stack roll repeat tile pad"
).split()
SUMMED = ("broadcast_to", "repeat", "tile")
"""Their flows are sums, which another family computes, in an order of its own."""

SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in REARRANGING
    for number, sample in enumerate(PRIMITIVES[name].samples(np.random.default_rng(7)))
]

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def numbers(shape: Any, dtype: Any = np.float32) -> Any:
    """Different elements, as far as the dtype has them."""
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return (x % 3 == 0) if dtype is np.bool_ else x.astype(dtype)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that run."""
    names: list[str] = []
    launch = type(INTERPRET).launch

    def noted(self: Any, kernel: Any, *rest: Any) -> None:
        names.append(kernel.name)
        launch(self, kernel, *rest)

    monkeypatch.setattr(type(INTERPRET), "launch", noted)
    return names


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_what_is_rearranged_has_the_bits_of_numpy_and_so_have_its_flows(name, sample, dtype):
    args = [np.asarray(x, dtype) for x in sample.args]
    assert_moves(name, *args, ulps=4 if name in SUMMED else 0, **sample.params)


@pytest.mark.parametrize("dtype", [np.int64, np.bool_])
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_whole_numbers_and_truths_move_like_floats(name, sample, dtype):
    args = [np.asarray(np.asarray(x) * 10, dtype) for x in sample.args]
    assert_moves(name, *args, **sample.params)


# ----- what costs nothing


def test_a_shape_costs_no_kernel_and_no_memory(launched):
    x = there(numbers((2, 1, 6)))
    made = [
        rearranging.flatten(x),
        rearranging.expand_dims(x, 0),
        rearranging.squeeze(x),
        PRIMITIVES["transpose"](x, axes=(1, 0, 2)),
        PRIMITIVES["broadcast_to"](x, shape=(2, 1, 6)),
        getitem(x, 1),
        getitem(x, (slice(0, 1), 0, slice(2, 5))),
        rearranging.split(x, 2)[1],
    ]
    assert launched == []
    assert all(np.shares_memory(y.memory, x.memory) for y in made)
    assert made[6].numpy().tolist() == [[2.0, 3.0, 4.0]]


def test_a_matrix_is_transposed_through_tiles_and_a_narrow_one_is_not(launched):
    for shape, kernel in (((9, 40), "transpose"), ((40, 3), "move")):
        x = numbers(shape)
        assert_same(PRIMITIVES["transpose"](there(x)), x.T)
        assert launched.pop() == kernel
        assert launched == []


def test_what_is_written_across_is_written_through_tiles_too(launched):
    x, out = there(numbers((40, 9))), empty(INTERPRET, (9, 40), np.float32)
    move(x, view_of(x.shape, lambda seen: seen), out, view_of(out.shape, np.transpose))
    assert launched == ["transpose"]
    assert_same(out, x.numpy().T)


def test_one_kernel_puts_a_box_into_its_frame(launched):
    for index in ((slice(1, 3),), (slice(None), 2), (Ellipsis, slice(1, 3), slice(2, 4))):
        values = there(numbers(np.zeros((4, 5, 6))[index].shape))
        scatter_add(values, index, shape=(4, 5, 6))
        assert launched == ["frame"]
        launched.clear()


# ----- axes


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=6, max_side=4))
def test_any_order_of_axes_is_that_of_numpy(data, shape):
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    x = numbers(shape)
    assert_same(PRIMITIVES["transpose"](there(x), axes=axes), x.transpose(axes))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((33, 31), (1, 0)),
        ((2, 9, 40), (0, 2, 1)),
        ((2, 9, 3, 8), (0, 3, 1, 2)),
        ((2, 8, 3, 9), (3, 0, 2, 1)),
        ((9, 2, 3, 10), (3, 2, 1, 0)),
        ((2, 3, 2, 3, 2, 3), (4, 2, 0, 5, 3, 1)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.bool_])
def test_long_axes_cross_each_other_through_tiles(shape, axes, dtype):
    x = numbers(shape, dtype)
    assert_same(PRIMITIVES["transpose"](there(x), axes=axes), x.transpose(axes))


def test_swapping_moving_and_flipping_axes_are_those_of_numpy():
    x = numbers((2, 3, 4))
    assert_same(rearranging.swapaxes(there(x), 0, 2), np.swapaxes(x, 0, 2))
    assert_same(rearranging.moveaxis(there(x), 0, -1), np.moveaxis(x, 0, -1))
    assert_same(rearranging.flip(there(x), (0, 2)), np.flip(x, (0, 2)))
    pieces = rearranging.split(there(x), [1, 3], axis=2)
    for piece, want in zip(pieces, np.split(x, [1, 3], axis=2), strict=True):
        assert_same(piece, want)


# ----- slices


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=SHAPES)
def test_any_index_of_slices_and_integers_reads_and_returns_as_numpy_does(data, shape):
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    index = index if isinstance(index, tuple) else (index,)
    assert_moves("getitem", numbers(shape), index=index)
    values = numbers(np.zeros(shape)[index].shape)
    assert_moves("scatter_add", values, index=index, shape=shape)


def test_values_are_broadcast_over_the_slice_that_they_are_put_into():
    index = (slice(None, None, -2), Ellipsis)
    assert_moves("scatter_add", numbers((1, 3)), index=index, shape=(5, 3), ulps=4)
    assert_moves("scatter_add", numbers(3), index=(slice(None),), shape=(2, 3), ulps=4)


def test_what_lies_past_an_axis_is_refused_in_the_words_of_numpy():
    for index in ((3,), (0, -3), (0, 0, 0), (Ellipsis, Ellipsis)):
        with pytest.raises(IndexError) as host:
            numbers((3, 2))[index]
        with pytest.raises(IndexError) as ours:
            getitem(there(numbers((3, 2))), index)
        assert str(ours.value) == str(host.value)
    with pytest.raises(ValueError, match="cannot reshape"):
        PRIMITIVES["reshape"](there(numbers((3, 2))), shape=(4, -1))


# ----- slabs, copies, edges


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(max_dims=4, max_side=4))
def test_joined_arrays_lie_in_their_slabs(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    widths = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    parts = []
    for width in widths:
        sizes = list(shape)
        sizes[axis] = width
        parts.append(numbers(sizes) + len(parts))
    assert_moves("concatenate", *parts, axis=axis)
    whole = data.draw(st.integers(-len(shape) - 1, len(shape)))
    assert_moves("stack", numbers(shape), numbers(shape) + 1, axis=whole)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(max_dims=3, min_side=0, max_side=5))
def test_a_roll_by_anything_is_that_of_numpy(data, shape):
    axes = data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=3))
    shift = data.draw(st.integers(-9, 9))
    assert_moves("roll", numbers(shape), shift=shift, axis=tuple(axes))
    assert_moves("roll", numbers(shape), shift=(shift, 1), axis=axes[0])
    assert_moves("roll", numbers(shape), shift=shift)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(max_dims=3, max_side=3))
def test_an_edge_of_any_kind_is_that_of_numpy(data, shape):
    mode = data.draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    width = tuple(data.draw(st.tuples(st.integers(0, 4), st.integers(0, 3))) for _ in shape)
    assert_moves("pad", numbers(shape), pad_width=width, mode=mode)


def test_a_constant_edge_has_the_dtype_of_the_array():
    for dtype, value in ((np.float32, 0.1), (np.float32, np.inf), (np.int64, 7), (np.bool_, 1)):
        x = numbers((2, 2), dtype)
        assert_moves("pad", x, pad_width=((1, 0), (0, 2)), constant_values=value)


@settings(max_examples=30, deadline=None)
@given(shape=hnp.array_shapes(max_dims=3, min_side=0, max_side=3), data=st.data())
def test_repeated_and_tiled_arrays_are_those_of_numpy(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    each = tuple(data.draw(st.integers(0, 3)) for _ in range(shape[axis]))
    assert_same(
        PRIMITIVES["repeat"](there(numbers(shape)), repeats=each or 2, axis=axis),
        np.repeat(numbers(shape), each or 2, axis=axis),
    )
    reps = tuple(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4)))
    assert_same(PRIMITIVES["tile"](there(numbers(shape)), reps=reps), np.tile(numbers(shape), reps))


@pytest.mark.parametrize("k", [-40, -3, 0, 2, 40])
@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 33), (0, 3), (2, 0)])
def test_a_triangle_drops_what_lies_beyond_its_diagonal_even_nan(shape, k):
    x = numbers(shape)
    x[x % 7 == 0] = np.nan
    for name in ("tril", "triu"):
        assert_moves(name, x, k=k)


# ----- between two views


def test_six_axes_that_cannot_be_joined_are_copied():
    x, out = there(numbers((2, 3, 2, 3, 2, 3))), empty(INTERPRET, (2,) * 6, np.float32)
    index = (slice(None), slice(None, None, -2)) * 3
    source = view_of(x.shape, lambda seen: seen[index])
    move(x, source, out, view_of(out.shape, lambda seen: seen.transpose(5, 3, 1, 4, 2, 0)))
    assert_same(out, x.numpy()[index].transpose(5, 2, 4, 1, 3, 0))


def test_a_view_without_elements_is_copied_to_nothing(launched):
    x = there(numbers((3, 4)))
    assert viewed(x, lambda seen: seen[3:, ::2]).shape == (0, 2)
    assert launched == []


def test_axes_that_step_as_one_are_joined():
    joined = moving_strides._joined(
        [moving_strides._Axis(*a) for a in ((2, 12, 12), (3, 4, 4), (4, 1, 1))]
    )
    assert joined == [(24, 1, 1)]
    assert view_of((2, 3), lambda x: x[:, ::-1]) == View(2, (2, 3), (3, -1))


# ----- what is left to the host

HOST = {
    "sort": "an order of all elements",
    "argsort": "an order of all elements",
    "median": "an order of all elements",
}


@pytest.mark.parametrize("name", HOST)
def test_what_needs_an_order_of_all_elements_is_left_to_the_host(name):
    op = PRIMITIVES[name]
    assert name not in moving.NATIVE
    assert compute(op, [there(numbers((3, 4)))], op.bind((0,), {})[1]).host


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_no_flow_goes_by_the_host(name, sample, monkeypatch):
    def fetched(x: Any) -> Any:
        assert type(x) is not DeviceArray
        return x

    monkeypatch.setattr("ops.cuda.native._here", fetched)
    op = PRIMITIVES[name]
    inputs, params = op.bind(tuple(np.asarray(x, np.float32) for x in sample.args), sample.params)
    out = compute(op, [there(x) for x in inputs], params).value
    flows = pull(op, out, out, [there(x) for x in inputs], [True] * len(inputs), params)
    assert [flow.shape for flow in flows] == [x.shape for x in inputs]


def test_all_other_operations_that_move_elements_have_kernels():
    modules = "shape picking copying embeddings random".split()
    ours = {op.name for op in PRIMITIVES.values() if op.module.removeprefix("ops.") in modules}
    assert ours - set(moving.NATIVE) == {"sum_to"}  # a reduction


def test_what_no_kernel_takes_is_computed_on_the_host():
    op = PRIMITIVES["concatenate"]
    mixed = compute(op, [there(numbers(2)), there(numbers(2, np.int32))], {"axis": 0})
    assert mixed.host
    assert isinstance(mixed.value, DeviceArray)
    assert_same(mixed.value, np.concatenate([numbers(2), numbers(2, np.int32)]))
