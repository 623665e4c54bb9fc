"""Layer and root-mean-square normalisation of the rows of (N, D), forward and backward, a row at a time.

A row lies in the nearest cache while it is summed, squared about its mean, and written. The cotangents of scale and
shift are summed over blocks of rows first, so that errors grow with the number of blocks and not of rows.
"""

from __future__ import annotations

import numpy as np

from ops.kernels.rows import contracted, row_dot, row_slope, row_squares, row_sum, workspace
from ops.primitive import Array

BLOCK = 64
"""How many rows are summed before they are merged with those before them."""


@contracted
def layer_forward(
    x: Array, gamma: Array, beta: Array, eps: float, y: Array, mean: Array, inv_std: Array
) -> None:
    """x, y: (N, D). gamma, beta: (D,). mean, inv_std: (N,). Overwrites y, mean and inv_std."""
    rows, size = x.shape
    number = x.dtype.type
    work = workspace(3, size, x)
    scale, shift, t = work[0, :size], work[1, :size], work[2, :size]
    for j in range(size):
        scale[j] = gamma[j]
    for j in range(size):
        shift[j] = beta[j]
    share, least = number(1) / number(size), number(eps)
    for i in range(rows):
        p, o = x[i], y[i]
        centre = row_sum(p, t) * share
        inverse = number(1) / np.sqrt(row_squares(p, centre, t) * share + least)
        for j in range(size):
            o[j] = (p[j] - centre) * inverse * scale[j] + shift[j]
        mean[i] = centre
        inv_std[i] = inverse


@contracted
def layer_backward(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    inv_std: Array,
    centred: bool,
    by_x: Array,
    by_gamma: Array,
    by_beta: Array,
) -> None:
    """g, x, by_x: (N, D). mean, inv_std: (N,). The others: (D,). Overwrites by_x, by_gamma and by_beta.

    centred: whether the statistics hold a mean, as layer_norm's do; of rms_norm, mean is all 0.
    """
    rows, size = x.shape
    number = x.dtype.type
    work = workspace(4, size, x)
    scale, part, parts, t = work[0, :size], work[1, :size], work[2, :size], work[3, :size]
    for j in range(size):
        scale[j] = gamma[j]
    for j in range(size):
        by_gamma[j] = 0
    for j in range(size):
        by_beta[j] = 0
    share = number(1) / number(size)
    for low in range(0, rows, BLOCK):
        for j in range(size):
            part[j] = 0
        for j in range(size):
            parts[j] = 0
        for i in range(low, min(rows, low + BLOCK)):
            p, d, o = x[i], g[i], by_x[i]
            centre, inverse = mean[i], inv_std[i]
            for j in range(size):
                part[j] += d[j] * ((p[j] - centre) * inverse)
                parts[j] += d[j]
            lean = row_dot(d, scale, t) * share if centred else number(0)
            tilt = row_slope(d, scale, p, centre, t) * (share * inverse * inverse)
            for j in range(size):
                o[j] = (d[j] * scale[j] - lean - (p[j] - centre) * tilt) * inverse
        for j in range(size):
            by_gamma[j] += part[j]
        for j in range(size):
            by_beta[j] += parts[j]


@contracted
def rms_forward(x: Array, gamma: Array, eps: float, y: Array, inv_rms: Array) -> None:
    """x, y: (N, D). gamma: (D,). inv_rms: (N,). Overwrites y and inv_rms."""
    rows, size = x.shape
    number = x.dtype.type
    work = workspace(2, size, x)
    scale, t = work[0, :size], work[1, :size]
    for j in range(size):
        scale[j] = gamma[j]
    share, least = number(1) / number(size), number(eps)
    for i in range(rows):
        p, o = x[i], y[i]
        inverse = number(1) / np.sqrt(row_squares(p, number(0), t) * share + least)
        for j in range(size):
            o[j] = p[j] * inverse * scale[j]
        inv_rms[i] = inverse
