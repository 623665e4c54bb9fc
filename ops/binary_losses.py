"""Losses of two classes: binary cross-entropy of probabilities and of logits, and the hinge of a margin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.activations import sigmoid
from ops.declaring import primitive
from ops.elementwise import abs, exp, log, log1p, maximum, where
from ops.formula import Formula
from ops.loss_reduction import floating, gathered, gathered_parts, joint_shape, joint_size, shared
from ops.primitive import NUMBERS, Array, sample
from ops.shape import broadcast_to

_FLOOR = 1e-12


def _times(x: Any, weight: Any) -> Any:
    """x times a weight; x itself where the number 1 stands in for it."""
    return x if type(weight) in NUMBERS and weight == 1 else x * weight


# ----- of probabilities


def binary_cross_entropy_parts(
    prediction: Any, target: Any, weight: Any = 1.0, *, reduction: str = "mean"
) -> Any:
    """Both clamped logarithms, weighted by the target, and minus their mean."""
    log_true = maximum(log(prediction), -100)
    log_false = maximum(log1p(-prediction), -100)
    t = floating(target, prediction)
    losses = -(t * log_true + (1 - t) * log_false)
    return gathered_parts(_times(losses, weight), reduction)


def bce_prediction(
    g: Any, out: Any, prediction: Any, target: Any, weight: Any, *, reduction: str
) -> Any:
    """(p − t) / (p (1 − p)) / N, the denominator kept above 1e-12 as PyTorch does."""
    slope = maximum(prediction * (1 - prediction), _FLOOR)
    g_each = _times(shared(g, reduction, joint_size(prediction, target, weight)), weight)
    return g_each * ((prediction - floating(target, prediction)) / slope)


def bce_target(
    g: Any, out: Any, prediction: Any, target: Any, weight: Any, *, reduction: str
) -> Any:
    """(log(1 − p) − log p) / N, with the clamped logarithms."""
    difference = maximum(log1p(-prediction), -100) - maximum(log(prediction), -100)
    g_each = _times(shared(g, reduction, joint_size(prediction, target, weight)), weight)
    return broadcast_to(g_each * difference, shape=joint_shape(prediction, target, weight))


def bce_weight(
    g: Any, out: Any, prediction: Any, target: Any, weight: Any, *, reduction: str
) -> Any:
    """The loss of each element / N."""
    losses = binary_cross_entropy_parts(prediction, target, reduction="none")
    g_each = shared(g, reduction, joint_size(prediction, target, weight))
    return broadcast_to(g_each * losses, shape=joint_shape(prediction, target, weight))


@primitive(
    vjps={"prediction": bce_prediction, "target": bce_target, "weight": bce_weight},
    optional={"weight": 1.0},
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
        sample(rng.uniform(0.1, 0.9, size=3), rng.uniform(size=3), 2.0, reduction="none"),
        sample(
            rng.uniform(0.1, 0.9, size=(2, 3)),
            rng.uniform(size=(2, 3)),
            rng.uniform(0.5, 2, size=3),
            reduction="sum",
        ),
        (np.float64(0.4), 1.0, rng.uniform(0.5, 2, size=3)),
    ],
    parts=binary_cross_entropy_parts,
    hint="prediction, target and weight have shapes that broadcast",
)
def binary_cross_entropy(
    prediction: Array, target: Array, weight: Array, *, reduction: str = "mean"
) -> Array:
    """Mean of −t log p − (1 − t) log(1 − p), each logarithm clamped at −100 as PyTorch does.

    prediction: float, probabilities in [0, 1]. target: float of a shape that broadcasts. weight: by which each
    element's loss is multiplied; a mean divides by the number of elements.  reduction: mean, sum or none.
    """
    log_true = maximum(log(prediction), -100)
    log_false = maximum(log1p(-prediction), -100)
    t = floating(target, prediction)
    losses = -(t * log_true + (1 - t) * log_false)
    return gathered(_times(losses, weight), reduction)


# ----- of logits


def _softplus(x: Any) -> Any:
    """log(1 + eˣ), exact in both tails."""
    return maximum(x, 0) + log1p(exp(-abs(x)))


def _logit_losses(logits: Any, target: Any, pos_weight: Any) -> Any:
    """t w₊ log(1 + e⁻ˣ) + (1 − t) log(1 + eˣ), each logarithm exact in its tail."""
    t = floating(target, logits)
    return _times(t, pos_weight) * _softplus(-logits) + (1 - t) * _softplus(logits)


def binary_cross_entropy_with_logits_parts(
    logits: Any, target: Any, weight: Any = 1.0, pos_weight: Any = 1.0, *, reduction: str = "mean"
) -> Any:
    """What a true and a false sample cost, as softplus, weighted by the target, and their mean."""
    tail = log1p(exp(-abs(logits)))
    cost_true = maximum(-logits, 0) + tail
    cost_false = maximum(logits, 0) + tail
    t = floating(target, logits)
    losses = _times(t, pos_weight) * cost_true + (1 - t) * cost_false
    return gathered_parts(_times(losses, weight), reduction)


def bce_logits(
    g: Any, out: Any, logits: Any, target: Any, weight: Any, pos_weight: Any, *, reduction: str
) -> Any:
    """((1 − t) σ(x) − t σ(−x)) / N: for t of 0 or 1 the same as σ(x) − t, but exact also where that cancels."""
    g_each = _times(shared(g, reduction, joint_size(logits, target, weight, pos_weight)), weight)
    t = floating(target, logits)
    slope = (1 - t) * sigmoid(logits) - _times(t, pos_weight) * sigmoid(-logits)
    return g_each * slope


def bce_logits_target(
    g: Any, out: Any, logits: Any, target: Any, weight: Any, pos_weight: Any, *, reduction: str
) -> Any:
    """−x / N; with a weight of true samples, (w₊ softplus(−x) − softplus(x)) / N."""
    shape = joint_shape(logits, target, weight, pos_weight)
    g_each = _times(shared(g, reduction, joint_size(logits, target, weight, pos_weight)), weight)
    if type(pos_weight) in NUMBERS and pos_weight == 1:
        return broadcast_to(g_each * -logits, shape=shape)
    slope = pos_weight * _softplus(-logits) - _softplus(logits)
    return broadcast_to(g_each * slope, shape=shape)


def bce_logits_weight(
    g: Any, out: Any, logits: Any, target: Any, weight: Any, pos_weight: Any, *, reduction: str
) -> Any:
    """The loss of each element / N."""
    g_each = shared(g, reduction, joint_size(logits, target, weight, pos_weight))
    losses = _logit_losses(logits, target, pos_weight)
    return broadcast_to(g_each * losses, shape=joint_shape(logits, target, weight, pos_weight))


def bce_logits_pos_weight(
    g: Any, out: Any, logits: Any, target: Any, weight: Any, pos_weight: Any, *, reduction: str
) -> Any:
    """t softplus(−x) / N."""
    g_each = _times(shared(g, reduction, joint_size(logits, target, weight, pos_weight)), weight)
    return broadcast_to(
        g_each * (floating(target, logits) * _softplus(-logits)),
        shape=joint_shape(logits, target, weight, pos_weight),
    )


@primitive(
    vjps={
        "logits": bce_logits,
        "target": bce_logits_target,
        "weight": bce_logits_weight,
        "pos_weight": bce_logits_pos_weight,
    },
    optional={"weight": 1.0, "pos_weight": 1.0},
    formula=Formula(
        "bce(σ({logits}), {target})",
        r"\operatorname{{BCE}}\left(\sigma\left({logits}\right), {target}\right)",
        symbol="BCE",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 2)), rng.integers(0, 2, size=(3, 2)).astype(float)),
        (np.float64(0.731), 1.0),
        (0.25, rng.uniform(size=2)),
        (rng.normal(size=3), rng.uniform(size=(2, 1))),
        sample(np.array([-800.0, -4.0, 4.0, 800.0]), np.array([0, 1, 0, 1]), reduction="sum"),
        sample(
            rng.normal(size=(2, 3)),
            rng.uniform(size=(2, 3)),
            rng.uniform(0.5, 2, size=(2, 1)),
            rng.uniform(0.5, 2, size=3),
            reduction="none",
        ),
        sample(rng.normal(size=3), rng.uniform(size=3), None, 3.0),
        sample(np.float64(0.3), 1.0, np.float64(2.0), rng.uniform(0.5, 2, size=3), reduction="sum"),
    ],
    parts=binary_cross_entropy_with_logits_parts,
    parts_ulps=8,
    hint="logits, target, weight and pos_weight have shapes that broadcast",
)
def binary_cross_entropy_with_logits(
    logits: Array, target: Array, weight: Array, pos_weight: Array, *, reduction: str = "mean"
) -> Array:
    """Mean binary cross-entropy of σ(logits), exact where the probability is 0 or 1 to all its digits.

    L = 1/N Σ w (w₊ t log(1 + e⁻ˣ) + (1 − t) log(1 + eˣ))        so, without weights,  ∂L/∂x = (σ(x) − t) / N

    logits, target: float of shapes that broadcast, target in [0, 1]. weight: w, of each element. pos_weight: w₊, of
    what is true, usually (classes,). A mean divides by the number of elements.  reduction: mean, sum or none.
    """
    tail = log1p(exp(-abs(logits)))
    t = floating(target, logits)
    losses = _times(t, pos_weight) * (maximum(-logits, 0) + tail)
    losses = losses + (1 - t) * (maximum(logits, 0) + tail)
    return gathered(_times(losses, weight), reduction)


# ----- of a margin


def hinge_loss_parts(
    prediction: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """The margin that is missing, where one is, and their mean."""
    missing = margin - floating(target, prediction) * prediction
    return gathered_parts(where(missing > 0, missing, 0), reduction)


def hinge_prediction(
    g: Any, out: Any, prediction: Any, target: Any, *, margin: float, reduction: str
) -> Any:
    """−t / N where the margin is missing, else 0."""
    g_each = shared(g, reduction, joint_size(prediction, target))
    return where(
        margin - floating(target, prediction) * prediction > 0,
        -floating(target, prediction) * g_each,
        0,
    )


def hinge_target(
    g: Any, out: Any, prediction: Any, target: Any, *, margin: float, reduction: str
) -> Any:
    """−p / N where the margin is missing, else 0."""
    g_each = shared(g, reduction, joint_size(prediction, target))
    return where(margin - floating(target, prediction) * prediction > 0, -prediction * g_each, 0)


@primitive(
    vjps={"prediction": hinge_prediction, "target": hinge_target},
    formula=Formula(
        "hinge({prediction}, {target})",
        r"\operatorname{{hinge}}\left({prediction}, {target}\right)",
        symbol="hinge",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 2)), np.sign(rng.normal(size=(3, 2)))),
        (np.float64(0.3), -1.0),
        (0.3, np.array([-1.0, 1.0])),
        sample(rng.normal(size=3), np.array([1, -1, 1]), margin=0.5, reduction="none"),
        sample(np.array([1.0, -1.0, 3.0]), np.array([1, -1, 1]), reduction="sum"),
        sample(np.empty((0, 2)), 1.0, reduction="sum"),
    ],
    parts=hinge_loss_parts,
    hint="prediction and target have shapes that broadcast",
)
def hinge_loss(
    prediction: Array, target: Array, *, margin: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of max(0, margin − t p), the loss of a support vector machine; at the kink the rule returns 0.

    prediction: float, the score p. target: the class t, 1 or −1, of a shape that broadcasts. reduction: mean, sum or
    none. (PyTorch's hinge_embedding_loss is another one, of distances.)
    """
    return gathered(maximum(margin - floating(target, prediction) * prediction, 0), reduction)
