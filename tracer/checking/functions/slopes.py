"""The gradient that a backward function gives against certified numbers of its forward.

First along directions of random signs that move every element; the elements themselves where the function is small,
where a direction disagrees, and where it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tracer.checking.certified.certificate import SMOOTH, Certified
from tracer.checking.certified.certify import certify_elements
from tracer.checking.certified.search import ENOUGH
from tracer.checking.judge import DISAGREE, EXACT, UNDECIDABLE, judge
from tracer.checking.ladder.bisection import Found, bisected
from tracer.checking.ladder.probes import Bundle, Finding, certified_bundles
from tracer.checking.progress import ROUND
from tracer.checking.report import Element
from tracer.checking.rounding import largest
from tracer.format import number

from .pairs import Projected
from .rounded import rounded_slopes

Array = Any
"""A numpy array or numpy scalar."""

LINES = 4
"""Directions of random signs through all elements."""
SWEEP = 50_000_000
"""All elements are looked at where that takes no more than so many numbers computed by forward."""
SEARCH = 250_000_000
"""The same, where a direction disagrees; a sample of a larger array takes no more either."""
LEAST = 0.25
"""How far an element near 0 is moved, at most."""
GRAIN = 64.0
"""So many roundings of the outputs may be lost on the way to them."""
SAMPLE = 144
"""Elements of a large array that are looked at where a direction disagrees, at most."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """One argument: the function of its numbers, the gradient that is claimed, and what the numbers are judged by."""

    function: Projected
    """<cotangent, forward> as a function of the argument."""
    x: Array
    """float64, of any shape."""
    claim: Array
    """float64, of the same shape."""
    work: int
    """How many numbers one evaluation computes."""
    total: float
    """The size of what the function adds up."""
    unit: float
    """The relative spacing of the numbers in which the claim is computed."""
    moved: Callable[[], Sequence[Array]] = field(repr=False)
    """How rounding of arguments and g moves the claim."""

    @cached_property
    def moves(self) -> Sequence[Array]:
        """The same, worked out when something disagrees."""
        return self.moved()

    @cached_property
    def floor(self) -> float:
        """A bound that is good enough for a slope of 0: the function may be 0 at x, as at a minimum, and not around."""
        around = self.function.terms(self.x + np.maximum(abs(self.x), LEAST) / 8)
        return ENOUGH * max(self.total, total_of([around])) / max(largest(self.x), 1.0)

    @cached_property
    def grain(self) -> float:
        """What a few roundings of the largest output come to, here or closer to 0: what is lost in 1 + e⁻⁴⁰ − 1.

        No claim is held against a number that is off by less.
        """
        with np.errstate(all="ignore"):
            seen = [self.function.terms(share * self.x) for share in (1.0, 0.5, 0.0)]
        return GRAIN * EXACT * max(map(largest, seen))

    @property
    def coarse(self) -> float:
        """How well a slope can be known, relative to the largest, where the function is rounded to few digits: what is
        off by less than half of it is let pass."""
        return 2 * math.sqrt(self.unit) if self.unit > EXACT else 0.0

    def bundle(self, directions: Sequence[Array]) -> Bundle:
        """The probes along some directions."""
        with np.errstate(all="ignore"):
            claims = [float(np.sum(self.claim * d, where=d != 0)) for d in directions]
            sizes = [
                float(np.sqrt(np.sum(np.square(self.claim * d), where=d != 0))) for d in directions
            ]

        def values(which: Array, at: Array) -> Array:
            return np.array(
                [
                    self.function(self.x + t * directions[k])
                    for k, t in zip(which.tolist(), at.tolist(), strict=True)
                ]
            )

        def rounding(k: int) -> float:
            moved = max(
                (abs(float(np.sum(move * directions[k]))) for move in self.moves), default=0.0
            )
            return 8 * moved + 512 * self.unit * sizes[k]

        return Bundle(
            points=np.zeros(len(directions)),
            claims=np.array(claims),
            sizes=np.array([size if math.isfinite(size) else 0.0 for size in sizes]),
            floors=np.array(
                [max(self.floor * math.sqrt(self.x.size), self.coarse * size) for size in sizes]
            ),
            values=values,
            rounding=rounding,
            slack=self.grain,
            joint=np.array([np.count_nonzero(direction) > 1 for direction in directions]),
        )

    def along(self, directions: Sequence[Array]) -> list[Finding]:
        """The findings along some directions."""
        bundle = self.bundle(directions)
        if self.unit == EXACT:
            return certified_bundles([bundle])[0]
        slopes = rounded_slopes(
            bundle.values,
            bundle.points,
            np.ones(len(directions)),
            unit=self.unit,
            quanta=np.array([self.hidden(d) for d in directions]),
            alone=False,
        )
        found = []
        for k, (claim, slope) in enumerate(zip(bundle.claims.tolist(), slopes, strict=True)):
            size = float(bundle.sizes[k])
            said = self.judged(claim, slope, size, 512 * self.unit * size)
            found.append(Finding(claim, slope, *said))
        return found

    def hidden(self, step: Array) -> float:
        """How much rounding may hide of a change by a step: of the outputs that it changes."""
        here, moved = self.function.terms(self.x), self.function.terms(self.x + step)
        if here.shape != moved.shape or np.array_equal(here, moved):
            return self.unit * self.total
        return 4 * self.unit * float(np.linalg.norm(here[here != moved]))

    def single(self, flat: Array) -> tuple[Certified, ...]:
        """The slopes by the elements of those flat numbers."""
        if self.unit == EXACT:
            return certify_elements(self.function, self.x, flat)

        def values(which: Array, at: Array) -> Array:
            seen = []
            for k, t in zip(flat[which].tolist(), at.tolist(), strict=True):
                point = self.x.copy()
                point.reshape(-1)[k] = t
                seen.append(self.function(point))
            return np.array(seen)

        points = self.x.reshape(-1)[flat]
        reach = np.maximum(abs(points), LEAST)
        quanta = []
        for k, far in zip(flat.tolist(), reach.tolist(), strict=True):
            step = np.zeros(self.x.shape)
            step.reshape(-1)[k] = far / 4
            quanta.append(self.hidden(step))
        return rounded_slopes(
            values, points, reach, unit=self.unit, quanta=np.array(quanta), alone=True
        )

    def searched(self, direction: Array) -> Found:
        """The wrong elements along a direction that disagrees, by halving it, and whether all others are right."""
        flat = direction.reshape(-1)

        def probing(groups: Sequence[Array]) -> Bundle:
            lines = []
            for group in groups:
                line = np.zeros(flat.size)
                line[group] = flat[group]
                lines.append(line.reshape(direction.shape))
            return self.bundle(lines)

        return bisected(probing, direction)

    def elements(self, flat: Array) -> tuple[Element, ...]:
        """The elements of those flat numbers, each with its verdict."""
        slopes = self.single(flat)
        smooth = flat[[slope.status == SMOOTH for slope in slopes]]
        scale, rounding = largest(self.claim), 0.0
        found = []
        claims = self.claim.reshape(-1)
        for k, slope in zip(flat.tolist(), slopes, strict=True):
            verdict, reason = self.judged(claims[k], slope, scale, rounding)
            open_end = verdict == DISAGREE or (verdict == UNDECIDABLE and slope.differentiable)
            if open_end and not rounding and smooth.size:
                rounding = 8 * max(
                    (largest(m.reshape(-1)[smooth]) for m in self.moves), default=0.0
                )
                verdict, reason = self.judged(claims[k], slope, scale, rounding)
            index = tuple(map(int, np.unravel_index(k, self.x.shape)))
            found.append(Element(index, math.nan, float(claims[k]), slope, verdict, reason))
        return tuple(found)

    def judged(
        self, claim: float, slope: Certified, scale: float, rounding: float
    ) -> tuple[str, str]:
        """The verdict on one element."""
        verdict, reason = judge(
            float(claim),
            slope,
            scale=scale,
            floor=max(self.floor, self.coarse * scale),
            unit=self.unit,
            rounding=max(rounding, self.coarse * scale / 2),
        )
        if verdict == DISAGREE and abs(claim - slope.value) <= self.grain:
            return UNDECIDABLE, f"rounding may move the number by ±{number(self.grain, 2)}"
        return verdict, reason

    def affords(self, count: int, budget: int) -> bool:
        """Whether so many slopes cost no more than a budget."""
        return count * ROUND * self.work <= budget


def total_of(parts: Sequence[Array]) -> float:
    """The size of what adds up to a sum of arrays."""
    return sum(float(np.sum(abs(each), where=np.isfinite(each))) for each in parts)


def directions(x: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Directions of random signs, as long in every element as that element is far from 0."""
    reach = np.maximum(abs(x), LEAST)
    while True:
        yield rng.choice((-1.0, 1.0), np.shape(x)) * reach


def block(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> tuple[Array, ...]:
    """About so many elements of a large array, as the rows, columns ... of a block in it.

    Axes of one length give the same numbers, so that a transposed block lies in the transposed array.

    >>> [k.size for k in block((100, 100), 256, np.random.default_rng(0))]
    [16, 16]
    """
    wanted = dict.fromkeys(range(len(shape)), 1)
    while True:
        room = [k for k in wanted if wanted[k] < shape[k]]
        grown = {
            k: wanted[k] + (k in room and wanted[k] == min(wanted[j] for j in room)) for k in wanted
        }
        if not room or math.prod(grown.values()) > count:
            break
        wanted = grown
    by_length = {
        length: np.sort(
            rng.choice(length, max(wanted[k] for k in wanted if shape[k] == length), replace=False)
        )
        for length in sorted(set(shape))
    }
    return tuple(by_length[length][: wanted[k]] for k, length in enumerate(shape))
