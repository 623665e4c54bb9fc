"""Changes of a single sign, number, exponent or name of a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .edits import Edit, Words, leaves, said
from .places import (
    Place,
    call,
    called,
    constant,
    constant_like,
    minus,
    named,
    negative,
    number_of,
    places,
    power,
)

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.Lt: (ast.Gt, ast.LtE),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}

SIMILAR = {
    "sin": ("cos",),
    "cos": ("sin",),
    "sinh": ("cosh",),
    "cosh": ("sinh",),
    "exp": ("log",),
    "log": ("exp",),
    "sign": ("abs",),
    "abs": ("sign",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
}
"""Functions that are taken for each other."""


def exponents(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Another exponent; a root or a square too much."""
    for base, p in _powers(tree):
        near = (p + 1, p - 1, -p, p / 2, 2 * p)
        usual = (2.0, 3.0, -1.0, -2.0, -3.0, 0.5, -0.5, 1.5, -1.5)
        yield from _other_exponents(base, p, (*near, *usual), (p + 0.5, p - 0.5))
    for place in places(tree):
        part = place.part
        match called(part):
            case "sqrt", inner:
                yield Edit("exponent", f"the square root of {said(inner)} is too much", part, inner)
                for q in (3.0, 2.0):
                    text = f"{said(part)} should be to the power {q:g}"
                    yield Edit("exponent", text, part, power(part, q))
            case "square", inner:
                yield Edit("exponent", f"the square of {said(inner)} is too much", part, inner)


def half_steps(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """An exponent that is off by a half: rare, and the same as a factor that is a root."""
    for part, p in _powers(tree):
        yield from _other_exponents(part, p, (p + 0.5, p - 0.5, -p - 1, -p + 1), ())


def _powers(tree: ast.expr) -> Iterator[tuple[ast.BinOp, float]]:
    """The powers of a line with their exponents."""
    for place in places(tree):
        if isinstance(place.part, ast.BinOp) and isinstance(place.part.op, ast.Pow):
            p = number_of(place.part.right)
            if p is not None:
                yield place.part, p


def _other_exponents(
    part: ast.BinOp, p: float, others: tuple[float, ...], never: tuple[float, ...]
) -> Iterator[Edit]:
    for q in dict.fromkeys(others):
        if q not in (p, 0.0, *never):
            new = constant_like(part.right, q)
            text = f"the exponent {said(part.right)} should be {said(new)}"
            old: ast.expr = part if q == 1 else part.right
            yield Edit("exponent", text, old, part.left if q == 1 else new)


def raised(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A square, a root or a reciprocal forgotten."""
    for part, around in _unraised(tree):
        yield Edit("exponent", f"the square of {said(part)} was forgotten", part, power(part, 2))
        text = f"the square root of {said(part)} was forgotten"
        yield Edit("exponent", text, part, call("sqrt", part))
        if not isinstance(around, ast.BinOp) or not isinstance(around.op, ast.Mult | ast.Div):
            text = f"one over {said(part)} belongs here"
            yield Edit("exponent", text, part, power(part, -1))


def cubed(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A cube, or a power of 3/2, forgotten."""
    for part, _ in _unraised(tree):
        yield Edit("exponent", f"{said(part)} should be to the power 3", part, power(part, 3))
        yield Edit("exponent", f"{said(part)} should be to the power 3/2", part, power(part, 1.5))


def _unraised(tree: ast.expr) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """The parts that could bear an exponent, and bear none, with what is around them."""
    for place in places(tree):
        part, around = place.part, place.around
        if number_of(part) is not None or isinstance(around, ast.UnaryOp | ast.Compare):
            continue
        if isinstance(around, ast.BinOp) and isinstance(around.op, ast.Pow):
            continue
        if not (
            isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult | ast.Div | ast.MatMult)
        ):
            yield part, around


def signs(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The other sign of a term."""
    for place in places(tree):
        match place.part:
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                text = f"the sign of {said(inner)} is wrong: the minus is too much"
                yield Edit("sign", text, place.part, inner)
    for place in places(tree):
        part = place.part
        match part:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
                text = f"the sign of {said(right)} is wrong"
                yield Edit("sign", text, part, ast.BinOp(left, other, right))
    for place in places(tree):
        n = number_of(place.part)
        divides = isinstance(place.around, ast.BinOp) and isinstance(place.around.op, ast.Div)
        divides = divides and place.around.right is place.part  # type: ignore[union-attr]
        if n is not None and n > 0 and not isinstance(place.around, ast.UnaryOp) and not divides:
            text = f"the sign of {said(place.part)} is wrong"
            yield Edit("sign", text, place.part, constant_like(place.part, -n))
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                new = minus(right, left)
                text = f"{said(place.part)} should be {said(new)}"
                yield Edit("sign", text, place.part, new)
    for place in sorted(places(tree), key=_is_total):
        first = place.is_product and not isinstance(place.part, ast.UnaryOp)
        if first and number_of(place.part) is None and not _is_right_term(place.part, place.around):
            text = f"the sign of {said(place.part)} is wrong: a minus was forgotten"
            yield Edit("sign", text, place.part, negative(place.part))


def _is_total(place: Place) -> bool:
    """Whether it is a sum: one term of it is more likely to have the wrong sign than all."""
    return isinstance(place.part, ast.BinOp) and isinstance(place.part.op, ast.Add | ast.Sub)


def _is_right_term(part: ast.expr, around: ast.expr | None) -> bool:
    """Whether the sign of a term is the operator before it."""
    return (
        isinstance(around, ast.BinOp)
        and isinstance(around.op, ast.Add | ast.Sub)
        and around.right is part
    )


def doubled_numbers(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A number that is twice or half of what it should be."""
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=ast.Constant(value=2), op=ast.Mult(), right=rest):
                yield Edit("two", "the factor 2 is too many", place.part, rest)
            case ast.BinOp(left=rest, op=ast.Mult() | ast.Div(), right=ast.Constant(value=2)):
                yield Edit("two", "the factor 2 is too many", place.part, rest)
    for part, n in _numbers(tree):
        if n > 2 and words.is_length(part):
            continue
        for other in (2 * n, n / 2):
            if other != n:
                new = constant_like(part, other)
                yield Edit("two", f"{said(part)} should be {said(new)}", part, new)


def other_numbers(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Another number."""
    for part, n in _numbers(tree):
        others = (1.0, 1 / n if n else 1.0, n + 1, n - 1, 0.5, 2.0, -1.0, -0.5, 3.0)
        for other in dict.fromkeys(others):
            if other not in (n, -n):
                new = constant_like(part, other)
                yield Edit("factor", f"{said(part)} should be {said(new)}", part, new)


def _numbers(tree: ast.expr) -> Iterator[tuple[ast.expr, float]]:
    """The numbers that are written in a line, signs and fractions included."""
    for place in places(tree):
        n = number_of(place.part)
        if n is not None and not isinstance(place.around, ast.UnaryOp | ast.Compare):
            yield place.part, n


def functions(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Another function of the same argument: the function in the place of its derivative."""
    for place in places(tree):
        match place.part:
            case ast.Call(func=ast.Attribute(value=module, attr=name)) if name in SIMILAR:
                for other in SIMILAR[name]:
                    func: ast.expr = ast.Attribute(module, other, ast.Load())
                    yield from _other_function(place.part, func, name, other)
            case ast.Call(func=ast.Name(id=name)) if name in SIMILAR:
                for other in SIMILAR[name]:
                    yield from _other_function(place.part, named(other), name, other)


def _other_function(part: ast.Call, func: ast.expr, name: str, other: str) -> Iterator[Edit]:
    new = ast.Call(func, part.args, part.keywords)
    yield Edit("wrong factor", f"{name} should be {other}: {said(new)}", part, new)
    if name == "cos":
        text = f"{name} should be -{other}: -{said(new)}"
        yield Edit("wrong factor", text, part, negative(new))


def complements(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """`1 - s` in the place of s, and the other way round."""
    for place in places(tree):
        part = place.part
        match part:
            case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=right):
                text = f"{said(part)} should be {said(right)}"
                yield Edit("wrong factor", text, part, right)
        is_product = isinstance(part, ast.BinOp) and not isinstance(part.op, ast.Pow)
        if not is_product and not isinstance(place.around, ast.Compare) and number_of(part) is None:
            new = minus(constant(1), part)
            yield Edit("wrong factor", f"{said(part)} should be {said(new)}", part, new)


def comparisons(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A mask that is on where it should be off."""
    for place in places(tree):
        match place.part:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                names = {ast.unparse(leaf) for leaf in leaves(place.part)}
                kind = "truncated" if names <= words.numbers else "mask"
                for other in COMPARISONS.get(type(op), ()):
                    new = ast.Compare(left, [other()], [right])
                    text = f"the condition {said(place.part)} should be {said(new)}"
                    yield Edit(kind, text, place.part, new)
            case ast.Call(func=func, args=[condition, a, b]) if called(place.part)[0] == "where":  # type: ignore[index]
                new_call = ast.Call(func, [condition, b, a], [])
                text = f"the two sides of {said(place.part)} are exchanged"
                yield Edit("mask", text, place.part, new_call)
