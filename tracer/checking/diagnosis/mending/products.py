"""The products of two arrays that have a given shape, each with its code: element by element, of matrices, summed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from .places import constant, method, over, times

Array = Any
"""A numpy array or numpy scalar."""


def products(
    upstream: Array, value: Array, g: ast.expr, v: ast.expr, shape: tuple[int, ...]
) -> Iterator[tuple[Array, ast.expr]]:
    """The products of a gradient and a value that have some shape, with their code."""
    with np.errstate(all="ignore"):
        if upstream.ndim == value.ndim == 2:
            for a, b, code in _pairings(upstream, value, g, v):
                if a.shape[1] == b.shape[0] and (a.shape[0], b.shape[1]) == shape:
                    yield a @ b, code
        size = broadcast(upstream.shape, value.shape)
        if size is None:
            return
        yield from summed(upstream * value, times(g, v), shape)
        yield from summed(upstream / value, over(g, v), shape)


def _pairings(
    upstream: Array, value: Array, g: ast.expr, v: ast.expr
) -> Iterator[tuple[Array, Array, ast.expr]]:
    turned = [ast.Attribute(part, "T", ast.Load()) for part in (g, v)]
    for a, b, left, right in (
        (upstream, value.T, g, turned[1]),
        (upstream, value, g, v),
        (value.T, upstream, turned[1], g),
        (value, upstream, v, g),
        (upstream.T, value, turned[0], v),
    ):
        yield a, b, ast.BinOp(left, ast.MatMult(), right)


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that two shapes come to together; None if they do not fit."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def summed(
    product: Array, code: ast.expr, shape: tuple[int, ...]
) -> Iterator[tuple[Array, ast.expr]]:
    """A product, or its sum over the axes that are too many."""
    if broadcast(product.shape, shape) == shape:
        yield product, code
        return
    for count in range(1, product.ndim + 1):
        for axes in combinations(range(product.ndim), count):
            for kept in (False, True):
                total = product.sum(axes, keepdims=kept)
                if total.shape == shape:
                    axis = constant(axes[0]) if count == 1 else _tuple(axes)
                    keep = {"keepdims": ast.Constant(True)} if kept else {}
                    yield total, method(code, "sum", axis, **keep)
                    return


def _tuple(axes: tuple[int, ...]) -> ast.expr:
    return ast.Tuple([constant(axis) for axis in axes], ast.Load())
