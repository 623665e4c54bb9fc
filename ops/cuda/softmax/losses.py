"""Losses of classifiers against class numbers: short rows of logits are read once each way, or once for both.

Of L bytes of logits in short rows the value reads L, and what it sends back reads L and writes L: 3 L in all. Where it
is known beforehand that the logits want a gradient, the value reads L and writes L, and a cotangent of 1 then costs
nothing: 2 L, as far as memory goes. Losses of single samples, whose cotangent nobody knows, long rows and columns go
the first way. Weighted classes, smoothed labels and targets that hold shares go by their parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.class_targets import check_scores, is_one, is_shares
from ops.cuda.kernel import Launch
from ops.cuda.native import Native
from ops.cuda.reductions.family import floats
from ops.cuda.reductions.launching import MOST, Collapsed
from ops.cuda.softmax.ahead import Ahead, leave, taken
from ops.cuda.softmax.launching import exponential_sums, held_each
from ops.cuda.softmax.loss_launching import (
    gathered_losses,
    launch_both,
    launch_flow,
    launch_rows,
)
from ops.cuda.softmax.loss_tables import PICK
from ops.devices.arrays import DeviceArray, array, empty
from ops.elementwise import astype
from ops.losses import class_numbers
from ops.primitive import PRIMITIVES
from ops.reduce import kept_shape

Loss = tuple[DeviceArray, dict[str, DeviceArray]]

USUAL = {"reduction": "mean"}
"""Parameters of which nothing need be checked."""


def _check(name: str, scores: Any, target: Any, weight: Any, axis: int, **params: Any) -> None:
    """Raise what the operation raises on the CPU for scores, targets and parameters that do not fit each other.

    Nothing is fetched for it: what lies on the device is checked by its shape and dtype, and parameters on one number.
    """
    if type(target) is DeviceArray:
        target = np.broadcast_to(np.zeros((), target.dtype), target.shape)
    check_scores(scores, target, weight, axis)
    if params != USUAL:
        PRIMITIVES[name](np.zeros(1), np.int64(0), **params)


def _at(scores: DeviceArray, target: Any, weight: Any, axis: int) -> Collapsed | None:
    """The shape of scores around the axis of classes; None for what is left to the parts."""
    if not floats(scores) or not is_one(weight) or is_shares(target) or not scores.size:
        return None
    place = axis % scores.ndim
    shape = scores.shape
    return Collapsed(math.prod(shape[:place]), shape[place], math.prod(shape[place + 1 :]))


def _classes(target: Any, like: DeviceArray) -> DeviceArray | None:
    """The class numbers as int64 where the scores lie; None for what are no class numbers."""
    if type(target) is not DeviceArray:
        return array(like.device, int(target)) if type(target) is int else None
    if target.dtype.kind not in "iu":
        return None
    return target if target.dtype == "int64" else astype(target, dtype="int64")


def _value(
    scores: DeviceArray,
    target: DeviceArray,
    at: Collapsed,
    *,
    softmax: bool,
    reduction: str,
    ignored: int,
    axis: int,
    flow: DeviceArray | None = None,
) -> Loss | None:
    """The loss, and the weights. The host waits once all is launched, for one number: how many targets are no class.

    flow: where short rows of logits leave what they receive of a cotangent of 1.
    """
    each = held_each(at.size, scores.dtype.itemsize) if softmax and at.inner == 1 else None
    tops = sums = None
    if softmax and each is None:
        found = exponential_sums(scores, at)
        if found is None:
            return None
        tops, sums = found
    numbers = (at.outer, at.inner)
    losses = empty(scores.device, numbers, scores.dtype)
    if each is not None and flow is not None:
        mean = reduction == "mean"
        launch_both(scores, target, at, ignored, losses, flow, each=each, mean=mean)
    elif each is not None:
        launch_rows(scores, target, at, ignored, losses, each=each)
    else:
        arguments = [
            scores.reshape(at).memory,
            (losses if tops is None else tops).reshape(numbers).memory,
            (losses if sums is None else sums).reshape(numbers).memory,
            target.reshape(numbers).memory,
            ignored,
            losses.memory,
        ]
        launch = Launch(min(-(-losses.size // 64), MOST), 64)
        scores.device.launch(PICK, scores.dtype, launch, arguments, {"softmax": softmax})
    out, weights, wrong = gathered_losses(
        losses, target, at.size, ignored, mean=reduction == "mean"
    )
    if wrong.item():
        class_numbers(target.numpy(), at.size, ignored)  # which says what is wrong
    if reduction == "none":
        place = axis % scores.ndim
        out = losses.reshape(scores.shape[:place] + scores.shape[place + 1 :])
    else:
        out = out.reshape(())
    return out, {"sample_weight": weights.reshape(kept_shape(scores.shape, axis))}


def _cross_entropy_value(
    logits: Any,
    target: Any,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
    ahead: bool = False,
) -> Loss | None:
    more = {"label_smoothing": label_smoothing} if label_smoothing else {}
    _check("cross_entropy", logits, target, weight, axis, reduction=reduction, **more)
    if label_smoothing:
        return None
    at = _at(logits, target, weight, axis)
    classes = None if at is None else _classes(target, logits)
    if at is None or classes is None:
        return None
    given: dict[str, Any] = {"reduction": reduction, "ignored": ignore_index, "axis": axis}
    flow = None
    if ahead and reduction != "none" and at.inner == 1 and held_each(at.size, logits.itemsize):
        flow = empty(logits.device, logits.shape, logits.dtype)
    found = _value(logits, classes, at, softmax=True, flow=flow, **given)
    if found is not None and flow is not None:
        params = {
            "reduction": reduction,
            "label_smoothing": label_smoothing,
            "ignore_index": ignore_index,
            "axis": axis,
        }
        leave(found[1]["sample_weight"], Ahead(logits, target, params, flow))
    return found


def _cross_entropy_ahead(wanted: Sequence[bool], *inputs: Any, **params: Any) -> Loss | None:
    return _cross_entropy_value(*inputs, **params, ahead=wanted[0] and not any(wanted[1:]))


def _nll_value(
    log_share: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int, axis: int
) -> Loss | None:
    _check("nll_loss", log_share, target, weight, axis, reduction=reduction)
    at = _at(log_share, target, weight, axis)
    classes = None if at is None else _classes(target, log_share)
    if at is None or classes is None:
        return None
    given: dict[str, Any] = {"reduction": reduction, "ignored": ignore_index, "axis": axis}
    return _value(log_share, classes, at, softmax=False, **given)


# ----- flows


def _pull(softmax: bool) -> Any:
    def pull(
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any] | None:
        scores, target, weight = inputs
        weights = saved["sample_weight"]
        if wanted[1] or wanted[2] or params.get("label_smoothing"):
            return None
        if not floats(scores, g, weights):
            return None
        if softmax and (ready := taken(weights, g, scores, target, params)) is not None:
            return [ready, None, None]
        at = _at(scores, target, weight, params["axis"])
        classes = None if at is None else _classes(target, scores)
        if at is None or classes is None:
            return None
        ignored = params["ignore_index"]
        flow = empty(scores.device, scores.shape, scores.dtype)
        each = held_each(at.size, scores.dtype.itemsize) if softmax and at.inner == 1 else None
        if each is not None:
            launch_rows(scores, classes, at, ignored, weights, each=each, g=g, flow=flow)
            return [flow, None, None]
        if not launch_flow(scores, classes, at, ignored, g, weights, flow, softmax=softmax):
            return None
        return [flow, None, None]

    return pull


CROSS_ENTROPY = Native(_cross_entropy_value, _pull(softmax=True), _cross_entropy_ahead)
NLL_LOSS = Native(_nll_value, _pull(softmax=False))
