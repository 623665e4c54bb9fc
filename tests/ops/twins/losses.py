"""Twins of the losses: sample by sample, in Python's own numbers, from the definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def reduced(losses: Any, reduction: str, total: float | None = None) -> Array:
    losses = np.asarray(losses, dtype=float)
    if reduction == "none":
        return losses
    whole = math.fsum(losses.ravel().tolist())
    if reduction == "sum":
        return np.float64(whole)
    count = losses.shape[0] if reduction == "batchmean" and losses.ndim else losses.size
    if reduction == "batchmean" and not losses.ndim:
        count = 1
    return np.float64(whole / (count if total is None else total))


def each(function: Callable[..., float], *inputs: Any) -> Array:
    """A function of Python numbers, of every element of inputs broadcast together."""
    arrays = np.broadcast_arrays(*[np.asarray(x, dtype=float) for x in inputs])
    rows = zip(*(a.ravel().tolist() for a in arrays), strict=True)
    return np.reshape([function(*row) for row in rows], arrays[0].shape)


# ----- classes


def class_loss(
    log_share: Any,
    target: Array,
    weight: Array,
    *,
    reduction: str,
    ignore_index: int,
    axis: int,
    label_smoothing: float = 0.0,
) -> Array:
    """log_share: a function of a row of scores to its logarithms less one of them, which is exact for that one."""
    scores, function = log_share
    rows = np.moveaxis(scores, axis, -1)
    classes = rows.shape[-1]
    weights = [1.0 * weight] * classes if np.ndim(weight) == 0 else list(weight)
    target = np.asarray(target)
    soft = target.dtype.kind == "f"
    shares = np.moveaxis(target, axis, -1) if soft else None
    losses, total = [], 0.0
    for place in np.ndindex(rows.shape[:-1]):
        logs = function(rows[place])
        if shares is not None:
            share, weighs = list(shares[place]), 1.0
        elif target[place] == ignore_index:
            losses.append(0.0)
            continue
        else:
            share = [1.0 if k == target[place] else 0.0 for k in range(classes)]
            weighs = weights[target[place]]
        total += weighs
        smooth = [(1 - label_smoothing) * q + label_smoothing / classes for q in share]
        losses.append(
            -math.fsum(w * q * s for w, q, s in zip(weights, smooth, logs, strict=True) if q)
        )
    return reduced(np.reshape(losses, rows.shape[:-1]), reduction, total)


def log_softmax_of(row: Array) -> list[float]:
    """log softmaxₖ = −log Σ e^(xⱼ − xₖ), in which nothing large cancels."""
    return [-float(np.logaddexp.reduce(row - x)) for x in row]


def cross_entropy(logits: Array, target: Array, weight: Array, **params: Any) -> Array:
    return class_loss((logits, log_softmax_of), target, weight, **params)


def nll_loss(log_share: Array, target: Array, weight: Array, **params: Any) -> Array:
    return class_loss((log_share, list), target, weight, **params)


# ----- two classes


def binary_cross_entropy(
    prediction: Array, target: Array, weight: Array, *, reduction: str
) -> Array:
    def loss(p: float, t: float, w: float) -> float:
        return -w * (t * max(math.log(p), -100) + (1 - t) * max(math.log1p(-p), -100))

    return reduced(each(loss, prediction, target, weight), reduction)


def binary_cross_entropy_with_logits(
    logits: Array, target: Array, weight: Array, pos_weight: Array, *, reduction: str
) -> Array:
    def loss(x: float, t: float, w: float, p: float) -> float:
        return w * float(t * p * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x))

    return reduced(each(loss, logits, target, weight, pos_weight), reduction)


def hinge_loss(prediction: Array, target: Array, *, margin: float, reduction: str) -> Array:
    return reduced(each(lambda p, t: max(0.0, margin - p * t), prediction, target), reduction)


# ----- differences


def huber(error: float, delta: float) -> float:
    size = abs(error)
    return error * error / 2 if size <= delta else delta * (size - delta / 2)


def smooth_l1(error: float, beta: float) -> float:
    size = abs(error)
    return error * error / (2 * beta) if size < beta else size - beta / 2


TWINS: Mapping[str, Callable[..., Any]] = {
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "cosine_similarity": lambda x, y, *, axis, eps: np.asarray(
        np.sum(np.multiply(x, y), axis)
        / np.maximum(np.linalg.norm(np.broadcast_to(x, np.broadcast(x, y).shape), axis=axis), eps)
        / np.maximum(np.linalg.norm(np.broadcast_to(y, np.broadcast(x, y).shape), axis=axis), eps)
    ),
    "cross_entropy": cross_entropy,
    "hinge_loss": hinge_loss,
    "huber_loss": lambda p, t, *, delta, reduction: reduced(
        each(lambda a, b: huber(a - b, delta), p, t), reduction
    ),
    "kl_div": lambda p, t, *, reduction, log_target: reduced(
        each(
            (lambda a, b: math.exp(b) * (b - a))
            if log_target
            else (lambda a, b: b * (math.log(b) - a) if b else 0.0),
            p,
            t,
        ),
        reduction,
    ),
    "l1_loss": lambda p, t, *, reduction: reduced(each(lambda a, b: abs(a - b), p, t), reduction),
    "mse_loss": lambda p, t, *, reduction: reduced(
        each(lambda a, b: (a - b) ** 2, p, t), reduction
    ),
    "nll_loss": nll_loss,
    "smooth_l1_loss": lambda p, t, *, beta, reduction: reduced(
        each(lambda a, b: smooth_l1(a - b, beta), p, t), reduction
    ),
}
