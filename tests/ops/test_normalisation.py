"""Normalisations: accurate statistics, scale and shift where they belong, and kernels as good as their definition.

Equality with PyTorch is in `test_losses.py`, which reads the golden numbers of both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ops
import tracer as tr
from ops import PRIMITIVES
from tests.ops.cases import Array, Case


def flows(name: str, *args: Any, g: Any, **params: Any) -> list[Array]:
    op = PRIMITIVES[name]
    return Case(op, *op.bind(args, params)).flows(g)


def drawn(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# ----- scale and shift


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("batch_norm", {"axis": (0, 2, 3)}),
        ("batch_norm", {"axis": (0, -1, -2)}),
        ("group_norm", {"groups": 2}),
        ("instance_norm", {}),
    ],
)
def test_a_vector_lies_along_the_channels(name: str, params: dict[str, Any]):
    """As many channels as columns: broadcasting from the right would fit too, and be wrong."""
    x, gamma, beta, g = drawn(3, 4, 4, 4), drawn(4, seed=1), drawn(4, seed=2), drawn(3, 4, 4, 4)
    op = PRIMITIVES[name]
    laid = gamma.reshape(4, 1, 1), beta.reshape(4, 1, 1)
    np.testing.assert_array_equal(op(x, gamma, beta, **params), op(x, *laid, **params))
    by_vector, by_laid = (
        flows(name, x, gamma, beta, g=g, **params),
        flows(name, x, *laid, g=g, **params),
    )
    assert [flow.shape for flow in by_vector] == [x.shape, (4,), (4,)]
    for one, other in zip(by_vector, by_laid, strict=True):
        np.testing.assert_array_equal(np.ravel(one), np.ravel(other))


def test_with_two_axes_kept_a_vector_broadcasts_from_the_right():
    x, gamma = drawn(3, 2, 4), drawn(4, seed=1)
    np.testing.assert_array_equal(
        ops.batch_norm(x, gamma, axis=0), ops.batch_norm(x, gamma.reshape(1, 1, 4), axis=0)
    )


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm"])
def test_scale_and_shift_may_be_left_out_or_none(name: str):
    x, op = drawn(5, 3), PRIMITIVES[name]
    number = (1.0,) if name == "rms_norm" else (1.0, 0.0)
    nothing = (None,) * len(number)
    np.testing.assert_array_equal(op(x), op(x, *number))
    np.testing.assert_array_equal(op(x), op(x, *nothing))
    assert flows(name, x, g=x)[1:] == [None] * len(number)


def test_frozen_statistics_are_those_of_the_batch_if_they_are_its_own():
    x, gamma, beta = drawn(6, 3, 2), drawn(3, seed=1), drawn(3, seed=2)
    frozen = ops.batch_norm_inference(x, x.mean((0, 2)), x.var((0, 2)), gamma, beta)
    np.testing.assert_allclose(frozen, ops.batch_norm(x, gamma, beta, axis=(0, 2)), atol=1e-14)


def test_instance_norm_is_group_norm_with_a_group_for_each_channel():
    x, gamma, beta = drawn(2, 3, 5), drawn(3, seed=1), drawn(3, seed=2)
    np.testing.assert_allclose(
        ops.instance_norm(x, gamma, beta), ops.group_norm(x, gamma, beta, groups=3), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("name", "shape", "params", "word"),
    [
        ("group_norm", (2, 4), {"groups": 3}, "4 channels do not divide into 3 groups"),
        ("group_norm", (2, 4), {"groups": 0}, "0 groups"),
        ("group_norm", (4,), {"groups": 1}, "samples and channels"),
        ("instance_norm", (2, 4), {}, "pixels after its channels"),
    ],
)
def test_shapes_without_groups_or_pixels_are_refused(
    name: str, shape: Any, params: dict[str, Any], word: str
):
    with pytest.raises(ValueError, match=word):
        PRIMITIVES[name](drawn(*shape), **params)


# ----- what is saved, and how accurate it is


def test_batch_norm_saves_its_statistics_and_no_copy_of_the_batch():
    y = tr.batch_norm(tr.tensor(drawn(8, 3)), drawn(3), drawn(3))
    assert {name: value.shape for name, value in y.saved.items()} == {
        "mean": (1, 3),
        "inv_std": (1, 3),
    }


def test_the_formula_of_batch_norm_says_what_x_hat_is():
    from tracer.formulas import flow_formula

    x, gamma, beta = (
        tr.tensor(v, name=n)
        for v, n in ((drawn(4, 2), "x"), (drawn(2), "gamma"), (drawn(2), "beta"))
    )
    y = tr.batch_norm(x, gamma, beta)
    y.backward(drawn(4, 2))
    trace = tr.trace(tr.sum(y * y))
    node = next(node for node in trace if node.op_name == "batch_norm")
    assert "x̂ = (x − μ) · (1/√(σ²+ε))" in flow_formula(node, 0)
    assert r"\hat{x} = " in flow_formula(node, 1, tex=True)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_a_large_mean_does_not_cancel_the_variance(kernels: str):
    """Two passes: the mean square less the squared mean would leave no digit of a deviation of 1 beside 1e9."""
    x = 1e9 + drawn(512, 16)
    exact = (x - x.mean(0)) / x.std(0)
    with tr.kernels(kernels):
        y = tr.batch_norm(tr.tensor(x), eps=0.0)
    assert y.op.kernels == kernels
    np.testing.assert_allclose(y.value, exact, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "shape", "params", "kernels"),
    [
        ("batch_norm", (4096, 4), {}, "numpy"),
        ("batch_norm", (4096, 4), {}, "numba"),
        ("batch_norm", (128, 4, 9, 9), {"axis": (0, 2, 3)}, "numpy"),
        ("layer_norm", (8, 2048), {}, "numpy"),
        ("layer_norm", (8, 2048), {}, "numba"),
        ("layer_norm", (2048, 8), {"axis": 0}, "numpy"),
        ("instance_norm", (2, 4, 2048), {}, "numpy"),
        ("group_norm", (2, 4, 2048), {"groups": 2}, "numpy"),
    ],
)
def test_float32_keeps_a_deviation_of_1_beside_a_mean_of_ten_thousand(
    name: str, shape: tuple[int, ...], params: dict[str, Any], kernels: str
):
    """The mean that is saved is rounded to 5e-4: so far off is a kernel or a rule that starts from it."""
    x, g = (1e4 + drawn(*shape)).astype(np.float32), drawn(*shape, seed=1, dtype=np.float32)
    wide, narrow = tr.tensor(x.astype(float)), tr.tensor(x)
    with tr.kernels("numpy"):
        exact = PRIMITIVES[name](wide, **params)
    with tr.kernels(kernels):
        y = PRIMITIVES[name](narrow, **params)
    assert y.op.kernels == kernels
    exact.backward(g.astype(float))
    y.backward(g)
    np.testing.assert_allclose(y.value, exact.value, atol=2e-6 if kernels == "numpy" else 2e-3)
    scale = np.max(np.abs(wide.grad))
    np.testing.assert_allclose(narrow.grad, wide.grad, rtol=0, atol=1e-3 * scale)


def test_the_compiled_gradient_of_float32_is_as_close_to_the_exact_one_as_pytorchs():
    """PyTorch 2.13 is off by 9.4e-6 (batch_norm) and 1.7e-6 (layer_norm) on these numbers, the largest being 5."""
    rng = np.random.default_rng(0)
    x, g = (rng.normal(size=(4096, 1024)).astype(np.float32) for _ in range(2))
    gamma, beta = (rng.normal(size=1024).astype(np.float32) for _ in range(2))
    for name, axis, most in (("batch_norm", 0, 6e-6), ("layer_norm", 1, 3e-6)):
        exact = flows(
            name, *(v.astype(float) for v in (x, gamma, beta)), g=g.astype(float), axis=axis
        )
        leaf = tr.tensor(x)
        with tr.kernels("numba"):
            PRIMITIVES[name](leaf, gamma, beta, axis=axis).backward(g)
        assert np.max(np.abs(leaf.grad - exact[0])) < most


# ----- the compiled kernels


SHAPES = [(1, 1), (2, 3), (65, 7), (130, 64), (9, 257), (3, 1030)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm"])
@pytest.mark.slow
def test_the_compiled_normalisation_is_the_definition(
    name: str, shape: tuple[int, int], dtype: Any
):
    """Every remainder of the loops: rows by fours and twos, columns by vectors, blocks of 64."""
    x, g = drawn(*shape, dtype=dtype), drawn(*shape, seed=3, dtype=dtype)
    vectors = [drawn(shape[1], seed=k, dtype=dtype) for k in (1, 2)]
    affine = vectors[:1] if name == "rms_norm" else vectors
    for given in (affine, []):
        found = []
        for kernels in ("numpy", "numba"):
            leaves = [tr.tensor(v) for v in (x, *given)]
            with tr.kernels(kernels):
                y = PRIMITIVES[name](*leaves)
            assert y.op.kernels == kernels
            y.backward(g)
            found.append([y.value, *y.saved.values(), *(leaf.grad for leaf in leaves)])
        steep = max(float(np.max([*y.saved.values()][-1])), 1.0)  # a column of few rows may be flat
        for one, other in zip(*found, strict=True):
            assert one.dtype == dtype
            assert one.shape == other.shape
            scale = max(float(np.max(np.abs(other))), 1.0)
            np.testing.assert_allclose(
                one, other, rtol=0, atol=64 * np.finfo(dtype).eps * scale * steep
            )


def test_large_arrays_are_split_at_a_cache_line_and_nothing_changes():
    x, g = drawn(1030, 1024, dtype=np.float32), drawn(1030, 1024, seed=1, dtype=np.float32)
    found = []
    for kernels in ("numpy", "numba"):
        leaf = tr.tensor(x)
        with tr.kernels(kernels):
            y = tr.batch_norm(leaf)
        y.backward(g)
        found.append((y.value, leaf.grad))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_more_axes_of_samples_and_a_cotangent_out_of_order_are_taken():
    x = drawn(4, 5, 6)
    g = drawn(6, 5, 4, seed=1).T
    found = []
    for kernels in ("numpy", "numba"):
        leaf = tr.tensor(x)
        with tr.kernels(kernels):
            y = tr.layer_norm(leaf)
        assert y.op.kernels == kernels
        found.append(
            (
                y.value,
                y.op.pull_back(g, y.value, (x, 1.0, 0.0), (True, False, False), y.params, y.saved)[
                    0
                ],
            )
        )
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_the_second_derivative_of_a_compiled_node_is_that_of_its_rule():
    x = tr.tensor(drawn(6, 3))
    with tr.kernels("numba"):
        y = tr.batch_norm(x)
    first = tr.grad(tr.sum(y * y * y), x, create_graph=True)
    other = tr.tensor(x.value)
    wanted = tr.grad(tr.sum(tr.batch_norm(other) ** 3), other, create_graph=True)
    np.testing.assert_allclose(
        tr.grad(tr.sum(first * first), x), tr.grad(tr.sum(wanted * wanted), other), rtol=1e-9
    )


def test_the_shape_that_pytorch_is_given_is_not_taken_for_a_scale():
    x = np.arange(24.0).reshape(2, 3, 4)
    for call in (
        lambda: tr.layer_norm(x, (4,)),
        lambda: tr.layer_norm(x, x.shape[1:], np.ones((3, 4)), np.zeros((3, 4))),
        lambda: tr.rms_norm(tr.tensor(x), [4]),
    ):
        with pytest.raises(ValueError, match="the shape of the features, which is not given here"):
            call()
    assert tr.layer_norm(x, np.ones(4, int)).shape == x.shape
    assert tr.layer_norm(x[..., :1], [1]).shape == (2, 3, 1)
