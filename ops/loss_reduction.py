"""What a loss makes of the losses of single elements or samples: their mean, their sum, or nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.elementwise import astype
from ops.primitive import NUMBERS, Array
from ops.reduce import mean, sum
from ops.shape import shape_of
from ops.summing import add_reduce


def gathered(losses: Array, reduction: str, total: Any = None) -> Array:
    """What a loss returns of its single losses; their mean is the sum over `total`, by default their number.

    Raises `ValueError` for another reduction than none, mean and sum.
    """
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'none', 'mean' or 'sum', not {reduction!r}")
    whole = add_reduce(losses, axis=None)
    if reduction == "sum":
        return whole
    return whole / (np.size(losses) if total is None else total)


def gathered_parts(losses: Any, reduction: str) -> Any:
    """The same in primitives."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else sum(losses)


def shared(g: Any, reduction: str, count: int) -> Any:
    """What each single loss receives: its share of the cotangent of their mean, else the cotangent."""
    return g / (count or 1) if reduction == "mean" else g


def floating(target: Any, prediction: Any) -> Any:
    """A target of integers or booleans in the dtype of the prediction, so that float32 stays float32."""
    if getattr(target, "dtype", np.dtype(float)).kind == "f" or type(prediction) in NUMBERS:
        return target
    return astype(target, dtype=prediction.dtype.name)


def joint_shape(*inputs: Any) -> tuple[int, ...]:
    """The shape of values broadcast together; a Python number has shape ()."""
    return np.broadcast_shapes(*map(shape_of, inputs))


def joint_size(*inputs: Any) -> int:
    """The number of elements of values broadcast together."""
    return math.prod(joint_shape(*inputs))
