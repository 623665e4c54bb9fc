"""Softmax and the losses: means over all elements or samples, as PyTorch's defaults."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import exp, log, log1p, maximum, square
from ops.formula import Formula
from ops.primitive import Array, sample
from ops.reduce import add_reduce, mean, sum
from ops.reduce import max as largest
from ops.shape import broadcast_to, shape_of


def softmax_parts(x: Any, *, axis: int = -1) -> Any:
    """The shift by the largest element, the exponentials, their share."""
    shifted = x - largest(x, axis=axis, keepdims=True)
    exponential = exp(shifted)
    return exponential / sum(exponential, axis=axis, keepdims=True)


def _logits(rng: np.random.Generator) -> list[Any]:
    return [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(3, 4)), axis=0),
        (np.array([1000.0, 999.0, -1000.0]),),
    ]


@primitive(
    vjps={"x": lambda g, out, x, *, axis: out * (g - sum(g * out, axis=axis, keepdims=True))},
    formula=Formula("softmax({x})", r"\operatorname{{softmax}}\left({x}\right)", symbol="softmax"),
    samples=_logits,
    parts=softmax_parts,
)
def softmax(x: Array, *, axis: int = -1) -> Array:
    """Shares that sum to 1 along an axis: eˣ / Σ eˣ. Its Jacobian is diag(s) − s sᵀ."""
    exponential = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exponential / add_reduce(exponential, axis=axis, keepdims=True)


def log_softmax_parts(x: Any, *, axis: int = -1) -> Any:
    """The shift by the largest element, and the logarithm of the sum of exponentials."""
    shifted = x - largest(x, axis=axis, keepdims=True)
    return shifted - log(sum(exp(shifted), axis=axis, keepdims=True))


@primitive(
    vjps={"x": lambda g, out, x, *, axis: g - exp(out) * sum(g, axis=axis, keepdims=True)},
    formula=Formula(
        "log_softmax({x})", r"\log\operatorname{{softmax}}\left({x}\right)", symbol="log softmax"
    ),
    samples=_logits,
    parts=log_softmax_parts,
)
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """Logarithm of softmax along an axis, exact also where the share underflows."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(add_reduce(np.exp(shifted), axis=axis, keepdims=True))


@primitive(
    formula=Formula("onehot({x})", r"\operatorname{{onehot}}\left({x}\right)", symbol="onehot"),
    samples=lambda rng: [
        sample(np.array([2, 0]), classes=3),
        sample(np.int64(1), classes=2),
        sample(np.empty((0, 2), dtype=int), classes=3),
    ],
)
def one_hot(x: Array, *, classes: int) -> Array:
    """True at the class, False elsewhere: int (...) to bool (..., classes). Not differentiable.

    Raises `TypeError` for classes that are not integers, `ValueError` for one outside 0 to classes − 1.
    """
    return np.arange(classes) == _classes(x, classes)[..., None]


def _classes(x: Array, count: int) -> Array:
    """Class numbers as an integer array, each in [0, count)."""
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"classes are integers, not {x.dtype}")
    if x.size and not (x.min() >= 0 and x.max() < count):
        wrong = x[(x < 0) | (x >= count)].flat[0]
        raise ValueError(f"class {wrong} lies outside the {count} classes, 0 to {count - 1}")
    return x


def cross_entropy_parts(logits: Any, target: Any) -> Any:
    """The log-softmax, the entry of the target class of each sample, and minus their mean."""
    log_share = log_softmax(logits, axis=-1)
    picked = sum(log_share * one_hot(target, classes=logits.shape[-1]), axis=-1)
    return -mean(picked)


def cross_entropy_logits(g: Any, out: Any, logits: Any, target: Any) -> Any:
    """(softmax − onehot) / N."""
    classes = logits.shape[-1]
    samples = logits.size // classes
    return (softmax(logits) - one_hot(target, classes=classes)) * (g / samples)


@primitive(
    vjps={"logits": cross_entropy_logits},
    formula=Formula(
        "cross_entropy({logits}, {target})",
        r"\operatorname{{CE}}\left({logits}, {target}\right)",
        symbol="CE",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)), np.array([0, 3, 1])),
        (np.array([0.5, -1.0, 2.0]), np.int64(2)),
        (np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0])),
        (rng.normal(size=(2, 2, 3)), np.array([[0, 1], [2, 0]])),
        (rng.normal(size=3), 1),
    ],
    parts=cross_entropy_parts,
    hint="logits are float (N, classes), target is int (N,) with classes from 0",
)
def cross_entropy(logits: Array, target: Array) -> Array:
    """Mean negative log-likelihood of the target classes.

    L = −1/N · Σₙ log softmax(logits)ₙ,ₜ₍ₙ₎        so  ∂L/∂logits = (softmax − onehot) / N

    logits: float (N, classes) or (classes,). target: int (N,) or (), each in [0, classes).  Returns: float ().
    """
    if not np.ndim(logits):
        raise ValueError("logits have rank 0, but need an axis of classes")
    if np.shape(target) != logits.shape[:-1]:
        raise ValueError(f"target has shape {np.shape(target)}, but logits have {logits.shape}")
    target = _classes(target, logits.shape[-1])
    log_share = log_softmax.kernel(logits)
    picked = np.take_along_axis(log_share, target[..., None], axis=-1)
    return -add_reduce(picked, axis=None) / target.size


def mse_parts(prediction: Any, target: Any) -> Any:
    """The error, its square, the mean."""
    error = prediction - target
    return mean(square(error))


def mse_prediction(g: Any, out: Any, prediction: Any, target: Any) -> Any:
    """2 (prediction − target) / N."""
    return g * (2 / joint_size(prediction, target)) * (prediction - target)


def mse_target(g: Any, out: Any, prediction: Any, target: Any) -> Any:
    """2 (target − prediction) / N."""
    return g * (2 / joint_size(prediction, target)) * (target - prediction)


@primitive(
    vjps={"prediction": mse_prediction, "target": mse_target},
    formula=Formula(
        "mse({prediction}, {target})",
        r"\operatorname{{MSE}}\left({prediction}, {target}\right)",
        symbol="MSE",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 2))),
        (rng.normal(size=(3, 2)), rng.normal(size=2)),
        (np.float64(0.3), 1.0),
    ],
    parts=mse_parts,
)
def mse(prediction: Array, target: Array) -> Array:
    """Mean squared error: mean((prediction − target)²); ∂L/∂prediction = 2 (prediction − target) / N."""
    return mean.kernel(np.square(prediction - target))


def joint_shape(x: Any, y: Any) -> tuple[int, ...]:
    """The shape of two values broadcast together; a Python number has shape ()."""
    return np.broadcast_shapes(shape_of(x), shape_of(y))


def joint_size(x: Any, y: Any) -> int:
    """The number of elements of two values broadcast together."""
    return math.prod(joint_shape(x, y)) or 1


_FLOOR = 1e-12


def binary_cross_entropy_parts(prediction: Any, target: Any) -> Any:
    """Both clamped logarithms, weighted by the target, and minus their mean."""
    log_true = maximum(log(prediction), -100)
    log_false = maximum(log1p(-prediction), -100)
    return -mean(target * log_true + (1 - target) * log_false)


def bce_prediction(g: Any, out: Any, prediction: Any, target: Any) -> Any:
    """(p − t) / (p (1 − p)) / N, the denominator kept above 1e-12 as PyTorch does."""
    slope = maximum(prediction * (1 - prediction), _FLOOR)
    return g / joint_size(prediction, target) * ((prediction - target) / slope)


def bce_target(g: Any, out: Any, prediction: Any, target: Any) -> Any:
    """(log(1 − p) − log p) / N, with the clamped logarithms."""
    difference = maximum(log1p(-prediction), -100) - maximum(log(prediction), -100)
    shape = joint_shape(prediction, target)
    return broadcast_to(g / joint_size(prediction, target) * difference, shape=shape)


@primitive(
    vjps={"prediction": bce_prediction, "target": bce_target},
    formula=Formula(
        "bce({prediction}, {target})",
        r"\operatorname{{BCE}}\left({prediction}, {target}\right)",
        symbol="BCE",
    ),
    samples=lambda rng: [
        (rng.uniform(0.1, 0.9, size=(3, 2)), rng.integers(0, 2, size=(3, 2)).astype(float)),
        (np.float64(0.731), 1.0),
        (0.25, rng.uniform(0.1, 0.9, size=2)),
        (rng.uniform(0.1, 0.9, size=3), rng.uniform(0.1, 0.9, size=(2, 1))),
    ],
    parts=binary_cross_entropy_parts,
)
def binary_cross_entropy(prediction: Array, target: Array) -> Array:
    """Mean of −t log p − (1 − t) log(1 − p), each logarithm clamped at −100 as PyTorch does.

    prediction: float, probabilities in [0, 1]. target: float of a shape that broadcasts.  Returns: float ().
    """
    log_true = maximum(log(prediction), -100)
    log_false = maximum(log1p(-prediction), -100)
    return -mean.kernel(target * log_true + (1 - target) * log_false)
