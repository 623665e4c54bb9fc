"""Rows of aligned equations, broken where they would get too wide for a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

WIDE = 64.0
"""How wide a line may get, in letters, before it is broken."""


class Term(NamedTuple):
    """One summand: where it comes from, its formula, the same with numbers, and what its variables are."""

    origin: str
    formula: str
    numbers: str
    clauses: Sequence[str] = ()


def aligned(rows: Sequence[str], gap: str = "") -> str:
    """Rows as one display that may run over several pages, with a gap between them."""
    return (
        "{\\allowdisplaybreaks\n\\begin{align*}\n" + f" \\\\{gap}\n".join(rows) + "\n\\end{align*}}"
    )


def broken(name: str, terms: Sequence[Term], middle: str, total: str, tail: str) -> list[str]:
    """A name and what it equals: formula, formula with numbers, number; broken where it gets too wide."""
    written = [
        rf"\underbrace{{{term.formula}}}_{{{term.origin}}}" if len(terms) > 1 else term.formula
        for term in terms
    ]
    rows = [f"{name} &= {written[0]}"]
    for term in written[1:]:
        if width(rows[-1]) + width(term) > WIDE:
            rows.append(rf"&\quad {{}}+ {term}")
        else:
            rows[-1] += f" + {term}"
    where = r"\text{where }"
    for clause in dict.fromkeys(clause for term in terms for clause in term.clauses):
        rows.append(rf"&\qquad{where} {clause}")
        where = r"\phantom{\text{where }}"
    plain_copy = middle in (total, "") or r"\left[" in middle
    for number in [*([] if plain_copy else [middle]), *([total] if total else [])]:
        if rows[-1] == f"{name} &= {number}":
            continue
        if width(rows[-1]) + width(number) > WIDE or rows[-1].startswith("&\\q"):
            rows.append(f"&= {number}")
        else:
            rows[-1] += f" = {number}"
    rows[-1] += tail
    return rows


def width(tex: str) -> float:
    """How many letters wide a formula will be, roughly: of a fraction the wider half counts, of an index one half."""
    tex = _GLYPH.sub("x", tex).replace(" ", "").replace("&", "")
    for _ in range(40):
        shorter = _FRACTION.sub(lambda found: "x" * max(len(found[1]), len(found[2])), tex)
        shorter = _INDEX.sub(lambda found: "x" * (len(found[1]) // 2 + 1), shorter)
        shorter = _GROUP.sub(lambda found: found[1], shorter)
        if shorter == tex:
            break
        tex = shorter
    return float(len(_COMMAND.sub("x", tex)))


_GLYPH = re.compile(
    r"\\(?:left|right)?(?!t?frac\{|operatorname|math|text|hat|sqrt|underbrace)(?:[A-Za-z]+|[^A-Za-z])"
)
_FRACTION = re.compile(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}")
_INDEX = re.compile(r"[_^]\{([^{}]*)\}")
_GROUP = re.compile(
    r"(?:\\(?:operatorname|mathrm|text|hat|sqrt|underbrace|mathbb|mathsf|mathcal))?(?<!c)\{([^{}]*)\}(?!\{)"
)
_COMMAND = re.compile(r"\\(?:left|right)?[A-Za-z]+|\\[^A-Za-z]")
