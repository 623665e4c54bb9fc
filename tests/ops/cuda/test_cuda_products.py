"""Products by cuBLAS: the addresses, sizes and strides that it is given, on a made-up one that multiplies."""

from __future__ import annotations

import numpy as np
import pytest

from ops.cuda.products.stacks import product
from ops.devices import cuda_products
from ops.devices.arrays import array
from tests.ops.cuda.pretended import FULL, TF32, Cupy, device_on


@pytest.fixture
def cupy() -> Cupy:
    return Cupy()


@pytest.fixture
def cuda(monkeypatch, cupy):
    return device_on(monkeypatch, cupy)


SHAPES = [
    ((3, 4), (4, 5)),
    ((1, 4), (4, 1)),
    ((3, 1), (1, 5)),
    ((1, 1), (1, 1)),
    ((7, 3, 4), (7, 4, 5)),
    ((2, 7, 3, 4), (2, 7, 4, 5)),
    ((3, 4), (7, 4, 5)),
    ((1, 1, 1, 4), (2, 7, 4, 1)),
    ((7, 3, 4), (1, 4, 5)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_transposed_operands_and_stacks_are_multiplied_where_they_lie(
    cuda, cupy, left, right, ta, tb, dtype
):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-9, 9, shape).astype(dtype) for shape in (left, right))
    there = [array(cuda, x.swapaxes(-1, -2) if turned else x) for x, turned in ((a, ta), (b, tb))]
    cupy.on.clear()
    out = product(*there, ta=ta, tb=tb)
    assert cupy.on == ["empty", "gemm"]
    assert (out.dtype, out.shape) == (a.dtype, (a @ b).shape)
    assert out.tolist() == (a @ b).tolist()


def test_a_stack_that_only_a_copy_would_make_and_integers_are_left_to_our_own_kernels(cuda, cupy):
    partly = cuda.put(np.ones((5, 1, 2, 3)))
    out = cuda.empty((5, 7, 2, 2), np.float64)
    assert not cuda.matmul(partly, cuda.put(np.ones((5, 7, 3, 2))), out)
    whole = cuda.put(np.ones((2, 2), int))
    assert not cuda.matmul(whole, whole, whole)
    assert "gemm" not in cupy.on


def test_sizes_beyond_32_bits_are_left_to_our_own_kernels(cuda, cupy, monkeypatch):
    monkeypatch.setattr(cuda_products, "MOST", 3)
    a = cuda.put(np.ones((2, 4)))
    assert not cuda.matmul(a, a.swapaxes(0, 1), cuda.empty((2, 2), np.float64))


def test_products_are_in_full_float32_whatever_the_library_was_set_to(cuda, cupy):
    """`CUPY_TF32`, or another user of the library, sets a mode of fewer digits: it is left as it was found."""
    x = cuda.put(np.ones((2, 2), np.float32))
    assert cupy.blas.mode == TF32
    assert cuda.matmul(x, x, cuda.empty((2, 2), np.float32))
    assert cupy.blas.modes == [FULL]
    assert cupy.blas.mode == TF32
