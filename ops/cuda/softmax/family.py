"""Softmax, its logarithm and log-sum-exp along any axis: short rows in registers, long rows and columns in two passes.

What softmax of columns sends back is left to the rule, which is made of sums and products. A few very long rows go by
their parts and by the rule, whose sums are split over the whole GPU.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.cuda.kernel import Kernel, Launch
from ops.cuda.native import Native
from ops.cuda.reductions.family import floats
from ops.cuda.reductions.launching import MOST, passes, reduced_shape, spread_back
from ops.cuda.softmax.launching import LONG, exponential_sums, held_each, row_launch, single_axis
from ops.cuda.softmax.loss_tables import ENTRIES as LOSSES
from ops.cuda.softmax.losses import CROSS_ENTROPY, NLL_LOSS
from ops.cuda.softmax.tables import ENTRIES, LONG_SOFTMAX_FLOW, SOFTMAX, SOFTMAX_FLOW
from ops.devices.arrays import array, empty
from ops.elementwise import where
from ops.reduce import Axis

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (*ENTRIES, *LOSSES)}

# ----- softmax and its logarithm


def _softmax(logarithm: bool) -> Native:
    how = "log-softmax" if logarithm else "softmax"

    def value(x: Any, *, axis: int) -> Any:
        at = single_axis(x, axis)
        if at is None:
            return None
        each = held_each(at.size, x.dtype.itemsize)
        if at.inner > 1 or each is None:
            found = exponential_sums(x, at)
            if found is None:
                return None
            return spread_back(at, how, found[1], found[0], x).reshape(x.shape)
        out = empty(x.device, x.shape, x.dtype)
        if out.size:
            rows = (at.outer, at.size)
            arguments = [x.reshape(rows).memory, out.reshape(rows).memory]
            options = {"each": each, "logarithm": logarithm}
            x.device.launch(SOFTMAX, x.dtype, row_launch(at.outer), arguments, options)
        return out

    def pull(
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any] | None:
        at = single_axis(out, params["axis"]) if floats(g, out, *inputs) else None
        if at is None or at.inner > 1 or (at.size >= LONG and at.outer < 64):
            return None
        each = held_each(at.size, 2 * out.dtype.itemsize)
        flow = empty(out.device, out.shape, out.dtype)
        if flow.size:
            rows = (at.outer, at.size)
            arguments = [a.reshape(rows).memory for a in (g, out, flow)]
            if each is None:
                kernel, launch = LONG_SOFTMAX_FLOW, Launch(min(at.outer, MOST), 256)
                options = {"lanes": 256, "logarithm": logarithm}
            else:
                kernel, launch = SOFTMAX_FLOW, row_launch(at.outer)
                options = {"each": each, "logarithm": logarithm}
            out.device.launch(kernel, out.dtype, launch, arguments, options)
        return [flow]

    return Native(value, pull)


# ----- log-sum-exp


def logsumexp_value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """log Σ exp x over an axis, of one reading of x."""
    at = single_axis(x, axis)
    if at is None:
        return _of_nothing(x, axis, keepdims)
    found = exponential_sums(x, at, logarithm=True)
    return None if found is None else found[1].reshape(reduced_shape(x.shape, axis, keepdims))


def _of_nothing(x: Any, axis: Axis, keepdims: bool) -> Any:
    """log of an empty sum, −inf, of an axis without elements; None of any other."""
    if not floats(x) or all(at.size for at in passes(x.shape, axis) or ()):
        return None
    shape = reduced_shape(x.shape, axis, keepdims)
    return array(x.device, np.full(shape, -math.inf, x.dtype))


def _logsumexp_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    (x,) = inputs
    at = single_axis(x, params["axis"]) if floats(g, out, x) else None
    if at is None:
        return None
    level = where(out > -math.inf, out, 0)
    return [spread_back(at, "exponential", g, level, x).reshape(x.shape)]


NATIVE: dict[str, Native] = {
    "softmax": _softmax(logarithm=False),
    "log_softmax": _softmax(logarithm=True),
    "logsumexp": Native(logsumexp_value, _logsumexp_pull),
    "cross_entropy": CROSS_ENTROPY,
    "nll_loss": NLL_LOSS,
}
