"""What a report says in words: where it fails, how many rows are right, and what there is to say of a row."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.cells.verdicts import OPEN, RIGHT, WRONG
from tracer.checking.judge import AGREE, DISAGREE, INSIDE_KINK, UNDECIDABLE
from tracer.checking.pages.patches import GRADIENT
from tracer.checking.report import INCOMPLETE, UNJUDGED, VACUOUS, Report, Row


def place_of(report: Report) -> str:
    """Where it fails: the node whose rule is at fault, else the first wrong line; empty where nothing does."""
    if report.faulty:
        return f"at {report.faulty}"
    first = report.first_wrong
    if first is None and report.outcome == INCOMPLETE:
        first = next(row for row in report.rows if row.unjudged)
    if first is None:
        return ""
    name = name_of(first)
    if not first.line:
        return f"at {name}"
    if first.fault in (0, first.line):
        return f"at line {first.line}, {name}"
    return f"at line {first.fault}, which {name} uses"


def name_of(row: Row) -> str:
    """What a row is called, its gradient as the user spelt it: `dL/dx`, `∂L/∂h[t]`.

    >>> name_of(Row("dL_dx", line=1, text="∂L/∂x = 2*x")), name_of(Row("dx", line=1, text="dx = 2*x"))
    ('∂L/∂x', 'dx')
    """
    spelt = GRADIENT.match(row.text.lstrip())
    if spelt is None:
        return row.name
    plain = f"dL_d{spelt[1]}"
    rest = row.name.removeprefix(plain)
    own = row.name.startswith(plain) and rest[:1] in ("", "[", "#")
    return "".join(spelt[0].split()) + rest if own else row.name


def counts_of(report: Report) -> str:
    """How many rows agree and how many do not, in a few words."""
    rows, noun = report.rows, report.noun
    signs = [row.sign for row in rows]
    inherited = sum(row.inherited and row.verdict == DISAGREE for row in rows)
    said = [f"{signs.count(RIGHT)} of {len(rows)} {noun}{'' if len(rows) == 1 else 's'} right"]
    wrong, vacuous = signs.count(WRONG) - inherited, sum(row.outcome == VACUOUS for row in rows)
    said += [f"{wrong} wrong"] if wrong else []
    said += [f"{inherited} {'inherits' if inherited == 1 else 'inherit'} it"] if inherited else []
    said += [f"{vacuous} zero whatever the rule"] if vacuous else []
    unjudged = sum(row.unjudged or row.reason == UNJUDGED for row in rows)
    said += [f"{unjudged} not judged"] if unjudged else []
    undecided = signs.count(OPEN) - vacuous - unjudged
    said += [f"{undecided} undecided"] if undecided else []
    return ", ".join(said)


def verdict_words(row: Row) -> str:
    """The verdict of a row, and of how many elements."""
    total = len(row.elements)
    if row.inherited:
        return "wrong by an earlier line only"
    if row.verdict == AGREE:
        right = row.count(AGREE)
        return f"all {total} agree" if right == total else f"{right} of {total} agree"
    if row.verdict == DISAGREE:
        return f"{row.count(DISAGREE)} of {total} disagree" if total else "disagrees"
    return "cannot be decided"


def said_of(row: Row) -> Iterator[str]:
    """What else is to be said of a row: the reason, who is wrong where no cause says so, what is open, its notes."""
    if row.inherited:
        return
    known = row.causes or row.vacuous
    shown = {
        element.numerical.status for element in row.elements
    }  # in the column of certified numbers
    because = "" if row.because in shown else row.because
    yield from filter(None, (because, "" if known else row.culprit))
    open_ends = [e.reason for e in row.elements if e.verdict == UNDECIDABLE]
    kinks = sum(reason.startswith(INSIDE_KINK) for reason in open_ends)
    if kinks and row.because not in open_ends:
        yield f"{kinks} of {len(row.elements)} elements lie at a kink; the gradient lies between the two slopes"
    others = dict.fromkeys(why for why in open_ends if not why.startswith(INSIDE_KINK))
    if others and row.because not in others:
        yield f"{len(open_ends) - kinks} undecidable: {next(iter(others))}"
    yield from row.notes


def cure_of(row: Row) -> str:
    """What to check instead where a gradient is zero whatever the rule; empty elsewhere."""
    if not row.vacuous:
        return ""
    return f"zero whatever its rule says, for this seed cotangent; try: {row.vacuous}"
