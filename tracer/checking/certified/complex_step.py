"""The complex step: Im f(x + ih) / h, a derivative without a difference, and so without what cancels in one.

f'(x) = Im f(x + ih)/h + h² f'''(x)/6 − ...        (Squire & Trapp 1998; Martins, Sturdza & Alonso 2003)

With h far below the square root of the smallest relative spacing nothing is left of the error in h, and what remains is
the rounding of the derivative itself. It needs a graph whose every operation takes complex numbers and is analytic
around what was recorded; which ones do is told per primitive (`tracer.lanes.ANALYTIC`) and held against certified
numbers by a generated test. It only ever sharpens a derivative that differences have certified, and only if both agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from .certificate import Certified
from .certify import chunks
from .extrapolate import FINE, noise_level
from .search import SAFETY, ULP

Array = Any
"""A numpy array."""

STEP, OTHER_STEP = 2.0**-330, 2.0**-100
"""Two steps, as a share of the size of x: where numbers underflow, or h² counts, the two disagree."""
SPREAD = 3217 * 2.0**-52
"""The unit of the stencil where the rounding of the derivative is measured, as a share of the size of x: no power of 2,
lest it be a multiple of what is rounded to."""
LEAST = 8.0
"""Units in the last place of the derivative that are always allowed for."""
EVALUATIONS = len(FINE) + 1


class Analytic(Protocol):
    """A function that can be evaluated at many complex values."""

    def complex_many(self, values: Array) -> Array | None:
        """complex (lanes, *shape) to complex (lanes,); None where the function is not analytic."""


def sharpened(
    function: Analytic,
    start: Array,
    flat: Array,
    slopes: Sequence[Certified],
    *,
    beyond: float = 0.0,
) -> tuple[Certified, ...]:
    """The certified derivatives by those elements (flat numbers), by a complex step where that has the lower bound.

    beyond: leave alone what is known to within this already, relative to the largest of them.
    """
    found = list(slopes)
    known = beyond * max((abs(slope.value) for slope in slopes if slope.differentiable), default=0)
    wanted = [
        k
        for k, slope in enumerate(slopes)
        if slope.differentiable and not (beyond and slope.bound <= known)
    ]
    for some in chunks(wanted, function, start, EVALUATIONS):
        numbers = _numbers(function, start, flat[some])
        if numbers is None:
            return tuple(found)
        for k, value, bound in zip(some, *numbers, strict=True):
            before = found[k]
            agree = abs(value - before.value) <= bound + before.bound
            if agree and bound < before.bound:
                calls = before.evaluations + EVALUATIONS
                found[k] = replace(
                    before,
                    value=float(value),
                    bound=float(bound),
                    left=float(value),
                    right=float(value),
                    evaluations=calls,
                    complex_step=True,
                )
    return tuple(found)


def _numbers(function: Analytic, start: Array, flat: Array) -> tuple[Array, Array] | None:
    """Derivative and bound for each of these elements, NaN and inf where there is none; None if f is not analytic.

    The derivative is taken at the points of a stencil around x: what does not follow a smooth curve there is rounding.
    How it moves when x does, by a unit in the last place, is added, as differences have it too.
    """
    x = start.reshape(-1)[flat]
    size = np.maximum(abs(x), 0.25)
    near = size * SPREAD
    offsets = np.concatenate([[0.0], FINE])[:, None] * near
    steps = np.concatenate([[OTHER_STEP], np.full(len(FINE), STEP)])[:, None] * size
    points = np.repeat(start[None].astype(np.complex128), offsets.size, axis=0)
    at = np.tile(flat, len(offsets))
    points.reshape(offsets.size, -1)[np.arange(offsets.size), at] = (
        x + offsets + 1j * steps
    ).ravel()
    with np.errstate(all="ignore"):
        seen = function.complex_many(points)
        if seen is None:
            return None
        rates = np.imag(seen).reshape(offsets.shape) / steps
        other, around = rates[0], rates[1:]
        value = around[FINE == 0][0]
        curve = np.ptp(around, axis=0) / (np.ptp(FINE) * near)
        rounding = 4 * noise_level(around, fine=True) + abs(other - value)
        bound = SAFETY * rounding + LEAST * ULP * (abs(value) + abs(x * curve))
    known = np.isfinite(value) & np.isfinite(bound)
    return np.where(known, value, math.nan), np.where(known, bound, math.inf)
