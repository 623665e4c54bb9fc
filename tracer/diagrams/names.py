"""Names and formulas as a figure sets them: `w_0` with a subscript, Greek names as letters, hostile ones as text."""

from __future__ import annotations

import re

from tracer.diagrams.picture import Role, Run, Text
from tracer.format import printable

_SPELLED = (
    "alpha beta gamma delta epsilon eps zeta eta theta kappa lambda_ mu nu xi pi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Sigma Phi Psi Omega"
)
GREEK = dict(zip(_SPELLED.split(), "αβγδεεζηθκλμνξπρστφχψωΓΔΘΛΣΦΨΩ", strict=True))
"""Spelled letters, as far as they differ from Latin ones."""
_NUMBERED = re.compile(r"([^\W\d_]+)_?(\d{1,4})")
_SUFFIXED = re.compile(r"([^\W\d_]+)_([^\W_]{1,4})")
_WORD = re.compile(r"[^\W\dᵀ][^\Wᵀ¹²³⁰⁴⁵⁶⁷⁸⁹]*")
_AGAIN = re.compile(r"#\d+")
"""Which of several nodes of a name is meant."""
LONGEST = 32


def plain(text: str, *, longest: int = 400) -> str:
    """The text on one line: what does not print is shown as its escape, and a long tail as `…`.

    >>> plain("a\\nb")
    'a\\\\nb'
    """
    text = printable(text.replace("\xa0", " "))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def name_text(
    name: str, *, role: Role = "ink", size: float = 14, bold: bool = False, italic: bool = True
) -> Text:
    """A variable's name: `w0` and `w_h` get subscripts, `gamma` becomes γ.

    >>> "".join(run.text for run in name_text("w0")), name_text("w0")[1].lowered
    ('w0', True)
    """
    found = _NUMBERED.fullmatch(name) or _SUFFIXED.fullmatch(name)
    stem, below = (found[1], found[2]) if found and len(name) <= 12 else (name, "")
    if below and not below.isdigit() and len(stem) > 1 and stem not in GREEK:
        stem, below = name, ""  # a word and a word: `inv_std` is one name
    if not below and "_" in stem.strip("_") and len(stem) > LONGEST:
        stem = plain(stem, longest=LONGEST)
    shown = Run(GREEK.get(stem, plain(stem, longest=LONGEST)), role, size, bold, italic)
    if not below:
        return (shown,)
    return (shown, Run(below, role, round(size * 0.72), bold, False, lowered=True))


def indexed_name(name: str, index: str, *, role: Role = "ink", size: float = 14) -> Text:
    """A name with its time step: `a` at 3 is a₃; a name that bears a number already stays as it is."""
    if not index or _NUMBERED.fullmatch(name):
        return name_text(name, role=role, size=size)
    stem = GREEK.get(name, plain(name, longest=LONGEST))
    return (
        Run(stem, role, size, italic=True),
        Run(plain(index, longest=8), role, round(size * 0.72), lowered=True),
    )


def formula_text(formula: str, *, size: float = 13, longest: int = 34) -> Text:
    """A formula of `tracer.symbols` with its names set as names and `*` as a centred dot.

    The number of `x#2` stands low, so that `x#2²` has one superscript.

    >>> [run.text for run in formula_text("x#2²") if run.lowered]
    ['#2']
    """
    formula = plain(formula.replace(" * ", " · "), longest=longest)
    runs: list[Run] = []
    end = 0
    for found in _WORD.finditer(formula):
        if found.start() > end:
            runs.append(Run(formula[end : found.start()], size=size))
        end = found.end()
        number = _AGAIN.match(formula, end)
        if number is not None:
            runs.extend(name_text(found[0], size=size, italic=False))
            runs.append(Run(number[0], "quiet", round(size * 0.72), lowered=True))
            end = number.end()
        elif formula[end : end + 1] == "(" or formula[found.start() - 1 : found.start()] in {
            "@",
            "#",
        }:
            runs.append(Run(found[0], size=size))
        else:
            runs.extend(name_text(found[0], size=size, italic=False))
    if end < len(formula):
        runs.append(Run(formula[end:], size=size))
    return tuple(runs)


def text_of(text: Text) -> str:
    """The bare characters of a text."""
    return "".join(run.text for run in text)
