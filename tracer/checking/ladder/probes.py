"""Probes: claimed slopes along lines, held against certified ones, many functions at once.

A probe that disagrees is looked at again before it counts: from closer by, as the first steps may be wider than what
there is to see, and with what rounding of the inputs does to the claim, which is worked out for it alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tracer.checking.certified.certificate import KINK, Certified
from tracer.checking.certified.certify import certify_each
from tracer.checking.certified.search import ENOUGH
from tracer.checking.judge import AGREE, AT_KINKS, DISAGREE, UNDECIDABLE, judge

Array = Any
"""A numpy array or numpy scalar."""

STRICT = 1e-9
"""How far a claim may lie from a certified slope, relative to the slope and to what adds up to it."""
CLOSER = (2.0**-3, 2.0**-10)
"""How much narrower the steps are at the second look, and at the third."""
FAINT = 1e-3
"""A relative disagreement beyond which nobody asks what rounding does."""


def nothing_more(which: int) -> float:
    """The rounding of a claim that is exact."""
    return 0.0


@dataclass(frozen=True, eq=False)
class Bundle:
    """Functions R -> R with a point and a claimed slope each, evaluated together."""

    points: Array
    """float (n,): where the slopes are taken."""
    claims: Array
    """float (n,)"""
    sizes: Array
    """float (n,): the size of what adds up to each claim, against which a slope of 0 is judged."""
    floors: Array
    """float (n,): a bound that is good enough even for a slope that has no size of its own."""
    values: Callable[[Array, Array], Array]
    """(which (m,), at (m,)) to values (m,): see `certify_each`."""
    rounding: Callable[[int], float] = nothing_more
    """How far a claim is off because inputs are rounded; only asked where a probe disagrees."""
    slack: float = 0.0
    """How far claims may lie off whatever they are: the grain of a function of which a constant was taken away."""
    joint: Array | bool = False
    """bool (n,): whether the line moves several elements, which may lie at kinks that bend to different sides: then
    the slope need not lie between those of the two sides."""
    noises: Array | float = math.nan
    """float (n,): how far values are off at least, because something is rounded on the way to them; NaN: not known."""
    shaky: bool = False
    """Whether rounding may change claims beyond recognition, as many operations follow each other."""
    units: Array | float = 1.0
    """float (n,): how wide the line is walked; later looks take steps of this times `CLOSER`."""


@dataclass(frozen=True)
class Finding:
    """The certified slope of a probe, and the verdict on the claim."""

    claim: float
    slope: Certified
    verdict: str
    reason: str
    most: float = 0.0
    """The largest magnitude of the function that was seen, against which a slope of 0 is judged too."""


def certified_bundles(
    bundles: Sequence[Bundle], told: Callable[[int], None] | None = None, *, again: bool = True
) -> list[list[Finding]]:
    """The findings of every probe, bundle by bundle; all bundles take their steps together.

    told: called with the number of evaluations made; what it raises ends the work. again: whether those that disagree
    are looked at again.
    """
    if not bundles:
        return []
    walk = _Walk(bundles, told)
    slopes = walk.slopes
    verdicts = [walk.verdict(n, slope) for n, slope in enumerate(slopes)]
    if again:
        for closer in CLOSER:
            doubted = [n for n, verdict in enumerate(verdicts) if verdict[0] == DISAGREE]
            for n, near in walk.looked_closer(doubted, closer):
                verdict = walk.verdict(n, near)
                if verdict[0] == AGREE and _contradicts(near, slopes[n]):
                    slopes[n], verdicts[n] = near, verdict
        for n, slope in enumerate(slopes):
            if walk.asks(n, verdicts[n][0]):
                verdicts[n] = walk.verdict(n, slope, rounding=walk.rounding(n))
    found = [
        Finding(claim, slope, *verdict, most)
        for claim, slope, verdict, most in zip(
            walk.claims.tolist(), slopes, verdicts, walk.most.tolist(), strict=True
        )
    ]
    ends = walk.starts.tolist()
    return [found[first:last] for first, last in pairwise(ends)]


class _Walk:
    """All probes of some bundles, numbered through, and the largest magnitude seen of each."""

    def __init__(self, bundles: Sequence[Bundle], told: Callable[[int], None] | None) -> None:
        self.bundles, self.told = bundles, told
        self.starts = np.cumsum([0, *(bundle.points.size for bundle in bundles)])
        self.owners = np.repeat(np.arange(len(bundles)), np.diff(self.starts))
        self.places = np.arange(self.owners.size) - self.starts[self.owners]
        self.points = np.concatenate([bundle.points for bundle in bundles])
        self.claims = np.concatenate([bundle.claims for bundle in bundles])
        self.sizes = np.concatenate([bundle.sizes for bundle in bundles])
        self.units = self._column([bundle.units for bundle in bundles])
        self.joint = self._column([bundle.joint for bundle in bundles])
        self.floors = np.concatenate([bundle.floors for bundle in bundles])
        self.most = np.zeros(self.points.size)
        self.noises = self._column([bundle.noises for bundle in bundles])
        self.slopes = list(certify_each(self.values, self.points, noise=self.noises))

    def _column(self, columns: Sequence[Any]) -> Array:
        sized = zip(columns, self.bundles, strict=True)
        return np.concatenate([np.broadcast_to(c, bundle.points.shape) for c, bundle in sized])

    def values(self, which: Array, at: Array) -> Array:
        """See `certify_each`."""
        seen = np.empty(which.size)
        owner = self.owners[which]
        order = np.argsort(owner, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1):
            if part.size:
                bundle = self.bundles[owner[part[0]]]
                seen[part] = bundle.values(self.places[which[part]], at[part])
                finite = np.where(np.isfinite(seen[part]), abs(seen[part]), 0.0)
                np.maximum.at(self.most, which[part], finite)
                if self.told is not None:
                    self.told(part.size)
        return seen

    def looked_closer(self, numbers: Sequence[int], closer: float) -> list[tuple[int, Certified]]:
        """The slopes of some probes as seen with narrower steps."""
        if not numbers:
            return []
        chosen = np.array(numbers)
        unit = closer * self.units[chosen]

        def values(which: Array, at: Array) -> Array:
            return self.values(chosen[which], self.points[chosen[which]] + unit[which] * at)

        near = certify_each(values, np.zeros(chosen.size), noise=self.noises[chosen])
        return [
            (n, stretched(slope, width))
            for n, slope, width in zip(numbers, near, unit.tolist(), strict=True)
        ]

    def verdict(self, n: int, slope: Certified, rounding: float = 0.0) -> tuple[str, str]:
        """The verdict on the claim of a probe."""
        size, slack = float(self.sizes[n]), self.bundles[self.owners[n]].slack
        verdict, reason = judge(
            float(self.claims[n]),
            slope,
            scale=size,
            floor=max(float(self.floors[n]), ENOUGH * float(self.most[n] / self.units[n])),
            rounding=STRICT * size + slack + rounding,
            rtol=STRICT,
        )
        if verdict == DISAGREE and slope.status == KINK and self.joint[n]:
            return UNDECIDABLE, AT_KINKS
        return verdict, reason

    def asks(self, n: int, verdict: str) -> bool:
        """Whether rounding could be all there is to a disagreement, or to a claim that the number does not tell."""
        value = self.slopes[n].value
        if verdict == UNDECIDABLE:
            return self.slopes[n].differentiable and bool(np.isfinite(value))
        if verdict == AGREE or self.bundles[self.owners[n]].shaky:
            return verdict == DISAGREE
        off = abs(float(self.claims[n]) - value)
        return not off > FAINT * max(float(self.sizes[n]), abs(value))

    def rounding(self, n: int) -> float:
        """How far the claim of a probe is off because inputs are rounded."""
        return float(self.bundles[self.owners[n]].rounding(int(self.places[n])))


def _contradicts(near: Certified, slope: Certified) -> bool:
    """Whether two numbers for the same slope exclude each other: the first steps were wider than what there is to see.

    Where they do not, the sharper number stands: from close by, all numbers are rougher.
    """
    return not abs(near.value - slope.value) <= near.bound + slope.bound


def stretched(slope: Certified, unit: float) -> Certified:
    """The slope by x of a function that was walked in units of x, which may be negative."""
    sides = (slope.left / unit, slope.right / unit)
    left, right = sides if unit > 0 else sides[::-1]
    return Certified(
        slope.value / unit, slope.bound / abs(unit), slope.status, left, right, slope.evaluations
    )


def good_enough(value: Array, point: Array) -> Array:
    """The bound that is good enough for the slope of a function of that value at that point, whatever the slope."""
    size = np.where(np.isfinite(value), abs(value), 0.0)
    return ENOUGH * size / np.maximum(abs(point), 1.0)
