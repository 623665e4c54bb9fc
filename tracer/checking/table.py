"""A report as text: what was found in its first line, then the tests made, then a row for each input or line."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tracer.format import number, printable, shape

from .certified.certificate import NONFINITE, Certified
from .derivations.reading import short
from .judge import AGREE, DISAGREE, UNDECIDABLE

if TYPE_CHECKING:
    from .report import Report, Row, Rung

WORDS = {AGREE: "agree", DISAGREE: "disagree", UNDECIDABLE: "undecidable"}
NARROWER: tuple[tuple[int, tuple[str, ...]], ...] = (
    (12, ()),
    (8, ()),
    (6, ()),
    (6, ("shape",)),
    (6, ("shape", "elements")),
)
"""What gives way where a table is wider than the screen: digits of the certified number, then columns."""
SHOWN = 4
"""So many rules at fault are shown."""
ALONE = ("input", "rule", "argument")
"""What has one gradient to be judged, beside which there is none by hand."""
LEAST_NAME = 12
"""A name is not clipped below this."""


def table(report: Report, width: int) -> str:
    """A report as text of so many columns."""
    lines = [*_wrapped(report.summary, width, "", "    "), *_rungs(report.rungs, width)]
    if report.faults:
        lines += _rows(report.faults[:SHOWN], "rule", width)
        if len(report.faults) > SHOWN:
            lines.append(f"      and {len(report.faults) - SHOWN} more rules")
    lines += _rows(report.rows, report.noun, width)
    for note in report.notes:
        lines += _wrapped(note, width, "", "  ")
    return "\n".join(map(printable, lines))


def _rungs(rungs: Sequence[Rung], width: int) -> Iterator[str]:
    """A line for each kind of test: `✓ rules of the nodes  121`."""
    if not rungs:
        return
    widest = max(len(rung.name) for rung in rungs)
    for rung in rungs:
        mark = "✗" if rung.failed else "✓" if rung.made else "–"
        count = f"{rung.failed} of {rung.made} failed" if rung.failed else str(rung.made)
        at = f"{rung.label}: " if rung.label else ""
        text = f"{mark} {rung.name:{widest}}  {count}"
        said = f"   {at}{rung.said}" if rung.said else ""
        yield from _wrapped(text + said, width, "  ", " " * (widest + 6))


def _rows(rows: Sequence[Row], noun: str, width: int) -> list[str]:
    """The table of some rows; digits, columns and at last names give way where it is wider than the screen."""
    for digits, left_out in NARROWER:
        kept = [k for k, name in enumerate(_columns(noun)) if name not in left_out]
        full = [_columns(noun), *(_cells(row, noun, digits) for row in rows)]
        cells = [[line[k] for k in kept] for line in full]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        over = sum(widths) + 2 * len(widths) - width
        if over <= 0:
            break
    names = 1 if noun == "line" else 0
    widths[names] = max(min(widths[names], LEAST_NAME), widths[names] - max(over, 0))
    lines = []
    for k, line in enumerate(cells):
        line[names] = _clipped(line[names], widths[names])
        padded = (cell.ljust(room) for cell, room in zip(line, widths, strict=True))
        lines.append(_clipped(("  " + "  ".join(padded)).rstrip(), width))
        if k:
            for text in _explanations(rows[k - 1]):
                lines += _wrapped(text, width, "      ", "        ")
    return lines


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _wrapped(text: str, width: int, first: str, others: str) -> list[str]:
    """The text in lines of that width; a line that the user wrote keeps its spaces."""
    if len(first + text) <= width:
        return [first + text]
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns(noun: str) -> list[str]:
    """The heads of the table for inputs, rules, arguments of a kernel, for lines, and for gradients given as arrays."""
    first = ["line", "gradient"] if noun == "line" else [noun]
    by_hand = [] if noun in ALONE else ["hand"]
    ours = "backward" if noun == "argument" else "automatic"
    return [*first, "shape", "verdict", "elements", "worst", *by_hand, ours, "numerical"]


def _cells(row: Row, noun: str, digits: int) -> list[str]:
    """The cells of one row of the table."""
    worst, by_hand = row.worst, noun not in ALONE
    verdict = "VACUOUS" if row.vacuous and row.verdict != DISAGREE else row.verdict
    verdict += " (inherited)" if row.inherited else ""
    cells = [*([str(row.line)] if noun == "line" else []), row.name, shape(row.shape), verdict]
    if worst is None:
        return [*cells, *[""] * (len(_columns(noun)) - len(cells))]
    cells += [_counts(row), worst.where, *([number(worst.hand, 6)] if by_hand else [])]
    absent = math.isnan(worst.automatic) and worst.numerical.status != NONFINITE
    automatic = "none" if absent and by_hand else number(worst.automatic, 6)
    return [*cells, automatic, certified(worst.numerical, digits)]


def _counts(row: Row) -> str:
    """`40`, `37 of 40 disagree`, `2 directions`: the elements that have the verdict of the row."""
    total, having = len(row.elements), row.count(row.verdict)
    lines = sum(element.index[:1] == ("direction",) for element in row.elements)
    if having in (0, total):
        return f"{total} direction{'s' if total > 1 else ''}" if lines == total else str(total)
    return f"{having} of {total} {WORDS[row.verdict]}"


def _explanations(row: Row) -> Sequence[str]:
    """The lines under a row: why, who is wrong, what the cause looks like, and the line itself where it disagrees."""
    said = [text for text in (row.because, row.culprit) if text]
    for cause in row.causes:
        said += [cause.text, *([f"try: {cause.fix}"] if cause.fix else [])]
    if row.vacuous:
        why = "" if row.reason else "zero whatever the rule, for this seed cotangent; "
        said.append(f"{why}try: {row.vacuous}")
    undecided = row.count(UNDECIDABLE)
    if row.verdict != UNDECIDABLE and undecided:
        reasons = dict.fromkeys(e.reason for e in row.elements if e.verdict == UNDECIDABLE)
        said.append(f"{undecided} undecidable: {next(iter(reasons))}")
    if row.text and row.verdict == DISAGREE:
        said.insert(0, short(row.text))
    return [*said, *row.notes]


def certified(slope: Certified, most: int = 12) -> str:
    """A certified number with as many digits as its bound supports, and at most so many.

    >>> certified(Certified(0.37104833, 2e-9, "smooth")), certified(Certified(0.5, 1e-9, "kink", 0.0, 1.0))
    ('0.371048330 ± 2e−9', '[0, 1] kink')
    >>> certified(Certified(status="jump")), certified(Certified(-3e-17, 2e-15, "smooth"))
    ('jump', '0 ± 2e−15')
    """
    if not math.isnan(slope.left) and not slope.differentiable:
        low, high = sorted((slope.left, slope.right))
        return f"[{number(low)}, {number(high)}] {slope.status}"
    if math.isnan(slope.value) or not slope.differentiable:
        return slope.status
    if abs(slope.value) <= slope.bound:
        return f"0 ± {number(slope.bound, 1)}"
    digits = most
    if slope.bound > 0:
        digits = max(min(math.ceil(math.log10(abs(slope.value) / slope.bound)), most), 3)
    return f"{number(slope.value, digits, zeros=slope.bound > 0)} ± {number(slope.bound, 1)}"
