"""Which ufunc of numpy's is which of our operations: for recorded values, and for arrays of a device."""

from __future__ import annotations

from collections.abc import Mapping


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
