"""Formulas without the factors of one that only keep a shape: `∂L/∂z · 1 @ hᵀ` of a single z is `∂L/∂z · h`."""

from __future__ import annotations

from typing import Any

import numpy as np

import ops
from tracer.symbols import Symbol


def without_ones(x: Any, *, inside: bool = False) -> Any:
    """The expression without factors of one; inside: whether it is part of a matrix product, which needs its shape.

    >>> from tracer.symbols import Style, write
    >>> g, one, h = Symbol(np.full(1, 2.0), "g"), Symbol(np.ones(1), "1"), Symbol(np.ones((1, 3)), "h")
    >>> write(without_ones((g * one) @ h), Style())
    'g @ h'
    """
    if not isinstance(x, Symbol) or x.op is None:
        return x
    product = x.op.name == "matmul"
    args = tuple(without_ones(part, inside=inside or product) for part in x.args)
    if x.op.name == "mul":
        for one, other in (args, args[::-1]):
            if _is_one(one) and isinstance(other, Symbol) and (one.size == 1 or not inside):
                return other
    if product and not all(_shape(part) for part in args):
        args = tuple(_untransposed(part) for part in args)
        return Symbol(x.value, op=ops.mul, args=args)
    if all(new is old for new, old in zip(args, x.args, strict=True)):
        return x
    return Symbol(x.value, op=x.op, args=args, params=x.params)


def _is_one(x: Any) -> bool:
    return isinstance(x, Symbol) and x.op is None and x.text == "1" and bool(np.all(x.value == 1))


def _untransposed(x: Any) -> Any:
    """A vector, which is its own transpose where it is multiplied by a number."""
    vector = isinstance(x, Symbol) and x.op is ops.transpose and x.args[0].ndim == 1
    return x.args[0] if vector else x


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(x.value if isinstance(x, Symbol) else x))
