"""From a direction that disagrees to the elements that are wrong: groups are halved, right halves dropped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tracer.checking.certified.certificate import KINK
from tracer.checking.judge import AGREE, DISAGREE
from tracer.checking.report import Element

from .probes import Bundle, Finding, certified_bundles, stretched

Array = Any
"""A numpy array or numpy scalar."""

Probing = Callable[[Sequence[Array]], Bundle]
"""Groups of elements, by flat number, to a probe for each: along one direction, restricted to the group."""

FEW = 8
"""So many groups are followed, those that are furthest off."""
ALL = 64
"""Of an array of no more elements every one is looked at."""

OTHERS_RIGHT = "all other elements are right"
WORST = "the worst of many"


class Found(NamedTuple):
    """The elements of an array that were looked for, the worst of them if there are many."""

    elements: tuple[Element, ...]
    rest: Finding | None
    """What is found along the direction through all other elements; None if there are none, or too many were found."""

    @property
    def alone(self) -> bool:
        """Whether all other elements are right."""
        return self.rest is not None and self.rest.verdict == AGREE


def is_wrong(finding: Finding) -> bool:
    """Whether a claim disagrees."""
    return finding.verdict == DISAGREE


def is_kinked(finding: Finding) -> bool:
    """Whether a line meets a kink at the point itself, or its claim disagrees."""
    return finding.verdict == DISAGREE or finding.slope.status == KINK


def bisected(
    probing: Probing,
    direction: Array,
    sought: Callable[[Finding], bool] = is_wrong,
    *,
    few: int = FEW,
) -> Found:
    """The elements of an array for which a direction through all of them disagrees: log₂ n rounds of halving.

    sought: what else there is to find, such as those at a kink. few: so many groups are followed at most.
    """
    shape, flat = np.shape(direction), np.ravel(direction)
    live = np.flatnonzero(flat)
    groups, many = [live], False
    if live.size <= ALL:
        groups = [live[k : k + 1] for k in range(live.size)]
    while groups:
        found = certified_bundles([probing(groups)], again=False)[0]
        chosen = [n for n, finding in enumerate(found) if sought(finding)]
        if len(chosen) > few and live.size > ALL:
            many = True
            chosen = sorted(sorted(chosen, key=lambda n: -_off(found[n]))[:few])
        groups = [groups[n] for n in chosen]
        if all(group.size == 1 for group in groups):
            break
        groups = [half for group in groups for half in np.array_split(group, 2) if half.size]
    found = certified_bundles([probing(groups)])[0] if groups else []
    elements = tuple(
        _element(int(group[0]), shape, float(flat[group[0]]), finding)
        for group, finding in zip(groups, found, strict=True)
        if sought(finding)
    )
    rest = np.setdiff1d(live, np.concatenate([*groups, np.empty(0, np.intp)]))
    if many or not rest.size:
        return Found(elements, None)
    return Found(elements, certified_bundles([probing([rest])])[0][0])


def _off(finding: Finding) -> float:
    off = abs(finding.claim - finding.slope.value)
    return off if math.isfinite(off) else math.inf


def _element(k: int, shape: tuple[int, ...], unit: float, finding: Finding) -> Element:
    """What was found along a line that moves one element by so much, as the derivative by that element."""
    index: tuple[int | str, ...] = tuple(map(int, np.unravel_index(k, shape)))
    slope = stretched(finding.slope, unit)
    return Element(index, math.nan, finding.claim / unit, slope, finding.verdict, finding.reason)
