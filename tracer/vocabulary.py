"""The functions, attributes and constants of expressions, as numpy has them.

Nothing raises but `AbsentError`, in words; the maximum of no elements is NaN.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.operators import AbsentError, combine, number, product, together, whole


def _flat(x: Any) -> Array:
    return np.asarray(x, dtype=np.float64).ravel()


def _root_mean_square(x: Any, count: int) -> float:
    """√(Σ x² / count). The largest element is taken out first where its square would overflow or vanish."""
    flat = _flat(x)
    plain = math.sqrt(np.dot(flat, flat) / count)
    if 1e-150 < plain < math.inf or not flat.size:
        return plain
    top = float(np.max(np.abs(flat)))
    if top == 0 or not math.isfinite(top):
        return plain
    return top * math.sqrt(np.dot(flat / top, flat / top) / count)


def _norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm of all elements, or along axes."""
    if axis is None and not keepdims:
        return _root_mean_square(x, 1)
    x = np.asarray(x, dtype=np.float64)
    top = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
    found = np.sqrt(np.sum((x / scale) ** 2, axis=axis, keepdims=True)) * scale
    return found if keepdims else np.squeeze(found, axis=axis)


def _rms(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if axis is None and not keepdims:
        return _root_mean_square(x, np.size(x)) if np.size(x) else math.nan
    norms = _norm(x, axis, keepdims)
    return norms / math.sqrt(np.size(x) / max(np.size(norms), 1))


def _over(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction that gives NaN, which compares false with everything, where there is no element."""

    def found(x: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        if axis is None and not np.size(x):
            return math.nan
        return _plain(reduce(x, axis=axis, keepdims=keepdims, **more))

    return found


def _plain(x: Any) -> Any:
    """A single float64 as a Python number, which leaves float32 arrays what they are; a truth as a truth."""
    return x.item() if isinstance(x, (np.float64, np.bool_)) else x


def _precise(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction that adds up in float64."""
    return lambda x, **more: reduce(x, dtype=np.float64, **more)


def _any_of(ask: Callable[[Any], Any]) -> Callable[[Any], bool]:
    return lambda x: bool(np.any(ask(x)))


def _each(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An elementwise function: of a Python number it gives a Python number."""
    return lambda x: _plain(work(number(x)))


def _joined(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """A function of several operands that broadcast."""

    def found(*operands: Any) -> Any:
        numbers = [number(x) for x in operands]
        together(name, *numbers)
        return _plain(work(*numbers))

    return found


def _dot(x: Any, y: Any) -> Any:
    if max(np.ndim(x), np.ndim(y)) > 2:
        raise AbsentError("dot takes vectors and matrices; @ multiplies stacks of them")
    if not np.ndim(x) or not np.ndim(y):
        return combine(ast.Mult, x, y)
    return product(x, y)


def _where(condition: Any, x: Any, y: Any) -> Any:
    x, y = number(x), number(y)
    together("where", condition, x, y)
    return _plain(np.where(condition, x, y)[()])


def _round(x: Any, decimals: Any = 0) -> Any:
    digits = whole(decimals)
    if abs(digits) > 300:
        raise AbsentError("round takes at most 300 digits")
    return _plain(np.round(number(x), digits))


@dataclass(frozen=True)
class Function:
    """A function of expressions: what runs, and how it is called.

    takes: its operands. options: what may follow by name; the first `free` of them also by place, as in numpy.
    """

    run: Callable[..., Any]
    takes: tuple[str, ...] = ("x",)
    options: tuple[str, ...] = ()
    free: int = 0

    def usage(self, name: str) -> str:
        """How it is written: `std(x, axis, keepdims, ddof)`."""
        return f"{name}({', '.join((*self.takes, *self.options))})"


AXES = ("axis", "keepdims")


def _reduction(run: Callable[..., Any], *more: str, free: int = 1) -> Function:
    return Function(run, options=(*AXES, *more), free=free)


FUNCTIONS: Mapping[str, Function] = {
    "nan": Function(_any_of(np.isnan)),
    "inf": Function(_any_of(np.isinf)),
    "zero": Function(_any_of(lambda x: np.asarray(x) == 0)),
    "norm": _reduction(_norm, free=0),
    "rms": _reduction(_rms),
    "max": _reduction(_over(np.max)),
    "min": _reduction(_over(np.min)),
    "mean": _reduction(_over(_precise(np.mean))),
    "sum": _reduction(lambda x, **more: _plain(np.sum(x, dtype=np.float64, **more))),
    "std": _reduction(_over(_precise(np.std)), "ddof"),
    "var": _reduction(_over(_precise(np.var)), "ddof"),
    "argmax": _reduction(_over(np.argmax)),
    "argmin": _reduction(_over(np.argmin)),
    "any": _reduction(lambda x, **more: _plain(np.any(x, **more))),
    "all": _reduction(lambda x, **more: _plain(np.all(x, **more))),
    "abs": Function(_each(np.abs)),
    "sqrt": Function(_each(np.sqrt)),
    "exp": Function(_each(np.exp)),
    "log": Function(_each(np.log)),
    "log10": Function(_each(np.log10)),
    "tanh": Function(_each(np.tanh)),
    "sign": Function(_each(np.sign)),
    "round": Function(_round, options=("decimals",), free=1),
    "isnan": Function(_each(np.isnan)),
    "isinf": Function(_each(np.isinf)),
    "isfinite": Function(_each(np.isfinite)),
    "clip": Function(_joined("clip", np.clip), ("x", "low", "high")),
    "maximum": Function(_joined("maximum", np.maximum), ("x", "y")),
    "minimum": Function(_joined("minimum", np.minimum), ("x", "y")),
    "where": Function(_where, ("condition", "x", "y")),
    "dot": Function(_dot, ("x", "y")),
}  # fmt: skip
"""`nan inf zero` ask whether any element is; the others are numpy's, and `norm` and `rms` also take an axis."""


def call(name: str, operands: list[Any], options: Mapping[str, Any]) -> Any:
    """What a function gives. Raises `AbsentError` in words where it cannot be told."""
    for x in operands:
        if isinstance(x, (str, tuple)):
            raise AbsentError(f"{name} takes numbers, not {x!r}")
    try:
        return FUNCTIONS[name].run(*operands, **options)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        what = str(error).splitlines()[0] if str(error) else "it cannot be computed"
        shapes = " and ".join(str(np.shape(x)) for x in operands)
        raise AbsentError(f"{name} of shape {shapes}: {what}") from None


def _transposed(x: Any) -> Any:
    if isinstance(x, str):
        raise AbsentError(f"an array has .T, not {x!r}")
    return np.asarray(x).T


ATTRIBUTES: Mapping[str, Callable[[Any], Any]] = {
    "T": _transposed,
    "shape": np.shape,
    "size": lambda x: float(np.size(x)),
    "ndim": lambda x: float(np.ndim(x)),
    "dtype": lambda x: str(np.asarray(x).dtype),
}  # fmt: skip
"""What an array is asked for with a dot, or, of the node in question, by the bare word."""
CONSTANTS: Mapping[str, Any] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "newaxis": None,
    **{name: name for name in ("float32", "float64", "int32", "int64")},
}  # fmt: skip
"""What stands behind `np.`, beside the functions."""
