"""A certified number as text: as many digits as its bound supports, and the bound."""

from __future__ import annotations

import math

from tracer.format import number

from .certified.certificate import Certified


def certified(slope: Certified, most: int = 12) -> str:
    """A certified number with as many digits as its bound supports, and at most so many.

    >>> certified(Certified(0.37104833, 2e-9, "smooth")), certified(Certified(0.5, 1e-9, "kink", 0.0, 1.0))
    ('0.371048330 ± 2e−9', '[0, 1] kink')
    >>> certified(Certified(status="jump")), certified(Certified(-3e-17, 2e-15, "smooth"))
    ('jump', '0 ± 2e−15')
    """
    if not math.isnan(slope.left) and not slope.differentiable:
        low, high = sorted((slope.left, slope.right))
        return f"[{number(low)}, {number(high)}] {slope.status}"
    if math.isnan(slope.value) or not slope.differentiable:
        return slope.status
    if abs(slope.value) <= slope.bound:
        return f"0 ± {number(slope.bound, 1)}"
    digits = most
    if slope.bound > 0:
        digits = max(min(math.ceil(math.log10(abs(slope.value) / slope.bound)), most), 3)
    return f"{number(slope.value, digits, zeros=slope.bound > 0)} ± {number(slope.bound, 1)}"
