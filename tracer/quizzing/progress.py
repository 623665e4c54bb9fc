"""What was asked so far, and what went right, by operation and kind of question: weak spots come back earlier."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

VERSION = 1
MOST = 10_000
"""Operations and kinds that a file may hold, and the most that was asked of each."""
WEAK = 4.0
"""How much more likely a question is drawn that has always been answered wrong."""


class Tally(NamedTuple):
    """How often something was asked, and how often it was right at once."""

    asked: int = 0
    right: int = 0


class Spot(NamedTuple):
    """What is practised: an operation, and a kind of question about it."""

    operation: str
    kind: str


@dataclass(frozen=True)
class Progress:
    """What was asked, and how it went.

    >>> progress = Progress().after("mul", "flow", right=False)
    >>> progress.weight("mul", "flow") > progress.weight("add", "value")
    True
    """

    tallies: Mapping[Spot, Tally] = field(default_factory=dict)

    def after(self, operation: str, kind: str, *, right: bool) -> Progress:
        """What it is after another answer."""
        spot = Spot(operation, kind)
        asked, good = self.tallies.get(spot, Tally())
        return Progress({**self.tallies, spot: Tally(asked + 1, good + right)})

    def weight(self, operation: str, kind: str) -> float:
        """How much a question is to be practised: more the oftener it was wrong, less if it was always right."""
        asked, right = self.tallies.get(Spot(operation, kind), Tally())
        return 1 + (WEAK - 1) * (asked - right) / asked if asked > right else 1 / (1 + 0.2 * asked)

    @property
    def total(self) -> Tally:
        """Of everything together."""
        return Tally(
            sum(each.asked for each in self.tallies.values()),
            sum(each.right for each in self.tallies.values()),
        )

    @property
    def weakest(self) -> Iterator[tuple[Spot, Tally]]:
        """What was asked, the weakest first."""

        def order(item: tuple[Spot, Tally]) -> tuple[float, int, Spot]:
            spot, tally = item
            return tally.right / tally.asked, -tally.asked, spot

        return iter(sorted(self.tallies.items(), key=order))


def to_text(progress: Progress) -> str:
    """The progress as it is kept in a file."""
    spots = {f"{s.operation} {s.kind}": list(tally) for s, tally in progress.tallies.items()}
    return json.dumps({"version": VERSION, "answers": spots}, indent=1, sort_keys=True) + "\n"


def from_text(text: str) -> Progress | None:
    """The progress that a file holds; None for what is no progress. Entries that make no sense are left out.

    >>> from_text(to_text(Progress().after("mul", "flow", right=True))).total
    Tally(asked=1, right=1)
    >>> from_text("[]") is None
    True
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    answers = found.get("answers") if isinstance(found, dict) else None
    if not isinstance(answers, dict):
        return None
    tallies: dict[Spot, Tally] = {}
    for name, tally in [*answers.items()][:MOST]:
        operation, _, kind = name.partition(" ")
        if operation.isidentifier() and kind.isidentifier() and _is_tally(tally):
            tallies[Spot(operation, kind)] = Tally(*tally)
    return Progress(tallies)


def _is_tally(tally: Any) -> bool:
    if not isinstance(tally, list) or len(tally) != 2:
        return False
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in tally)
    return whole and 0 < tally[0] <= MOST and 0 <= tally[1] <= tally[0]
