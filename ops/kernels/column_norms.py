"""Batch normalisation of (N, D) by columns, forward and backward, in few passes over memory.

The statistics are as accurate as in two passes, and more: blocks of rows are summed, and squared about their own mean
while they lie in the cache, and merged by the formula of Chan, Golub & LeVeque (1979), so that errors grow with the
number of blocks and not of rows. All are sums of x less its first row. Each loop writes one row and reads few, for the
reason that `ops.kernels.rows` gives.
"""

from __future__ import annotations

import numpy as np

from ops.kernels.rows import contracted, to_line, workspace
from ops.primitive import Array

BLOCK = 64
"""How many rows are summed before they are merged with those before them."""


@contracted
def _sum_rows(x: Array, low: int, high: int, first: int, end: int, total: Array) -> None:
    """total: overwritten by the sum of the rows low to high of x, in its columns first to end."""
    size = end - first
    for j in range(size):
        total[j] = 0
    i = low
    while i + 4 <= high:
        p0, p1, p2, p3 = (
            x[i, first:end],
            x[i + 1, first:end],
            x[i + 2, first:end],
            x[i + 3, first:end],
        )
        for j in range(size):
            total[j] += (p0[j] + p1[j]) + (p2[j] + p3[j])
        i += 4
    while i < high:
        p0 = x[i, first:end]
        for j in range(size):
            total[j] += p0[j]
        i += 1


@contracted
def _sum_apart(
    x: Array, low: int, high: int, first: int, end: int, origin: Array, total: Array
) -> None:
    """total: overwritten by the sum of x − origin over those rows and columns."""
    size = end - first
    for j in range(size):
        total[j] = 0
    i = low
    while i + 4 <= high:
        p0, p1, p2, p3 = (
            x[i, first:end],
            x[i + 1, first:end],
            x[i + 2, first:end],
            x[i + 3, first:end],
        )
        for j in range(size):
            d0, d1, d2, d3 = (
                p0[j] - origin[j],
                p1[j] - origin[j],
                p2[j] - origin[j],
                p3[j] - origin[j],
            )
            total[j] += (d0 + d1) + (d2 + d3)
        i += 4
    while i < high:
        p0 = x[i, first:end]
        for j in range(size):
            total[j] += p0[j] - origin[j]
        i += 1


@contracted
def _sum_squares(
    x: Array, low: int, high: int, first: int, end: int, centre: Array, total: Array
) -> None:
    """total: overwritten by the sum of (x − centre)² over those rows and columns."""
    size = end - first
    for j in range(size):
        total[j] = 0
    i = low
    while i + 4 <= high:
        p0, p1, p2, p3 = (
            x[i, first:end],
            x[i + 1, first:end],
            x[i + 2, first:end],
            x[i + 3, first:end],
        )
        for j in range(size):
            d0, d1 = p0[j] - centre[j], p1[j] - centre[j]
            d2, d3 = p2[j] - centre[j], p3[j] - centre[j]
            total[j] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        i += 4
    while i < high:
        p0 = x[i, first:end]
        for j in range(size):
            d = p0[j] - centre[j]
            total[j] += d * d
        i += 1


@contracted
def _sum_products(
    g: Array, x: Array, low: int, high: int, first: int, end: int, centre: Array, total: Array
) -> None:
    """total: overwritten by the sum of g (x − centre) over those rows and columns."""
    size = end - first
    for j in range(size):
        total[j] = 0
    i = low
    while i + 2 <= high:
        p0, p1, g0, g1 = x[i, first:end], x[i + 1, first:end], g[i, first:end], g[i + 1, first:end]
        for j in range(size):
            total[j] += g0[j] * (p0[j] - centre[j]) + g1[j] * (p1[j] - centre[j])
        i += 2
    if i < high:
        p0, g0 = x[i, first:end], g[i, first:end]
        for j in range(size):
            total[j] += g0[j] * (p0[j] - centre[j])


@contracted
def batch_forward(
    x: Array, gamma: Array, beta: Array, eps: float, y: Array, mean: Array, inv_std: Array
) -> None:
    """x, y: (N, D). gamma, beta, mean, inv_std: (D,). Overwrites y, mean and inv_std."""
    head, size = to_line(x), x.shape[1]
    work = workspace(7, size, x)
    if head:
        _forward_columns(x, 0, head, gamma, beta, eps, y, mean, inv_std, work)
    _forward_columns(x, head, size, gamma, beta, eps, y, mean, inv_std, work)


@contracted
def _forward_columns(
    x: Array,
    first: int,
    end: int,
    gamma: Array,
    beta: Array,
    eps: float,
    y: Array,
    mean: Array,
    inv_std: Array,
    work: Array,
) -> None:
    """The same for the columns first to end. work: (7, D), overwritten.

    The mean is the first row and a small `centre`: beside a large mean a small deviation keeps its digits.
    """
    rows, size = x.shape[0], end - first
    number = x.dtype.type
    total, part, centre, squares, scale, shift, origin = (
        work[0], work[1], work[2], work[3], work[4], work[5], work[6],
    )  # fmt: skip
    for j in range(size):
        origin[j] = x[0, first + j]
    for j in range(size):
        centre[j] = 0
    for j in range(size):
        squares[j] = 0
    for low in range(0, rows, BLOCK):
        high = min(rows, low + BLOCK)
        _sum_apart(x, low, high, first, end, origin, total)
        share = number(1) / number(high - low)
        for j in range(size):
            total[j] *= share
        for j in range(size):
            shift[j] = origin[j] + total[j]
        _sum_squares(x, low, high, first, end, shift, part)
        weight = number(high - low) / number(high)
        cross = number(low) * weight
        for j in range(size):
            apart = total[j] - centre[j]
            centre[j] += apart * weight
            squares[j] += part[j] + apart * (apart * cross)  # not ∞ · 0 in the first block
    share, least = number(1) / number(rows), number(eps)
    for j in range(size):
        scale[j] = number(1) / np.sqrt(squares[j] * share + least)
    for j in range(size):
        inv_std[first + j] = scale[j]
    for j in range(size):
        mean[first + j] = origin[j] + centre[j]
    for j in range(size):
        scale[j] *= gamma[first + j]
    for j in range(size):
        shift[j] = beta[first + j] - centre[j] * scale[j]
    for i in range(rows):  # not backwards: then LLVM's check for overlaps would always fail
        p, o = x[i, first:end], y[i, first:end]
        for j in range(size):
            o[j] = (p[j] - origin[j]) * scale[j] + shift[j]


@contracted
def batch_backward(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    inv_std: Array,
    by_x: Array,
    by_gamma: Array,
    by_beta: Array,
) -> None:
    """g, x, by_x: (N, D); all others (D,). Overwrites by_x, by_gamma and by_beta."""
    head, size = to_line(x), x.shape[1]
    work = workspace(6, size, x)
    if head:
        _backward_columns(g, x, 0, head, gamma, mean, inv_std, by_x, by_gamma, by_beta, work)
    _backward_columns(g, x, head, size, gamma, mean, inv_std, by_x, by_gamma, by_beta, work)


@contracted
def _backward_columns(
    g: Array,
    x: Array,
    first: int,
    end: int,
    gamma: Array,
    mean: Array,
    inv_std: Array,
    by_x: Array,
    by_gamma: Array,
    by_beta: Array,
    work: Array,
) -> None:
    """The same for the columns first to end. work: (6, D), overwritten."""
    rows, size = x.shape[0], end - first
    number = x.dtype.type
    total, part, centre, lean, tilt, scale = (
        work[0], work[1], work[2], work[3], work[4], work[5],
    )  # fmt: skip
    for j in range(size):
        centre[j] = mean[first + j]
    for j in range(size):
        lean[j] = 0
    for j in range(size):
        tilt[j] = 0
    for low in range(0, rows, BLOCK):
        high = min(rows, low + BLOCK)
        _sum_rows(g, low, high, first, end, total)
        _sum_products(g, x, low, high, first, end, centre, part)
        for j in range(size):
            lean[j] += total[j]
        for j in range(size):
            tilt[j] += part[j]
    share = number(1) / number(rows)
    for j in range(size):
        by_beta[first + j] = lean[j]
    for j in range(size):
        tilt[j] *= inv_std[first + j]
    for j in range(size):
        by_gamma[first + j] = tilt[j]
    for j in range(size):
        scale[j] = gamma[first + j] * inv_std[first + j]
    for j in range(size):
        lean[j] *= share
    for j in range(size):
        tilt[j] *= share * inv_std[first + j]
    for i in range(rows):
        p, d, o = x[i, first:end], g[i, first:end], by_x[i, first:end]
        for j in range(size):
            o[j] = scale[j] * ((d[j] - lean[j]) - (p[j] - centre[j]) * tilt[j])
