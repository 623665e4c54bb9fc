"""A wrong line beside the line as it should be: in the user's own spelling, and what differs marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from tracer.checking.derivations.latex import is_latex
from tracer.checking.derivations.reading import REPEAT
from tracer.checking.diagnosis.causes import Cause
from tracer.checking.report import Row

_TOKENS = re.compile(r"(?:\bd|∂)L\s*/\s*(?:d|∂)\w+|\w+(?:[.#]\d+)?|\s+|\*\*|[-+*/@]=|.")
GRADIENT = re.compile(r"(?:d|∂)L\s*/\s*(?:d|∂)(\w+)")
"""The gradient of a name as a fraction."""


class Patch(NamedTuple):
    """What was written and what it should say."""

    line: int
    before: str
    after: str


def patch_of(cause: Cause, row: Row, written: Sequence[str]) -> Patch | None:
    """The cause as a line to take out and a line to put in; None where its fix is no whole line.

    written: the lines of the derivation.
    """
    number = cause.line or row.line
    elsewhere = number != row.line and 0 < number <= len(written)
    before = written[number - 1].strip() if elsewhere else row.text
    if not before or not is_line(cause.fix) or is_latex(before):  # a formula is mended in Python
        return None
    before = " ".join(before.split())
    return Patch(number, before, respelt(before, cause.fix))


def is_line(fix: str) -> bool:
    """Whether what mends a line is a whole line of Python, and not words.

    >>> is_line("dx = dy * w"), is_line("for t in range(4):"), is_line("transpose it")
    (True, True, False)
    """
    return "=" in fix or fix.endswith(":")


def respelt(before: str, after: str) -> str:
    """A mended line in the spelling of the line as it was written: its blanks, its brackets, its names of gradients.

    It says the same as `after`; where that cannot be done, it is `after`.

    >>> respelt("dL/dx  = (dL/dy)*w", "dL_dx = dL_dy * w * dL_dz / m")
    'dL/dx  = (dL/dy)*w * dL/dz / m'
    """
    mine, theirs = _parts(before), _parts(after)
    written = next((token for _, token, key in mine if token != key), "")
    prefix = written[: written.rfind("d" if "d" in written[2:] else "∂") + 1] or "dL_d"
    ours, others = ([key for _, _, key in parts] for parts in (mine, theirs))
    codes = SequenceMatcher(None, ours, others, autojunk=False).get_opcodes()
    found = ""
    before_next: str | None = None  # the blank of the next token that is kept, where not its own
    for tag, a, b, c, d in codes:
        brackets = all(key in "()" for _, _, key in mine[a:b])
        if tag == "equal" or (tag == "delete" and brackets and _balanced(mine, codes)):
            blank = mine[a][0] if before_next is None else before_next
            found += blank + "".join(x + token for x, token, _ in mine[a:b])[len(mine[a][0]) :]
            before_next = None
            continue
        for k, (blank, token, key) in enumerate(theirs[c:d]):
            own = key.replace("dL_d", prefix, 1) if token.startswith("dL_d") else token
            found += (mine[a][0] if tag == "replace" and not k and not brackets else blank) + own
        if tag == "insert" and d < len(theirs):
            before_next = theirs[d][0]
        elif tag == "delete" and mine[a][1] == "(":
            before_next = mine[a][0]
    return found.strip() if _read(found) == _read(after) != "" else after


def _read(line: str) -> str:
    """What Python reads in a line, whatever its spelling; empty if it is no Python."""
    plain = GRADIENT.sub(r"dL_d\1", line).replace("#", REPEAT).strip()
    try:
        return ast.dump(ast.parse(f"{plain} pass" if plain.endswith(":") else plain))
    except (SyntaxError, ValueError, RecursionError):
        return ""


def _parts(line: str) -> list[tuple[str, str, str]]:
    """The tokens of a line: the blanks before each, itself, and by what it is compared."""
    found, blank = [], ""
    for token in _TOKENS.findall(line):
        if token.isspace():
            blank = token
            continue
        gradient = GRADIENT.fullmatch(token)
        found.append((blank, token, f"dL_d{gradient[1]}" if gradient else token))
        blank = ""
    return found


def _balanced(
    tokens: Sequence[tuple[str, str, str]], codes: Sequence[tuple[str, int, int, int, int]]
) -> bool:
    """Whether the brackets that are left out belong together, so that leaving them in changes nothing."""
    gone = [tokens[k][2] for tag, a, b, _, _ in codes if tag == "delete" for k in range(a, b)]
    return gone.count("(") == gone.count(")")


Stretches = list[tuple[str, bool]]


def changed(before: str, after: str) -> tuple[Stretches, Stretches]:
    """Two lines in stretches, each with whether the other line does not have it.

    >>> changed("a * b", "a * b / m")[1], changed("dx / s + dm", "dx / s + dv + dm")[1]
    ([('a * b', False), (' / m', True)], [('dx / s', False), (' + dv', True), (' + dm', False)])
    """
    mine, theirs = _TOKENS.findall(before), _TOKENS.findall(after)
    codes = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    here: list[tuple[int, int]] = []
    there: list[tuple[int, int]] = []
    for tag, a, b, c, d in codes:
        if tag != "equal":
            shift = _slide(theirs, c, d) if a == b else _slide(mine, a, b) if c == d else 0
            here.append((a - shift, b - shift))
            there.append((c - shift, d - shift))
    return _stretches(mine, here), _stretches(theirs, there)


def _slide(tokens: Sequence[str], start: int, end: int) -> int:
    """By how many tokens to the left the same change is a whole term, ` + dv`, or begins with an operator."""
    found: dict[str, int] = {}
    for shift in range(start + 1):
        first = "".join(tokens[start - shift : end - shift]).lstrip()[:1]
        for signs in ("+-", "*/@"):
            if first and first in signs:
                blank = (
                    shift < start
                    and tokens[start - shift - 1 : start - shift]
                    == [" "]
                    == tokens[end - shift - 1 : end - shift]
                )
                found[signs] = shift + blank
        if shift == start or tokens[start - shift - 1] != tokens[end - shift - 1]:
            break
    return found.get("+-", found.get("*/@", 0))


def _stretches(tokens: Sequence[str], spans: Sequence[tuple[int, int]]) -> Stretches:
    found, at = [], 0
    for start, end in spans:
        found += [("".join(tokens[at:start]), False), ("".join(tokens[start:end]), True)]
        at = end
    found.append(("".join(tokens[at:]), False))
    return [(text, differs) for text, differs in found if text]
