"""Losses of classifiers: cross-entropy of logits, and the negative logarithm of a probability."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.class_targets import (
    along_classes,
    check_scores,
    class_picks,
    is_one,
    is_shares,
    of_classes,
    of_sample,
    sample_weights,
    scaled_by,
    summed_by_class,
    target_shares,
    times_log,
    total_weight,
)
from ops.declaring import primitive
from ops.elementwise import not_equal, where
from ops.formula import Formula
from ops.loss_reduction import gathered, gathered_parts
from ops.losses import log_softmax, softmax
from ops.primitive import Array, Saved, sample
from ops.reduce import sum
from ops.summing import add_reduce

# ----- cross-entropy


def _cross_entropy_weights(
    logits: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
) -> Any:
    return sample_weights(
        logits, target, weight, reduction=reduction, ignore_index=ignore_index, axis=axis
    )


def cross_entropy_logits(
    g: Any,
    out: Any,
    logits: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
    sample_weight: Any,
) -> Any:
    """(softmax − onehot) wₙ; or, of weighted or smoothed shares q, (softmax Σq − q) wₙ."""
    if is_one(weight) and not label_smoothing and not is_shares(target):
        return (softmax(logits, axis=axis) - class_picks(logits, target, ignore_index, axis)) * (
            of_sample(g, logits, axis) * sample_weight
        )
    q = target_shares(logits, target, weight, label_smoothing, ignore_index, axis)
    return (softmax(logits, axis=axis) * sum(q, axis=axis, keepdims=True) - q) * (
        of_sample(g, logits, axis) * sample_weight
    )


def cross_entropy_target(
    g: Any,
    out: Any,
    logits: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
    sample_weight: Any,
) -> Any:
    """−log softmax wₙ, of a target that holds shares."""
    g_share = of_sample(g, logits, axis) * sample_weight * (label_smoothing - 1)
    return log_softmax(logits, axis=axis) * along_classes(weight, logits, axis) * g_share


def cross_entropy_weight(
    g: Any,
    out: Any,
    logits: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
    sample_weight: Any,
) -> Any:
    """−Σₙ q log softmax wₙ by class, less the loss itself where the mean is over the weights of the targets."""
    q = target_shares(logits, target, 1.0, label_smoothing, ignore_index, axis)
    losses = -times_log(q, log_softmax(logits, axis=axis))
    if reduction == "mean" and not is_shares(target):
        losses = losses - where(class_picks(logits, target, ignore_index, axis), out, 0)
    return summed_by_class(losses * (of_sample(g, logits, axis) * sample_weight), axis)


def cross_entropy_parts(
    logits: Any,
    target: Any,
    weight: Any = 1.0,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    axis: int = -1,
) -> Any:
    """The log-softmax, its product with the shares of the target, minus the sum of each sample, and their mean."""
    log_share = log_softmax(logits, axis=axis)
    q = target_shares(logits, target, weight, label_smoothing, ignore_index, axis)
    losses = -sum(times_log(q, log_share), axis=axis)
    if is_shares(target):
        return gathered_parts(losses, reduction)
    counted = where(not_equal(target, ignore_index), losses, 0)
    if reduction != "mean":
        return gathered_parts(counted, reduction)
    total = total_weight(class_picks(logits, target, ignore_index, axis), weight, logits, axis)
    return sum(counted) / total


def _cross_entropy_samples(rng: np.random.Generator) -> list[Any]:
    def shares(*shape: int, axis: int = -1) -> Array:
        return softmax.kernel(rng.normal(size=shape), axis=axis)

    logits, weight = rng.normal(size=(3, 4)), rng.uniform(0.5, 2, size=4)
    classes = np.array([0, 3, 1])
    return [
        (logits, classes),
        (np.array([0.5, -1.0, 2.0]), np.int64(2)),
        (np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0])),
        (rng.normal(size=(2, 2, 3)), np.array([[0, 1], [2, 0]])),
        (rng.normal(size=3), 1),
        sample(logits, np.array([0, -100, 1]), weight, label_smoothing=0.1),
        sample(logits, classes, weight, reduction="none"),
        sample(logits, classes, reduction="sum", ignore_index=3),
        sample(rng.normal(size=(2, 3, 2)), np.array([[0, 1], [2, 0]]), axis=1, reduction="none"),
        (logits, shares(3, 4)),
        sample(logits, shares(3, 4), weight, label_smoothing=0.2, reduction="none"),
        sample(rng.normal(size=(2, 3, 2)), shares(2, 3, 2, axis=1), axis=1, reduction="sum"),
        (rng.normal(size=3), shares(3), weight[:3]),
        sample(np.empty((0, 2)), np.empty(0, dtype=int), reduction="sum"),
    ]


@primitive(
    vjps={
        "logits": cross_entropy_logits,
        "target": cross_entropy_target,
        "weight": cross_entropy_weight,
    },
    saves=(Saved("sample_weight", "wₙ", "w_n", _cross_entropy_weights),),
    optional={"weight": 1.0},
    formula=Formula(
        "cross_entropy({logits}, {target})",
        r"\operatorname{{CE}}\left({logits}, {target}\right)",
        symbol="CE",
    ),
    samples=_cross_entropy_samples,
    parts=cross_entropy_parts,
    parts_ulps=8,
    hint="logits are float (N, classes); target is int (N,) with classes from 0, or float (N, classes)",
)
def cross_entropy(
    logits: Array,
    target: Array,
    weight: Array,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    axis: int = -1,
) -> tuple[Array, dict[str, Array]]:
    """Mean negative log-likelihood of the target classes.

    L = −1/N · Σₙ log softmax(logits)ₙ,ₜ₍ₙ₎        so  ∂L/∂logits = (softmax − onehot) / N

    logits: float (N, classes) or (classes,), or with more axes, of which `axis` is that of the classes.
    target: int, the shape of logits without that axis, each in [0, classes); one that equals `ignore_index` does not
    count. Or float, the shape of logits: the share of each class. weight: (classes,), by which the losses of a class
    are multiplied; a mean divides by the weights of the targets that count, or, of shares, by their number: that is
    the wₙ of the formulas. label_smoothing: ε, for the target (1 − ε) target + ε/classes. reduction: mean, sum or none.
    Returns: float (), or with reduction="none" the shape of logits without the axis.
    All as PyTorch's, but for the axis, which is 1 there; and a share of 0 beside a logit of −∞ adds 0 here.
    """
    check_scores(logits, target, weight, axis)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is {label_smoothing}, but lies between 0 and 1")
    log_share = log_softmax.kernel(logits, axis=axis)
    given: dict[str, Any] = {"reduction": reduction, "ignore_index": ignore_index, "axis": axis}
    if is_shares(target):
        q = target_shares(logits, target, weight, label_smoothing, ignore_index, axis)
        losses = -add_reduce(times_log(q, log_share), axis=axis)
        saved = {"sample_weight": sample_weights(logits, target, weight, **given)}
        return gathered(losses, reduction), saved
    return of_classes(log_share, target, weight, **given, label_smoothing=label_smoothing)


# ----- the negative logarithm


def _nll_weights(
    log_share: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int, axis: int
) -> Any:
    return sample_weights(
        log_share, target, weight, reduction=reduction, ignore_index=ignore_index, axis=axis
    )


def nll_log_share(
    g: Any,
    out: Any,
    log_share: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    ignore_index: int,
    axis: int,
    sample_weight: Any,
) -> Any:
    """−wₙ at the target class, 0 elsewhere."""
    g_sample = scaled_by(of_sample(g, log_share, axis) * sample_weight, weight, log_share, axis)
    return where(class_picks(log_share, target, ignore_index, axis), -g_sample, 0)


def nll_weight(
    g: Any,
    out: Any,
    log_share: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    ignore_index: int,
    axis: int,
    sample_weight: Any,
) -> Any:
    """−Σₙ log_share wₙ by class of the target, less the loss itself where the mean is over the weights."""
    losses = -log_share - out if reduction == "mean" else -log_share
    picked = where(class_picks(log_share, target, ignore_index, axis), losses, 0)
    return summed_by_class(picked * (of_sample(g, log_share, axis) * sample_weight), axis)


def nll_loss_parts(
    log_share: Any,
    target: Any,
    weight: Any = 1.0,
    *,
    reduction: str = "mean",
    ignore_index: int = -100,
    axis: int = -1,
) -> Any:
    """The entry of the target class of each sample, times its weight, and minus their mean."""
    picked = class_picks(log_share, target, ignore_index, axis)
    entry = where(picked, scaled_by(log_share, weight, log_share, axis), 0)
    losses = -sum(entry, axis=axis)
    if reduction != "mean":
        return gathered_parts(losses, reduction)
    return sum(losses) / total_weight(picked, weight, log_share, axis)


@primitive(
    vjps={"log_share": nll_log_share, "weight": nll_weight},
    saves=(Saved("sample_weight", "wₙ", "w_n", _nll_weights),),
    optional={"weight": 1.0},
    formula=Formula(
        "nll_loss({log_share}, {target})",
        r"\operatorname{{NLL}}\left({log_share}, {target}\right)",
        symbol="NLL",
    ),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)), np.array([0, 3, 1])),
        sample(rng.normal(size=(3, 2)), np.array([0, -100, 1]), rng.uniform(0.5, 2, size=2)),
        sample(rng.normal(size=(2, 3, 2)), np.array([[0, 1], [2, 0]]), axis=1, reduction="none"),
        sample(rng.normal(size=(3, 2)), np.array([0, 1, 1]), rng.normal(size=2), reduction="sum"),
        (rng.normal(size=3), 1, 2.0),
    ],
    parts=nll_loss_parts,
    parts_ulps=8,
    hint="log_share is float (N, classes), as log_softmax gives it; target is int (N,)",
)
def nll_loss(
    log_share: Array,
    target: Array,
    weight: Array,
    *,
    reduction: str = "mean",
    ignore_index: int = -100,
    axis: int = -1,
) -> tuple[Array, dict[str, Array]]:
    """Mean negative logarithm of the probability of the target class.

    L = −1/N · Σₙ log_shareₙ,ₜ₍ₙ₎

    log_share: float (N, classes): logarithms of probabilities, as `log_softmax` gives them. target: int, that shape
    without `axis`. weight, reduction, ignore_index: as of `cross_entropy`, which is this after `log_softmax`.
    """
    check_scores(log_share, target, weight, axis)
    return of_classes(
        log_share, target, weight, reduction=reduction, ignore_index=ignore_index, axis=axis
    )
