"""Whether typed numbers are others: in their shape, to the digits typed, or as near as rounding leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.format import shape as shown

from .answers import LEAST_DIGITS, NOISE, TOLERANCE, AnswerError, Typed

Array = Any
"""A numpy array or numpy scalar."""


def in_shape(answer: Typed, wanted: tuple[int, ...]) -> Typed:
    """Typed numbers in the shape that is asked for: a plain list is read row by row. Raises `AnswerError`."""
    given = np.shape(answer.value)
    if given == wanted:
        return answer
    fits = np.size(answer.value) == int(np.prod(wanted))
    if fits and (len(given) < 2 or [n for n in given if n > 1] == [n for n in wanted if n > 1]):
        parts = (np.reshape(each, wanted) for each in (answer.value, answer.half, answer.digits))
        return Typed(*parts)
    raise AnswerError(other_shape(given, wanted))


def other_shape(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The complaint about too many numbers, too few, or other rows."""
    asked, got = int(np.prod(wanted)), int(np.prod(given))
    what = "one number is" if asked == 1 else f"{asked} numbers are"
    many = "one is" if got == 1 else f"{got} are" if got != asked else f"{shown(given)} are"
    like = "one number" if asked == 1 else f"{shown(wanted)} numbers, row by row"
    like = f"{asked} numbers" if asked > 1 and len(wanted) == 1 else like
    return f"{what} asked for, and {many} given\n  try: {like}"


def disagreeing(answer: Typed, right: Array) -> Array:
    """Where typed numbers are wrong: neither right to the digits typed nor as near as rounding leaves them."""
    apart = np.abs(answer.value - right)
    scale = NOISE * float(np.max(np.abs(right), initial=0.0))
    half = np.minimum(answer.half, _half_digit(right, answer.digits))
    exact = half * (1 + 1e-6) * (answer.digits >= LEAST_DIGITS)
    return np.asarray(apart > np.maximum(exact, TOLERANCE * np.abs(right)) + scale + 1e-300)


def _half_digit(right: Array, digits: Array) -> Array:
    """Half a unit in the last of so many significant digits of the right numbers: `10` is not 9.51 to two digits."""
    size = np.where(right == 0, 1.0, np.abs(right))
    half = 0.5 * 10.0 ** (np.floor(np.log10(size)) + 1 - np.asarray(digits))
    return np.where(right == 0, np.inf, half)


def matches(answer: Typed, right: Array) -> bool:
    """Whether typed numbers are these, as far as they were typed."""
    if np.shape(answer.value) != np.shape(right):
        return False
    return not disagreeing(answer, right).any()


def rounds_to(answer: Typed, right: Array) -> bool:
    """Whether the right numbers, rounded to the digits typed, are these, however few they are."""
    apart = np.abs(answer.value - right)
    return bool((apart <= answer.half * (1 + 1e-6)).all())


def is_close(found: Array, right: Array) -> bool:
    """Whether numbers that were worked out are as near as the rounding of what is given leaves them."""
    if np.shape(found) != np.shape(right):
        return False
    scale = NOISE * float(np.max(np.abs(right), initial=0.0))
    return bool((np.abs(found - right) <= TOLERANCE * np.abs(right) + scale).all())
