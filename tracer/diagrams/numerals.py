"""Numbers as a figure prints them: two decimals as on a slide, more for small numbers, an exponent for extreme ones."""

from __future__ import annotations

import math
from typing import Any

from tracer import format as short

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
