"""Targets of classifiers: class numbers or shares, the weights of classes, and the samples that do not count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.elementwise import astype, where
from ops.loss_reduction import gathered
from ops.losses import class_numbers, one_hot
from ops.primitive import NUMBERS, Array
from ops.reduce import kept_shape, sum
from ops.shape import reshape, sum_to
from ops.summing import add_reduce

# ----- what a target says


def is_shares(target: Any) -> bool:
    """Whether a target holds a share of every class, in place of a class number."""
    return bool(getattr(target, "dtype", np.dtype(int)).kind == "f")


def class_picks(scores: Any, target: Any, ignore_index: int, axis: int) -> Any:
    """True at the class of each sample: the shape of the scores."""
    return one_hot(target, classes=scores.shape[axis], axis=axis, ignore_index=ignore_index)


def target_shares(
    logits: Any, target: Any, weight: Any, label_smoothing: float, ignore_index: int, axis: int
) -> Any:
    """What the logarithms are multiplied by: the share of each class in the target, smoothed, times its weight."""
    q = target
    if not is_shares(target):
        q = astype(class_picks(logits, target, ignore_index, axis), dtype=logits.dtype.name)
    if label_smoothing:
        q = q * (1 - label_smoothing) + label_smoothing / logits.shape[axis]
    return scaled_by(q, weight, logits, axis)


def times_log(q: Any, log_share: Any) -> Any:
    """q log s, and 0 where q is 0, also beside a class that is masked by a logit of −∞."""
    return where(q == 0, 0, q * log_share)


def is_one(weight: Any) -> bool:
    """Whether the number 1 stands in for weights."""
    return type(weight) in NUMBERS and bool(weight == 1)


def along_classes(weight: Any, scores: Any, axis: int) -> Any:
    """The weights of the classes as they broadcast against the scores; a number as it is."""
    if type(weight) in NUMBERS:
        return weight
    return reshape(weight, shape=class_shape(scores, axis))


def class_shape(scores: Any, axis: int) -> tuple[int, ...]:
    """The shape in which weights of classes broadcast against the scores."""
    place = axis % scores.ndim
    return (*(1,) * place, scores.shape[place], *(1,) * (scores.ndim - 1 - place))


# ----- what a sample weighs


def sample_weights(
    scores: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int, axis: int
) -> Any:
    """The weight of each sample in the loss, the axis of classes kept: 1/N in a mean, 0 if it is ignored.

    N is the number of samples that count, each as often as the weight of its class says.
    """
    if is_shares(target):
        number = scores.size // (scores.shape[axis] or 1)
        return scores.dtype.type(1 / (number or 1) if reduction == "mean" else 1)
    picked = class_picks(scores, target, ignore_index, axis)
    counts = sum(picked, axis=axis, keepdims=True)
    if reduction != "mean":
        return astype(counts, dtype=scores.dtype.name)
    return where(counts > 0, 1 / total_weight(picked, weight, scores, axis), 0)


def total_weight(picked: Any, weight: Any, scores: Any, axis: int) -> Any:
    """The weights of the classes of all samples that count, summed; their number, if the weight is 1."""
    if type(weight) in NUMBERS:
        number = astype(sum(picked), dtype=scores.dtype.name)
        return number if is_one(weight) else number * weight
    return sum(where(picked, along_classes(weight, scores, axis), 0))


def of_sample(g: Any, scores: Any, axis: int) -> Any:
    """The cotangent of the loss of each sample, as it broadcasts against the scores."""
    return reshape(g, shape=kept_shape(scores.shape, axis)) if g.ndim else g


def scaled_by(x: Any, weight: Any, scores: Any, axis: int) -> Any:
    """x times the weights of the classes."""
    return x if is_one(weight) else x * along_classes(weight, scores, axis)


def summed_by_class(flow: Any, axis: int) -> Any:
    """The flow of every score summed by class: (classes,)."""
    return reshape(sum_to(flow, shape=class_shape(flow, axis)), shape=-1)


# ----- the values


def check_scores(scores: Array, target: Any, weight: Any, axis: int) -> None:
    """Raise `ValueError` or `TypeError` for scores, targets or weights that do not fit each other."""
    if not np.ndim(scores):
        raise ValueError("logits have rank 0, but need an axis of classes")
    if not -scores.ndim <= axis < scores.ndim:
        raise ValueError(f"axis {axis} is not there: logits have shape {scores.shape}")
    place = axis % scores.ndim
    classes = scores.shape[place]
    if not classes:
        raise ValueError(f"logits have shape {scores.shape}, which leaves no class to choose")
    samples = scores.shape[:place] + scores.shape[place + 1 :]
    target = np.asarray(target)
    if target.dtype.kind == "f":
        if target.shape != scores.shape:
            raise TypeError(
                f"classes are integers, not {target.dtype}; "
                f"shares of classes have the shape of the logits, {scores.shape}"
            )
    elif target.shape != samples:
        raise ValueError(f"target has shape {target.shape}, but logits have {scores.shape}")
    if type(weight) not in NUMBERS and np.shape(weight) != (classes,):
        raise ValueError(f"weight has shape {np.shape(weight)}, but there are {classes} classes")


def of_classes(
    log_share: Array,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    ignore_index: int,
    axis: int,
    label_smoothing: float = 0.0,
) -> tuple[Array, dict[str, Array]]:
    """The loss of logarithms of shares against class numbers, and the weight of each sample."""
    target = class_numbers(target, log_share.shape[axis], ignore_index)
    counts = target != ignore_index
    classes = np.where(counts, target, 0)
    last = axis in (-1, log_share.ndim - 1)  # np.moveaxis takes as long as the rest
    rows = (log_share if last else np.moveaxis(log_share, axis, -1)).reshape(
        -1, log_share.shape[axis]
    )
    each = np.where(counts, weight if type(weight) in NUMBERS else weight[classes], 0)
    if type(weight) in NUMBERS:
        each = each.astype(log_share.dtype)
    picked = rows[np.arange(rows.shape[0]), classes.ravel()].reshape(target.shape)
    losses = np.where(counts, -picked * each, 0)
    if label_smoothing:
        share = label_smoothing / log_share.shape[axis]
        others = add_reduce(log_share * along_classes(weight, log_share, axis), axis=axis)
        losses = losses * (1 - label_smoothing) - np.where(counts, others * share, 0)
    total = add_reduce(each, axis=None)
    weights = counts.astype(log_share.dtype)
    if reduction == "mean":
        weights = np.where(counts, 1 / total, weights)
    saved = weights.reshape(kept_shape(log_share.shape, axis))
    return gathered(losses, reduction, total), {"sample_weight": saved}
