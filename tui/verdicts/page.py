"""The page of a report: what `gradstep check` and `gradstep verify` print."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.checking.certified.certificate import NONFINITE
from tracer.checking.judge import INSIDE_KINK, UNDECIDABLE
from tracer.checking.numerical import ZERO
from tracer.checking.report import FAIL, KINK, PASS, PRECISION_LIMITED, UNJUDGED, VACUOUS, Report
from tui.printing import Line, Piece, Terminal, wrapped
from tui.text import fit, width
from tui.verdicts.table import table
from tui.verdicts.words import counts_of, place_of

LOOKS = {PASS: "pass", FAIL: "fail"}
"""How an outcome is painted; any other is in doubt."""
MEANINGS = {
    KINK: "at a kink there is no one slope: a gradient between the two sides is right",
    VACUOUS: "this proves nothing: the gradient would be zero whatever the rule said",
    PRECISION_LIMITED: "some numbers are not known well enough to judge by them",
}
"""What an outcome means that is neither right nor wrong."""
NOTHING_TO_JUDGE = {
    NONFINITE: "the numbers are NaN or infinite: there is nothing to judge",
    ZERO: "the gradients are zero to rounding: no digit of them is known",
}
"""What it means instead where all that is undecided is so for that one reason."""
UPSTREAM = "each line was judged on your own gradients above it, and on the recorded ones"


def page(
    report: Report,
    terminal: Terminal,
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
    lines = [headline(report, terminal, call)]
    if len(lines[0]) < 3:  # there was no room
        lines.append((Piece(terminal.spell(f" {counts_of(report)}")),))
    lines += [(Piece(f" {line}", "faint"),) for line in _about(report, subject, terminal)]
    if report.rungs:
        lines += [(), *_ladder(report, terminal)]
    if report.faults:
        rules = Report("", report.faults, noun="rule")
        lines += [(), *table(rules, terminal, ())]
    if report.rows:
        lines += [(), *table(report, terminal, written.splitlines(), few=bool(report.faults))]
    after = list(_footer(report, terminal, look))
    return [*lines, (), *after] if after else lines


def headline(report: Report, terminal: Terminal, call: str = "") -> Line:
    """The outcome, where, and the counts: `FAIL at line 7, dL_dx · 5 of 6 lines right, 1 wrong`; then the call."""
    badge = Piece(f" {report.outcome} " if terminal.colours else report.outcome, _look(report))
    place = place_of(report)
    where = terminal.spell(fit(f" {place}" if place else "", terminal.columns - len(badge.text)))
    line: Line = (badge, Piece(where, "name"), Piece(terminal.spell(f" · {counts_of(report)}")))
    if call:
        return (*line, Piece(terminal.spell(f" · {call}"), "faint"))
    return line if _fits(line, terminal) else line[:2]


def _fits(line: Line, terminal: Terminal) -> bool:
    return sum(width(piece.text) for piece in line) <= terminal.columns


def _look(report: Report) -> str:
    return LOOKS.get(report.outcome, "doubt")


def _about(report: Report, subject: str, terminal: Terminal) -> Iterator[str]:
    numbers = sum(len(row.elements) for row in report.rows)
    said = [subject] if subject else []
    said += [f"{numbers:,} number{'' if numbers == 1 else 's'} certified"]
    text = terminal.spell(" · ".join(said))
    yield from wrapped(text, terminal.columns - 1)
    stopped = any(row.reason == UNJUDGED for row in report.rows)
    means = "stopped before all was judged" if stopped else _meaning(report)
    yield from wrapped(terminal.spell(means), terminal.columns - 1)


def _meaning(report: Report) -> str:
    """What an outcome means that is neither right nor wrong; empty for one that is."""
    means = MEANINGS.get(report.outcome, "")
    if report.outcome != PRECISION_LIMITED:
        return means
    undecided = (e for row in report.rows for e in row.elements if e.verdict == UNDECIDABLE)
    reasons = {e.reason for e in undecided if not e.reason.startswith(INSIDE_KINK)}
    return NOTHING_TO_JUDGE.get(reasons.pop(), means) if len(reasons) == 1 else means


def _ladder(report: Report, terminal: Terminal) -> Iterator[Line]:
    """A line for each kind of test: its sign, how many passed, what else there is to say."""
    longest = max(width(rung.name) for rung in report.rungs)
    for rung in report.rungs:
        mark, ink = (
            ("·", "faint") if not rung.made else ("✗", "wrong") if rung.failed else ("✓", "right")
        )
        counted = f"{rung.made - rung.failed:,} of {rung.made:,}" if rung.made else "—"
        said = " · ".join(filter(None, (counted, rung.said.replace("elements=N", "--elements N"))))
        head = f"{rung.name:<{longest}}  "
        parts = wrapped(terminal.spell(said), terminal.columns - longest - 6) or [""]
        for k, part in enumerate(parts):
            if not k:
                yield (Piece(f" {terminal.spell(mark)}  ", ink), Piece(head), Piece(part, "faint"))
            else:
                yield (Piece(" " * (longest + 6) + part, "faint"),)


def _footer(report: Report, terminal: Terminal, look: str) -> Iterator[Line]:
    notes = list(report.notes)
    if report.noun == "line":
        notes.append(UPSTREAM)
    for note in notes:
        for k, part in enumerate(wrapped(terminal.spell(note), terminal.columns - 3)):
            yield (Piece(f" {terminal.spell('·') if not k else ' '} {part}", "faint"),)
    if look:
        yield (Piece(" "), Piece(terminal.spell("▸ ")), Piece(look, "name"))
