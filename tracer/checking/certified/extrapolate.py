"""Two tools of numerical differentiation: the limit of estimates at falling steps, and the noise level of a function.

Both work on tables: the first axis runs over steps or points, the second over elements, so that many functions are
treated at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
"""A float64 numpy array."""

STENCIL = np.array([-211.0, -164.0, -103.0, -46.0, 0.0, 53.0, 123.0, 159.0, 198.0])
"""Points around 0 at which noise is measured: at uneven distances, lest a rounded function look smooth by chance; whole
numbers, so that they can be added to x without rounding once they are scaled by a power of 2."""
FINE = np.array([-216301, -167834, -105517, -47126, 0, 54277, 125931, 162839, 202787]) * 1.0
"""Nearly the same points, times 1024, where x has bits enough: whole numbers that hardly fit a common grid. On a coarse
one, slope times spacing is now and then a whole multiple of what f is rounded to, and all its rounding alike."""
COLUMNS = 8
"""Columns of Richardson's table: more gain nothing in float64."""


def limit(
    estimates: Array, error: Array, *, power: int, stride: int, contradicted: bool = False
) -> tuple[Array, Array]:
    """Richardson's limit of estimates at steps h, h/2, h/4 ... with errors in h^power, h^(power + stride) ...

    estimates, and the error of each from noise: float (steps, elements), NaN where there is none.
    Returns the limit and how unsure it is, float (elements,): the entry of the table that differs least from the two
    entries it is made of, noise included. An entry whose finer neighbour is much less sure agrees by chance and is not
    trusted, so at least three estimates are needed; with fewer the limit is NaN, and infinitely unsure.
    contradicted: nor trust an entry that the estimates at finer steps contradict. Where f is resolved they lie closer
    to the limit than those it is made of; steps that all reach far over something narrow agree without knowing it.
    """
    everyone = np.arange(estimates.shape[1])
    best, least = np.full(everyone.size, math.nan), np.full(everyone.size, math.inf)
    raw = estimates
    # what the estimates at finer steps say that the limit is at least, and at most
    low = np.fmax.accumulate((raw - error)[::-1])[::-1]
    high = np.fmin.accumulate((raw + error)[::-1])[::-1]
    for column in range(min(COLUMNS, len(raw) - 2)):
        factor = 2.0 ** (power + stride * column)
        finer, coarser = estimates[1:], estimates[:-1]
        estimates = finer + (finer - coarser) / (factor - 1)
        error = error[1:] + (error[1:] + error[:-1]) / (factor - 1)
        unsure = np.maximum(abs(estimates - finer), abs(estimates - coarser)) + error
        unsure = np.where(np.isfinite(unsure), unsure, math.inf)
        trusted = np.maximum(unsure[:-1], unsure[1:] / 2)
        kept = estimates[:-1]
        if contradicted:
            away = abs(kept - raw[column + 1 : -1])
            outside = np.fmax(low[column + 2 :] - kept, kept - high[column + 2 :]) - away
            trusted = np.maximum(trusted, np.where(np.isnan(outside), 0, outside))
        row = np.argmin(trusted, axis=0)
        won = trusted[row, everyone] < least
        best[won], least[won] = kept[row, everyone][won], trusted[row, everyone][won]
    return best, least


def tangent(values: Array, offsets: Array, error: Array) -> tuple[Array, Array]:
    """The slope at 0 of parabolas through the middle of a stencil, and how unsure it is: float (elements,) each.

    values, offsets: float (9, elements), 0 in the middle. error: of the values, float (elements,). The parabola through
    the next points is compared with one through points about twice as far: errors grow with the square of the width.

    >>> at = 1e-3 * STENCIL[:, None]
    >>> slope, unsure = tangent(np.sin(at), at, np.array([1e-16]))
    >>> bool(abs(slope[0] - 1) < unsure[0] < 0.02)
    True
    """
    slopes = []
    for inner in (1, 2):
        a, b = -offsets[4 - inner], offsets[4 + inner]
        below, here, above = values[4 - inner], values[4], values[4 + inner]
        slopes.append(((above - here) * a * a + (here - below) * b * b) / (a * b * (a + b)))
    near, far = slopes
    return near, abs(far - near) + 4 * error / np.minimum(-offsets[3], offsets[5])


def _polynomials(stencil: Array) -> Array:
    """Orthogonal polynomials on a stencil: a row for each degree."""
    return np.asarray(np.linalg.qr(np.vander(stencil / stencil.max(), increasing=True))[0].T)


_ON_STENCIL, _ON_FINE = _polynomials(STENCIL), _polynomials(FINE)


def noise_level(values: Array, *, fine: bool = False) -> Array:
    """The standard deviation of the round-off in functions, from their values at the points of `STENCIL`, or `FINE`.

    values: float (9, elements). The coefficients of a smooth function in orthogonal polynomials fall with the degree,
    those of noise do not: the level is read off where the tails from three degrees on agree within a factor 4, as
    ECNoise does with differences (Moré & Wild 2011). 0 if none do.

    >>> x = 0.5 + 1e-8 * STENCIL[:, None]
    >>> bool(1e-10 < noise_level(np.sin(x) + 1e-9 * np.cos(1e9 * x))[0] < 1e-8)
    True
    """
    size = np.maximum(abs(values).max(axis=0), np.finfo(np.float64).tiny)
    squares = ((_ON_FINE if fine else _ON_STENCIL) @ (values / size)) ** 2
    tails = np.array([np.sqrt(squares[k:].mean(axis=0)) for k in range(1, len(squares) - 1)])
    level = np.zeros(values.shape[1])
    for k in reversed(range(len(tails) - 2)):
        trio = tails[k : k + 3]
        level = np.where(trio.max(axis=0) <= 4 * trio.min(axis=0), trio[0], level)
    return level * size


def unit_of(around: Array, others: Array) -> Array:
    """The relative spacing of the numbers in which functions are computed, by how many bits their values have.

    around: float (9, elements), the values on a stencil whose points have many bits, so that those of a function in
    float64 have too. others: float (steps, elements). Where the values on the stencil are all equal, only float32 is
    recognised. A spacing finer than 2⁻⁴⁰ counts as that of float64, and one coarser than 2⁻¹⁰ is none.

    >>> x = 0.5 + 1e-7 * FINE[:, None]
    >>> unit_of(np.sin(x), np.sin(x)), unit_of(np.float64(np.sin(np.float32(x))), x[:0])
    (array([2.22044605e-16]), array([1.1920929e-07]))
    """
    values = np.concatenate([around, others])
    mantissas = np.frexp(np.where(np.isfinite(values), values, 0))[0]
    whole = (abs(mantissas) * 2.0**53).astype(np.int64)
    lowest = np.where(whole > 0, whole & -whole, 2**53).min(
        axis=0
    )  # the last bit that any of them has
    single = (lowest >= 2**28) & (lowest <= 2**31)
    coarse = (lowest >= 2**13) & (lowest <= 2**42) & ((np.ptp(around, axis=0) > 0) | single)
    return np.where(coarse, 2.0 ** (np.log2(lowest) - 52), np.finfo(np.float64).eps)
