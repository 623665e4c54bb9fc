"""Arrays whose bytes, or elements, no longer fit into 32 bits: every element is looked at.

All in one group: `--dist loadgroup` gives them to one process. What a test took of the GPU is given back after it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ops
from ops.devices.arrays import array
from ops.devices.device import Device
from tracer.insight.comparison import apart

PERIOD = 2**20 + 7
"""So many numbers over and over fill a large array: what is expected of one stretch is expected of all."""
COLUMNS = 4099
ULPS = 12

pytestmark = [
    pytest.mark.xdist_group("large"),
    pytest.mark.parametrize(
        "count",
        [
            pytest.param(2**29 + 5, id="2^31 bytes"),
            pytest.param(2**31 + 5, id="2^31 numbers", marks=pytest.mark.slow),
        ],
    ),
]


@pytest.fixture(autouse=True)
def freed(device: Device) -> Iterator[None]:
    """The memory of the GPU is given back, not kept for what comes next."""
    yield
    gc.collect()
    cupy = getattr(getattr(device, "memory", None), "cupy", None)
    if cupy is not None:
        cupy.get_default_memory_pool().free_all_blocks()


@pytest.fixture
def numbers(count: int, small: bool) -> np.ndarray[Any, Any]:
    """Small whole numbers of float32, whose sums float64 holds exactly."""
    period = 31 if small else PERIOD
    some = np.random.default_rng(0).integers(-8, 9, period).astype(np.float32)
    return np.resize(some, 100 if small else count)


@pytest.fixture
def table(numbers) -> np.ndarray[Any, Any]:
    """The same as rows of an odd length."""
    columns = min(COLUMNS, len(numbers) // 3)
    rows = len(numbers) // columns
    return numbers[: rows * columns].reshape(rows, columns)


def test_each_element_of_an_elementwise_operation(device: Device, numbers, small):
    period = 31 if small else PERIOD
    expected = ops.gelu(numbers[:period].astype(np.float64))
    found = ops.gelu(array(device, numbers)).numpy()
    for start in range(0, len(found), period):
        stretch = found[start : start + period]
        far = apart(stretch, expected[: len(stretch)].astype(np.float32))
        assert far.ulps <= ULPS, f"from element {start} on: {far}"


def test_a_row_added_to_every_row(device: Device, table):
    row = np.arange(table.shape[1], dtype=np.float32)
    found = (array(device, table) + array(device, row)).numpy()
    assert all(np.array_equal(found[k], table[k] + row) for k in range(len(table)))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_sums(device: Device, table, axis):
    found = ops.sum(array(device, table), axis=axis).numpy()
    expected = table.sum(axis=axis, dtype=np.float64)
    scale = np.abs(table).sum(axis=axis, dtype=np.float64)  # of this the rounding is a part
    assert np.all(np.abs(found - expected) <= 2**-20 * scale)


def test_the_transpose(device: Device, table):
    found = array(device, table).T.numpy()
    assert found.flags.c_contiguous
    assert all(np.array_equal(found[k], table[:, k]) for k in range(0, len(found), 97))
    assert np.array_equal(found[-1], table[:, -1])


def test_elements_from_the_end_and_far_apart(device: Device, numbers):
    x = array(device, numbers)
    step = len(numbers) // 3
    assert x[-7:].tolist() == numbers[-7:].tolist()
    assert x[::step].tolist() == numbers[::step].tolist()
    at = np.array([-1, 0, len(numbers) // 2, len(numbers) - 2])
    assert x[at].tolist() == numbers[at].tolist()
    assert x[::-1][:9].tolist() == numbers[::-1][:9].tolist()


def test_a_product_whose_result_is_that_large(device: Device, small, count):
    inner, side = (3, 5) if small else (32, int(count**0.5) + 1)
    rng = np.random.default_rng(0)
    a, b = (
        rng.integers(-8, 9, shape).astype(np.float32) for shape in ((side, inner), (inner, side))
    )
    found = (array(device, a) @ array(device, b)).numpy()
    assert all(np.array_equal(found[k], a[k] @ b) for k in range(0, side, 7))
    assert np.array_equal(found[-1], a[-1] @ b)
