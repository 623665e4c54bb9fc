"""Ticks: round numbers along an axis, linear or logarithmic, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tracer.format import MINUS, number

_WITHIN_DECADES = ((1, 2, 5), (1, 3), (1,))
"""The mantissas of ticks on a log axis, the densest first."""


def nice(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two: multiples of 1, 2 or 5 times a power of ten, at most so many, but two at least.

    >>> nice(-4.2, 4.2, 5), nice(0.0, 1.05, 4)
    ([-4.0, -2.0, 0.0, 2.0, 4.0], [0.0, 0.5, 1.0])
    """
    least = (high - low) / max(most, 1) * (1 - 1e-9)
    power = 10.0 ** math.floor(math.log10(least))
    step = next((m * power for m in (1, 2, 5) if m * power >= least), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last <= first:
        return nice(low, high, most + 1)
    places = 1 - math.floor(math.log10(step))
    return [round(k * step, places) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two above 0 for a log axis: powers of ten, with numbers between them where there is room.

    >>> log_ticks(0.5, 300, 4), log_ticks(1e-6, 1, 4), log_ticks(1, 10, 4)
    ([1.0, 10.0, 100.0], [1e-06, 0.0001, 0.01, 1.0], [1.0, 2.0, 5.0, 10.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    inside = (low * (1 - 1e-9), high * (1 + 1e-9))
    for mantissas in _WITHIN_DECADES:
        ticks = [float(f"{m}e{k}") for k in range(first, last + 1) for m in mantissas]
        ticks = [tick for tick in ticks if inside[0] <= tick <= inside[1]]
        if 2 <= len(ticks) <= max(most, 2):
            return ticks
        if len(ticks) < 2:
            return nice(low, high, most)
    every = math.ceil((last - first) / max(most, 1))
    powers = [float(f"1e{k}") for k in range(first, last + 1) if k % every == 0]
    return [tick for tick in powers if inside[0] <= tick <= inside[1]]


def labels(ticks: Sequence[float], digits: int = 3) -> list[str]:
    """Ticks as they are written: in as few digits as say each of them exactly, three at least.

    >>> labels([0.0, 0.5, 1.0]), labels([1000.5, 1001.0]), labels([1e-5, 0.1])
    (['0', '0.5', '1'], ['1000.5', '1001'], ['1e−5', '0.1'])
    """
    for count in range(digits, 16):
        texts = [number(tick, count) for tick in ticks]
        pairs = zip(texts, ticks, strict=True)
        if all(math.isclose(_read(text), tick, rel_tol=1e-12) for text, tick in pairs):
            break
    return texts if ticks else []


def _read(text: str) -> float:
    return float(text.replace(MINUS, "-"))
