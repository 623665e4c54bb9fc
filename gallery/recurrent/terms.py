"""A shared weight is used once at every time step, and each use adds one term to its gradient."""

from __future__ import annotations

import numpy as np

import tracer as tr
from tracer.plots import Array


def terms(trace: tr.Trace, weight: str) -> dict[int, Array]:
    """What each use of a weight adds to its gradient, by the time step of the use, the last step first."""
    return {
        entry.index: np.asarray(flow.cotangent)
        for flow in trace.flows_into(weight)
        for entry in trace[flow.consumer].scope
        if entry.key == "t" and isinstance(entry.index, int)
    }


def norm(value: object) -> float:
    """The Euclidean norm of all elements; NaN, a gap in a curve, where they are all zero or there are none.

    >>> norm([[3.0], [4.0]]), norm([0.0, 0.0])
    (5.0, nan)
    """
    length = 0.0 if value is None else float(np.linalg.norm(np.ravel(np.asarray(value))))
    return length or np.nan
