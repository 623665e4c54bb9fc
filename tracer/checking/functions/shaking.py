"""What rounding does to a kernel, seen by moving what goes in by a unit in the last place; and what changes nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tracer.checking.judge import EXACT
from tracer.checking.rounding import largest

from .arrays import dtype_name, float64, is_float, like
from .manners import gradients_of
from .pairs import Kernel, Projected

Array = Any
"""A numpy array or numpy scalar."""

SHAKES = 3
"""How often everything is moved."""
FAR = (3.0, -3.0, 0.3, -0.3)
"""How far an argument is moved to see whether the output depends on it at all, times its size."""
ROOM = 64.0
"""So many times the rounding close by may the output differ far away, and count as the same."""


def nudged(x: Array, unit: float, rng: np.random.Generator) -> Array:
    """Every number moved up or down by a unit in the last place; 0 stays."""
    signs = rng.choice((-1.0, 1.0), np.shape(x))
    moved = np.nextafter(x, signs * np.inf) if unit == EXACT else x * (1 + unit * signs)
    return np.where(x == 0, x, moved)


class Shaken(NamedTuple):
    """The gradients of nearly the same arguments, for nearly the same g, times a number near 1."""

    factor: float
    gradients: tuple[Any, ...]


def shaken(
    kernel: Kernel,
    args: Sequence[Any],
    cotangents: Sequence[Array],
    unit: float,
    rng: np.random.Generator,
) -> list[Shaken]:
    """The gradients when every float argument is moved by a unit in the last place, a few times, and g too.

    g is multiplied by a number near 1 besides, and so has other last digits: where backward spreads one number of g
    over a batch, all of it is rounded alike, and a unit in the last place would hardly show.
    """

    def moved(arg: Any) -> Any:
        if not is_float(arg):
            return arg
        return like(arg, nudged(float64(arg), unit, rng), dtype_name(arg))

    found = []
    for _ in range(SHAKES):
        factor = 1 + math.sqrt(unit) * rng.uniform(0.5, 1.5)
        g = [nudged(factor * each, unit, rng) for each in cotangents]
        found.append(Shaken(factor, gradients_of(kernel, [moved(arg) for arg in args], g)))
    return found


def moves(gradients: Sequence[Any], others: Sequence[Shaken], k: int) -> tuple[Array, ...]:
    """How far rounding moves the gradient of argument k; nothing where there is none."""
    if gradients[k] is None:
        return ()
    here, found = float64(gradients[k]), []
    with np.errstate(all="ignore"):
        for other in others:
            there = other.gradients[k]
            if there is not None and np.shape(there) == here.shape:
                found.append(np.nan_to_num(float64(there) / other.factor - here))
    return tuple(found)


def is_constant(function: Projected, x: Array, unit: float, rng: np.random.Generator) -> bool:
    """Whether a function is the same, but for rounding, wherever its argument is moved to.

    A function that is flat at x only, as at a minimum or behind a dead ReLU, is another one further away.
    """
    here = function(x)
    close = [function(nudged(x, unit, rng)) - here for _ in range(SHAKES)]
    reach = np.maximum(abs(x), 1.0)
    far = [
        function(x + t * reach * rng.uniform(-1.0, 1.0, np.shape(x))) - here for t in (*FAR, *FAR)
    ]
    seen = [abs(change) for change in far if math.isfinite(change)]
    rounding = max(largest(np.array(close)), unit * abs(here))
    return bool(seen) and max(seen) <= ROOM * rounding
