"""The search for derivatives at falling steps: what has been seen of each function, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .certificate import INFINITE, JUMP, KINK, NEAR_KINK, ONE_SIDED, SMOOTH, Certified
from .extrapolate import FINE, STENCIL, limit, noise_level, tangent, unit_of
from .singular import CLEAR, jumps, kinked, slopes, steepens

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
CLEARLY = 8.0
"""So many times what the slope close by is unsure of must it be away from a number that it contradicts."""
ULP = float(np.finfo(np.float64).eps)


class Search:
    """What has been seen so far of every element: a row per step, NaN where f was not asked or not finite."""

    def __init__(
        self, x: Array, here: Array, unit: float | None = None, least: Array | float = 0.0
    ) -> None:
        self.x, self.here, self.told = x, here, unit
        self.least = np.broadcast_to(np.asarray(least, np.float64), x.shape).copy()
        """How far values of f may be off in any case: what is rounded on the way to them."""
        self.first = 2.0 ** np.floor(np.log2(np.maximum(abs(x), 0.25) / 4))
        self.step, self.above, self.below = (np.empty((0, x.size)) for _ in range(3))
        self.noise = np.zeros(x.size)
        self.own = np.empty((0, x.size))
        """The noise that each round heard by itself, NaN where it was deaf."""
        self.unit = np.full(x.size, unit or ULP)
        """The relative spacing of the numbers in which f seems to be computed."""
        self.usable = np.zeros(x.size, np.intp)
        """The first row whose steps resolve f and reach over no kink."""
        self.after_kink = np.zeros(x.size, np.intp)
        """The row after the last round that reached over a kink; 0 if none did."""
        self.gap = np.zeros(x.size)
        """By how much the slopes to the two sides of a kink within the steps differ at least."""
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
        fine = not rows  # a first round leaves x the bits for it
        stencil = FINE / 1024 if fine else STENCIL
        near = wide[-1] * np.where(grain <= 2.0**-26, NEAR, NEAREST)
        step = (x + wide) - x  # the step that float64 can represent
        points = [x + step, x - step, x + near * stencil[stencil != 0][:, None]]
        seen = self.ask(evaluate, who, np.concatenate(points))
        above, below, around = np.split(seen, [HALVINGS, 2 * HALVINGS])
        self.step = self.grown(self.step, who, step)
        self.above = self.grown(self.above, who, above)
        self.below = self.grown(self.below, who, below)
        around = np.insert(around, 4, here, axis=0)
        if not rows and self.told is None:
            self.unit[who] = unit_of(around, np.concatenate([above, below]))
        before = self.noise[who]
        self.listen(who, around, fine, deaf=grain > NEAREST)

        bent, bend, doubt = kinked(above, below, here, step, self.error(who)[rows:])
        self.gap[who] = np.where(bent, bend - doubt, self.gap[who])
        if (
            rows
        ):  # a faint kink that steps so narrow could not see any more has not been left behind
            bent |= (self.after_kink[who] == rows) & ~(CLEAR * doubt < self.gap[who])
        self.after_kink[who[bent]] = self.usable[who[bent]] = rows + HALVINGS
        self.noise[who[bent]] = before[bent]  # what looks like noise may be the kink
        usable = np.arange(rows + HALVINGS)[:, None] >= self.usable[who]
        self.value[who], self.bound[who] = self.estimate(who, usable)
        size = np.fmax(np.fmax(abs(above[0]), abs(below[0])), abs(here))
        scale = np.fmax(abs(self.value[who]), size / np.maximum(abs(x), 1))
        rough = ~bent & ~(self.bound[who] <= ENOUGH * scale)
        if rough.any():
            self.sharpen(who[rough], usable[:, rough])
        # steps that all are multiples of a period see another function, slow and smooth
        offsets, error = near * stencil[:, None], self.unit[who] * np.nanmax(abs(around), axis=0)
        slope, doubt = tangent(
            around, offsets, np.fmax(np.fmax(error, self.noise[who]), self.least[who])
        )
        alias = abs(slope - self.value[who]) > CLEARLY * doubt + self.bound[who]
        alias &= ~bent & (grain <= NEAREST)
        self.usable[who[alias]], self.bound[who[alias]] = rows + HALVINGS, math.inf
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

    def listen(self, who: Array, around: Array, fine: bool, *, deaf: Array) -> None:
        """Measure the noise, unless the stencil is finer than x itself. The level of wider rounds stays, as a rounded
        function is flat and silent close by.

        But where the values of this stencil differ by far less than that level, it may have been no noise: if the wider
        steps gave no derivative, nor one that the new steps bear out, they did not resolve the function; if the new
        steps give the same one, something smaller than a kink lay in the old stencil. Then only the new level and the
        new steps are used.
        """
        noise = np.where(deaf, 0.0, 4 * np.nan_to_num(noise_level(around, fine=fine)))
        heard = np.where(deaf | (np.ptp(around, axis=0) == 0), math.nan, noise)
        self.own = self.grown(self.own, who, heard[None])
        spread, old = np.ptp(around, axis=0), self.noise[who]
        value, bound = self.value[who], self.bound[who]
        quiet = (spread > 0) & (spread < old / 25)
        self.noise[who] = np.where(quiet, noise, np.maximum(noise, old))
        last = np.arange(len(self.step))[:, None] >= len(self.step) - HALVINGS
        fresh, doubt = self.estimate(who, last)
        inside = abs(fresh - value) <= bound
        vague = ~(bound <= 0.1 * abs(value)) & ~(inside & (bound <= doubt))
        same = (doubt <= bound) & inside
        right = quiet & (vague | same)
        self.usable[who[right]] = len(self.step) - HALVINGS
        self.noise[who] = np.where(right, noise, np.maximum(noise, old))

    def grown(self, table: Array, who: Array, block: Array) -> Array:
        """The table with a block of rows added for some elements, NaN for the others."""
        rows = np.full((len(block), self.x.size), math.nan)
        rows[:, who] = block
        return np.concatenate([table, rows])

    def error(self, who: Array, noise: Array | None = None) -> Array:
        """How far each value of f may be off: the noise, and at least one unit in the last place that f has.

        noise: in place of what was found.
        """
        above, below, unit = self.above[:, who], self.below[:, who], self.unit[who]
        size = np.fmax(np.fmax(abs(above), abs(below)), abs(self.here[who]))
        coarse = unit > ULP
        if coarse.any():  # x too was rounded so
            rise = abs(self.x[who] * (above - below) / (2 * self.step[:, who]))
            size = np.where(coarse, size + np.nan_to_num(rise), size)
        noise = self.noise[who] if noise is None else noise
        return np.maximum(unit * size, np.maximum(noise, self.least[who]))

    def estimate(self, who: Array, rows: Array, error: Array | None = None) -> tuple[Array, Array]:
        """The derivative and its bound from some rows: (f(x + h) - f(x - h)) / 2h has errors in h², h⁴ ..."""
        error = self.error(who) if error is None else error
        step = np.where(rows, self.step[:, who], math.nan)
        rise = self.above[:, who] - self.below[:, who]
        value, unsure = limit(rise / (2 * step), error / step, power=2, stride=2, contradicted=True)
        return value, SAFETY * unsure + self.moved(who, step, error)

    def estimate_again(self, who: Array) -> None:
        """The derivatives of some elements, as more has become known of their noise."""
        self.usable[who] = self.after_kink[who]
        usable = np.arange(len(self.step))[:, None] >= self.usable[who]
        self.value[who], self.bound[who] = self.estimate(who, usable)
        self.sharpen(who, usable)
        self.settled[who] = False

    def sharpen(self, who: Array, rows: Array) -> None:
        """Take the slopes to the left and to the right instead where they agree and are known better.

        Where the second derivative jumps, as that of elu at 0, f(x + h) - f(x - h) has errors in all powers of h.
        """
        step, error = np.where(rows, self.step[:, who], math.nan), self.error(who)
        rises = self.above[:, who] - self.here[who], self.here[who] - self.below[:, who]
        (right, doubt), (left, other) = (
            limit(rise / step, 2 * error / step, power=1, stride=1, contradicted=True)
            for rise in rises
        )
        apart, unsure = abs(right - left), np.maximum(doubt, other)
        bound = SAFETY * unsure + apart + self.moved(who, step, error)
        value = np.where(doubt < other, right, left)
        # wide steps that reach far over something narrow agree by chance, but not with the symmetric ones
        fits = (apart <= doubt + other) & (abs(value - self.value[who]) <= bound + self.bound[who])
        better = fits & (bound < self.bound[who])
        self.value[who[better]], self.bound[who[better]] = value[better], bound[better]

    def moved(self, who: Array, step: Array, error: Array) -> Array:
        """How far a derivative moves with x, by a unit in the last place: that times the curvature.

        Bounds cover that f rounds what it makes of x, as if x were moved so.
        """
        bend = (self.above[:, who] + self.below[:, who] - 2 * self.here[who]) / step**2
        curvature, _ = limit(bend, 4 * error / step**2, power=2, stride=2)
        moved = 2 * ULP * abs(self.x[who] * curvature)
        return np.where(np.isfinite(moved), moved, 0)

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
        if self.after_kink[k] == np.count_nonzero(rows):
            return Certified((left + right) / 2, SAFETY * unsure, KINK, left, right, calls)
        return Certified(value, bound, status, value, value, calls)
