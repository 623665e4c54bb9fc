"""Changes of the names of a line: another value or gradient in the place of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tracer.checking.derivations.reading import REPEAT

from .edits import Edit, Words, base_of, leaves, said
from .patching import replaced
from .places import named, places, times


def others(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Another recorded value, or a gradient of the derivation, in the place of one."""
    yield from _replaced(tree, words, words.near, words.values)


def unused(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A value without a name, or a gradient that the derivation does not give, in the place of a name."""
    yield from _replaced(tree, words, words.far, words.unnamed)


def _replaced(
    tree: ast.expr, words: Words, gradients: Sequence[ast.expr], values: Sequence[ast.expr]
) -> Iterator[Edit]:
    for leaf in leaves(tree):
        if words.is_length(leaf):
            continue
        of_gradient = words.is_gradient(leaf)
        if leaf is tree and of_gradient:
            continue
        for word in gradients if of_gradient else values:
            text = ast.unparse(word)
            if words.is_helper(leaf) and text in words.only_recorded:
                continue  # the mistake is in the line that made it
            if text != ast.unparse(leaf) and words.alike(word, leaf):
                kind = "shift" if base_of(word) == base_of(leaf) else "wrong factor"
                text = f"{said(leaf)} stands where {said(word)} belongs"
                yield Edit(kind, text, leaf, word)


def row_orders(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A list, as in `np.stack([...])`, that runs backwards."""
    for place in places(tree):
        if isinstance(place.part, ast.Call) and place.part.args:
            first = place.part.args[0]
            if isinstance(first, ast.Tuple | ast.List):
                back = type(first)(first.elts[::-1], ast.Load())
                yield Edit("reversed", f"the order of {said(first)} runs backwards", first, back)


def exchanged(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Two names of a line that have changed places; a row of them that runs backwards, or is off by one step."""
    found = list(leaves(tree))
    rows: dict[str, list[ast.expr]] = {}
    for leaf in found:
        rows.setdefault(base_of(leaf), []).append(leaf)
    for name, row in rows.items():
        spelled = [ast.unparse(leaf) for leaf in row]
        if len(set(spelled)) < 2:
            continue
        turned = _all_replaced(tree, row, row[::-1])
        yield Edit("reversed", f"{name} runs backwards in this line", tree, turned)
    for k, a in enumerate(found):
        for b in found[k + 1 :]:
            if ast.unparse(a) != ast.unparse(b) and words.is_gradient(a) == words.is_gradient(b):
                text = f"{said(a)} and {said(b)} have changed places"
                yield Edit("wrong factor", text, tree, _all_replaced(tree, [a, b], [b, a]))
    for name, row in rows.items():
        for step in (-1, 1):
            moved = [beside(leaf, step) for leaf in row]
            if len(row) > 1 and all(moved):
                new = _all_replaced(tree, row, [m for m in moved if m is not None])
                text = f"{name} is off by one step: {said(row[0])} should be {said(moved[0] or row[0])}"
                yield Edit("shift", text, tree, new)


def beside(leaf: ast.expr, step: int) -> ast.expr | None:
    """The same value one step later or earlier: `h#2` for `h#3`; None for a name without steps."""
    if isinstance(leaf, ast.Name) and REPEAT in leaf.id:
        base, _, count = leaf.id.partition(REPEAT)
        if count.isdecimal():
            k = int(count) + step
            return named(f"{base}{REPEAT}{k}" if k else f"{base}0")
    return None


def _all_replaced(tree: ast.expr, old: Sequence[ast.expr], new: Sequence[ast.expr]) -> ast.expr:
    """An expression with several parts replaced."""
    marks = [named(f"part {k}") for k in range(len(old))]
    result: ast.AST = tree
    for part, mark in zip(old, marks, strict=True):
        result = replaced(result, part, mark)
    for mark, part in zip(marks, new, strict=True):
        result = replaced(result, mark, part)
    assert isinstance(result, ast.expr)
    return result


def products_for(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A gradient in the place of another one times a value: `do` for `dh * o`."""
    for leaf in leaves(tree):
        if not words.is_gradient(leaf):
            continue
        for gradient in words.near:
            for value in words.values:
                if words.alike(gradient, leaf) and words.alike(value, leaf):
                    new = times(gradient, value)
                    text = f"{said(leaf)} stands where {said(new)} belongs"
                    yield Edit("wrong factor", text, leaf, new)


def pairs(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """Two names of a short line that are both another's."""
    found = leaves(tree)
    if len(found) > 3:
        return
    for k, a in enumerate(found):
        for b in found[k + 1 :]:
            for one in _alike(a, words):
                for other in _alike(b, words):
                    text = (
                        f"{said(a)} and {said(b)} stand where {said(one)} and {said(other)} belong"
                    )
                    yield Edit(
                        "wrong factor", text, tree, _all_replaced(tree, [a, b], [one, other])
                    )


def _alike(leaf: ast.expr, words: Words) -> list[ast.expr]:
    """The words that can stand for a name, and have as many axes."""
    if words.is_length(leaf) or ast.unparse(leaf) not in words.shapes:
        return []
    axes = len(words.shapes[ast.unparse(leaf)])
    group = words.near if words.is_gradient(leaf) else words.values
    return [w for w in group if len(words.shapes.get(ast.unparse(w), ())) == axes]
