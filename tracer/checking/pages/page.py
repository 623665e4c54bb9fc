"""The page of a report: what `gradstep check` and `gradstep verify` print."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.cells.paper import Paper, wrapped
from tracer.cells.pieces import Line, Piece
from tracer.cells.widths import fit, width
from tracer.checking.certified.certificate import NONFINITE
from tracer.checking.judge import INSIDE_KINK, UNDECIDABLE
from tracer.checking.numerical import ZERO
from tracer.checking.pages.table import table
from tracer.checking.pages.words import counts_of, place_of
from tracer.checking.report import (
    FAIL,
    INCOMPLETE,
    KINK,
    PASS,
    PRECISION_LIMITED,
    UNJUDGED,
    VACUOUS,
    Report,
)

LOOKS = {PASS: "pass", FAIL: "fail"}
"""How an outcome is painted; any other is in doubt."""
MEANINGS = {
    KINK: "at a kink there is no one slope: a gradient between the two sides is right",
    VACUOUS: "this proves nothing: the gradient would be zero whatever the rule said",
    INCOMPLETE: "what was compared agrees, but a line was not judged, and may be wrong",
    PRECISION_LIMITED: "some numbers are not known well enough to judge by them",
}
"""What an outcome means that is neither right nor wrong."""
STILL = "every gradient is exactly 0 at these numbers: that they agree says nothing of what flows elsewhere"
"""What a PASS of zeros alone means: all units are dead, or nothing that is checked reaches the loss."""
NOTHING_TO_JUDGE = {
    NONFINITE: "the numbers are NaN or infinite: there is nothing to judge",
    ZERO: "the gradients are zero to rounding: no digit of them is known",
}
"""What it means instead where all that is undecided is so for that one reason."""
UPSTREAM = "each line was judged on your own gradients above it, and on the recorded ones"


def page(
    report: Report,
    paper: Paper,
    *,
    subject: str = "",
    written: str = "",
    look: str = "",
    call: str = "",
) -> list[Line]:
    """The outcome, the ladder, the table, notes.

    subject: what was checked. written: the derivation. look: the command that opens the first wrong element.
    call: the call of a script that made it, where it made several.
    """
    lines = [headline(report, paper, call)]
    if len(lines[0]) < 3:  # there was no room
        lines.append((Piece(paper.spell(f" {counts_of(report)}")),))
    lines += [(Piece(f" {line}", "faint"),) for line in _about(report, subject, paper)]
    if report.rungs:
        lines += [(), *_ladder(report, paper)]
    if report.faults:
        rules = Report("", report.faults, noun="rule")
        lines += [(), *table(rules, paper, ())]
    if report.rows:
        lines += [(), *table(report, paper, written.splitlines(), few=bool(report.faults))]
    after = list(_footer(report, paper, look))
    return [*lines, (), *after] if after else lines


def headline(report: Report, paper: Paper, call: str = "") -> Line:
    """The outcome, where, and the counts: `FAIL at line 7, dL_dx · 5 of 6 lines right, 1 wrong`; then the call."""
    badge = Piece(f" {report.outcome} " if paper.colours else report.outcome, _look(report))
    place = place_of(report)
    where = paper.spell(fit(f" {place}" if place else "", paper.columns - len(badge.text)))
    line: Line = (badge, Piece(where, "name"), Piece(paper.spell(f" · {counts_of(report)}")))
    if call:
        return (*line, Piece(paper.spell(f" · {call}"), "faint"))
    return line if _fits(line, paper) else line[:2]


def _fits(line: Line, paper: Paper) -> bool:
    return sum(width(piece.text) for piece in line) <= paper.columns


def _look(report: Report) -> str:
    return LOOKS.get(report.outcome, "doubt")


def _about(report: Report, subject: str, paper: Paper) -> Iterator[str]:
    numbers = sum(len(row.elements) for row in report.rows)
    said = [subject] if subject else []
    said += [f"{numbers:,} number{'' if numbers == 1 else 's'} certified"]
    text = paper.spell(" · ".join(said))
    yield from wrapped(text, paper.columns - 1)
    stopped = any(row.reason == UNJUDGED for row in report.rows)
    means = "stopped before all was judged" if stopped else _meaning(report)
    yield from wrapped(paper.spell(means), paper.columns - 1)


def _meaning(report: Report) -> str:
    """What an outcome means that is neither right nor wrong; empty for one that is."""
    means = MEANINGS.get(report.outcome, "")
    if report.outcome == PASS and _is_still(report):
        return STILL
    if report.outcome != PRECISION_LIMITED:
        return means
    undecided = (e for row in report.rows for e in row.elements if e.verdict == UNDECIDABLE)
    reasons = {e.reason for e in undecided if not e.reason.startswith(INSIDE_KINK)}
    return NOTHING_TO_JUDGE.get(reasons.pop(), means) if len(reasons) == 1 else means


def _is_still(report: Report) -> bool:
    """Whether all gradients that were checked are exactly 0, and none was derived by hand."""
    elements = [element for row in report.rows for element in row.elements]
    return (
        report.noun in ("input", "argument")
        and bool(elements)
        and not any(element.automatic for element in elements)
    )


def _ladder(report: Report, paper: Paper) -> Iterator[Line]:
    """A line for each kind of test: its sign, how many passed, what else there is to say."""
    longest = max(width(rung.name) for rung in report.rungs)
    for rung in report.rungs:
        mark, ink = (
            ("·", "faint") if not rung.made else ("✗", "wrong") if rung.failed else ("✓", "right")
        )
        counted = f"{rung.made - rung.failed:,} of {rung.made:,}" if rung.made else "—"
        said = " · ".join(filter(None, (counted, rung.said.replace("elements=N", "--elements N"))))
        head = f"{rung.name:<{longest}}  "
        parts = wrapped(paper.spell(said), paper.columns - longest - 6) or [""]
        for k, part in enumerate(parts):
            if not k:
                yield (Piece(f" {paper.spell(mark)}  ", ink), Piece(head), Piece(part, "faint"))
            else:
                yield (Piece(" " * (longest + 6) + part, "faint"),)


def _footer(report: Report, paper: Paper, look: str) -> Iterator[Line]:
    notes = list(report.notes)
    if report.noun == "line":
        notes.append(UPSTREAM)
    for note in notes:
        for k, part in enumerate(wrapped(paper.spell(note), paper.columns - 3)):
            yield (Piece(f" {paper.spell('·') if not k else ' '} {part}", "faint"),)
    if look:
        yield (Piece(" "), Piece(paper.spell("▸ ")), Piece(look, "name"))
