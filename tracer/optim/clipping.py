"""Gradients cut to size before a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ops.primitive import Array
from tracer.optim.optimizer import several
from tracer.parameters import Parameter
from tracer.values import read_only


def clip_grad_norm(
    parameters: Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    *,
    error_if_nonfinite: bool = False,
) -> float:
    """Shrink all gradients by one factor, so that their norm, all together, is at most max_norm. Returns it as it was.

    factor = min(1, max_norm/(norm + 1e-6)), as PyTorch's `clip_grad_norm_`. Parameters without a gradient are left
    alone; a trace keeps the gradients that it was taken with. norm_type: 2, any other exponent, or inf for the largest.
    Raises `ValueError` for a norm of NaN or inf if error_if_nonfinite; else such gradients become NaN or 0.

    >>> import tracer as tr
    >>> w = tr.parameter([3.0, 4.0])
    >>> tr.sum(w * w).backward()
    >>> clip_grad_norm([w], 1.0), w.grad.round(4)
    (10.0, array([0.6, 0.8]))
    """
    found = [(one, one.grad) for one in several(parameters)]
    reached = [(one, gradient) for one, gradient in found if gradient is not None]
    with np.errstate(all="ignore"):
        norms = [_norm(gradient, norm_type) for _, gradient in reached]
        total = _norm(np.array(norms), norm_type) if norms else 0.0
        if error_if_nonfinite and not math.isfinite(total):
            raise ValueError(
                f"clip_grad_norm: the norm of the gradients is {total}\n"
                f"  try: a smaller learning rate, or tr.trace(loss).debug() to see where it began"
            )
        factor = max_norm / (total + 1e-6)
        if not factor >= 1:  # also for NaN
            for one, gradient in reached:
                one.grad = read_only(gradient * factor)
    return total


def clip_grad_value(parameters: Iterable[Parameter], clip_value: float) -> None:
    """Cut every element of every gradient to between −clip_value and clip_value, as PyTorch's `clip_grad_value_`."""
    for one in several(parameters):
        if (gradient := one.grad) is not None:
            one.grad = read_only(gradient.clip(-clip_value, clip_value))


def _norm(values: Array, norm_type: float) -> float:
    # these lines compute on a device too, and only the norm crosses over
    flat = abs(values).reshape(-1)
    if norm_type == math.inf:
        return float(flat.max()) if flat.size else 0.0
    if norm_type == 2:
        return math.sqrt(float(flat @ flat))
    return float((flat**norm_type).sum() ** (1 / norm_type))
