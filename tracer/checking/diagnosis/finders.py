"""Why a gradient is wrong: finders that recognise its error in the numbers, and repairs of the lines that gave it.

Each finder takes what is known of one wrong gradient and returns the causes it recognises; the first that recognises
any is believed. New causes are new finders in `FINDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from .causes import Cause
from .constants import factors
from .known import elements, masked, nonfinite, patterns, precision, totals
from .mending.search import mended
from .paths import flows, routes
from .patience import EndedError
from .recorded import epsilons, exchanged, other_axes, other_gradients, upstream, values
from .shapes import oversummed, permuted, shifted, sums, transposed, turned
from .sweeping import diagonal, truncated, unstopped
from .wrong import Wrong, same

Finder = Callable[[Wrong], Iterator[Cause]]

MOST_CAUSES = 3
ROUNDING = 1e-12
"""Relative difference up to which a claim is not wrong at all."""

FINDERS: tuple[Finder, ...] = (
    sums,
    oversummed,
    transposed,
    turned,
    epsilons,
    factors,
    diagonal,
    upstream,
    unstopped,
    flows,
    truncated,
    routes,
    exchanged,
    values,
    other_axes,
    shifted,
    permuted,
    other_gradients,
    masked,
)
"""What is looked for in the numbers, in this order; the first that finds something is believed."""
KNOWN: tuple[Finder, ...] = (nonfinite, precision, elements, patterns, totals)
"""What is said where nothing explains the error exactly."""
SAME_MISTAKE = (
    frozenset({"missing path", "truncated"}),
    frozenset({"doubled path", "missing path"}),
)
"""Kinds that may say the same of one mistake: the path by what it is, the repair by what was written."""
TELLING = frozenset({"softmax", "truncated"})
"""Kinds that say more, as found in the numbers, than the repair that undoes them."""

PASSED_ON = ": the local derivative"
"""What stands in the text of a cause whose factor the repair says in the user's own words."""


def diagnose(wrong: Wrong | None) -> tuple[Cause, ...]:
    """The causes that explain a wrong gradient by hand, of any shape, exactly; else what is known of it.

    The first is the one that says most; there are at most 3. Empty where nothing is known, or nothing is wrong.
    """
    if wrong is None or not wrong.right.size or not np.isfinite(wrong.right).all():
        return ()
    if wrong.fits and same(wrong.claim, wrong.right, ROUNDING):
        return ()
    if not np.isfinite(wrong.claim).all():
        return _mended(wrong) or tuple(nonfinite(wrong))
    found: tuple[Cause, ...] = _first(wrong, FINDERS)
    repaired = _mended(wrong, found[0].kind if found else "")
    return (_agreed(wrong, found, repaired) or _first(wrong, KNOWN))[:MOST_CAUSES]


def _mended(wrong: Wrong, known: str = "") -> tuple[Cause, ...]:
    """What small changes of the lines explain, as far as there is time to try them."""
    try:
        return tuple(mended(wrong, known))
    except EndedError:
        return ()


def _first(wrong: Wrong, finders: tuple[Finder, ...]) -> tuple[Cause, ...]:
    """What the first finder says that says anything."""
    each = (_holding(wrong, finder) for finder in finders)
    return next((causes for causes in each if causes), ())


def _holding(wrong: Wrong, finder: Finder) -> tuple[Cause, ...]:
    """What a finder says that it says on runs with other numbers too: else it is a coincidence of these.

    Of a bare number it says it of that number.
    """
    causes = tuple(finder(wrong))
    if wrong.bare or finder in KNOWN:
        return causes
    for other in wrong.elsewhere if causes else ():
        said = {_gist(cause) for cause in finder(other)}
        causes = tuple(cause for cause in causes if _gist(cause) in said)
    return causes


def _gist(cause: Cause) -> tuple[str, str]:
    """What makes two causes the same; how many elements a mask stops is another matter on every run."""
    return cause.kind, "" if cause.kind == "mask" else cause.text


def _agreed(
    wrong: Wrong, found: tuple[Cause, ...], repaired: tuple[Cause, ...]
) -> tuple[Cause, ...]:
    """One cause, of what the numbers say and what the repair says: the repair, by its place or by what it comes to."""
    if not found or not repaired:
        return found or repaired
    first, repair = found[0], repaired[0]
    alike = first.kind == repair.kind or any({first.kind, repair.kind} <= s for s in SAME_MISTAKE)
    if alike and first.kind == "missing factor" and PASSED_ON in first.text:
        first = replace(first, text=f"{first.text.partition(PASSED_ON)[0]}: {repair.text}")
    if alike and repair.line:
        return (repair,)
    if alike and (first.kind != "sum" or wrong.claim.size > wrong.right.size):
        return (replace(first, fix=repair.fix, line=repair.line),)
    if first.kind in TELLING and repair.kind != "sum":
        return (replace(first, fix=repair.fix, line=repair.line),)
    return (repair,)
