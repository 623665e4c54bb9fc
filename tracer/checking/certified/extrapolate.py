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
POLYNOMIALS = np.linalg.qr(np.vander(STENCIL / 211, increasing=True))[0].T
"""Orthogonal polynomials on the stencil: a row for each degree."""
COLUMNS = 8
"""Columns of Richardson's table: more gain nothing in float64."""


def limit(estimates: Array, error: Array, *, power: int, stride: int) -> tuple[Array, Array]:
    """Richardson's limit of estimates at steps h, h/2, h/4 ... with errors in h^power, h^(power + stride) ...

    estimates, and the error of each from noise: float (steps, elements), NaN where there is none.
    Returns the limit and how unsure it is, float (elements,): the entry of the table that differs least from the two
    entries it is made of, noise included. An entry whose finer neighbour is much less sure agrees by chance and is not
    trusted, so at least three estimates are needed; with fewer the limit is NaN, and infinitely unsure.
    """
    everyone = np.arange(estimates.shape[1])
    best, least = np.full(everyone.size, math.nan), np.full(everyone.size, math.inf)
    for column in range(min(COLUMNS, len(estimates) - 2)):
        factor = 2.0 ** (power + stride * column)
        finer, coarser = estimates[1:], estimates[:-1]
        estimates = finer + (finer - coarser) / (factor - 1)
        error = error[1:] + (error[1:] + error[:-1]) / (factor - 1)
        unsure = np.maximum(abs(estimates - finer), abs(estimates - coarser)) + error
        unsure = np.where(np.isfinite(unsure), unsure, math.inf)
        trusted = np.maximum(unsure[:-1], unsure[1:] / 2)
        row = np.argmin(trusted, axis=0)
        won = trusted[row, everyone] < least
        best[won], least[won] = estimates[row, everyone][won], trusted[row, everyone][won]
    return best, least


def noise_level(values: Array) -> Array:
    """The standard deviation of the round-off in functions, from their values at the points of `STENCIL`.

    values: float (9, elements). The coefficients of a smooth function in orthogonal polynomials fall with the degree,
    those of noise do not: the level is read off where the tails from three degrees on agree within a factor 4, as
    ECNoise does with differences (Moré & Wild 2011). 0 if none do.

    >>> x = 0.5 + 1e-8 * STENCIL[:, None]
    >>> bool(1e-10 < noise_level(np.sin(x) + 1e-9 * np.cos(1e9 * x))[0] < 1e-8)
    True
    """
    size = np.maximum(abs(values).max(axis=0), np.finfo(np.float64).tiny)
    squares = (POLYNOMIALS @ (values / size)) ** 2
    tails = np.array([np.sqrt(squares[k:].mean(axis=0)) for k in range(1, len(squares) - 1)])
    level = np.zeros(values.shape[1])
    for k in reversed(range(len(tails) - 2)):
        trio = tails[k : k + 3]
        level = np.where(trio.max(axis=0) <= 4 * trio.min(axis=0), trio[0], level)
    return level * size
