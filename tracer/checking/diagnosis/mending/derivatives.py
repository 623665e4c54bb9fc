"""Changes of the factors that are local derivatives: one that was forgotten, or is that of another function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from .edits import Edit, Words, leaves, said
from .places import call, called, constant, minus, number_of, over, places, plus, power, times

Form = Callable[[ast.expr, Words], Iterator[ast.expr]]
"""What a factor can be made of a word."""
MOST_FACTORS = 5
"""Products of more factors are left as they are."""
CLAMPS = ("maximum", "minimum", "clip", "abs", "relu", "sign")
"""Functions that are written where a mask belongs."""


def forgotten_values(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A recorded value forgotten as a factor; or the rest of a local derivative of which a part stands there."""
    yield from _inserted(tree, words, words.values, (_itself,))
    for place in places(tree):
        if place.is_product and number_of(place.part) is None:
            for leaf in leaves(place.part):
                rest = minus(constant(1), leaf)
                text = f"the factor {said(rest)} was forgotten"
                yield Edit("missing factor", text, place.part, times(place.part, rest))


def inserted_factors(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The reciprocal of a recorded value, or a local derivative made of one, forgotten."""
    yield from _inserted(tree, words, words.values, FORMS)
    unnamed = (_itself, _reciprocal, _one_minus_square, _powers)
    yield from _inserted(tree, words, words.unnamed, unnamed)


def _inserted(
    tree: ast.expr, words: Words, values: Sequence[ast.expr], forms: Sequence[Form]
) -> Iterator[Edit]:
    positions = [p.part for p in places(tree) if p.is_product and number_of(p.part) is None]
    for form in forms:
        for part in positions:
            for word in values:
                for new in form(word, words):
                    kind = _kind(new, words, "missing factor")
                    what = "mask" if kind == "mask" else "factor"
                    text = f"the {what} {said(new)} was forgotten"
                    yield Edit(kind, text, part, _joined(part, new))


def multiples(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A recorded value forgotten together with a 2, or with the length of an axis."""
    sizes = [("1/" + said(code), code) for _, code in words.lengths]
    for place in places(tree):
        part = place.part
        if not place.is_product or number_of(part) is not None:
            continue
        for word in words.values:
            text = f"the factor {said(times(constant(2), word))} was forgotten"
            yield Edit("missing factor", text, part, times(times(part, constant(2)), word))
            for spelled, code in sizes:
                text = f"the factor {said(word)} and {spelled} were forgotten"
                yield Edit("missing factor", text, part, over(times(part, word), code))


def matrix_factors(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A matrix forgotten."""
    for place in places(tree):
        if not place.is_product or number_of(place.part) is not None:
            continue
        for word in words.values:
            for turned in (word, ast.Attribute(word, "T", ast.Load())):
                for a, b in ((place.part, turned), (turned, place.part)):
                    text = f"the factor {said(turned)} was forgotten"
                    yield Edit("missing factor", text, place.part, ast.BinOp(a, ast.MatMult(), b))


def _joined(part: ast.expr, factor: ast.expr) -> ast.expr:
    """A product; a factor 1/x divides."""
    match factor:
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Div(), right=below):
            return over(part, below)
    return times(part, factor)


def _kind(factor: ast.expr, words: Words, otherwise: str) -> str:
    """The kind of mistake that a factor in question is."""
    if isinstance(factor, ast.Compare) or ast.unparse(factor) in words.masks:
        return "mask"
    return otherwise


def other_derivatives(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The local derivative of another function: `h * (1 - h)` for `1 - h**2`; and several factors too many."""
    for place in places(tree):
        part = place.part
        found = called(part)
        if found is not None and found[0] in CLAMPS and isinstance(part, ast.Call):
            for inner in (a for a in (found[1], *part.args) if number_of(a) is None):
                for word in words.values:
                    for mask in _mask(word, words):
                        text = f"{said(part)} should be {said(inner)} where {said(mask)}, else 0"
                        yield Edit("mask", text, part, times(inner, mask))
        factors = list(_factors(part)) if place.is_product else []
        if not 1 < len(factors) <= MOST_FACTORS:
            continue
        for size in (2, 1):
            for gone in combinations(range(len(factors)), size):
                if any(words.is_gradient(factors[k][0]) for k in gone):
                    continue
                kept = [factor for k, factor in enumerate(factors) if k not in gone]
                if not kept or kept[0][1]:
                    continue
                stand = _product(kept)
                there = said(factors[gone[0]][0])
                if size > 1:
                    there = " * ".join(_bracketed(factors[k][0]) for k in gone)
                if size > 1:
                    kind = (
                        "softmax"
                        if _is_share_derivative([factors[k][0] for k in gone], words)
                        else "extra factor"
                    )
                    yield Edit(kind, f"the factors {there} are too many", part, stand)
                for form in (_itself, *FORMS):
                    for word in words.values:
                        for new in form(word, words):
                            text = f"{there} stands where {said(new)} belongs"
                            kind = _kind(new, words, "wrong factor")
                            yield Edit(kind, text, part, _joined(stand, new))


def _bracketed(part: ast.expr) -> str:
    """A factor as people write it within a product."""
    is_sum = isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add | ast.Sub)
    return f"({said(part)})" if is_sum else said(part)


def _factors(part: ast.expr) -> Iterator[tuple[ast.expr, bool]]:
    """The factors of a product in order, and whether each divides."""
    match part:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            yield from _factors(left)
            yield right, isinstance(op, ast.Div)
        case _:
            yield part, False


def _product(factors: list[tuple[ast.expr, bool]]) -> ast.expr:
    found = factors[0][0]
    for factor, divides in factors[1:]:
        found = over(found, factor) if divides else times(found, factor)
    return found


def _is_share_derivative(factors: list[ast.expr], words: Words) -> bool:
    """Whether factors are s and 1 - s of what a softmax gave."""
    texts = sorted((ast.unparse(factor) for factor in factors), key=len)
    return texts[0] in words.shares and texts[1] == f"1 - {texts[0]}"


def operators(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A sum where a product belongs, and the other way round."""
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                text = f"{said(left)} and {said(right)} should be multiplied"
                for new in (times(left, minus(constant(1), right)), times(left, right)):
                    yield Edit("wrong factor", text, place.part, new)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                text = f"{said(left)} and {said(right)} should be multiplied"
                yield Edit("wrong factor", text, place.part, times(left, right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                text = f"{said(left)} and {said(right)} should be added"
                yield Edit("wrong factor", text, place.part, plus(left, right))
                text = f"the product of {said(left)} and {said(right)} is one of matrices"
                yield Edit("wrong factor", text, place.part, ast.BinOp(left, ast.MatMult(), right))
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                text = f"the product of {said(left)} and {said(right)} is element by element"
                yield Edit("wrong factor", text, place.part, times(left, right))


def _itself(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield word


def _reciprocal(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield over(constant(1), word)


def _one_minus_square(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield minus(constant(1), power(word, 2))


def _logistic(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield times(word, minus(constant(1), word))


def _one_minus(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield minus(constant(1), word)


def _mask(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    if ast.unparse(word) not in words.one_sided:
        yield ast.Compare(word, [ast.Gt()], [constant(0)])


def _square(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield power(word, 2)
    yield over(constant(1), power(word, 2))


def _root(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    yield call("sqrt", word)
    yield over(constant(1), call("sqrt", word))


def _powers(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    for exponent in (-1.5, -0.5, 0.5, 2.0):
        yield power(word, exponent)


def _under_root(word: ast.expr, words: Words) -> Iterator[ast.expr]:
    for eps in words.epsilons[:1]:
        yield over(constant(1), call("sqrt", plus(word, eps)))
        yield over(constant(1), plus(word, eps))
        yield power(plus(word, eps), -1.5)


FORMS: tuple[Form, ...] = (
    _reciprocal,
    _one_minus_square,
    _logistic,
    _one_minus,
    _mask,
    _square,
    _root,
    _under_root,
)
