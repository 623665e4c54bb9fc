"""A kernel's complaint in the user's words: the operation, the shapes, the line, one thing to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ops.primitive import Primitive
from tracer.errors import DTypeError, GradstepError, MixedDevicesError, ShapeError
from tracer.places import place_of
from tracer.recording import user_frame


def explained(
    op: Primitive, inputs: Sequence[Any], error: Exception, hidden: frozenset[str]
) -> GradstepError:
    """A kernel's complaint in the user's words: the operation, the shapes, the line, one thing to try."""
    if isinstance(error, MixedDevicesError):
        # found before anything ran: the line is all that it lacks
        return MixedDevicesError(str(error).replace("\n", f"{_where(hidden)}\n", 1))
    if isinstance(error, GradstepError):
        return error
    shapes = ", ".join(
        f"{label} {_described(x)}"
        for label, x in zip(_labels(op, len(inputs)), inputs, strict=True)
    )
    where = _where(hidden)
    hint = op.hint or "check the values and shapes of the inputs"
    if isinstance(error, np.exceptions.AxisError) and error.ndim:
        hint = f"an axis from {-error.ndim} to {error.ndim - 1}"
    elif op.elementwise and op.defaults and _fit(inputs):
        hint = f"another value: {op.usage()}"
    known: type[GradstepError] = DTypeError if isinstance(error, TypeError) else ShapeError
    if op.elementwise and _is_whole_and_fits(inputs):
        known, hint = DTypeError, "x.astype('float64'), where the data comes in"
    return known(f"{op.name}: {error}\n  with {shapes}{where}\n  try: {hint}")


def _where(hidden: frozenset[str]) -> str:
    """The user's line, on a line of its own; empty if it is not known."""
    code, offset = user_frame(4, hidden)
    place = place_of(code, offset)
    where = f"\n  at {place.file}:{place.line}" if place else ""
    return f"{where}: {place.text}" if place and place.text else where


def _is_whole_and_fits(inputs: Sequence[Any]) -> bool:
    """Whether nothing but integers and booleans came together, in shapes that are not to blame."""
    values = [getattr(x, "value", x) for x in inputs]
    kinds = [(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).kind for x in values]
    return _fit(inputs) and all(kind in "iubO" for kind in kinds)  # O: beyond 64 bits


def _fit(inputs: Sequence[Any]) -> bool:
    """Whether the shapes broadcast."""
    try:
        np.broadcast_shapes(*(np.shape(getattr(x, "value", x)) for x in inputs))
    except ValueError:
        return False
    return True


def _labels(op: Primitive, count: int) -> list[str]:
    names = list(op.inputs)
    while len(names) < count:
        names.append(names[-1])
    return names[:count]


def _described(x: Any) -> str:
    value = getattr(x, "value", x)
    return f"{value.dtype}{list(value.shape)}" if hasattr(value, "dtype") else repr(value)
