"""Changes of the terms of a line: one too many, one that was not added."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .edits import Edit, Words, said
from .places import Place, minus, named, negative, number_of, places, plus


def dropped_terms(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A term that is too many: one that stands there twice first."""
    found: list[tuple[ast.expr, ast.expr, ast.expr]] = []
    for place in places(tree):
        match place.part:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                kept = right if isinstance(op, ast.Add) else negative(right)
                found += [(place.part, right, left), (place.part, left, kept)]
    terms = [ast.unparse(term) for _, term, _ in found]
    found.sort(key=lambda each: terms.count(ast.unparse(each[1])) < 2)
    for part, gone, kept in found:
        yield Edit("doubled path", f"the term {said(gone)} is too many", part, kept)


def inserted_terms(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A gradient, or a value, that was not added."""
    positions = sums_in(tree)
    for group in (words.near, words.values):
        for part in positions:
            for word in group:
                for join in (plus, minus):
                    text = f"the term {said(word)} is missing"
                    yield Edit("missing path", text, part, join(part, word))


def accumulated(tree: ast.expr, target: str, *, before: bool) -> Iterator[Edit]:
    """`+=` in the place of `=`, and the other way round. before: whether a line above gives the target a value."""
    match tree:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if (
            ast.unparse(left).split("[")[0] == target.split("[")[0]
        ):
            text = f"{said(left)} is added to what it was: = belongs in the place of +="
            yield Edit("stale", text, tree, right)
            return
    if before and target.isidentifier():
        text = f"{target} is not added to what it was: += belongs in the place of ="
        yield Edit("missing path", text, tree, plus(named(target), tree))


def sums_in(tree: ast.expr) -> list[ast.expr]:
    """The parts to which a term may be added: the whole, and what is a sum already."""

    def open_to(place: Place) -> bool:
        is_sum = isinstance(place.part, ast.BinOp) and isinstance(place.part.op, ast.Add | ast.Sub)
        return place.part is tree or (place.is_sum and is_sum)

    return [p.part for p in places(tree) if open_to(p) and number_of(p.part) is None]
