"""Normalisation with a scale and shift for each channel, axis 1 as in PyTorch: by groups, by channel, or frozen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import sqrt, square
from ops.formula import Formula
from ops.normalize import (
    INV_STD,
    MEAN,
    ONE_AND_ZERO,
    collected,
    inverse_deviation,
    mean_over,
    scaled,
    shifted,
    statistics,
    through_statistics,
)
from ops.primitive import NUMBERS, Array, sample
from ops.reduce import mean as average
from ops.shape import joint_room, reshape, shape_of

AFFINE = ("x", "gamma", "beta")


def along_channels(vector: Any, x: Any) -> Any:
    """A vector over channels, (C,), as it broadcasts against x, (N, C, ...); anything else as it is."""
    shape = channel_shape(vector, x)
    return vector if shape == shape_of(vector) else reshape(vector, shape=shape)


def channel_shape(vector: Any, x: Any) -> tuple[int, ...]:
    """The shape in which a vector over channels broadcasts against x."""
    given = shape_of(vector)
    return (*given, *(1,) * (x.ndim - 2)) if len(given) == 1 and x.ndim > 2 else given


def _by_channel_size(x: Any, *vectors: Any, **_: Any) -> float:
    return joint_room(x.shape, *(channel_shape(vector, x) for vector in vectors))


def in_groups(x: Any, groups: int) -> Any:
    """(N, C, ...) as (N, groups, elements of a group)."""
    n, c, *rest = x.shape
    return reshape(x, shape=(n, groups, c // groups * math.prod(rest)))


def group_mean(x: Any, gamma: Any, beta: Any, *, groups: int, eps: float) -> Any:
    """μ of each group: (N, groups, 1)."""
    return mean_over(in_groups(x, groups), gamma, beta, eps=eps, axis=2)


def group_deviation(x: Any, gamma: Any, beta: Any, *, groups: int, eps: float) -> Any:
    """1 / √(σ² + ε) of each group: (N, groups, 1)."""
    return inverse_deviation(in_groups(x, groups), gamma, beta, eps=eps, axis=2)


def group_norm_rule(
    g: Any,
    out: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    *,
    groups: int,
    eps: float,
    mean: Any,
    inv_std: Any,
) -> dict[str, Any]:
    """Cotangents of x, gamma and beta; statistics over the channels of a group, and over all that follows them."""
    x_hat = (in_groups(x, groups) - mean) * inv_std
    g_hat = in_groups(scaled(g, along_channels(gamma, x)), groups)
    flow = reshape(through_statistics(g_hat, x_hat, inv_std, 2), shape=x.shape)
    return _by_channel(flow, g, reshape(x_hat, shape=x.shape), x, gamma, beta)


def _by_channel(flow: Any, g: Any, x_hat: Any, x: Any, gamma: Any, beta: Any) -> dict[str, Any]:
    """The cotangents of x, and of the scale and shift over channels that are given."""
    flows = {"x": flow}
    if type(gamma) not in NUMBERS:
        flows["gamma"] = collected(g * x_hat, gamma, channel_shape(gamma, x))
    if type(beta) not in NUMBERS:
        flows["beta"] = collected(g, beta, channel_shape(beta, x))
    return flows


def group_norm_parts(
    x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, groups: int, eps: float = 1e-5
) -> Any:
    """The groups, the statistics of each, the normalised values in their old shape, scale and shift."""
    grouped = in_groups(x, groups)
    mu = average(grouped, axis=2, keepdims=True)
    centred = grouped - mu
    var = average(square(centred), axis=2, keepdims=True)
    inv_std = 1 / sqrt(var + eps)
    x_hat = reshape(centred * inv_std, shape=x.shape)
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x))


@primitive(
    joint=(group_norm_rule, AFFINE),
    saves=(MEAN._replace(compute=group_mean), INV_STD._replace(compute=group_deviation)),
    optional=ONE_AND_ZERO,
    formula=Formula(
        "group_norm({x}, {gamma}, {beta})",
        r"\operatorname{{GN}}_{{{gamma}, {beta}}}\left({x}\right)",
        symbol="GN",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 4, 3)), rng.normal(size=4), rng.normal(size=4), groups=2),
        sample(rng.normal(size=(1, 4, 2, 2)) + 9, rng.normal(size=(4, 1, 1)), groups=4, eps=1e-3),
        sample(rng.normal(size=(3, 4)), None, rng.normal(size=4), groups=1),
    ],
    parts=group_norm_parts,
    size=_by_channel_size,
    parts_ulps=16,
    hint="x is (N, channels, ...), gamma and beta are (channels,)",
)
def group_norm(
    x: Array, gamma: Array, beta: Array, *, groups: int, eps: float = 1e-5
) -> tuple[Array, dict[str, Array]]:
    """Normalise each group of channels of each sample, then scale and shift each channel (Wu & He 2018).

    μ, σ² over the C/groups channels of a group and all axes after them; x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β

    x: float (N, C, ...), C divisible by groups. gamma, beta: (C,); left out, 1 and 0. One group: all channels
    together; C groups: `instance_norm`. Raises `ValueError` for channels that groups does not divide.
    """
    if x.ndim < 2:
        raise ValueError(f"x has shape {x.shape}, but needs samples and channels, (N, C, ...)")
    if groups < 1 or x.shape[1] % groups:
        raise ValueError(f"{x.shape[1]} channels do not divide into {groups} groups")
    x_hat, saved = statistics(in_groups(x, groups), eps, 2)
    x_hat = x_hat.reshape(x.shape)
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x)), saved


def _pixels(x: Any) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


def instance_mean(x: Any, gamma: Any, beta: Any, *, eps: float) -> Any:
    """μ of each channel of each sample: (N, C, 1, ...)."""
    return mean_over(x, gamma, beta, eps=eps, axis=_pixels(x))


def instance_deviation(x: Any, gamma: Any, beta: Any, *, eps: float) -> Any:
    """1 / √(σ² + ε) of each channel of each sample: (N, C, 1, ...)."""
    return inverse_deviation(x, gamma, beta, eps=eps, axis=_pixels(x))


def instance_norm_rule(
    g: Any, out: Any, x: Any, gamma: Any, beta: Any, *, eps: float, mean: Any, inv_std: Any
) -> dict[str, Any]:
    """Cotangents of x, gamma and beta; statistics over the pixels of one channel of one sample."""
    x_hat = (x - mean) * inv_std
    g_hat = scaled(g, along_channels(gamma, x))
    flow = through_statistics(g_hat, x_hat, inv_std, _pixels(x))
    return _by_channel(flow, g, x_hat, x, gamma, beta)


def instance_norm_parts(x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, eps: float = 1e-5) -> Any:
    """The statistics of each channel, the normalised values, scale and shift."""
    mu = average(x, axis=_pixels(x), keepdims=True)
    centred = x - mu
    var = average(square(centred), axis=_pixels(x), keepdims=True)
    inv_std = 1 / sqrt(var + eps)
    x_hat = centred * inv_std
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x))


@primitive(
    joint=(instance_norm_rule, AFFINE),
    saves=(MEAN._replace(compute=instance_mean), INV_STD._replace(compute=instance_deviation)),
    optional=ONE_AND_ZERO,
    formula=Formula(
        "instance_norm({x}, {gamma}, {beta})",
        r"\operatorname{{IN}}_{{{gamma}, {beta}}}\left({x}\right)",
        symbol="IN",
    ),
    samples=lambda rng: [
        (rng.normal(size=(2, 3, 4)), rng.normal(size=3), rng.normal(size=3)),
        sample(rng.normal(size=(2, 2, 3, 2)) * 2 - 5, rng.normal(size=(2, 1, 1)), eps=1e-3),
        (rng.normal(size=(1, 2, 3)), None, rng.normal(size=2)),
    ],
    parts=instance_norm_parts,
    size=_by_channel_size,
    parts_ulps=16,
    hint="x is (N, channels, length) or (N, channels, height, width), gamma and beta are (channels,)",
)
def instance_norm(
    x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5
) -> tuple[Array, dict[str, Array]]:
    """Normalise each channel of each sample over its pixels, then scale and shift (Ulyanov et al. 2016).

    x: float (N, C, ...), at least one axis after the channels. gamma, beta: (C,); left out, 1 and 0.
    The statistics are those of the sample at hand, in training and in evaluation.
    """
    if x.ndim < 3:
        raise ValueError(f"x has shape {x.shape}, but needs pixels after its channels, (N, C, ...)")
    x_hat, saved = statistics(x, eps, _pixels(x))
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x)), saved


# ----- frozen statistics


def batch_norm_inference_rule(
    g: Any, out: Any, x: Any, mean: Any, var: Any, gamma: Any, beta: Any, *, eps: float
) -> dict[str, Any]:
    """Cotangents of all five: the statistics are inputs here, so that nothing flows from them to x."""
    inv_std = 1 / sqrt(along_channels(var, x) + eps)
    x_hat = (x - along_channels(mean, x)) * inv_std
    slope = scaled(g, along_channels(gamma, x)) * inv_std
    flows = _by_channel(slope, g, x_hat, x, gamma, beta)
    if type(mean) not in NUMBERS:
        flows["mean"] = collected(-slope, mean, channel_shape(mean, x))
    if type(var) not in NUMBERS:
        by_var = slope * x_hat * inv_std * -0.5
        flows["var"] = collected(by_var, var, channel_shape(var, x))
    return flows


def batch_norm_inference_parts(
    x: Any, mean: Any, var: Any, gamma: Any = 1.0, beta: Any = 0.0, *, eps: float = 1e-5
) -> Any:
    """The inverse deviation, the normalised values, scale and shift."""
    inv_std = 1 / sqrt(along_channels(var, x) + eps)
    x_hat = (x - along_channels(mean, x)) * inv_std
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x))


@primitive(
    joint=(batch_norm_inference_rule, ("x", "mean", "var", "gamma", "beta")),
    optional=ONE_AND_ZERO,
    formula=Formula(
        "batch_norm({x}, {gamma}, {beta}; {mean}, {var})",
        r"\operatorname{{BN}}_{{{gamma}, {beta}}}\left({x}; {mean}, {var}\right)",
        symbol="BN",
    ),
    samples=lambda rng: [
        (
            rng.normal(size=(4, 3)),
            rng.normal(size=3),
            rng.uniform(0.5, 2, size=3),
            rng.normal(size=3),
            rng.normal(size=3),
        ),
        sample(
            rng.normal(size=(2, 3, 2, 2)),
            rng.normal(size=3),
            rng.uniform(0.5, 2, size=3),
            rng.normal(size=3),
            eps=1e-3,
        ),
        (rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), rng.uniform(0.5, 2, size=(1, 3))),
        (rng.normal(size=(2, 3, 2)), 0.5, np.float64(2.0), None, rng.normal(size=3)),
    ],
    parts=batch_norm_inference_parts,
    size=_by_channel_size,
    parts_ulps=8,
    hint="x is (N, channels, ...); mean, var, gamma and beta are (channels,)",
)
def batch_norm_inference(
    x: Array, mean: Array, var: Array, gamma: Array, beta: Array, *, eps: float = 1e-5
) -> Array:
    """Batch normalisation with given statistics: evaluation mode, usually with running averages.

    y = γ (x − mean)/√(var + ε) + β

    x: float (N, C, ...). mean, var, gamma, beta: (C,), along axis 1 of x, or shapes that broadcast against x.
    """
    inv_std = 1 / np.sqrt(along_channels(var, x) + eps)
    x_hat = (x - along_channels(mean, x)) * inv_std
    return shifted(scaled(x_hat, along_channels(gamma, x)), along_channels(beta, x))
