"""Finds the derivation that a script carries: a text, or a function that is read and never run."""

from __future__ import annotations

import ast
import re

from .surroundings import around

TEXTS = ("derivation", "DERIVATION")
"""Names of a text of lines, at the level of the module."""
FUNCTIONS = ("derivation", "backward")
"""Names of a function whose lines are a derivation."""

_OPENING = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')(\\\r?\n)?")


def derivation_in(source: str) -> str:
    """The derivation in the source of a script, on its own lines, so that errors name lines of the script; or empty.

    A text of the name `derivation` comes before a function `derivation`, and that before a function `backward`. With a
    function come the lines of the script that give it its numbers, such as `T = 4`.

    >>> derivation_in("x = 1\\nderivation = 'dx = 2 * x'\\n")
    '\\ndx = 2 * x'
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    lines = source.splitlines()
    for statement in reversed(body):
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Constant(value=str() as text) as value
            ):
                if name in TEXTS:
                    return "\n" * (_first(value, lines) - 1) + text
    functions = {each.name: each for each in body if isinstance(each, ast.FunctionDef)}
    for name in FUNCTIONS:
        if name in functions:
            found = functions[name]
            above = around(body, found)
            own = lines[found.lineno - 1 : found.end_lineno]
            return (
                "".join(f"{above.get(k, '')}\n" for k in range(1, found.lineno))
                + "\n".join(own)
                + "\n"
            )
    return ""


def _first(value: ast.Constant, lines: list[str]) -> int:
    """The line of a script on which the first line of a text stands: below the quotes, if they stand alone."""
    opening = _OPENING.match("\n".join(lines[value.lineno - 1 :])[value.col_offset :])
    return value.lineno + (1 if opening is not None and opening[2] else 0)
