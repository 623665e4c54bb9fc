"""Notes on names that share their memory in numpy, and not here: there `dx += a` would change another name too."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np

from tracer.checking.derivations.reading import spoken

from .scope import Bound, Key


class Sharing:
    """Where numpy would have changed another name too; `notes` says so of those that were used again."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}
        self._shared: dict[str, tuple[Bound, str]] = {}

    def changed(self, bound: Mapping[Key, Bound], statement: ast.stmt, name: str) -> None:
        """Remember which names numpy would have changed with this one, in case they are used again."""
        here = bound.get(name)
        if here is None or not isinstance(here.value, np.ndarray) or not here.value.ndim:
            return
        sign = "+=" if isinstance(statement, ast.AugAssign) else "="
        for other, meant in bound.items():
            theirs = meant.value
            if not isinstance(other, str) or other == name or not isinstance(theirs, np.ndarray):
                continue
            if theirs.ndim and np.may_share_memory(theirs, here.value):
                self._shared[other] = (
                    meant,
                    f"line {statement.lineno}: in numpy this `{sign}` would also change {spoken(other)}, which "
                    f"shares its memory with {spoken(name)}; here it does not",
                )

    def used(self, bound: Mapping[Key, Bound], words: frozenset[str]) -> None:
        """Say so of a name that numpy would have changed, now that it is used."""
        for name in words & self._shared.keys():
            meant, note = self._shared[name]
            if bound.get(name) is meant:
                self.notes[note] = note
