"""Convolutions, unfold and fold: PyTorch's numbers, what holds of any numbers, compiled kernels, refusals.

`windows_golden.json` was made by `windows_in_torch.py` with torch 2.13.0 in float64.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops.kernels import windows as compiled
from tests.ops.cases import Array, rng

ROWS = json.loads(Path(__file__).with_name("windows_golden.json").read_text())["rows"]
POOLS = [row for row in ROWS if "pool" in row["name"]]
GOLDEN = [row for row in ROWS if row not in POOLS]


def labelled(rows: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(row, id=f"{row['name']}{row['params'] or ''}") for row in rows]


def derived(
    name: str, inputs: list[Array], g: Array, params: dict[str, Any]
) -> tuple[Array, list[Array]]:
    """The value, and the gradient of Σ g · value by every input."""
    leaves = [tr.tensor(x, dtype=x.dtype.name) for x in inputs]
    value = getattr(tr, name)(*leaves, **params)
    value.backward(g)
    return value.value, [leaf.grad for leaf in leaves]


def agrees_with_pytorch(row: dict[str, Any], dtype: str, tolerance: float) -> None:
    # JSON has no tuples: bind makes them of lists
    inputs = [np.array(x, dtype) for x in row["inputs"]]
    value, gradients = derived(row["name"], inputs, np.array(row["g"], dtype), row["params"])
    for mine, wanted in zip([value, *gradients], [row["value"], *row["gradients"]], strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("row", labelled(GOLDEN))
def test_values_and_gradients_are_those_of_pytorch(row, kernels):
    with tr.kernels(kernels):
        agrees_with_pytorch(row, "float64", 1e-13)
        agrees_with_pytorch(row, "float32", 1e-5)


# ----- what holds of any numbers


def draw(*shape: int) -> Array:
    return rng(sum(shape)).normal(size=shape)


def test_a_mean_of_neighbours_by_hand():
    x = np.array([[[1.0, 2.0, 6.0, 3.0]]])
    np.testing.assert_array_equal(tr.conv1d(x, np.full((1, 1, 2), 0.5)), [[[1.5, 4.0, 4.5]]])


def test_the_kernel_is_not_flipped():
    impulse = np.array([[[0.0, 1.0, 0.0]]])
    y = tr.conv1d(impulse, np.array([[[1.0, 2.0, 3.0]]]), padding=1)
    np.testing.assert_array_equal(y, [[[3.0, 2.0, 1.0]]])


def test_a_causal_convolution_sees_nothing_that_is_still_to_come():
    x, weight = draw(1, 2, 9), draw(3, 2, 3)
    y = tr.conv1d(x, weight, padding="causal", dilation=2)
    assert y.shape == (1, 3, 9)
    for t in range(9):
        later = x.copy()
        later[..., t + 1 :] += 1
        moved = tr.conv1d(later, weight, padding="causal", dilation=2)
        np.testing.assert_array_equal(moved[..., : t + 1], y[..., : t + 1])


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_same_keeps_the_size_and_pads_more_behind_than_in_front(width: int):
    x, weight = draw(1, 1, 6), draw(1, 1, width)
    y = tr.conv1d(x, weight, padding="same")
    pads = (width - 1) // 2, width // 2
    padded = np.pad(x, ((0, 0), (0, 0), pads))
    np.testing.assert_allclose(y, tr.conv1d(padded, weight), rtol=1e-14)


def test_a_convolution_over_a_sequence_is_one_over_an_image_of_height_1():
    x, weight, bias = draw(2, 4, 9), draw(6, 2, 3), draw(6)
    steps = {"stride": 2, "dilation": 2, "groups": 2}
    y = tr.conv1d(x, weight, bias, padding=3, **steps)
    image = tr.conv2d(x[:, :, None], weight[:, :, None], bias, padding=(0, 3), **steps)
    np.testing.assert_array_equal(y, image[:, :, 0])


def test_groups_are_convolutions_side_by_side():
    x, weight = draw(2, 6, 5, 5), draw(4, 3, 2, 2)
    halves = [tr.conv2d(x[:, k : k + 3], weight[j : j + 2]) for k, j in ((0, 0), (3, 2))]
    whole = tr.conv2d(x, weight, groups=2)
    np.testing.assert_allclose(whole, np.concatenate(halves, axis=1), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    "params",
    [{}, {"stride": 2}, {"padding": 1, "dilation": 2}, {"stride": (3, 2), "padding": (1, 0)}],
    ids=str,
)
def test_a_transposed_convolution_is_the_transpose(params):
    """⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, with the output padding that leads back to the size of x."""
    x, weight = draw(1, 2, 8, 7), draw(3, 2, 2, 3)
    forth = tr.conv2d(x, weight, **params)
    y = draw(*forth.shape)
    smallest = tr.conv_transpose2d(y, weight, **params).shape
    extra = tuple(n - m for n, m in zip(x.shape[2:], smallest[2:], strict=True))
    back = tr.conv_transpose2d(y, weight, output_padding=extra, **params)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(forth * y), np.sum(x * back), rtol=1e-12)


def test_fold_of_unfold_counts_in_how_many_windows_an_element_lies():
    columns = tr.unfold(np.ones((1, 1, 3, 3)), kernel_size=2)
    counts = tr.fold(columns, output_size=(3, 3), kernel_size=2)
    np.testing.assert_array_equal(counts, [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])


def test_a_convolution_may_be_called_as_in_pytorch():
    """functional.conv2d(input, weight, bias, stride, padding, dilation, groups), with None for no bias."""
    x, weight = draw(1, 2, 6, 6), draw(2, 1, 2, 2)
    y = tr.conv2d(x, weight, None, 2, (1, 0), 1, 2)
    named = tr.conv2d(x, weight, stride=2, padding=(1, 0), groups=2)
    np.testing.assert_array_equal(y, named)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_an_empty_batch_sends_zeros_to_the_weights(kernels):
    inputs = [np.empty((0, 2, 4, 4)), draw(3, 2, 2, 2), draw(3)]
    with tr.kernels(kernels):
        value, (x, weight, bias) = derived("conv2d", inputs, np.empty((0, 3, 3, 3)), {})
    assert value.shape == (0, 3, 3, 3)
    assert x.shape == (0, 2, 4, 4)
    assert not np.any(weight)
    assert weight.shape == (3, 2, 2, 2)
    assert not np.any(bias)
    assert bias.shape == (3,)


def test_only_what_is_wanted_receives_a_gradient():
    weight = tr.tensor(draw(2, 1, 2, 2))
    with tr.kernels("numba"):
        y = tr.conv2d(tr.constant(draw(1, 1, 3, 3)), weight)
    y.backward(np.ones(y.shape))
    assert weight.grad.shape == weight.shape


# ----- compiled kernels


@contextmanager
def chunks_of(elements: int) -> Iterator[None]:
    before = compiled.CHUNK
    compiled.CHUNK = elements
    try:
        yield
    finally:
        compiled.CHUNK = before


CALLS: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("conv1d", [(5, 4, 20), (6, 2, 3), (6,)], {"groups": 2, "padding": "causal", "dilation": 2}),
    ("conv2d", [(5, 3, 9, 8), (4, 3, 3, 3), (4,)], {"padding": 1}),
    ("conv2d", [(5, 4, 9, 8), (4, 2, 2, 3)], {"stride": 2, "padding": (0, 2), "groups": 2}),
    ("conv_transpose2d", [(5, 4, 5, 6), (4, 2, 3, 3), (4,)], {"stride": 2, "groups": 2}),
    ("conv_transpose2d", [(5, 2, 5, 6), (2, 3, 2, 2)], {"padding": 1, "output_padding": 0}),
]


@pytest.mark.parametrize("elements", [1, 500, 1 << 19])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}{call[2]}")
def test_compiled_kernels_agree_with_numpy_for_chunks_of_any_size(call, elements):
    """A single sample at a time, some samples with fewer in the last chunk, and all at once."""
    name, shapes, params = call
    inputs = [draw(*shape) for shape in shapes]
    value = getattr(tr, name)(*inputs, **params)
    found = {}
    for kernels in ("numpy", "numba"):
        with tr.kernels(kernels), chunks_of(elements):
            found[kernels] = derived(name, inputs, draw(*value.shape), params)
    value, gradients = found["numpy"]
    for mine, wanted in zip(found["numba"][1], gradients, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["numba"][0], value, rtol=1e-12, atol=1e-12)


def test_the_second_derivative_is_the_same_with_compiled_kernels():
    x, weight = draw(2, 2, 5, 5), draw(3, 2, 2, 2)
    found = []
    for kernels in ("numpy", "numba"):
        with tr.kernels(kernels):
            leaves = tr.tensor(x), tr.tensor(weight)
            loss = tr.sum(tr.square(tr.conv2d(*leaves)))
            first = tr.grad(loss, leaves[0], create_graph=True)
            found.append(tr.grad(tr.sum(tr.square(first)), leaves[1]))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12)


def test_compiled_kernels_run_from_the_size_on_at_which_they_pay():
    weight = draw(2, 1, 2, 2)
    small, large = tr.tensor(draw(1, 1, 4, 4)), tr.tensor(draw(4, 1, 32, 32))
    assert tr.conv2d(small, weight).op.kernels == "numpy"
    assert tr.conv2d(large, weight).op.kernels == "numba"


# ----- refusals


@pytest.mark.parametrize(
    ("name", "shapes", "params", "words"),
    [
        (
            "conv2d",
            [(1, 3, 8, 8), (4, 2, 3, 3)],
            {},
            ["x has 3 channels, but weight takes 2", "x float64[1, 3, 8, 8]"],
        ),
        (
            "conv2d",
            [(1, 6, 8, 8), (4, 2, 3, 3)],
            {"groups": 2},
            ["x has 6 channels, but weight takes 4 in 2 groups"],
        ),
        (
            "conv2d",
            [(1, 4, 8, 8), (3, 2, 3, 3)],
            {"groups": 2},
            ["the result has 3 channels, which 2 groups cannot share"],
        ),
        (
            "conv2d",
            [(1, 1, 2, 2), (1, 1, 5, 3)],
            {},
            ["a kernel of 5×3 is larger than the input of 2×2"],
        ),
        (
            "conv2d",
            [(1, 1, 2, 2), (1, 1, 3, 3)],
            {"dilation": 3, "padding": 1},
            ["a kernel of 3×3, 7×7 with its dilation,", "input of 2×2, 4×4 with its padding"],
        ),
        (
            "conv2d",
            [(1, 8, 8), (4, 1, 3, 3)],
            {},
            ["x has shape (1, 8, 8), but must be (N, channels, height, width)"],
        ),
        (
            "conv1d",
            [(1, 8, 8), (4, 8)],
            {},
            ["weight has shape (4, 8), but must be (out channels, channels in a group, *kernel)"],
        ),
        (
            "conv2d",
            [(1, 1, 4, 4), (4, 1, 2, 2), (3,)],
            {},
            ["bias has shape (3,), but the result 4 channels"],
        ),
        ("conv1d", [(1, 1, 4), (1, 1, 2)], {"padding": "full"}, ["one of valid, same, causal"]),
        ("conv2d", [(1, 1, 4, 4), (1, 1, 2, 2)], {"padding": "causal"}, ["one of valid, same"]),
        ("conv1d", [(1, 1, 4), (1, 1, 2)], {"padding": "same", "stride": 2}, ["a stride of 2"]),
        ("conv1d", [(1, 1, 4), (1, 1, 2)], {"stride": 0}, ["stride is 0, but must be at least 1"]),
        ("conv1d", [(1, 1, 4), (1, 1, 2)], {"stride": (1, 2)}, ["but there is 1 axis"]),
        ("conv2d", [(1, 1, 4, 4), (1, 1, 2, 2)], {"padding": -1}, ["must be at least 0"]),
        (
            "conv_transpose2d",
            [(1, 3, 2, 2), (2, 1, 2, 2)],
            {},
            ["x has 3 channels, but weight takes 2", "weight is (channels, out channels / groups"],
        ),
        (
            "conv_transpose2d",
            [(1, 1, 2, 2), (1, 1, 2, 2)],
            {"output_padding": 1},
            ["output_padding is 1, but must be smaller than the stride or the dilation"],
        ),
        (
            "conv_transpose2d",
            [(1, 1, 2, 2), (1, 1, 1, 1)],
            {"padding": 1},
            ["a padding of 1×1 leaves a result of 0×0"],
        ),
        (
            "fold",
            [(1, 4, 5)],
            {"output_size": (3, 3), "kernel_size": 2},
            ["2×2 windows of 2×2 over 3×3 are (N, channels · 4, 4)"],
        ),
        ("unfold", [(4, 4)], {"kernel_size": 2}, ["x has shape (4, 4)", "batch, channels, space"]),
    ],
)
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_what_does_not_fit_is_said_in_the_users_words(name, shapes, params, words, kernels):
    inputs = [tr.tensor(draw(*shape)) for shape in shapes]
    with tr.kernels(kernels), pytest.raises(tr.errors.GradstepError) as raised:
        getattr(tr, name)(*inputs, **params)
    for each in (f"{name}: ", *words, "try: "):
        assert each in str(raised.value)


def test_a_stride_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"stride is 1\.5, but is counted in whole numbers"):
        tr.conv1d(draw(1, 1, 4), draw(1, 1, 2), stride=1.5)
