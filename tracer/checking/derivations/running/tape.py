"""What a derivation did, assignment by assignment: enough to do some of it again with one line written otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracer.checking.derivations.reading import Line

from .scope import Bound, Key, Turn

Put = Callable[[Any, Any], Any]
"""What an assignment makes of what the name held, and of the value of its expression."""


@dataclass(frozen=True, eq=False)
class Done:
    """One assignment that was carried out.

    number: which, counted from 0. result: the value it gave. reads: the assignments whose values it used. words: the
    names it used. node: whose gradient it gives, −1 if none. step: the time step, as the derivation counts it.
    put: how the result is made of what the name held and of the value of the expression; None where it is that value.
    before: what names meant; None where too much has been kept already.
    """

    number: int
    line: Line
    name: str
    result: Any
    reads: frozenset[int]
    words: frozenset[str]
    node: int = -1
    step: int | None = None
    put: Put | None = None
    before: Mapping[Key, Bound] | None = field(default=None, repr=False)
    turns: tuple[Turn, ...] = ()
