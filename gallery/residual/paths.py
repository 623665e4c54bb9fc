"""The paths by which a gradient reaches a node, each with what it brings: the terms of the lecture's sums."""

from __future__ import annotations

import numpy as np

import tracer as tr
from tracer.plots import Array


def paths(trace: tr.Trace, name: str) -> tuple[Array, ...]:
    """What each path brings to a node, from where its paths part; the one that enters it first comes first.

    A single array where there is one path only: the gradient itself.

    >>> x = tr.tensor(3.0, name="x")
    >>> [float(each) for each in paths(tr.trace(tr.square(x) + x), "x")]
    [6.0, 1.0]
    """
    from tracer.insight.routes import (
        contribution,
        meetings,
        routes_between,
    )  # only where it is asked for

    source = trace.node_index(name)
    parted = next((each for each in meetings(trace, source) if each.routes > 1), None)
    if parted is None:
        return (_gradient(trace, source),)
    return tuple(contribution(trace, each) for each in routes_between(trace, parted, source))


def left_over(trace: tr.Trace, name: str) -> Array:
    """The sum of the paths to a node less its recorded gradient: zero, but for rounding."""
    return np.sum(paths(trace, name), axis=0) - _gradient(trace, trace.node_index(name))


def _gradient(trace: tr.Trace, node: int) -> Array:
    gradient = trace.gradient(node)
    assert gradient is not None
    return np.asarray(gradient)
