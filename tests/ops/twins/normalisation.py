"""Twins of the normalisations: the statistics by numpy's own mean and variance, the scale laid out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def standardised(x: Array, axis: Any, eps: float) -> Array:
    return (x - np.mean(x, axis, keepdims=True)) / np.sqrt(np.var(x, axis, keepdims=True) + eps)


def laid_along(vector: Array, ndim: int, axis: int) -> Array:
    """A vector along one axis of several; anything else as it is."""
    if np.ndim(vector) != 1:
        return vector
    shape = [1] * ndim
    shape[axis] = -1
    return np.reshape(vector, shape)


def batch_norm(x: Array, gamma: Array, beta: Array, *, eps: float, axis: Any) -> Array:
    reduced = {a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)}
    kept = [a for a in range(x.ndim) if a not in reduced]
    if len(kept) == 1:
        gamma, beta = laid_along(gamma, x.ndim, kept[0]), laid_along(beta, x.ndim, kept[0])
    return gamma * standardised(x, axis, eps) + beta


def layer_norm(x: Array, gamma: Array, beta: Array, *, axis: Any, eps: float) -> Array:
    return gamma * standardised(x, axis, eps) + beta


def rms_norm(x: Array, gamma: Array, *, axis: Any, eps: float) -> Array:
    return gamma * x / np.sqrt(np.mean(x * x, axis, keepdims=True) + eps)


def group_norm(x: Array, gamma: Array, beta: Array, *, groups: int, eps: float) -> Array:
    size = x.shape[1] // groups
    out = np.empty_like(x)
    for k in range(groups):
        part = slice(k * size, (k + 1) * size)
        out[:, part] = standardised(x[:, part], tuple(range(1, x.ndim)), eps)
    return laid_along(gamma, x.ndim, 1) * out + laid_along(beta, x.ndim, 1)


def instance_norm(x: Array, gamma: Array, beta: Array, *, eps: float) -> Array:
    return group_norm(x, gamma, beta, groups=x.shape[1], eps=eps)


def batch_norm_inference(
    x: Array, mean: Array, var: Array, gamma: Array, beta: Array, *, eps: float
) -> Array:
    mean, var, gamma, beta = (laid_along(v, x.ndim, 1) for v in (mean, var, gamma, beta))
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


TWINS: Mapping[str, Callable[..., Any]] = {
    "batch_norm": batch_norm,
    "batch_norm_inference": batch_norm_inference,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
}
