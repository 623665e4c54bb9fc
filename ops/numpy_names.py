"""Which function of numpy's is which of our operations: for recorded values, and for arrays of a device."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import ops
from ops.primitive import Primitive


def table(same: str, **others: str) -> dict[str, str]:
    """numpy's names to ours: those that are the same, then the others.

    >>> table("exp log", subtract="sub")
    {'exp': 'exp', 'log': 'log', 'subtract': 'sub'}
    """
    return {name: name for name in same.split()} | others


UFUNCS: Mapping[str, str] = table(
    "add square sqrt cbrt exp exp2 expm1 log log2 log10 log1p logaddexp reciprocal sign maximum minimum matmul "
    "sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh hypot floor ceil trunc "
    "greater greater_equal less less_equal equal not_equal "
    "logical_and logical_or logical_xor logical_not isnan isinf isfinite",
    subtract="sub",
    multiply="mul",
    divide="div",
    negative="neg",
    power="pow",
    float_power="pow",
    absolute="abs",
    fabs="abs",
    rint="round",
    bitwise_and="logical_and",
    bitwise_or="logical_or",
    bitwise_xor="logical_xor",
    invert="logical_not",
)
"""Name of a ufunc to the name of our operation."""

FUNCTIONS: Mapping[str, str] = table(
    "sum mean max min prod var std median argmax argmin any all cumsum cumprod sort argsort "
    "reshape ravel transpose broadcast_to swapaxes moveaxis expand_dims squeeze concatenate stack split "
    "flip roll repeat tile pad take take_along_axis diagonal tril triu where clip round "
    "dot outer einsum tensordot",
    amax="max",
    amin="min",
    around="round",
) | {
    "trace": "_trace",
    "linalg.norm": "norm",
    "linalg.inv": "inv",
    "linalg.solve": "solve",
    "linalg.det": "det",
    "linalg.slogdet": "slogdet",
    "linalg.cholesky": "cholesky",
    "linalg.matmul": "matmul",
    "linalg.outer": "outer",
    "linalg.tensordot": "tensordot",
    "linalg.trace": "matrix_trace",
}
"""Name of a function, as it is written after `np.`, to the name of our operation, or of an adapter here."""

LOOKS: frozenset[str] = frozenset(
    "shape ndim size allclose isclose array_equal array2string array_repr array_str may_share_memory shares_memory "
    "result_type zeros_like ones_like full_like empty_like".split()
)
"""Functions that only look at the value: they get it, and nothing is recorded."""

_RENAMED = {
    "newshape": "shape",
    "a_min": "low",
    "a_max": "high",
    "min": "low",
    "max": "high",
    "b": "y",
    "x2": "y",
}
"""What numpy calls an argument that we call otherwise."""

_IDLE = frozenset({"kind", "stable", "optimize"})
"""Arguments that change how numpy computes, not what: our sort is stable whatever is asked for."""


class Call(NamedTuple):
    """A call of a function of numpy's as one of an operation of ours."""

    operation: Any
    positional: list[Any]
    given: dict[str, Any]
    unknown: dict[str, Any]
    """The arguments among the given ones that the operation has not: with any of them it is not to be called."""


def full_name(function: Any) -> str:
    """How a function of numpy's is written after `np.`: `sum`, `linalg.inv`."""
    return f"{function.__module__}.{function.__name__}".removeprefix("numpy.")


def as_ours(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """A call of a function of numpy's as one of ours; None where we have no such operation."""
    ours = FUNCTIONS.get(full_name(function))
    if ours is None:
        return None
    operation = _ADAPTERS[ours] if ours in _ADAPTERS else getattr(ops, ours)
    known = _parameters(operation)
    positional, given = _translated(function, args, kwargs, known)
    unknown = {key: value for key, value in given.items() if key not in known}
    return Call(operation, positional, given, unknown)


def _translated(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], known: Collection[str]
) -> tuple[list[Any], dict[str, Any]]:
    """A call of numpy's as one of ours: the first argument by position, the others by our names; defaults left out."""
    signature = _signature(function)
    positional: list[Any] = []
    given: dict[str, Any] = {}
    for number, (key, value) in enumerate(signature.bind(*args, **kwargs).arguments.items()):
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            given |= value
        elif number == 0:
            positional.append(value)
        elif value is not parameter.default and key not in _IDLE:
            given[key if key in known else _RENAMED.get(key, key)] = value
    return positional, given


def _parameters(operation: Any) -> Collection[str]:
    """The names that an operation may be called with."""
    if isinstance(operation, Primitive):
        return (*operation.inputs, *operation.defaults)
    return _signature(operation).parameters


_signature = lru_cache(inspect.signature)


def _trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """np.trace: of the first two axes unless told otherwise, where ours is of the last two."""
    if x.ndim > 2 or (axis1, axis2) != (0, 1):
        x = ops.moveaxis(x, (axis1, axis2), (-2, -1))
    return ops.matrix_trace(x, offset=offset)


_ADAPTERS = {"_trace": _trace}
