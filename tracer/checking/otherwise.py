"""A trace run again with other numbers in what it learns: what holds there too is no coincidence of these inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tracer.errors import GradstepError
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""

MOVED = 0.3
"""How far numbers are moved, as a part of their size."""
TRIES = 8
"""Draws of other numbers, of which some leave what a logarithm or a guard allows."""


def other_runs(
    trace: Trace, count: int, *, seed: int = 0, usable: Callable[[Trace], bool] = lambda _: True
) -> Iterator[Trace]:
    """Replays with other numbers in the tracked leaves, by the same path of control; so many at most.

    usable: whether a replay will do; it may raise a `GradstepError` where it will not.

    >>> import tracer as tr
    >>> x = tr.tensor(2.0, name="x")
    >>> [run.gradient("x") == 2 * run.value("x") != 4 for run in other_runs(tr.trace(x * x), 2)]
    [np.True_, np.True_]
    """
    rng = np.random.default_rng(seed)
    leaves = np.flatnonzero((trace.op_of < 0) & trace.tracked).tolist()
    found = 0
    for draw in range(TRIES):
        moved = {k: _moved(trace.value(k), rng, MOVED / (1 + draw)) for k in leaves}
        try:
            with np.errstate(all="ignore"):
                run = trace.replay(moved)
                good = not run.flipped and usable(run)
        except GradstepError:
            continue
        if good:
            yield run
            found += 1
        if found == count:
            return


def _moved(value: Array, rng: np.random.Generator, share: float) -> Array:
    """Other numbers of the same size and sign, so that a logarithm still has one."""
    value = np.asarray(value, np.float64)
    factor = 1 + share * rng.uniform(-1, 1, value.shape)
    return np.where(value == 0, share * rng.uniform(-1, 1, value.shape), value * factor)[()]
