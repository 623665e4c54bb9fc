"""The windows family on a device: columns and back, pooling, and convolutions (`windows_convolution`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ops.averaging import stretches
from ops.cuda.native import Native
from ops.cuda.products.stacks import fit
from ops.cuda.windows.columns import planes, put, run, sides, steps, taken, two
from ops.cuda.windows.convolution import NATIVE as CONVOLUTIONS
from ops.cuda.windows.trials import (
    AVG_POOL,
    AVG_UNPOOL,
    KERNELS,
    MAX_POOL,
    MAX_SHARES,
    MAX_UNPOOL,
    STRETCH_MEANS,
    STRETCH_UNPOOL,
)
from ops.devices.arrays import empty
from ops.pooling import pool_windows
from ops.windows import Windows, per_axis, space_of, windows

__all__ = ["KERNELS", "NATIVE"]


# ----- columns and back


def unfold_value(x: Any, *, fill: float, **how: Any) -> Any:
    """The windows of x as columns."""
    if not fit(x) or x.ndim > 4:
        return None
    return taken(x, windows(space_of(x), **how), fill)


def fold_value(x: Any, *, output_size: Any, **how: Any) -> Any:
    """Columns put together; the host says what does not fit."""
    rank = len(output_size) if isinstance(output_size, tuple) else 1
    if not fit(x) or x.ndim != 3 or rank > 2:
        return None
    size = per_axis("output_size", output_size, rank, 0)
    at = windows(size, **how)
    places = math.prod(at.kernel)
    if x.shape[1] % places or x.shape[2] != math.prod(at.counts):
        return None
    return put(x, at, empty(x.device, (x.shape[0], x.shape[1] // places, *size), x.dtype))


# ----- max pooling


def _max_pool(rank: int) -> Native:
    def value(x: Any, **how: Any) -> Any:
        """The largest element of every window."""
        if not fit(x):
            return None
        at = pool_windows(space_of(x, rank), **how)
        out = empty(x.device, (*x.shape[:2], *at.counts), x.dtype)
        arguments = [planes(x), planes(out), *two(at.kernel, 1), *sides(at)]
        return run(MAX_POOL, out, arguments, {"steps": steps(at)})

    def pull(
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        params: Mapping[str, Any],
        saved: Mapping[str, Any],
    ) -> list[Any] | None:
        """The cotangent of each window shared by its largest elements."""
        (x,) = inputs
        if not fit(x, g, out):
            return None
        at = pool_windows(x.shape[2:], **params)
        where = (*two(at.kernel, 1), *sides(at))
        options = {"steps": steps(at)}
        shares, to_x = empty(x.device, g.shape, x.dtype), empty(x.device, x.shape, x.dtype)
        seen = planes(x), planes(out)
        run(MAX_SHARES, shares, [planes(g), seen[1], seen[0], planes(shares), *where], options)
        run(MAX_UNPOOL, to_x, [*seen, planes(shares), planes(to_x), *where], options)
        return [to_x]

    return Native(value, pull)


# ----- average pooling


def _avg_pool(rank: int) -> Native:
    def value(x: Any, *, count_include_pad: bool, **how: Any) -> Any:
        """The mean of every window."""
        if not fit(x):
            return None
        at = pool_windows(space_of(x, rank), **how)
        out = empty(x.device, (*x.shape[:2], *at.counts), x.dtype)
        arguments = [planes(x), planes(out), *two(at.kernel, 1), *sides(at)]
        return run(AVG_POOL, out, arguments, _averaging(at, count_include_pad))

    return Native(value)  # its rule is avg_unpool, the rule of that avg_pool


def avg_unpool_value(x: Any, *, output_size: Any, count_include_pad: bool, **how: Any) -> Any:
    """Every number divided among the elements of its window."""
    if not fit(x) or x.ndim != len(output_size) + 2 or x.ndim > 4:
        return None
    at = pool_windows(tuple(output_size), **how)
    if x.shape[2:] != at.counts:
        return None
    out = empty(x.device, (*x.shape[:2], *at.size), x.dtype)
    arguments = [planes(x), planes(out), *two(at.kernel, 1), *sides(at)]
    return run(AVG_UNPOOL, out, arguments, _averaging(at, count_include_pad))


def _averaging(at: Windows, include: bool) -> dict[str, Any]:
    return {"steps": steps(at), "include": bool(include)}


# ----- to a given size


def _adaptive(rank: int) -> Native:
    def value(x: Any, *, output_size: Any) -> Any:
        """The means over as many stretches as asked for."""
        if not fit(x):
            return None
        size = stretches(space_of(x, rank), output_size)
        out = empty(x.device, (*x.shape[:2], *size), x.dtype)
        return run(STRETCH_MEANS, out, [planes(x), planes(out)])

    return Native(value)


def adaptive_unpool_value(x: Any, *, output_size: Any) -> Any:
    """Every number divided among the elements of its stretch."""
    if not fit(x) or 0 in x.shape[2:] or x.ndim not in (3, 4) or len(output_size) != x.ndim - 2:
        return None
    out = empty(x.device, (*x.shape[:2], *output_size), x.dtype)
    return run(STRETCH_UNPOOL, out, [planes(x), planes(out)])


NATIVE: dict[str, Native] = {
    **CONVOLUTIONS,
    # their rules are each other
    "unfold": Native(unfold_value),
    "fold": Native(fold_value),
    "max_pool1d": _max_pool(1),
    "max_pool2d": _max_pool(2),
    "avg_pool1d": _avg_pool(1),
    "avg_pool2d": _avg_pool(2),
    "avg_unpool": Native(avg_unpool_value),
    "adaptive_avg_pool1d": _adaptive(1),
    "adaptive_avg_pool2d": _adaptive(2),
    "adaptive_avg_unpool": Native(adaptive_unpool_value),
}
