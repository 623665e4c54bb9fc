"""Slopes of functions that compute in few digits: polynomials fitted to many values in windows of falling width.

`certified` halves steps until float64 itself is the limit. In float32 the rounding is there from the first step on, and
a function looks flat, or like a staircase, close by. A fit averages over it, and what is left over tells how large it
is: rounding is as large in a window as in a narrower one, while what the polynomial cannot follow, a kink or a bend,
shrinks with the window. Of the windows in which there is but rounding, the one that knows the slope best is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from tracer.checking.certified.certificate import KINK, SMOOTH, Certified
from tracer.checking.certified.search import Evaluate

Array = Any
"""A float64 numpy array. Tables run over windows, nodes and slopes."""

NODES = np.sin(np.linspace(-1, 1, 17) * np.pi / 2)
"""Where a window of half width 1 is looked at."""
WIDTHS = 2.0 ** -np.arange(1.0, 28.0, 2.0)
"""The half widths of the windows, in units of the reach."""
DEGREES = (5, 7)
"""Of the polynomials; what they differ by is what a bend may do."""
SIDED = (2, 3)
"""The same to one side, where there may be a kink."""
SAFETY = 8.0
"""How much larger the bound is than one standard deviation, and twice as large as what degrees differ by."""
SHRINKS = 2.0
"""What is left over in a window is no rounding where it is so many times what is left over in the next narrower one."""


def rounded_slopes(
    evaluate: Evaluate, points: Array, reach: Array, *, unit: float, quanta: Array, alone: bool
) -> tuple[Certified, ...]:
    """The derivatives of many functions R -> R that are computed with a relative spacing `unit`.

    evaluate: see `certify_each`. reach: how wide each is looked at. quanta: how much of a change rounding may hide.
    alone: whether it is a single number that is moved: then its rounding is known, and there may be a kink.

    >>> x = np.array([0.5])
    >>> sine = lambda which, at: np.sin(at.astype(np.float32)).astype(np.float64)
    >>> (slope,) = rounded_slopes(sine, x, x, unit=2.0**-23, quanta=1e-7 * x, alone=True)
    >>> bool(abs(slope.value - np.cos(0.5)) <= slope.bound < 1e-4)
    True
    """
    x, count = np.asarray(points, np.float64), len(points)
    width = WIDTHS[:, None] * reach
    at = x[:, None] + NODES * width[..., None]
    at = _represented(at, unit) if alone else at
    which = np.broadcast_to(np.arange(count)[:, None], at.shape)
    seen = np.array(evaluate(which.reshape(-1), at.reshape(-1)), np.float64).reshape(at.shape)
    here = np.array(evaluate(np.arange(count), x), np.float64)
    with np.errstate(all="ignore"):
        place, rise = (at - x[:, None]) / width[..., None], seen - here[:, None]
        both, left, right = (
            _best(place[..., side], rise[..., side], width, degrees, quanta)
            for side, degrees in ((NODES < 2, DEGREES), (NODES <= 0, SIDED), (NODES >= 0, SIDED))
        )
    calls = len(WIDTHS) * NODES.size + 1
    if not alone:
        left = right = np.full((2, count), np.inf)
    return tuple(_verdict(both[:, k], left[:, k], right[:, k], calls) for k in range(count))


def _verdict(both: Array, left: Array, right: Array, calls: int) -> Certified:
    """What is known of one function, from slopes and bounds: of a fit to both sides, and to each."""
    value, unsure = both.tolist()
    doubt = max(left[1], right[1])
    apart = abs(left[0] - right[0]) if np.isfinite(doubt) else 0.0
    if doubt < apart / 4 and not unsure < apart / 16:
        low, high = float(left[0]), float(right[0])
        return Certified((low + high) / 2, float(doubt), KINK, low, high, calls)
    return Certified(value, unsure, SMOOTH, value, value, calls)


def _best(
    place: Array, rise: Array, width: Array, degrees: tuple[int, int], quanta: Array
) -> Array:
    """Slopes from the windows that know them best, and their bounds: (2, slopes); NaN and infinite where none does."""
    (low, _, _), (high, noise, spread) = (_fitted(place, rise, degree) for degree in degrees)
    size = np.ptp(rise, axis=-1)
    flat = size == 0
    levels = 1 + np.sum(np.diff(np.sort(rise, axis=-1), axis=-1) > 0, axis=-1)
    follows = noise <= SHRINKS * np.maximum(_narrower(noise), 1e-14 * size)
    loud = np.where(flat, 0.0, np.fmax(noise, _narrower(noise)) * spread)
    unsure = (SAFETY * loud + SAFETY / 4 * np.where(flat, 0.0, abs(high - low)) + quanta) / width
    slope = np.where(flat, 0.0, high / width)
    apart = abs(slope - _narrower(slope)) > unsure + _narrower(unsure)
    told = flat | (follows & (levels > place.shape[-1] / 2))
    unsure = np.where(told & ~apart & np.isfinite(unsure * slope), unsure, np.inf)
    row, every = np.argmin(unsure, axis=0), np.arange(unsure.shape[1])
    least = unsure[row, every]
    return np.stack([np.where(np.isfinite(least), slope[row, every], np.nan), least])


def _narrower(table: Array) -> Array:
    """What the next narrower window has; NaN for the narrowest."""
    return np.concatenate([table[1:], np.full((1, table.shape[1]), np.nan)])


def _fitted(place: Array, rise: Array, degree: int) -> tuple[Array, Array, Array]:
    """The slope at 0 of the polynomials that fit best, the noise they leave over, and what the slope makes of noise."""
    usable = np.isfinite(rise).all(axis=-1)
    table = np.where(usable[..., None, None], chebyshev.chebvander(place, degree), 0.0)
    inverse = np.linalg.pinv(table)
    bend = [chebyshev.chebval(0.0, chebyshev.chebder(row)) for row in np.eye(degree + 1)]
    weights = np.einsum("k,...kn->...n", np.array(bend), inverse)
    fitted = np.einsum("...nk,...km,...m->...n", table, inverse, rise)
    freedom = max(place.shape[-1] - degree - 1, 1)
    noise = np.sqrt(np.sum((rise - fitted) ** 2, axis=-1) / freedom)
    slope = np.sum(weights * rise, axis=-1)
    return np.where(usable, slope, np.nan), noise, np.linalg.norm(weights, axis=-1)


def _represented(at: Array, unit: float) -> Array:
    """Numbers rounded to a relative spacing, which is a power of 2."""
    mantissa, exponent = np.frexp(at)
    return np.ldexp(np.rint(mantissa * 2 / unit) * unit / 2, exponent)
