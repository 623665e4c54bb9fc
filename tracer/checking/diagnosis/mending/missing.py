"""A term that is missing in a line, solved for: a product of a gradient and a value, times a constant with a reason."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tracer.checking.diagnosis.wrong import same

from .edits import Edit, Words, said
from .patching import replaced
from .places import constant, method, minus, over, plus, times
from .products import broadcast, products, summed
from .terms import sums_in

Array = Any
"""A numpy array or numpy scalar."""
MOST_GRADIENTS, MOST_VALUES = 16, 40
"""Gradients and values out of which a missing term is made, at most."""
MOST_PAIRED, MOST_PAIRS = 200, 12
"""Products out of which two missing terms are chosen, and choices that are looked at, at most."""
MOST_SIZE = 20_000
"""Gradients with more elements are not searched for a missing term."""


def missing_terms(
    tree: ast.expr,
    words: Words,
    error: Array,
    worth: Callable[[ast.expr], Array | None],
    *,
    several: bool = False,
) -> Iterator[Edit]:
    """A product of a gradient and a value that was not added, solved for from what is missing.

    error: the right gradient less the claim. worth: what an expression comes to where this line stands. several:
    whether two terms may be missing; else the second would take away what stands there.
    """
    if np.size(error) > MOST_SIZE:
        return
    known = _Known(worth)
    values = [*words.values, *words.unnamed][:MOST_VALUES]
    claim = known(tree)
    if claim is None:
        return
    wanted: list[tuple[ast.expr, Array]] = []
    for part in sums_in(tree):
        lacking = error
        if part is not tree:
            grown = known(_in_place(tree, part, plus(part, constant(1))))
            if grown is None or grown.shape != error.shape or (grown == claim).any():
                continue
            with np.errstate(all="ignore"):
                lacking = error / (grown - claim)
        wanted.append((part, lacking))
    for terms in (_single, _terms, *((_two,) if several else ()), _recorded):
        for part, lacking in wanted:
            for found in terms(lacking, values, known, words):
                what = " and ".join(said(code) for _, code in found)
                new = part
                for sign, code in found:
                    new = plus(new, code) if sign > 0 else minus(new, code)
                text = f"the term {what} is" if len(found) == 1 else f"the terms {what} are"
                yield Edit("missing path", f"{text} missing", part, new)


Term = tuple[int, ast.expr]
"""The sign of a term, and its code."""


class _Known:
    """What expressions come to, each worked out once."""

    def __init__(self, worth: Callable[[ast.expr], Array | None]) -> None:
        self.worth = worth
        self.found: dict[str, Array | None] = {}

    def __call__(self, code: ast.expr) -> Array | None:
        key = ast.unparse(code)
        if key not in self.found:
            value = self.worth(code)
            usable = value is not None and np.asarray(value).dtype.kind in "fiub"
            self.found[key] = np.asarray(value, np.float64) if usable else None
        return self.found[key]


def _in_place(tree: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    changed = replaced(tree, old, new)
    assert isinstance(changed, ast.expr)
    return changed


def _single(
    lacking: Array, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    """The gradients of the derivation that are what is lacking, up to a simple factor."""
    for g in words.near[:MOST_GRADIENTS]:
        upstream = known(g)
        if upstream is not None and upstream.any():
            for total, code in summed(upstream, g, lacking.shape):
                yield from _scaled(lacking, total, code, g, words)


def _two(
    lacking: Array, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    """Two terms that are lacking at once, each of a gradient that the derivation gives itself."""
    size = lacking.size
    made: list[tuple[Array, ast.expr, ast.expr]] = []
    for g in words.near[:MOST_GRADIENTS]:
        upstream = known(g)
        if upstream is not None and upstream.any():
            made += ((total, code, g) for total, code in summed(upstream, g, lacking.shape))
            made += ((a, code, g) for a, code in _made(upstream, g, values, known, lacking.shape))
    made = [each for each in made if np.isfinite(each[0]).all() and each[0].any()][:MOST_PAIRED]
    if not 3 < size <= MOST_SIZE or len(made) < 2 or not lacking.any():
        return
    rows = np.stack([np.broadcast_to(a, lacking.shape).reshape(-1) for a, _, _ in made])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    shared, along = rows @ rows.T, rows @ lacking.reshape(-1)
    with np.errstate(all="ignore"):
        first = (along[:, None] - shared * along) / (1 - shared**2)
        left = np.sum(lacking**2) - first * along[:, None] - first.T * along
    near = np.argwhere(np.triu(abs(left) <= 1e-9 * np.sum(lacking**2), 1))
    for i, j in near[:MOST_PAIRS]:
        pair = np.stack([np.broadcast_to(made[k][0], lacking.shape).reshape(-1) for k in (i, j)])
        shares, *_ = np.linalg.lstsq(pair.T, lacking.reshape(-1))
        if same(shares @ pair, lacking.reshape(-1), 1e-9):
            terms = [
                _spelled(k, made[n][1], made[n][2], words)
                for k, n in zip(shares, (i, j), strict=True)
            ]
            if all(terms):
                yield tuple(term for term in terms if term is not None)


def _terms(
    lacking: Array, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    """The products that are what is lacking, up to a simple factor; each with its sign.

    Of a gradient that the derivation gives itself, or of a value alone.
    """
    for g in (*words.near[:MOST_GRADIENTS], *words.helpers):
        yield from _of_gradient(lacking, g, values, known, words)
    for g in words.near[:MOST_GRADIENTS]:
        yield from _means(lacking, g, values, known, words)
    for v in values:
        value = known(v)
        if value is not None and value.ndim:
            yield from _scaled(lacking, value, v, v, words)


def _recorded(
    lacking: Array, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    """The same of gradients that the derivation does not give itself: its author would have to add their lines."""
    for g in words.far[:MOST_GRADIENTS]:
        yield from _of_gradient(lacking, g, values, known, words)


def _of_gradient(
    lacking: Array, g: ast.expr, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    upstream = known(g)
    if upstream is not None and upstream.any():
        for product, code in _made(upstream, g, values, known, lacking.shape):
            yield from _scaled(lacking, product, code, g, words)


def _made(
    upstream: Array, g: ast.expr, values: list[ast.expr], known: _Known, shape: tuple[int, ...]
) -> Iterator[tuple[Array, ast.expr]]:
    """The products of a gradient and each value, that have some shape."""
    for v in values:
        value = known(v)
        if value is not None:
            with suppress(ValueError):
                yield from products(upstream, value, g, v, shape)


def _means(
    lacking: Array, g: ast.expr, values: list[ast.expr], known: _Known, words: Words
) -> Iterator[tuple[Term, ...]]:
    """The terms of a normalisation and of softmax: `g.mean(0)`, `v * (g * v).mean(0)`, and the same with sums."""
    upstream = known(g)
    if upstream is None or upstream.shape != lacking.shape or not upstream.any():
        return
    keep = {"keepdims": ast.Constant(True)}
    for axis in range(upstream.ndim):
        for how in ("mean", "sum"):
            along = constant(axis)
            total = getattr(upstream, how)(axis, keepdims=True)
            yield from _scaled(lacking, total, method(g, how, along, **keep), g, words)
            for v in values:
                value = known(v)
                if value is None or value.shape != upstream.shape:
                    continue
                with np.errstate(all="ignore"):
                    product = value * getattr(upstream * value, how)(axis, keepdims=True)
                code = times(v, method(times(g, v), how, along, **keep))
                yield from _scaled(lacking, product, code, g, words)


def _scaled(
    lacking: Array, product: Array, code: ast.expr, g: ast.expr, words: Words
) -> Iterator[tuple[Term, ...]]:
    """The product, with the simple factor that makes it what is lacking."""
    if broadcast(product.shape, lacking.shape) != lacking.shape:
        return
    product = np.broadcast_to(product, lacking.shape)
    size = float(np.sum(product * product))
    if not size > 0 or not np.isfinite(size):
        return
    k = float(np.sum(lacking * product)) / size
    if not k or not same(lacking, k * product, 1e-9):
        return
    term = _spelled(k, code, g, words)
    if term is not None:
        yield (term,)


def _spelled(k: float, code: ast.expr, g: ast.expr, words: Words) -> Term | None:
    """A product times a number as a term; None for a number without a reason."""
    for factor, length, below in _multipliers(g, words):
        if abs(abs(k) - factor / length) <= 1e-8 * abs(k):
            scaled = code if factor == 1 else _doubled(code, factor)
            return (1 if k > 0 else -1), scaled if below is None else over(scaled, below)
    return None


def _multipliers(g: ast.expr, words: Words) -> Iterator[tuple[float, int, ast.expr | None]]:
    """The constants that a term may have: those of the local derivatives between, then by the user's own names."""
    named_by = dict(reversed(words.lengths))
    for factor, length in words.multipliers.get(ast.unparse(g), ()):
        if length == 1 or length in named_by:
            yield factor, length, named_by.get(length) if length > 1 else None
    own = [(n, code) for n, code in words.lengths if isinstance(code, ast.Name)]
    rest = [(n, code) for n, code in words.lengths if not isinstance(code, ast.Name)]
    for factor in (1.0, 2.0):
        yield factor, 1, None
    for choice in (own, rest):
        yield from ((factor, n, code) for factor in (1.0, 2.0) for n, code in choice)
        yield 0.5, 1, None
    yield from ((0.5, n, code) for n, code in (*own, *rest))


def _doubled(code: ast.expr, factor: float) -> ast.expr:
    """A term times a number, which stands between a gradient and a value: `dvar * 2 * (x - mu)`."""
    match code:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return times(times(left, constant(factor)), right)
    return times(code, constant(factor))
