"""Which elements of a claimed gradient are certified: all of a small one; of a large one the most suspect."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from tracer.checking.certified.certify import certify_direction
from tracer.checking.numerical import Context, Measured, certified, measure
from tracer.checking.rounding import SHAKES, shake
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""

ALL = 512
"""Of an array of so many elements every one is certified."""
SUSPECTS = 48
"""Elements of a larger one at which the hand's numbers differ most from the automatic ones."""
SAMPLE = 48
"""Elements of a larger one drawn at random."""
DIRECTIONS = 8
"""Random signed directions through all elements of a larger one."""


def shaken(trace: Trace, twin: Trace, rng: np.random.Generator) -> tuple[Trace, ...]:
    """Replays with the inputs moved by rounding: of a float32 trace by that of float32, in which its inputs are given.

    So a derivation may use that the rows of the targets sum to 1, although in float32 they nearly do.
    """
    if twin is trace:
        return shake(twin, rng)
    return tuple(_moved(trace, twin, rng) for _ in range(SHAKES))


def _moved(trace: Trace, twin: Trace, rng: np.random.Generator) -> Trace:
    moved: dict[int | str, Array] = {}
    for k in np.flatnonzero(trace.op_of < 0).tolist():
        value = trace.value(k)
        if value.dtype.kind == "f":
            towards = rng.choice((-np.inf, np.inf), np.shape(value)).astype(value.dtype)
            near = np.where(value == 0, value, np.nextafter(value, towards))
            moved[k] = near.astype(np.float64)[()]
    return twin.replay(moved)


def looked_at(size: int, elements: int | None) -> int:
    """How many elements of an array of that size are looked at; see `measured`."""
    if elements is not None:
        return min(elements, size)
    return size if size <= ALL else SUSPECTS + SAMPLE


def measured(
    function: Callable[[Array], float],
    x: Array,
    context: Context,
    claims: Sequence[Array],
    *,
    elements: int | None,
    rng: np.random.Generator,
    executor: Executor | None = None,
) -> Measured:
    """Certify the derivatives of a scalar function at x, where they matter for the claims about them.

    The automatic gradient only says where to look: the verdict is by certified numbers, and random directions through
    all elements tell whether anything is wrong where nobody looked. elements: so many at most, half of them the most
    suspect, and no directions.
    """
    x = np.asarray(x, np.float64)
    few = elements is not None and elements < x.size
    if not few and (elements is not None or x.size <= ALL):
        return measure(function, x, elements=elements, rng=rng, executor=executor)
    suspect, sample, along = SUSPECTS, SAMPLE, DIRECTIONS
    if few and elements is not None:
        suspect, sample, along = (elements + 1) // 2, elements // 2, 0
    off = np.zeros(x.size)
    automatic = np.asarray(context.automatic, np.float64).reshape(-1)
    for claim in claims:
        with np.errstate(all="ignore"):
            apart = abs(np.asarray(claim, np.float64).reshape(-1) - automatic)
        off = np.maximum(off, np.where(np.isnan(apart), math.inf, apart))
    suspects = np.argsort(-off, kind="stable")[:suspect]
    drawn = rng.choice(x.size, size=sample, replace=False)
    flat = np.unique(np.concatenate([suspects, drawn]))
    reach, noise = np.maximum(abs(x), 0.25), getattr(function, "noise", None)
    directions = tuple(rng.choice((-1.0, 1.0), x.shape) * reach for _ in range(along))
    return Measured(
        shape=x.shape,
        elements=flat,
        slopes=certified(function, x, flat, executor, noise),
        directions=directions,
        along=tuple(certify_direction(function, x, direction, noise) for direction in directions),
    )
