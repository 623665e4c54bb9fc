"""Verdicts on the layers of a network, each with its reason: found by comparing neighbours, not by one magic number.

Gradients are judged on a log scale along a row of layers or time steps, from the loss on: by how many decades a norm
falls or rises to the next, and how many it has gone since its best (or least) nearer the loss. The marks:

- vanishing, exploding: the norm of a product of Jacobians shrinks or grows exponentially with its length (Bengio et
  al. 1994; Pascanu, Mikolov & Bengio 2013), from layer to layer as well (Glorot & Bengio 2010, figure 7). FAR decades
  in all, or SUDDEN from one to the next: with a step that suits the last layer (see STEP), the updates of the others
  are then a millionth of their weights, which is where float32 rounds them away.
- dead: "as much as 40% of your network can be dead" (CS231n, Neural networks 1); of few samples, only if all are.
- saturated: more than half of a layer in the flat part of tanh or sigmoid (Glorot & Bengio 2010, section 3; where the
  flat part begins: see `slopes.FLAT`).
- updates: 1e-3 of the weights is usual (Karpathy; CS231n, Neural networks 3); judged only if a learning rate is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tracer.format import number
from tracer.insight.vitals import Vitals

FAR = 3.0
"""Decades between the norm of a gradient and the best, or least, of its row nearer the loss."""
SUDDEN = 2.0
"""Decades from a layer to the next."""
DEAD = 0.4
"""The share of dead units."""
FEW = 8
"""With fewer samples than this a unit may well be off for all of them without being dead."""
SATURATED = 0.5
"""The share of saturated units."""
STEP = 1e-3
"""What an update usually is, as a share of the weights."""
PACE = 100.0
"""How many times more or less than STEP is worth a word."""

NOT_FINITE, DEAD_UNITS, SATURATED_UNITS = "not finite", "dead", "saturated"
VANISHING, EXPLODING = "vanishing", "exploding"
FAST, SLOW = "steps too large", "steps too small"


def diagnosed(rows: Sequence[Vitals]) -> tuple[Vitals, ...]:
    """The rows of one track, from the inputs to the loss, with decades, verdict and reason."""
    found: list[Vitals] = []
    best, least, best_at, nearer = -math.inf, math.inf, "", None
    for row in reversed(rows):
        here = decade(row.gradient_norm)
        if here is None:
            found.append(_judged(row, "", ""))
            continue
        step = here - nearer if nearer not in (None, -math.inf) else None
        verdict, reason = _trend(here, step, best, least, best_at)
        found.append(_judged(replace(row, decades=step), verdict, reason))
        if here > best:
            best, best_at = here, row.name
        least = min(least, here) if here > -math.inf else least
        nearer = here
    return tuple(reversed(found))


def decade(norm: float | None) -> float | None:
    """log10 of a norm, −inf for 0; None for none, or one that is not finite.

    >>> decade(0.001), decade(0.0), decade(math.nan)
    (-3.0, -inf, None)
    """
    if norm is None or not math.isfinite(norm):
        return None
    return math.log10(norm) if norm else -math.inf


def _trend(
    here: float, step: float | None, best: float, least: float, best_at: str
) -> tuple[str, str]:
    """Whether a gradient vanishes or explodes on its way from the loss, and by how much."""
    if best == -math.inf:
        return "", ""
    if here == -math.inf:
        return VANISHING, f"exactly 0; {best_at} still has one"
    step = 0.0 if step is None else step
    if best - here >= FAR or step <= -SUDDEN:
        return VANISHING, f"{number(best - here, 2)} decades below {best_at}"
    if here - least >= FAR or step >= SUDDEN:
        return EXPLODING, f"{number(here - least, 2)} decades above the least nearer the loss"
    return "", ""


def _judged(row: Vitals, verdict: str, reason: str) -> Vitals:
    """The row with the verdict that explains most: NaN before dead and saturated units, these before a trend."""
    if row.bad:
        return replace(row, verdict=NOT_FINITE, reason=row.bad)
    share, samples = row.dead, row.samples
    if share is not None and share >= (DEAD if samples >= FEW else 1.0):
        return replace(
            row, verdict=DEAD_UNITS, reason=f"{share:.0%} of the units pass nothing back"
        )
    if row.saturated is not None and row.saturated > SATURATED:
        reason = f"{row.saturated:.0%} of the activations lie in the flat part"
        return replace(row, verdict=SATURATED_UNITS, reason=reason)
    if not verdict and row.rate is not None and row.update:
        pace = row.update / STEP
        if pace > PACE or pace < 1 / PACE:
            word = FAST if pace > 1 else SLOW
            reason = (
                f"a step moves the weights by {number(row.update, 2)} of themselves; 1e−3 is usual"
            )
            return replace(row, verdict=word, reason=reason)
    return replace(row, verdict=verdict, reason=reason)
