"""Arithmetic as Numba types it: small integers widen to 64 bits, and a float of Python is a float64.

int32 + int32 is an int64, uint8 + uint8 a uint64, uint8 - 255 an int64; float32 * 0.1 is a float64, and so is int32 *
float32; only float32 with float32, int8, int16, uint8 or bool stays a float32. What an array stores is narrowed to its
dtype. A Python int stands for an int64, a Python float for a float64. Where branches meet: see `unifying`.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from ops.interpreter.elements import stored, wrapped
from ops.interpreter.rounding import FACTS, ROUNDED, rounding

INT64, UINT64 = np.dtype(np.int64), np.dtype(np.uint64)
NARROW = frozenset(map(np.dtype, ("f4", "i1", "i2", "u1", "?")))
"""What a float32 meets and stays a float32."""
MOST = 2**63

OPERATORS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        "Add": ("whole", operator.add),
        "Sub": ("whole", operator.sub),
        "Mult": ("whole", operator.mul),
        "FloorDiv": ("whole", operator.floordiv),
        "Mod": ("whole", operator.mod),
        "Div": ("float", operator.truediv),
        "Pow": ("power", operator.pow),
        "BitAnd": ("bits", operator.and_),
        "BitOr": ("bits", operator.or_),
        "BitXor": ("bits", operator.xor),
        "LShift": ("shift", operator.lshift),
        "RShift": ("shift", operator.rshift),
    }
)
"""The operators of Python's syntax: how their result is typed, and what they do."""


def binary(name: str) -> Callable[[Any, Any], Any]:
    """The operator of that name in Python's syntax, typed as Numba types it.

    >>> binary("Mult")(np.int32(2000000), np.int32(2000000))
    4000000000000
    >>> binary("Sub")(np.uint8(224), 255), binary("Add")(np.uint8(250), np.uint8(10))
    (-31, np.uint64(260))
    >>> binary("Mult")(np.float32(1), 0.1), binary("Mult")(np.float32(1), np.float32(0.1))
    (np.float64(0.1), np.float32(0.1))
    """
    kind, act = OPERATORS[name]
    floats: dict[tuple[type, type], Any] = {}  # of two types, the float in which they have met

    def operate(a: Any, b: Any) -> Any:
        if type(a) is int and type(b) is int and kind == "whole":  # the usual case, fast
            found = act(a, b)
            return found if -MOST <= found < MOST else wrapped(found, INT64)
        scalar = floats.get((type(a), type(b)))
        if scalar is not None:
            return act(scalar(a), scalar(b))
        if not (_number(a) and _number(b)):
            return act(a, b)
        if kind == "bits" and _truth(a) and _truth(b):
            return bool(act(bool(a), bool(b)))
        if kind == "shift":
            b = int(b) & 63
        if kind == "float" or not (_integer(a) and _integer(b)):
            scalar = float_of(a, b)
            if kind != "shift":
                floats[type(a), type(b)] = scalar
            return act(scalar(a), scalar(b))
        if kind == "power" and b < 0:
            return np.float64(a) ** np.float64(b)
        unsigned = _unsigned(a) and (kind == "shift" or _unsigned(b))
        return _fitted(act(int(a), int(b)), unsigned)

    return operate


def raised(a: Any, power: int) -> Any:
    """`a ** 2` with a whole constant: a float32 stays one, multiplied with itself."""
    if type(a) is not np.float32:
        return NAMES["Pow_"](a, power)
    found, square, left = np.float32(1), a, abs(power)
    while left:
        found = found * square if left & 1 else found
        square, left = square * square, left >> 1
    return found if power >= 0 else np.float32(1) / found


def negative(a: Any) -> Any:
    """`-a`: of a small integer an int64, of an unsigned one a uint64, and in both the bits of the small one widened."""
    return _fitted(_kept(-int(a), a), _unsigned(a)) if _integer(a) else -a


def inverted(a: Any) -> Any:
    """`~a`."""
    if _truth(a):
        return not a
    return _fitted(_kept(~int(a), a), _unsigned(a)) if _integer(a) else ~a


def exact(a: Any) -> Any:
    """A number to be compared: Python's, so that a float32 meets 0.1 as the float64 that it is.

    >>> exact(np.float32(0.1)) == exact(0.1)
    False
    """
    return a.item() if isinstance(a, np.generic) else a


def cast(scalar: Any, *given: Any) -> Any:
    """`int32(x)`: the last bits of an integer; what is no type of numpy is called as it is."""
    if isinstance(scalar, type) and issubclass(scalar, np.number) and len(given) == 1:
        x = exact(given[0])
        whole = issubclass(scalar, np.integer) and isinstance(x, float) and x == x
        return stored(int(x) if whole and abs(x) < float("inf") else x, scalar)
    return scalar(*given)


def unified(x: Any, name: str) -> Any:
    """A number in the type in which the branches meet that it comes from.

    >>> unified(1, "float64"), unified(np.int32(7), "int64")
    (np.float64(1.0), 7)
    """
    if not _number(x):
        return x
    return int(x) if name == "int64" else stored(exact(x), np.dtype(name).type)


def float_of(*numbers: Any) -> Any:
    """The type in which numbers meet if one of them is a float: float32 where all are narrow, else float64."""
    if all(map(_integer, numbers)):
        return np.float64
    types = [np.dtype(type(x)) if isinstance(x, np.generic) else None for x in numbers]
    if all(t == np.float16 for t in types):
        return np.float16
    half = {np.dtype(np.float16), *NARROW}
    return np.float32 if all(t in half for t in types) else np.float64


def larger(*numbers: Any) -> Any:
    """`max`: of two types the number as both are compared."""
    return (
        _unified(builtins.max(*map(exact, numbers)), numbers) if len(numbers) > 1 else max(*numbers)
    )


def smaller(*numbers: Any) -> Any:
    """`min`: of two types the number as both are compared."""
    return (
        _unified(builtins.min(*map(exact, numbers)), numbers) if len(numbers) > 1 else min(*numbers)
    )


def _unified(found: Any, numbers: tuple[Any, ...]) -> Any:
    return found if all(map(_integer, numbers)) else float_of(*numbers)(found)


def mathematics() -> SimpleNamespace:
    """`math`: of float32 a float32, of float64 and of integers a float64."""
    narrow, wide = rounding(np.float32), rounding(np.float64)

    def typed(name: str) -> Callable[..., Any]:
        small, large = getattr(narrow, name), getattr(wide, name)

        def function(*given: Any) -> Any:
            single = all(type(x) is np.float32 for x in given)
            if name == "pow" and type(given[0]) is np.float32 and type(given[1]) in SHORT:
                single = True
            return (small if single else large)(*given)

        function.__name__ = name
        return function

    def ldexp(x: Any, power: Any) -> Any:
        scalar = np.float32 if type(x) is np.float32 else np.float64
        return scalar(np.ldexp(np.float64(x), int(power)))

    facts = {name: getattr(wide, name) for name in vars(wide) if name not in ROUNDED}
    assert set(FACTS) <= set(facts)
    return SimpleNamespace(**facts, **{name: typed(name) for name in ROUNDED}, ldexp=ldexp)


SHORT = (np.int32, np.int16, np.int8)
"""The integers for which Numba's `math.pow` stays with float32."""


def _number(a: Any) -> bool:
    return isinstance(a, int | float | np.number | np.bool_)


def _integer(a: Any) -> bool:
    return isinstance(a, int | np.integer | np.bool_)


def _truth(a: Any) -> bool:
    return isinstance(a, bool | np.bool_)


def _unsigned(a: Any) -> bool:
    return isinstance(a, np.unsignedinteger)


def _kept(found: int, a: Any) -> int:
    """An integer in the bits of the one that it comes from."""
    return wrapped(found, a.dtype) if isinstance(a, np.integer) else found


def _fitted(found: int, unsigned: bool) -> Any:
    if unsigned:
        return np.uint64(wrapped(found, UINT64))
    return found if -MOST <= found < MOST else wrapped(found, INT64)


NAMES: Mapping[str, Any] = MappingProxyType(
    {f"{name}_": binary(name) for name in OPERATORS}
    | {"USub_": negative, "Invert_": inverted, "exact_": exact, "cast_": cast, "raised_": raised}
    | {"unified_": unified, "max_": larger, "min_": smaller}
)
"""What a widened kernel calls."""
