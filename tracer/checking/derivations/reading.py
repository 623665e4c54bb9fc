"""A hand derivation as text: lines `name = expression`, read without running anything.

Gradients may be written as in lectures: `dL/dx`, `∂L/∂x`, `dL_dx` or `dx` all mean the gradient of x, and `h#3` is the
third value of that name. Nothing but such lines is let through, so a derivation can neither loop nor reach out.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from textwrap import dedent

from tracer.errors import DerivationError

LONGEST = 100_000
"""Characters of a derivation; nobody writes more by hand."""
REPEAT = "ǀ"
"""Stands for the # of `h#3` inside Python's names: a letter that nobody types."""

_GRADIENT = re.compile(r"(?:\bd|∂)L\s*/\s*(?:d|∂)(?=\w)")
_LABEL = re.compile(r"(?<=\w)#(?=\d)")


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a derivation: the name it gives a value to, and the expression."""

    number: int
    text: str
    target: str
    expression: ast.expr
    """Of `dx += y` it is `dx + y`."""

    def error(self, reason: str, cure: str) -> DerivationError:
        """A complaint about this line, in the user's words."""
        return DerivationError(f"line {self.number}: {reason}\n  {short(self.text)}\n  try: {cure}")


def spoken(name: str) -> str:
    """A name as the user wrote it."""
    return name.replace(REPEAT, "#")


def short(text: str) -> str:
    """A line as it is shown: cut where it is too long for a screen."""
    return text if len(text) <= 100 else text[:99] + "…"


def read(text: str) -> tuple[Line, ...]:
    """The lines of a derivation. Comments, empty lines and `import numpy as np` are passed over.

    Raises `DerivationError` with the line's number for whatever is not `name = expression`.

    >>> [line.target for line in read("dL/dx = dL/dy * w   # the chain rule")]
    ['dL_dx']
    """
    if len(text) > LONGEST:
        raise DerivationError(
            f"a derivation of {len(text)} characters is too long\n  try: at most {LONGEST} characters"
        )
    source = dedent(text).expandtabs()
    written = source.splitlines()
    prepared = _LABEL.sub(REPEAT, _GRADIENT.sub("dL_d", source))
    try:
        body = ast.parse(prepared).body
    except SyntaxError as error:
        number = min(error.lineno or 1, len(written) or 1)
        line = short(written[number - 1].strip()) if written else ""
        raise DerivationError(
            f"line {number}: this is not Python: {error.msg}\n  {line}\n"
            f"  try: lines such as  dw = dy * x"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise DerivationError(
            "the derivation cannot be read: it holds NUL characters, or brackets nested too deep\n"
            "  try: plain lines such as  dw = dy * x"
        ) from None
    lines = (_line(statement, written) for statement in body)
    return tuple(line for line in lines if line is not None)


def _line(statement: ast.stmt, written: list[str]) -> Line | None:
    """The line of one statement, None for one that says nothing."""
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    text = " ".join(part.strip() for part in written[first - 1 : last])
    if isinstance(statement, ast.Import) and all(a.name == "numpy" for a in statement.names):
        return None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return None
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=expression):
            return Line(first, text, target, expression)
        case ast.AugAssign(target=ast.Name(id=target), op=op, value=expression):
            return Line(first, text, target, ast.BinOp(ast.Name(target), op, expression))
    raise DerivationError(
        f"line {first}: a derivation is made of lines `name = expression`, nothing else\n  {short(text)}\n"
        f"  try: one line for each gradient, such as  dw = dy * x"
    )
