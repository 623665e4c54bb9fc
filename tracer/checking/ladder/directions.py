"""The third rung: random signed directions end to end, each through every element of an input at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.checking.certified.search import ENOUGH

from .operations import DIRECTIONS, masked, reaching
from .probes import Bundle

Array = Any
"""A numpy array or numpy scalar."""

ROOM = 2**22
"""So many numbers at most are evaluated together."""


@dataclass(frozen=True, eq=False)
class Subject:
    """An input to be checked: its value, the scalar function of it, and the gradient claimed."""

    name: str
    x: Array
    function: Callable[[Array], float]
    gradient: Array
    """Zeros where none arrives."""
    size: float
    """Of the terms that the function adds up, against which a slope of 0 is judged."""
    shaken: Callable[[], Sequence[Array]]
    """The gradient when inputs are moved by a unit in the last place; only asked where something disagrees."""
    noise: float | None = None
    """How far values of the function are off because something is rounded on the way to them; None: not known."""
    node: int = -1
    arrives: bool = True
    """Whether a gradient arrives at all."""
    excused: bool = False
    """Whether outputs that are not finite were left out, so that the gradient need not be finite either."""

    def rounding(self, direction: Array) -> float:
        """How far the claimed slope along a direction moves by rounding."""
        with np.errstate(all="ignore"):
            moves = [
                abs(float(np.sum((other - self.gradient) * direction))) for other in self.shaken()
            ]
        return 8 * max((move for move in moves if np.isfinite(move)), default=0.0)


def directions_of(subject: Subject, rng: np.random.Generator) -> list[Array]:
    """Random signed directions through all elements of an input, but for those whose outputs were left out."""
    if not subject.x.size:
        return []
    kept = np.isfinite(subject.gradient) if subject.excused else 1.0
    return [reaching(subject.x, rng) * kept for _ in range(DIRECTIONS)]


def end_to_end(subject: Subject, directions: Sequence[Array]) -> Bundle:
    """Probes t -> function(x + t d) along several directions."""
    many = getattr(subject.function, "many", None)
    room = max(ROOM // max(subject.x.size, 1), 1)

    def values(which: Array, at: Array) -> Array:
        if many is None:
            return np.array(
                [
                    subject.function(subject.x + t * directions[k])
                    for k, t in zip(which.tolist(), at.tolist(), strict=True)
                ]
            )
        seen = np.empty(which.size)
        for first in range(0, which.size, room):
            part = slice(first, first + room)
            moves = np.array([directions[k] for k in which[part].tolist()])
            lanes = at[part].reshape(-1, *(1,) * subject.x.ndim)
            seen[part] = many(subject.x + lanes * moves)
        return seen

    def rounding(k: int) -> float:
        return subject.rounding(directions[k])

    with np.errstate(all="ignore"):
        terms = [np.ravel(np.where(d == 0, 0.0, subject.gradient * d)) for d in directions]
        claims = [float(term.sum()) for term in terms]
        sizes = [float(np.sqrt(np.nansum(term**2))) for term in terms]
    count = len(directions)
    return Bundle(
        points=np.zeros(count),
        claims=np.array(claims),
        sizes=np.array(sizes),
        floors=np.full(count, ENOUGH * subject.size),
        values=values,
        noises=math.nan if subject.noise is None else subject.noise,
        rounding=rounding,
        shaky=True,
        joint=np.array([np.count_nonzero(direction) > 1 for direction in directions]),
    )


def restricted(subject: Subject, direction: Array) -> Callable[[Sequence[Array]], Bundle]:
    """Groups of elements, by flat number, to probes along a direction restricted to each group."""
    return lambda groups: end_to_end(subject, [masked(direction, group) for group in groups])
