"""Softmax, log-sum-exp and the losses of classifiers on a device against numpy, and what must hold of them anyway."""

import numpy as np
import pytest

from ops.cuda.softmax.family import NATIVE, held_each
from ops.cuda.softmax.loss_launching import parts_of
from ops.primitive import PRIMITIVES
from tests.ops.cuda.agreeing import DTYPES, run, there

INF = np.inf
ULPS = 16
"""Of the largest element of a result: the order of a sum is not numpy's."""

SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in NATIVE
    for number, sample in enumerate(PRIMITIVES[name].samples(np.random.default_rng(0)))
]


def logits(seed: int, *shape: int, dtype: str = "float32") -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=shape) * 3).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_samples_agree_with_numpy(name, sample, dtype):
    found = run(name, sample.args, sample.params, dtype)
    assert found.ulps <= ULPS
    assert not found.host


SHAPES = [
    pytest.param(shape, axis, id=f"{shape} along {axis}")
    for shape, axis in (
        ((1, 1), -1),
        ((5, 31), -1),
        ((3, 33), 1),
        ((2, 3, 64), -1),
        ((2, 1100), -1),
        ((33, 5), 0),
        ((2, 7, 3), 1),
        ((40,), 0),
        ((0, 4), -1),
        ((3, 1, 5), 1),
    )
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_any_axis_of_any_shape(name, shape, axis, dtype):
    found = run(name, (logits(1, *shape),), {"axis": axis}, dtype)
    assert (
        found.ulps <= 64
    )  # what softmax sends back is a difference, of numbers as large as the cotangent
    assert not found.host
    assert found.fetched == 0


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (6, 1100)], ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_rows_with_nan_and_inf_are_as_on_numpy(name, shape):
    """NaN anywhere, +inf, −inf beside numbers, and nothing but −inf; in registers, in columns, and in long rows."""
    x = logits(2, 6, max(shape))
    x[0, 5], x[1, 7], x[2, :] = np.nan, INF, -INF
    x[3, 3:] = -INF
    x[4, ::2] = INF
    x = x if shape[0] == 6 else x.T.copy()
    assert run(name, (x,), {"axis": 1 if shape[0] == 6 else 0}, "float32").ulps <= 16


@pytest.mark.parametrize("shape", [(4, 70), (3, 1100)], ids=str)
def test_shares_sum_to_1_and_a_shift_changes_nothing(shape):
    x = np.round(logits(3, *shape) * 8) / 8  # so that shifted logits are exact
    softmax = PRIMITIVES["softmax"]
    shares = softmax(there(x)).numpy()
    assert shares.sum(1) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(shares, softmax(there(x + 1024)).numpy())


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_extreme_logits_neither_overflow_nor_vanish(name):
    x = np.array([[1e4, -1e4, 0.0] * 20, [-1e4, -1e4, -1e4] * 20, [1e4, 1e4 - 1, 1e4] * 20])
    found = run(name, (x,), {"axis": 1}, "float32")
    assert np.isfinite(found.value).all()
    assert found.ulps <= ULPS


def test_what_softmax_sends_back_sums_to_0_over_a_row():
    for size in (33, 200):
        (flow,) = run("softmax", (logits(4, 5, size),), {}, "float32").flows
        assert np.abs(flow.sum(1)).max() < 1e-6


def test_a_rising_row_is_raised_again_and_again_without_loss():
    """Every group of elements is larger than all before: the sum is scaled each time."""
    x = np.linspace(0, 300, 3000, dtype="float32")[None]
    assert run("logsumexp", (x,), {"axis": 1}, "float32").ulps <= 2
    assert run("log_softmax", (x,), {}, "float32").ulps <= 4


# ----- losses

LAYOUTS = [
    pytest.param((5, 7), -1, id="rows"),
    pytest.param((3, 1100), -1, id="long rows"),
    pytest.param((2, 5, 4), 1, id="columns"),
    pytest.param((2, 3, 4), -1, id="rows of several axes"),
    pytest.param((1, 3), 1, id="one row"),
]


def targets(seed: int, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Class numbers, one in five of them to be ignored."""
    samples = shape[: axis % len(shape)] + shape[axis % len(shape) + 1 :]
    target = np.random.default_rng(seed).integers(0, shape[axis], size=samples)
    target.reshape(-1)[1::5] = -100
    return target


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "axis"), LAYOUTS)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_losses_of_class_numbers_come_from_kernels_both_ways(name, shape, axis, reduction):
    """Of what is computed the host fetches one count alone."""
    args = (logits(5, *shape), targets(6, shape, axis))
    found = run(name, args, {"reduction": reduction, "axis": axis}, "float32")
    assert found.ulps <= 16
    assert found.fused
    assert not found.host
    assert found.fetched == 8


@pytest.mark.parametrize(("shape", "axis"), LAYOUTS[:3])
def test_the_gradient_of_cross_entropy_sums_to_0_over_the_classes(shape, axis):
    args = (logits(7, *shape), targets(8, shape, axis))
    flow, *_ = run("cross_entropy", args, {"axis": axis}, "float64").flows
    assert np.abs(flow.sum(axis)).max() < 1e-15
    assert np.abs(flow).max() > 0.01


@pytest.mark.parametrize(("shape", "axis"), LAYOUTS[:3])
def test_extreme_and_infinite_logits_of_a_loss_are_as_on_numpy(shape, axis):
    x = logits(9, *shape) * 1e4
    lines = np.moveaxis(x, axis, -1)
    lines[0, ..., 1], lines[-1, ..., 2] = -INF, np.nan
    target = targets(10, shape, axis)
    for reduction in ("none", "mean"):
        args = {"axis": axis, "reduction": reduction}
        assert run("cross_entropy", (x, target), args, "float32").ulps <= 16


def test_a_mean_of_nothing_that_counts_is_nan_and_sends_0():
    ignored = np.full(3, -100)
    with np.errstate(invalid="ignore"):
        found = run("cross_entropy", (logits(11, 3, 4), ignored), {}, "float32")
    assert np.isnan(found.value)
    assert not found.flows[0].any()


def test_an_ignored_class_of_its_own_number_does_not_count():
    args = (logits(12, 6, 4), np.array([0, 1, 2, 3, 1, 1]))
    for name in ("cross_entropy", "nll_loss"):
        assert run(name, args, {"ignore_index": 1}, "float32").ulps <= ULPS


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_a_wrong_class_shape_axis_or_reduction_is_refused_as_on_the_cpu(name):
    op = PRIMITIVES[name]
    x = logits(13, 3, 4)
    for target, params, words in (
        (np.array([0, 4, 1]), {}, "class 4 lies outside the 4 classes"),
        (np.array([0, -1, 1]), {}, "class -1 lies outside"),
        (np.array([0, 1]), {}, "target has shape"),
        (np.array([0, 1, 2]), {"axis": 2}, "axis 2 is not there"),
        (np.array([0, 1, 2]), {"reduction": "men"}, "reduction is 'none', 'mean' or 'sum'"),
    ):
        with pytest.raises(ValueError, match=words):
            op(x, target, **params)
        with pytest.raises(ValueError, match=words):
            op(there(x), there(target), **params)
    with pytest.raises(ValueError, match="label_smoothing is 2"):
        PRIMITIVES["cross_entropy"](there(x), there(np.array([0, 1, 2])), label_smoothing=2)


def test_an_infinite_cotangent_leaves_what_is_ignored_alone():
    args, params = (logits(19, 3, 4), np.array([0, 1, 2])), {"reduction": "none", "ignore_index": 1}
    found = run("nll_loss", args, params, "float32", np.full(3, INF))
    assert found.flows[0][0, 0] == -INF
    assert not found.flows[0][1].any()


def test_class_numbers_of_another_integer_type_are_taken():
    args = (logits(14, 4, 5), np.array([0, 4, 2, 1], "int32"))
    assert run("cross_entropy", args, {}, "float32").ulps <= ULPS


@pytest.mark.parametrize(
    ("shape", "axis"), [((0, 3), 0), ((3, 0), -1), ((0, 2, 3), (0, 2)), ((0,), None)], ids=str
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_logarithm_of_an_empty_sum_is_minus_infinity(shape, axis, dtype):
    for keepdims in (False, True):
        found = run("logsumexp", (np.empty(shape),), {"axis": axis, "keepdims": keepdims}, dtype)
        assert (found.value == -INF).all()
        assert not found.host


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_what_rows_that_registers_do_not_hold_send_back_is_one_kernel(name, dtype):
    found = run(name, (logits(20, 3, 1100),), {}, dtype)
    assert found.ulps <= 64
    assert found.fused


@pytest.mark.parametrize("wrong", [None, 0, 1024, 2099])
def test_losses_of_many_samples_are_gathered_by_several_blocks(wrong):
    """A class number that is none is found wherever it stands, and named as on the CPU."""
    assert parts_of(2100) == 2
    log_share, target = logits(21, 2100, 2), targets(22, (2100, 2), -1)
    if wrong is None:
        assert run("nll_loss", (log_share, target), {}, "float32").ulps <= ULPS
        return
    target[wrong] = 2
    for device in (there, np.asarray):
        with pytest.raises(ValueError, match="class 2 lies outside the 2 classes"):
            PRIMITIVES["nll_loss"](device(log_share), device(target))


def test_losses_are_gathered_on_every_multiprocessor_where_there_are_many():
    assert parts_of(65536) == 64
    assert parts_of(2**20) >= 132


def test_a_row_that_registers_do_not_hold_is_left_to_two_readings():
    assert held_each(1024, 4) == 32
    assert held_each(1025, 4) is held_each(513, 8) is None


@pytest.mark.parametrize(
    "name",
    "mse_loss l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits".split(),
)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_losses_of_differences_and_of_two_classes_go_by_parts_on_the_device(name, reduction):
    """Elementwise kernels and a sum: nothing is fetched on the way."""
    rng = np.random.default_rng(18)
    args = rng.uniform(0.1, 0.9, size=(5, 7)), rng.uniform(0.1, 0.9, size=(5, 7))
    found = run(name, args, {"reduction": reduction}, "float32")
    assert found.ulps <= ULPS
    assert not found.host
    assert found.fetched == 0
