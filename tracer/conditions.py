"""Conditions of breakpoints and searches: `nan(value)`, `norm(grad) < 1e-8`, `norm(w1.grad) > 10 * norm(w1)`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tracer.errors import ConditionError
from tracer.expressions import Expression, node_of, read
from tracer.operators import AbsentError, TooLargeError, truth
from tracer.reading import Numbers
from tracer.traces import Trace


@dataclass(frozen=True)
class Condition:
    """A question about the numbers of a trace, read from a text.

    Where an array of truths is asked for one truth, one true element is enough: `value > 3` holds if any element is
    above 3, and `all(value > 3)` if all are. NaN compares false, and so does a function of no elements, as in Python.
    A condition that asks for a number that is not there is false. Raises `ConditionError` that shows the place in the
    text.

    >>> from tracer.expressions import numbers
    >>> Condition("max(abs(value)) > 1e3").holds(numbers(value=np.array([1.0, -2000.0])))
    True
    >>> Condition("norm(grad) < 1e-8").holds(numbers(value=1.0, grad=None))
    False
    """

    text: str
    expression: Expression = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        expression = read(self.text)
        if not expression.uses:
            raise ConditionError(
                f"condition {self.text.strip()!r} asks nothing of the trace: "
                f"it names neither value nor grad, nor a node\n"
                f"  try: nan(value), or norm(grad) < 1e-8"
            )
        object.__setattr__(self, "expression", expression)

    @property
    def reads_grad(self) -> bool:
        """Whether it asks for a gradient."""
        return self.expression.reads_grad

    @property
    def reads_it(self) -> bool:
        """Whether it asks for the number that has just come, be it value or gradient."""
        return "it" in self.expression.own

    @property
    def own(self) -> bool:
        """Whether it asks anything of the node in question, and not only of nodes that it names."""
        return bool(self.expression.own)

    def holds(self, numbers: Numbers) -> bool:
        """Whether it is so. Raises `ConditionError` where an array would become too large to tell."""
        try:
            for node, quantity in self.expression.uses:
                numbers(node, quantity)  # `not nan(grad)` too is false where there is no gradient
            with np.errstate(all="ignore"):
                return truth(self.expression.reading(numbers))
        except TooLargeError as error:
            raise ConditionError(
                f"condition {self.text!r}: {error}\n  try: a part of the array, such as value[:100]"
            ) from None
        except AbsentError:
            return False


class Recorded:
    """The final numbers that a trace recorded for a node and those it is compared with, as far as they are there.

    position: a value is there when its node has run, a gradient when it is final; what comes later is absent.
    gradient: whether `it`, the number that has just come, is the gradient.
    """

    def __init__(self, trace: Trace, node: int, position: int, *, gradient: bool = False) -> None:
        self.trace, self.node, self.position = trace, node, position
        self.gradient = gradient

    def __call__(self, name: str, quantity: str) -> object:
        """The number of a node. Raises `AbsentError` if it is not there."""
        trace = self.trace
        node = node_of(trace, name) if name else self.node
        if quantity == "value" or (quantity == "it" and not self.gradient):
            if name and not trace.timeline.has_run(self.position, node):
                raise AbsentError(f"{name} has not run yet")
            return trace.storage.value(node)
        if name and (trace.timeline.when_final(node) or self.position + 1) > self.position:
            raise AbsentError(f"the gradient of {name} is not final")
        found = trace.gradient(node)
        if found is None:
            raise AbsentError(f"{trace.label(node)} has no gradient")
        return found
