"""Calls what an expression asks for; what cannot be computed is said in the user's words, with one thing to try."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tracer.checking.derivations.reading import spoken
from tracer.checking.derivations.refusals import MisfitError, RefusedError
from tracer.errors import GradstepError
from tracer.format import shape
from tracer.tensors import Tensor

from .limits import within_reach
from .meanings import Value

_PRODUCTS = (operator.matmul, np.matmul, np.dot)
_WITH_BROADCASTING = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)


@contextmanager
def refusals() -> Iterator[None]:
    """Whatever cannot be computed within is refused in words."""
    try:
        yield
    except RecursionError:
        raise RefusedError("the expression is too deep", "several shorter lines") from None
    except OverflowError:
        raise RefusedError("a number is too large", "floats below 1e308") from None
    except ZeroDivisionError:
        raise RefusedError(
            "a division by zero", "check the sizes and constants in this line"
        ) from None
    except MemoryError:
        raise RefusedError("it takes more memory than there is", "smaller arrays") from None
    except GradstepError as error:
        raise RefusedError(str(error).splitlines()[0], "another way to write it") from None


def applied(node: ast.expr, function: Callable[..., Any], *args: Any, **keywords: Any) -> Value:
    """Call a function that is allowed, on values that are; what it cannot do is said in the user's words."""
    try:
        return within_reach(function(*args, **keywords))
    except (RefusedError, ArithmeticError, RecursionError):
        raise
    except Exception as error:
        arrays = [a for a in args if isinstance(a, np.ndarray) and a.ndim]
        shapes = ", ".join(shape(a.shape) for a in arrays)
        with_shapes = f", with shapes {shapes}" if shapes else ""
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, MemoryError):
            first = "it takes more memory than there is"
        if function in _PRODUCTS and len(arrays) == 2:
            a, b = (each.shape for each in arrays)
            first = f"the inner sizes differ, {a[-1]} against {b[-2] if len(b) > 1 else b[0]}"
        apart = next((sizes for a in args if len(sizes := _sizes(a)) > 1), ())
        if apart:
            raise MisfitError(
                f"{text_of(node)} cannot be computed: its parts differ in shape, {', '.join(apart)}",
                "one part at a time, such as h[0]",
            ) from None
        raise MisfitError(
            f"{text_of(node)} cannot be computed{with_shapes}: {first}",
            _cure(node, function, arrays),
        ) from None


def _sizes(value: Value) -> tuple[str, ...]:
    """The shapes that occur in a list, such as that of the steps of a loop; none of anything else."""
    parts = value if isinstance(value, (list, tuple)) else ()
    return tuple(dict.fromkeys(shape(np.shape(a)) for a in parts if isinstance(a, np.ndarray)))


def text_of(node: ast.AST) -> str:
    """A part of an expression as text, shortened."""
    text = spoken(ast.unparse(node))
    return text if len(text) <= 60 else text[:57] + "..."


def number_of(node: ast.expr, value: Value) -> Value:
    """A value that one can compute with: a number or an array."""
    if isinstance(value, (int, float, np.ndarray, np.generic, Tensor)):
        return value
    raise RefusedError(
        f"{text_of(node)} computes with {kind_of(value)}, not with numbers",
        "an element, such as x.shape[0] or h[t]",
    )


def kind_of(value: Value) -> str:
    """What a value is, in words."""
    return {"NoneType": "None", "dict": "a dictionary"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


def refuse_randomness(function: ast.expr) -> None:
    """Complain about random numbers, by whatever name."""
    words = set(text_of(function).replace(".", " ").split())
    if words & {"random", "rand", "randn", "default_rng", "rng", "normal", "uniform", "binomial"}:
        raise RefusedError(
            "a derivation that draws random numbers cannot be verified: it would be another one at each run",
            "the recorded mask or noise, by its name",
        )


def _cure(node: ast.expr, function: Callable[..., Any], arrays: Sequence[Any]) -> str:
    """One thing to try where a function cannot be computed."""
    if len(arrays) == 2 and function in _PRODUCTS:
        a, b = arrays
        left, right = "a", "b"
        if isinstance(node, ast.BinOp):
            left, right = (
                f"({text_of(each)})" if isinstance(each, ast.BinOp) else text_of(each)
                for each in (node.left, node.right)
            )
        if a.ndim == b.ndim == 2:
            if a.shape[0] == b.shape[0]:
                return f"{left}.T @ {right}"
            if a.shape[1] == b.shape[1]:
                return f"{left} @ {right}.T"
    if len(arrays) == 2 and arrays[0].ndim and arrays[1].ndim and function in _WITH_BROADCASTING:
        long = max(arrays[0].ndim, arrays[1].ndim)
        a, b = ((1,) * (long - each.ndim) + each.shape for each in arrays)
        axis = max((k for k in range(long) if a[k] != b[k] and 1 not in (a[k], b[k])), default=None)
        if axis is not None:
            return (
                f"axis {axis} differs: {a[axis]} against {b[axis]}; sum over it, or keepdims=True"
            )
    return "compare the shapes, axis by axis from the right"
