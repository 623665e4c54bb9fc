"""Changes of the factors of a line: one that was forgotten, one too many, epsilon in another place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .edits import Edit, Words, leaves, said
from .places import call, called, constant, method, minus, number_of, over, places, plus, times


def dropped_factors(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A factor that is too many."""
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                for gone, kept in ((right, left), (left, right)):
                    kind = factor_kind(gone, words, "extra factor")
                    text = f"the factor {said(gone)} is too many"
                    yield Edit(kind, text, place.part, kept)
                    if isinstance(gone, ast.Name):
                        ones = times(kept, call("ones_like", gone))
                        yield Edit(kind, text, place.part, ones)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                kind = factor_kind(right, words, "extra factor")
                yield Edit(kind, f"the division by {said(right)} is too many", place.part, left)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                for gone, kept in ((right, left), (left, right)):
                    text = f"the factor {said(gone)} is too many"
                    yield Edit("extra factor", text, place.part, kept)


def incoming(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The gradient that comes in, in a line that names no gradient: a local derivative stands there alone."""
    if any(words.is_gradient(leaf) for leaf in leaves(tree)):
        return
    for gradient in (*words.near, *words.far):
        text = f"the factor {said(gradient)}, the gradient that comes in, is missing"
        yield Edit("upstream", text, tree, times(tree, gradient))


def inverted(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A factor that stands on the wrong side of a fraction."""
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                for a, b in ((left, right), (right, left)):
                    if number_of(b) is None:
                        kind = factor_kind(b, words, "exponent")
                        text = f"{said(b)} should divide, not multiply"
                        yield Edit(kind, text, place.part, over(a, b))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                kind = factor_kind(right, words, "exponent")
                text = f"{said(right)} should multiply, not divide"
                yield Edit(kind, text, place.part, times(left, right))


def factor_kind(factor: ast.expr, words: Words, otherwise: str) -> str:
    """The kind of mistake that a factor too many or too few is."""
    n = number_of(factor)
    if n is None:
        return "size" if words.is_length(factor) else otherwise
    if abs(n) in (2.0, 0.5):
        return "two"
    if n == -1:
        return "sign"
    return (
        "size" if any(n == length or n * length == 1 for length, _ in words.lengths) else "factor"
    )


def twos(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A factor 2 or 1/2 forgotten."""
    for place in places(tree):
        part = place.part
        if place.is_product and number_of(part) is None:
            text = f"the factor 2 was forgotten: {said(part)}"
            yield Edit("two", text, part, times(part, constant(2)))
            text = f"the factor 1/2 was forgotten: {said(part)}"
            yield Edit("two", text, part, over(part, constant(2)))


def scaled(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The length of an axis, or the root of one, or a number of the trace forgotten."""
    positions = [p.part for p in places(tree) if p.is_product and number_of(p.part) is None]
    for part in positions:
        for _, code in words.lengths:
            yield Edit(
                "size", f"1/{said(code)} was forgotten: {said(part)}", part, over(part, code)
            )
    for part in positions:
        for _, code in words.lengths:
            text = f"the factor {said(code)} was forgotten: {said(part)}"
            yield Edit("size", text, part, times(part, code))
    for part in positions:
        for _, code in words.lengths:
            root = call("sqrt", code)
            text = f"the division by {said(root)} was forgotten: {said(part)}"
            yield Edit("missing factor", text, part, over(part, root))
    for part in positions:
        for literal in words.literals:
            text = f"the factor {said(constant(literal))} was forgotten: {said(part)}"
            yield Edit("missing factor", text, part, times(part, constant(literal)))
            text = f"1/{said(constant(literal))} was forgotten: {said(part)}"
            yield Edit("missing factor", text, part, over(part, constant(literal)))
    for part in positions:
        for _, code in words.lengths:
            less = minus(code, constant(1))
            text = f"the factor {said(over(code, less))} was forgotten: {said(part)}"
            yield Edit("bessel", text, part, over(times(part, code), less))
            text = f"the factor {said(over(less, code))} was forgotten: {said(part)}"
            yield Edit("bessel", text, part, over(times(part, less), code))


def epsilons(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Epsilon in another place, forgotten, or too much."""
    spelled = {ast.unparse(eps) for eps in words.epsilons}
    for place in places(tree):
        part = place.part
        match part:
            case ast.BinOp(left=left, op=ast.Add(), right=eps) if ast.unparse(eps) in spelled:
                inner = called(left)
                if inner is not None and inner[0] == "sqrt":
                    text = f"{said(eps)} belongs under the square root"
                    yield Edit("epsilon", text, part, call("sqrt", plus(inner[1], eps)))
                match left:
                    case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                        text = f"{said(eps)} belongs within the power: ({said(base)} + {said(eps)})"
                        new = ast.BinOp(plus(base, eps), ast.Pow(), exponent)
                        yield Edit("epsilon", text, part, new)
                yield Edit("epsilon", f"{said(eps)} is too much", part, left)
        match called(part):
            case "sqrt", ast.BinOp(left=value, op=ast.Add(), right=eps) if (
                ast.unparse(eps) in spelled
            ):
                text = f"{said(eps)} belongs outside of the square root"
                yield Edit("epsilon", text, part, plus(call("sqrt", value), eps))
        match part:
            case ast.BinOp(
                left=ast.BinOp(left=value, op=ast.Add(), right=eps), op=ast.Pow(), right=exponent
            ) if ast.unparse(eps) in spelled:
                outside = plus(ast.BinOp(value, ast.Pow(), exponent), eps)
                yield Edit("epsilon", f"{said(eps)} belongs outside of the power", part, outside)
    for place in places(tree):
        if number_of(place.part) is not None or ast.unparse(place.part) in spelled:
            continue
        for eps in words.epsilons[:2]:
            text = f"{said(eps)} was forgotten: {said(place.part)} + {said(eps)}"
            yield Edit("epsilon", text, place.part, plus(place.part, eps))


def diagonals(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The sum that a diagonal Jacobian of softmax leaves out."""
    for place in places(tree):
        part = place.part
        if any(isinstance(inner.part, ast.Call) for inner in places(part)):
            continue
        inside = {ast.unparse(leaf): leaf for leaf in leaves(part)}
        gradients = [leaf for leaf in inside.values() if words.is_gradient(leaf)]
        for word in words.values:
            if ast.unparse(word) not in words.shares:
                continue
            there = ast.unparse(word) in inside
            for g in gradients[:2]:
                for axis in (-1, 0, 1):
                    total = method(
                        times(g, word), "sum", constant(axis), keepdims=ast.Constant(True)
                    )
                    text = "the Jacobian of softmax was forgotten"
                    if there:
                        text = f"the Jacobian of softmax is not diagonal: {said(minus(g, total))} belongs there"
                    kind = "softmax" if there else "missing factor"
                    yield Edit(kind, text, part, times(word, minus(g, total)))
