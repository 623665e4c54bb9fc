"""What each function makes of its arguments, and how long that takes: a function without a rule is not on the list."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import index
from typing import Any

import numpy as np

from tracer.checking.derivations.refusals import RefusedError

from .binding import Given
from .limits import ENTRY, STEP, Cost
from .products import convolve, dot, einsum, inner, matmul, outer, tensordot, vdot

Rule = Callable[[Given], Cost]
PART = 3_000
"""The work of taking an array apart, or putting one together, for each part."""

MOST_DECIMALS = 400
"""Decimals that one can round to; numpy counts up to their number."""


def spread(*values: Any) -> int:
    """How many elements values have that broadcast against each other.

    >>> spread(np.zeros((3, 1)), np.zeros(4), 2.0)
    12
    """
    return math.prod(np.broadcast_shapes(*map(np.shape, values)))


def elementwise(per: int, *values: Any) -> Cost:
    """An operation on each element, or each pair of them, with so much work for one.

    Where the shapes do not fit, numpy says so, and makes nothing.
    """
    try:
        made = spread(*values)
    except ValueError:
        made = max(int(np.size(value)) for value in values)
    return Cost(made, per * made)


def lengths(value: Any) -> list[int]:
    """The numbers of a shape: `3`, or `(3, 4)`. Raises `RefusedError` for what is none."""
    flat = list(value) if isinstance(value, (tuple, list)) else [value]
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in flat):
        raise RefusedError("a shape is made of whole numbers", "a shape such as x.shape or (3, 4)")
    return [int(n) for n in flat]


def _elementwise(per: int) -> Rule:
    return lambda given: elementwise(per, *(v for key, v in given.items() if key != "dtype"))


def _throughout(per: int, *, made: int = 1) -> Rule:
    """Work for each element of the first argument, and so many arrays of its size."""

    def rule(given: Given) -> Cost:
        size = int(np.size(_first(given)))
        return Cost(made * size + 16, per * size)

    return rule


def _first(given: Given) -> Any:
    for value in given.values():
        return value
    raise KeyError("an array")


def _rounded(given: Given) -> Cost:
    if abs(index(given.get("decimals", 0))) > MOST_DECIMALS:
        raise RefusedError(f"more than {MOST_DECIMALS} decimals", "np.round(x, 3)")
    return _throughout(40)(given)


def _where(given: Given) -> Cost:
    if len(given) < 3:
        size = int(np.size(given["condition"]))
        return Cost(size * max(np.ndim(given["condition"]), 1), 30 * size)
    return _elementwise(10)(given)


def _sum(given: Given) -> Cost:
    values = given["a"]
    if not isinstance(values, (list, tuple)):
        return _throughout(5)(given)
    shapes = set(map(np.shape, values))
    made = math.prod(np.broadcast_shapes(*shapes))
    return Cost(made, (500 + 5 * made) * len(values))


def _average(given: Given) -> Cost:
    made = int(np.size(given["a"])) + int(np.size(given.get("weights", 1)))
    return Cost(2 * made, 30 * made)


def _sorted(given: Given) -> Cost:
    size = int(np.size(given["a"]))
    return Cost(size, 6 * size * max(size.bit_length(), 4))


def _rolled(given: Given) -> Cost:
    size, turned = int(np.size(given["a"])), min(np.ndim(given["a"]), np.size(given["shift"]))
    return Cost(size, 10 * size + STEP * 2 ** max(int(turned), 1))


def _triangle(given: Given) -> Cost:
    size = int(np.size(given["m"]))
    made = size**2 if np.ndim(given["m"]) == 1 else size
    return Cost(2 * made, 20 * made)


def _diag(given: Given) -> Cost:
    size = int(np.size(given["v"]))
    made = (size + abs(index(given.get("k", 0)))) ** 2 if np.ndim(given["v"]) == 1 else size
    return Cost(made, 5 * made)


def _eye(given: Given) -> Cost:
    rows = math.prod(lengths(given["N"]))
    columns = rows if given.get("M") is None else math.prod(lengths(given["M"]))
    return Cost(rows * columns, 5 * rows * columns)


def _filled(given: Given) -> Cost:
    made = math.prod(lengths(given["shape"]))
    return Cost(made, 5 * made)


def _alike(given: Given) -> Cost:
    if given.get("shape") is not None:
        return _filled(given)
    return _throughout(5)(given)


def _arange(given: Given) -> Cost:
    numbers = [float(given[key]) for key in ("start", "stop", "step") if given.get(key) is not None]
    if not numbers:
        raise KeyError("a bound")
    first, last, by = (0.0, numbers[0], 1.0) if len(numbers) == 1 else (*numbers, 1.0)[:3]
    if not by or not all(map(math.isfinite, numbers)):
        raise RefusedError("np.arange needs finite bounds, and a step", "np.arange(3)")
    made = int(max((last - first) / by, 0)) + 1
    return Cost(made, 5 * made)


def _repeated(given: Given) -> Cost:
    times = _whole(given["repeats"], "np.repeat(x, 3, axis=0)")
    made = int(np.size(given["a"])) * max(int(np.max(times, initial=0)), 0)
    return Cost(made, 20 * made + 10 * times.size)


def _tiled(given: Given) -> Cost:
    times = [int(n) for n in np.ravel(_whole(given["reps"], "np.tile(x, (2, 1))"))]
    made = int(np.size(given["A"])) * max(math.prod(times), 0)
    return Cost(2 * made, 20 * made)


def _padded(given: Given) -> Cost:
    widths = np.ravel(_whole(given["pad_width"], "np.pad(x, 1)"))
    width = max((abs(int(n)) for n in widths), default=0)
    made = math.prod(n + 2 * width for n in np.shape(given["array"]))
    return Cost(made, 30 * made + 50_000 * np.ndim(given["array"]))


def _windows(given: Given) -> Cost:
    made = int(np.size(given["x"])) * math.prod(lengths(given["window_shape"]))
    return Cost(made, STEP)


def _joined(given: Given) -> Cost:
    parts = _first(given)
    if isinstance(parts, (list, tuple)):
        count, size = len(parts), sum(int(np.size(part)) for part in parts)
    else:
        count, size = len(parts) if np.ndim(parts) else 1, int(np.size(parts))
    return Cost(2 * size, 10 * size + PART * count)


def _split(given: Given) -> Cost:
    parts = given["indices_or_sections"]
    count = int(parts) if isinstance(parts, (int, np.integer)) else int(np.size(parts)) + 1
    return Cost((16 + ENTRY) * max(count, 0), 2 * PART * max(count, 0))


def _taken(given: Given) -> Cost:
    sizes, axis, many = np.shape(given["a"]), given.get("axis"), int(np.size(given["indices"]))
    if axis is not None:
        at = int(axis) % max(len(sizes), 1)
        many *= math.prod((*sizes[:at], *sizes[at + 1 :]))
    return Cost(many, 20 * many)


def _taken_along(given: Given) -> Cost:
    here, there = np.shape(given["arr"]), np.shape(given["indices"])
    axis = given.get("axis", -1)
    made = math.prod(there)
    if axis is not None and len(here) == len(there) and there:
        made = math.prod(
            n if k == int(axis) % len(here) else max(n, m)
            for k, (n, m) in enumerate(zip(there, here, strict=True))
        )
    return Cost(made * max(len(there), 1), 30 * made)


def _plain(given: Given) -> Cost:
    return Cost(1, STEP)


def _whole(value: Any, example: str) -> Any:
    """Whole numbers. Raises `RefusedError` for anything else."""
    found = np.asarray(value)
    if found.dtype.kind not in "iu":
        raise RefusedError("it needs whole numbers here", example)
    return found


TABLE: tuple[tuple[Rule, str, str], ...] = (
    (_elementwise(10), "x | dtype", "abs absolute ceil floor isfinite isnan logical_not negative reciprocal sign"),
    (_elementwise(10), "x | dtype", "sqrt square"),
    (_elementwise(10), "x1 x2 | dtype", "add divide multiply subtract true_divide maximum minimum"),
    (_elementwise(10), "x1 x2", "equal greater greater_equal less less_equal not_equal"),
    (_elementwise(10), "x1 x2", "logical_and logical_or logical_xor"),
    (_elementwise(40), "x | dtype", "cos cosh exp exp2 expm1 log log10 log1p log2 sin sinh tan tanh"),
    (_elementwise(40), "x | dtype", "arccos arccosh arcsin arcsinh arctan arctanh"),
    (_elementwise(50), "x1 x2 | dtype", "arctan2 float_power heaviside logaddexp mod power"),
    (_elementwise(60), "a b rtol atol", "allclose isclose"),
    (_elementwise(20), "a a_min a_max . | min max", "clip"),
    (_throughout(30, made=3), "x", "nan_to_num"),
    (_rounded, "a decimals", "round"),
    (_where, "condition x y", "where"),
    (_sum, "a axis dtype . keepdims", "sum"),
    (_throughout(10), "a axis . keepdims", "all amax amin any max min"),
    (_throughout(10), "a axis dtype . keepdims", "mean prod"),
    (_throughout(30, made=3), "a axis dtype . ddof keepdims | correction", "std var"),
    (_throughout(60, made=2), "a axis . . keepdims", "median"),
    (_throughout(10), "a axis . | keepdims", "argmax argmin"),
    (_average, "a axis weights . | keepdims", "average"),
    (_throughout(10), "a axis dtype .", "cumprod cumsum"),
    (_sorted, "a axis", "argsort"),
    (_throughout(10), "a", "copy fliplr flipud flatten ravel"),
    (_throughout(20), "a dtype", "astype"),
    (_plain, "a *index", "item"),
    (_plain, "x", "bool bool_ double float float32 float64 int int32 int64 len"),
    (_throughout(10), "a *shape", "reshape"),
    (_throughout(0), "a *axes | axes", "transpose"),
    (_throughout(0), "a axis1 axis2", "swapaxes"),
    (_throughout(0), "a source destination", "moveaxis"),
    (_throughout(0), "a axis", "expand_dims squeeze"),
    (_throughout(0), "m axis", "flip"),
    (_throughout(10), "m k axes", "rot90"),
    (_rolled, "a shift axis", "roll"),
    (_throughout(0), "a offset axis1 axis2", "diagonal"),
    (_throughout(10), "a offset axis1 axis2 dtype", "trace"),
    (_triangle, "m k", "tril triu"),
    (_diag, "v k", "diag"),
    (_eye, "N M k dtype", "eye"),
    (_eye, "N dtype", "identity"),
    (_filled, "shape dtype", "empty ones zeros"),
    (_filled, "shape fill_value dtype", "full"),
    (_alike, "a dtype . . shape", "empty_like ones_like zeros_like"),
    (_alike, "a fill_value dtype . . shape", "full_like"),
    (_arange, "start stop step dtype", "arange"),
    (_repeated, "a repeats axis", "repeat"),
    (_tiled, "A reps", "tile"),
    (_padded, "array pad_width mode | constant_values", "pad"),
    (_filled, "array shape", "broadcast_to"),
    (_windows, "x window_shape axis", "sliding_window_view"),
    (_joined, "arrays axis . dtype", "concatenate stack"),
    (_joined, "tup | dtype", "hstack vstack"),
    (_joined, "a dtype", "array asarray"),
    (_joined, "arys *more", "atleast_1d atleast_2d"),
    (_split, "ary indices_or_sections axis", "split"),
    (_taken, "a indices axis . mode", "take"),
    (_taken_along, "arr indices axis", "take_along_axis"),
    (outer, "a b", "kron outer"),
    (vdot, "a b", "vdot"),
    (inner, "a b", "inner"),
    (dot, "a b", "dot"),
    (matmul, "x1 x2", "matmul"),
    (tensordot, "a b axes", "tensordot"),
    (convolve, "a v mode", "convolve correlate"),
    (einsum, "subscripts *operands | optimize", "einsum"),
)  # fmt: skip
"""Rule, parameters (see `binding.bound`), and the functions and methods to which these belong."""
RULES: Mapping[str, tuple[Rule, str]] = {
    name: (rule, signature) for rule, signature, names in TABLE for name in names.split()
}
OURS: tuple[Rule, str] = (
    lambda given: elementwise(200, *given["arrays"]),
    "*arrays | axis",
)
"""Our own elementwise operations, and softmax."""
