"""Running sums, running products and linear recurrences: a thread to a line, in the order in which numpy goes.

So sums and products are numpy's to the last bit. Lines side by side are read coalesced. A few long lines would keep a
few threads busy and the others not: sums are cut in parts (`long_scans`), and within 4 ulps of the largest; products
and recurrences of very long lines are left to the host.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ops.axes import axis_of
from ops.cuda.kernel import Kernel, Launch, Trial
from ops.cuda.native import Native
from ops.cuda.reductions.launching import MOST, Collapsed
from ops.cuda.reductions.long_scans import FEW, is_long, long_running_sums
from ops.devices.arrays import DeviceArray, empty

Array = Any

VERY_LONG = 1 << 14
"""From how many elements on a line is left to the host, if there are few lines and they are not cut."""


def build_scan(
    cuda: Any, math: Any, T: Any, threads: int, *, operation: str = "add", reverse: bool = False
) -> Any:
    """out: the running sum down the columns of values, their running product, or vᵢ + fᵢ outᵢ₋₁; or all in `reverse`.

    values, out: (outer, size, inner), and of that shape the factors of a recurrence, which others do not read. In
    reverse a recurrence is outᵢ = vᵢ + fᵢ₊₁ outᵢ₊₁.
    """
    zero = T(0)
    multiplies, recurs = operation == "multiply", operation == "recur"

    def kernel(values: Array, factors: Array, out: Array) -> None:
        size, inner = values.shape[1], values.shape[2]
        for line in range(cuda.grid(1), values.shape[0] * inner, cuda.gridsize(1)):
            o = line // inner
            c = line % inner
            state = zero
            factor = zero
            for i in range(size):
                place = size - 1 - i if reverse else i
                v = values[o, place, c]
                if recurs:
                    if not reverse:
                        factor = factors[o, place, c]
                    state = v if i == 0 else v + factor * state
                    if reverse:
                        factor = factors[o, place, c]
                elif multiplies:
                    state = v if i == 0 else state * v
                else:
                    state = v if i == 0 else state + v
                out[o, place, c] = state

    return kernel


def _trials(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    for shape, operation, reverse in (
        ((1, 1, 1), "add", False),
        ((2, 0, 3), "add", True),
        ((3, 31, 1), "multiply", False),
        ((1, 9, 33), "add", True),
        ((2, 7, 3), "recur", False),
        ((2, 8, 2), "recur", True),
    ):
        values = (1 + rng.normal(size=shape) / 4).astype(T)
        factors = rng.normal(size=shape).astype(T)
        wide, by = values.astype(np.float64), factors.astype(np.float64)
        if reverse:
            wide, by = wide[:, ::-1], np.roll(by[:, ::-1], 1, axis=1)
        expected = np.multiply.accumulate(wide, 1)
        if operation != "multiply":
            expected = np.zeros(shape)
            state = 0.0 * wide.sum(axis=1)
            for i in range(shape[1]):
                rate = by[:, i] if operation == "recur" and i else 1.0
                state = wide[:, i] + rate * state
                expected[:, i] = state
        if reverse:
            expected = expected[:, ::-1]
        options = {"operation": operation, "reverse": reverse}
        arguments = (values, factors, np.full(shape, np.nan, T))
        yield Trial(arguments, {2: expected}, options, f"{operation} {shape}")


SCAN = Kernel(
    "scan",
    "reductions",
    build_scan,
    "T[:,:,:] T[:,:,:] T[:,:,:]",
    _trials,
    16,
    options={"operation": "add", "reverse": False},
    doc="Running sums and products, and linear recurrences: a thread to each line.",
)


def _at(x: Any, axis: int | None) -> Collapsed | None:
    """The shape around an axis; None for what numpy shall do, or say."""
    if type(x) is not DeviceArray or x.dtype.char not in "fd":
        return None
    shape = (x.size,) if axis is None else x.shape
    try:
        place = axis_of(0 if axis is None else axis, len(shape))
    except (ValueError, TypeError):
        return None
    return Collapsed(math.prod(shape[:place]), shape[place], math.prod(shape[place + 1 :]))


def _scan(
    x: DeviceArray, at: Collapsed, factors: DeviceArray, *, operation: str, reverse: bool
) -> DeviceArray | None:
    """The lines of x scanned, of the shape `at`; None for what is left to the host."""
    if operation == "add" and x.size and is_long(at):
        return long_running_sums(x, at, reverse=reverse)
    if at.size >= VERY_LONG and at.outer * at.inner < FEW:
        return None
    out = empty(x.device, tuple(at), x.dtype)
    if not out.size:
        return out
    arguments = [x.reshape(at).memory, factors.reshape(at).memory, out.memory]
    launch = Launch(min(-(-at.outer * at.inner // 64), MOST), 64)
    options = {"operation": operation, "reverse": reverse}
    x.device.launch(SCAN, x.dtype, launch, arguments, options)
    return out


def _running(operation: str) -> Any:
    def value(x: Any, *, axis: int | None) -> Any:
        at = _at(x, axis)
        out = None if at is None else _scan(x, at, x, operation=operation, reverse=False)
        if out is None:
            return None
        return out.reshape(x.size) if axis is None else out.reshape(x.shape)

    return value


def _cumsum_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any] | None:
    (x,) = inputs
    at = _at(x, params["axis"])
    if at is None or g.dtype != x.dtype:
        return None
    flow = _scan(g, at, g, operation="add", reverse=True)
    return None if flow is None else [flow.reshape(x.shape)]


def _recurrence(values: Any, factors: Any, *, axis: int, reverse: bool) -> Any:
    at = _at(values, axis)
    if at is None or _at(factors, axis) != at or factors.dtype != values.dtype:
        return None
    out = _scan(values, at, factors, operation="recur", reverse=reverse)
    return None if out is None else out.reshape(values.shape)


NATIVE: dict[str, Native] = {
    "cumsum": Native(_running("add"), _cumsum_pull),
    "cumprod": Native(_running("multiply")),
    "linear_recurrence": Native(_recurrence),
}
