"""Normalisation layers: statistics over some axes, then scale and shift. Fused, with the rule written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import sqrt, square
from ops.formula import Formula
from ops.primitive import Array, Saved, sample
from ops.reduce import Axis, mean
from ops.shape import shape_of, sum_to


def normalised(x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis) -> Any:
    """x̂ = (x − μ) / √(σ² + ε)."""
    centred = x - mean(x, axis=axis, keepdims=True)
    return centred * inverse_deviation(x, gamma, beta, eps=eps, axis=axis)


def inverse_deviation(x: Any, gamma: Any, beta: Any, *, eps: float, axis: Axis) -> Any:
    """1 / √(σ² + ε), with the axes kept."""
    centred = x - mean(x, axis=axis, keepdims=True)
    return 1 / sqrt(mean(square(centred), axis=axis, keepdims=True) + eps)


def batch_norm_rule(
    g: Any,
    out: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    *,
    eps: float,
    axis: Axis,
    x_hat: Any,
    inv_std: Any,
) -> dict[str, Any]:
    """Cotangents of x, gamma and beta; statistics over the batch. Ioffe & Szegedy 2015, section 3, put together."""
    g_hat = g * gamma
    g_mean = mean(g_hat, axis=axis, keepdims=True)
    g_slope = mean(g_hat * x_hat, axis=axis, keepdims=True)
    return {
        "x": (g_hat - g_mean - x_hat * g_slope) * inv_std,
        "gamma": sum_to(g * x_hat, shape=shape_of(gamma)),
        "beta": sum_to(g, shape=shape_of(beta)),
    }


def batch_norm_parts(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5, axis: Axis = 0) -> Any:
    """The batch statistics, the normalised batch, scale and shift: the lecture's forward lines."""
    mu = mean(x, axis=axis, keepdims=True)
    centred = x - mu
    var = mean(square(centred), axis=axis, keepdims=True)
    inv_std = 1 / sqrt(var + eps)
    x_hat = centred * inv_std
    return gamma * x_hat + beta


@primitive(
    joint=(batch_norm_rule, ("x", "gamma", "beta")),
    saves=(
        Saved("x_hat", "x̂", r"\hat{x}", normalised),
        Saved("inv_std", "1/√(σ²+ε)", r"\frac{1}{\sqrt{\sigma^2+\varepsilon}}", inverse_deviation),
    ),
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
            rng.normal(size=(3, 1, 1)),
            axis=(0, 2, 3),
            eps=1e-3,
        ),
        sample(rng.normal(size=(4, 1)), np.float64(0.7), np.float64(0.1), eps=0.1),
        sample(rng.normal(size=(4, 1)), rng.normal(size=(4, 3)), 0.0),
        (rng.normal(size=(1, 3)), rng.normal(size=3), rng.normal(size=3)),
    ],
    parts=batch_norm_parts,
    parts_ulps=16,
    hint="x is (batch, features), gamma and beta are (features,)",
)
def batch_norm(
    x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5, axis: Axis = 0
) -> tuple[Array, dict[str, Array]]:
    """Normalise over the batch, then scale and shift (training mode; Ioffe & Szegedy 2015).

    μ = mean(x), σ² = mean((x − μ)²), x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β

    x: float (batch, features), or any shape with the batch axes named by `axis`. gamma, beta: shapes that broadcast
    against x. The variance is the biased one, of 1/m, in two passes. At a batch of one, x̂ is 0 and so is ∂L/∂x.
    """
    centred = x - mean.kernel(x, axis=axis, keepdims=True)
    var = mean.kernel(np.square(centred), axis=axis, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = centred * inv_std
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv_std": inv_std}
