"""Batch normalisation, fused, with the rule written out by hand; and what the other normalisations share with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import sqrt, square
from ops.formula import Formula
from ops.primitive import NUMBERS, Array, Saved, sample
from ops.reduce import Axis, deviations, kept_shape
from ops.reduce import mean as average
from ops.shape import joint_room, reshape, shape_of, sum_to

ONE_AND_ZERO = {"gamma": 1.0, "beta": 0.0}
"""The scale and shift that stand in for those left out, and change nothing."""


def scaled(x: Any, gamma: Any) -> Any:
    """x γ; x itself where the number 1 stands in for γ."""
    return x if type(gamma) in NUMBERS and gamma == 1 else x * gamma


def shifted(x: Any, beta: Any) -> Any:
    """x + β; x itself where the number 0 stands in for β."""
    return x if type(beta) in NUMBERS and beta == 0 else x + beta


def mean_over(x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis) -> Any:
    """μ, with the axes kept."""
    return average(x, axis=axis, keepdims=True)


def inverse_deviation(x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis) -> Any:
    """1 / √(σ² + ε), with the axes kept."""
    centred = x - average(x, axis=axis, keepdims=True)
    return 1 / sqrt(average(square(centred), axis=axis, keepdims=True) + eps)


MEAN = Saved("mean", "μ", r"\mu", mean_over)
INV_STD = Saved("inv_std", "1/√(σ²+ε)", r"\frac{1}{\sqrt{\sigma^2+\varepsilon}}", inverse_deviation)


def statistics(x: Array, eps: float, axis: Axis) -> tuple[Array, dict[str, Array]]:
    """x̂, and the mean and inverse deviation that give it, their axes kept: in two passes, so that nothing cancels."""
    x_hat, mean, squares = deviations(x, axis)
    number = x.size // squares.size if squares.size else 1
    inv_std = 1 / np.sqrt(squares / number + eps)
    x_hat *= inv_std
    return x_hat, {"mean": mean, "inv_std": inv_std}


def through_statistics(g_hat: Any, x_hat: Any, inv_std: Any, axis: Axis) -> Any:
    """(ĝ − mean(ĝ) − x̂ mean(ĝ x̂)) / √(σ² + ε): what normalised values send to x, of which mean and deviation are."""
    g_mean = average(g_hat, axis=axis, keepdims=True)
    g_slope = average(g_hat * x_hat, axis=axis, keepdims=True)
    return (g_hat - g_mean - x_hat * g_slope) * inv_std


def collected(flow: Any, vector: Any, shape: tuple[int, ...]) -> Any:
    """The flow summed to the shape in which a scale or shift broadcasts, then in the shape in which it was given."""
    total = sum_to(flow, shape=shape)
    return total if shape == vector.shape else reshape(total, shape=vector.shape)


def along_features(vector: Any, x: Any, axis: Axis) -> Any:
    """A scale or shift as it broadcasts against x: a vector lies along the one axis that is not reduced, if it is one.

    >>> along_features(np.ones(3), np.ones((2, 3, 4, 4)), (0, 2, 3)).shape
    (3, 1, 1)
    """
    shape = feature_shape(vector, x, axis)
    return vector if shape == shape_of(vector) else reshape(vector, shape=shape)


def feature_shape(vector: Any, x: Any, axis: Axis) -> tuple[int, ...]:
    """The shape in which a scale or shift broadcasts against x."""
    given = shape_of(vector)
    if len(given) != 1 or x.ndim < 2:
        return given
    reduced = kept_shape((0,) * x.ndim, axis)
    kept = [k for k, size in enumerate(reduced) if size == 0]
    return (*given, *(1,) * (x.ndim - 1 - kept[0])) if len(kept) == 1 else given


def batch_norm_rule(
    g: Any,
    out: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    *,
    eps: float,
    axis: Axis,
    mean: Any,
    inv_std: Any,
) -> dict[str, Any]:
    """Cotangents of x, gamma and beta; statistics over the batch. Ioffe & Szegedy 2015, section 3, put together."""
    x_hat = (x - mean) * inv_std
    g_hat = scaled(g, along_features(gamma, x, axis))
    g_mean = average(g_hat, axis=axis, keepdims=True)
    g_slope = average(g_hat * x_hat, axis=axis, keepdims=True)
    flows = {"x": (g_hat - g_mean - x_hat * g_slope) * inv_std}
    if type(gamma) not in NUMBERS:
        flows["gamma"] = collected(g * x_hat, gamma, feature_shape(gamma, x, axis))
    if type(beta) not in NUMBERS:
        flows["beta"] = collected(g, beta, feature_shape(beta, x, axis))
    return flows


def batch_norm_parts(
    x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, eps: float = 1e-5, axis: Axis = 0
) -> Any:
    """The batch statistics, the normalised batch, scale and shift: the lecture's forward lines."""
    mu = average(x, axis=axis, keepdims=True)
    centred = x - mu
    var = average(square(centred), axis=axis, keepdims=True)
    inv_std = 1 / sqrt(var + eps)
    x_hat = centred * inv_std
    return shifted(scaled(x_hat, along_features(gamma, x, axis)), along_features(beta, x, axis))


@primitive(
    joint=(batch_norm_rule, ("x", "gamma", "beta")),
    saves=(MEAN, INV_STD),
    optional=ONE_AND_ZERO,
    formula=Formula(
        "batch_norm({x}, {gamma}, {beta})",
        r"\operatorname{{BN}}_{{{gamma}, {beta}}}\left({x}\right)",
        symbol="BN",
    ),
    samples=lambda rng: [
        (rng.normal(size=(8, 3)), rng.normal(size=3), rng.normal(size=3)),
        sample(
            rng.normal(size=(2, 3, 2, 2)) * 3 + 1,
            rng.normal(size=(3, 1, 1)),
            rng.normal(size=3),
            axis=(0, 2, 3),
            eps=1e-3,
        ),
        sample(rng.normal(size=(4, 1)), np.float64(0.7), np.float64(0.1), eps=0.1),
        sample(rng.normal(size=(4, 1)), rng.normal(size=(4, 3)), 0.0),
        (rng.normal(size=(1, 3)), rng.normal(size=3), rng.normal(size=3)),
        (rng.normal(size=(5, 2)) + 100,),
        sample(rng.normal(size=(2, 3, 4)), None, rng.normal(size=3), axis=(0, -1)),
    ],
    parts=batch_norm_parts,
    size=lambda x, *vectors, eps, axis: joint_room(
        x.shape, *(feature_shape(vector, x, axis) for vector in vectors)
    ),
    parts_ulps=16,
    hint="x is (batch, features), gamma and beta are (features,); images take axis=(0, 2, 3)",
)
def batch_norm(
    x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5, axis: Axis = 0
) -> tuple[Array, dict[str, Array]]:
    """Normalise over the batch, then scale and shift (training mode; Ioffe & Szegedy 2015).

    μ = mean(x), σ² = mean((x − μ)²), x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β

    x: float (batch, features), or any shape with the batch axes named by `axis`: (0, 2, 3) for images (N, C, H, W).
    gamma, beta: (features,), which lie along the one axis that is not in `axis`; or any shape that broadcasts against
    x. Left out, they are 1 and 0. The variance is the biased one, of 1/m, in two passes. At a batch of one, x̂ is 0 and
    so is ∂L/∂x. Evaluation, with running statistics, is `batch_norm_inference`.
    """
    x_hat, saved = statistics(x, eps, axis)
    y = shifted(scaled(x_hat, along_features(gamma, x, axis)), along_features(beta, x, axis))
    return y, saved
