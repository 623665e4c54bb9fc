"""log x and log(1 + x) of any float32 or float64, for compiled loops, in arithmetic that the compiler can vectorise.

x = 2ᵏ m with m near 1; log m comes from s = (m − 1) / (m + 1), by the method and the numbers of fdlibm (e_log.c,
s_log1p.c; freely distributable, Sun Microsystems 1993) and of FreeBSD's e_logf.c.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ops.kernels.full_exponential import DOUBLE, inlined, kind_of, scalar

_R64 = tuple(
    float.fromhex(c)
    for c in (
        "0x1.5555555555593p-1 0x1.999999997fa04p-2 0x1.2492494229359p-2 0x1.c71c51d8e78afp-3 "
        "0x1.7466496cb03dep-3 0x1.39a09d078c69fp-3 0x1.2f112df3e5244p-3"
    ).split()
)
_R32 = tuple(
    np.float32(float.fromhex(c))
    for c in "0x1.555554p-1 0x1.999c26p-2 0x1.23d3dcp-2 0x1.f13c4cp-3".split()
)


@inlined
def _r64(z: Any) -> Any:
    c = _R64
    w = z * z
    p = (c[3] * z + c[2]) * w + (c[1] * z + c[0])
    return z * ((c[6] * w + (c[5] * z + c[4])) * (w * w) + p)


@inlined
def _r32(z: Any) -> Any:
    c = _R32
    return z * ((c[3] * z + c[2]) * (z * z) + (c[1] * z + c[0]))


class _Bits(NamedTuple):
    """What taking a number apart needs, as unsigned integers and numbers of one width."""

    whole: Any
    digits: Any
    root: Any
    """The bits of √½, less a large exponent: subtracted, it leaves in the exponent's place k, made positive."""
    root_bits: Any
    fraction: Any
    """A mask of the bits below the exponent."""
    carrier_bits: Any
    """The bits of the number whose last bit is worth 1: with k in its last bits it is that much larger."""
    carrier: Any
    """The same number, plus what made k positive."""
    head: Any
    rest: Any
    """log 2 in two parts, of which the first times an exponent is exact."""


def _bits_of(x: Any) -> _Bits:
    double = kind_of(x) is DOUBLE
    real, whole = (np.float64, np.uint64) if double else (np.float32, np.uint32)
    digits, above, width = (52, 1024, 64) if double else (23, 128, 32)
    root = int(real(math.sqrt(0.5)).view(whole)) - (not double)  # rounded as in FreeBSD
    head, rest = (
        ("0x1.62e42feep-1", "0x1.a39ef35793c76p-33")
        if double
        else ("0x1.62e3p-1", "0x1.2fefa2p-17")
    )
    carrier = real(2.0**digits)
    return _Bits(
        whole,
        whole(digits),
        whole((root - (above << digits)) % (1 << width)),
        whole(root),
        whole((1 << digits) - 1),
        whole(int(carrier.view(whole))),
        real(float(carrier) + above),
        real(float.fromhex(head)),
        real(float.fromhex(rest)),
    )


def log(x: float) -> float:
    """The natural logarithm within 1 ulp; only inside compiled functions, as all here."""
    return math.log(x)


@scalar(log)
def _log_of(x: Any) -> Any:
    real = kind_of(x).real
    whole, digits, root, root_bits, fraction, carrier_bits, carrier, head, rest = _bits_of(x)
    series = _r64 if kind_of(x) is DOUBLE else _r32
    least, lift = np.finfo(real).tiny, int(kind_of(x).digits) + 2
    larger, lifted = real(2.0**lift), real(lift)
    zero, one, two, half = real(0), real(1), real(2), real(0.5)
    infinite, nan = real(np.inf), real(np.nan)

    def of_any(x: Any) -> Any:
        small = x < least
        u = x * larger if small else x
        placed = whole(real(u).view(whole) - root)
        k = whole((placed >> digits) | carrier_bits).view(real) - carrier
        k = k - lifted if small else k
        f = whole((placed & fraction) + root_bits).view(real) - one
        s = f / (two + f)
        square = half * f * f
        y = k * head - ((square - (s * (square + series(s * s)) + k * rest)) - f)
        y = y if x < infinite else x
        return y if x > zero or x != x else (-infinite if x == zero else nan)

    return of_any


def log1p(x: float) -> float:
    """log(1 + x) within 1 ulp."""
    return math.log1p(x)


@scalar(log1p)
def _log1p_of(x: Any) -> Any:
    """The logarithm of u = 1 + x, corrected by what the sum has lost, over u."""
    real = kind_of(x).real
    whole, digits, root, root_bits, fraction, carrier_bits, carrier, head, rest = _bits_of(x)
    series = _r64 if kind_of(x) is DOUBLE else _r32
    one, two, half = real(1), real(2), real(0.5)
    zero, infinite, nan = real(0), real(np.inf), real(np.nan)

    def of_any(x: Any) -> Any:
        u = one + x
        placed = whole(real(u).view(whole) - root)
        k = whole((placed >> digits) | carrier_bits).view(real) - carrier
        f = whole((placed & fraction) + root_bits).view(real) - one
        lost = (one - (u - x) if k > one else x - (u - one)) / u
        f, lost = (x, zero) if k == zero else (f, lost)
        s = f / (two + f)
        square = half * f * f
        y = k * head - ((square - (s * (square + series(s * s)) + (k * rest + lost))) - f)
        y = y if x < infinite and x != zero else x
        return y if x > -one or x != x else (-infinite if x == -one else nan)

    return of_any
