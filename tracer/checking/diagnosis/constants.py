"""Constant factors, in words: a sign, a 2, the length of an axis, the size of a variance's correction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from tracer.format import number

from .causes import Cause
from .wrong import CLOSE, Wrong, same

NOTHING: Mapping[int, str] = MappingProxyType({})
LEAST = 1e-3
"""A factor nearer to 1 is no factor, but a lack of precision."""
MOST_PASSES = 12
"""Whole numbers up to this may be a gradient that was added so many times."""


def factors(wrong: Wrong) -> Iterator[Cause]:
    """A constant factor: a sign, a 2, the size of a batch."""
    if not wrong.fits or not wrong.right.any():
        return
    k = share_of(wrong.claim, wrong.right)
    if k and same(wrong.claim, k * wrong.right):
        yield from factor_cause("it", k, wrong)


def share_of(part: np.ndarray, whole: np.ndarray) -> float:
    """The number by which the whole comes nearest to the part."""
    return float(np.sum(part * whole) / np.sum(whole * whole))


def factor_cause(what: str, k: float, wrong: Wrong, *, path: bool = False) -> Iterator[Cause]:
    """The cause of a factor k on something: of the whole gradient, or of a path; none where nothing explains it.

    A single number is any multiple of the right one, so that there only a factor with a reason is a cause.
    """
    if abs(k - 1) < LEAST:
        return
    kind, said = factor(k, wrong.lengths, of_variance=wrong.is_of_variance, names=wrong.spelled)
    if kind in ("factor", "stale") and wrong.right.size < 2:
        return
    if kind == "factor" and path:
        kind = "scaled path"
    yield Cause(kind, f"{what} is {said}")


def factor(
    k: float,
    lengths: Sequence[int] = (),
    *,
    of_variance: bool = False,
    names: Mapping[int, str] = NOTHING,
) -> tuple[str, str]:
    """The kind of a factor, and the factor in words, with what may have been forgotten.

    lengths: of axes. names: what the derivation calls them. of_variance: whether m and m − 1 may be mixed up.

    >>> factor(-1.0), factor(8.0, (8,))
    (('sign', 'of the wrong sign'), ('size', '8 times too large: 1/8, for the length of an axis, was forgotten'))
    >>> factor(0.5, (8,))
    ('two', 'half of what it should be: a factor 2 was forgotten')
    >>> factor(8.0, (8,), names={8: "m"})
    ('size', '8 times too large: 1/m was forgotten')
    >>> factor(-3.5)
    ('factor', '−3.5 times what it should be')
    """

    def is_(value: float) -> bool:
        return abs(k - value) <= CLOSE * abs(value)

    def one_over(m: int) -> str:
        return f"1/{names[m]}" if m in names else f"1/{m}, for the length of an axis,"

    if is_(-1.0):
        return "sign", "of the wrong sign"
    if is_(2.0):
        return "two", "twice what it should be: a factor 2 too much"
    if is_(0.5):
        return "two", "half of what it should be: a factor 2 was forgotten"
    for m in lengths:
        if m > 2 and is_(m):
            return "size", f"{m} times too large: {one_over(m)} was forgotten"
        if m > 2 and is_(1 / m):
            return "size", f"{m} times too small: {one_over(m)} is too much"
    for m in lengths:
        if m - 1 in lengths and not of_variance:
            continue
        if m > 2 and (is_(m / (m - 1)) or is_((m - 1) / m)):
            kind = "bessel" if of_variance else "size"
            a, b = (names[m], f"{names[m]} − 1") if m in names else (m, m - 1)
            why = ", as in an unbiased variance" if of_variance else ""
            return kind, f"{number(k)} times what it should be: {a} against {b}{why}"
    for m in lengths:
        if is_(math.sqrt(m)):
            return "size", f"√{m} times too large: 1/√{names.get(m, m)} was forgotten"
        if is_(1 / math.sqrt(m)):
            return "size", f"√{m} times too small: 1/√{names.get(m, m)} is too much"
    for m in lengths:
        for n in lengths:
            if m != n and is_(m / n):
                return (
                    "size",
                    f"{number(k)} times what it should be: "
                    f"1/{names.get(n, n)} stands where 1/{names.get(m, m)} belongs",
                )
    if is_(-2.0) or is_(-0.5):
        return "two", f"{number(k)} times what it should be: the sign and a factor 2 are wrong"
    for m in lengths:
        if m > 2 and (is_(-m) or is_(-1 / m)):
            return (
                "size",
                f"{number(k)} times what it should be: the sign, and the length {m} of an axis",
            )
    for base in (2, 10):
        if is_(math.log(base)) or is_(1 / math.log(base)):
            return (
                "factor",
                f"{number(k)} times what it should be: ln {base}, as of a logarithm to base {base}",
            )
    if k > 2.5 and abs(k - round(k)) <= CLOSE * k and k <= MOST_PASSES:
        n = round(k)
        return "stale", f"{n} times what it should be: as if {n} passes had been added up"
    return "factor", f"{number(k)} times what it should be"
