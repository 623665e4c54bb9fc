"""Losses of a difference: squared, absolute, and two that are squared near 0 and absolute far from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import Samples, primitive
from ops.elementwise import abs, maximum, minimum, sign, square
from ops.formula import Formula
from ops.loss_reduction import gathered, gathered_parts, joint_size, shared
from ops.primitive import Array, sample


def _pairs(*extra: Any) -> Samples:
    """A pair of equal shapes, a broadcast both ways, rank 0 with a literal, every reduction; then the extra ones."""

    def make(rng: np.random.Generator) -> list[Any]:
        return [
            (rng.normal(size=(3, 2)), rng.normal(size=(3, 2))),
            (rng.normal(size=(3, 2)), rng.normal(size=2)),
            (np.float64(0.3), 1.0),
            sample(rng.normal(size=3), rng.normal(size=(2, 1)), reduction="none"),
            sample(rng.normal(size=3), rng.normal(size=3), reduction="sum"),
            sample(np.empty((0, 2)), 1.0, reduction="sum"),
            *extra,
        ]

    return make


def _formula(name: str) -> Formula:
    return Formula(
        f"{name.lower()}({{prediction}}, {{target}})",
        rf"\operatorname{{{{{name}}}}}\left({{prediction}}, {{target}}\right)",
        symbol=name,
    )


_HINT = "prediction and target have shapes that broadcast"


# ----- squared


def mse_parts(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The error, its square, the mean."""
    error = prediction - target
    return gathered_parts(square(error), reduction)


def mse_prediction(g: Any, out: Any, prediction: Any, target: Any, *, reduction: str) -> Any:
    """2 (prediction − target) / N."""
    if reduction == "mean":
        return g * (2 / (joint_size(prediction, target) or 1)) * (prediction - target)
    return g * 2 * (prediction - target)


def mse_target(g: Any, out: Any, prediction: Any, target: Any, *, reduction: str) -> Any:
    """2 (target − prediction) / N."""
    if reduction == "mean":
        return g * (2 / (joint_size(prediction, target) or 1)) * (target - prediction)
    return g * 2 * (target - prediction)


@primitive(
    vjps={"prediction": mse_prediction, "target": mse_target},
    formula=_formula("MSE"),
    samples=_pairs(),
    parts=mse_parts,
    hint=_HINT,
)
def mse_loss(prediction: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean squared error: mean((prediction − target)²); ∂L/∂prediction = 2 (prediction − target) / N.

    prediction, target: float of shapes that broadcast. reduction: mean, sum or none.
    """
    return gathered(np.square(prediction - target), reduction)


# ----- absolute


def l1_parts(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The error, its magnitude, the mean."""
    error = prediction - target
    return gathered_parts(abs(error), reduction)


def l1_prediction(g: Any, out: Any, prediction: Any, target: Any, *, reduction: str) -> Any:
    """sign(prediction − target) / N."""
    return shared(g, reduction, joint_size(prediction, target)) * sign(prediction - target)


def l1_target(g: Any, out: Any, prediction: Any, target: Any, *, reduction: str) -> Any:
    """sign(target − prediction) / N."""
    return shared(g, reduction, joint_size(prediction, target)) * sign(target - prediction)


@primitive(
    vjps={"prediction": l1_prediction, "target": l1_target},
    formula=_formula("L1"),
    samples=_pairs((np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.5]))),
    parts=l1_parts,
    hint=_HINT,
)
def l1_loss(prediction: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean absolute error: mean(|prediction − target|). At the kink, where both are equal, the rule returns 0.

    prediction, target: float of shapes that broadcast. reduction: mean, sum or none.
    """
    return gathered(np.abs(prediction - target), reduction)


# ----- squared near 0, absolute far from it


def _between(x: Any, limit: float) -> Any:
    """x, held between −limit and limit."""
    return maximum(minimum(x, limit), -limit)


def huber_parts(
    prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean"
) -> Any:
    """The error, what of it lies within delta and is squared, the rest, and the mean."""
    error = prediction - target
    near = _between(error, delta)
    return gathered_parts(near * (error - near * 0.5), reduction)


def huber_prediction(
    g: Any, out: Any, prediction: Any, target: Any, *, delta: float, reduction: str
) -> Any:
    """(prediction − target) / N, held between −δ/N and δ/N."""
    return shared(g, reduction, joint_size(prediction, target)) * _between(
        prediction - target, delta
    )


def huber_target(
    g: Any, out: Any, prediction: Any, target: Any, *, delta: float, reduction: str
) -> Any:
    """(target − prediction) / N, held between −δ/N and δ/N."""
    return shared(g, reduction, joint_size(prediction, target)) * _between(
        target - prediction, delta
    )


@primitive(
    vjps={"prediction": huber_prediction, "target": huber_target},
    formula=_formula("Huber"),
    samples=_pairs(
        sample(np.array([-3.0, 0.1, 0.0, 2.0]), np.array([1.0, 0.2, 0.0, 1.5]), delta=0.7),
    ),
    parts=huber_parts,
    hint=_HINT,
)
def huber_loss(
    prediction: Array, target: Array, *, delta: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of d²/2 where |d| <= δ and δ (|d| − δ/2) beyond, of d = prediction − target (Huber 1964).

    Its slope is d, held between −δ and δ: no outlier pulls harder than δ. delta: above 0. reduction: mean, sum or none.
    """
    if not delta > 0:
        raise ValueError(f"delta is {delta}, but must be above 0")
    error = prediction - target
    near = np.clip(error, -delta, delta)
    return gathered(near * (error - near * 0.5), reduction)


def smooth_l1_parts(
    prediction: Any, target: Any, *, beta: float = 1.0, reduction: str = "mean"
) -> Any:
    """The error, what of it lies within beta and is squared, the rest, and the mean."""
    error = prediction - target
    if not beta:
        return gathered_parts(abs(error), reduction)
    near = _between(error, beta)
    return gathered_parts(near * (error - near * 0.5) / beta, reduction)


def smooth_l1_prediction(
    g: Any, out: Any, prediction: Any, target: Any, *, beta: float, reduction: str
) -> Any:
    """(prediction − target) / β / N, held between −1/N and 1/N."""
    return _smooth_slope(g, prediction, target, prediction - target, beta, reduction)


def smooth_l1_target(
    g: Any, out: Any, prediction: Any, target: Any, *, beta: float, reduction: str
) -> Any:
    """(target − prediction) / β / N, held between −1/N and 1/N."""
    return _smooth_slope(g, prediction, target, target - prediction, beta, reduction)


def _smooth_slope(
    g: Any, prediction: Any, target: Any, error: Any, beta: float, reduction: str
) -> Any:
    g_each = shared(g, reduction, joint_size(prediction, target))
    return g_each * (_between(error, beta) / beta if beta else sign(error))


@primitive(
    vjps={"prediction": smooth_l1_prediction, "target": smooth_l1_target},
    formula=_formula("smoothL1"),
    samples=_pairs(
        sample(np.array([-3.0, 0.1, 0.0, 2.0]), np.array([1.0, 0.2, 0.0, 1.5]), beta=0.7),
        sample(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.5]), beta=0.0),
    ),
    parts=smooth_l1_parts,
    hint=_HINT,
)
def smooth_l1_loss(
    prediction: Array, target: Array, *, beta: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of d²/(2β) where |d| < β and |d| − β/2 beyond, of d = prediction − target: `huber_loss` / β.

    beta: 0 or above; at 0 it is `l1_loss`, and the rule returns 0 at the kink. reduction: mean, sum or none.
    """
    if not beta >= 0:
        raise ValueError(f"beta is {beta}, but must not be below 0")
    error = prediction - target
    if not beta:
        return gathered(np.abs(error), reduction)
    near = np.clip(error, -beta, beta)
    return gathered(near * (error - near * 0.5) / beta, reduction)
