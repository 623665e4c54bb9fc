"""Answers as they are typed: numbers with their digits, matrices, and expressions, which are walked and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator.vocabulary import MODULES
from tracer.checking.derivations.claims.claims import program_of
from tracer.checking.derivations.depth import printed
from tracer.checking.derivations.names import Names
from tracer.checking.derivations.reading import short
from tracer.errors import DerivationError, GradstepError
from tracer.traces import Trace

Array = Any
"""A numpy array or numpy scalar."""

LONGEST = 2000
"""Characters of an answer."""
LEAST_DIGITS = 2
"""Significant digits that a rounded number needs."""
TOLERANCE = 0.005
"""The relative error that is allowed: the numbers that are given are rounded too."""
NOISE = 1e-9
"""What is smaller beside the other numbers of an array is nothing but rounding."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NUMBERS = re.compile(
    rf"[\[\]();,\s]*(?:{_NUMBER.pattern}[\[\]();,\s]+)*{_NUMBER.pattern}[\[\]();,\s]*"
)
_ROWS = re.compile(r"[;\n]|\]\s*,?\s*\[|\)\s*,\s*\(")
_SIGNS = (
    ("−", "-"), ("–", "-"), ("·", "*"), ("×", "*"), ("⋅", "*"), ("²", "**2"), ("³", "**3"), ("⁻¹", "**-1"),
    ("ᵀ", ".T"), ("√(", "sqrt("), ("√", "sqrt "), ("σ(", "sigmoid("), ("Σ(", "sum("), ("∞", "inf"), ("÷", "/"),
    ("≤", "<="), ("≥", ">="), ("≠", "!="),
)  # fmt: skip
"""Signs of the formulas that are shown, as they are typed."""


class AnswerError(GradstepError):
    """An answer that says nothing: empty, unreadable, or with a name that it may not use."""


@dataclass(frozen=True, eq=False)
class Typed:
    """Numbers as they were typed. half: half a unit in the last digit of each; digits: the significant ones."""

    value: Array
    half: Array
    digits: Array


@dataclass(frozen=True, eq=False)
class Expression:
    """An answer to be worked out. text: as the calculator reads it; names: the values and gradients it uses."""

    text: str
    tree: ast.expr
    names: frozenset[str]


def read_answer(text: str, names: Names, asked: Collection[str] = ()) -> Typed | Expression:
    """What was typed: numbers, or an expression; `x = ` before it is passed over if x is what was asked.

    Raises `AnswerError` with one sentence and one thing to try.

    >>> import tracer as tr
    >>> names = Names(tr.trace(tr.square(tr.tensor(2.0))))
    >>> read_answer("[[1, 2.50], [-3, 4]]", names).value
    array([[ 1. ,  2.5],
           [-3. ,  4. ]])
    """
    if not text.strip():
        raise AnswerError("nothing was typed\n  try: a number such as -0.2, or ? for a hint")
    if len(text) > LONGEST:
        raise AnswerError(f"an answer of {len(text)} characters is too long\n  try: a shorter one")
    text = printed(text).strip()
    for sign, typed in _SIGNS:
        text = text.replace(sign, typed)
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        raise AnswerError("percents are not read\n  try: 0.2 for 20%")
    text = _of_the_loss(text, names.trace)
    bare = _right_side(text) if "\\" in text else _without_name(text, asked)
    if _NUMBERS.fullmatch(bare):
        return _typed(bare)
    return _expression(bare, names)


def as_line(text: str, name: str) -> str:
    """An answer as the line of a derivation that gives the gradient of a name, in LaTeX where the answer is.

    >>> print(as_line("dL/dq * z", "x"), as_line(r"z \\cdot q", "x"))
    dL/dx = dL/dq * z \\frac{\\partial L}{\\partial x} = z \\cdot q
    """
    return (
        rf"\frac{{\partial L}}{{\partial {name}}} = {text}"
        if "\\" in text
        else f"dL/d{name} = {text}"
    )


def _of_the_loss(text: str, trace: Trace) -> str:
    """An answer with df/dx for dL/dx, as one writes where the loss is f."""
    loss = trace.names[trace.loss]
    if not loss.isidentifier():
        return text
    return re.sub(rf"(?:\bd|∂){loss}\s*/\s*(?:d|∂)(?=\w)", "dL/d", text)


def _without_name(text: str, asked: Collection[str]) -> str:
    """The right side of `q = 3`. Raises `AnswerError` for a line that gives something else."""
    found = re.match(r"\s*([^=<>!()]*?)\s*=(?!=)\s*(.*)\Z", text, re.DOTALL)
    if found is None:
        return text
    name = found[1]
    plain = re.sub(r"\s|∂|\\partial|\\frac|[{}]", "", name.replace("∂", "d"))
    if name and plain not in {re.sub(r"\s", "", each.replace("∂", "d")) for each in asked}:
        raise AnswerError(
            f"that is a line for {short(name)}, and {next(iter(asked), 'something else')} is asked for\n"
            f"  try: the right side alone"
        )
    return found[2]


def _right_side(text: str) -> str:
    """What stands behind the last equals sign of LaTeX that is no part of a `\\sum_{i=1}`."""
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        start = place + 1 if letter == "=" and depth == 0 else start
    return text[start:]


def _typed(text: str) -> Typed:
    if text.count("[") != text.count("]") or text.count("(") != text.count(")"):
        raise AnswerError("a bracket is missing\n  try: [[1, 2], [3, 4]] or 1 2; 3 4")
    rows = [_NUMBER.findall(row) for row in _ROWS.split(text)]
    rows = [row for row in rows if row]
    flat = [token for row in rows for token in row]
    sizes = {len(row) for row in rows}
    if "[" not in text and ";" not in text and "\n" not in text and len(flat) == 1:
        shape: tuple[int, ...] = ()
    elif len(rows) == 1 and "[[" not in text.replace(" ", ""):
        shape = (len(flat),)
    elif len(sizes) == 1:
        shape = (len(rows), sizes.pop())
    else:
        raise AnswerError(
            f"its rows have {' and '.join(str(len(row)) for row in rows[:6])} numbers\n"
            f"  try: rows of one length, such as [[1, 2], [3, 4]] or 1 2; 3 4"
        )
    with np.errstate(all="ignore"):
        value = np.array([float(token) for token in flat]).reshape(shape)
        half = np.array([_half(token) for token in flat]).reshape(shape)
    if not np.isfinite(value).all():
        raise AnswerError("that number is beyond all others\n  try: a smaller one")
    digits = np.array([_digits(token) for token in flat]).reshape(shape)
    return Typed(value[()], half[()], digits[()])


def _half(token: str) -> float:
    """Half a unit in the last digit that was typed."""
    mantissa, _, power = token.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    exponent = int(power or 0) - decimals
    return 0.5 * 10.0**exponent if -400 < exponent < 300 else 0.0


def _digits(token: str) -> int:
    """The significant digits that were typed; `0` has none."""
    mantissa = token.lower().partition("e")[0].lstrip("+-").replace(".", "")
    return len(mantissa.lstrip("0"))


def _expression(text: str, names: Names) -> Expression:
    """An expression in Python or LaTeX."""
    try:
        program = program_of(names, as_line(text, "x"))
    except DerivationError as error:
        why, *more = str(error).splitlines()
        cures = [
            row.strip().removeprefix("try: ") for row in more if row.strip().startswith("try: ")
        ]
        why = re.sub(r"^line \d+: ", "", why)
        why = why.partition(" (at  ")[0]
        cure = "a number such as -0.2, or a formula such as dL/dy * w"
        cures = [each for each in cures if "line" not in each]
        raise AnswerError(
            f"that cannot be read: {short(why)}\n  try: {(*cures, cure)[0]}"
        ) from None
    match program.body:
        case [ast.Assign(value=value)]:
            pass
        case _:
            raise AnswerError(
                "that is more than one expression\n  try: one line, such as dL/dy * w"
            )
    used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
    called = {
        part.func.id
        for part in ast.walk(value)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
    return Expression(text, value, frozenset(used - called - MODULES))
