"""Picking by whole numbers on a device, and adding to what is picked: the elements, sums and words of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops.cuda.moving import picks as moving_picks
from ops.cuda.moving.indexing import picks
from ops.cuda.moving.picks import added, outside, picked
from ops.cuda.native import compute, pull
from ops.devices.interpreting import INTERPRET
from ops.embeddings import embedding
from ops.picking import gather, take
from ops.primitive import PRIMITIVES
from ops.shape import getitem, scatter_add
from tests.ops.cuda.moved import assert_moves, assert_same, there

PICKING = (
    "getitem scatter_add embedding add_rows take_along_axis scatter_along_axis one_hot".split()
)

SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in PICKING
    for number, sample in enumerate(PRIMITIVES[name].samples(np.random.default_rng(7)))
]


def normal(*shape: int) -> Any:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def on_device(index: Any) -> Any:
    """An index, its arrays on the device."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(there(part) if isinstance(part, np.ndarray) else part for part in parts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_what_is_picked_has_the_bits_of_numpy_and_so_have_its_flows(name, sample, dtype):
    args = [np.asarray(x, dtype) if np.asarray(x).dtype.kind == "f" else x for x in sample.args]
    assert_moves(name, *args, **sample.params)


@pytest.mark.parametrize("dtype", [np.int64, np.bool_])
def test_whole_numbers_and_truths_are_picked_like_floats(dtype):
    x = np.arange(12).reshape(3, 4) % 5 % 2
    for index in ((np.array([2, 0, -1]),), (slice(None), np.array([[1], [3]]))):
        assert_same(getitem(there(x.astype(dtype)), on_device(index)), x.astype(dtype)[index])
    sums = scatter_add(there(np.array([5, 6, 7])), on_device(np.array([1, 0, 1])), shape=(3,))
    assert sums.numpy().tolist() == [6, 12, 0]


# ----- indexing with arrays


@settings(max_examples=30, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4))
def test_any_index_of_arrays_picks_and_adds_as_numpy_does(data, shape):
    lists = hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4))
    index = data.draw(lists)
    x = normal(*shape)
    picked_by_numpy = x[index]
    assert_same(getitem(there(x), on_device(index)), picked_by_numpy)
    values = normal(*picked_by_numpy.shape)
    sums = np.zeros_like(x)
    np.add.at(sums, index, values)
    assert_same(scatter_add(there(values), on_device(index), shape=shape), sums)


A, B = np.array([1, 0, 1, -1]), np.array([[2], [0]])
MASK = np.array([True, False, True])

MIXED = {
    "beside a slice backwards": (slice(None, None, -1), A[:2]),
    "arrays apart": (A, slice(None), A),
    "arrays apart by a new axis": (A, None, A),
    "an array and an integer": (A, 1),
    "an array and an integer apart": (A, slice(1, None), 2),
    "an integer first": (-1, slice(None), A),
    "an Ellipsis of nothing between": (A, 0, Ellipsis, A),
    "an Ellipsis of nothing between, behind a slice": (slice(None), A, Ellipsis, A),
    "arrays broadcast": (slice(None), B, A),
    "a mask at the end": (Ellipsis, 0, np.array([True, False, True, True])),
    "a mask in the middle": (slice(None), MASK),
    "a mask of two axes": (slice(None), np.arange(12).reshape(3, 4) % 2 == 0),
    "a mask and an array": (A[:2], MASK),
    "a mask that picks nothing": (slice(None), ~(MASK | True)),
    "a new axis in front": (None, A),
    "an array of rank 0": (np.array(1), slice(None), A),
    "arrays around a step": (A, slice(None, None, 2), B),
    "nothing picked": (np.empty((0, 2), int),),
    "small whole numbers": (A.astype(np.int8),),
}


@pytest.mark.parametrize("name", MIXED)
def test_arrays_and_slices_in_one_index_pick_and_add_as_in_numpy(name):
    index = MIXED[name]
    x = normal(2, 3, 4)
    want = x[index]
    assert_same(getitem(there(x), on_device(index)), want)
    values = normal(*want.shape)
    sums = np.zeros_like(x)
    np.add.at(sums, index, values)
    assert_same(scatter_add(there(values), on_device(index), shape=x.shape), sums)


WRONG = {
    "past the end": (slice(None), np.array([0, 3])),
    "before the start": (np.array([[0], [-3]]),),
    "the second array": (A[:2], np.array([1, 5])),
    "an integer beside an array": (7, A),
    "shapes that do not fit": (np.array([0, 1]), np.array([0, 1, 2])),
    "too many": (0, 0, 0, A),
    "a mask of another size": (MASK,),
    "floats": (np.array([0.5]),),
    "two dots": (Ellipsis, A, Ellipsis),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_index_is_refused_in_the_words_of_numpy(name):
    x = normal(2, 3, 4)
    said = []
    for array, index in ((x, WRONG[name]), (there(x), on_device(WRONG[name]))):
        with pytest.raises(IndexError) as refused:
            getitem(array, index)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_indices_that_pick_nothing_are_not_held_against_the_axis():
    index = (np.array([[7]]), np.empty((0, 1), int))
    assert_same(getitem(there(normal(3, 2)), on_device(index)), normal(3, 2)[index])


def test_flows_of_a_pick_look_at_no_index_again(monkeypatch):
    monkeypatch.setattr("ops.cuda.moving.indexing.outside", None)
    assert picks((3, 4), (slice(None), _slot()), [there(A)], checked=True) is not None
    with pytest.raises(TypeError):
        picks((3, 4), (slice(None), _slot()), [there(A)])


def _slot(number: int = 0) -> Any:
    from ops.shape import Slot

    return Slot(number)


def test_taking_and_gathering_are_those_of_numpy():
    x = normal(3, 4)
    assert_same(take(there(x), there(B), axis=1), np.take(x, B, axis=1))
    assert_same(take(there(x), there(A)), np.take(x, A))
    index = np.array([[2, 0, 1]])
    assert_same(gather(there(x), 0, there(index)), x[[2, 0, 1], [0, 1, 2]][None])


# ----- many numbers


def test_sums_over_a_long_list_have_the_bits_of_adding_one_after_the_other():
    rng = np.random.default_rng(5)
    numbers = rng.integers(0, 7, 1100)  # more than a block of 256 threads looks at in one go
    values = rng.normal(size=(1100, 2)).astype(np.float32)
    sums = np.zeros((7, 2), np.float32)
    np.add.at(sums, numbers, values)
    assert_same(added(there(values), there(numbers), 1, 7, 2).reshape(7, 2), sums)


@pytest.mark.parametrize("blocks", [1, 5])
def test_sums_do_not_depend_on_the_spans_into_which_rows_are_cut(monkeypatch, blocks):
    monkeypatch.setattr(moving_picks, "_BLOCKS", blocks)
    rng = np.random.default_rng(6)
    numbers = rng.integers(0, 50, 100)
    values = rng.normal(size=(100, 150)).astype(np.float32)
    sums = np.zeros((50, 150), np.float32)
    np.add.at(sums, numbers, values)
    assert_same(added(there(values), there(numbers), 1, 50, 150).reshape(50, 150), sums)


def test_a_number_that_lies_outside_is_found_wherever_it_stands():
    numbers = np.zeros(9000, np.int64)
    assert not outside((there(numbers), 0, 1))
    for place in (0, 4095, 4096, 8999):
        for wrong in (1, -1):
            numbers[place] = wrong
            assert outside((there(numbers), 0, 1))
            assert not outside((there(numbers), 0, 1), ignored=wrong)
            numbers[place] = 0


@pytest.mark.parametrize(("shape", "axis"), [((4, 5), 1), ((4, 5), 0), ((3, 4, 2), 1), ((6,), 0)])
def test_numbers_for_each_place_add_up_as_in_numpy(shape, axis):
    rng = np.random.default_rng(4)
    long = list(shape)
    long[axis] = 9
    indices = rng.integers(-shape[axis], shape[axis], long)
    assert_moves("take_along_axis", normal(*shape), indices, axis=axis)
    assert_moves("scatter_along_axis", normal(*long), indices, axis=axis, shape=shape)


def test_a_bad_index_for_a_place_is_refused_in_the_words_of_numpy():
    x = normal(2, 3)
    for indices in (np.array([[0], [3]]), np.array([0, 1]), np.array([[0.0], [1.0]])):
        for name, params in (
            ("take_along_axis", {}),
            ("scatter_along_axis", {"axis": 1, "shape": (2, 3)}),
        ):
            said = []
            for array, numbers in ((x[:, :1], indices), (there(x[:, :1]), there(indices))):
                with pytest.raises((IndexError, ValueError, TypeError)) as refused:
                    PRIMITIVES[name](array, numbers, **params)
                said.append((type(refused.value), str(refused.value)))
            assert said[0] == said[1]


# ----- tables


def test_an_embedding_picks_rows_and_its_flow_leaves_the_padding_out():
    indices, weight = np.array([[1, 2, 1], [0, 2, 2]]), normal(4, 5)
    assert_moves("embedding", indices, weight, padding_idx=2)
    assert_moves("embedding", indices, weight, padding_idx=-3)
    assert_moves("embedding", indices.astype(np.uint8), weight)


def test_the_flow_of_a_row_that_is_picked_often_is_rounded_once():
    rng = np.random.default_rng(8)
    indices = rng.integers(0, 3, 1500)
    g = (rng.normal(size=(1500, 2)) * 10.0 ** rng.integers(-3, 4, (1500, 1))).astype(np.float32)
    op, weight = PRIMITIVES["embedding"], np.zeros((3, 2), np.float32)
    params = {"padding_idx": None}
    want = op.pull_back(g, g, [indices, weight], [False, True], params)[1]
    exact = np.zeros((3, 2))
    np.add.at(exact, indices, g.astype(float))
    plain = np.zeros((3, 2), np.float32)
    np.add.at(plain, indices, g)
    found = pull(op, there(g), there(g), [there(indices), there(weight)], [False, True], params)[1]
    assert_same(found, want)
    assert_same(found, exact.astype(np.float32))
    assert not np.array_equal(plain, want)  # so the digits that addition rounds off matter here


def test_a_sum_that_becomes_infinite_stays_so():
    values = np.array([[np.inf], [1.0], [np.nan], [1.0]], np.float32)
    sums = PRIMITIVES["add_rows"](there(values), there(np.array([0, 0, 1, 1])), shape=(2, 1))
    assert np.array_equal(sums.numpy(), [[np.inf], [np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("indices", "error"),
    [(np.array([0, 4]), ValueError), (np.array([-1]), ValueError), (np.array([0.5]), TypeError)],
)
def test_what_is_no_row_of_a_table_is_refused_in_the_words_of_the_cpu(indices, error):
    weight = normal(4, 2)
    for name, args, params in (
        ("embedding", (indices, weight), {}),
        ("add_rows", (normal(len(indices), 2), indices), {"shape": (4, 2)}),
    ):
        with pytest.raises(error) as host:
            PRIMITIVES[name](*args, **params)
        with pytest.raises(error) as ours:
            PRIMITIVES[name](*map(there, args), **params)
        assert str(ours.value) == str(host.value)


def test_a_table_of_another_rank_and_a_padding_outside_are_refused():
    with pytest.raises(ValueError, match="a table has 2"):
        embedding(there(A), there(normal(3)))
    with pytest.raises(ValueError, match="padding_idx 3 lies outside"):
        embedding(there(A), there(normal(3, 2)), padding_idx=3)


def test_a_class_outside_is_refused_and_an_ignored_one_is_all_false():
    classes = np.array([[0, -1], [2, 1]])
    assert_moves("one_hot", classes, classes=3, axis=0, ignore_index=-1)
    assert_moves("one_hot", classes, classes=3, axis=1, ignore_index=-1)
    assert_moves("one_hot", np.array([0, 1]), classes=2, ignore_index=1)
    with pytest.raises(ValueError, match="class -1 lies outside the 3 classes"):
        PRIMITIVES["one_hot"](there(classes), classes=3)
    with pytest.raises(TypeError, match="classes are integers"):
        PRIMITIVES["one_hot"](there(normal(2)), classes=3)


def test_a_pick_of_nothing_launches_nothing():
    assert picked(there(normal(2, 3)), there(np.empty(0, int)), 1, 2, 3).shape == (1, 0, 3)
    sums = added(there(normal(0, 3)), there(np.empty(0, int)), 1, 2, 3)
    assert not sums.numpy().any()


def test_only_the_mask_of_a_pick_comes_to_the_host():
    x, mask = there(normal(40, 50)), there(np.arange(40) % 2 == 0)
    before = INTERPRET.fetched
    computed = compute(PRIMITIVES["getitem"], [x, mask], {"index": (_slot(),)})
    assert not computed.host
    assert computed.value.shape == (20, 50)
    assert INTERPRET.fetched - before <= 40 + 20 * 8


@pytest.mark.parametrize("name", ["getitem", "embedding"])
def test_all_indices_of_a_pick_are_checked_in_one_look(name: str, monkeypatch: Any) -> None:
    """Each look waits for the device; the way back needs none."""
    looks = []
    fetch = INTERPRET.fetch
    monkeypatch.setattr(INTERPRET, "fetch", lambda memory: looks.append(1) or fetch(memory))
    x, first, second = there(normal(4, 5, 2)), there(np.array([0, 3])), there(np.array([4, -1]))
    op = PRIMITIVES[name]
    if name == "getitem":
        inputs, params = [x, first, second], {"index": (_slot(), _slot(1))}
    else:
        inputs, params = [first, there(normal(4, 5))], {"padding_idx": None}
    out = compute(op, inputs, params).value
    assert len(looks) == 1
    wanted = [x.dtype.kind == "f" for x in inputs]
    pull(op, out, out, inputs, wanted, params)
    assert len(looks) == 1


@pytest.mark.parametrize("rounded_once", [True, False])
def test_what_a_large_table_receives_is_added_by_blocks_on_every_multiprocessor(
    rounded_once: bool, monkeypatch: Any
) -> None:
    launches = []
    monkeypatch.setattr(
        INTERPRET, "launch", lambda kernel, dtype, launch, *_: launches.append(launch)
    )
    values, numbers = there(np.zeros((8192, 768), np.float32)), there(np.zeros(8192, np.int64))
    added(values, numbers, 1, 50000, 768, rounded_once=rounded_once)
    assert max(launch.blocks for launch in launches) >= 132
