"""Formulas with a step left out or another operation in its place, and the numbers that they come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np

import ops
from tracer.elements import within
from tracer.symbols import Style, Symbol, write

from .question import Question

Array = Any
"""A numpy array or numpy scalar."""

_NOUNS = {
    "add": "sum", "sub": "difference", "mul": "product", "div": "quotient", "matmul": "matrix product",
    "maximum": "larger of the two", "sigmoid": "sigmoid", "tanh": "tanh", "exp": "exponential",
    "relu": "ReLU", "square": "square", "sqrt": "root", "log": "logarithm", "neg": "negative", "mean": "mean",
}  # fmt: skip
"""What operations that are mixed up are called."""
_PAIRS = ("add", "sub", "mul", "div", "maximum")
_SINGLES = ("sigmoid", "tanh", "exp", "relu", "square", "sqrt", "neg")
_TOTALS = ("sum", "mean")


def number_of(symbol: Any) -> Array:
    """What an expression comes to by the numbers of its leaves."""
    if not isinstance(symbol, Symbol) or symbol.op is None:
        return symbol.value if isinstance(symbol, Symbol) else symbol
    with np.errstate(all="ignore"):
        return symbol.op.run([number_of(part) for part in symbol.args], symbol.params)[0]


def parts_of(question: Question) -> Iterator[tuple[str, Array]]:
    """The parts of what a node computes, the largest first: what one has who stopped too early."""
    waiting: list[Any] = list(getattr(question.expression, "args", ()))
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, Symbol):
            yield write(part, Style()), _element(question, number_of(part))
            waiting += part.args


def other_operations(question: Question) -> Iterator[tuple[Array, str]]:
    """What other operations make of the same inputs."""
    top = question.expression
    if not isinstance(top, Symbol) or top.op is None:
        return
    values = [np.asarray(number_of(part)) for part in top.args]
    own = top.op.name
    table = {1: _SINGLES, 2: _PAIRS}.get(len(values), ())
    names: Sequence[str] = _TOTALS if own in _TOTALS else table
    article = "the" if own == "maximum" else "a"
    is_ = f"this is {article} {_NOUNS[own]}" if own in _NOUNS else f"this is {own}"
    for name in names:
        if name == own:
            continue
        params = top.params if own in _TOTALS else {}
        try:
            found = getattr(ops, name).run(values, params)[0]
        except (ValueError, TypeError, ArithmeticError):
            continue
        yield _element(question, found), f"that is the {_NOUNS.get(name, name)}, and {is_}"
    if own in ("sub", "div"):
        turned = top.op.run(values[::-1], {})[0]
        yield _element(question, turned), f"that is the {_NOUNS[own]} the other way round"


def _element(question: Question, found: Array) -> Array:
    if not question.at or not np.ndim(found):
        return found
    return np.asarray(found)[within(question.at, np.shape(found))]


def products(expression: Any) -> Iterator[tuple[Array, str]]:
    """A product with one of its factors forgotten, or one alone."""
    over, under, minus = _factors(expression)
    if len(over) + len(under) < 2:
        return
    sign = -1 if minus else 1
    for left in range(len(over) + len(under)):
        above = [f for k, f in enumerate(over) if k != left]
        below = [f for k, f in enumerate(under) if k + len(over) != left]
        factor = (*over, *under)[left]
        said = write(factor, Style()) if isinstance(factor, Symbol) else str(factor)
        what = "the factor" if left < len(over) else "the divisor"
        yield sign * _product(above, below), f"{what} {said} was forgotten"


def alone(expression: Any, upstream: str) -> Any:
    """A product without what comes in: the local derivative."""
    over, under, minus = _factors(expression)
    over = [f for f in over if getattr(f, "text", "") != upstream]
    if len(over) + len(under) == 0:
        return 1
    result = reduce(lambda a, b: a * b, over, 1)
    for factor in under:
        result = result / factor
    return -result if minus else result


def _product(above: Sequence[Any], below: Sequence[Any]) -> Array:
    found: Array = np.float64(1.0)
    for factor in above:
        found = found * number_of(factor)
    for factor in below:
        found = found / number_of(factor)
    return found


def _factors(expression: Any) -> tuple[list[Any], list[Any], bool]:
    """The factors and divisors of a product, and whether its sign is turned."""
    over: list[Any] = []
    under: list[Any] = []
    minus = False
    waiting: list[tuple[Any, bool]] = [(expression, True)]
    while waiting:
        part, above = waiting.pop()
        name = part.op.name if isinstance(part, Symbol) and part.op is not None else ""
        if name == "neg":
            minus = not minus
            waiting.append((part.args[0], above))
        elif name == "mul":
            waiting += [(part.args[1], above), (part.args[0], above)]
        elif name == "div":
            waiting += [(part.args[1], not above), (part.args[0], above)]
        else:
            (over if above else under).append(part)
    return over, under, minus
