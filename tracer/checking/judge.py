"""Verdicts: a claimed derivative against a certified one.

The tolerance comes from the certificate, not from a fixed number: a claim disagrees when it is further from the number
than the bound and `RTOL` of the number itself allow, so a gradient of size 1e-7 with the wrong sign is caught. It
agrees only if the number is also known well enough to tell; else it is undecidable, and the reason is said.
"""

from __future__ import annotations

import math

from tracer.format import number

from .certified.certificate import KINK, Certified

AGREE = "AGREE"
DISAGREE = "DISAGREE"
UNDECIDABLE = "UNDECIDABLE"

RTOL = 1e-6
"""How far a claim may lie from a certified number, relative to the number."""
INSIDE_KINK = "at a kink, between its slopes"
"""How the reason begins where a claim is a valid subgradient."""
AT_KINKS = "at kinks of several elements"
"""The reason along a line that meets several kinks at once: the claim need not lie between its slopes there."""
TELLING = 1e-2
"""A bound of so much of a claim still tells a wrong sign or factor from a right one."""
SHAKY = 5e-4
"""A claim that is off, and that rounding moves by more than this share of itself, is not told from a wrong one."""
NEGLIGIBLE = 2.0**-40
"""A claim of so much of the floor counts as 0, as the gradients that vanish on a long way."""
EXACT = 2.0**-52
"""The relative spacing of float64 numbers."""


def judge(
    claim: float,
    slope: Certified,
    *,
    scale: float = 0.0,
    floor: float = 0.0,
    unit: float = EXACT,
    rounding: float = 0.0,
    rtol: float = RTOL,
) -> tuple[str, str]:
    """The verdict on one claimed derivative, and the reason where it is not agreement.

    scale: the size of what adds up to the gradient: its flows, the largest element of its array. The number is known
    well enough when its bound is below RTOL of that. floor: a bound that is good enough as well, for a claim that is 0
    but for rounding, or so much larger that the number tells it from other claims.
    unit: the relative spacing of the numbers in which the claim was computed. rounding: what it is off by, beyond that,
    because its inputs are rounded. rtol: how far it may lie from the number, relative to the number.

    >>> judge(1.0, Certified(1.0, 1e-13, "smooth"))
    ('AGREE', '')
    >>> judge(-1e-7, Certified(1e-7, 1e-20, "smooth"), scale=1.0)[0]
    'DISAGREE'
    >>> judge(0.3, Certified(0.5, 1e-13, "kink", 0.0, 1.0))
    ('UNDECIDABLE', 'at a kink, between its slopes 0 and 1')
    """
    relative = max(rtol, 512 * unit)
    if slope.status == KINK:
        low, high = sorted((slope.left, slope.right))
        spare = slope.bound + relative * max(abs(low), abs(high))
        sides = f"slopes {number(slope.left)} and {number(slope.right)}"
        if low - spare <= claim <= high + spare:
            return UNDECIDABLE, f"at a kink, between its {sides}"
        return DISAGREE, f"outside the {sides} of a kink"
    if not slope.differentiable:
        return UNDECIDABLE, slope.status
    if math.isinf(slope.bound) or math.isnan(slope.value):
        return UNDECIDABLE, "no certified number"
    if not math.isfinite(claim):
        return DISAGREE, f"{number(claim)}, where the number is finite"
    off, size = abs(claim - slope.value), max(abs(claim), abs(slope.value))
    spare = slope.bound + relative * abs(slope.value) + 64 * unit * scale
    if off > spare + rounding:
        return DISAGREE, ""
    if off > spare and size > floor and rounding > SHAKY * size:
        return UNDECIDABLE, f"rounding moves the claim by ±{number(rounding, 2)}"
    if slope.bound <= max(RTOL * max(abs(slope.value), scale), rounding):
        return AGREE, ""
    nothing = abs(claim) <= max(64 * unit * scale, rounding, NEGLIGIBLE * floor)
    if slope.bound <= floor and (nothing or slope.bound <= TELLING * abs(claim)):
        return AGREE, ""
    return UNDECIDABLE, f"the number is known only to ±{number(slope.bound, 2)}"
