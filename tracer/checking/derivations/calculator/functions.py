"""The function that a bare name means in a derivation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ops import PRIMITIVES, Primitive
from tracer.checking.derivations.refusals import RefusedError
from tracer.format import shape

from .meanings import Value
from .vocabulary import AMBIGUOUS, FUNCTIONS, PLAIN


def function_of(node: ast.Call, name: str, args: Sequence[Value]) -> Callable[..., Any] | None:
    """The function of a bare name: numpy's, or one of our elementwise operations."""
    if name in AMBIGUOUS and len(args) == 1 and not node.keywords:
        (of,) = args
        if isinstance(of, list):
            python: dict[str, Callable[..., Any]] = {"sum": _added, "max": max, "min": min}
            return python[name]
        if len(np.shape(of)) > 1:
            raise RefusedError(
                f"{name} of a {shape(np.shape(of))} table: over the first axis, as in Python, or over all, as in "
                "numpy?",
                f"x.{name}(0) or np.{name}(x)",
            )
    ours: Primitive | None = PRIMITIVES.get(name)
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if ours is not None and (ours.elementwise or "softmax" in name):
        return ours
    return PLAIN.get(name)


def _added(parts: list[Value]) -> Value:
    """Python's own sum of a list."""
    total: Value = 0
    for part in parts:
        total = total + part
    return total
