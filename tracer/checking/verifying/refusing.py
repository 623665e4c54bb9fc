"""Lines that cannot be computed: the small change of one that makes the whole derivation right, as the thing to try."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable

from tracer.checking.derivations.claims import claims_of_text
from tracer.checking.derivations.latex import is_latex
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Line, Program, read
from tracer.checking.diagnosis.mending.shaping import reshaped
from tracer.checking.diagnosis.wrong import same
from tracer.errors import DerivationError
from tracer.traces import Trace

from .judged import fitted

MENDED = ("cannot be computed", "before the line that gives it")
"""What is said of lines that a transpose, an axis or an index may mend."""
MOST_TRIES, MOST_SECONDS = 150, 2.0
"""Ways to write a line that are tried, and the time after which no more are, at most."""


def with_a_cure(error: DerivationError, twin: Trace, text: str) -> DerivationError:
    """The complaint about a line, with the line as it should be where a small change makes all lines right."""
    said, _, _ = str(error).partition("\n  try: ")
    place = re.match(r"line (\d+): ", said)
    if place is None or is_latex(text) or not any(words in said for words in MENDED):
        return error
    fix = _mended(text, int(place[1]), lambda changed: _is_right(twin, changed))
    return DerivationError(f"{said}\n  try: {fix}") if fix else error


def _mended(text: str, number: int, is_right: Callable[[str], bool]) -> str:
    """The line of that number as it should be; empty where no small change of it helps."""
    line, rows = _assignment(read(text), number), text.splitlines()
    if line is None:
        return ""
    end = time.monotonic() + MOST_SECONDS
    row = rows[number - 1]
    indent = row[: len(row) - len(row.lstrip())]
    for tries, fix in enumerate(reshaped(line)):
        if tries == MOST_TRIES or time.monotonic() > end:
            break
        if is_right("\n".join([*rows[: number - 1], indent + fix, *rows[number:]])):
            return fix
    return ""


def _assignment(program: Program, number: int) -> Line | None:
    """The one assignment to a name or element that stands on a line; None if there is none."""
    for statement in program.assignments():
        if statement.lineno != number or statement.end_lineno != number:
            continue
        match statement:
            case ast.Assign(targets=[ast.Name() | ast.Subscript() as target], value=value):
                return Line(number, program.text(statement), ast.unparse(target), value)
            case ast.AugAssign(target=ast.Name() | ast.Subscript() as target, op=op, value=value):
                read_again = ast.parse(ast.unparse(target), mode="eval").body
                expression = ast.BinOp(read_again, op, value)
                return Line(number, program.text(statement), ast.unparse(target), expression)
    return None


def _is_right(twin: Trace, text: str) -> bool:
    """Whether every gradient that a derivation gives is the recorded one."""
    try:
        claims = claims_of_text(Names(twin), text).claims
    except DerivationError:
        return False
    for claim in claims:
        right = twin.gradient(claim.node)
        own = None if right is None else fitted(claim.own, right.shape)
        if own is None or not same(own, right):
            return False
    return True
