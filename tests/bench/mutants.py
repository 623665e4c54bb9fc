"""Wrong derivations put before `tr.verify`: how many are flagged, on the right line, with the right cause.

`python -m tests.bench.mutants` prints the table by network and lists what was missed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from tests.bench.harness import Row
from tests.tracer.checking.mutants.all_mutants import AnyMutant, mutants
from tests.tracer.checking.mutants.scoring import GOALS, Score, found, scored, share, table
from tests.tracer.checking.mutants.variants import alarms, variants

ALL = 10**6


def some(count: int) -> tuple[AnyMutant, ...]:
    """A seeded choice of that many mutants, in order; all of them if there are no more."""
    everything = mutants()
    chosen = np.random.default_rng(0).permutation(len(everything))[:count]
    return tuple(everything[k] for k in sorted(chosen))


def missed(scores: Sequence[Score]) -> str:
    """The mutants that were not flagged, not on the right line, or not by the right name, a paragraph each."""
    return "\n".join(
        f"{one.mutant.name}\n"
        f"  line {one.mutant.line}, {' or '.join(sorted(one.mutant.kinds))}; "
        f"said: line {one.line}, {one.kind or 'no cause'}: {one.text}"
        for one in scores
        if not (one.right_line and one.right_cause)
    )


def rows(*, count: int = ALL) -> list[Row]:
    """A row for each figure: the share that is asked for over the share that was reached. The table goes to stderr."""
    scores = scored(some(count))
    raised = alarms(variants()[:count])
    print(missed(scores), table(scores, raised), sep="\n\n", file=sys.stderr)
    compared = []
    for what, goal in GOALS.items():
        hits = found(scores, what)
        ratio = goal * len(hits) / max(sum(hits), 0.5)
        note = f"{share(hits)} of {len(hits)} mutants"
        compared.append(Row(what, f"at least {100 * goal:.0f} %", ratio, 1.0, None, note))
    wrongly = [alarm for found_there in raised.values() for alarm in found_there]
    note = f"{sum(wrongly)} of {len(wrongly)} right derivations"
    compared.append(Row("false alarms", "none", 1.0 + sum(wrongly), 1.0, None, note))
    return compared


if __name__ == "__main__":
    rows()
