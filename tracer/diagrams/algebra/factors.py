r"""Formulas in the order of a blackboard: the upstream gradient first, then one fraction of the local factors.

A rule computes `-g * out / y`; a reader wants to see ∂L/∂out · out / y with the sign in front. Products and quotients
are taken apart and put together again; nothing else changes, so that what is printed still is what runs.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

import ops
from tracer.symbols import Symbol, is_seen_through

ONE = Symbol(np.float64(1.0), "1", "1")
"""The gradient of the loss by itself, which no product needs to mention."""

_PRODUCTS = ("mul", "div", "neg")


def blackboard(x: Any, upstream: Container[int], whole: Container[int] = ()) -> Any:
    """An expression whose products begin with the Symbols whose ids are in `upstream`; those in `whole` stay.

    >>> from tracer.symbols import Style, write
    >>> g, y, s = Symbol(2.0, "∂L/∂s"), Symbol(4.0, "y"), Symbol(3.0, "s")
    >>> write(blackboard(s * -(g * y) / y, {id(g)}), Style())
    '−∂L/∂s · (s · y / y)'
    """
    if not isinstance(x, Symbol) or x.op is None or id(x) in whole:
        return x
    if x.op.name in _PRODUCTS or is_seen_through(x):
        return _rebuilt(x, upstream, whole)
    args = tuple(blackboard(arg, upstream, whole) for arg in x.args)
    return Symbol(x.value, op=x.op, args=args, params=x.params)


def _rebuilt(x: Symbol, upstream: Container[int], whole: Container[int]) -> Any:
    minus, over, under = _factors(x, whole)
    first = [factor for factor in over if id(factor) in upstream]
    over, under = (
        [blackboard(factor, upstream, whole) for factor in _powers(factors)]
        for factors in ([one for one in over if id(one) not in upstream and one is not ONE], under)
    )
    if under:
        args = (_product(over, x), _product(under, x))
        over = [Symbol(_like(*args, x), op=ops.div, args=args)]
    result = _product([*first, *over], x)
    if not isinstance(result, Symbol) and result == 1:
        result = _ones(x.value) if np.ndim(x.value) else ONE
    elif np.ndim(x.value) and not _shape(result):  # one number for every element
        result = _product([result, _ones(x.value)], x)
    return Symbol(x.value, op=ops.neg, args=(result,)) if minus else result


def _ones(like: Any) -> Symbol:
    return Symbol(np.broadcast_to(np.float64(1), np.shape(like)), "1", r"\mathbf{1}")


def _factors(x: Symbol, whole: Container[int]) -> tuple[bool, list[Any], list[Any]]:
    """The sign, the factors and the divisors of a product."""
    minus = False
    over: list[Any] = []
    under: list[Any] = []
    waiting: list[tuple[Any, bool]] = [(x, True)]
    while waiting:
        part, above = waiting.pop()
        name = (
            part.op.name if isinstance(part, Symbol) and part.op and id(part) not in whole else ""
        )
        if name == "neg":
            minus = not minus
            waiting.append((part.args[0], above))
        elif name == "mul":
            waiting += [(part.args[1], above), (part.args[0], above)]
        elif name and is_seen_through(part):
            waiting.append((part.args[0], above))
        elif name == "div":
            waiting += [(part.args[1], not above), (part.args[0], above)]
        elif isinstance(part, (int, float)) and part < 0:
            minus = not minus
            waiting.append((-part, above))
        elif not (isinstance(part, (int, float)) and part == 1):
            (over if above else under).append(part)
    return minus, _numbers_first(over), _numbers_first(under)


def _numbers_first(factors: list[Any]) -> list[Any]:
    return sorted(factors, key=lambda factor: isinstance(factor, Symbol))


def _powers(factors: list[Any]) -> list[Any]:
    """The factors with two equal ones as a square, and with the square of a root as what is below the root."""
    left = list(factors)
    found = []
    while left:
        factor = left.pop(0)
        twin = next((k for k, other in enumerate(left) if other is factor), None)
        if twin is None or not isinstance(factor, Symbol):
            found.append(factor)
            continue
        del left[twin]
        root = factor.op is not None and factor.op.name == "sqrt"
        found.append(
            factor.args[0] if root else Symbol(factor.value, op=ops.square, args=(factor,))
        )
    return found


def _product(factors: list[Any], like: Symbol) -> Any:
    """The product of the factors, Python's 1 for none. It is written, never computed: only leaves need values."""
    if not factors:
        return 1
    result = factors[0]
    for factor in factors[1:]:
        result = Symbol(_like(result, factor, like), op=ops.mul, args=(result, factor))
    return result


def _like(one: Any, other: Any, whole: Symbol) -> Any:
    """Something of the shape of a product or quotient, which tells tensors from numbers."""
    try:
        shape = np.broadcast_shapes(_shape(one), _shape(other))
    except ValueError:  # a change of shape between them is not written
        shape = whole.shape
    return np.broadcast_to(np.float64(0), shape)


def _shape(x: Any) -> tuple[int, ...]:
    return np.shape(x.value) if isinstance(x, Symbol) else np.shape(x)
