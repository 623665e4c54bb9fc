"""Embedding: PyTorch's numbers, the padding, what is refused, and the compiled scatter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer as tr
from ops import PRIMITIVES
from ops.kernels.embedding import ACCELERATIONS, scattered

GOLDEN = json.loads(Path(__file__).with_name("attention_golden.json").read_text())["embedding"]
PADDING = {"plain": None, "padding": 2, "last": -1}


@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_value_and_gradient_are_those_of_pytorch(case: str, kernels: str):
    """`attention_golden.json`, made by `attention_in_torch.py`: rows repeat, and the padding receives nothing."""
    golden = GOLDEN[case]
    weight = tr.tensor(golden["weight"])
    with tr.kernels(kernels):
        out = tr.embedding(np.array(golden["indices"]), weight, padding_idx=PADDING[case])
        out.backward(golden["seed"])
    np.testing.assert_array_equal(out.value, golden["out"])
    np.testing.assert_allclose(weight.grad, golden["gradient"], rtol=1e-14)


def test_it_is_the_one_hot_layer_of_the_lectures():
    indices = np.array([[1, 3], [1, 0]])
    weight, table = (
        tr.tensor(np.arange(12.0).reshape(4, 3)),
        tr.tensor(np.arange(12.0).reshape(4, 3)),
    )
    (tr.embedding(indices, weight) ** 2).sum().backward()
    ((tr.one_hot(indices, classes=4) @ table) ** 2).sum().backward()
    np.testing.assert_array_equal(weight.grad, table.grad)


def test_a_row_picked_k_times_receives_k_flows_and_one_never_picked_0():
    weight = tr.tensor(np.zeros((3, 2)))
    tr.embedding([0, 2, 2, 2], weight).sum().backward()
    np.testing.assert_array_equal(weight.grad, [[1, 1], [0, 0], [3, 3]])


def test_the_padding_is_picked_but_receives_0_also_in_the_parts():
    fused, parts = tr.tensor(np.ones((3, 2))), tr.tensor(np.ones((3, 2)))
    one = tr.embedding(np.array([0, 1, 1]), fused, padding_idx=-2)
    other = PRIMITIVES["embedding"].parts(np.array([0, 1, 1]), parts, padding_idx=-2)
    np.testing.assert_array_equal(one.value, other.value)
    one.sum().backward()
    other.sum().backward()
    np.testing.assert_array_equal(fused.grad, [[1, 1], [0, 0], [0, 0]])
    np.testing.assert_array_equal(parts.grad, fused.grad)


def test_the_gradient_of_a_gradient_reaches_the_picked_rows():
    """d/dw Σ (dL/dw)² for L = Σ w[i]³ is 2 · 9w⁴ differentiated: 72 w³ for a row picked once, four times it for two."""
    weight = tr.tensor(np.array([[1.0], [2.0], [3.0]]))
    loss = (tr.embedding(np.array([0, 0, 2]), weight) ** 3).sum()
    first = tr.grad(loss, weight, create_graph=True)
    second = tr.grad((first * first).sum(), weight)
    np.testing.assert_allclose(second, [[4 * 36.0], [0.0], [36.0 * 27]])


@pytest.mark.parametrize(
    ("indices", "weight", "padding", "words"),
    [
        ([0, 3], np.ones((3, 2)), None, r"index 3 lies outside the 3 rows, 0 to 2"),
        ([-1], np.ones((3, 2)), None, r"index -1 lies outside"),
        ([0.0], np.ones((3, 2)), None, r"indices are integers, not float64"),
        ([True], np.ones((3, 2)), None, r"indices are integers, not bool"),
        ([0], np.ones(3), None, r"weight has rank 1"),
        ([0], np.ones((3, 2)), 3, r"padding_idx 3 lies outside the 3 rows"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(indices: Any, weight: Any, padding: Any, words: str):
    for kernels in ("numpy", "numba"):
        with tr.kernels(kernels), pytest.raises((ValueError, TypeError), match=words):
            tr.embedding(indices, tr.tensor(weight), padding_idx=padding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_compiled_scatter_gives_the_bits_of_the_definition(dtype: Any):
    rng = np.random.default_rng(3)
    indices = rng.integers(0, 7, size=(40, 25))
    values = rng.normal(size=(40, 25, 3)).astype(dtype) * 10.0 ** rng.integers(-6, 6, (40, 25, 1))
    values = values.astype(dtype)
    defined = PRIMITIVES["add_rows"].kernel(values, indices, shape=(9, 3))
    compiled = scattered(values, indices, (9, 3))
    assert compiled.dtype == defined.dtype == dtype
    np.testing.assert_array_equal(compiled, defined)
    turned = np.asfortranarray(values)
    np.testing.assert_array_equal(scattered(turned, indices.astype(np.uint8), (9, 3)), defined)


def test_many_float32_rows_are_summed_without_loss():
    """A frequent word: 100,000 times 0.1 in float32, added in float32, would be 1.5 % off (9998.56)."""
    values = np.full((100_000, 1), 0.1, dtype=np.float32)
    indices = np.zeros(100_000, dtype=int)
    exact = np.float32(np.float64(np.float32(0.1)) * 100_000)
    assert PRIMITIVES["add_rows"].kernel(values, indices, shape=(1, 1))[0, 0] == exact
    assert scattered(values, indices, (1, 1))[0, 0] == exact


def test_only_what_the_kernels_know_fits_them():
    fits = ACCELERATIONS["embedding"].fits
    table = np.ones((3, 2))
    assert fits((np.array([0]), table), {"padding_idx": None})
    assert not fits((0, table), {"padding_idx": None})
    assert not fits((np.array([0]), table.astype(int)), {"padding_idx": None})
