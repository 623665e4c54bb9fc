"""What a text must be before anything reads it: characters that can be shown, and nothing nested without end."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Sequence

from tracer.cells.widths import visible
from tracer.errors import DerivationError

DEEPEST = 120
"""Parts of a line within each other: what walks over them is nowhere near the end of Python's stack."""
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
"""Signs that pages on the web, and editors, leave in a text that is copied."""


def printed(text: str) -> str:
    r"""A derivation in which every character can be shown: no comment can command the terminal that shows it.

    Whatever ends a line ends it as in Python, every kind of blank is one, and what has no width is left out.

    >>> printed("dw = x # \x1b[2J\r\ndb\u00a0= 1 # \u2028")
    'dw = x # ␛[2J\ndb = 1 # �'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "")
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    blanks = (" " if unicodedata.category(c) == "Zs" else c for c in text if c not in NO_WIDTH)
    lines = "".join(blanks).split("\n")
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in lines)


def is_too_deep(statement: ast.AST) -> bool:
    """Whether a statement has more parts within each other than anybody writes by hand.

    >>> is_too_deep(ast.parse("+".join(["x"] * 600))), is_too_deep(ast.parse("+".join(["x"] * 60)))
    (True, False)
    """
    level: list[ast.AST] = [statement]
    for _ in range(DEEPEST):
        level = [part for each in level for part in ast.iter_child_nodes(each)]
        if not level:
            return False
    return True


def refuse_depth(body: Sequence[ast.stmt], written: Sequence[str]) -> None:
    """Complain about the first statement that is nested too deep."""
    for statement in body:
        if is_too_deep(statement):
            raise too_deep(statement.lineno, written)


def too_deep(number: int, written: Sequence[str]) -> DerivationError:
    """The complaint about a line that is nested too deep."""
    text = written[number - 1].strip()
    text = text if len(text) <= 100 else text[:99] + "…"
    return DerivationError(
        f"line {number}: it is nested too deep\n  {text}\n  try: several shorter lines"
    )
