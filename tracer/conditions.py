"""Conditions of breakpoints, and watches: `nan(value)`, `norm(grad) < 1e-8`, `max(abs(value)) > 1e3`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ops.primitive import Array
from tracer.errors import ConditionError
from tracer.expressions import AbsentError, Numbers, Reading, read, truth


@dataclass(frozen=True)
class Condition:
    """A question about the numbers of a node, read from a text.

    Where an array of truths is asked for one truth, one true element is enough: `value > 3` holds if any element is
    above 3, and `all(value > 3)` if all are. NaN compares false, and so does a function of no elements, as in Python.
    Raises `ConditionError` that shows the place in the text.

    >>> Condition("max(abs(value)) > 1e3").holds(np.array([1.0, -2000.0]))
    True
    >>> Condition("norm(grad) < 1e-8").holds(np.array([1.0, -2000.0]), None)
    False
    """

    text: str
    _reading: Reading = field(init=False, repr=False, compare=False)
    reads_value: bool = field(init=False, repr=False, compare=False)
    reads_grad: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reading, names = read(self.text)
        if not names:
            raise ConditionError(
                f"condition {self.text.strip()!r} asks nothing of the node: it names neither value nor grad\n"
                f"  try: nan(value), or norm(grad) < 1e-8"
            )
        for key, found in (
            ("_reading", reading),
            ("reads_value", "value" in names),
            ("reads_grad", "grad" in names),
        ):
            object.__setattr__(self, key, found)

    def holds(self, value: Array | None, gradient: Array | None = None) -> bool:
        """Whether it is so; False where a number that it asks for is not there."""
        if (self.reads_value and value is None) or (self.reads_grad and gradient is None):
            return False
        try:
            with np.errstate(all="ignore"):
                return truth(self._reading(Numbers(value, gradient)))
        except AbsentError:
            return False


def evaluate(text: str, value: Array | None, gradient: Array | None = None) -> Any:
    """What an expression gives for the numbers of a node: a number, a truth, an array, or a word if it cannot be told.

    Raises `ConditionError` for a text that cannot be read.

    >>> evaluate("rms(value) / 2", np.array([3.0, -3.0])), evaluate("grad", 1.0)
    (1.5, 'no gradient')
    """
    reading, _ = read(text)
    try:
        with np.errstate(all="ignore"):
            found = reading(Numbers(value, gradient))
    except AbsentError as absent:
        return str(absent)
    return found.item() if isinstance(found, np.bool_) else found
