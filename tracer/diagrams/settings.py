"""What a user asks of a figure, apart from the step it shows and its colours."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.diagrams.picture import Direction


@dataclass(frozen=True)
class Settings:
    """The choices that decide what a figure shows; the defaults are what suits most traces."""

    style: str | None = None
    """A name of `STYLES`; None chooses by the trace."""
    scope: str | None = None
    """Only what was recorded in that scope, such as `rnn[t=3]`, and what flows into it."""
    around: str | int | None = None
    """Only the neighbourhood of a node, named as in the debugger or by its number."""
    radius: int = 2
    """How many edges away from `around` a neighbour may be."""
    most: int | None = None
    """The number of shapes above which scopes, time steps and repeats are folded into one shape each."""
    local: bool = False
    """Whether the local derivatives stand on the edges."""
    direction: Direction | None = None
    """Where what comes later stands; None lets a style choose: in rows, where one row would be too wide for a page."""
