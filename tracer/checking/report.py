"""Reports of checks: one row for each input or line, with its verdict, its counts and its worst element.

A report is never a bare True. It says how many elements agree, disagree and cannot be decided, and why; `ok` is False
if anything disagrees, or if nothing of an input could be decided. It prints as a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tracer.format import number, shape

from .certified.certificate import Certified
from .derivations.reading import short
from .diagnosis.causes import Cause
from .judge import AGREE, DISAGREE, INSIDE_KINK, UNDECIDABLE


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
    line: int = 0
    """The line of the derivation, counted from 1; 0 for an input."""
    text: str = ""
    inherited: bool = False
    """Whether the line itself is right, and wrong only because it uses an earlier wrong line."""
    culprit: str = ""
    causes: tuple[Cause, ...] = ()
    """Why it is wrong, as far as that is known: see `diagnosis`."""
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
    def passed(self) -> bool:
        """No disagreement, and an agreement or nothing but valid subgradients; an input without elements passes."""
        if self.verdict == UNDECIDABLE:
            return all(element.reason.startswith(INSIDE_KINK) for element in self.elements)
        return self.verdict == AGREE

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


@dataclass(frozen=True)
class Report:
    """What a check found: `ok`, `rows`, and a table when printed."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    noun: str = "input"
    rungs: tuple[Rung, ...] = ()
    """The tests that were made, from cheap to dear; empty where there is no ladder."""

    @property
    def ok(self) -> bool:
        """Whether nothing disagrees and something of every input or line could be decided."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def first_wrong(self) -> Row | None:
        """The first row that is wrong by itself, not by inheritance; None if there is none."""
        return next((r for r in self.rows if r.verdict == DISAGREE and not r.inherited), None)

    @property
    def summary(self) -> str:
        """The counts in one line, and the first wrong line by name."""
        counts = {word: sum(row.verdict == word for row in self.rows) for word in WORDS}
        parts = [f"{counts[AGREE]} of {len(self.rows)} {self.noun}s agree"]
        spared = [row for row in self.rows if row.verdict == UNDECIDABLE and row.passed]
        counts[UNDECIDABLE] -= len(spared)
        parts += [
            f"{counts[word]} {WORDS[word]}" for word in (DISAGREE, UNDECIDABLE) if counts[word]
        ]
        at_kinks = sum(bool(row.elements) for row in spared)
        said = ((at_kinks, INSIDE_KINK), (len(spared) - at_kinks, "empty"))
        parts += [f"{count} {words}" for count, words in said if count]
        undecided = sum(row.undecided for row in self.rows if row.verdict != UNDECIDABLE)
        if undecided:
            parts.append(f"{undecided} element{'' if undecided == 1 else 's'} undecidable")
        first = self.first_wrong
        if first is not None and first.line:
            parts.append(f"first wrong line: {first.line} ({first.name})")
        return f"{self.title}: {', '.join(parts)}"

    def __str__(self) -> str:
        table = [_columns(self.noun), *(_cells(row, self.noun) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [self.summary]
        for k, cells in enumerate(table):
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            lines.append(("  " + "  ".join(padded)).rstrip())
            if k:
                lines += [f"      {text}" for text in _explanations(self.rows[k - 1])]
        return "\n".join([*lines, *self.notes])


WORDS = {AGREE: "agree", DISAGREE: "disagree", UNDECIDABLE: "undecidable"}


def _columns(noun: str) -> list[str]:
    """The heads of the table for inputs, for lines, and for gradients given as arrays."""
    first = ["line", "gradient"] if noun == "line" else [noun]
    by_hand = [] if noun == "input" else ["hand"]
    return [*first, "shape", "verdict", "elements", "worst", *by_hand, "automatic", "numerical"]


def _cells(row: Row, noun: str) -> list[str]:
    """The cells of one row of the table."""
    worst = row.worst
    verdict = row.verdict + (" (inherited)" if row.inherited else "")
    cells = [*([str(row.line)] if noun == "line" else []), row.name, shape(row.shape), verdict]
    if worst is None:
        return [*cells, *[""] * (len(_columns(noun)) - len(cells))]
    cells += [_counts(row), worst.where, *([] if noun == "input" else [number(worst.hand, 6)])]
    automatic = (
        "none" if math.isnan(worst.automatic) and noun != "input" else number(worst.automatic, 6)
    )
    return [*cells, automatic, certified(worst.numerical)]


def _counts(row: Row) -> str:
    """`40`, or `37 of 40 disagree`: the elements that have the verdict of the row."""
    total, having = len(row.elements), row.count(row.verdict)
    return str(total) if having in (0, total) else f"{having} of {total} {WORDS[row.verdict]}"


def _explanations(row: Row) -> Sequence[str]:
    """The lines under a row: why, who is wrong, what the cause looks like, and the line itself where it disagrees."""
    said = [text for text in (row.because, row.culprit) if text]
    said += [cause.text for cause in row.causes]
    undecided = row.count(UNDECIDABLE)
    if row.verdict != UNDECIDABLE and undecided:
        reasons = dict.fromkeys(e.reason for e in row.elements if e.verdict == UNDECIDABLE)
        said.append(f"{undecided} undecidable: {next(iter(reasons))}")
    if row.text and row.verdict == DISAGREE:
        said.insert(0, short(row.text))
    return [*said, *row.notes]


def certified(slope: Certified) -> str:
    """A certified number with as many digits as its bound supports.

    >>> certified(Certified(0.37104833, 2e-9, "smooth")), certified(Certified(0.5, 1e-9, "kink", 0.0, 1.0))
    ('0.37104833 ± 2e−9', '[0, 1] kink')
    >>> certified(Certified(status="jump"))
    'jump'
    """
    if not math.isnan(slope.left) and not slope.differentiable:
        return f"[{number(slope.left)}, {number(slope.right)}] {slope.status}"
    if math.isnan(slope.value) or not slope.differentiable:
        return slope.status
    digits = 12
    if slope.value and 0 < slope.bound < abs(slope.value):
        digits = max(min(math.ceil(math.log10(abs(slope.value) / slope.bound)), 12), 3)
    return f"{number(slope.value, digits)} ± {number(slope.bound, 1)}"
