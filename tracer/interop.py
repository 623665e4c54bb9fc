"""numpy's functions on Tensors: `np.exp(t)` and `np.concatenate([t, u])` call our primitives."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

import ops
from ops.primitive import Primitive
from tracer.errors import GradientError, UnknownNameError
from tracer.tensors import Operators

UFUNCS: Mapping[Any, Any] = {
    np.add: ops.add,
    np.subtract: ops.sub,
    np.multiply: ops.mul,
    np.divide: ops.div,
    np.negative: ops.neg,
    np.power: ops.pow,
    np.float_power: ops.pow,
    np.square: ops.square,
    np.sqrt: ops.sqrt,
    np.exp: ops.exp,
    np.log: ops.log,
    np.log1p: ops.log1p,
    np.absolute: ops.abs,
    np.fabs: ops.abs,
    np.sign: ops.sign,
    np.tanh: ops.tanh,
    np.maximum: ops.maximum,
    np.minimum: ops.minimum,
    np.matmul: ops.matmul,
    np.greater: ops.greater,
    np.greater_equal: ops.greater_equal,
    np.less: ops.less,
    np.less_equal: ops.less_equal,
    np.equal: ops.equal,
    np.not_equal: ops.not_equal,
}

FUNCTIONS: Mapping[Any, Primitive] = {
    np.sum: ops.sum,
    np.mean: ops.mean,
    np.max: ops.max,
    np.amax: ops.max,
    np.min: ops.min,
    np.amin: ops.min,
    np.where: ops.where,
    np.reshape: ops.reshape,
    np.transpose: ops.transpose,
    np.broadcast_to: ops.broadcast_to,
    np.concatenate: ops.concatenate,
    np.stack: ops.stack,
}

LOOKS: frozenset[Any] = frozenset(
    {
        np.shape,
        np.ndim,
        np.size,
        np.allclose,
        np.isclose,
        np.array_equal,
        np.array2string,
        np.array_repr,
    }
    | {np.array_str, np.may_share_memory, np.shares_memory, np.result_type, np.argmax, np.argmin}
)
"""Functions that only look at the value: they get it, and nothing is recorded."""

LOOKING_UFUNCS: frozenset[Any] = frozenset({np.isnan, np.isinf, np.isfinite, np.signbit})


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call of a ufunc with a Tensor among its inputs."""
    if kwargs.pop("out", None) is not None:
        raise GradientError(
            f"np.{ufunc.__name__} cannot write a recorded value into an array: its history would be lost\n"
            f"  try: x = x + t instead of x += t, with x = tr.constant(x)"
        )
    if method == "__call__" and ufunc in LOOKING_UFUNCS:
        return ufunc(*map(value_of, inputs), **kwargs)
    op = UFUNCS.get(ufunc) if method == "__call__" else None
    if op is None or kwargs:
        raise _no_primitive(
            f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}"), kwargs
        )
    return op(*inputs)


def apply_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call of a numpy function with a Tensor among its arguments."""
    if function in LOOKS:
        return function(*map(value_of, args), **{name: value_of(x) for name, x in kwargs.items()})
    name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    ours = FUNCTIONS.get(function)
    if ours is None:
        raise _no_primitive(name, {})
    signature = _signature(function)
    (_, first), *more = signature.bind(*args, **kwargs).arguments.items()
    given = {
        "shape" if key == "newshape" else key: value
        for key, value in more
        if value is not signature.parameters[key].default
    }
    unknown = {
        key: value for key, value in given.items() if key not in (*ours.inputs, *ours.defaults)
    }
    if unknown:
        raise _no_primitive(name, unknown)
    return ours(first, **given)


_signature = lru_cache(inspect.signature)


def value_of(x: Any) -> Any:
    """The value behind a Tensor; anything else as it is."""
    return x.value if isinstance(x, Operators) else x


def _no_primitive(name: str, kwargs: Mapping[str, Any]) -> UnknownNameError:
    if kwargs:
        return UnknownNameError(
            f"{name}: {', '.join(kwargs)}= cannot be recorded\n  try: without it"
        )
    have = sorted({f"np.{each.__name__}" for each in (*UFUNCS, *FUNCTIONS)})
    return UnknownNameError(
        f"{name} has no primitive, so its derivative is unknown\n"
        f"  there are: {', '.join(have)}\n"
        f"  try: one of them, tr.primitive for an operation of your own, or np.asarray(x) for the bare value"
    )
