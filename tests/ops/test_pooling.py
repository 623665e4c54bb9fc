"""Pools: PyTorch's numbers, how ties and NaN share, what padding is, compiled kernels, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import tracer as tr
from tests.ops.cases import Array
from tests.ops.test_convolution import POOLS, agrees_with_pytorch, derived, draw, labelled
from tracer.replay import parts_trace

BOTH = pytest.mark.parametrize("kernels", ["numpy", "numba"])


@BOTH
@pytest.mark.parametrize("row", labelled(POOLS))
def test_values_and_gradients_are_those_of_pytorch(row, kernels):
    with tr.kernels(kernels):
        agrees_with_pytorch(row, "float64", 1e-13)
        agrees_with_pytorch(row, "float32", 1e-5)


def pulled(x: Array, g: Array, kernels: str, **params: int) -> Array:
    """The gradient of Σ g · max_pool1d(x); one sequence of one channel."""
    with tr.kernels(kernels):
        _, (gradient,) = derived("max_pool1d", [x[None, None]], g[None, None], params)
    return gradient[0, 0]


# ----- the largest


@BOTH
def test_ties_share_the_cotangent_equally(kernels):
    x = np.array([3.0, 1.0, 3.0, 2.0, 2.0, 2.0])
    gradient = pulled(x, np.array([1.0, 6.0]), kernels, kernel_size=3)
    np.testing.assert_array_equal(gradient, [0.5, 0.0, 0.5, 2.0, 2.0, 2.0])


@BOTH
def test_an_element_receives_from_every_window_in_which_it_is_largest(kernels):
    x = np.array([0.0, 5.0, 1.0, 2.0])
    gradient = pulled(x, np.array([1.0, 10.0, 100.0]), kernels, kernel_size=2, stride=1)
    np.testing.assert_array_equal(gradient, [0.0, 11.0, 0.0, 100.0])


@BOTH
def test_a_nan_is_the_largest_and_the_elements_of_its_window_share(kernels):
    x = np.array([np.nan, 1.0, 2.0, 3.0])
    with tr.kernels(kernels):
        y = tr.max_pool1d(x[None, None], kernel_size=3, stride=2, padding=1)
    np.testing.assert_array_equal(y, [[[np.nan, 3.0]]])
    gradient = pulled(x, np.array([4.0, 8.0]), kernels, kernel_size=3, stride=2, padding=1)
    np.testing.assert_array_equal(gradient, [2.0, 2.0, 0.0, 8.0])  # nothing goes to the padding


@BOTH
def test_padding_is_smaller_than_any_number(kernels):
    x = np.array([-5.0, -np.inf, -np.inf])
    with tr.kernels(kernels):
        y = tr.max_pool1d(x[None, None], kernel_size=2, padding=1)
    np.testing.assert_array_equal(y, [[[-5.0, -np.inf]]])
    gradient = pulled(x, np.array([1.0, 4.0]), kernels, kernel_size=2, padding=1)
    np.testing.assert_array_equal(gradient, [1.0, 2.0, 2.0])


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_cotangent_is_lost_or_made(kernels, dtype):
    """Ties, overlaps and padding at once: what goes in is what comes out."""
    x = np.round(draw(3, 4, 9, 8)).astype(dtype)
    params = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    g = np.abs(draw(3, 4, 5, 7)).astype(dtype)
    with tr.kernels(kernels):
        _, (gradient,) = derived("max_pool2d", [x], g, params)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient.sum(), g.sum(), rtol=1e-5)


@pytest.mark.parametrize("digits", [0, 9])
def test_compiled_flows_agree_with_numpy_with_many_ties_and_with_none(digits: int):
    x, params = (
        np.round(draw(2, 3, 17, 19), digits),
        {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2},
    )
    g = draw(*tr.max_pool2d(x, **params).shape)
    found = {}
    for kernels in ("numpy", "numba"):
        with tr.kernels(kernels):
            found[kernels] = derived("max_pool2d", [x], g, params)[1][0]
    np.testing.assert_allclose(found["numba"], found["numpy"], rtol=1e-13, atol=1e-15)


def test_the_largest_of_whole_numbers_is_a_whole_number():
    y = tr.max_pool1d(np.array([[[-3, -1, -2]]]), kernel_size=2, padding=1)
    assert y.dtype.kind == "i"
    np.testing.assert_array_equal(y, [[[-3, -1]]])


def test_a_max_pool_opens_into_its_columns_and_their_largest():
    x = tr.tensor(draw(1, 1, 4, 4), name="x")
    trace = tr.trace(tr.sum(tr.max_pool2d(x, kernel_size=2)))
    parts = parts_trace(trace, 1)
    assert [node.op_name for node in parts if not node.is_leaf] == [
        "unfold",
        "reshape",
        "max",
        "reshape",
    ]


# ----- means


def test_padding_counts_as_elements_of_a_mean_unless_told_not_to():
    x = np.array([[[2.0, 4.0]]])
    with_padding = tr.avg_pool1d(x, kernel_size=2, stride=1, padding=1)
    without = tr.avg_pool1d(x, kernel_size=2, stride=1, padding=1, count_include_pad=False)
    np.testing.assert_array_equal(with_padding, [[[1.0, 3.0, 2.0]]])
    np.testing.assert_array_equal(without, [[[2.0, 3.0, 4.0]]])


def test_the_last_window_of_ceil_mode_is_a_mean_of_what_there_is():
    x = np.array([[[1.0, 2.0, 6.0]]])
    np.testing.assert_array_equal(tr.avg_pool1d(x, kernel_size=2), [[[1.5]]])
    np.testing.assert_array_equal(tr.avg_pool1d(x, kernel_size=2, ceil_mode=True), [[[1.5, 6.0]]])


def test_an_adaptive_mean_to_size_1_is_the_mean():
    x = draw(2, 3, 5, 4)
    pooled = tr.adaptive_avg_pool2d(x, output_size=1)
    np.testing.assert_allclose(pooled, x.mean((2, 3), keepdims=True), rtol=1e-14)


def test_an_adaptive_mean_repeats_where_more_is_asked_for_than_there_is():
    x = np.array([[[1.0, 3.0]]])
    np.testing.assert_array_equal(tr.adaptive_avg_pool1d(x, output_size=4), [[[1, 1, 3, 3]]])


@pytest.mark.parametrize("name", ["avg_pool2d", "adaptive_avg_pool2d"])
def test_a_mean_of_whole_numbers_is_a_float(name):
    params = {"output_size": 1} if name.startswith("adaptive") else {"kernel_size": 2}
    y = getattr(tr, name)(np.array([[[[1, 2], [3, 4]]]]), **params)
    np.testing.assert_array_equal(y, [[[[2.5]]]])


# ----- refusals


@pytest.mark.parametrize(
    ("name", "shape", "params", "words"),
    [
        ("max_pool2d", (1, 1, 3), {"kernel_size": 2}, "needs axes of batch, channels, height and"),
        ("max_pool1d", (1, 1, 3), {"kernel_size": 4}, "a kernel of 4 is larger than the input of"),
        ("max_pool1d", (1, 1, 3), {"kernel_size": 2, "padding": 2}, "padding is 2, but at most"),
        ("avg_pool2d", (1, 1, 4, 4), {"kernel_size": 0}, "kernel_size is 0, but must be at least"),
        ("avg_pool1d", (4,), {"kernel_size": 2}, "x has shape (4,), but needs axes of batch"),
        (
            "adaptive_avg_pool2d",
            (1, 1, 4, 4),
            {"output_size": (1, 2, 3)},
            "output_size is (1, 2, 3), but there are 2 axes",
        ),
        ("adaptive_avg_pool1d", (1, 1, 4), {"output_size": 0}, "output_size is 0, but must be"),
    ],
)
@BOTH
def test_what_does_not_fit_is_said_in_the_users_words(name, shape, params, words, kernels):
    with tr.kernels(kernels), pytest.raises(tr.errors.GradstepError) as raised:
        getattr(tr, name)(tr.tensor(draw(*shape)), **params)
    for each in (f"{name}: ", words, "try: "):
        assert each in str(raised.value)


def test_a_pool_needs_a_kernel_size():
    with pytest.raises(tr.errors.GradstepError, match="needs kernel_size="):
        tr.max_pool2d(draw(1, 1, 4, 4))
