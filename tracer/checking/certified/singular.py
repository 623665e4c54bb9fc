"""Points where a function has no derivative, recognised from its values at falling steps to both sides.

In every function here `above`, `below` are f(x + h), f(x - h) and `error` how far each may be off, `step` the h: float
(steps, elements). `here` is f(x), float (elements,). Steps fall by halves from row to row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .extrapolate import limit

Array = Any
"""A float64 numpy array."""

CLEAR = 4.0
"""A difference of slopes is one when it is this many times as large as it is unsure."""
FAINT = 1e-9
"""A relative difference of slopes that is not called a kink."""
LAST = 8
"""How many of the narrowest steps tell a jump."""


def slopes(
    above: Array, below: Array, here: Array, step: Array, error: Array
) -> tuple[Array, Array, Array]:
    """The left slope, the right slope, and how unsure the less sure of them is."""
    left, unsure_left = limit((here - below) / step, 2 * error / step, power=1, stride=1)
    right, unsure_right = limit((above - here) / step, 2 * error / step, power=1, stride=1)
    return left, right, np.maximum(unsure_left, unsure_right)


def kinked(
    above: Array, below: Array, here: Array, step: Array, error: Array
) -> tuple[Array, Array, Array]:
    """Whether the two slopes differ, bool (elements,): as each is extrapolated by itself, and as their difference is;
    by how much, and how unsure that is.

    (f(x + h) + f(x - h) - 2 f(x)) / h has errors in h, h³ ... and goes to 0 where f is smooth.
    """
    left, right, unsure = slopes(above, below, here, step, error)
    bend, doubt = limit((above + below - 2 * here) / step, 4 * error / step, power=1, stride=2)
    least = np.maximum(
        CLEAR * np.maximum(doubt, 2 * unsure), FAINT * np.maximum(abs(left), abs(right))
    )
    agree = abs(right - left - bend) <= 2 * unsure + doubt
    return np.asarray((abs(bend) > least) & agree), abs(bend), doubt


def jumps(above: Array, below: Array, here: Array) -> bool:
    """Whether the values of one element tend, to each side, to a number of their own, which is not f(x) on both."""
    above, below = above[-LAST:], below[-LAST:]
    spread = np.ptp(above) + np.ptp(below)
    apart = max(abs(above[-1] - here), abs(below[-1] - here))
    return bool(apart > 0 and spread < 0.1 * apart)


def steepens(above: Array, below: Array, here: Array, step: Array, error: Array) -> bool:
    """Whether the difference quotients of one element grow without end, from step to step and fivefold in all."""
    rise = np.fmax(abs(above - here), abs(below - here))
    heard = rise > 4 * error
    quotient = rise[heard] / step[heard]
    return bool(
        quotient.size > LAST
        and (np.diff(quotient[-2 * LAST :]) > 0).all()
        and quotient[-1] > 5 * quotient[0]
    )
