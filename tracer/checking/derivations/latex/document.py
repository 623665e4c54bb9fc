"""The equations of a LaTeX document: found in its environments, split into lines, chains `a = b = c` taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .macros import expanded
from .showing import equation as written
from .tokens import Token, UnreadableError, tokenize

DISPLAYS = frozenset(
    """align alignat aligned alignedat equation eqnarray gather gathered multline split flalign math displaymath
    subequations dmath""".split()
)
"""Environments of equations; their starred forms too."""
MOST_EQUATIONS = 500
OPENING = frozenset(("(", "[", "{", "\\{", "\\lfloor"))
CLOSING = frozenset((")", "]", "}", "\\}", "\\rfloor"))
EQUALS = ("=", "\\coloneqq", "\\triangleq", "\\equiv", "\\eqdef", "\\doteq")
_CARRYING = ("+", "-", "*", "/", "\\cdot", "\\times", "\\odot", "\\circ", "\\ast", "\\pm", *EQUALS)
"""An equation goes on where a row begins or ends with one of these."""
_GAPS = (
    "\\quad",
    "\\qquad",
    ",",
    ";",
    "\\enspace",
    "\\implies",
    "\\Rightarrow",
    "\\iff",
    "\\Leftrightarrow",
)


@dataclass(frozen=True)
class Equation:
    """An equation `left = right`, or one step of a chain. number: of the line at which the right side begins."""

    number: int
    text: str
    left: tuple[Token, ...]
    right: tuple[Token, ...]
    inline: bool = False
    step: int = 0
    """Which step of a chain, from 0; `steps` there are."""
    steps: int = 1


def equations(text: str) -> tuple[Equation, ...]:
    """The equations of a document or of bare lines, in order; what is no equation is passed over.

    Raises `UnreadableError` where there are too many.

    >>> for e in equations(r"\\[ a = b + c \\\\ &= d \\] and $m = 8$ for $x$"):
    ...     print(e.number, e.text, e.step, e.inline)
    1 a = b + c 0 False
    1 a = d 1 False
    1 m = 8 0 True
    """
    found: list[Equation] = []
    for region, inline, bare in _regions(expanded(tokenize(text))):
        for row in _rows(region, bare):
            found += _chain(row, text, inline)
            if len(found) > MOST_EQUATIONS:
                raise UnreadableError("there are too many equations", f"at most {MOST_EQUATIONS}")
    return tuple(found)


def _regions(tokens: Sequence[Token]) -> list[tuple[list[Token], bool, bool]]:
    """The parts that are mathematics: their tokens, whether inline, whether the text is bare lines of mathematics."""
    found: list[tuple[list[Token], bool, bool]] = []
    region: list[Token] = []
    until, inline = "", False
    for token in tokens:
        opens, closes = _edge(token)
        if not until and opens:
            until, inline, region = opens, opens in ("$", "\\)"), []
        elif until and closes == until:
            found.append((region, inline, False))
            until = ""
        elif until:
            region.append(token)
    if until:
        found.append((region, inline, False))
    if not found:
        return [([t for t in tokens if t.kind not in ("begin", "end")], False, True)]
    return found


def _edge(token: Token) -> tuple[str, str]:
    """What would close the mathematics that a token opens, and what it closes itself."""
    if token.kind == "begin" and token.text.removesuffix("*") in DISPLAYS:
        return f"end {token.text}", ""
    if token.kind == "end":
        return "", f"end {token.text}"
    if token.is_("\\[", "\\("):
        return {"[": "\\]", "(": "\\)"}[token.text], ""
    if token.is_("\\]", "\\)"):
        return "", f"\\{token.text}"
    return (token.text, token.text) if token.is_("$", "$$") else ("", "")


def _rows(tokens: Sequence[Token], bare: bool) -> list[list[Token]]:
    """The equations of a region, each with the rows it goes on in."""
    found: list[list[Token]] = []
    for row in _broken(tokens, bare):
        for part in _parts(row):
            last = found[-1] if found else []
            begins = part[0].is_(*_CARRYING) or (last and last[-1].is_(*_CARRYING))
            formula = bare and not _equals(part) and any(t.kind == "command" for t in part)
            if last and (begins or formula or _open(last)):
                last += part
            else:
                found.append(list(part))
    for row in found:
        if _open(row) and any(token.is_(*EQUALS) for token in row) and not _equals(row):
            raise UnreadableError("a closing bracket or } is missing", "count the brackets", row[0])
    return [row for row in found if _equals(row)]


def _broken(tokens: Sequence[Token], bare: bool) -> Iterator[list[Token]]:
    """The rows of a region: between `\\\\`, outside of brackets; bare text also breaks at the end of a line."""
    row: list[Token] = []
    inner, depth = 0, 0
    line = tokens[0].line if tokens else 0
    for token in tokens:
        if token.kind in ("begin", "end") and token.text.removesuffix("*") in DISPLAYS:
            continue
        depth += _nesting(token)
        inner += {"begin": 1, "end": -1}.get(token.kind, 0)
        ends_line = bare and token.line != line and depth <= (1 if _nesting(token) > 0 else 0)
        line = token.line
        if inner <= 0 and token.is_("\\\\"):
            yield row
            row, depth = [], 0
            continue
        if ends_line and inner <= 0:
            yield row
            row = []
        if token.is_("&") and inner <= 0:
            continue
        row.append(token)
    yield row


def _nesting(token: Token) -> int:
    inner = {"begin": 1, "end": -1}.get(token.kind, 0)
    return int(token.is_(*OPENING)) - int(token.is_(*CLOSING)) + inner


def _open(tokens: Sequence[Token]) -> bool:
    """Whether a bracket is still open at the end."""
    return sum(_nesting(token) for token in tokens) > 0


def _equals(tokens: Sequence[Token]) -> bool:
    """Whether there is an equals sign outside of brackets."""
    depth = 0
    for token in tokens:
        depth += _nesting(token)
        if depth <= 0 and token.is_(*EQUALS):
            return True
    return False


def _parts(row: Sequence[Token]) -> Iterator[list[Token]]:
    """The equations of one row, with commas or gaps between, without conditions such as `t = 1, \\dots`."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in row:
        depth += _nesting(token)
        if depth <= 0 and (
            token.is_(*_GAPS) or (token.kind == "word" and " " in token.text.strip())
        ):
            pieces.append([])
        elif (depth <= 0 and token.is_("\\forall", "\\text")) or _says_when(token):
            pieces.append([token])
        else:
            pieces[-1].append(token)
    kept: list[list[Token]] = []
    for piece in pieces:
        while piece and piece[-1].is_(".", ",", ";", ":"):
            piece.pop()
        if not piece or piece[0].is_("\\forall") or _says_when(piece[0]) or _is_range(piece):
            continue
        if kept and (not _equals(piece) or piece[0].is_(*_CARRYING)):
            if any(t.is_("\\dots", "\\ldots", "\\cdots") for t in piece) or piece[0].is_("<", ">"):
                continue
            if _equals(kept[-1]) and not piece[0].is_(*_CARRYING) and len(piece) <= 3:
                continue  # `, T` of a range, or a word
            kept[-1] += piece
        else:
            kept.append(piece)
    yield from kept


def _says_when(token: Token) -> bool:
    """Whether a word begins a condition: `for t < T`, `where`, `with`."""
    return token.kind == "word" and bool(
        re.match(r"(for|where|with|if|when|and|since)\b", token.text)
    )


def _is_range(piece: Sequence[Token]) -> bool:
    """Whether it says through what an index runs: `i = 1, \\dots`, `(t = T`, `i = 1`."""
    body = [token for token in piece if not token.is_("(", ")")]
    if any(t.is_("\\dots", "\\ldots", "\\cdots") for t in body):
        return len(body) <= 12
    return (
        len(body) == 3
        and body[0].kind == "letter"
        and body[0].text in "ijklnst"
        and body[1].is_("=")
        and (body[2].kind == "digit" or body[2].kind == "letter")
    ) or (
        len(body) <= 5
        and len(body) > 1
        and body[0].kind == "letter"
        and body[1].is_("<", ">", "\\in", "\\le", "\\ge", "\\leq", "\\geq", "\\neq")
    )


def _chain(row: Sequence[Token], text: str, inline: bool) -> Iterator[Equation]:
    """The steps of a chain, each as an equation of its own with the left side of the first."""
    members: list[list[Token]] = [[]]
    depth = 0
    for token in row:
        depth += _nesting(token)
        if depth <= 0 and token.is_(*EQUALS):
            if members[-1] and members[-1][-1].is_(":"):
                members[-1].pop()
            members.append([])
        else:
            members[-1].append(token)
    members[-1] = _unpunctuated(members[-1])
    left, *rights = members
    if inline and not any(rights):
        return
    for k, right in enumerate(rights):
        if not left or not right:
            at = next(iter(left or right or list(row)), None)
            side = "right" if left else "left"
            raise UnreadableError(
                f"there is nothing on the {side} of an equals sign", "name = expression", at
            )
        number = left[0].line if not k else right[0].line
        said = written(left, right, text)
        yield Equation(number, said, tuple(left), tuple(right), inline, k, len(rights))


def _unpunctuated(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].is_(".", ",", ";"):
        tokens = tokens[:-1]
    return tokens
