"""Normalisation over the features of each sample, which needs no batch: by mean and deviation, or by the size alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import sqrt, square
from ops.formula import Formula
from ops.normalize import (
    INV_STD,
    MEAN,
    ONE_AND_ZERO,
    scaled,
    shifted,
    statistics,
    through_statistics,
)
from ops.primitive import NUMBERS, Array, Saved, sample
from ops.reduce import Axis
from ops.reduce import mean as average
from ops.shape import sum_to


def _with_affine(flow: Any, g: Any, x_hat: Any, gamma: Any, beta: Any) -> dict[str, Any]:
    """The cotangents of x, and of the scale and shift that are given."""
    flows = {"x": flow}
    if type(gamma) not in NUMBERS:
        flows["gamma"] = sum_to(g * x_hat, shape=gamma.shape)
    if type(beta) not in NUMBERS:
        flows["beta"] = sum_to(g, shape=beta.shape)
    return flows


def _refuse_a_shape(x: Array, gamma: Any) -> None:
    """PyTorch's second argument is the shape of the features, which as a scale would be a silent mistake."""
    whole = isinstance(gamma, np.ndarray) and gamma.dtype.kind == "i" and gamma.ndim == 1
    if whole and x.shape[-gamma.size :] == tuple(gamma.tolist()) and gamma.max() > 1:
        raise ValueError(
            f"gamma is {tuple(gamma.tolist())}, the shape of the features, which is not given here"
        )


def layer_norm_rule(
    g: Any,
    out: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    *,
    axis: Axis,
    eps: float,
    mean: Any,
    inv_std: Any,
) -> dict[str, Any]:
    """Cotangents of x, gamma and beta; statistics over the features. Ba, Kiros & Hinton 2016, equation 4."""
    x_hat = (x - mean) * inv_std
    g_hat = scaled(g, gamma)
    return _with_affine(through_statistics(g_hat, x_hat, inv_std, axis), g, x_hat, gamma, beta)


def layer_norm_parts(
    x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, axis: Axis = -1, eps: float = 1e-5
) -> Any:
    """The statistics of each sample, the normalised values, scale and shift."""
    mu = average(x, axis=axis, keepdims=True)
    centred = x - mu
    var = average(square(centred), axis=axis, keepdims=True)
    inv_std = 1 / sqrt(var + eps)
    x_hat = centred * inv_std
    return shifted(scaled(x_hat, gamma), beta)


@primitive(
    joint=(layer_norm_rule, ("x", "gamma", "beta")),
    saves=(MEAN, INV_STD),
    optional=ONE_AND_ZERO,
    formula=Formula(
        "layer_norm({x}, {gamma}, {beta})",
        r"\operatorname{{LN}}_{{{gamma}, {beta}}}\left({x}\right)",
        symbol="LN",
    ),
    samples=lambda rng: [
        (rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=5)),
        sample(
            rng.normal(size=(2, 3, 4)) * 3 + 50,
            rng.normal(size=(3, 4)),
            None,
            axis=(1, 2),
            eps=1e-3,
        ),
        (rng.normal(size=(2, 2, 3)), None, rng.normal(size=3)),
        sample(rng.normal(size=(3, 2)), rng.normal(size=2), axis=0, eps=0.1),
        (rng.normal(size=6),),
        (np.empty((0, 3)), rng.normal(size=3), rng.normal(size=3)),
    ],
    parts=layer_norm_parts,
    parts_ulps=16,
    hint="gamma and beta have the shape of the normalised axes: (features,) for x of (..., features)",
)
def layer_norm(
    x: Array, gamma: Array, beta: Array, *, axis: Axis = -1, eps: float = 1e-5
) -> tuple[Array, dict[str, Array]]:
    """Normalise the features of each sample, then scale and shift (Ba, Kiros & Hinton 2016).

    μ = mean(x), σ² = mean((x − μ)²), x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β

    x: float (..., features), or several trailing axes of features named by `axis`. gamma, beta: shapes that broadcast
    against x; left out, 1 and 0. The variance is the biased one, of 1/m, in two passes.
    """
    _refuse_a_shape(x, gamma)
    x_hat, saved = statistics(x, eps, axis)
    return shifted(scaled(x_hat, gamma), beta), saved


def inverse_rms(x: Any, gamma: Any, *, axis: Axis, eps: float) -> Any:
    """1 / √(mean(x²) + ε), with the axes kept."""
    return 1 / sqrt(average(square(x), axis=axis, keepdims=True) + eps)


def rms_norm_rule(
    g: Any, out: Any, x: Any, gamma: Any, *, axis: Axis, eps: float, inv_rms: Any
) -> dict[str, Any]:
    """Cotangents of x and gamma: as layer_norm's, without the path through a mean."""
    x_hat = x * inv_rms
    g_hat = scaled(g, gamma)
    g_slope = average(g_hat * x_hat, axis=axis, keepdims=True)
    return _with_affine((g_hat - x_hat * g_slope) * inv_rms, g, x_hat, gamma, 0.0)


def rms_norm_parts(x: Any, gamma: Any = 1.0, *, axis: Axis = -1, eps: float = 1e-6) -> Any:
    """The mean square, the values in units of its root, the scale."""
    power = average(square(x), axis=axis, keepdims=True)
    inv_rms = 1 / sqrt(power + eps)
    x_hat = x * inv_rms
    return scaled(x_hat, gamma)


@primitive(
    joint=(rms_norm_rule, ("x", "gamma")),
    saves=(Saved("inv_rms", "1/rms", r"\frac{1}{\operatorname{rms}}", inverse_rms),),
    optional={"gamma": 1.0},
    formula=Formula(
        "rms_norm({x}, {gamma})",
        r"\operatorname{{RMSNorm}}_{{{gamma}}}\left({x}\right)",
        symbol="RMS",
    ),
    samples=lambda rng: [
        (rng.normal(size=(4, 5)), rng.normal(size=5)),
        sample(rng.normal(size=(2, 3, 4)) * 3, rng.normal(size=(3, 4)), axis=(1, 2), eps=1e-3),
        sample(rng.normal(size=(3, 2)), axis=0),
        (rng.normal(size=6), np.float64(1.5)),
        (np.zeros((2, 3)), rng.normal(size=3)),
    ],
    parts=rms_norm_parts,
    parts_ulps=16,
    hint="gamma has the shape of the normalised axes: (features,) for x of (..., features)",
)
def rms_norm(
    x: Array, gamma: Array, *, axis: Axis = -1, eps: float = 1e-6
) -> tuple[Array, dict[str, Array]]:
    """Divide the features of each sample by their root mean square, then scale (Zhang & Sennrich 2019).

    y = γ x / √(mean(x²) + ε)

    x: float (..., features), or several axes named by `axis`. gamma: a shape that broadcasts against x; left out, 1.
    """
    _refuse_a_shape(x, gamma)
    inv_rms = 1 / np.sqrt(average.kernel(np.square(x), axis=axis, keepdims=True) + eps)
    return scaled(x * inv_rms, gamma), {"inv_rms": inv_rms}
