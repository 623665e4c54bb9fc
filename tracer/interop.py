"""numpy's functions on Tensors: `np.exp(t)` and `np.linalg.inv(t)` call our operations.

`ops.numpy_names` says which numpy name is which of ours; the operation itself loads when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

import ops
from ops.numpy_names import FUNCTIONS as FUNCTIONS
from ops.numpy_names import LOOKS, as_ours, full_name, table
from ops.numpy_names import UFUNCS as UFUNCS
from tracer.errors import GradientError, UnknownNameError
from tracer.operands import Operators
from tracer.values import masks

SCIPY_UFUNCS: Mapping[str, str] = table("erf erfc exp2 expm1 log1p cbrt", expit="sigmoid")
"""The same for the ufuncs of `scipy.special`."""

_ON_MASKS = {"bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^", "invert": "~"}
"""The ufuncs that we have for truths only, with their signs."""

LOOKING_UFUNCS = frozenset({"signbit"})

INSTEAD: Mapping[str, str] = {
    "hstack": "np.concatenate([x, y], axis=1), or axis=0 of vectors",
    "vstack": "np.concatenate([x, y], axis=0), or np.stack([x, y]) of vectors",
    "dstack": "np.concatenate([x, y], axis=2)",
    "column_stack": "np.stack([x, y], axis=1) of vectors",
    "diag": "np.diagonal(x) of a matrix, np.eye(len(v)) * v of a vector",
    "diff": "x[1:] - x[:-1]",
    "ptp": "np.max(x) - np.min(x)",
    "average": "np.mean(x), or np.sum(w * x) / np.sum(w)",
    "inner": "np.dot(x, y) of vectors, x @ y.T of matrices",
    "vdot": "np.dot(x.ravel(), y.ravel())",
    "multiply.outer": "np.outer(x, y)",
    "add.reduce": "np.sum(x, axis=0)",
    "add.accumulate": "np.cumsum(x, axis=0)",
    "multiply.reduce": "np.prod(x, axis=0)",
    "multiply.accumulate": "np.cumprod(x, axis=0)",
    "maximum.reduce": "np.max(x, axis=0)",
    "minimum.reduce": "np.min(x, axis=0)",
    "logaddexp.reduce": "tr.logsumexp(x, axis=0)",
    "linalg.pinv": "np.linalg.inv(x.T @ x) @ x.T, where the columns are independent",
    "linalg.multi_dot": "x @ y @ z",
    "linalg.lstsq": "np.linalg.solve(x.T @ x, x.T @ y), where the columns are independent",
    "linalg.matrix_norm": "np.linalg.norm(x)",
    "linalg.vector_norm": "np.linalg.norm(x.ravel())",
    "array_split": "np.split(x, places)",
    "flipud": "np.flip(x, axis=0)",
    "fliplr": "np.flip(x, axis=1)",
    "rollaxis": "np.moveaxis(x, source, destination)",
    "atleast_1d": "x.reshape(-1)",
    "atleast_2d": "x[None, :] of a vector",
    "copy": "x itself: a recorded value never changes",
    "positive": "x itself",
    "kron": "np.einsum('ij,kl->ikjl', x, y), reshaped to a matrix",
    "vecdot": "np.sum(x * y, axis=-1)",
    "linalg.vecdot": "np.sum(x * y, axis=-1)",
    "cumulative_sum": "np.cumsum(x, axis=0)",
    "cumulative_prod": "np.cumprod(x, axis=0)",
    "fmax": "np.maximum(x, y)",
    "fmin": "np.minimum(x, y)",
    "heaviside": "np.where(x > 0, 1.0, 0.0)",
    "quantile": "np.sort(x)[k], or np.median(x)",
    "percentile": "np.sort(x)[k], or np.median(x)",
    "remainder": "x - y * np.floor(x / y)",
    "floor_divide": "np.floor(x / y)",
    "deg2rad": "x * (np.pi / 180)",
    "rad2deg": "x * (180 / np.pi)",
    "sinc": "np.sin(np.pi * x) / (np.pi * x)",
    "logaddexp2": "np.log2(np.exp2(x) + np.exp2(y))",
    "nansum": "np.sum(np.where(np.isnan(x), 0.0, x))",
    "nan_to_num": "np.where(np.isnan(x), 0.0, x)",
}
"""What to write for a function of numpy's that we have not."""


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call of a ufunc with a Tensor among its inputs."""
    if kwargs.pop("out", None) is not None:
        raise GradientError(
            f"np.{ufunc.__name__} cannot write a recorded value into an array: its history would be lost\n"
            f"  try: x = x + t instead of x += t, with x = tr.constant(x)"
        )
    called = method == "__call__"
    if called and ufunc.__name__ in LOOKING_UFUNCS:
        return ufunc(*map(value_of, inputs), **kwargs)
    operation = _operation_of(ufunc) if called and not kwargs else None
    if operation is None:
        raise _no_primitive(f"np.{ufunc.__name__}" + ("" if called else f".{method}"), kwargs)
    if ufunc.__name__ in _ON_MASKS:
        inputs = masks(_ON_MASKS[ufunc.__name__], *inputs)
    return operation(*inputs)


@lru_cache
def _operation_of(ufunc: Any) -> Any:
    """Our operation for a ufunc, None without one. A ufunc of somebody else's is not ours, whatever its name."""
    name = ufunc.__name__
    if name in UFUNCS and getattr(np, name, None) is ufunc:
        return getattr(ops, UFUNCS[name])
    if name in SCIPY_UFUNCS and getattr(sys.modules.get("scipy.special"), name, None) is ufunc:
        return getattr(ops, SCIPY_UFUNCS[name])
    return None


def apply_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call of a numpy function with a Tensor among its arguments."""
    name = full_name(function)
    if name in LOOKS:
        return function(*map(value_of, args), **{name: value_of(x) for name, x in kwargs.items()})
    call = as_ours(function, args, kwargs)
    if call is None or call.unknown:
        raise _no_primitive(f"np.{name}", call.unknown if call else {})
    return call.operation(*call.positional, **call.given)


def value_of(x: Any) -> Any:
    """The value behind a Tensor; anything else as it is."""
    return x.value if isinstance(x, Operators) else x


def _no_primitive(name: str, kwargs: Mapping[str, Any]) -> UnknownNameError:
    if kwargs:
        return UnknownNameError(
            f"{name}: {', '.join(kwargs)}= cannot be recorded\n  try: without it"
        )
    instead = INSTEAD.get(
        name.removeprefix("np."),
        "other functions (`gradstep ops` lists all), tr.primitive for an operation of your own, "
        "or np.asarray(x) for the bare value",
    )
    return UnknownNameError(
        f"{name} has no primitive, so its derivative is unknown\n  try: {instead}"
    )
