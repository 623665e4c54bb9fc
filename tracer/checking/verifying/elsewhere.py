"""A derivation on the same trace with other numbers: what is right there too is right by more than coincidence."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection
from functools import cached_property

import numpy as np

from tracer.checking.derivations.claims import Claim, Derived, claims_of_text
from tracer.checking.derivations.claims.heads import Head
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Line
from tracer.checking.diagnosis.patience import Patience
from tracer.checking.diagnosis.wrong import Wrong, wrong_in
from tracer.checking.otherwise import other_runs
from tracer.checking.rounding import largest, throughput
from tracer.errors import GradstepError
from tracer.traces import Trace

from .judged import fitted

RUNS = 2
"""Other runs that a derivation is worked through on."""
MOST_NODES, MOST_NUMBERS = 4000, 2_000_000
"""A trace with more nodes, or with more numbers in them, is not run again: there little is right by chance."""
NEAR = 1e-3
"""How near a line comes there that is right but for an epsilon or a rounded number in it."""
NOISE = 1e-9
"""A difference of so much of what goes through a node is rounding."""
HERE_ONLY = "it holds at these inputs only: with other inputs it comes to something else"
NUMBER = "a number, not a formula: with other inputs it is another one"


class Elsewhere:
    """The claims of a derivation on other runs; none for arrays, and none where the trace is too large to run again."""

    def __init__(self, twin: Trace, derived: Derived, text: str) -> None:
        self.twin, self.derived, self.text = twin, derived, text
        self.patience = Patience()
        """What may still be spent on trying."""

    @cached_property
    def runs(self) -> tuple[tuple[Trace, Derived], ...]:
        """Other runs, with the derivation worked through on each."""
        twin = self.twin
        if not self.text or len(twin) > MOST_NODES:
            return ()
        if sum(np.size(twin.value(k)) for k in range(len(twin))) > MOST_NUMBERS:
            return ()
        found = []
        for run in other_runs(twin, RUNS, usable=_is_finite):
            try:
                with np.errstate(all="ignore"):
                    again = claims_of_text(Names(run), self.text)
            except GradstepError:
                continue
            if _marks(again) == _marks(self.derived):
                found.append((run, again))
        return tuple(found)

    def of(self, claim: Claim) -> list[tuple[Trace, int, Claim]]:
        """The claim on other runs, each with the trace by which it is judged there and the node in it."""
        itself = (k for k, each in enumerate(self.derived.claims) if each is claim)
        at = next(itself, -1)
        if at < 0:  # it was laid out anew, as where it was transposed
            at = _marks(self.derived).index(_mark(claim))
        return [
            (*place_of(run, again, again.claims[at]), again.claims[at]) for run, again in self.runs
        ]

    def bears_out(self, head: Head, nodes: Collection[int]) -> bool:
        """Whether the gradients of some nodes are right on other runs too, with a loop or condition so written.

        True where that cannot be tried.
        """
        rows = self.text.splitlines()
        row = rows[head.line - 1] if head.line <= len(rows) else ""
        if head.fix.endswith(":") and not row.rstrip().endswith(":"):
            return True
        indent = row[: len(row) - len(row.lstrip())]
        text = "\n".join([*rows[: head.line - 1], indent + head.fix, *rows[head.line :]])
        for run, _ in self.runs:
            try:
                with np.errstate(all="ignore"):
                    again = claims_of_text(Names(run), text)
            except GradstepError:
                continue
            for claim in again.claims:
                if claim.node in nodes and _differs(*place_of(run, again, claim), claim):
                    return False
        return True

    def wrong(self, claim: Claim, chosen: tuple[Line, ...]) -> tuple[Wrong, ...]:
        """What is known of a wrong claim there, where these of its lines may be written otherwise."""
        found = []
        for trace, node, other in self.of(claim):
            if claim.repairs is None or other.repairs is None:
                continue
            lines, theirs = claim.repairs.lines, other.repairs.lines
            if [line.number for line in lines] != [line.number for line in theirs]:
                continue
            repairs = other.repairs.only(tuple(theirs[lines.index(line)] for line in chosen))
            repairs.patience = self.patience
            wrong = wrong_in(trace, node, other.alone, repairs)
            if wrong is not None and np.isfinite(wrong.right).all():
                found.append(wrong)
        return tuple(found)

    def remark(self, claim: Claim) -> str:
        """What is to be said of a right line that is wrong on another run; empty where it is right there."""
        if not any(_differs(*each) for each in self.of(claim)):
            return ""
        assert claim.repairs is not None
        names = {
            n.id for n in ast.walk(claim.repairs.lines[-1].expression) if isinstance(n, ast.Name)
        }
        return HERE_ONLY if names - {"np", "numpy"} else NUMBER


def place_of(twin: Trace, derived: Derived, claim: Claim) -> tuple[Trace, int]:
    """The trace by which a claim is judged, and the node in it: by the user's forward lines where they matter."""
    recast = derived.recast
    if recast is not None and claim.node in recast.other:
        return recast.trace, recast.numbers[claim.node]
    return twin, claim.node


def _differs(trace: Trace, node: int, claim: Claim) -> bool:
    """Whether a claim is wrong, by more than an epsilon and more than rounding."""
    right = trace.gradient(node)
    if right is None or not np.isfinite(right).all():
        return False
    found = fitted(claim.alone, np.shape(right))
    if found is None and np.ndim(claim.alone) == 2:
        found = fitted(np.transpose(claim.alone), np.shape(right))
    if found is None or not np.isfinite(found).all():
        return False
    scale = throughput(trace, node) / max(largest(trace.value(node)), 1.0)
    off = float(np.max(abs(found - right), initial=0.0))
    return off > NEAR * largest(right) and off > NOISE * scale


def _is_finite(run: Trace) -> bool:
    return math.isfinite(float(np.sum(run.value(run.loss))))


def _marks(derived: Derived) -> list[tuple[int, int, int | None]]:
    """Which gradients a derivation gives, line by line."""
    return [_mark(claim) for claim in derived.claims]


def _mark(claim: Claim) -> tuple[int, int, int | None]:
    """What tells a claim from others: its line, whose gradient it gives, and at which time step."""
    return claim.line, claim.node, claim.step
