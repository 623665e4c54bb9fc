"""Twins of the statistics, scans and orderings: element by element, with exact sums."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = Any


def per_line(x: Array, axis: Any, keepdims: bool, of_line: Callable[[list[Any]], Any]) -> Array:
    """A reduction, one line of plain numbers at a time."""
    x = np.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis).tolist()
    axes = [k % max(x.ndim, 1) for k in axes]
    kept = [k for k in range(x.ndim) if k not in axes]
    out = np.array(
        [
            of_line(
                x[tuple(place[kept.index(k)] if k in kept else slice(None) for k in range(x.ndim))]
                .ravel()
                .tolist()
            )
            for place in itertools.product(*(range(x.shape[k]) for k in kept))
        ]
    ).reshape([x.shape[k] for k in kept])
    return np.expand_dims(out, sorted(axes)) if keepdims and x.ndim else out


def along(x: Array, axis: Any, of_line: Callable[[list[Any]], list[Any]], dtype: Any) -> Array:
    """A change of each line along an axis; of all elements as one line without an axis."""
    x = np.asarray(x)
    if axis is None:
        x, axis = x.ravel(), 0
    out = np.empty(x.shape, dtype=dtype)
    rest = [range(n) for k, n in enumerate(x.shape) if k != axis % x.ndim]
    for place in itertools.product(*rest):
        where: list[Any] = list(place)
        where.insert(axis % x.ndim, slice(None))
        out[tuple(where)] = of_line(x[tuple(where)].tolist())
    return out


def variance(line: list[float], ddof: float) -> float:
    mean = math.fsum(line) / len(line)
    return math.fsum((x - mean) ** 2 for x in line) / (len(line) - ddof)


def length(line: list[float], ord: Any) -> float:
    sizes = [abs(x) for x in line]
    if ord in (math.inf, -math.inf):
        return max(sizes) if ord > 0 else min(sizes)
    p = 2 if ord is None else ord
    return float(math.fsum(x**p for x in sizes) ** (1 / p))


def log_sum_exp(line: list[float]) -> float:
    return float(np.logaddexp.reduce(line))


def middle(line: list[float]) -> float:
    line = sorted(line)
    return (line[(len(line) - 1) // 2] + line[len(line) // 2]) / 2


def place(extreme: Callable[..., Any]) -> Callable[[list[float]], int]:
    return lambda line: line.index(extreme(line))


def recurrence(values: Array, factors: Array, *, axis: int, reverse: bool) -> Array:
    """The solution of (1 − F) s = v, with the factors beside the diagonal."""
    v, f = np.moveaxis(values, axis, 0), np.moveaxis(factors, axis, 0)
    out = np.empty(v.shape)
    for rest in itertools.product(*map(range, v.shape[1:])):
        line = (slice(None), *rest)
        links = np.diag(f[line][1:], -1)[: len(v), : len(v)]
        out[line] = np.linalg.solve(np.eye(len(v)) - (links.T if reverse else links), v[line])
    return np.moveaxis(out, 0, axis)


TWINS: Mapping[str, Callable[..., Any]] = {
    "all": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, all).astype(bool),
    "any": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, any).astype(bool),
    "argmax": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, place(max)).astype(int),
    "argmin": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, place(min)).astype(int),
    "argsort": lambda x, *, axis: along(
        x, axis, lambda line: sorted(range(len(line)), key=line.__getitem__), int
    ),
    "cumprod": lambda x, *, axis: along(
        x, axis, lambda line: [math.prod(line[: k + 1]) for k in range(len(line))], float
    ),
    "cumsum": lambda x, *, axis: along(
        x, axis, lambda line: [math.fsum(line[: k + 1]) for k in range(len(line))], float
    ),
    "linear_recurrence": recurrence,
    "logsumexp": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, log_sum_exp),
    "median": lambda x, *, axis, keepdims: per_line(x, axis, keepdims, middle),
    "norm": lambda x, *, ord, axis, keepdims: per_line(
        x, axis, keepdims, lambda line: length(line, ord)
    ),
    "prod": lambda x, *, axis, keepdims: per_line(
        x, axis, keepdims, lambda line: float(math.prod(line))
    ),
    "sort": lambda x, *, axis: along(x, axis, sorted, float),
    "std": lambda x, *, axis, ddof, keepdims: per_line(
        x, axis, keepdims, lambda line: math.sqrt(variance(line, ddof))
    ),
    "var": lambda x, *, axis, ddof, keepdims: per_line(
        x, axis, keepdims, lambda line: variance(line, ddof)
    ),
}
