"""Words and mathematics in one line, for a terminal and for LaTeX; arrays with all their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from tracer import format as fmt
from tracer.symbols import Style, Symbol, write
from tracer.tex import tex_text

DIGITS = 5
"""Significant digits of the numbers that are given, one more than an answer needs."""


class Said(NamedTuple):
    """A piece of a line: words, or mathematics where `tex` says how that is written in LaTeX."""

    text: str
    tex: str = ""


Line = tuple[Said, ...]


def line(*pieces: str | Said) -> Line:
    """A line of words and mathematics."""
    return tuple(Said(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain(said: Line) -> str:
    """A line as the terminal shows it."""
    return "".join(piece.text for piece in said)


def in_tex(said: Line, *, large: bool = False) -> str:
    """A line as LaTeX, its mathematics between dollars; large: as in a formula on a line of its own.

    >>> in_tex(line("50% of ", Said("x", "x"), Said(" = ", "="), Said("2", "2")))
    '50\\\\% of $x = 2$'
    """
    style = r"\displaystyle " if large else ""
    found = []
    for mathematical, group in groupby(said, lambda piece: bool(piece.tex)):
        if mathematical:
            found.append(f"${style}{' '.join(piece.tex for piece in group)}$")
        else:
            found += [_inside(piece.text) for piece in group if piece.text]
    return "".join(found)


def _inside(text: str) -> str:
    """Words as TeX; the blanks at their ends, which part them from mathematics, can be broken at."""
    bare = text.strip(" ")
    if not bare:
        return " "
    return " " * text.startswith(" ") + tex_text(bare) + " " * text.endswith(" ")


# ----- formulas


def formula(symbol: Any) -> Said:
    """An expression in names."""
    return Said(write(symbol, Style()), write(symbol, Style(tex=True)))


def with_numbers(symbol: Any) -> Said:
    """An expression with the numbers of its leaves put in, those of arrays all of them."""
    named = {id(x): _operand(x.value) for x in leaves(symbol) if x.text not in ("", "1")}
    if isinstance(symbol, Symbol) and id(symbol) in named:
        return numbers(symbol.value)
    text, tex = write(symbol, Style(named=named)), write(symbol, Style(tex=True, named=named))
    return Said(_TWICE.sub(r"\1", text), _TWICE_IN_TEX.sub(r"\1", tex))


_TWICE = re.compile(r"\((\([^()]*\))\)")
_TWICE_IN_TEX = re.compile(r"\\left\((\\left\([^()]*\\right\))\\right\)")
"""Brackets around a negative number that stand in those of a function."""


def leaves(symbol: Any) -> Iterator[Symbol]:
    """The named values that an expression is made of, each once, in the order in which they are written."""
    waiting, seen = [symbol], set[int]()
    while waiting:
        part = waiting.pop()
        if not isinstance(part, Symbol) or id(part) in seen:
            continue
        seen.add(id(part))
        if part.op is None:
            yield part
        waiting += reversed(part.args)


def _operand(value: Any) -> tuple[str, str]:
    """Numbers within a calculation: a negative one stands in brackets."""
    said = numbers(value)
    if np.ndim(value) == 0 and said.text.startswith(fmt.MINUS):
        return f"({said.text})", rf"\left({said.tex}\right)"
    return said


# ----- numbers


def numbers(value: Any, digits: int = DIGITS) -> Said:
    """A number, or a whole array row by row.

    >>> numbers(np.array([[1.0, -2.0], [0.5, 0.25]])).text
    '[[1, −2], [0.5, 0.25]]'
    """
    array = np.asarray(value)
    return Said(_text(array, digits), _tex(array, digits))


def _text(array: Any, digits: int) -> str:
    if array.ndim == 0:
        return fmt.number(array[()], digits)
    return f"[{', '.join(_text(part, digits) for part in array)}]"


def _tex(array: Any, digits: int) -> str:
    if array.ndim == 0:
        return _number(array[()], digits)
    if array.ndim == 1:
        return rf"\begin{{bmatrix}}{_row(array, digits)}\end{{bmatrix}}"
    if array.ndim == 2:
        rows = r" \\ ".join(_row(row, digits) for row in array)
        return rf"\begin{{bmatrix}}{rows}\end{{bmatrix}}"
    return rf"\left[{', '.join(_tex(part, digits) for part in array)}\right]"


def _row(row: Sequence[Any], digits: int) -> str:
    return " & ".join(_number(x, digits) for x in row)


def _number(x: Any, digits: int) -> str:
    text = fmt.number(x, digits, minus="-")
    if text[-1:].isalpha():
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    mantissa, power, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if power else text


def listed(pieces: Iterable[Line]) -> Line:
    """Several lines as one, with commas between them."""
    found: list[Said] = []
    for number, piece in enumerate(pieces):
        found += [Said(", ")] * (number > 0)
        found += piece
    return tuple(found)
