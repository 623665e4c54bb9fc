"""Mutants put before `tr.verify`: flagged or not, on which line, with which cause; and the table that is published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tracer as tr
from tests.tracer.checking.mutants.all_mutants import AnyMutant
from tests.tracer.checking.mutants.derivations import FAMILIES
from tests.tracer.checking.mutants.mutant import Mutant
from tests.tracer.checking.mutants.networks import traced
from tracer.checking import Report
from tracer.checking.derivations.latex import is_latex
from tracer.checking.diagnosis.causes import Cause
from tracer.errors import DerivationError

GOALS = {"flagged": 1.0, "right line": 0.95, "right cause": 0.85, "mended": 0.8}
"""What is published, and the least share of the mutants for which it must hold; the last of those in Python."""
SAME = 1e-9
"""Relative difference up to which a mutant's numbers are the right ones: it is then no mutant."""


@dataclass(frozen=True)
class Score:
    """What `tr.verify` said of one mutant.

    line: the line it blames. kind, text: the first cause it names. mended: whether the line that it proposes, put in
    the place of the one it blames, makes the derivation right; None where there are no lines of Python.
    """

    mutant: AnyMutant
    flagged: bool
    line: int = 0
    kind: str = ""
    text: str = ""
    mended: bool | None = None
    said: str = ""
    """The report, or the complaint where the text could not be read or computed."""

    @property
    def right_line(self) -> bool:
        """Whether the line at fault was named."""
        return self.flagged and self.line == self.mutant.line

    @property
    def right_cause(self) -> bool:
        """Whether the first cause that was named is what a lecturer would call it."""
        return self.flagged and self.kind in self.mutant.kinds


def score(mutant: AnyMutant) -> Score | None:
    """What is said of a mutant; None if its numbers are the right ones, so that there is nothing to flag.

    Lines that are refused, because their shapes do not fit, are flagged without a cause.
    """
    try:
        report = tr.verify(traced(mutant.network), mutant.text)
    except DerivationError as error:
        place = re.match(r"line (\d+)", str(error))
        named = int(place[1]) if place else 0
        return Score(mutant, flagged=True, line=named, mended=False, said=str(error))
    if equivalent(mutant, report):
        return None
    row = report.first_wrong
    if row is None:
        return Score(mutant, flagged=False, said=str(report))
    cause = row.causes[0] if row.causes else None
    line = row.fault or row.line or 1 + report.rows.index(row)
    cause = row.causes[0] if row.causes else Cause("unjudged", "")
    in_python = isinstance(mutant, Mutant) and not is_latex(mutant.text)
    fix = mended(mutant, line, cause.fix) if in_python else None
    return Score(mutant, True, line, cause.kind, cause.text, fix, str(report))


def mended(mutant: Mutant, line: int, fix: str) -> bool:
    """Whether a line proposed in the place of one of a mutant's makes everything agree."""
    lines = mutant.text.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines[line - 1] = indent + fix
    try:
        return bool(fix) and tr.verify(traced(mutant.network), "\n".join(lines), elements=2).ok
    except DerivationError:
        return False


def equivalent(mutant: AnyMutant, report: Report) -> bool:
    """Whether every gradient that the mutant gives is the recorded one: it is not wrong, whatever it looks like."""
    trace = traced(mutant.network)
    if [row.name for row in report.rows] != mutant.expected:
        return False
    return all(
        row.hand is not None and close(row.hand, trace.gradient(row.node)) for row in report.rows
    )


def close(a: Any, b: Any) -> bool:
    """Whether two arrays are equal up to rounding, relative to the largest element."""
    return bool(np.max(np.abs(a - b)) <= SAME * np.max(np.abs(b)))


def scored(mutants: Iterable[AnyMutant]) -> list[Score]:
    """The scores of mutants, those left out that are not wrong."""
    return [one for mutant in mutants if (one := score(mutant)) is not None]


def found(scores: Iterable[Score], what: str) -> list[bool]:
    """Of every score, whether it has what one of the `GOALS` asks for."""
    answers = [getattr(one, what.replace(" ", "_")) for one in scores]
    return [answer for answer in answers if answer is not None]


HEAD = ("network", "mutants", *GOALS, "right derivations", "false alarms")


def table(scores: Sequence[Score], alarms: Mapping[str, Sequence[bool]]) -> str:
    """The published table: a row for each kind of network, and the sum.

    alarms: for each kind of network, of every right derivation whether it was called wrong.
    """
    lines = [HEAD]
    for name in (*FAMILIES, "all"):
        group = [one for one in scores if name in (one.mutant.family, "all")]
        raised = [one for family in alarms if name in (family, "all") for one in alarms[family]]
        shares = [share(found(group, what)) for what in GOALS]
        lines.append((name, str(len(group)), *shares, str(len(raised)), str(sum(raised))))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def share(hits: Sequence[bool]) -> str:
    """How many hold, in per cent, rounded down to a tenth: 100.0 % is all of them.

    >>> share([True, True, False])
    '66.6 %'
    """
    return f"{int(1000 * sum(hits) / len(hits)) / 10:.1f} %" if hits else "-"
