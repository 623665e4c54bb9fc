"""What is known of a derivative at one point: a number with a bound, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

SMOOTH = "smooth"
NEAR_KINK = "near a kink"
KINK = "kink"
JUMP = "jump"
INFINITE = "infinite slope"
ONE_SIDED = "one-sided domain"
NONFINITE = "not finite"
STATUSES = (SMOOTH, NEAR_KINK, KINK, JUMP, INFINITE, ONE_SIDED, NONFINITE)
"""What a point can be. Only the first two have a derivative; a kink has a left and a right slope."""


@dataclass(frozen=True)
class Certified:
    """A derivative and a bound on its error: abs(value - f'(x)) <= bound where the status is smooth or near a kink.

    At a kink `left` and `right` are the one-sided slopes, each within `bound`, and `value` is their mean; at the edge
    of a domain only one of them is a number; elsewhere both are the value. What is not known is NaN, and the bound
    then infinite.
    evaluations: how often the function was called.
    """

    value: float = math.nan
    bound: float = math.inf
    status: str = NONFINITE
    left: float = math.nan
    right: float = math.nan
    evaluations: int = 0
    complex_step: bool = False
    """Whether the number comes from a complex step, which differences only confirm."""

    @property
    def differentiable(self) -> bool:
        """Whether there is a derivative at this point, known to within the bound."""
        return self.status in (SMOOTH, NEAR_KINK)
