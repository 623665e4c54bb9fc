"""Functions with many small kinks close by: to wide steps they are noise, and hide which slope holds at the point.

A sum over a thousand samples of a relu bends at a thousand places. Beside the whole each bend is small, and looks like
rounding; so it is taken from the values at wide steps, and believed at narrow ones too, where a rounded function is
silent. But a function that is rounded jumps where its silence ends, and this one does not: then the narrow steps, which
reach over no kink, tell the slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .search import CLEARLY, HALVINGS, SAFETY, Evaluate, Search
from .singular import kinked
from .stairs import LOOKS, LOUD, SILENT

FALLS = 16
"""Noise of kinks falls with the steps, 256-fold a round and more; that of rounding stays until it ends at once."""
BETWEEN = (0.309, 0.427, 0.573, 0.691, 0.809, 0.927)
"""Parts of the narrowest step that are no powers of two: at those a rounded function may lie on a line by chance."""
Array = Any
"""A float64 numpy array; in a table the first axis runs over the steps, the second over the elements."""


@dataclass(frozen=True)
class Close:
    """What the steps of one round say by themselves of some elements, as far as their own noise tells."""

    who: Array
    rows: slice
    value: Array
    bound: Array
    silent: Array
    """How far a value may lie beside a line through the point and still be nothing but rounding."""


def heed_ripples(search: Search, evaluate: Evaluate) -> None:
    """Take the slope of narrow steps where it contradicts that of all, and a continuous way leads from one to other."""
    for first in range(HALVINGS, len(search.step), HALVINGS):
        close = _close(search, slice(first, first + HALVINGS))
        if close.who.size:
            _take(search, close, ~_jumps(search, close, evaluate))


def _close(search: Search, rows: slice) -> Close:
    """The elements whose slope in one round contradicts the one found."""
    known = np.isfinite(search.bound) & (search.after_kink < len(search.step)) & ~search.settled
    who = np.flatnonzero(known & np.isfinite(search.own[rows.start // HALVINGS]))
    heard = np.nan_to_num(search.own[: rows.start // HALVINGS, who])
    who = who[(heard > heard.max(axis=0) / FALLS).sum(axis=0) < 2]
    table = np.arange(len(search.step))[:, None]
    inside = np.broadcast_to((table >= rows.start) & (table < rows.stop), (len(table), who.size))
    error = search.error(who, search.own[rows.start // HALVINGS, who])
    value, bound = search.estimate(who, inside, error)
    apart = abs(value - search.value[who]) - search.bound[who]
    sides = search.above[rows, who], search.below[rows, who]
    bent, _, _ = kinked(*sides, search.here[who], search.step[rows, who], error[rows])
    # what reaches over a kink as well gives the mean of two slopes
    other = (apart > CLEARLY / SAFETY * bound) & (bound < search.bound[who]) & ~bent
    return Close(who[other], rows, value[other], bound[other], LOUD * error[rows.stop - 1, other])


def _jumps(search: Search, close: Close, evaluate: Evaluate) -> Array:
    """Whether the function jumps where it first leaves the line of the narrow steps; bool (elements,)."""
    who, last = close.who, close.rows.stop - 1
    x, here, near = search.x[who], search.here[who], search.step[last, who]
    rise = close.value * search.step[:, who]
    above = abs(search.above[:, who] - here - rise) > close.silent
    below = abs(search.below[:, who] - here + rise) > close.silent
    found = np.zeros(who.size, np.bool_)
    for part in (*BETWEEN, *(-part for part in BETWEEN)):
        at = x + part * near
        beside = abs(np.asarray(evaluate(who, at)) - here - close.value * (at - x))
        found |= ~(beside <= close.silent)
    search.calls[who] += 2 * len(BETWEEN)
    for sign, loud in ((1, above), (-1, below)):
        row = last - np.argmax(loud[last::-1], axis=0)  # the narrowest of them
        far = search.step[row, who]
        some = np.flatnonzero(loud[: last + 1].any(axis=0) & (row < last))
        found[np.flatnonzero(loud[last])] = True  # not silent even close by
        if not some.size:
            continue
        one, start, end = who[some], near[some], far[some]
        height = coarse = np.full(some.size, np.inf)
        for look in range(LOOKS):
            middle = (start + end) / 2
            at = x[some] + sign * middle
            left = abs(
                np.asarray(evaluate(one, at)) - here[some] - close.value[some] * (at - x[some])
            )
            heard = ~(left <= close.silent[some])
            start, end = np.where(heard, start, middle), np.where(heard, middle, end)
            height = np.where(heard, left, height)
            coarse = height if 2 * look < LOOKS else coarse
        search.calls[one] += LOOKS
        found[some] |= (height > 2 * close.silent[some]) & (height > SILENT * coarse)
    return found


def _take(search: Search, close: Close, continuous: Array) -> None:
    """Take the slope of the narrow steps for those elements."""
    who = close.who[continuous]
    search.value[who], search.bound[who] = close.value[continuous], close.bound[continuous]
    search.usable[who] = search.after_kink[who] = close.rows.start
