"""Copies, other processes, and how an array of a device reads: as text, as a number, as a truth, as an index."""

import copy
import pickle

import numpy as np
import pytest

from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.errors import DeviceError, PrimitiveError

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.fixture
def x():
    return array(INTERPRET, X)


def test_a_copy_is_the_array_itself_as_it_never_changes(x):
    assert copy.copy(x) is x
    assert x.copy() is x
    (again,) = copy.deepcopy([x])
    assert again is x


@pytest.mark.parametrize("value", [X, np.float32(2.5), np.zeros((0, 3)), np.array([True, False])])
def test_it_goes_to_another_process_and_lies_on_the_device_of_that_name_there(value):
    sent = array(INTERPRET, value)
    found = pickle.loads(pickle.dumps(sent))
    assert type(found) is DeviceArray
    assert found.device is INTERPRET
    assert (found.shape, found.dtype) == (sent.shape, sent.dtype)
    np.testing.assert_array_equal(found.numpy(), value)
    assert (found + sent).device is INTERPRET if value.dtype.kind == "f" else True


def test_the_device_itself_is_the_same_one_after_a_copy():
    assert copy.deepcopy(INTERPRET) is INTERPRET
    assert pickle.loads(pickle.dumps(INTERPRET)) is INTERPRET


def test_what_it_has_not_is_refused_even_before_it_is_made():
    bare = DeviceArray.__new__(DeviceArray)
    for name in ("device", "memory", "__setstate__", "anything"):
        with pytest.raises((AttributeError, RecursionError)) as caught:
            getattr(bare, name)
        assert caught.type is AttributeError


def test_a_number_is_written_as_a_format_asks():
    loss = array(INTERPRET, np.float64(2.5))
    assert f"{loss:.3f} {loss}" == "2.500 2.5"
    assert str(array(INTERPRET, X)) == str(X)
    with pytest.raises(TypeError):
        format(array(INTERPRET, X), ".3f")


def test_of_a_large_array_the_first_few_numbers_are_shown_and_fetched():
    large = array(INTERPRET, np.arange(2000.0).reshape(40, 50))
    before = INTERPRET.fetched
    assert str(large) == "interpret array([0.0 1.0 2.0 ...], shape=(40, 50), dtype=float64)"
    assert INTERPRET.fetched - before == 3 * 8
    assert repr(large) == str(large)


def test_beside_none_it_is_unequal_without_a_look(x):
    before = INTERPRET.fetched
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert None not in (x, x)
    assert INTERPRET.fetched == before
    assert {x: 1}[x] == 1


def test_an_integer_counts_and_points():
    two = array(INTERPRET, np.int64(2))
    assert list(range(two)) == [0, 1]
    assert "abc"[two] == "c"
    for wrong in (np.float64(2.0), np.array([1, 2])):
        with pytest.raises(TypeError, match=r"is no index\n  try: an integer"):
            "abc"[array(INTERPRET, wrong)]


def test_several_elements_are_neither_true_nor_false(x):
    with pytest.raises(ValueError, match=r"shape \(2, 3\) is neither.*\n  try: x.any\(\)"):
        bool(x)
    assert bool(x.any())


def test_plus_and_round_are_as_for_arrays(x):
    assert +x is x
    np.testing.assert_array_equal(round(x / 3, 2).numpy(), np.round(X / 3, 2))


@pytest.mark.parametrize("axes", [(), (1, 0), ((1, 0),), (None,)])
def test_the_transpose_takes_axes_as_numpy_does(x, axes):
    np.testing.assert_array_equal(x.transpose(*axes).numpy(), X.transpose(*axes))


@pytest.mark.parametrize(
    "shape",
    [(6,), ((3, 2),), ([3, 2],), (-1,), (np.int64(6),), (3, -1), (np.int64(3), 2), ((1, 6, 1),)],
)
def test_reshape_takes_what_numpys_takes(x, shape):
    found = x.reshape(*shape)
    assert found.shape == X.reshape(*shape).shape
    assert all(type(size) is int for size in found.shape)


@pytest.mark.parametrize("shape", [(5,), (4, -1), (-1, -1), (-2, -3)])
def test_reshape_refuses_what_numpys_refuses_in_the_same_words(x, shape):
    with pytest.raises(ValueError, match=r"reshape|unknown") as theirs:
        X.reshape(*shape)
    with pytest.raises(ValueError, match=r"reshape|unknown") as ours:
        x.reshape(*shape)
    assert str(ours.value) == str(theirs.value)


def test_signs_of_bits_combine_truths_only_and_fetch_nothing(x):
    before = INTERPRET.fetched
    both = (x > 1) & (x < 6)
    assert INTERPRET.fetched == before
    np.testing.assert_array_equal(both.numpy(), (X > 1) & (X < 6))
    whole = array(INTERPRET, np.array([1, 2]))
    for wrong in (lambda: whole & 1, lambda: ~whole, lambda: np.bitwise_or(whole, whole)):
        with pytest.raises(PrimitiveError, match=r"combines masks, not int64\n  try: \(x > 0\) &"):
            wrong()


@pytest.mark.parametrize("wrong", [np.float16(1), np.array([1j]), np.array(["a"])])
def test_numbers_that_no_value_has_are_refused_at_the_door(wrong):
    with pytest.raises(DeviceError, match=r"cannot lie on interpret\n  try: x.astype"):
        array(INTERPRET, wrong)


def test_too_large_an_array_is_refused_as_on_a_gpu(x):
    from ops.devices.arrays import empty

    with pytest.raises(DeviceError, match=r"allocate.*\n  try: a smaller batch"):
        empty(INTERPRET, (1 << 25, 1 << 25), np.float64)
