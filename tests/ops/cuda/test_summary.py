"""Summaries on a device say what the host says of the same numbers, of one pass and one copy."""

import math

import numpy as np
import pytest

from ops.cuda import summary
from ops.cuda.summary import summarise, summarise_all
from ops.devices.arrays import array
from ops.devices.interpreting import INTERPRET
from tracer import stats

MOMENTS = ("mean", "std", "low", "high", "rms")
COUNTS = ("nans", "infs", "zeros")


def some(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def ends(seed: int) -> np.ndarray:
    """Most elements small, the first of them huge: no single one is a good centre."""
    x = some(seed, 300)
    x[0], x[-1] = 1e4, -1e3
    return x


def across(limit: float) -> np.ndarray:
    """Smaller than a limit of scales at first, and larger after many: what a lane has summed goes over."""
    return limit * np.concatenate([np.linspace(-0.9, 0.6, 400), np.linspace(-1.5, 2, 300)])


CASES = {
    "normal": some(0, 40, 7),
    "one": np.array([2.5]),
    "a warp": some(1, 32),
    "a group": some(2, 8 * 32 + 1),
    "more than a block of lanes": some(3, 2500),
    "mean 100, deviation 1e-3": 100 + some(4, 500) / 1000,
    "equal": np.full(100, 0.1),
    "zeros": np.zeros((3, 4)),
    "huge": some(5, 90) * 1e30,
    "tiny": some(6, 90) * 1e-30,
    "tiny, then huge": np.concatenate([some(7, 60) * 1e-35, some(8, 60), some(9, 60) * 1e35]),
    "huge, then tiny": np.concatenate([some(7, 60) * 1e33, some(9, 60) * 1e-35]),
    "across the second scale": across(2.0**-30),
    "across the third scale": across(2.0**40),
    "far ends": ends(10),
    "rising": np.sort(some(11, 400)) + 3,
    "not finite": np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, np.nan] * 9),
    "first not finite": np.concatenate([np.full(50, np.nan), some(12, 50)]),
    "nothing finite": np.array([np.nan, np.inf, np.nan]),
    "empty": np.empty((0, 3)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_every_field_is_that_of_the_host(name, dtype):
    """Counts and extremes exactly; moments within 1e-6 in float32, the mean at least of the deviation's size."""
    x = CASES[name].astype(dtype)
    found, host = summarise(array(INTERPRET, x)), stats.summary(x)
    assert found.size == host.count
    for field in COUNTS:
        assert getattr(found, field) == getattr(host, field), field
    for field in MOMENTS:
        expected, slack = getattr(host, field), 0.0
        if field in ("low", "high"):
            assert getattr(found, field) == pytest.approx(expected, rel=0, nan_ok=True)
            continue
        if field == "mean":
            slack = 1e-7 * host.std
        if name == "equal":  # the host's own deviation of equal numbers is rounding
            slack = 1e-15
        tolerance = 1e-6 if dtype == "float32" else 1e-12
        assert getattr(found, field) == pytest.approx(
            expected, rel=tolerance, abs=slack, nan_ok=True
        ), field


@pytest.mark.parametrize("limit", [2.0**-300, 2.0**300])
def test_float64_goes_over_to_larger_scales_too(limit):
    x = across(limit)
    found = summarise(array(INTERPRET, x))
    assert found.std == pytest.approx((x / limit).std() * limit, rel=1e-12)
    assert found.rms == pytest.approx(stats.rms(x), rel=1e-12)


def test_the_deviation_of_equal_numbers_is_exactly_0():
    assert summarise(array(INTERPRET, np.full(1000, np.float32(0.1)))).std == 0


def test_a_deviation_keeps_its_digits_far_from_0():
    x = (1e6 + np.random.default_rng(0).integers(0, 3, size=777)).astype("float32")
    assert summarise(array(INTERPRET, x)).std == pytest.approx(
        float(x.astype(float).std()), rel=1e-6
    )


def test_the_root_mean_square_of_huge_numbers_does_not_overflow():
    x = np.array([3e38, -3e38, 1e38], "float32")
    assert summarise(array(INTERPRET, x)).rms == pytest.approx(stats.rms(x), rel=1e-6)
    assert math.isfinite(summarise(array(INTERPRET, np.array([1e300, 1e-300]))).rms)


def test_the_mean_of_numbers_that_cancel_is_small():
    half = np.random.default_rng(1).normal(size=2000).astype("float32")
    x = np.concatenate([half, -half[::-1]])
    assert abs(summarise(array(INTERPRET, x)).mean) < 1e-8


@pytest.mark.parametrize("dtype", ["int64", "bool", "int32"])
def test_integers_and_truths_are_summarised_as_numbers(dtype):
    x = np.random.default_rng(2).integers(-3, 4, size=(11, 9)).astype(dtype)
    assert summarise(array(INTERPRET, x)) == pytest.approx(
        tuple(vars(stats.summary(x)).values()), rel=1e-12, abs=1e-16
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_in_parts_is_summarised_as_one(dtype, monkeypatch):
    """Parts of 40 elements in place of 32,768, and so two stages."""
    monkeypatch.setattr(summary, "SHARE", 40)
    x = (5 + some(13, 1300)).astype(dtype)
    x[::100], x[50] = 0, np.nan
    found, host = summarise(array(INTERPRET, x)), stats.summary(x)
    assert found == pytest.approx(tuple(vars(host).values()), rel=1e-6)


def test_many_arrays_cost_one_small_copy_of_each_precision():
    arrays = [
        array(INTERPRET, x)
        for x in (
            some(0, 30).astype("float32"),
            np.empty(0, "float32"),
            some(1, 4, 5),
            np.array([1, 2, 3]),
            np.array([True]),
            some(2, 2, 2).astype("float32"),
        )
    ]
    before = INTERPRET.fetched
    found = summarise_all(arrays)
    assert INTERPRET.fetched - before == 2 * 14 * 4 + 3 * 14 * 8
    assert found == [pytest.approx(summarise(x), nan_ok=True) for x in arrays]
    assert found[3].mean == 2
    assert found[1].size == 0


def test_the_fields_are_those_of_the_summary_on_the_host_in_its_order():
    count, *others = stats.Summary.__dataclass_fields__  # a tuple has a `count` of its own
    assert summary.Statistics._fields == ("size", *others)
    assert count == "count"
