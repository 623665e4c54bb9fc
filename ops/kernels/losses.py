"""Softmax cross-entropy of class numbers in one kernel each way, the exponentials in vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.class_targets import is_one
from ops.kernels.acceleration import Acceleration
from ops.kernels.exponential import exp
from ops.kernels.rows import LANES, contracted, row_max, row_sum, workspace
from ops.losses import class_numbers
from ops.primitive import Array

BLOCK = 4096
"""How many elements are shifted, then raised, then summed, while they lie in the nearest cache."""


FAR = 1e280
"""A product of sums above this is turned into its logarithm; no sum is larger than 1e20."""


@contracted
def _raise_rows(
    x: Array, low: int, high: int, flat: Array, tops: Array, wholes: Array, lanes: Array
) -> None:
    """flat: overwritten by exp(x − its largest), row after row, of the rows low to high of x (N, classes).

    tops, wholes: (rows,), overwritten by the largest of each row of x, and by the sum of that row of flat.
    """
    classes = x.shape[1]
    count = (high - low) * classes
    if classes < LANES:  # too few for vectors: a view of a row would cost more than its elements
        for i in range(high - low):
            top = x[low + i, 0]
            for c in range(1, classes):
                top = x[low + i, c] if x[low + i, c] > top else top
            tops[i] = top
            for c in range(classes):
                flat[i * classes + c] = x[low + i, c] - top
        for k in range(count):
            flat[k] = exp(flat[k])
        for i in range(high - low):
            whole = flat[i * classes]
            for c in range(1, classes):
                whole += flat[i * classes + c]
            wholes[i] = whole
        return
    for i in range(high - low):
        p, q = x[low + i], flat[i * classes : (i + 1) * classes]
        top = row_max(p, lanes)
        tops[i] = top
        for c in range(classes):
            q[c] = exp(p[c] - top)
        wholes[i] = row_sum(q, lanes)


@contracted
def class_forward(x: Array, target: Array, ignored: int, mean: bool, weights: Array) -> Any:
    """The sum or mean of −log softmax at the target class; −1 if a class is not there, for no loss is below 0.

    x: (N, classes). target: int (N,). weights: (N,), overwritten by what each sample weighs.
    """
    rows, classes = x.shape
    number = x.dtype.type
    block = min(rows, max(1, BLOCK // classes))
    work = workspace(4, max(block * classes, LANES), x)
    flat, tops, wholes, lanes = work[0], work[1], work[2], work[3]
    total, product, counted = 0.0, 1.0, 0
    for low in range(0, rows, block):
        high = min(rows, low + block)
        _raise_rows(x, low, high, flat, tops, wholes, lanes)
        for i in range(high - low):
            c = target[low + i]
            if c == ignored:
                weights[low + i] = 0
                continue
            if c < 0 or c >= classes:
                return -1.0
            weights[low + i] = 1
            total -= x[low + i, c] - tops[i]
            product *= wholes[i]  # the logarithm of many at once: each is between 1 and classes
            if product > FAR:
                total += np.log(product)
                product = 1.0
            counted += 1
    total += np.log(product)
    if mean:
        total /= counted
        share = number(1) / number(counted)
        for i in range(rows):
            weights[i] *= share
    return total


@contracted
def class_backward(x: Array, target: Array, weights: Array, g: Any, by_x: Array) -> None:
    """(softmax − onehot) g weight. x, by_x: (N, classes). target: int (N,). weights: (N,). Overwrites by_x."""
    rows, classes = x.shape
    block = min(rows, max(1, BLOCK // classes))
    work = workspace(3, max(block * classes, LANES), x)
    tops, wholes, lanes = work[0], work[1], work[2]
    flows = by_x.reshape(rows * classes)
    for low in range(0, rows, block):
        high = min(rows, low + block)
        part = flows[low * classes : high * classes]
        _raise_rows(x, low, high, part, tops, wholes, lanes)
        for i in range(high - low):
            weight = weights[low + i] * g
            share = weight / wholes[i]
            for c in range(classes):
                by_x[low + i, c] *= share
            picked = target[low + i]
            if 0 <= picked < classes:
                by_x[low + i, picked] -= weight


def _fits(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    """Class numbers on the last axis, every class of the same weight, one number as the result."""
    logits, target, weight = inputs
    return (
        type(target) is np.ndarray
        and type(logits) is np.ndarray
        and logits.dtype.char in "fd"
        and target.dtype.char in "ilq"
        and target.shape == logits.shape[:-1]
        and is_one(weight)
        and params["reduction"] != "none"
        and not params["label_smoothing"]
        and params["axis"] in (-1, logits.ndim - 1)
        and logits.flags.c_contiguous
        and target.flags.c_contiguous
        and logits.size > 0
    )


def _kernel(
    logits: Array,
    target: Array,
    weight: Any,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int,
    axis: int,
) -> tuple[Array, dict[str, Array]]:
    weights = np.empty((*target.shape, 1), logits.dtype)
    rows = logits if logits.ndim == 2 else logits.reshape(-1, logits.shape[-1])
    mean = reduction == "mean"
    total = class_forward(rows, target.reshape(-1), ignore_index, mean, weights.reshape(-1))
    if total == -1:
        class_numbers(target, logits.shape[-1], ignore_index)  # which says what is wrong
    weights.setflags(write=False)  # as what is read from a file: Numba compiles for either
    return logits.dtype.type(total), {"sample_weight": weights}


def _pull(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Array],
) -> list[Any]:
    logits, target, _ = inputs
    by_logits = np.empty_like(logits)
    last = logits.shape[-1]
    rows, flows = logits, by_logits
    if logits.ndim != 2:
        rows, flows = logits.reshape(-1, last), by_logits.reshape(-1, last)
    weights = saved["sample_weight"].reshape(-1)
    class_backward(rows, target.reshape(-1), weights, logits.dtype.type(g), flows)
    return [by_logits, None, None]


ACCELERATIONS = {"cross_entropy": Acceleration(_fits, _kernel, _pull, ulps=16)}
"""Primitives that have kernels here."""
