"""The search for the causes of a wrong line: in its own words, or in helper lines, by what other lines say of those."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracer.checking.derivations.claims import Claim
from tracer.checking.derivations.claims.heads import Head
from tracer.checking.derivations.claims.repairs import Repairs
from tracer.checking.derivations.reading import Line, read, spoken
from tracer.checking.diagnosis.causes import Cause
from tracer.checking.diagnosis.finders import diagnose
from tracer.checking.diagnosis.patience import EndedError, Patience
from tracer.checking.diagnosis.wrong import Wrong, same, wrong_in
from tracer.checking.report import UNJUDGED
from tracer.errors import DerivationError

from .elsewhere import Elsewhere, place_of
from .judged import Array, Judged, fitted, of_one_line


class Search:
    """Looks for the causes of one claim after the other, and remembers what it found."""

    def __init__(self, elsewhere: Elsewhere, judged: Sequence[Judged]) -> None:
        self.twin, self.derived = elsewhere.twin, elsewhere.derived
        self.elsewhere, self.judged = elsewhere, judged
        self.patience = Patience()
        self.suspicion = Suspicion.of(judged)
        self.mended: list[tuple[Line, ast.expr, Cause]] = []
        """Changes of helper lines that made a claim right."""

    def of(self, claim: Claim) -> tuple[Cause, ...]:
        """Why a claim is wrong: a mistake in a helper that other wrong lines share comes before one in its own line."""
        self.patience.start()
        self.elsewhere.patience = self.patience
        if claim.repairs is not None:
            claim.repairs.patience = self.patience
        try:
            return self._of(claim)
        except EndedError:
            lines = () if claim.repairs is None else claim.repairs.lines
            there = self.elsewhere.wrong(claim, lines)
            place = place_of(self.twin, self.derived, claim)
            return diagnose(wrong_in(*place, claim.alone, elsewhere=there))

    def _of(self, claim: Claim) -> tuple[Cause, ...]:
        repairs = claim.repairs
        twin, node = place_of(self.twin, self.derived, claim)
        if repairs is None:
            return diagnose(wrong_in(twin, node, claim.alone))
        if head := self._head(claim, repairs):
            return (Cause(head.kind, f"line {head.line}: {head.text}", head.fix, line=head.line),)
        for line, expression, cause in self.mended:
            again = repairs.lines.index(line) if line in repairs.lines[:-1] else -1
            if again >= 0 and self._right(claim, repairs.again(again, expression)):
                return (cause,)
        with np.errstate(all="ignore"):
            found = self._searched(claim, repairs)
        self._remember(found, repairs)
        return found

    def _head(self, claim: Claim, repairs: Repairs) -> Head | None:
        """A loop or condition which, written otherwise, makes this line right at all steps, and no other wrong."""
        if self.derived.heads is None:
            return None
        line = of_one_line(claim)
        claims = [
            each.claim
            for each in self.judged
            if not each.line_wrong or of_one_line(each.claim) == line
        ]
        for head in self.derived.heads.about({each.target for each in repairs.lines}):
            here = all(self._right(each, head.results.get(each.node)) for each in claims)
            if here and self.elsewhere.bears_out(head, {each.node for each in claims}):
                return head
        return None

    def _right(self, claim: Claim, found: Array | None) -> bool:
        """Whether a claim is right if it comes to that."""
        twin, node = place_of(self.twin, self.derived, claim)
        right = twin.gradient(node)
        if right is None or found is None:
            return False
        whole = fitted(found, right.shape)
        return whole is not None and same(whole, right)

    def _remember(self, found: tuple[Cause, ...], repairs: Repairs) -> None:
        """Keep a change of a helper's line that mends a claim: it may mend others."""
        if not found or not found[0].line or not found[0].fix:
            return
        lines = [line for line in repairs.lines if line.number == found[0].line]
        try:
            statement = read(found[0].fix).body[0]
        except (DerivationError, IndexError):
            return
        if lines and isinstance(statement, ast.Assign):
            self.mended.append((lines[0], statement.value, found[0]))

    def _searched(self, claim: Claim, repairs: Repairs) -> tuple[Cause, ...]:
        """What a search for causes finds: in helpers that wrong lines share, else in all that are open to suspicion."""
        own = repairs.lines[-1]
        shared = tuple(line for line in repairs.lines[:-1] if line in self.suspicion.shared)
        if shared:
            found = diagnose(self._wrong(claim, repairs, shared))
            if found and found[0].fix and found[0].exact:
                return (_of_helper(found[0], shared[-1]), *found[1:])
        open_to = [line for line in repairs.lines[:-1] if line not in self.suspicion.right]
        return diagnose(self._wrong(claim, repairs, (*open_to, own)))

    def _wrong(self, claim: Claim, repairs: Repairs, chosen: tuple[Line, ...]) -> Wrong | None:
        """What is known of a wrong claim, here and on other runs, where these lines may be written otherwise."""
        twin, node = place_of(self.twin, self.derived, claim)
        elsewhere = self.elsewhere.wrong(claim, chosen)
        return wrong_in(twin, node, claim.alone, repairs.only(chosen), elsewhere)


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Which helper lines can hold a mistake, by the gradients that are made of them.

    right: those of which a right gradient was made, to which they matter. shared: those of which several wrong ones
    were made, and no right one.
    """

    right: frozenset[Line] = frozenset()
    shared: frozenset[Line] = frozenset()

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Suspicion:
        """What the claims say of the lines that they were made of."""
        right: set[Line] = set()
        wrong: dict[Line, set[Line]] = {}
        patience = Patience()
        patience.start()
        partly = {of_one_line(each.claim) for each in judged if each.line_wrong}
        for each in judged:
            repairs = each.claim.repairs
            if repairs is None or each.row.reason == UNJUDGED:
                continue
            *helpers, own = repairs.lines
            if not each.line_wrong:
                if of_one_line(each.claim) in partly:
                    continue  # at this time step alone: the helper may be wrong at others
                repairs.patience = patience
                try:
                    right |= {line for k, line in enumerate(helpers) if repairs.matters(k)}
                except EndedError:
                    continue
            else:
                for line in helpers:
                    wrong.setdefault(line, set()).add(own)
        several = {line for line, owns in wrong.items() if len(owns) > 1}
        return cls(frozenset(right), frozenset(several - right))


def _of_helper(cause: Cause, last: Line) -> Cause:
    """A cause in a helper's line, which says so."""
    if cause.line:
        return cause
    return replace(
        cause, line=last.number, text=f"line {last.number} ({spoken(last.target)}): {cause.text}"
    )


def unjudged(claim: Claim) -> tuple[Cause, ...]:
    """A word about helpers that may hold the mistake."""
    if not claim.unjudged:
        return ()
    text = f"it uses {', '.join(claim.unjudged)}, which nothing recorded can judge"
    return (Cause("unjudged", text, exact=False),)
