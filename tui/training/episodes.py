"""The optimiser steps of a training that were kept: in the debugger one goes from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracer.traces import Trace


@dataclass(frozen=True)
class Episodes:
    """Traces by the number of their optimiser step, of a training of that name, and the one that is shown."""

    name: str
    traces: Mapping[int, Trace]
    at: int

    @property
    def title(self) -> str:
        """What the trace that is shown is called.

        >>> Episodes("xor", {}, 1000).title
        'xor, optimiser step 1,000'
        """
        return f"{self.name}, optimiser step {self.at:,}"

    @property
    def hint(self) -> str:
        """How one goes to another; empty where there is no other."""
        there = ", ".join(f"{step:,}" for step in sorted(self.traces)[:8])
        return (
            f":episode + goes on to the next kept step of {there}" if len(self.traces) > 1 else ""
        )

    def beside(self, by: int) -> int | None:
        """The number of the kept step so many further on, or back; None beyond the ends."""
        steps = sorted(self.traces)
        place = steps.index(self.at) + by
        return steps[place] if 0 <= place < len(steps) else None
