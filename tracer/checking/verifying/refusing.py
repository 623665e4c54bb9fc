"""Lines that cannot be computed or judged: the small change of one that makes it right, as the thing to try."""

from __future__ import annotations

import ast
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tracer.checking.derivations.claims import Derived, Unjudged, claims_of_text
from tracer.checking.derivations.latex import is_latex
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import Line, Program, read
from tracer.checking.diagnosis.causes import Cause
from tracer.checking.diagnosis.mending.shaping import reshaped
from tracer.checking.diagnosis.wrong import same
from tracer.checking.report import Row
from tracer.errors import DerivationError
from tracer.traces import Trace

from .judged import fitted

MENDED = ("cannot be computed", "do not fit", "before the line that gives it")
"""What is said of lines that a transpose, an axis or an index may mend."""
MOST_TRIES, MOST_SECONDS = 150, 2.0
"""Ways to write a line that are tried, and the time after which no more are, at most."""
ALL_SECONDS = 5.0
"""The same time for all lines of a derivation together."""
_FACTOR = re.compile(
    r"\\frac\s*\{(?:[^{}]|\{[^{}]*\})*\}\s*\{(?:[^{}]|\{[^{}]*\})*\}|\\[a-zA-Z]+|[^\W\d_](?:_\w|_\{[^{}]*\})?"
)
"""A factor of a product in LaTeX: a fraction, a letter with its index."""


def with_a_cure(error: DerivationError, twin: Trace, text: str) -> DerivationError:
    """The complaint about a line, with the line as it should be where a small change makes all lines right."""
    said, _, _ = str(error).partition("\n  try: ")
    place = re.match(r"line (\d+): ", said)
    if place is None or not any(words in said for words in MENDED):
        return error
    if "its parts differ in shape" in said:  # no transpose makes one array of them
        return error
    found = _mended(twin, text, int(place[1]), lambda found: _are_right(twin, found))
    return error if found is None else DerivationError(f"{said}\n  try: {found.fix}")


def rows_of(derived: Derived, twin: Trace, text: str) -> tuple[Row, ...]:
    """The rows of the lines that were not judged, with what mends those that cannot be computed."""
    until = time.monotonic() + ALL_SECONDS
    return tuple(_row(each, derived, twin, text, until) for each in derived.unjudged)


def _row(each: Unjudged, derived: Derived, twin: Trace, text: str, until: float) -> Row:
    causes: tuple[Cause, ...] = ()
    if each.wrong:
        causes = _causes(each, derived, twin, text, until)
    elif each.near:
        head, equals, rest = each.text.partition("=")
        meant = _with_name(head, each.unknown, each.near[0])
        given = {claim.node for claim in derived.claims}
        if Names(twin).nodes[each.near[0]] not in given:
            fix = "" if is_latex(text) else f"{meant}{equals}{rest}"
            causes = (Cause("name", f"did you mean {meant.strip()}?", fix, exact=False),)
    return Row(
        each.name,
        () if each.node < 0 else np.shape(twin.value(each.node)),
        reason=each.reason,
        wrong=each.wrong,
        unjudged=not each.wrong,
        line=each.line,
        text=each.text,
        causes=causes,
        notes=each.notes,
        node=each.node,
    )


def _causes(
    each: Unjudged, derived: Derived, twin: Trace, text: str, until: float
) -> tuple[Cause, ...]:
    """What mends a line that cannot be computed: it alone, or where it is a helper, what it keeps from being judged."""
    kept = {row.line for row in derived.unjudged if not row.wrong} if each.node < 0 else {each.line}

    def is_right(found: Derived) -> bool:
        if any(row.line == each.line for row in found.unjudged):
            return False
        return _are_right(twin, found, kept)

    found = _mended(twin, text, each.line, is_right, until, each.unknown, each.near)
    if each.unknown and each.near:
        meant = " or ".join(each.near[:2])
        fix = "" if found is None else found.fix
        return (Cause("name", f"did you mean {meant}?", fix, exact=bool(fix)),)
    return () if found is None else (found,)


def _with_name(text: str, name: str, other: str) -> str:
    """A text with a name replaced; where it stands nowhere by itself, behind a d: `dL/dw1`."""
    changed = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", other, text)
    if changed != text:
        return changed
    return re.sub(rf"(d|∂|grad_|delta_){re.escape(name)}(?!\w)", rf"\g<1>{other}", text)


def _mended(
    twin: Trace,
    text: str,
    number: int,
    is_right: Callable[[Derived], bool],
    until: float = math.inf,
    unknown: str = "",
    near: tuple[str, ...] = (),
) -> Cause | None:
    """The line of that number as it should be, as a cause; None where no small change of it helps."""
    rows = text.splitlines()
    row = rows[number - 1]
    indent = row[: len(row) - len(row.lstrip())]
    if is_latex(text):
        ways: Iterator[Cause] = _transposed(row.strip())
    else:
        line = _assignment(read(text), number)
        if line is None:
            return None
        ways = _ways(line, twin, unknown, near)
    end = min(until, time.monotonic() + MOST_SECONDS)
    for tries, way in enumerate(ways):
        if tries == MOST_TRIES or time.monotonic() > end:
            break
        changed = "\n".join([*rows[: number - 1], indent + way.fix, *rows[number:]])
        try:
            found = claims_of_text(Names(twin), changed)
        except DerivationError:
            continue
        if is_right(found):
            return replace(way, fix=way.fix.removesuffix(r"\\").strip())
    return None


def _ways(line: Line, twin: Trace, unknown: str, near: tuple[str, ...]) -> Iterator[Cause]:
    """A line of Python written otherwise: other names for what is not there, other axes, other arrays of the trace."""
    if unknown:
        for name in near:
            yield Cause("name", f"did you mean {name}?", _with_name(line.text, unknown, name))
        return
    yield from reshaped(line)
    arrays = {n: np.ndim(twin.value(k)) for k, n in enumerate(twin.names) if n.isidentifier()}
    head, _, rest = line.text.partition("=")
    for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", rest)):
        for other in arrays:
            if other != name and arrays.get(name) == arrays[other]:
                text = f"{name} stands where {other} belongs"
                yield Cause("wrong factor", text, f"{head}={_with_name(rest, name, other)}")


def _transposed(row: str) -> Iterator[Cause]:
    r"""A row of LaTeX with `^\top` behind one factor, or behind one of two factors in the other order."""
    head, equals, rest = row.partition("=")
    head += equals
    factors = [m for m in _FACTOR.finditer(rest) if m[0] not in (r"\top", r"\cdot", r"\odot")]
    for m in factors:
        if not rest[m.end() :].lstrip().startswith("^"):
            fix = f"{head}{rest[: m.end()]}^\\top{_apart(rest[m.end() :])}"
            yield Cause("transposed", f"{m[0]} should be transposed", fix)
    if len(factors) == 2:
        a, b = factors
        between, after = rest[a.end() : b.start()], rest[b.end() :]
        if not between.strip():
            for one, two in ((b[0] + r"^\top", a[0]), (b[0], a[0] + r"^\top"), (b[0], a[0])):
                fix = f"{head}{rest[: a.start()]}{one} {two}{_apart(after)}"
                yield Cause("transposed", "the factors stand in the wrong order", fix)


def _apart(rest: str) -> str:
    """What follows a word of LaTeX, with a blank before a letter."""
    return f" {rest}" if rest[:1].isalpha() else rest


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


def _are_right(twin: Trace, found: Derived, lines: set[int] | None = None) -> bool:
    """Whether every gradient that a derivation gives is the recorded one; or those of some lines, each by itself."""
    chosen = [each for each in found.claims if lines is None or each.line in lines]
    for claim in chosen:
        right = twin.gradient(claim.node)
        given = claim.own if lines is None else claim.alone
        own = None if right is None else fitted(given, right.shape)
        if own is None or not same(own, right):
            return False
    return bool(chosen)
