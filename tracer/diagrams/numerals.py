"""Numbers as a figure prints them: two decimals as on a slide, more for small numbers, an exponent for extreme ones.

All numbers of a figure follow this one rule: two decimals, and two significant digits at least. Rounding may hide that
a number is not quite 1; nothing hides that it is not 0, that it is negative, or that an array holds a NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tracer import format as short
from tracer.fetching import Distant
from tracer.stats import all_finite, rms, zeros

_DECIMALS = ((0.00995, 4), (0.0995, 3), (999.995, 2), (99_999.5, 0))


def numeral(number: Any) -> str:
    """A number in some seven characters. An exact zero is `0`; a number that is not zero never prints as zero.

    >>> numeral(-0.1966), numeral(2.0), numeral(0.0), numeral(-0.0), numeral(0.0123), numeral(123456.0)
    ('−0.20', '2.00', '0', '−0', '0.012', '1.2e5')
    """
    number = float(number)
    size = abs(number)
    if size == 0 or not math.isfinite(number):
        return short.number(number)
    if 0.000995 <= size < 99_999.5:
        decimals = next(places for limit, places in _DECIMALS if size < limit)
        text = f"{number:.{decimals}f}"
    else:
        mantissa, exponent = f"{number:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", short.MINUS)


def whole(number: Any) -> str:
    """An integer without decimals, `−4`; anything else as `numeral` prints it."""
    number = float(number)
    if number.is_integer() and 0 < abs(number) < 100_000:
        return f"{number:.0f}".replace("-", short.MINUS)
    return numeral(number)


def signed(written: str) -> str:
    """A written number as a term of a sum: with a plus sign unless it has a sign or is zero.

    >>> signed("0.20"), signed("−4"), signed("0")
    ('+0.20', '−4', '0')
    """
    return f"+{written}" if written[:1].isdigit() and written != "0" else written


def one_number(scalar: Any) -> str:
    """A number of rank 0: floats as a figure writes them, integers and booleans as they are.

    >>> one_number(np.int64(-3)), one_number(np.array(True)), one_number(0.5)
    ('−3', 'True', '0.50')
    """
    if np.asarray(scalar).dtype.kind in "biu":
        return short.number(np.asarray(scalar)[()])
    return numeral(scalar)


def first_numbers(array: Any, count: int = 2) -> str:
    """The numbers of a card; what is left out is never passed over in silence where it is not finite.

    Where those shown are zero and others are not, the root mean square says so.

    >>> first_numbers(np.array([0.756, -0.52, 1.0, np.nan])), first_numbers(2.5), first_numbers(np.empty((0, 3)))
    ('0.76 −0.52 … 1 nan of 4', '2.50', 'empty')
    >>> first_numbers(np.array([0.0, 0.0, 3.0, -4.0])), first_numbers(np.zeros(3))
    ('0 0 … rms 2.50', '0 0 …')
    """
    array = array if isinstance(array, Distant) else np.asarray(array)
    if array.ndim == 0:
        return one_number(array)
    if array.size == 0:
        return "empty"
    shown = short.head(array, count)
    words = [*map(one_number, shown), *short.rest_of(array, count)]
    if words[-1] == "…" and array.dtype.kind == "f" and not np.any(shown):
        size = rms(array)
        words += [f"rms {numeral(size)}"] if size else []
    return " ".join(words)


def mean_size(array: Any) -> str:
    """One number for an array: its labelled root mean square; the number itself if there is only one.

    Of booleans it counts those that are true. An array with a NaN or an infinity has no size, and says so.

    >>> mean_size(np.array([3.0, -4.0])), mean_size(np.array([2.0])), mean_size(np.array([1.0, np.inf, np.nan]))
    ('rms 3.54', '2.00', '1 nan 1 inf of 3')
    >>> mean_size(np.array([True, False, True]))
    '2 of 3 True'
    """
    array = array if isinstance(array, Distant) else np.asarray(array)
    if array.size == 1:
        return one_number(array.reshape(())[()])
    if array.size == 0:
        return "empty"
    if array.dtype.kind == "b":
        return f"{array.size - zeros(array)} of {array.size} True"
    broken = () if all_finite(array) else short.rest_of(array, 0)[1:]
    if broken:
        return " ".join(broken)
    return f"rms {numeral(rms(array))}"
