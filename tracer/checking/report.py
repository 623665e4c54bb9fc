"""Reports of checks: one row for each input or line, with its verdict, its counts and its worst element.

A report is never a bare True. It says how many elements agree, disagree and cannot be decided, and why, and sums that
up in one word, its outcome; `ok` is whether that is PASS or KINK. It prints as a table.

Where no derivative exists nothing can be compared, which is no fault of a rule. At a kink any number between the slopes
is right, and a claim there is held to that: KINK. An element at a jump, an infinite slope, the edge of a domain or
beside something that is not finite has no such interval; it counts as a KINK too as long as other elements of the same
input agree. An input of which nothing at all could be decided, kinks apart, makes the check PRECISION-LIMITED, as does
any element with a derivative that is not known well enough: something that could have been compared was not. A line
that gives the gradient of nothing recorded was not compared either, and makes the check INCOMPLETE.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from tracer.cells.notebook import as_html
from tracer.cells.paper import Sheet
from tracer.cells.pieces import Line, text_of
from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tracer.format import printable

from .bounded import certified as certified
from .certified.certificate import SMOOTH, STATUSES, Certified
from .diagnosis.causes import Cause
from .judge import AGREE, AT_KINKS, DISAGREE, INSIDE_KINK, UNDECIDABLE

WORDS = {AGREE: "right", DISAGREE: "wrong", UNDECIDABLE: "undecided"}
PASS = "PASS"
FAIL = "FAIL"
KINK = "KINK"
PRECISION_LIMITED = "PRECISION-LIMITED"
VACUOUS = "VACUOUS"
INCOMPLETE = "INCOMPLETE"
OUTCOMES = (FAIL, INCOMPLETE, VACUOUS, PRECISION_LIMITED, KINK, PASS)
"""What a check can come to, the gravest first."""
UNJUDGED = "not judged: the check was stopped"
"""The reason of a row that a check did not come to."""
NOT_FINITE_OUT = "its outputs are not finite"
NOWHERE = (*(status for status in STATUSES if status != SMOOTH), NOT_FINITE_OUT)
"""Reasons that say that there is no derivative."""


@dataclass(frozen=True)
class Element:
    """One compared number: where, what was claimed, what the sweep gave, what is certified, and the verdict.

    index: the element; a random direction is ("direction", k). hand: NaN where nothing was derived by hand.
    """

    index: tuple[int | str, ...]
    hand: float
    automatic: float
    numerical: Certified
    verdict: str
    reason: str = ""

    @property
    def claim(self) -> float:
        """What is judged: the hand's number if there is one, else the automatic one."""
        return self.automatic if math.isnan(self.hand) else self.hand

    @property
    def where(self) -> str:
        """The index as text: `[3, 1]`, `direction 2`, empty for a single number."""
        if self.index[:1] == ("direction",):
            return f"direction {self.index[1]}"
        return f"[{', '.join(map(str, self.index))}]" if self.index else ""

    @property
    def distance(self) -> tuple[int, float]:
        """How bad it is: disagreement first, then what could not be decided, then by distance from the number."""
        order = (AGREE, UNDECIDABLE, DISAGREE).index(self.verdict)
        off = abs(self.claim - self.numerical.value)
        return order, off if math.isfinite(off) else 0.0


@dataclass(frozen=True)
class Row:
    """What was found for one input, or one line of a derivation."""

    name: str
    shape: tuple[int, ...] = ()
    elements: tuple[Element, ...] = field(default=(), repr=False)
    reason: str = ""
    """Why the row as a whole disagrees or cannot be decided: a wrong shape, an integer input."""
    wrong: bool = False
    """Whether the row disagrees whatever its elements say: a wrong shape, a line right only by an earlier mistake."""
    unjudged: bool = False
    """Whether the line could not be judged, for `reason`: it gives a gradient of nothing recorded, or needs a line that
    cannot be computed."""
    line: int = 0
    """The line of the derivation, counted from 1; 0 for an input."""
    fault: int = 0
    """The line that holds the mistake, where it is a helper's above; 0 for the line itself."""
    text: str = ""
    inherited: bool = False
    """Whether the line itself is right, and wrong only because it uses an earlier wrong line."""
    culprit: str = ""
    causes: tuple[Cause, ...] = ()
    """Why it is wrong, as far as that is known: see `diagnosis`."""
    vacuous: str = ""
    """The seed cotangent to use instead, where this one makes the gradient zero whatever the rule."""
    notes: tuple[str, ...] = ()
    node: int = field(default=-1, repr=False)
    """The node of the trace whose gradient it is; −1 if there is no trace."""
    hand: Any = field(default=None, repr=False, compare=False)
    """The whole gradient derived by hand, of the shape of the value; None where there is none, or it does not fit."""

    def count(self, verdict: str) -> int:
        """How many elements have that verdict."""
        return sum(element.verdict == verdict for element in self.elements)

    @property
    def verdict(self) -> str:
        """DISAGREE if anything does, else AGREE if anything does, else UNDECIDABLE."""
        found = {element.verdict for element in self.elements}
        if self.wrong or DISAGREE in found:
            return DISAGREE
        return AGREE if AGREE in found else UNDECIDABLE

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`."""
        if self.verdict == DISAGREE:
            return FAIL
        if self.unjudged:
            return INCOMPLETE
        if self.vacuous:
            return VACUOUS
        if self.reason == UNJUDGED:
            return PRECISION_LIMITED
        if not self.elements:
            return PASS
        open_ends = [e.reason for e in self.elements if e.verdict == UNDECIDABLE]
        nowhere = NOWHERE if self.verdict == AGREE else ()
        if not all(why.startswith(INSIDE_KINK) or why in (*nowhere, AT_KINKS) for why in open_ends):
            return PRECISION_LIMITED
        return KINK if open_ends else PASS

    @property
    def passed(self) -> bool:
        """No disagreement, and an agreement or nothing but valid subgradients; an input without elements passes."""
        return self.outcome in (PASS, KINK)

    @property
    def sign(self) -> str:
        """The sign of its verdict: right, wrong or open."""
        if self.verdict == DISAGREE:
            return WRONG
        return RIGHT if self.passed else OPEN

    @property
    def worst(self) -> Element | None:
        """The decided element that is furthest off, disagreement first; an undecidable one where none is decided."""
        decided = [element for element in self.elements if element.verdict != UNDECIDABLE]
        return max(decided or self.elements, key=lambda element: element.distance, default=None)

    @property
    def undecided(self) -> int:
        """How many elements could not be decided, those at a kink and between its slopes left out."""
        return sum(
            element.verdict == UNDECIDABLE and not element.reason.startswith(INSIDE_KINK)
            for element in self.elements
        )

    @property
    def because(self) -> str:
        """The reason of the verdict in words, empty for plain agreement."""
        if self.reason:
            return self.reason
        reasons = [e.reason for e in self.elements if e.verdict == self.verdict and e.reason]
        return max(dict.fromkeys(reasons), key=reasons.count, default="")


@dataclass(frozen=True)
class Rung:
    """One kind of test of the ladder: how many were made, how many failed, and the first node that failed."""

    name: str
    """What was tested, as people read it: `rules of the nodes`, `directions end to end`."""
    made: int
    failed: int = 0
    said: str = ""
    """What else there is to say: which failed, why nothing was made."""
    node: int = -1
    """The first node that failed; −1 if none did, or if it is no matter of one node."""
    label: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What a check found: `ok`, `rows`, and when it is shown the page that `gradstep check` and `verify` print."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    noun: str = "input"
    rungs: tuple[Rung, ...] = ()
    """The tests that were made, from cheap to dear; empty where there is no ladder."""
    faults: tuple[Row, ...] = ()
    """A row for each rule that is wrong by itself, `h#2 by x`, with its wrong elements."""
    written: str = field(default="", compare=False)
    """The lines of the derivation, for the page to show beside what mends them."""

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`: the gravest that a row or a rung came to."""
        if any(rung.failed for rung in self.rungs):
            return FAIL
        found = {row.outcome for row in self.rows}
        return next((word for word in OUTCOMES if word in found), PASS)

    @property
    def faulty(self) -> str:
        """The label of the node whose rule is at fault; empty if none is."""
        return next((rung.label for rung in self.rungs if rung.failed and rung.label), "")

    @property
    def ok(self) -> bool:
        """Whether the outcome is PASS or KINK."""
        return self.outcome in (PASS, KINK)

    def __bool__(self) -> bool:
        return self.ok

    def joined(self, other: Report) -> Report:
        """This report with the rows and rungs of another one behind its own."""
        return replace(
            self,
            rows=(*self.rows, *other.rows),
            rungs=(*self.rungs, *other.rungs),
            faults=(*self.faults, *other.faults),
            notes=(*self.notes, *other.notes),
        )

    @property
    def first_wrong(self) -> Row | None:
        """The first row that is wrong by itself, not by inheritance; None if there is none."""
        return next((r for r in self.rows if r.verdict == DISAGREE and not r.inherited), None)

    @property
    def summary(self) -> str:
        """The counts in one line, and the first wrong line by name."""
        counts = {word: sum(row.verdict == word for row in self.rows) for word in WORDS}
        fault = next((rung for rung in self.rungs if rung.failed and rung.label), None)
        parts = [f"{self.outcome} at {fault.label} ({fault.said})" if fault else self.outcome]
        noun = f"{self.noun}{'' if len(self.rows) == 1 else 's'}"
        parts += [f"{counts[AGREE]} of {len(self.rows)} {noun} right"]
        spared = [row for row in self.rows if row.verdict == UNDECIDABLE and row.passed]
        unjudged = sum(row.unjudged for row in self.rows)
        counts[UNDECIDABLE] -= len(spared) + unjudged
        parts += [
            f"{counts[word]} {WORDS[word]}" for word in (DISAGREE, UNDECIDABLE) if counts[word]
        ]
        at_kinks = sum(bool(row.elements) for row in spared)
        empty = sum(0 in row.shape for row in spared)
        left_out = len(spared) - at_kinks - empty
        said = ((at_kinks, INSIDE_KINK), (empty, "empty"), (left_out + unjudged, "not judged"))
        parts += [f"{count} {words}" for count, words in said if count]
        undecided = sum(row.undecided for row in self.rows if row.verdict != UNDECIDABLE)
        if undecided:
            parts.append(f"{undecided} element{'' if undecided == 1 else 's'} undecided")
        first = self.first_wrong
        if first is not None and first.line:
            parts.append(f"first wrong line: {first.line} ({first.name})")
        return f"{self.title}: {', '.join(parts)}"

    def table(self, width: int = 80) -> str:
        """The page in so many columns: the outcome, the tests made, the rules at fault, the rows, notes."""
        return "\n".join(printable(text_of(line)).rstrip() for line in self._page(width))

    def _page(self, width: int) -> list[Line]:
        from .pages.page import page  # one page, at the prompt, in a test and in the shell

        about = "" if self.title in ("check", "verify") else self.title
        return page(self, Sheet(width), subject=about, written=self.written)

    def to_json(self) -> str:
        """The report as JSON text; `tracer.checking.record` tells the schema."""
        from .record import as_json

        return as_json(self)

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self._page(100))
