"""How alike two distributions are, and how alike the directions of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import exp, log, maximum, sqrt, square, where
from ops.formula import ATOM, Formula
from ops.loss_reduction import floating, gathered, gathered_parts, joint_shape
from ops.primitive import Array, sample
from ops.reduce import kept_shape, sum
from ops.shape import broadcast_to, reshape, shape_of
from ops.summing import add_reduce

# ----- divergence of distributions


def _count(prediction: Any, target: Any, reduction: str) -> int:
    """By how many the sum of the losses is divided."""
    shape = joint_shape(prediction, target)
    if reduction == "batchmean":
        return shape[0] if shape else 1
    return int(np.prod(shape)) if reduction == "mean" else 1


def kl_div_parts(
    prediction: Any, target: Any, *, reduction: str = "mean", log_target: bool = False
) -> Any:
    """The ratio of the shares as a difference of logarithms, weighted by the target, and the mean."""
    losses = _divergences(prediction, target, log_target)
    if reduction == "batchmean":
        return sum(losses) / (_count(prediction, target, reduction) or 1)
    return gathered_parts(losses, reduction)


def _divergences(prediction: Any, target: Any, log_target: bool) -> Any:
    """t (log t − prediction), and 0 where t is 0."""
    if log_target:
        return exp(target) * (target - prediction)
    t = floating(target, prediction)
    return where(t == 0, 0, t * (log(_nonzero(t)) - prediction))


def _nonzero(target: Any) -> Any:
    """The target, and 1 where it is 0: its logarithm is asked for also where it is not used."""
    return where(target == 0, 1.0, target)


def kl_div_prediction(
    g: Any, out: Any, prediction: Any, target: Any, *, reduction: str, log_target: bool
) -> Any:
    """−target / N."""
    g_each = g / (_count(prediction, target, reduction) or 1) if reduction != "none" else g
    share = exp(target) if log_target else floating(target, prediction)
    return broadcast_to(-share * g_each, shape=joint_shape(prediction, target))


def kl_div_target(
    g: Any, out: Any, prediction: Any, target: Any, *, reduction: str, log_target: bool
) -> Any:
    """(log t − prediction + 1) / N, and −prediction / N where t is 0."""
    g_each = g / (_count(prediction, target, reduction) or 1) if reduction != "none" else g
    if log_target:
        return exp(target) * (target - prediction + 1) * g_each
    inner = where(target == 0, 0, log(_nonzero(target)) + 1)
    return (inner - prediction) * g_each


@primitive(
    vjps={"prediction": kl_div_prediction, "target": kl_div_target},
    formula=Formula(
        "KL({target} ‖ e^{prediction})",
        r"\operatorname{{KL}}\left({target} \,\|\, e^{{{prediction}}}\right)",
        needs=(ATOM,),
        tex_needs=(),
        symbol="KL",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 2)) - 2, rng.uniform(0.1, 1, size=(3, 2))),
        sample(rng.normal(size=(3, 2)) - 2, rng.uniform(0.1, 1, size=2), reduction="batchmean"),
        sample(rng.normal(size=3), rng.normal(size=(2, 1)), log_target=True, reduction="none"),
        sample(rng.normal(size=3), np.array([0, 1, 0]), reduction="sum"),
        (np.float64(-0.3), 0.5),
        sample(np.float64(-0.3), -0.5, log_target=True, reduction="batchmean"),
    ],
    parts=kl_div_parts,
    hint="prediction holds logarithms of shares; target holds shares, or their logarithms with log_target=True",
)
def kl_div(
    prediction: Array, target: Array, *, reduction: str = "mean", log_target: bool = False
) -> Array:
    """Kullback-Leibler divergence of a prediction from a target: mean of t (log t − prediction).

    prediction: float, logarithms of shares. target: float, shares t, or log t with log_target=True.
    reduction: batchmean (the sum over the length of the first axis: the divergence as mathematics has it), mean (over
    all elements, PyTorch's default), sum or none. At t = 0, 0 log 0 is 0, and the rule counts it as constant: by t
    it returns −prediction, where the true slope is −∞.
    """
    losses = _divergences(prediction, target, log_target)
    if reduction == "batchmean":
        return add_reduce(losses, axis=None) / _count(prediction, target, reduction)
    return gathered(losses, reduction)


# ----- angle of vectors


def _power(x: Any, axis: int) -> Any:
    """Σ x², the axis kept."""
    return sum(square(x), axis=axis, keepdims=True)


def _spread_out(x: Any, shape: tuple[int, ...]) -> Any:
    """x broadcast to the shape that both inputs make, so that an axis means the same in both."""
    return x if shape_of(x) == shape else broadcast_to(x, shape=shape)


def cosine_parts(x: Any, y: Any, *, axis: int = -1, eps: float = 1e-8) -> Any:
    """The lengths, none of them below eps, the products of the elements, their sum, and its ratio to both lengths."""
    shape = joint_shape(x, y)
    a, b = _spread_out(x, shape), _spread_out(y, shape)
    length_x = sqrt(maximum(sum(square(a), axis=axis), eps * eps))
    length_y = sqrt(maximum(sum(square(b), axis=axis), eps * eps))
    return sum(a * b, axis=axis) / (length_x * length_y)


def cosine_x(g: Any, out: Any, x: Any, y: Any, *, axis: int, eps: float) -> Any:
    """(y/|y| − cos · x/|x|) / |x|: the part of the other direction that is at a right angle to x."""
    return _cosine_rule(g, out, x, y, axis, eps)


def cosine_y(g: Any, out: Any, x: Any, y: Any, *, axis: int, eps: float) -> Any:
    """(x/|x| − cos · y/|y|) / |y|: the part of the other direction that is at a right angle to y."""
    return _cosine_rule(g, out, y, x, axis, eps)


def _cosine_rule(g: Any, out: Any, x: Any, other: Any, axis: int, eps: float) -> Any:
    """The cotangent of x; where its length is eps or less it counts as constant."""
    shape = joint_shape(x, other)
    kept = kept_shape(shape, axis)
    a, b = _spread_out(x, shape), _spread_out(other, shape)
    power_a, least = _power(a, axis), eps * eps
    length_a = sqrt(maximum(power_a, least))
    length_b = sqrt(maximum(_power(b, axis), least))
    along = where(power_a > least, reshape(out, shape=kept) / length_a, 0)
    return (b / length_b - a * along) / length_a * reshape(g, shape=kept)


@primitive(
    vjps={"x": cosine_x, "y": cosine_y},
    formula=Formula("cos({x}, {y})", r"\cos\left({x}, {y}\right)", symbol="cos"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)), rng.normal(size=(3, 4))),
        sample(rng.normal(size=(3, 2)), rng.normal(size=(3, 1)), axis=0),
        (rng.normal(size=4), rng.normal(size=(2, 4))),
        sample(rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 2)), axis=1),
        sample(rng.normal(size=(2, 3)), np.zeros((2, 3)), eps=0.5),
    ],
    parts=cosine_parts,
    parts_ulps=8,
    hint="x and y have shapes that broadcast; axis is the one of the elements of a vector",
)
def cosine_similarity(x: Array, y: Array, *, axis: int = -1, eps: float = 1e-8) -> Array:
    """Cosine of the angle of two vectors: x·y / (max(|x|, ε) max(|y|, ε)).

    x, y: float of shapes that broadcast, vectors along `axis` (1 in PyTorch). Returns: that shape without the axis.
    A length of ε or less counts as the constant ε: a vector of zeros gives 0.
    """
    shape = joint_shape(x, y)
    if not shape:
        raise ValueError("x and y have rank 0, but are vectors along an axis")
    a, b = _spread_out(x, shape), _spread_out(y, shape)
    length_x = np.maximum(np.sqrt(add_reduce(np.square(a), axis=axis)), eps)
    length_y = np.maximum(np.sqrt(add_reduce(np.square(b), axis=axis)), eps)
    return add_reduce(a * b, axis=axis) / (length_x * length_y)
