"""What is known of a wrong gradient that no cause explains: which elements, rows, steps are right, and how closely."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .causes import Cause
from .wrong import CLOSE, Wrong, is_mask, same

ROUGH = 2e-3
"""Relative difference up to which a gradient is called right to a few digits."""
MOST_NAMED = 6
"""Rows or elements that are named one by one, at most."""


def masked(wrong: Wrong) -> Iterator[Cause]:
    """Right wherever the right gradient is not zero, and not zero where it should be: a mask was forgotten."""
    if not wrong.fits or wrong.right.size < 2:
        return
    off = _off(wrong)
    stopped = wrong.right == 0
    if off.any() and not stopped.all() and bool((stopped | ~off).all()):
        text = f"right but for {int(off.sum())} elements that should be 0: a mask was forgotten"
        yield Cause("mask", text)
    elif (
        off.any()
        and is_mask(wrong.claim != 0)
        and bool((off == ((wrong.claim == 0) & ~stopped)).all())
    ):
        text = f"right but for {int(off.sum())} elements that should not be 0"
        yield Cause("some elements", text, exact=False)


def nonfinite(wrong: Wrong) -> Iterator[Cause]:
    """Infinite or not a number, where the right gradient is neither."""
    broken = ~np.isfinite(wrong.claim)
    if broken.any():
        index = [int(k) for k in np.argwhere(broken)[0]]
        where = f", first at {index}" if index else ""
        text = f"not finite in {int(broken.sum())} of {broken.size} elements{where}"
        yield Cause("some elements", text, exact=False)


def precision(wrong: Wrong) -> Iterator[Cause]:
    """Right to a few digits only."""
    if not wrong.fits or not wrong.right.any():
        return
    size = float(np.max(abs(wrong.right)))
    worst = float(np.max(abs(wrong.claim - wrong.right))) / size
    if 0 < worst <= ROUGH:
        digits = int(-math.log10(worst))
        text = f"right to {digits} digits only: look at epsilon, at a rounded number, or at the precision"
        yield Cause("precision", text, exact=False)


def elements(wrong: Wrong) -> Iterator[Cause]:
    """Right but for some rows, columns, steps or elements."""
    if not wrong.fits or wrong.right.size < 2:
        return
    off = _off(wrong)
    count = int(off.sum())
    if not 0 < count < off.size:
        return
    said = f"right in {off.size - count} of {off.size} elements"
    for axis in range(off.ndim):
        others = tuple(k for k in range(off.ndim) if k != axis)
        bad = np.flatnonzero(off.any(others))
        if len(bad) < off.shape[axis] and off.shape[axis] > 1:
            yield Cause(
                "some elements", f"{said}: wrong only {_where(bad, axis, off.ndim)}", exact=False
            )
            return
    where = ", ".join(str(list(map(int, index))) for index in np.argwhere(off)[:MOST_NAMED])
    more = ", …" if count > MOST_NAMED else ""
    yield Cause("some elements", f"{said}: wrong at {where}{more}", exact=False)


def _where(numbers: Sequence[int] | np.ndarray, axis: int, ndim: int) -> str:
    """The rows, columns or entries along an axis: `in row 3`, `in columns 1 to 4`."""
    noun = {(0, 2): "row", (1, 2): "column", (0, 1): "element"}.get((axis, ndim), "entry")
    many = len(numbers) > 1
    nouns = ("entries" if noun == "entry" else f"{noun}s") if many else noun
    first, last = int(numbers[0]), int(numbers[-1])
    if len(numbers) > 2 and last - first + 1 == len(numbers):
        which = f"{first} to {last}"
    else:
        which = ", ".join(str(int(k)) for k in numbers[:MOST_NAMED]) + (
            ", …" if len(numbers) > MOST_NAMED else ""
        )
    along = f" along axis {axis}" if noun == "entry" else ""
    return f"in {nouns} {which}{along}"


def patterns(wrong: Wrong) -> Iterator[Cause]:
    """Right up to a factor in each row or column, or up to signs."""
    if not wrong.fits or wrong.right.size < 4 or not wrong.right.all():
        return
    ratio = wrong.claim / wrong.right
    for axis in range(ratio.ndim):
        if ratio.shape[axis] < 2:
            continue
        first = np.take(ratio, [0], axis)
        if np.allclose(ratio, first, rtol=CLOSE, atol=0) and ratio.ndim > 1:
            text = f"right up to a factor that is the same along axis {axis}"
            yield Cause("some elements", text, exact=False)
            return
    if np.allclose(abs(ratio), 1.0, rtol=CLOSE):
        yield Cause("sign", "right up to the signs of some elements", exact=False)


def totals(wrong: Wrong) -> Iterator[Cause]:
    """Right in sum along an axis, or in all signs, or in nothing."""
    if not wrong.fits or wrong.right.size < 2:
        return
    for axis in range(wrong.right.ndim):
        total = wrong.right.sum(axis)
        if wrong.right.shape[axis] > 1 and total.any() and same(wrong.claim.sum(axis), total):
            yield Cause("some elements", f"only its sums over axis {axis} are right", exact=False)
            return
    if wrong.right.all() and bool((np.sign(wrong.claim) == np.sign(wrong.right)).all()):
        text = f"no element of {wrong.right.size} is right, but all have the right sign"
        yield Cause("some elements", text, exact=False)


def _off(wrong: Wrong) -> np.ndarray:
    """Which elements are wrong."""
    floor = CLOSE * float(np.max(abs(wrong.right), initial=0.0)) * 1e-3
    found: np.ndarray = abs(wrong.claim - wrong.right) > CLOSE * abs(wrong.right) + floor
    return found
