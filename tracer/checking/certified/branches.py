"""The pieces of every operation that has some: which formula holds at each element, or which elements it hands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ops.axes import merged, parted
from ops.smooth_rectifiers import SELU_ALPHA, SELU_SCALE

Array = Any
"""A numpy array or numpy scalar."""


# ----- elementwise: which formula holds, from the arguments recorded


def _rectified(
    below: Callable[..., Array], above: Callable[..., Array] = lambda x, *_, **__: x
) -> Callable[..., Callable[..., Array]]:
    """One formula where x > 0, and another elsewhere; each of the arguments and parameters."""

    def rule(x: Array, *rest: Array, **params: Any) -> Callable[..., Array]:
        on = np.asarray(x > 0)

        def held(*args: Array) -> Array:
            return np.where(on, above(*args, **params), below(*args, **params))

        return held

    return rule


def _between(x: Array, low: Array, high: Array) -> Callable[..., Array]:
    """min(max(x, low), high): one of the three."""
    inside, under = np.asarray(x >= low), np.asarray(np.maximum(x, low) <= high)
    return lambda x, low, high: np.where(under, np.where(inside, x, low), high)


def _bounded(low: float, high: float) -> Callable[[Array], Callable[..., Array]]:
    def rule(x: Array) -> Callable[..., Array]:
        held = _between(x, low, high)
        return lambda x: held(x, low, high)

    return rule


def _hard_sigmoid(x: Array) -> Callable[..., Array]:
    held = _between(x, -3.0, 3.0)
    return lambda x: (held(x, -3.0, 3.0) + 3) / 6


def _larger(x: Array, y: Array) -> Callable[..., Array]:
    first = np.asarray(x >= y)
    return lambda x, y: np.where(first, x, y)


def _smaller(x: Array, y: Array) -> Callable[..., Array]:
    first = np.asarray(x <= y)
    return lambda x, y: np.where(first, x, y)


ELEMENTWISE: Mapping[str, Callable[..., Callable[..., Array]]] = {
    "relu": _rectified(lambda x: 0.0),
    "abs": _rectified(lambda x: -x),
    "leaky_relu": _rectified(lambda x, *, negative_slope: x * negative_slope),
    "prelu": _rectified(lambda x, weight: x * weight),
    "elu": _rectified(lambda x, *, alpha: alpha * np.expm1(x)),
    "celu": _rectified(lambda x, *, alpha: alpha * np.expm1(x / alpha)),
    "selu": _rectified(lambda x: SELU_SCALE * SELU_ALPHA * np.expm1(x), lambda x: SELU_SCALE * x),
    "relu6": _bounded(0.0, 6.0),
    "hard_tanh": lambda x, *, low, high: _bounded(low, high)(x),
    "hard_sigmoid": _hard_sigmoid,
    "clip": _between,
    "maximum": _larger,
    "minimum": _smaller,
}
"""Arguments recorded, and parameters, to the formula of the piece on which each element lies."""

CONSTANT = frozenset(
    """
    sign det_sign floor ceil trunc round greater greater_equal less less_equal equal not_equal
    argmax argmin argsort
    """.split()
)
"""Operations whose pieces are constant."""


# ----- operations that give elements of what they get: which, by flat number


def _extreme(find: Callable[..., Array]) -> Callable[..., list[Array]]:
    def rule(x: Array, *, axis: Any, **_: Any) -> list[Array]:
        line, places = _lines(x, axis)
        return [_taken(places, find(line, axis=-1)[..., None])[..., 0]]

    return rule


def _lines(x: Array, axis: Any) -> tuple[Array, Array]:
    """The elements in lines along the last axis, and their flat numbers."""
    x = np.atleast_1d(x)
    return merged(x, axis), merged(np.arange(x.size).reshape(x.shape), axis)


def _taken(places: Array, order: Array) -> Array:
    return np.take_along_axis(places, order, axis=-1)


def _sorted(x: Array, *, axis: Any) -> list[Array]:
    line, places = _lines(x, axis)
    flat = _taken(places, np.argsort(line, axis=-1, kind="stable"))
    return [flat if axis is None else parted(flat, np.atleast_1d(x).shape, axis)]


def _median(x: Array, *, axis: Any, **_: Any) -> list[Array]:
    line, places = _lines(x, axis)
    order, size = np.argsort(line, axis=-1, kind="stable"), line.shape[-1]
    return [_taken(places, order[..., [k]])[..., 0] for k in ((size - 1) // 2, size // 2)]


def _maxout(x: Array, *, pieces: int, axis: int) -> list[Array]:
    places = np.moveaxis(np.arange(x.size).reshape(x.shape), axis, -1)
    groups = places.reshape(*places.shape[:-1], -1, pieces)
    best = np.argmax(x.reshape(-1)[groups], axis=-1)[..., None]
    return [np.moveaxis(_taken(groups, best)[..., 0], -1, axis)]


def _pooled(x: Array, **params: Any) -> list[Array]:
    from ops.pooling import pool_windows
    from ops.windows import unfold

    at = pool_windows(x.shape[2:], **params)
    places = np.arange(x.size, dtype=np.float64).reshape(x.shape)
    shape = (*x.shape[:2], -1, *at.counts)
    values, numbers = (
        np.moveaxis(unfold(each, fill=-np.inf, **at.params).reshape(shape), 2, -1)
        for each in (np.asarray(x, np.float64), places)
    )
    chosen = _taken(numbers, np.argmax(values, axis=-1)[..., None])[..., 0]
    return [chosen.astype(np.intp)]


GATHERED: Mapping[str, Callable[..., list[Array]]] = {
    "max": _extreme(np.argmax),
    "min": _extreme(np.argmin),
    "sort": _sorted,
    "median": _median,
    "maxout": _maxout,
    "max_pool1d": _pooled,
    "max_pool2d": _pooled,
}
"""The argument recorded, and parameters, to the flat numbers of the elements whose mean the value is."""

HELD = frozenset((*ELEMENTWISE, *CONSTANT, *GATHERED))
"""All operations that can be held."""
