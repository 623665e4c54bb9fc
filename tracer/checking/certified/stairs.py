"""Functions that go in stairs close by, since something is rounded on the way to them that their values do not show.

log(1 + e⁻ˣ) is constant around 40, as 1 + e⁻⁴⁰ is 1, and (1 − cos x)/x² falls like 1/x² between one jump and the next.
Within a stair all is smooth, and says nothing of the derivative. What gives it away is a sudden silence: from one step
to the next, half as wide, all that is left over beside a straight line is gone. At the edge of a stair stays a jump,
however closely one looks; at the edge of anything that is continuous, such as a kink, there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .search import HALVINGS, ULP, Evaluate, Search

Array = Any
"""A float64 numpy array; in a table the first axis runs over the steps, the second over the elements."""

LOUD = 2.0**10
"""So many times what a value may be off is no rounding of the value itself."""
SILENT = 2.0**-8
"""A share so small of what was left over is silence. A smooth function falls to a quarter, or a sixteenth."""
LOOKS = 32
"""So often the way to the edge is halved. From half of them on what is continuous falls to nothing."""
BETWEEN = (0.39, 0.61, 0.83)
"""Where else a silence is listened to, as a share of its step."""
FAINT, FAINTEST = 2.0**-5, 1e-12
"""A jump is rounding if it is this small beside the values of the function, or at all: where it is larger, as that of
a step, the function is one with a jump, which is elsewhere."""
CLOSE = 2 * HALVINGS
"""From this row on the jump is so close to x that it is no matter of elsewhere."""
ASIDE = (0.5, 0.0, -1.0)
"""Where else a constant is looked at, as a share of x."""
FAR_LOOKS = 64
"""So often the way to the edge of a constant is halved: until float64 has no number between."""


def heed_stairs(search: Search, evaluate: Evaluate, wanted: Array) -> None:
    """Take the height of the stairs for the noise of functions that go in stairs, and estimate them again.

    wanted: bool (elements,): whose noise is not known.
    """
    wanted = wanted & np.isfinite(search.bound)
    if len(search.step) < 3 or not wanted.any():
        return
    _heed_constants(search, evaluate, wanted)
    _heed_remains(search, wanted)
    who, side, row = _silences(search, wanted)
    if not who.size:
        return
    x, here, value = search.x[who], search.here[who], search.value[who]
    near, far = search.step[row + 1, who], search.step[row, who]
    error = search.error(who)

    def left_over(width: Array) -> Array:
        at = x + side * width
        return abs(np.asarray(evaluate(who, at), np.float64) - here - value * (at - x))

    sides = np.where(side > 0, _left_over(search, 1)[:, who], _left_over(search, -1)[:, who])
    every = np.arange(who.size)
    first = coarse = height = sides[row, every]
    silent = np.maximum(LOUD * error[row + 1, every], 8 * sides[row + 1, every])
    # values that are multiples of one number lie on a line by chance, at steps that are multiples of one
    chance, closer = (
        np.max([left_over(share * near * part) for share in BETWEEN], axis=0) for part in (1, 1 / 8)
    )
    for look in range(LOOKS):
        middle = (near + far) / 2
        seen = left_over(middle)
        loud = seen > silent
        near, far = np.where(loud, near, middle), np.where(loud, middle, far)
        height = np.where(loud, seen, height)
        coarse = height if 2 * look < LOOKS else coarse
    search.calls[who] += LOOKS + 2 * len(BETWEEN)
    stays = (height > 2 * silent) & (height > SILENT * coarse)
    by_chance = (chance > np.maximum(silent, SILENT * first)) & (closer > chance / 16)
    height = np.maximum(np.where(stays, height, 0.0), np.where(by_chance, chance, 0.0))
    size = np.nanmax(abs(np.concatenate([search.above, search.below])), axis=0)[who]
    most = np.maximum(np.where(row < CLOSE, FAINT, 4.0) * size, FAINTEST)
    stair = (height > 0) & (height <= most)
    _raise(search, who[stair], height[stair])


def _raise(search: Search, who: Array, height: Array) -> None:
    """Take a height for the noise of some elements."""
    if who.size:
        search.least[who] = np.maximum(search.least[who], height)
        search.estimate_again(who)


def _heed_remains(search: Search, wanted: Array) -> None:
    """The same for what does not fall silent within the steps: by what stays beside the line as they are halved."""
    error = search.error(np.arange(search.x.size))[-1]
    for sign in (1, -1):
        left = _left_over(search, sign)
        stays = (left[-1] > LOUD * error) & (left[-1] > left[-3] / 3) & wanted
        stays &= (search.after_kink == 0) & (left[-1] <= FAINTEST)
        who = np.flatnonzero(stays)
        _raise(search, who, 2 * left[-3:, who].max(axis=0))


def _heed_constants(search: Search, evaluate: Evaluate, wanted: Array) -> None:
    """The same for what is constant as far as the steps reach, but not everywhere: by the jump at its edge."""
    flat = np.nanmax(abs(search.above - search.here), axis=0, initial=0.0) == 0
    flat &= np.nanmax(abs(search.below - search.here), axis=0, initial=0.0) == 0
    who = np.flatnonzero(flat & wanted & (search.x != 0))
    if not who.size:
        return
    near, far, here = search.x[who], search.x[who], search.here[who]
    there = here
    for share in ASIDE:
        seen = np.asarray(evaluate(who, share * near), np.float64)
        first = (there == here) & np.isfinite(seen)
        far, there = np.where(first, share * near, far), np.where(first, seen, there)
    search.calls[who] += len(ASIDE)
    other = np.isfinite(there) & (there != here)
    who, near, far, here, there = (a[other] for a in (who, near, far, here, there))
    if not who.size:
        return
    coarse = height = abs(there - here)
    for look in range(FAR_LOOKS):
        middle = (near + far) / 2
        seen = np.asarray(evaluate(who, middle), np.float64)
        same = seen == here
        near, far = np.where(same, middle, near), np.where(same, far, middle)
        height = np.where(same, height, abs(seen - here))
        coarse = height if 2 * look < FAR_LOOKS else coarse
    search.calls[who] += FAR_LOOKS
    stair = (height > 4 * ULP * abs(here)) & (height <= FAINTEST) & (height > SILENT * coarse)
    _raise(search, who[stair], height[stair])


def _silences(search: Search, wanted: Array) -> tuple[Array, Array, Array]:
    """The elements that fall silent, to which side, and the last row before: int (n,), float (n,), int (n,)."""
    count = search.x.size
    row, side = np.full(count, -1), np.zeros(count)
    known = wanted & (search.after_kink < len(search.step))
    everyone = np.arange(count)
    error = search.error(everyone)
    for sign in (1, -1):
        left = _left_over(search, sign)
        fell = (left[:-1] > LOUD * error[:-1]) & (left[1:] <= SILENT * left[:-1])
        fell[:-1] &= ~(left[2:] > SILENT * left[:-2])  # a line that is crossed falls silent once
        last = len(fell) - 1 - np.argmax(fell[::-1], axis=0)
        better = known & fell.any(axis=0) & (last > row)
        row[better], side[better] = last[better], sign
    who = np.flatnonzero(row >= 0)
    return who, side[who], row[who]


def _left_over(search: Search, side: int) -> Array:
    """How far the values to one side lie from the straight line through x, float (steps, elements)."""
    beyond = search.above if side > 0 else search.below
    return abs(beyond - search.here - side * search.value * search.step)
