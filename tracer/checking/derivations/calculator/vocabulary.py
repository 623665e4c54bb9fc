"""What a derivation may call: numpy functions, methods and attributes of arrays, Python's own few, our operations."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .costs import RULES

_OTHERWISE: Mapping[str, Callable[..., Any]] = {
    "empty": np.zeros,
    "empty_like": np.zeros_like,
    "sliding_window_view": sliding_window_view,
}
"""What numpy would leave unset is 0 here, so that the numbers are the same at every run."""
_OF_ARRAYS = {"flatten", "astype", "item"}
PLAIN: Mapping[str, Callable[..., Any]] = {"float": float, "int": int, "bool": bool, "len": len}
TYPES: Mapping[str, type] = {
    name: kind
    for kind, names in (
        (float, "float float64 float32 double"),
        (int, "int int64 int32"),
        (bool, "bool bool_"),
    )
    for name in names.split()
}
"""Types of elements, where a function or method takes one. float32 stays float64: a derivation is judged beyond it."""
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: _OTHERWISE.get(name) or getattr(np, name)
    for name in sorted(RULES.keys() - _OF_ARRAYS - PLAIN.keys() - TYPES.keys())
}
"""By name: those that have a rule for what they make."""
METHODS = FUNCTIONS.keys() & vars(np.ndarray).keys() | _OF_ARRAYS
ATTRIBUTES = frozenset({"T", "mT", "ndim", "shape", "size"})
SPELLED = frozenset({"einsum", "pad", "convolve", "correlate"})
"""Functions that take text."""
GATHERING = frozenset(
    {"stack", "concatenate", "array", "asarray", "vstack", "hstack", "sum", "len"}
)
"""Functions that read a value of many time steps as the list of all steps."""
MODULES = frozenset({"np", "numpy", "math"})
FOREIGN = frozenset({"torch", "tf", "jnp", "tr"})
"""Modules whose functions go by the same names in numpy, as far as they do."""
CONSTANTS: Mapping[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "newaxis": None}
MOST_TURNS = 100_000
"""Turns of one loop, and entries of a list."""
AMBIGUOUS = frozenset({"max", "min", "sum"})
"""Bare, Python's functions of these names go over the first axis, numpy's over all: for tables they are refused."""


def near(function: ast.expr) -> str:
    """Functions that the user may have meant.

    >>> near(ast.parse("np.sqr", mode="eval").body)
    'np.sqrt, np.square'
    """
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    close = get_close_matches(name, FUNCTIONS, n=3)
    return "np." + ", np.".join(close) if close else "numpy functions such as np.sqrt, or x.sum(0)"
