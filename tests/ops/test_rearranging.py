"""Shapes, copies and picking: numpy's and PyTorch's values and errors, and rules that are the exact transpose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ops
import tracer as tr
from ops import PRIMITIVES
from tests.ops.test_broadcasting import SHAPES, assert_index, assert_transpose, quick, whole

RANKED = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
X = whole((2, 3, 4))


def axes_of(shape: tuple[int, ...]) -> Any:
    """One axis of a shape, counted from either end."""
    return st.integers(-len(shape), len(shape) - 1)


# ----- what respells reshape, transpose and slices


def functions() -> dict[str, list[Any]]:
    return {
        "swapaxes": [(0, 2), (-1, 1), (1, 1)],
        "moveaxis": [(0, -1), (2, 0), ((0, 1), (-1, 0)), ((-1, 0), (0, 1))],
        "expand_dims": [(0,), (-1,), ((0, 2, -1),), ([1, 0],)],
        "ravel": [()],
        "flip": [(), (0,), (-1,), ((0, 2),)],
        "split": [(3, 1), ([1], 0), ([1, 2], -1), ([], 1), ([2, 1, 9], 1), (2,)],
        "take": [([3, 0, 3], 2), ([[1], [0]], 0), (-1, 1), ([5, -1],), (7,)],
        "roll": [(5,), (-1, 1), ((1, 2), (0, 2)), (2, (0, 1)), ((1, 2), 1)],
        "repeat": [(2,), ([1, 0, 2], 1), (3, -1), ([2], 0), (np.arange(24),)],
        "tile": [(2,), ((2, 1),), ((2, 1, 1, 2),), ([3],), ((),)],
        "pad": [(1,), ((1, 2),), (((1, 2), (0, 0), (3, 1)),), ([[1, 0]],), (np.array([2, 1]),)],
        "diagonal": [(), (1,), (-1, 2, 0), (0, -1, 1)],
        "tril": [(), (1,), (-2,)],
        "triu": [(), (1,), (-2,)],
    }


@pytest.mark.parametrize("name", functions())
def test_it_is_numpys_for_arrays_tensors_and_lists(name: str):
    for args in functions()[name]:
        wanted = getattr(np, name)(X, *args)
        for x in (X, X.tolist(), tr.tensor(X), tr.parameter(X)):
            found = getattr(tr, name)(x, *args)
            several = isinstance(found, list)
            for ours, theirs in zip(
                found if several else [found], wanted if several else [wanted], strict=True
            ):
                if isinstance(x, np.ndarray | list):
                    np.testing.assert_array_equal(ours, theirs, strict=True)
                else:
                    assert ours.op is not None
                    np.testing.assert_array_equal(ours.value, theirs, strict=True)


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (lambda x: tr.squeeze(x[:1]), (3, 4)),
        (lambda x: tr.squeeze(x[:1, :, :1]), (3,)),
        (lambda x: tr.squeeze(x[:1, :, :1], axis=-1), (1, 3)),
        (lambda x: tr.squeeze(x[:1, :, :1], axis=(0, 2)), (3,)),
        (lambda x: x.flatten(), (24,)),
        (lambda x: x.flatten(1), (2, 12)),
        (lambda x: x.flatten(0, 1), (6, 4)),
        (lambda x: x.flatten(-2, -1), (2, 12)),
        (lambda x: x.flatten(1, 1), (2, 3, 4)),
        (lambda x: x[0, 0, 0].flatten(), (1,)),
        (lambda x: x[0, 0, 0].squeeze(), ()),
    ],
)
def test_axes_are_taken_out_and_put_together(call: Any, shape: tuple[int, ...]):
    x = tr.tensor(X)
    out = call(x)
    assert out.shape == shape
    assert out.op.name == "reshape"
    out.backward(np.ones(shape))
    assert x.grad.sum() == math.prod(shape)


def test_wrong_axes_are_named():
    x = tr.tensor(X)
    for call, words in (
        (lambda: x.squeeze(1), "axis 1 of shape .2, 3, 4. has size 3"),
        (lambda: x.flatten(2, 0), "start_axis 2 comes after end_axis 0"),
        (lambda: x.swapaxes(0, 3), "axis 3 is out of bounds"),
        (lambda: x.moveaxis((0, 1), 0), "2 axes cannot go to 1 places"),
        (lambda: x.moveaxis((0, 0), (0, 1)), "repeated axis"),
        (lambda: tr.expand_dims(x, 4), "axis 4 is out of bounds"),
        (lambda: tr.split(x, 2, axis=1), "axis 1 of size 3 has no 2 equal pieces"),
        (lambda: tr.split(x, 0), "no 0 equal pieces"),
        (lambda: x.flip(3), "axis 3 is out of bounds"),
        (lambda: tr.pad(x, ((1, 1), (1, 1))), r"no pair for each of 3 axes(.|\n)*before, after"),
        (lambda: tr.pad(x, 1, "around"), "no mode 'around'"),
        (lambda: tr.pad(x, -1), "negative"),
        (lambda: tr.tensor(np.empty((0, 2))).repeat([1, 2], 0), "could not be broadcast|broadcast"),
        (lambda: x.gather(1, [[1]]), "an index of shape .1, 1. along axis 1 of shape .2, 3, 4."),
        (lambda: x[0].gather(0, [[1] * 5]), "no longer than x"),
        (lambda: tr.take_along_axis(x, np.array([1])), "indices of rank 1 for an array of rank 3"),
        (lambda: tr.tensor(1.0).tril(), "rank 0, but a triangle needs two axes"),
        (lambda: tr.tensor([1.0]).diagonal(), "at least two dimensions"),
    ):
        with pytest.raises((ValueError, tr.errors.GradstepError), match=words):
            call()


def test_what_are_no_places_is_named():
    x = tr.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"indices are integers, not bool(.|\n)*x\[mask\]"):
        x.take([True, False])
    with pytest.raises(tr.errors.DTypeError, match="indices are integers, not float64"):
        tr.take_along_axis(x, np.array([0.0]))
    with pytest.raises(TypeError, match="integers are needed, not float64"):
        x.repeat(1.5)
    with pytest.raises(tr.errors.PrimitiveError, match="history would be lost"):
        tr.flip([x, x])


# ----- rules are transposes


@pytest.mark.parametrize("device", ["cpu", "interpret"])
@pytest.mark.parametrize("mode", ["constant", "edge", "wrap"])
@pytest.mark.parametrize(
    "width", [1, (2,), (1, 2), ((1, 2),), ((1,), (2,)), ((1, 0), (2, 3))], ids=str
)
def test_a_width_of_padding_is_read_as_numpy_reads_it(width: Any, mode: Any, device: str):
    """By the operation too, as it stands in a file: value and rule, on every device."""
    x = np.arange(1.0, 7.0).reshape(2, 3)
    wanted = np.pad(x, width, mode=mode)
    leaf = tr.tensor(x, device=device)
    for padded in (tr.pad(leaf, width, mode), PRIMITIVES["pad"](leaf, pad_width=width, mode=mode)):
        np.testing.assert_array_equal(np.asarray(padded.to("cpu").value), wanted)
        (flow,) = tr.grad(tr.sum(padded * padded), [leaf])
        ones = tr.tensor(x)
        plain = tr.pad(ones, np.broadcast_to(width, (2, 2)).tolist(), mode)
        (expected,) = tr.grad(tr.sum(plain * plain), [ones])
        np.testing.assert_array_equal(flow, expected)
    if mode == "constant":
        np.testing.assert_array_equal(expected, 2 * x)


def test_padding_of_single_axes_is_numpys():
    x = np.ones((2, 3))
    for width in ({0: (1, 2)}, {-1: 1}, {0: 1, 1: (0, 2)}):
        np.testing.assert_array_equal(tr.pad(x, width), np.pad(x, width))


@quick
@given(shape=SHAPES, data=st.data())
def test_rolling_repeating_and_tiling_are_undone_by_their_rules(shape: tuple[int, ...], data: Any):
    x = whole(shape)
    shift = data.draw(st.integers(-4, 4))
    assert_transpose("roll", [x], shift=shift)
    reps = data.draw(st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=4).map(tuple))
    assert_transpose("tile", [x], reps=reps)
    assert_transpose("repeat", [x], repeats=data.draw(st.integers(0, 3)))
    if shape:
        axis = data.draw(axes_of(shape))
        assert_transpose("roll", [x], shift=(shift, 1), axis=(axis, axis))
        size = shape[axis]
        times = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size).map(tuple))
        assert_transpose("repeat", [x], repeats=times or 1, axis=axis)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@quick
@given(shape=hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3), data=st.data())
def test_padding_is_numpys_and_its_copies_send_back(mode: str, shape: tuple[int, ...], data: Any):
    x = whole(shape)
    side = st.integers(0, 4)
    width = tuple(data.draw(st.tuples(side, side)) for _ in shape)
    if shape:
        np.testing.assert_array_equal(ops.pad(x, width, mode), np.pad(x, width, mode=mode))
    assert_transpose("pad", [x], pad_width=width, mode=mode)


@quick
@given(shape=RANKED, data=st.data())
def test_an_index_for_each_place_broadcasts_on_the_other_axes(shape: tuple[int, ...], data: Any):
    axis = data.draw(axes_of(shape))
    count = data.draw(st.integers(0, 3)) if shape[axis] else 0
    sizes = [data.draw(st.sampled_from([1, n])) for n in shape]
    sizes[axis] = count
    drawn = np.random.default_rng(0).integers(-shape[axis], max(shape[axis], 1), size=sizes)
    x = whole(shape)
    if 0 not in shape:
        wanted = np.take_along_axis(x, drawn, axis)
        np.testing.assert_array_equal(ops.take_along_axis(x, drawn, axis=axis), wanted)
    assert_transpose("take_along_axis", [x], drawn, axis=axis)


@quick
@given(shape=hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=3), data=st.data())
def test_diagonals_and_triangles_go_back_to_their_places(shape: tuple[int, ...], data: Any):
    x = whole(shape)
    k = data.draw(st.integers(-4, 4))
    first, second = data.draw(st.permutations(range(len(shape))))[:2]
    second -= len(shape) * data.draw(st.booleans())
    assert_transpose("diagonal", [x], offset=k, axis1=first, axis2=second)
    assert_transpose("tril", [x], k=k)
    assert_transpose("triu", [x], k=k)
    np.testing.assert_array_equal(ops.tril(x, k) + ops.triu(x, k + 1), x)


def test_gathering_is_pytorchs_where_the_index_is_shorter():
    x = tr.tensor(X[0])
    out = x.gather(0, [[2, 0], [1, 1]])
    np.testing.assert_array_equal(out.value, [[X[0, 2, 0], X[0, 0, 1]], [X[0, 1, 0], X[0, 1, 1]]])
    out.backward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(x.grad, [[0, 2, 0, 0], [3, 4, 0, 0], [1, 0, 0, 0]])


def test_where_broadcasts_all_three_together():
    condition, x, y = np.array([[True], [False]]), tr.tensor([1.0, 2.0, 3.0]), tr.tensor(4.0)
    out = tr.where(condition, x, y)
    assert out.tolist() == [[1, 2, 3], [4, 4, 4]]
    out.backward(np.ones((2, 3)))
    assert (x.grad.tolist(), y.grad) == ([1, 1, 1], 3.0)
    wide = tr.where(np.ones((2, 1, 3), dtype=bool), 1.0, y)
    assert wide.shape == (2, 1, 3)


@pytest.mark.parametrize(
    "index",
    [
        (0, slice(None), [1, 2]),
        ([0, 1], slice(None), [1, 2]),
        ([0, 1], None, slice(None), [1, 2]),
        (X[:, :, 0] > 0, 1),
        (slice(None), X[0] > 0),
        (X[:, 0, 0] != 0, [0, 2]),
        (slice(None, None, -1), slice(2, None, -2), slice(-1, -4, -1)),
        (np.array(1), ..., np.array([0, 1])),
        ([[0], [1]], slice(None), [[0, 1]]),
        (slice(None), range(2)),
        (None, X[:, 0, 0] != 0, None),
        np.zeros(X.shape, dtype=bool),
    ],
    ids=str,
)
def test_mixed_indices_of_three_axes_are_numpys(index: Any):
    assert_index(X, index)
    np.testing.assert_array_equal(tr.tensor(X)[index].value, X[index], strict=True)


def test_a_mask_may_be_recorded_itself():
    x = tr.tensor([1.0, -2.0, 3.0])
    x[x > 0].sum().backward()
    assert x.grad.tolist() == [1, 0, 1]


# ----- many pieces


def test_joining_many_pieces_asks_the_rule_once():
    """The stretch of each piece was once found by adding the sizes before it: 8,000 pieces took 1.7 s."""
    calls = []
    op = ops.concatenate
    joint = op.joint
    assert joint is not None

    def counted(*args: Any, **params: Any) -> Any:
        calls.append(len(args))
        return joint(*args, **params)

    pieces = [tr.tensor(np.full(1 + k % 3, float(k))) for k in range(500)]
    out = op.replaced(joint=counted)(pieces)
    out.backward(out.value)
    assert calls == [502]
    for piece in pieces:
        np.testing.assert_array_equal(piece.grad, piece.value)


def test_what_is_split_and_joined_again_is_itself():
    x = tr.tensor(X)
    for axis in range(3):
        again = tr.concatenate(tr.split(x, X.shape[axis], axis), axis)
        np.testing.assert_array_equal(again.value, X)
        np.testing.assert_array_equal(tr.grad((again * X).sum(), x), X)
