"""Twins of the operations that `ops` imports at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ops.shape import Slot

Array = Any


def positions(shape: tuple[int, ...], index: tuple[Any, ...], indices: tuple[Any, ...]) -> Array:
    """The flat positions that an index picks from an array of a shape."""
    filled = [indices[part.number] if isinstance(part, Slot) else part for part in index]
    return np.arange(math.prod(shape)).reshape(shape)[tuple(filled)]


def getitem(x: Array, *indices: Array, index: tuple[Any, ...]) -> Array:
    picked = positions(np.shape(x), index, indices)
    return np.ravel(x)[picked]


def scatter_add(
    values: Array, *indices: Array, index: tuple[Any, ...], shape: tuple[int, ...]
) -> Array:
    where = positions(shape, index, indices)
    weights = np.broadcast_to(values, where.shape).ravel()
    return np.bincount(where.ravel(), weights, minlength=math.prod(shape)).reshape(shape)


def sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    total = np.zeros(shape)
    view = np.arange(total.size).reshape(shape)
    target = np.broadcast_to(view, np.shape(x)).ravel()
    for k, value in zip(target, np.ravel(x), strict=True):
        total.reshape(-1)[k] += value
    return total


def sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -np.asarray(x)))


def softmax(x: Array, *, axis: int = -1) -> Array:
    return np.exp(log_softmax(x, axis=axis))


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    rows = np.moveaxis(x, axis, -1)
    apart = rows[..., :, None] - rows[..., None, :]  # xᵢ − xⱼ, so that nothing large cancels
    return np.moveaxis(-np.logaddexp.reduce(-apart, axis=-1), -1, axis)


def one_hot(x: Array, *, classes: int, axis: int, ignore_index: int) -> Array:
    names = [[k == each and k != ignore_index for k in range(classes)] for each in np.ravel(x)]
    picked = np.reshape(np.array(names, dtype=bool), (*np.shape(x), classes))
    return np.moveaxis(picked, -1, axis)


TWINS: Mapping[str, Callable[..., Any]] = {
    "abs": np.fabs,
    "add": np.add,
    "astype": lambda x, *, dtype: np.asarray(x, dtype=dtype),
    "broadcast_to": lambda x, *, shape: x * np.ones(shape),
    "concatenate": lambda *arrays, axis: np.concatenate(arrays, axis),
    "detach": np.copy,
    "div": np.divide,
    "to": lambda x, *, device, source: np.copy(x),
    "equal": np.equal,
    "exp": np.exp,
    "getitem": getitem,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "log": np.log,
    "log1p": np.log1p,
    "log_softmax": log_softmax,
    "matmul": np.matmul,
    "max": lambda x, *, axis, keepdims: np.max(x, axis, keepdims=keepdims),
    "maximum": lambda x, y: np.where(np.greater(x, y), x, y),
    "mean": lambda x, *, axis, keepdims: np.mean(x, axis, keepdims=keepdims),
    "min": lambda x, *, axis, keepdims: np.min(x, axis, keepdims=keepdims),
    "minimum": lambda x, y: np.where(np.less(x, y), x, y),
    "mul": np.multiply,
    "neg": lambda x: 0 - x,
    "not_equal": np.not_equal,
    "one_hot": one_hot,
    "pow": np.power,
    "relu": lambda x: np.where(np.greater(x, 0), x, 0 * x),
    "reshape": lambda x, *, shape: np.asarray(x).reshape(shape),
    "scatter_add": scatter_add,
    "sigmoid": sigmoid,
    "sign": lambda x: np.greater(x, 0) * 1.0 - np.less(x, 0),
    "softmax": softmax,
    "sqrt": lambda x: np.power(x, 0.5),
    "square": lambda x: np.power(x, 2),
    "stack": lambda *arrays, axis: np.stack(arrays, axis),
    "sub": np.subtract,
    "sum": lambda x, *, axis, keepdims: np.sum(x, axis, keepdims=keepdims),
    "sum_to": sum_to,
    "tanh": np.tanh,
    "transpose": lambda x, *, axes: np.transpose(x, axes),
    "where": np.where,
}
