"""What an answer may use, and what it comes to: nothing that is asked for, and nothing that comes later."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator import evaluate
from tracer.checking.derivations.calculator.vocabulary import CONSTANTS
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import short, spoken
from tracer.checking.derivations.refusals import RefusedError
from tracer.checking.derivations.running.scope import Scope
from tracer.traces import Trace

from .answers import AnswerError, Expression

Array = Any
"""A numpy array or numpy scalar."""

SECONDS = 5.0
"""How long an answer may be worked out."""


class ForbiddenError(AnswerError):
    """An answer with a value or a gradient that it may not use."""


class _NotYetError(RefusedError):
    """A value or a gradient that is asked for, or not known yet."""


class Known(Scope):
    """What names mean in an answer: what is known where the question stands, and nothing that would give it away."""

    def __init__(
        self, names: Names, values: Collection[int], gradients: Collection[int], base: int
    ) -> None:
        super().__init__(names, base)
        self.values, self.gradients = values, gradients
        self._until = time.monotonic() + SECONDS

    def value(self, name: str) -> Any:
        """The value of a name, if that is known yet."""
        node = None if self.names.gradient(name) is not None else self.names.value(name)
        if node is not None and node not in self.values:
            label = self.names.trace.label(node)
            raise _NotYetError(f"{label} is asked for, or comes later", "what was given")
        return super().value(name)

    def steps(self, name: str) -> Any:
        """The values of all steps, where they are known."""
        family = self.names.family(name)
        if family is not None and any(node not in self.values for node in family.nodes):
            raise _NotYetError(
                f"not all time steps of {spoken(name)} are known yet",
                f"{self.names.trace.label(family.nodes[0])} for the first",
            )
        return super().steps(name)

    def gradient(self, node: int, name: str) -> Any:
        """A gradient, if that is known yet."""
        if not self.gradients:
            raise _NotYetError("no gradient belongs to this answer", "the values that are given")
        if node not in self.gradients:
            raise _NotYetError(
                f"{spoken(name).replace('dL_d', 'dL/d')} is asked for, or does not lie on the way from the loss to it",
                "the gradient of what reads it, which came before",
            )
        return super().gradient(node, name)

    def spend(self, work: int) -> None:
        """Complain if it takes too long."""
        if time.monotonic() > self._until:
            raise RefusedError(f"it has run for {SECONDS:g} s", "something shorter")


def worked_out(answer: Expression, known: Known) -> Array:
    """The numbers of an expression. Raises `AnswerError` where it cannot be worked out, or uses what is not known."""
    try:
        found = evaluate(answer.tree, known)
        array = np.asarray(found, np.float64)
    except _NotYetError as refused:
        raise ForbiddenError(f"{refused.reason}\n  try: {refused.cure}") from None
    except RefusedError as refused:
        raise AnswerError("\n  try: ".join(_in_own_words(refused))) from None
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        RecursionError,
        MemoryError,
    ) as error:
        raise AnswerError(f"it cannot be worked out: {short(str(error))}\n  try: ?") from None
    return array[()]


def _in_own_words(refused: RefusedError) -> tuple[str, str]:
    """Why an expression was refused, and a cure, where there are no lines above, and no numpy beneath."""
    reason, cure = refused.reason.replace("dL_d", "dL/d"), refused.cure
    if "neither defined" in reason:
        name = reason.partition(" is neither")[0]
        if name.strip("'") in CONSTANTS:
            return f"{name} is no value of this network", f"np.{name.strip(chr(39))}"
        return f"{name} is no value and no gradient of this network", "the names that are given"
    if "cannot be computed" in reason and ("matmul" in reason or "object cannot" in reason):
        what = reason.partition(" cannot be computed")[0]
        return f"{what} cannot be computed: the shapes do not fit", "outer(a, b), or a * b"
    return reason, cure.replace("a line that defines it, or ", "")


def known_to(trace: Trace, values: Collection[int], gradients: Collection[int], base: int) -> Known:
    """What an answer may use of a trace."""
    return Known(Names(trace), values, gradients, base)
