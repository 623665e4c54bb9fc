"""The threads of a block that may wait, each with where it stands."""

from __future__ import annotations

from typing import Any

from ops.interpreter.clock import Stretches
from ops.interpreter.namespace import Three


class Thread:
    """A thread of a block that may wait."""

    def __init__(self, block: Three, number: int, index: Three, greenlet: Any) -> None:
        self.block, self.number, self.index, self.greenlet = block, number, index, greenlet
        self.stamp = self.warp_start = 0
        self.fences: tuple[tuple[int, int, int], ...] = ()
        self.acquired: Stretches = frozenset()
        self.released: Stretches = frozenset()
        self.waiting: Any = None
        """The place of the barrier where it stands, a `Request`, or None if it has ended."""
        self.answer: Any = None


class Crew:
    """The threads of a block, in warps, and their shared memory."""

    def __init__(self, block: Three, threads: list[Thread]) -> None:
        self.block, self.threads = block, threads
        self.warps = [threads[i : i + 32] for i in range(0, len(threads), 32)]
        self.shared: dict[Any, Any] = {}
        self.started = False
