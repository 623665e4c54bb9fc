"""What the calculator asks about the names in an expression."""

from __future__ import annotations

from typing import Any, Protocol

Value = Any
"""What an expression can be: an array, a number, a tuple, list or dictionary; in an index also a slice, None, ...."""


class Steps(Protocol):
    """A value that was recorded at each step of a loop, and is reached as `h[t]`."""

    def at(self, index: int, *, written: bool) -> Value:
        """The value at a time step. written: the index is a plain number in the text, so that −1 is the last."""

    def all(self) -> list[Value]:
        """The values at all steps, in the order of time."""


class Meanings(Protocol):
    """What the names in an expression mean."""

    def value(self, name: str) -> Value:
        """The value of a name. Raises `RefusedError` for one that has none."""

    def steps(self, name: str) -> Steps | None:
        """The steps of a name that means a value at each step, None for any other."""

    def tick(self) -> None:
        """Called at each turn of a comprehension. Raises `RefusedError` when it has run for too long."""

    def spend(self, work: int) -> None:
        """Told of work that was done, in billionths of a second. Raises `RefusedError` when it has run for too long."""
