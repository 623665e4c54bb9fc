"""numpy's functions on arrays of a device: each is the operation that it names, or says how to copy."""

import numpy as np
import pytest

from ops.devices.arrays import DeviceArray, array
from ops.devices.interpreting import INTERPRET
from ops.errors import DeviceError
from ops.numpy_names import FUNCTIONS, LOOKS

X = np.array([[2.0, 1.0, -3.0], [0.5, 4.0, 1.0], [1.0, -1.0, 5.0]])

CALLS = {
    "argsort": lambda f, x: f(x, axis=1),
    "broadcast_to": lambda f, x: f(x, (2, 3, 3)),
    "clip": lambda f, x: f(x, -1.0, a_max=2.0),
    "concatenate": lambda f, x: f([x, x], axis=1),
    "dot": lambda f, x: f(x, x),
    "einsum": lambda f, x: f("ij,kj->ik", x, x),
    "expand_dims": lambda f, x: f(x, 1),
    "flip": lambda f, x: f(x, axis=0),
    "linalg.cholesky": lambda f, x: f(np.matmul(x, x.T)),
    "linalg.matmul": lambda f, x: f(x, x),
    "linalg.outer": lambda f, x: f(x[0], x[1]),
    "linalg.solve": lambda f, x: f(x, x[0]),
    "linalg.tensordot": lambda f, x: f(x, x, axes=1),
    "moveaxis": lambda f, x: f(x, 0, 1),
    "outer": lambda f, x: f(x[0], x[1]),
    "pad": lambda f, x: f(x, ((1, 1), (0, 2))),
    "repeat": lambda f, x: f(x, 2, axis=1),
    "reshape": lambda f, x: f(x, (9,)),
    "roll": lambda f, x: f(x, 1, axis=0),
    "round": lambda f, x: f(x, 1),
    "around": lambda f, x: f(x, 1),
    "split": lambda f, x: f(x, 3)[1],
    "stack": lambda f, x: f([x, np.ones((3, 3))]),
    "std": lambda f, x: f(x, axis=0, ddof=1),
    "sum": lambda f, x: f(x, axis=0, keepdims=True),
    "swapaxes": lambda f, x: f(x, 0, 1),
    "squeeze": lambda f, x: f(x[None], axis=0),
    "take": lambda f, x: f(x, [2, 0], axis=0),
    "take_along_axis": lambda f, x: f(x, np.array([[0], [1], [2]]), 1),
    "tensordot": lambda f, x: f(x, x, axes=1),
    "tile": lambda f, x: f(x, (2, 1)),
    "trace": lambda f, x: f(x),
    "where": lambda f, x: f(x > 0, x, 0.0),
}


def of_numpy(name):
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"linalg.slogdet"}))
def test_a_function_that_is_an_operation_runs_on_the_device(name):
    call = CALLS.get(name, lambda f, x: f(x))
    found = call(of_numpy(name), array(INTERPRET, X))
    expected = call(of_numpy(name), X)
    assert type(found) is DeviceArray
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-15)


def test_what_numpy_is_told_beside_must_be_known_to_the_operation():
    x = array(INTERPRET, X)
    assert np.sum(x, dtype=None, out=None).item() == X.sum()
    with pytest.raises(DeviceError, match=r"np.mean with dtype= does not.*\n  try: x.numpy\(\)"):
        np.mean(x, dtype="float32")


@pytest.mark.parametrize("name", ["percentile", "linalg.svd", "fft.fft", "interp"])
def test_a_function_that_is_none_says_how_to_copy(name):
    x = array(INTERPRET, X)
    args = {"percentile": (x, 50), "interp": (x[0], x[1], x[2])}.get(name, (x,))
    with pytest.raises(DeviceError, match=rf"np.{name} does not compute.*\n  try: x.numpy\(\)"):
        of_numpy(name)(*args)


def test_functions_that_look_at_shape_and_dtype_fetch_nothing():
    x = array(INTERPRET, X.astype(np.float32))
    before = INTERPRET.fetched
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((3, 3), 2, 9)
    assert np.result_type(x, np.float32) == np.float32
    for make in (np.zeros_like, np.ones_like, np.empty_like):
        made = make(x)
        assert (made.shape, made.dtype, made.flags.writeable) == (x.shape, x.dtype, True)
    np.testing.assert_array_equal(np.full_like(x, 2.0), np.full((3, 3), 2.0))
    assert INTERPRET.fetched == before


def test_functions_that_compare_and_print_get_a_copy():
    x = array(INTERPRET, X)
    assert np.allclose(x, X)
    assert np.array_equal(X, x)
    assert np.isclose(x, X).all()
    assert np.array_repr(x) == repr(X)
    assert {"allclose", "array_equal"} <= LOOKS


def test_numpy_writes_copies_into_arrays_of_the_host():
    x = array(INTERPRET, X)
    total = np.zeros((3, 3))
    total += x
    total -= 2.0 * x
    np.testing.assert_array_equal(total, -X)
    assert np.multiply(x, 2.0, out=total) is total
    np.testing.assert_array_equal(total, 2 * X)
    np.add.at(total, (slice(None), 0), x[0])
    np.testing.assert_array_equal(total[:, 0], 2 * X[:, 0] + X[0])


def test_nothing_is_written_into_the_array_of_a_device():
    x = array(INTERPRET, X)
    with pytest.raises(TypeError, match=r"never changes\n  try: y = x.numpy"):
        x[0] = 1.0
    for write in (lambda: np.add(x, 1.0, out=x), lambda: np.add.at(x, 0, 1.0)):
        with pytest.raises(DeviceError, match=r"np.add"):
            write()
    np.testing.assert_array_equal(x.numpy(), X)


def test_a_ufunc_of_somebody_else_is_not_ours_by_its_name():
    theirs = np.frompyfunc(lambda v: v, 1, 1)
    with pytest.raises(DeviceError, match="does not compute"):
        theirs(array(INTERPRET, X))
