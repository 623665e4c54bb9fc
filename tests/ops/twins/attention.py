"""The twin of attention: one query at a time, over the keys that it may attend to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, mask: Array, *, causal: bool, scale: float | None
) -> Array:
    length, size = query.shape[-2:]
    keys = key.shape[-2]
    factor = 1 / math.sqrt(size) if scale is None else scale
    shape = np.broadcast_shapes(
        query.shape[:-2], key.shape[:-2], value.shape[:-2], np.shape(mask)[:-2]
    )
    masks = np.broadcast_to(mask, (*shape, length, keys))
    q, k, v = (np.broadcast_to(x, (*shape, *x.shape[-2:])) for x in (query, key, value))
    out = np.zeros((*shape, length, value.shape[-1]))
    for at in np.ndindex(*shape, length):
        lead, number = at[:-1], at[-1]
        row = masks[at]
        added = np.where(row, 0.0, -np.inf) if row.dtype == bool else row
        open_ = [j for j in range(keys) if added[j] > -np.inf and (j <= number or not causal)]
        scores = [math.fsum(q[at] * k[lead][j]) * factor + added[j] for j in open_]
        for j, score in zip(open_, scores, strict=True):
            share = np.exp(-np.logaddexp.reduce(np.subtract(scores, score)))
            out[at] += share * v[lead][j]
    return out


TWINS = {"scaled_dot_product_attention": scaled_dot_product_attention}
