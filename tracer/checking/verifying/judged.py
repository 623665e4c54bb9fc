"""A claim with what was found about it, and how the claims of one line are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.checking.derivations.claims import Claim
from tracer.checking.judge import DISAGREE
from tracer.checking.report import Element, Row

Array = Any
"""A numpy array or numpy scalar."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A claim with what was found: its elements by the user's own numbers and by recorded ones, and our own."""

    claim: Claim
    row: Row
    by_hand: tuple[Element, ...] = ()
    by_line: tuple[Element, ...] = ()
    ours: tuple[Element, ...] = ()

    @property
    def hand_wrong(self) -> bool:
        """Whether the number that the user got is wrong."""
        return any_wrong(self.by_hand) or self.row.wrong

    @property
    def line_wrong(self) -> bool:
        """Whether the line is wrong by itself."""
        return any_wrong(self.by_line) or (self.row.wrong and not self.row.inherited)


def fitted(claim: Any, size: tuple[int, ...]) -> Array | None:
    """A claim in the shape of the value; None if it does not fit.

    A single number stands for every element, and axes of length 1 may be missing or too many.
    """
    claim = np.asarray(claim)
    if claim.dtype.kind != "f":
        claim = claim.astype(np.float64)
    if claim.ndim == 0:
        return np.broadcast_to(claim, size)
    if [n for n in claim.shape if n != 1] == [n for n in size if n != 1]:
        return claim.reshape(size)
    return None


def of_one_line(claim: Claim) -> tuple[Any, ...]:
    """What tells rows apart: the line and the name, or the gradient where there are no lines."""
    if not claim.line:
        return (claim.node,)
    if claim.step is not None:
        return claim.line, claim.name
    return claim.line, claim.node, claim.text


def badness(judged: Judged, *, line_wrong: bool) -> tuple[Any, ...]:
    """How bad one time step is: those that are wrong by themselves first, then by the worst element."""
    if judged.row.wrong:
        return (3, 0, 0.0)
    elements = judged.by_line if line_wrong else judged.by_hand
    worst = max((e.distance for e in elements), default=(0, 0.0))
    return (judged.line_wrong if line_wrong else judged.hand_wrong, *worst)


def which_steps(judged: Sequence[Judged], line_wrong: bool, before: str) -> str:
    """Which time steps are wrong, in words."""
    bad = sorted(
        each.claim.step or 0
        for each in judged
        if (each.line_wrong if line_wrong else each.hand_wrong)
    )
    if len(bad) == len(judged):
        said = f"wrong at all {len(judged)} time steps"
    elif len(bad) > 2 and bad == list(range(bad[0], bad[-1] + 1)):
        said = f"wrong at t = {bad[0]} to {bad[-1]}, right at the other time steps"
    else:
        few = ", ".join(map(str, bad[:6])) + (" …" if len(bad) > 6 else "")
        said = f"wrong at t = {few}, right at the other time steps"
    return f"{before}; {said}" if before else said


def any_wrong(elements: tuple[Element, ...]) -> bool:
    """Whether an element disagrees with certified numbers."""
    return any(element.verdict == DISAGREE for element in elements)
