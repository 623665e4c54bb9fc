"""Reductions on a device against numpy, over any axes: values, what they send back, NaN and inf, and their errors."""

import numpy as np
import pytest

from ops.cuda.native import compute
from ops.cuda.reductions import launching as reductions_launching
from ops.cuda.reductions import long_scans
from ops.cuda.reductions import scans as reductions_scans
from ops.cuda.reductions.family import NATIVE
from ops.cuda.reductions.launching import Collapsed, parts_of, passes
from ops.devices.arrays import array
from ops.devices.interpreting import INTERPRET
from ops.primitive import PRIMITIVES
from tests.ops.cuda.agreeing import DTYPES, run

INF = np.inf
ULPS = 8
"""Of the largest element of a result: the order of a sum is not numpy's."""

SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in NATIVE
    for number, sample in enumerate(PRIMITIVES[name].samples(np.random.default_rng(0)))
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_samples_agree_with_numpy(name, sample, dtype):
    op = PRIMITIVES[name]
    inputs, params = op.bind(sample.args, sample.params)
    try:
        op.run(inputs, params)
    except ValueError as error:  # what numpy refuses the device refuses with the same words
        with pytest.raises(ValueError, match="^" + str(error).split(":")[0]):
            compute(op, [array(INTERPRET, inputs[0])], params)
        return
    assert run(name, sample.args, sample.params, dtype).ulps <= ULPS


AXES = [
    pytest.param(shape, axis, id=f"{shape} over {axis}")
    for shape, axis in (
        ((7,), 0),
        ((3, 33), 1),
        ((3, 33), 0),
        ((33, 3), 0),
        ((1, 300), -1),
        ((300, 1), 0),
        ((2, 5, 31), 1),
        ((2, 5, 31), (1, 2)),
        ((2, 5, 31), (0, 2)),
        ((2, 5, 31), None),
        ((2, 1, 3, 1), (1, 3)),
        ((2, 3, 4, 5), (0, 2, 3)),
        ((4, 0, 3), 0),
        ((), None),
    )
]


@pytest.mark.parametrize(("shape", "axis"), AXES)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "norm", "any", "all"])
def test_any_axes_of_any_shape(name, shape, axis):
    x = np.asarray(1 + np.random.default_rng(3).normal(size=shape) / 8)
    with np.errstate(all="ignore"):
        found = run(name, (x,), {"axis": axis, "keepdims": len(shape) % 2 == 0}, "float32")
    assert found.ulps <= 24
    assert found.fetched == 0 or found.host


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "norm", "var", "std"])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_nan_and_inf_go_through(name, axis):
    x = np.random.default_rng(4).normal(size=(5, 40))
    x[1, 39], x[2, 3], x[3, 7], x[3, 8] = np.nan, INF, -INF, INF
    assert run(name, (x,), {"axis": axis}, "float32").ulps <= ULPS


@pytest.mark.parametrize("axis", [0, 1, None])
@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_equally_and_all_of_a_row_with_nan(name, axis):
    x = np.random.default_rng(5).integers(0, 3, size=(6, 35)).astype(float)
    x[2, 20] = np.nan
    found = run(name, (x,), {"axis": axis}, "float64", np.ones(np.shape(x.sum(axis))))
    assert found.fused
    assert found.ulps <= 2
    assert found.flows[0].sum() == pytest.approx(found.value.size)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_places_are_those_of_the_first_tie_or_the_first_nan(name, axis):
    rng = np.random.default_rng(6)
    x = rng.integers(0, 3, size=(20, 3, 17)).astype(float)
    x[rng.random(x.shape) < 0.02] = np.nan
    for dtype in ("float32", "int64"):
        y = x if dtype == "float32" else np.nan_to_num(x)
        given = y.astype(dtype)
        found = run(name, (given,), {"axis": axis}, dtype)
        assert not found.host
        assert found.value.dtype == np.int64


def test_integers_and_truths_are_added_up_as_int64():
    rng = np.random.default_rng(7)
    for x in (rng.integers(-9, 9, size=(5, 40)), rng.integers(0, 2, size=(5, 40)).astype(bool)):
        for axis in (0, 1, None):
            assert not run("sum", (x,), {"axis": axis}, "float64").host
    x = rng.integers(-9, 9, size=(5, 40))
    x[0, 0] = np.iinfo(np.int64).min
    assert run("min", (x,), {"axis": 1}, "float64").value[0] == np.iinfo(np.int64).min


def test_a_long_sum_is_as_exact_as_numpys():
    """Within a few ulps of the sum of magnitudes, over 1,000 elements a lane."""
    x = np.random.default_rng(8).normal(size=40_000).astype("float32")
    found = run("sum", (x,), {}, "float32").value
    assert abs(found - x.astype(float).sum()) <= 2 * np.spacing(np.abs(x).sum())


def test_ties_over_axes_that_are_no_neighbours_share_equally():
    x = np.random.default_rng(13).integers(0, 3, size=(3, 4, 5)).astype(float)
    for name in ("max", "min"):
        found = run(name, (x,), {"axis": (0, 2)}, "float64", np.arange(1.0, 5))
        assert found.fused
        assert found.flows[0].sum(axis=(0, 2)) == pytest.approx(np.arange(1.0, 5))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_variance_keeps_its_digits_far_from_0(axis, dtype):
    x = (100 + np.random.default_rng(9).normal(size=(40, 50)) / 1000).astype(dtype)
    found = run("var", (x,), {"axis": axis}, dtype).value
    tolerance = (
        5e-4 if dtype == "float32" else 1e-12
    )  # E[x²] − E[x]² would have none right in float32
    assert found == pytest.approx(x.astype(float).var(axis), rel=tolerance)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "prod", "norm", "argmin", "var"])
@pytest.mark.parametrize(("shape", "axis"), [((700,), None), ((2, 300), 1), ((400, 3), 0)])
def test_what_is_split_in_parts_is_joined_again(name, shape, axis, monkeypatch):
    """Parts of 50 elements in place of thousands: two stages."""
    cut = lambda at: max(1, at.size // 50)  # noqa: E731
    monkeypatch.setattr(reductions_launching, "parts_of", cut)
    x = 1 + np.random.default_rng(10).normal(size=shape) / 30
    found = run(name, (x,), {"axis": axis}, "float32")
    assert found.ulps <= 64
    assert not found.host


@pytest.mark.parametrize(("shape", "axis"), [((1, 200), 1), ((200, 3), 0), ((2, 70, 2), 1)])
def test_a_long_axis_is_searched_in_parts_of_parts(shape, axis, monkeypatch):
    """The first of equal elements wins, and the first NaN, whichever part it stands in."""
    cut = lambda at: max(1, at.size // 9)  # noqa: E731
    monkeypatch.setattr(reductions_launching, "parts_of", cut)
    monkeypatch.setattr(reductions_launching, "LEAST", 4)
    rng = np.random.default_rng(15)
    x = rng.integers(0, 3, size=shape).astype(float)
    for _ in range(2):
        for name in ("argmax", "argmin"):
            assert not run(name, (x,), {"axis": axis}, "float32").host
        x[rng.random(shape) < 0.03] = np.nan


def test_parts_depend_on_the_shape_alone_and_fill_a_large_gpu():
    assert parts_of(Collapsed(1, 2**28, 1)) == 1056
    assert parts_of(Collapsed(65_536, 1024, 1)) == 1
    assert parts_of(Collapsed(1, 65_536, 1024)) * 32 == 1056
    assert parts_of(Collapsed(0, 5, 1)) == 1


def test_an_axis_that_is_not_there_is_left_to_numpy_whose_error_says_so():
    assert passes((2, 3), 2) is None
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds"):
        PRIMITIVES["sum"](array(INTERPRET, np.ones((2, 3))), axis=2)
    with pytest.raises(ValueError, match="ord is None"):
        PRIMITIVES["norm"](array(INTERPRET, np.ones(3)), ord=0)
    with pytest.raises(ValueError, match="a norm of matrices"):
        PRIMITIVES["norm"](array(INTERPRET, np.ones((3, 3))), ord=2, axis=(0, 1))


def test_a_variance_without_freedom_is_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(
            run("var", (np.ones((2, 3)),), {"axis": 1, "ddof": 3}, "float32").value
        ).all()


@pytest.mark.parametrize("shape", [(3, 33), (33, 3), (2, 5, 4), (40,)], ids=str)
@pytest.mark.parametrize("axis", [0, -1, None])
def test_running_sums_and_products_are_numpys_to_the_last_bit(shape, axis):
    x = 1 + np.random.default_rng(12).normal(size=shape) / 4
    for name in ("cumsum", "cumprod"):
        found = run(name, (x,), {"axis": axis}, "float32")
        assert np.array_equal(found.value, getattr(np, name)(x.astype("float32"), axis))
        assert not found.host
        assert found.ulps <= 32


LINES = [
    pytest.param((1, 20), 1, 1, id="one part"),
    pytest.param((1, 700), 1, 5, id="a row in parts"),
    pytest.param((3, 70), 1, 2, id="rows"),
    pytest.param((2, 67, 3), 1, 3, id="columns"),
    pytest.param((290,), None, 4, id="all elements"),
]


@pytest.mark.parametrize(("shape", "axis", "parts"), LINES)
def test_a_few_long_lines_are_summed_in_parts_both_ways(shape, axis, parts, monkeypatch):
    """Within 4 ulps of the largest sum, by three kernels, with nothing fetched."""
    monkeypatch.setattr(long_scans, "LONG", 20)
    monkeypatch.setattr(long_scans, "parts_of", lambda at: parts)
    x = 1 + np.random.default_rng(14).normal(size=shape)
    found = run("cumsum", (x,), {"axis": axis}, "float32")
    exact = np.cumsum(x.astype("float32").astype(float), axis)
    assert np.abs(found.value - exact).max() <= 4 * np.spacing(np.float32(np.abs(exact).max()))
    assert found.ulps <= 32  # numpy's own order is less exact
    assert found.fused
    assert not found.host
    assert found.fetched == 0


def test_nan_inf_and_minus_0_run_through_the_parts_of_a_line(monkeypatch):
    monkeypatch.setattr(long_scans, "LONG", 20)
    monkeypatch.setattr(long_scans, "parts_of", lambda at: 4)
    for place, number in ((60, np.nan), (110, INF), (10, -INF)):
        x = np.ones((1, 200))
        x[0, place] = number
        x[0, 190] = INF
        with np.errstate(invalid="ignore"):
            assert run("cumsum", (x,), {"axis": 1}, "float32").ulps <= 2  # of what it sends back
    found = run("cumsum", (np.full((1, 30), -0.0),), {"axis": 1}, "float32").value
    assert np.signbit(found[0, :7]).all()


def test_lines_are_cut_by_their_shape_alone_and_fill_a_large_gpu():
    assert long_scans.parts_of(Collapsed(1, 2**28, 1)) == 4096
    assert long_scans.parts_of(Collapsed(1023, 2**18, 1)) * 1023 >= 4 * 132 * 4
    assert not long_scans.is_long(Collapsed(1, 1023, 1))
    assert not long_scans.is_long(Collapsed(32, 2**20, 32))


def test_products_and_recurrences_of_a_few_very_long_lines_are_left_to_the_host(monkeypatch):
    monkeypatch.setattr(reductions_scans, "VERY_LONG", 10)
    assert run("cumprod", (np.ones((3, 10)),), {"axis": 1}, "float32").host
    assert not run("cumprod", (np.ones((10, 1024)),), {"axis": 0}, "float32").host
    assert not run("cumsum", (np.ones((10, 1024)),), {"axis": 0}, "float32").host


def test_what_reductions_send_back_over_any_axes_comes_from_kernels():
    x = np.random.default_rng(11).normal(size=(3, 9, 2))
    for name in ("sum", "mean", "max", "min", "var", "std", "norm"):
        for axis in (0, 1, -1, (1, 2), None, (0, 2)):
            assert run(name, (x,), {"axis": axis}, "float32").fused, (name, axis)
