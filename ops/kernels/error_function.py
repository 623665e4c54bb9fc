"""erf and erfc of any float32 or float64, for compiled loops, in arithmetic that the compiler can vectorise.

For a = |x|, erfc a = e^(−a²) F / (1 + 2a), where F stays between 1 and 1.3: a polynomial in t = (a − 2) / (a + 2)
(M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞, 1981).
The square is computed in two parts: far out, e^(−a²) would lose all the digits that rounding a² loses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.kernels.full_exponential import DOUBLE, exp_of_sum, inlined, kind_of, scalar

# F − 1, by interpolation at Chebyshev's nodes up to where erfc becomes 0
_F64 = (
    0.27697838155252874,
    -0.09276382658574595,
    -0.16603039761529004,
    0.1640512800334347,
    -0.054220000991977366,
    -0.008034015082186974,
    0.008722653873674747,
    0.0012713389625034076,
    -0.001456813912209206,
    -0.0004543408036319984,
    0.00020636686608876628,
    0.00015103903399024609,
    -1.5076993031120835e-06,
    -3.6422747477974886e-05,
    -1.3501568564249724e-05,
    3.7084749370013347e-06,
    5.24708834460664e-06,
    1.51088930384814e-06,
    -7.363507526497156e-07,
    -8.501140063126298e-07,
    -2.1660732254430915e-07,
    1.5999040329384594e-07,
    1.3119516598947733e-07,
    8.059284409608574e-09,
    -2.2285762737171228e-08,
    -6.566186778398118e-09,
)
_F32 = tuple(
    np.float32(c)
    for c in (
        0.2769783915,
        -0.0927639157,
        -0.1660313243,
        0.1640535936,
        -0.05420541611,
        -0.008047373481,
        0.00863850709,
        0.00128016806,
        -0.001250953712,
        -0.000370280981,
        2.299568454e-05,
    )
)
# erf(x)/x − 1 in x², for |x| < 0.65
_G64 = (
    0.12837916709551256,
    -0.3761263890318355,
    0.11283791670939211,
    -0.026866170640301647,
    0.005223977550940325,
    -0.0008548320413496383,
    0.00012054975230412003,
    -1.491362445242006e-05,
    1.6216123999750692e-06,
    -1.3532164374144134e-07,
)
_G32 = tuple(
    np.float32(c) for c in (0.12837915, -0.376124084, 0.112794124, -0.0265718382, 0.00440265983)
)


@inlined
def _f64(t: Any) -> Any:
    c = _F64
    z = t * t
    w = z * z
    p = (c[3] * t + c[2]) * z + (c[1] * t + c[0])
    q = (c[7] * t + c[6]) * z + (c[5] * t + c[4])
    r = (c[11] * t + c[10]) * z + (c[9] * t + c[8])
    s = (c[15] * t + c[14]) * z + (c[13] * t + c[12])
    u = (c[19] * t + c[18]) * z + (c[17] * t + c[16])
    y = (c[23] * t + c[22]) * z + (c[21] * t + c[20])
    v = w * w
    return (((c[25] * t + c[24]) * v + (y * w + u)) * v + (s * w + r)) * v + (q * w + p)


@inlined
def _f32(t: Any) -> Any:
    c = _F32
    z = t * t
    w = z * z
    p = (c[3] * t + c[2]) * z + (c[1] * t + c[0])
    q = (c[7] * t + c[6]) * z + (c[5] * t + c[4])
    return ((c[10] * z + (c[9] * t + c[8])) * w + q) * w + p


@inlined
def _g64(z: Any) -> Any:
    c = _G64
    w = z * z
    v = w * w
    p = (c[3] * z + c[2]) * w + (c[1] * z + c[0])
    q = (c[7] * z + c[6]) * w + (c[5] * z + c[4])
    return ((c[9] * z + c[8]) * v + q) * v + p


@inlined
def _g32(z: Any) -> Any:
    c = _G32
    w = z * z
    return (c[4] * w + (c[3] * z + c[2])) * w + (c[1] * z + c[0])


def _tail(a: float) -> float:
    """Erfc of a number that is not negative."""
    return math.erfc(a)


@scalar(_tail)
def _tail_of(a: Any) -> Any:
    real, whole = kind_of(a)[:2]
    double = kind_of(a) is DOUBLE
    poly = _f64 if double else _f32
    end = real(27.3) if double else real(10.2)
    upper = whole(-(1 << (27 if double else 12)))  # masks the lower half of the digits
    one, two = real(1), real(2)

    def of_any(a: Any) -> Any:
        a = min(a, end)
        short = whole(real(a).view(whole) & upper).view(real)
        rest = (short - a) * (short + a)
        f = poly((a - two) / (a + two))
        return exp_of_sum(-(short * short), rest) * ((f + one) / (one + two * a))

    return of_any


def erfc(x: float) -> float:
    """1 − erf x within 5 ulps, also far on the right; only inside compiled functions, as all here."""
    return math.erfc(x)


@scalar(erfc)
def _erfc_of(x: Any) -> Any:
    two = kind_of(x).real(2)

    def of_any(x: Any) -> Any:
        y = _tail(abs(x))
        return two - y if x < 0 else y

    return of_any


def erf(x: float) -> float:
    """The error function within 2 ulps, and odd: 1 − erfc |x| where that keeps the digits, else by its own series."""
    return math.erf(x)


@scalar(erf)
def _erf_of(x: Any) -> Any:
    real = kind_of(x).real
    series = _g64 if kind_of(x) is DOUBLE else _g32
    one, bound = real(1), real(0.65)

    def of_any(x: Any) -> Any:
        y = one - _tail(abs(x))
        near = min(abs(x), bound)
        inner = x * series(near * near) + x
        return inner if abs(x) < bound else (-y if x < 0 else y)

    return of_any
