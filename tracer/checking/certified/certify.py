"""Numerical derivatives with a bound on their error, and what is the matter where there is none.

A difference quotient alone says nothing about its own error. Here the step is halved again and again, the quotients
are extrapolated to step 0, the noise of the function is measured and carried along, and the bound covers the truth.
The same evaluations tell a kink, a jump, an infinite slope and the edge of a domain apart. Steps come in rounds, each
256 times narrower than the one before; most elements need one round, 25 evaluations.

A bound is strong evidence, no proof. Of 56,000 seeded cases (43 functions, some rounded on purpose) one escaped it: a
sum whose one part had been rounded to ten digits, just there where the slope of that part is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .certificate import INFINITE, JUMP, KINK, NEAR_KINK, ONE_SIDED, SMOOTH
from .certificate import Certified as Certified
from .extrapolate import STENCIL, limit, noise_level
from .singular import jumps, kinked, slopes, steepens

Array = Any
"""A float64 numpy array; in a table the first axis runs over the steps, the second over the elements."""

Evaluate = Callable[[Array, Array], Array]
"""`(which, at)` to values: element `which[k]` put at the number `at[k]`; int (n,) and float (n,) to float (n,)."""

HALVINGS = 8
"""Steps in one round."""
ROUNDS = 7
"""Rounds before giving up: the last steps lie below the spacing of float64 numbers near 1."""
KINK_ROUNDS = 4
"""Rounds after which a kink that is still inside all steps counts as lying at the point itself."""
SAFETY = 4.0
"""How much larger the bound is than the disagreement seen."""
ENOUGH = 1e-10
"""Relative bound at which no further round is tried."""
NEAR, NEAREST = 3217 * 2.0**-26, 2.0**-14
"""The unit of the stencil where noise is measured, as a share of the last step. Both have few bits, so that x plus a
multiple is exact. The first is no power of 2, lest it be a multiple of what a rounded function is rounded to."""
ULP = float(np.finfo(np.float64).eps)


def certify(function: Callable[[float], float], x: float) -> Certified:
    """The derivative of a function R -> R at x, with a bound on its error.

    >>> slope = certify(math.sin, 0.5)
    >>> slope.status, abs(slope.value - math.cos(0.5)) <= slope.bound < 1e-10
    ('smooth', True)
    >>> corner = certify(abs, 0.0)
    >>> corner.status, corner.left, corner.right
    ('kink', -1.0, 1.0)
    """

    def evaluate(_: Array, at: Array) -> Array:
        return np.array([number(function, float(t)) for t in at])

    return certify_each(evaluate, np.array([float(x)]))[0]


def certify_elements(
    function: Callable[[Array], float], x: Array, elements: Sequence[int] | Array = None
) -> tuple[Certified, ...]:
    """The partial derivatives of a scalar function of an array, by the elements of those flat numbers (default all)."""
    start = np.array(x, np.float64)
    flat = np.arange(start.size) if elements is None else np.asarray(elements, np.intp)

    def evaluate(which: Array, at: Array) -> Array:
        seen = np.empty(which.size)
        for n, (k, t) in enumerate(zip(flat[which], at, strict=True)):
            point = start.copy()
            point.reshape(-1)[k] = t
            seen[n] = number(function, point)
        return seen

    return certify_each(evaluate, start.reshape(-1)[flat])


def certify_direction(function: Callable[[Array], float], x: Array, direction: Array) -> Certified:
    """The derivative of t -> f(x + t d) at t = 0, which is the inner product of the gradient with the direction d."""
    start, along = np.asarray(x, np.float64), np.asarray(direction, np.float64)
    return certify(lambda t: function(start + t * along), 0.0)


def number(function: Callable[[Any], Any], at: Any) -> float:
    """f(at) as a float; NaN where Python's arithmetic refuses: math.log(-1.0), 1.0 / 0.0, an overflow."""
    try:
        return float(function(at))
    except ArithmeticError:
        return math.nan
    except ValueError as error:
        if str(error).startswith(("math domain", "expected a ")):
            return math.nan
        raise


def certify_each(evaluate: Evaluate, points: Array) -> tuple[Certified, ...]:
    """The derivatives of many functions R -> R at once, each at its own point: see `Evaluate`.

    All steps of a round, for all elements, go to `evaluate` together; only elements that need narrower steps get more.

    >>> [slope.value for slope in certify_each(lambda which, at: 3.0 * at, np.array([1.0, -2.0]))]
    [3.0, 3.0]
    """
    x = np.asarray(points, np.float64)
    with np.errstate(all="ignore"):
        search = _Search(x, np.asarray(evaluate(np.arange(x.size), x), np.float64))
        for _ in range(ROUNDS):
            if search.open.size:
                search.narrow(evaluate)
        return tuple(search.verdict(k) for k in range(x.size))


class _Search:
    """What has been seen so far of every element: a row per step, NaN where f was not asked or not finite."""

    def __init__(self, x: Array, here: Array) -> None:
        self.x, self.here = x, here
        self.first = 2.0 ** np.floor(np.log2(np.maximum(abs(x), 0.25) / 4))
        self.step, self.above, self.below = (np.empty((0, x.size)) for _ in range(3))
        self.noise = np.zeros(x.size)
        self.usable = np.zeros(x.size, np.intp)
        """The first row whose steps resolve f and reach over no kink."""
        self.after_kink = np.zeros(x.size, np.intp)
        """The row after the last round that reached over a kink; 0 if none did."""
        self.value, self.bound = np.full(x.size, math.nan), np.full(x.size, math.inf)
        self.settled = np.zeros(x.size, np.bool_)
        self.calls = np.ones(x.size, np.intp)
        self.open = np.flatnonzero(np.isfinite(x) & np.isfinite(here))

    def narrow(self, evaluate: Evaluate) -> None:
        """Add a round of narrower steps for the elements that are still open, and close those that are settled."""
        rows, who = len(self.step), self.open
        x, here = self.x[who], self.here[who]
        wide = self.first[who] * 2.0 ** -(rows + np.arange(HALVINGS)[:, None])
        grain = ULP * abs(x) / wide[-1]
        near = wide[-1] * np.where(grain <= 2.0**-26, NEAR, NEAREST)
        step = (x + wide) - x  # the step that float64 can represent
        points = [x + step, x - step, x + near * STENCIL[STENCIL != 0][:, None]]
        seen = self.ask(evaluate, who, np.concatenate(points))
        above, below, around = np.split(seen, [HALVINGS, 2 * HALVINGS])
        self.step = self.grown(self.step, who, step)
        self.above = self.grown(self.above, who, above)
        self.below = self.grown(self.below, who, below)
        around = np.insert(around, 4, here, axis=0)
        before = self.noise[who]
        self.listen(who, around, deaf=grain > NEAREST)

        bent = kinked(above, below, here, step, self.error(who)[rows:])
        self.after_kink[who[bent]] = self.usable[who[bent]] = rows + HALVINGS
        self.noise[who[bent]] = before[bent]  # what looks like noise may be the kink
        usable = np.arange(rows + HALVINGS)[:, None] >= self.usable[who]
        self.value[who], self.bound[who] = self.estimate(who, usable)
        size = np.fmax(np.fmax(abs(above[0]), abs(below[0])), abs(here))
        scale = np.fmax(abs(self.value[who]), size / np.maximum(abs(x), 1))
        self.settled[who] = ~bent & (self.bound[who] <= ENOUGH * scale)
        given_up = bent & (rows + HALVINGS >= KINK_ROUNDS * HALVINGS)
        self.open = who[~self.settled[who] & ~given_up]

    def ask(self, evaluate: Evaluate, who: Array, at: Array) -> Array:
        """f of those elements at a table of points, NaN where it is not finite."""
        flat = evaluate(np.tile(who, len(at)), at.reshape(-1))
        seen = np.array(flat, np.float64).reshape(at.shape)
        seen[~np.isfinite(seen)] = math.nan
        self.calls[who] += len(at)
        return seen

    def listen(self, who: Array, around: Array, *, deaf: Array) -> None:
        """Measure the noise, unless the stencil is finer than x itself. The level of wider rounds stays, as a rounded
        function is flat and silent close by.

        But where the values of this stencil differ by far less than that level, it may have been no noise: if the wider
        steps gave no derivative, they did not resolve the function; if the new steps give the same one, something
        smaller than a kink lay in the old stencil. In both cases only the new level and the new steps are used.
        """
        noise = np.where(deaf, 0.0, 4 * np.nan_to_num(noise_level(around)))
        spread, old = np.ptp(around, axis=0), self.noise[who]
        value, bound = self.value[who], self.bound[who]
        quiet = (spread > 0) & (spread < old / 25)
        self.noise[who] = np.where(quiet, noise, np.maximum(noise, old))
        last = np.arange(len(self.step))[:, None] >= len(self.step) - HALVINGS
        fresh, doubt = self.estimate(who, last)
        vague = ~(bound <= 0.1 * abs(value))
        same = (doubt <= bound) & (abs(fresh - value) <= bound)
        right = quiet & (vague | same)
        self.usable[who[right]] = len(self.step) - HALVINGS
        self.noise[who] = np.where(right, noise, np.maximum(noise, old))

    def grown(self, table: Array, who: Array, block: Array) -> Array:
        """The table with a block of rows added for some elements, NaN for the others."""
        rows = np.full((len(block), self.x.size), math.nan)
        rows[:, who] = block
        return np.concatenate([table, rows])

    def error(self, who: Array) -> Array:
        """How far each value of f may be off: the noise, and at least one unit in the last place."""
        size = np.fmax(abs(self.above[:, who]), abs(self.below[:, who]))
        return np.maximum(ULP * np.fmax(size, abs(self.here[who])), self.noise[who])

    def estimate(self, who: Array, rows: Array) -> tuple[Array, Array]:
        """The derivative and its bound from some rows: (f(x + h) - f(x - h)) / 2h has errors in h², h⁴ ...

        The bound also covers that f rounds what it makes of x, as if x were moved by a unit in the last place: the
        derivative then moves by that times the curvature.
        """
        step, error = np.where(rows, self.step[:, who], math.nan), self.error(who)
        above, below = self.above[:, who], self.below[:, who]
        value, unsure = limit((above - below) / (2 * step), error / step, power=2, stride=2)
        bend = (above + below - 2 * self.here[who]) / step**2
        curvature, _ = limit(bend, 4 * error / step**2, power=2, stride=2)
        moved = 2 * ULP * abs(self.x[who] * curvature)
        return value, SAFETY * unsure + np.where(np.isfinite(moved), moved, 0)

    def verdict(self, k: int) -> Certified:
        """What is known of one element at the end."""
        calls, value = int(self.calls[k]), float(self.value[k])
        bound = float(self.bound[k])
        status = NEAR_KINK if 0 < self.after_kink[k] == self.usable[k] else SMOOTH
        if self.settled[k]:
            return Certified(value, bound, status, value, value, calls)
        rows, one = self.step[:, k] > 0, [k]
        here, step, error = self.here[one], self.step[rows][:, one], self.error(np.array(one))[rows]
        above, below = self.above[rows][:, one], self.below[rows][:, one]
        if np.isnan(above).all() and np.isnan(below).all():
            return Certified(evaluations=calls)
        steep = steepens(above, below, here, step, error)
        left, right, unsure = (float(s[0]) for s in slopes(above, below, here, step, error))
        if np.isnan(above).all() or np.isnan(below).all():
            sides = (math.nan, math.nan) if steep else (left, right)
            return Certified(math.nan, math.inf, ONE_SIDED, *sides, calls)
        vague = not bound <= 0.1 * abs(value)
        if vague and jumps(above, below, here):
            return Certified(status=JUMP, evaluations=calls)
        if vague and steep:
            return Certified(status=INFINITE, evaluations=calls)
        if self.after_kink[k] == len(rows):
            return Certified((left + right) / 2, SAFETY * unsure, KINK, left, right, calls)
        return Certified(value, bound, status, value, value, calls)
