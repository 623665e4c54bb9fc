"""Counts what one expression makes and does, before each of its operations runs."""

from __future__ import annotations

from tracer.checking.derivations.refusals import RefusedError

from .limits import ENTRY, LARGEST, STEP, TOLD, Cost
from .meanings import Meanings, Value


class Spending:
    """The elements that an expression has made, and the work that its meanings have not yet been told of."""

    def __init__(self, meanings: Meanings) -> None:
        self.meanings = meanings
        self.made = self.work = 0

    def spend(self, cost: Cost) -> None:
        """Count what an operation takes. Raises `RefusedError` where it is too much for one line."""
        self.made += cost.elements
        if self.made > LARGEST:
            raise RefusedError(
                f"it would make {self.made} elements in all",
                f"lines that make at most {LARGEST} elements",
            )
        self.work += cost.work
        if self.work > TOLD:
            self.tell()

    def tell(self) -> None:
        """Let the clock be looked at."""
        self.meanings.spend(self.work)
        self.work = 0

    def entries(self, values: Value) -> Value:
        """A new list, tuple or dictionary, whose entries are counted."""
        self.spend(Cost(ENTRY * len(values) + ENTRY, STEP + 50 * len(values)))
        return values
