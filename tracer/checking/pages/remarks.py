"""What stands below a row: words, the causes of a mistake, and what was written beside what it should say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tracer.cells.paper import Paper, wrapped
from tracer.cells.pieces import Line, Piece
from tracer.cells.verdicts import RIGHT, WRONG
from tracer.cells.widths import width
from tracer.checking.judge import DISAGREE
from tracer.checking.pages.patches import changed, is_line, patch_of
from tracer.checking.pages.words import said_of
from tracer.checking.report import Report, Row

INDENT = "   "
ONWARD = "\\"
"""At the end of a line that goes on in the next."""
_WORD = re.compile(r"[^ ]* +|[^ ]+")


def below(
    row: Row,
    report: Report,
    shown: int,
    paper: Paper,
    written: Sequence[str],
    told: set[str],
) -> Iterator[Line]:
    """The lines below a row, of which so many elements are shown.

    written: the lines of the derivation. told: mistakes in lines above that were said already; this row's is added.
    """
    wrong, total = row.count(DISAGREE), len(row.elements)
    if row.sign == WRONG and not row.inherited and total > 1 and wrong:
        share = f"all {total}" if wrong == total else f"{wrong} of {total}"
        words = f"{share} elements are wrong" + (", these most" if wrong > shown else "")
        yield from prose(words, "faint", paper)
    if row.inherited:
        yield from prose(f"wrong by {_heir(report)} only", "faint", paper)
    for text in said_of(row):
        yield from prose(text, "faint", paper)
    if row.sign != RIGHT and not row.inherited:
        cause = row.causes[0] if row.causes else None
        shared = cause.text if cause is not None and cause.line not in (0, row.line) else ""
        if shared in told:
            yield from prose(f"as above: {shared}", "faint", paper)
        else:
            yield from _remedies(row, paper, written)
        told |= {shared} - {""}


def prose(text: str, shows: str, paper: Paper) -> Iterator[Line]:
    """Words, as wide as the paper."""
    for part in wrapped(paper.spell(text), paper.columns - len(INDENT)):
        yield (Piece(INDENT + part, shows),)


def _heir(report: Report) -> str:
    """The line whose mistake others have inherited."""
    first = report.first_wrong
    return (
        f"line {first.fault or first.line}"
        if first is not None and first.line
        else "an earlier line"
    )


def _remedies(row: Row, paper: Paper, written: Sequence[str]) -> Iterator[Line]:
    """The cause, with what was written beside what it should say, and another one; without a patch, the line too."""
    patches = [patch_of(cause, row, written) for cause in row.causes[:1]]
    if row.text and not any(patches) and row.sign == WRONG:
        yield from _side("  ", [(row.text, False)], ("faint", "faint"), paper)
    for cause, patch in zip(row.causes, patches, strict=False):
        yield from prose(cause.text, "name", paper)
        if patch is not None:
            before, after = changed(patch.before, patch.after)
            yield from _side("- ", before, ("minus", "taken"), paper)
            yield from _side("+ ", after, ("plus", "added"), paper)
        elif is_line(cause.fix):
            yield from _side("try: ", [(cause.fix, False)], ("", ""), paper)
        elif cause.fix:
            yield from prose(f"try: {cause.fix}", "", paper)
    for cause in row.causes[1:2]:
        yield from prose(f"or: {cause.text}", "faint", paper)


def _side(
    head: str, parts: Sequence[tuple[str, bool]], inks: tuple[str, str], paper: Paper
) -> Iterator[Line]:
    """One side of a patch, broken between its words where it is too long for the paper.

    A broken line ends with the sign by which Python reads on, so that it can be pasted as it stands.
    """
    room = paper.columns - len(INDENT) - len(head) - len(ONWARD)
    line: list[Piece] = [Piece(INDENT), Piece(head, inks[0])]
    used = 0
    for word in _words([(paper.spell(text), differs) for text, differs in parts]):
        wide = sum(width(text) for text, _ in word)
        if used and used + wide - word[-1][0].endswith(" ") > room:
            yield (*line, Piece(ONWARD, inks[0]))
            line, used = [Piece(INDENT + "      ")], 4
        line += [Piece(text, inks[differs]) for text, differs in word]
        used += wide
    yield tuple(line)


def _words(parts: Sequence[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    """Stretches of text in words, each with the blank after it; a word may be of several stretches."""
    word: list[tuple[str, bool]] = []
    for text, differs in parts:
        for piece in _WORD.findall(text):
            word.append((piece, differs))
            if piece.endswith(" "):
                yield word
                word = []
    if word:
        yield word
