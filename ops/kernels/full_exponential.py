"""eˣ, eˣ − 1 and tanh of any float32 or float64, for compiled loops, in arithmetic that the compiler can vectorise.

It cannot vectorise calls of the mathematical library, which costs 3 to 50 times as much. NaN, infinities, signed zeros
and results that overflow or are subnormal come out as IEEE has them. The forms in `exponential` are faster still, for
arguments that are known to be harmless.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numba.extending
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
_overload: Callable[..., Callable[[F], F]] = numba.extending.overload
_INLINED: dict[str, Any] = {
    "fastmath": {"contract"},
    "error_model": "numpy",
    "forceinline": True,
}


def scalar(function: Callable[..., Any]) -> Callable[[F], F]:
    """Declare the form of a function inside compiled loops, into which it is inlined: a call would not vectorise."""
    return _overload(function, jit_options=_INLINED, strict=False)


def inlined(function: F) -> F:
    """Compile a helper of such forms, inlined as they are."""
    return cast(F, numba.njit(function, **_INLINED))


class Kind(NamedTuple):
    """A floating-point type and the numbers that its exponentials need."""

    real: Any
    whole: Any
    digits: Any
    """How far the exponent is shifted in the bits of a number."""
    bias: Any
    rounding: Any
    """The number whose last bit is worth 1: added to another one, it leaves the nearest integer in the last bits."""
    low: Any
    high: Any
    """Where eˣ has become 0, and where it has become infinite."""
    log2e: Any
    head: Any
    rest: Any
    """log 2 in two parts, of which the first times an exponent is exact."""


def _kind(real: Any, whole: Any, digits: int, bias: int, bounds: Any, head: str, rest: str) -> Kind:
    rounding = real(1.5 * 2.0**digits)
    low, high = map(real, bounds)
    parts = real(float.fromhex(head)), real(float.fromhex(rest))
    return Kind(
        real, whole, whole(digits), whole(bias), rounding, low, high, real(1 / math.log(2)), *parts
    )


DOUBLE = _kind(
    np.float64, np.int64, 52, 1023, (-746.0, 710.0), "0x1.62e42feep-1", "0x1.a39ef35793c76p-33"
)
SINGLE = _kind(np.float32, np.int32, 23, 127, (-104.5, 89.0), "0x1.63p-1", "-0x1.bd0106p-13")


def kind_of(x: Any) -> Kind:
    """The kind of a Numba type."""
    return DOUBLE if getattr(x, "bitwidth", 64) == 64 else SINGLE


# (eʳ − 1 − r) / r² for |r| ≤ log(2)/2, by interpolation at Chebyshev's nodes
_P64 = (
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
)
_P32 = tuple(
    np.float32(c)
    for c in (0.5, 0.16666576266288757, 0.041666556149721146, 0.008363178931, 0.00139261840377)
)


# Polynomials are evaluated in pairs, pairs of pairs and so on: what a loop waits for is the longest chain of operations


@inlined
def _p64(r: Any) -> Any:
    c = _P64
    z = r * r
    w = z * z
    p = (c[3] * r + c[2]) * z + (c[1] * r + c[0])
    q = (c[7] * r + c[6]) * z + (c[5] * r + c[4])
    return ((c[9] * r + c[8]) * w + q) * w + p


@inlined
def _p32(r: Any) -> Any:
    c = _P32
    z = r * r
    return (c[4] * z + (c[3] * r + c[2])) * z + (c[1] * r + c[0])


def exp(x: float) -> float:
    """eˣ within 1.1 ulps; only inside compiled functions, as all here."""
    return math.exp(x)


@scalar(exp)
def _exp_of(x: Any) -> Any:
    nothing = kind_of(x).real(0)
    return lambda x: exp_of_sum(x, nothing)


def exp_of_sum(x: float, y: float) -> float:
    """e^(x + y) for a y much smaller than 1, which x has lost to rounding."""
    return math.exp(x + y)


@scalar(exp_of_sum)
def _exp_of_sum_of(x: Any, y: Any) -> Any:
    """x = k log 2 + r, so eˣ = 2ᵏ eʳ: twice half of 2ᵏ, so that subnormal numbers are rounded but once."""
    real, whole, digits, bias, rounding, low, high, log2e, head, rest = kind_of(x)
    poly = _p64 if kind_of(x) is DOUBLE else _p32
    one, unit, zero_bits = real(1), whole(1), whole(rounding.view(whole))

    def of_any(x: Any, y: Any) -> Any:
        x = min(max(x, low), high)
        shifted = x * log2e + rounding
        k = shifted - rounding
        r = ((x - k * head) - k * rest) + y
        exponent = whole(real(shifted).view(whole) - zero_bits)
        half = whole(exponent >> unit)
        first = whole(whole(half + bias) << digits).view(real)
        second = whole(whole(exponent - half + bias) << digits).view(real)
        return ((poly(r) * (r * r) + r) + one) * first * second

    return of_any


def expm1(x: float) -> float:
    """eˣ − 1 within 3 ulps."""
    return math.expm1(x)


@scalar(expm1)
def _expm1_of(x: Any) -> Any:
    """2ᵏ (eʳ − 1) + (2ᵏ − 1), computed with half of 2ᵏ, so that it does not overflow too soon."""
    real, whole, digits, bias, rounding, _, high, log2e, head, rest = kind_of(x)
    poly = _p64 if kind_of(x) is DOUBLE else _p32
    low, half, zero_bits = real(-40), real(0.5), whole(rounding.view(whole))

    def of_any(x: Any) -> Any:
        z = min(max(x, low), high)
        shifted = z * log2e + rounding
        k = shifted - rounding
        r = (z - k * head) - k * rest
        exponent = whole(real(shifted).view(whole) - zero_bits)
        scale = whole(whole(exponent + bias - whole(1)) << digits).view(real)
        y = scale * (poly(r) * (r * r) + r) + (scale - half)
        return x if x == 0 else y + y

    return of_any


def tanh(x: float) -> float:
    """tanh within 3 ulps, and odd: with e = e^(−2|x|) − 1, −e / (e + 2)."""
    return math.tanh(x)


@scalar(tanh)
def _tanh_of(x: Any) -> Any:
    two = kind_of(x).real(2)

    def of_any(x: Any) -> Any:
        e = expm1(-two * abs(x))
        y = e / (e + two)
        return x if x == 0 else (y if x < 0 else -y)

    return of_any
