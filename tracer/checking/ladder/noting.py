"""What a trace says of itself before any number is compared: where it stops being finite, and where it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.traces import Trace

NAMED = 3
"""So many cuts are named."""


def remarks(trace: Trace) -> tuple[str, ...]:
    """What is to be known beside verdicts.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, -1.0], name="x")
    >>> for remark in remarks(tr.trace((tr.log(x) * tr.detach(x)).sum())):
    ...     print(remark)
    log@1 is the first value that is not finite: nan at [1]
    constant@2 holds what x holds: no gradient flows there, it counts as constant
    """
    return (*not_finite(trace), *_cuts(trace))


def not_finite(trace: Trace) -> tuple[str, ...]:
    """The first value that is not finite, of an input or of an operation."""
    for k in range(len(trace)):
        value = np.asarray(trace.value(k))
        if value.dtype.kind != "f" or not trace.reaches_loss[k]:
            continue
        lost = np.argwhere(~np.isfinite(value))
        if len(lost):
            at = tuple(lost[0].tolist())
            where = f" at [{', '.join(map(str, at))}]" if at else ""
            return (f"{trace.label(k)} is the first value that is not finite: {value[at]}{where}",)
    return ()


def _cuts(trace: Trace) -> tuple[str, ...]:
    """Where a value goes on as a constant: a recorded detach, or a constant of the very numbers of a tracked value."""
    held: dict[Any, int] = {}
    found = []
    for k in np.flatnonzero(trace.reaches_loss).tolist():
        op, key = trace.op(k), _key(trace.value(k))
        if trace.tracked[k]:
            held.setdefault(key, k)
            continue
        of = [held[key]] if op is None and key in held else []
        if op is not None and op.name == "detach":
            of = [n for n in trace.inputs_of(k) if n >= 0 and trace.tracked[n]]
        if of and (op is not None or np.array_equal(trace.value(of[0]), trace.value(k))):
            found.append(f"{trace.label(k)} holds what {trace.label(of[0])} holds")
    if not found:
        return ()
    more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return (f"{', '.join(found[:NAMED])}{more}: no gradient flows there, it counts as constant",)


def _key(value: Any) -> Any:
    """What two arrays share if they hold the same numbers; its own identity where that would be no surprise."""
    with np.errstate(all="ignore"):
        if value.size < 2 or value.dtype.kind != "f" or not np.ptp(value) > 0:
            return id(value)
        return value.shape, value.dtype.char, float(value.flat[0]), float(np.sum(value))
