"""What a mutant is: a right derivation with one mistake in it, and what a lecturer would call that mistake."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import tracer as tr
from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.networks import traced
from tracer.checking.diagnosis.causes import KINDS


@dataclass(frozen=True)
class Mutant:
    """One mistake: the derivation it is made in, what was right, what stands there instead, and its kinds of cause."""

    derivation: str
    right: str
    """What the edit takes away; it occurs once in the derivation."""
    wrong: str
    kinds: frozenset[str]
    """The kinds of cause that name the mistake rightly: fixed before the diagnosis was looked at."""

    def __post_init__(self) -> None:
        found = RIGHT[self.derivation].text.count(self.right)
        assert found == 1, f"{self.name}: it occurs {found} times"
        assert self.kinds <= KINDS.keys(), f"{self.name}: {self.kinds - KINDS.keys()}"

    @property
    def name(self) -> str:
        """The derivation and the edit, in a line."""
        return f"{self.derivation}: {self.right.strip()} -> {self.wrong.strip() or 'nothing'}"

    @property
    def family(self) -> str:
        """The row of the table."""
        return RIGHT[self.derivation].family

    @property
    def network(self) -> str:
        """The network whose trace judges it."""
        return RIGHT[self.derivation].network

    @cached_property
    def text(self) -> str:
        """The wrong derivation."""
        return RIGHT[self.derivation].text.replace(self.right, self.wrong)

    @property
    def expected(self) -> list[str]:
        """The gradients that the right derivation gives, in order."""
        return gradients_of(self.derivation)

    @property
    def line(self) -> int:
        """The line at fault, counted from 1: the first that the edit changed; the one above lines that are gone."""
        pairs = zip(RIGHT[self.derivation].text.splitlines(), self.text.splitlines(), strict=False)
        first = next(k for k, (right, wrong) in enumerate(pairs, start=1) if right != wrong)
        return first if self.wrong else first - self.right.endswith("\n")


@cache
def gradients_of(derivation: str) -> list[str]:
    """The gradients that a right derivation gives, in order."""
    right = RIGHT[derivation]
    return [row.name for row in tr.verify(traced(right.network), right.text, elements=1).rows]


def kinds(words: str) -> frozenset[str]:
    """Kinds of cause out of `size | bessel`."""
    return frozenset(word.strip() for word in words.split("|"))
