"""How far a check has come: told while it runs, to somebody who may end it by raising."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .certified.certify import HALVINGS

Told = Callable[[int, int], None]
"""Called again and again with how many numbers are certified, and of how many; what it raises ends the check."""

ROUND = 2 * HALVINGS + 9
"""Evaluations for one number, if the first round settles it."""


class Progress:
    """Counts the evaluations of a check, row by row.

    >>> seen = []
    >>> progress = Progress(lambda done, of: seen.append((done, of)), [2, 3])
    >>> double = progress.counted(lambda x: 2 * x, 2)
    >>> [double(k) for k in range(ROUND)][-1], seen[0], seen[-1]
    (48, (0, 5), (1, 5))
    """

    def __init__(self, told: Told | None, sizes: Sequence[int]) -> None:
        self.told = told
        self.of = sum(sizes)
        self.done = 0
        """How many numbers the rows before had."""

    def counted(self, function: Callable[[Any], float], size: int) -> Callable[[Any], float]:
        """The function of the next row, of so many numbers, which tells at each evaluation how far the check is."""
        told, start = self.told, self.done
        self.done += size
        if told is None:
            return function
        calls = 0

        def run(value: Any) -> float:
            nonlocal calls
            calls += 1
            told(start + min(calls // ROUND, size), self.of)
            return function(value)

        return run
