"""Summaries of arrays: what a debugger says of many numbers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.fetching import Distant, Findings
from tracer.format import number


@dataclass(frozen=True)
class Summary:
    """Moments and extremes of the finite elements, and how many elements are not finite or exactly zero."""

    count: int
    mean: float
    std: float
    low: float
    high: float
    rms: float
    nans: int
    infs: int
    zeros: int

    def __str__(self) -> str:
        if self.count == 0:
            return "empty"
        text = (
            f"μ {number(self.mean)} σ {number(self.std)} "
            f"[{number(self.low)} {number(self.high)}] rms {number(self.rms)}"
        )
        for amount, word in ((self.nans, "nan"), (self.infs, "inf"), (self.zeros, "zero")):
            if amount:
                text += f" {word} {amount}"
        return text


FAR = 500
"""Numbers from 2 to this power on, or below its inverse, are scaled before they are squared."""


def _summarised(array: Any) -> Summary:
    from ops.cuda.summary import summarise

    return Summary(*summarise(array))


SUMMARIES = Findings(_summarised, 2**22)
"""Those of arrays on a device, which one view asks for after the other: some thousand."""


def summary(array: Array) -> Summary:
    """The summary of an array: mean, standard deviation, extremes and root mean square of its finite elements.

    >>> str(summary(np.array([1.0, -1.0, 0.0, np.nan])))
    'μ 0 σ 0.8165 [−1 1] rms 0.8165 nan 1 zero 1'
    >>> str(summary(np.array([1e308, -1e308, 1e308])))  # neither the sum nor a square is a number
    'μ 3.333e307 σ 9.428e307 [−1e308 1e308] rms 1e308'
    """
    if isinstance(array, Distant):
        found: Summary = SUMMARIES.of(array.array)
        return found
    flat = np.asarray(array, dtype=np.float64).ravel()
    finite = np.isfinite(flat)
    whole = bool(finite.all())
    good = flat if whole else flat[finite]
    nans = 0 if whole else int(np.isnan(flat).sum())
    infs = 0 if whole else int(flat.size - good.size - nans)
    if not good.size:
        nan = float("nan")
        return Summary(flat.size, nan, nan, nan, nan, nan, nans, infs, 0)
    with np.errstate(all="ignore"):
        low, high = float(good.min()), float(good.max())
        exponent = int(np.frexp(max(-low, high))[1])
        exponent = exponent if abs(exponent) > FAR else 0
        near = np.ldexp(good, -exponent) if exponent else good  # squares stay in range
        return Summary(
            flat.size,
            low if low == high else float(np.ldexp(near.mean(), exponent)),
            0.0 if low == high else float(np.ldexp(near.std(), exponent)),  # not its rounding
            low,
            high,
            rms(good),
            nans,
            infs,
            int(flat.size - np.count_nonzero(flat)),
        )


def all_finite(array: Array | None) -> bool:
    """Whether no element is NaN or infinite, as of integers and of nothing.

    >>> all_finite(np.array([1.0, np.inf])), all_finite(np.array([1, 2])), all_finite(None)
    (False, True, True)
    """
    if array is None or array.dtype.kind != "f":
        return True
    if isinstance(array, Distant):
        facts = summary(array)
        return not (facts.nans or facts.infs)
    return bool(np.isfinite(array).all())


def zeros(array: Array) -> int:
    """How many elements are exactly zero, or false.

    >>> zeros(np.array([True, False, True])), zeros(np.array([0.0, -0.0, 1e-300]))
    (1, 2)
    """
    if isinstance(array, Distant):
        return summary(array).zeros
    return int(array.size - np.count_nonzero(array))


def all_zero(array: Array) -> bool:
    """Whether every element is exactly zero.

    >>> all_zero(np.zeros(3)), all_zero(np.array([0.0, 1e-300]))
    (True, False)
    """
    return zeros(array) == array.size if isinstance(array, Distant) else not np.any(array)


def rms(array: Array) -> float:
    """Root mean square, scaled so that neither huge nor tiny numbers overflow; 0 for an empty array.

    >>> rms(np.array([3.0, 4.0])), rms(np.array([1e300, 1e300]))
    (3.5355339059327378, 1e+300)
    """
    if isinstance(array, Distant):
        facts = summary(array)
        return float("nan" if facts.nans else "inf") if facts.infs or facts.nans else facts.rms
    flat = np.asarray(array, dtype=np.float64).ravel()
    if not flat.size:
        return 0.0
    largest = float(np.abs(flat).max())
    if largest == 0 or not np.isfinite(largest):
        return largest
    scaled = flat / largest
    return float(largest * np.sqrt(np.dot(scaled, scaled) / flat.size))
