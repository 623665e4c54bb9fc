"""How far a check has come: told while it runs, to somebody who may end it by raising."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .certified.search import HALVINGS

Told = Callable[[int, int], None]
"""Called again and again with how many numbers are certified, and of how many; what it raises ends the check."""


class StoppedError(Exception):
    """Raised by who is told, at the user's wish: the check ends, and its report holds the rows known by then."""


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
        return function if self.told is None else Counted(function, self.begun(size))

    def begun(self, size: int) -> Callable[[int], None]:
        """The next row of so many numbers begins: called with the number of evaluations just made, it tells."""
        start, calls = self.done, 0
        self.done += size

        def tell(evaluations: int) -> None:
            nonlocal calls
            calls += evaluations
            if self.told is not None:
                self.told(start + min(calls // ROUND, size), self.of)

        return tell


class Counted:
    """A function that tells of each of its evaluations, and of many at once where it can do many at once."""

    def __init__(self, function: Callable[[Any], float], tell: Callable[[int], None]) -> None:
        self.function, self.tell = function, tell
        if hasattr(function, "many"):
            self.many = self._many
            """Many values at once: (lanes, *shape) to float (lanes,)."""

    def __call__(self, value: Any) -> float:
        """The function of one value."""
        self.tell(1)
        return self.function(value)

    def _many(self, values: Any) -> Any:
        self.tell(len(values))
        return self.function.many(values)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        # what else the function knows of itself, such as the room that it needs
        if name in ("function", "many"):
            raise AttributeError(name)
        return getattr(self.function, name)
