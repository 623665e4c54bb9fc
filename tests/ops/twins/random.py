"""The twin of dropout: one element at a time, with Python's integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.random import hash64

Array = Any


def dropout(x: Array, *, p: float, form: str, seed: int) -> Array:
    out = np.zeros(np.shape(x))
    for k, value in enumerate(np.ravel(x).tolist()):
        share = (hash64(seed, k) >> 11) / 2**53
        if share < (p if form == "lecture" else 1 - p):
            out.reshape(-1)[k] = value if form == "lecture" else value / (1 - p)
    return out


TWINS = {"dropout": dropout}
