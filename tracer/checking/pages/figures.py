"""Numbers side by side: as many digits as tell them apart, and where the digits of one leave those of another."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tracer.checking.report import Element
from tracer.format import MINUS, number

LEAST = 6
"""Digits of a number, at least."""
BEYOND = 2
"""Digits that are shown from the first that differs on."""


def digits_of(element: Element, most: int) -> int:
    """How many digits of the claimed number and the certified one have to be seen to tell them apart."""
    claim, value = element.claim, element.numerical.value
    if not (math.isfinite(claim) and math.isfinite(value)) or not value or claim == value:
        return min(LEAST, most)
    agreeing = -math.log10(abs(claim - value) / abs(value))
    return max(min(LEAST, most), min(math.ceil(agreeing) + BEYOND, most))


def apart(claim: float, value: float, digits: int) -> tuple[str, str]:
    """A number in so many digits, cut in two where its digits leave those of the value beside it.

    >>> apart(0.5956, 0.5942, 6), apart(-0.25, 0.25, 3), apart(12.5, 1.25, 3), apart(0.1, 0.1, 3)
    (('0.59', '5600'), ('', '−0.250'), ('', '12.5'), ('0.100', ''))
    """
    mine, other = (number(x, digits, zeros=True) for x in (claim, value))
    if mine == other:
        return mine, ""
    if _size(mine) != _size(other):
        return "", mine
    alike = (a == b for a, b in zip(mine, other, strict=False))
    same = next((k for k, equal in enumerate(alike) if not equal), min(len(mine), len(other)))
    return mine[:same], mine[same:]


def _size(text: str) -> tuple[int, str]:
    """Where the point of a number stands, a minus before it counted, and its power of ten."""
    mantissa, _, power = text.partition("e")
    return len(mantissa.partition(".")[0]) + 9 * mantissa.startswith(MINUS), power


def shown_elements(elements: tuple[Element, ...], verdict: str, count: int) -> Iterator[Element]:
    """The elements of a verdict that are furthest off, the worst first."""
    having = [element for element in elements if element.verdict == verdict]
    yield from sorted(having, key=lambda element: element.distance, reverse=True)[:count]
