"""Sums, means, extremes, products, variances and norms over any axes, and the places of extremes.

What they send back is one pass over memory where the rule would need several: a share of the cotangent, of ties or
not, or the deviations from a mean. What has no entry here, or answers None, goes by its parts or its rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ops.cuda.kernel import Kernel
from ops.cuda.native import Native
from ops.cuda.reductions.launching import (
    Collapsed,
    passes,
    places,
    reduced,
    reduced_shape,
    spread_over,
)
from ops.cuda.reductions.long_scans import RUNNING_ROWS
from ops.cuda.reductions.scans import NATIVE as SCANS
from ops.cuda.reductions.scans import SCAN
from ops.cuda.reductions.summary_tables import ENTRIES as SUMMARIES
from ops.cuda.reductions.tables import ENTRIES
from ops.devices.arrays import DeviceArray
from ops.elementwise import abs as magnitude
from ops.elementwise import astype, equal, not_equal, sqrt, where
from ops.reduce import Axis
from ops.statistics import freedom

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (*ENTRIES, SCAN, RUNNING_ROWS, *SUMMARIES)
}

Flows = list[Any] | None


def floats(*arrays: Any) -> bool:
    """Whether all are device arrays of one of the two dtypes of floats that kernels are built for.

    >>> floats(1.0)
    False
    """
    return all(
        type(x) is DeviceArray and x.dtype.char in "fd" and x.dtype == arrays[0].dtype
        for x in arrays
    )


def _numbers(x: Any) -> DeviceArray | None:
    """What kernels add up: floats and int64 as they are, truths as int64; None for others."""
    if type(x) is not DeviceArray:
        return None
    if x.dtype.kind == "b":
        x = astype(x, dtype="int64")
    return x if x.dtype.char in "fd" or x.dtype == "int64" else None


def _elements(over: Sequence[Collapsed]) -> int:
    """Of how many elements each number is made."""
    return math.prod(each.size for each in over)


# ----- sums, products, extremes


def _total(operation: str, x: Any, axis: Axis, keepdims: bool) -> Any:
    numbers = _numbers(x)
    over = None if numbers is None else passes(numbers.shape, axis)
    if numbers is None or over is None:
        return None
    return reduced(numbers, over, operation).reshape(reduced_shape(x.shape, axis, keepdims))


def sum_value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The sum over axes."""
    return _total("add", x, axis, keepdims)


def prod_value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The product over axes."""
    return _total("multiply", x, axis, keepdims)


def mean_value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The mean over axes: their sum, divided once at the end."""
    over = passes(x.shape, axis) if floats(x) else None
    if over is None or not _elements(over):
        return None
    whole = reduced(x, over, "add", count=float(_elements(over)))
    return whole.reshape(reduced_shape(x.shape, axis, keepdims))


def _extreme(operation: str) -> Native:
    mapping = "not smaller" if operation == "largest" else "not larger"

    def value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
        if type(x) is not DeviceArray or x.dtype.kind == "b" or not x.size:
            return None
        return _total(operation, x, axis, keepdims)

    def pull(
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> Flows:
        (x,) = inputs
        over = _over(x, params["axis"]) if floats(g, out, x) else None
        if over is None:
            return None
        ties = reduced(x, over, "add", mapping=mapping, level=out)
        share = g.reshape(-1) / ties
        return [spread_over(over, mapping, share, out, x).reshape(x.shape)]

    return Native(value, pull)


def _over(x: DeviceArray, axis: Axis) -> list[Collapsed] | None:
    """The passes of a reduction of an array that has elements."""
    return passes(x.shape, axis) if x.size else None


def _sum_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    (x,) = inputs
    over = _over(x, params["axis"]) if floats(g, x) else None
    return None if over is None else [spread_over(over, "share", g).reshape(x.shape)]


def _mean_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    (x,) = inputs
    over = _over(x, params["axis"]) if floats(g, x) else None
    return (
        None if over is None else [spread_over(over, "share", g / _elements(over)).reshape(x.shape)]
    )


def sum_to_value(x: Any, *, shape: Sequence[int]) -> Any:
    """The sum over the axes that broadcasting from `shape` would have added or stretched."""
    numbers = _numbers(x)
    if numbers is None:
        return None
    added = len(x.shape) - len(shape)
    stretched = [k for k, size in enumerate(shape, added) if k >= 0 and size != x.shape[k]]
    if added < 0 or any(shape[k - added] != 1 for k in stretched):
        return None
    over = passes(x.shape, (*range(added), *stretched))
    return None if over is None else reduced(numbers, over, "add").reshape(tuple(shape))


# ----- truths


def _truth(every: bool) -> Native:
    def value(x: Any, *, axis: Axis, keepdims: bool) -> Any:
        if type(x) is not DeviceArray:
            return None
        true = sum_value(
            x if x.dtype.kind == "b" else not_equal(x, 0), axis=axis, keepdims=keepdims
        )
        if true is None:
            return None
        over = passes(x.shape, axis)
        return equal(true, _elements(over)) if every and over else not_equal(true, 0)

    return Native(value)


# ----- places


def _place(larger: bool) -> Native:
    def value(x: Any, *, axis: int | None, keepdims: bool) -> Any:
        if not (floats(x) or (type(x) is DeviceArray and x.dtype == "int64")) or not x.size:
            return None
        over = passes(x.shape, axis)
        if over is None or not (axis is None or isinstance(axis, int)):
            return None
        return places(x, over[0], larger=larger).reshape(reduced_shape(x.shape, axis, keepdims))

    return Native(value)


# ----- variance and standard deviation


def var_value(x: Any, *, axis: Axis, ddof: float, keepdims: bool) -> Any:
    """The variance in two passes, and the mean: what is squared is the distance from it, so nothing cancels."""
    over = _over(x, axis) if floats(x) else None
    if over is None:
        return None
    mean = reduced(x, over, "add", count=float(_elements(over)))
    out_shape = reduced_shape(x.shape, axis, keepdims)
    free = freedom(x, mean, ddof)
    out = reduced(x, over, "add", mapping="deviation", level=mean, count=float(free))
    return out.reshape(out_shape), {"mean": mean.reshape(reduced_shape(x.shape, axis, True))}


def std_value(x: Any, *, axis: Axis, ddof: float, keepdims: bool) -> Any:
    """The square root of the variance, and the mean."""
    found = var_value(x, axis=axis, ddof=ddof, keepdims=keepdims)
    return None if found is None else (sqrt(found[0]), found[1])


def _var_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    (x,) = inputs
    over = _over(x, params["axis"]) if floats(g, out, x) else None
    if over is None:
        return None
    slope = g * (2 / freedom(x, out, params["ddof"]))
    return [spread_over(over, "deviation", slope, saved["mean"], x).reshape(x.shape)]


def _std_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    (x,) = inputs
    over = _over(x, params["axis"]) if floats(g, out, x) else None
    if over is None:
        return None
    slope = g / (where(out == 0, 1, out) * freedom(x, out, params["ddof"]))
    return [spread_over(over, "deviation", slope, saved["mean"], x).reshape(x.shape)]


# ----- norms


def norm_value(x: Any, *, ord: float | str | None, axis: Axis, keepdims: bool) -> Any:
    """The length of vectors along axes: of squares, of magnitudes, their extremes, or powers of them."""
    over = passes(x.shape, axis) if floats(x) else None
    if over is None or not x.size:
        return None
    axes = x.ndim if axis is None else len(axis) if isinstance(axis, tuple) else 1
    shape = reduced_shape(x.shape, axis, keepdims)
    if ord is None or (ord == 2 and axes < 2) or (ord == "fro" and axes == 2):
        return sqrt(reduced(x, over, "add", mapping="square")).reshape(shape)
    if not isinstance(ord, (int, float)) or ord == 0 or ord != ord or axes > 1:
        return None  # numpy's kernel says what is wrong with it
    if abs(ord) == math.inf:
        operation = "largest" if ord > 0 else "smallest"
        return reduced(x, over, operation, mapping="magnitude").reshape(shape)
    if ord == 1:
        return reduced(x, over, "add", mapping="magnitude").reshape(shape)
    p = float(ord)
    return (reduced(magnitude(x) ** p, over, "add") ** (1 / p)).reshape(shape)


def _norm_pull(
    g: Any,
    out: Any,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> Flows:
    (x,) = inputs
    over = _over(x, params["axis"]) if floats(g, out, x) else None
    if over is None or params["ord"] not in (None, 2, "fro"):
        return None
    return [spread_over(over, "scaled", g / where(out == 0, 1, out), x=x).reshape(x.shape)]


NATIVE: dict[str, Native] = {
    "sum": Native(sum_value, _sum_pull),
    "mean": Native(mean_value, _mean_pull),
    "prod": Native(prod_value),
    "max": _extreme("largest"),
    "min": _extreme("smallest"),
    "sum_to": Native(sum_to_value),
    "any": _truth(every=False),
    "all": _truth(every=True),
    "argmax": _place(larger=True),
    "argmin": _place(larger=False),
    "var": Native(var_value, _var_pull),
    "std": Native(std_value, _std_pull),
    "norm": Native(norm_value, _norm_pull),
    **SCANS,
}
