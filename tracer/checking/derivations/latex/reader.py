"""From the text of a derivation in LaTeX to the lines that the calculator works through."""

from __future__ import annotations

import re

from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import LONGEST, Line
from tracer.errors import DerivationError

from .document import equations
from .items import announced_by, complaint_of, items_of
from .lexicon import Lexicon
from .lines import lines_of
from .tokens import UnreadableError

_COMMAND = re.compile(r"\\(?:[A-Za-z]|\[|\()|\$")
_COMMENT = re.compile(r"(?:^|\s)# .*")
"""A comment in Python, which may quote TeX."""
_SIGNS = re.compile("[·⋅×⊙∘−√ΣᵀᵢⱼₖₙₜᵐⁿⁱᵗΣ∑∇½¼⁻÷⊤]|[⁰¹²³⁴-⁹₀-₉]|[\u0302\u0304]")
_PYTHON = re.compile(
    r"\*\*|\bnp\.|\.sum\(|\.mean\(|\.T\b|\bdef |\breturn\b|^\s*(?:for|while|if) .*:\s*$|^\s*#|\+=|@",
    re.M,
)


def is_latex(text: str) -> bool:
    """Whether a derivation is in LaTeX, or in signs pasted from slides, rather than in Python.

    >>> is_latex(r"\\frac{\\partial L}{\\partial x} = 2 x"), is_latex("∂L/∂xᵢ = 2·xᵢ"), is_latex("dx = 2 * x")
    (True, True, False)
    """
    if _COMMAND.search(_COMMENT.sub("", text)):
        return True
    return bool(_SIGNS.search(text)) and not _PYTHON.search(text)


def read_latex(text: str, names: Names) -> tuple[Line, ...]:
    """The lines of a derivation in LaTeX: for each equation, or each of its time steps, one numpy expression.

    names: the names of the trace; with their shapes, they say what indices and products mean. Everything is defined in
    a line before it is used. Raises `DerivationError` with the line, the reason and one thing to try.

    >>> import ast
    >>> import tracer as tr
    >>> x, w = tr.tensor([3.0, 1.0], name="x"), tr.tensor(2.0, name="w")
    >>> y = x * w
    >>> names = Names(tr.trace(tr.sum(y * y)))
    >>> for line in read_latex(r"\\frac{\\partial L}{\\partial w} = \\sum_i 2 y_i x_i", names):
    ...     print(line.number, line.target, "=", ast.unparse(line.expression))
    1 dL_dw = (2 * y * x).sum(0)
    """
    if len(text) > LONGEST:
        raise DerivationError(
            f"a derivation of {len(text)} characters is too long\n  try: at most {LONGEST} characters"
        )
    try:
        found = equations(text)
    except UnreadableError as refused:
        raise complaint_of(text, refused, None) from None
    lexicon = Lexicon(names)
    lexicon.announced = announced_by(found)
    items = items_of(text, found, lexicon)
    return lines_of(text, items, lexicon)
