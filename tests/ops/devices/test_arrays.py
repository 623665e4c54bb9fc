"""The array of a device: opaque, read-only, and computed with by primitives alone."""

import numpy as np
import pytest

import ops
from ops.devices.arrays import METHODS, DeviceArray, array, device_of, empty
from ops.devices.finding import checked, devices, opened
from ops.devices.interpreting import INTERPRET, Interpreting
from ops.errors import DeviceError
from ops.primitive import PRIMITIVES


@pytest.fixture
def x():
    return array(INTERPRET, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


def test_it_knows_its_shape_and_dtype_without_a_copy(x):
    before = INTERPRET.fetched
    assert (x.shape, x.ndim, x.size, x.dtype, x.nbytes, len(x)) == ((2, 3), 2, 6, np.float64, 48, 2)
    assert before == INTERPRET.fetched


def test_its_operators_run_primitives_and_give_arrays_of_the_device(x):
    for found, expected in (
        (x + 1.0, [[2, 3, 4], [5, 6, 7]]),
        (2.0 * x, [[2, 4, 6], [8, 10, 12]]),
        (-x, [[-1, -2, -3], [-4, -5, -6]]),
        (x > 3.0, [[False, False, False], [True, True, True]]),
        (x @ np.array([1.0, 0.0, 1.0]), [4, 10]),
        (np.float64(3.0) * x, [[3, 6, 9], [12, 15, 18]]),
        (np.sqrt(x * x), [[1, 2, 3], [4, 5, 6]]),
        (x[1], [4, 5, 6]),
        (x[:, ::-1], [[3, 2, 1], [6, 5, 4]]),
    ):
        assert type(found) is DeviceArray
        np.testing.assert_array_equal(found.numpy(), expected)


def test_a_primitive_called_with_it_runs_there(x):
    assert type(ops.exp(x)) is DeviceArray
    np.testing.assert_allclose(ops.exp(x).numpy(), np.exp(x.numpy()), rtol=1e-14)


def test_a_number_promotes_as_weakly_as_elsewhere():
    small = array(INTERPRET, np.ones(3, np.float32))
    assert (small * 2.5).dtype == np.float32


def test_reshape_shares_the_memory_and_infers_one_size(x):
    assert x.reshape(3, -1).shape == (3, 2)
    assert x.reshape((6,)).memory.base is x.memory
    assert x.reshape(2, 3) is x


def test_reading_it_copies(x):
    copy = x.numpy()
    copy[:] = 0
    assert x.numpy().sum() == 21
    assert np.asarray(x).sum() == 21
    assert x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    with pytest.raises(ValueError, match=r"without a copy\n  try: np.array"):
        np.array(x, copy=False)


def test_an_element_reads_as_a_number_and_a_truth():
    one = array(INTERPRET, np.float64(2.5))
    assert (one.item(), float(one), int(one), bool(one)) == (2.5, 2.5, 2, True)
    assert one.numpy() == np.float64(2.5)
    with pytest.raises(TypeError, match="no length"):
        len(one)


def test_a_numpy_function_without_a_primitive_says_how_to_copy(x):
    with pytest.raises(DeviceError, match=r"np.spacing does not compute.*\n  try: x.numpy\(\)"):
        np.spacing(x)
    with pytest.raises(DeviceError, match=r"np.add.reduce does not compute"):
        np.add.reduce(x)


def test_arrays_of_two_devices_do_not_mix(x):
    other = array(Interpreting(), np.ones(3))
    with pytest.raises(DeviceError, match=r"one input lies on interpret.*\n  try: x.to"):
        x + other
    assert device_of([x, 2.0]) is INTERPRET


def test_an_empty_array_has_the_shape_and_dtype_asked_for():
    made = empty(INTERPRET, (0, 3), np.float32)
    assert (made.shape, made.dtype, made.size) == ((0, 3), np.float32, 0)
    assert (made + 1.0).shape == (0, 3)


def test_an_operation_that_only_numpy_has_runs_on_copies_and_says_so(x):
    from ops.cuda.native import compute

    square = array(INTERPRET, np.array([[2.0, 1.0], [1.0, 3.0]]))
    found = compute(PRIMITIVES["inv"], [square], {})
    assert found.host
    np.testing.assert_allclose(found.value.numpy() @ square.numpy(), np.eye(2), atol=1e-15)


def test_the_devices_print_as_a_table_with_a_word_each():
    lines = str(devices()).splitlines()
    assert [line.split()[0] for line in lines] == ["cpu", "cuda", "interpret"]
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("cudaa", "'cuda'"), ("gpu", "'cuda'"), (None, "'interpret'"), (0, "'interp")],
)
def test_a_device_that_is_none_is_refused_with_the_nearest(name, cure):
    with pytest.raises(DeviceError, match=rf"there is no device.*\n  try: device={cure}"):
        checked(name)


def test_the_first_gpu_is_the_one_that_is_used():
    assert checked("cuda:0") == "cuda"
    with pytest.raises(DeviceError, match="CUDA_VISIBLE_DEVICES"):
        checked("cuda:1")


def test_a_device_is_opened_once():
    assert opened("interpret") is opened("interpret")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_it_has_the_methods_of_numpys_arrays_that_are_operations_of_ours(x, name):
    args = {
        "swapaxes": (0, 1),
        "clip": (2.0, 4.0),
        "dot": (np.ones(3),),
        "take": ([0],),
        "repeat": (2,),
    }
    given = args.get(name, ())
    found = getattr(x, name)(*given)
    assert type(found) is DeviceArray
    np.testing.assert_allclose(found.numpy(), getattr(x.numpy(), name)(*given), rtol=1e-14)


def test_reductions_take_axes_and_astype_and_the_transpose_stay_there(x):
    np.testing.assert_array_equal(x.mean(axis=0, keepdims=True).numpy(), [[2.5, 3.5, 4.5]])
    assert x.astype("float32").dtype == np.float32
    assert x.astype(float) is x
    assert x.T.shape == (3, 2)


def test_a_method_that_it_has_not_says_how_to_copy(x):
    with pytest.raises(AttributeError, match=r"on interpret has no 'fill'\n  try: x.numpy"):
        x.fill(0)


def test_dlpack_hands_out_a_copy_that_others_may_write_to(x):
    handed = np.from_dlpack(x)
    np.testing.assert_array_equal(handed, x.numpy())
    assert not np.shares_memory(handed, x.memory)
    back = DeviceArray(INTERPRET, INTERPRET.adopt(x))
    assert back.memory is not x.memory


def test_without_a_gpu_there_is_no_cuda_array_interface(x):
    assert not hasattr(x, "__cuda_array_interface__")
