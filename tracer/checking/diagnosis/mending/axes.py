"""Changes of what a line does along axes: sums, means, transposes, indices."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from .edits import Edit, Words, said
from .places import Place, call, called, constant, is_module, method, minus, number_of, places

REDUCTIONS = {"sum": "mean", "mean": "sum"}
AXES: tuple[int | tuple[int, ...] | None, ...] = (
    0,
    1,
    -1,
    2,
    None,
    (0, 1),
    (0, 2),
    (1, 2),
    (0, 2, 3),
    (0, 1, 2),
)


def reductions(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A mean in the place of a sum, and another axis."""
    for place in places(tree):
        part = place.part
        match part:
            case ast.Call(func=ast.Attribute(value=of, attr=name)):
                other: ast.expr = ast.Attribute(of, REDUCTIONS.get(name, name), ast.Load())
            case ast.Call(func=ast.Name(id=name)):
                other = ast.Name(REDUCTIONS.get(name, name), ast.Load())
            case _:
                continue
        if name in REDUCTIONS:
            text = f"the {name} {said(part)} should be a {REDUCTIONS[name]}"
            yield Edit("sum", text, part, ast.Call(other, part.args, part.keywords))
        if name in (*REDUCTIONS, "max", "cumsum", "flip", "var", "std"):
            yield from _other_axes(part, name)


def _other_axes(part: ast.Call, name: str) -> Iterator[Edit]:
    """The same reduction over another axis, with or without keeping it."""
    at = 0 if isinstance(part.func, ast.Attribute) and not is_module(part.func.value) else 1
    axis = next((k.value for k in part.keywords if k.arg == "axis"), None)
    if axis is None and len(part.args) > at:
        axis = part.args[at]
    rest = [k for k in part.keywords if k.arg != "axis"]
    before = "all axes" if axis is None else f"axis {said(axis)}"
    for other in AXES:
        new = _axis(other)
        if (axis is None and other is None) or (
            axis is not None and new is not None and ast.dump(new) == ast.dump(axis)
        ):
            continue
        keywords = rest if new is None else [ast.keyword("axis", new), *rest]
        args = part.args[:at]
        if axis is not None and len(part.args) > at and new is not None:
            args, keywords = [*args, new], rest
        after = "all axes" if new is None else f"axis {said(new)}"
        text = f"{said(part)} goes over {before}: it should go over {after}"
        yield Edit("sum", text, part, ast.Call(part.func, args, keywords))
        if not any(k.arg == "keepdims" for k in part.keywords):
            kept = [*keywords, ast.keyword("keepdims", ast.Constant(True))]
            text = f"{text}, and keep it: keepdims=True"
            yield Edit("sum", text, part, ast.Call(part.func, args, kept))
    others = [k for k in part.keywords if k.arg != "keepdims"]
    if len(others) < len(part.keywords):
        text = f"the axis that {said(part)} sums should not be kept"
        yield Edit("sum", text, part, ast.Call(part.func, part.args, others))
    else:
        kept = [*part.keywords, ast.keyword("keepdims", ast.Constant(True))]
        text = f"the axis that {said(part)} sums must be kept: keepdims=True"
        yield Edit("sum", text, part, ast.Call(part.func, part.args, kept))


def _axis(axis: int | tuple[int, ...] | None) -> ast.expr | None:
    if axis is None:
        return None
    if isinstance(axis, int):
        return constant(axis)
    return ast.Tuple([constant(k) for k in axis], ast.Load())


def summed(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A sum that was forgotten, or that is too much."""
    for place in places(tree):
        match called(place.part):
            case ("sum" | "mean") as name, inner:
                text = f"the {name} of {said(inner)} is too much"
                yield Edit("sum", text, place.part, inner)
    for place in places(tree):
        if number_of(place.part) is not None or not place.is_product or _is_sum(place):
            continue
        for axis in AXES:
            new = _axis(axis)
            where = "all axes" if new is None else f"axis {said(new)}"
            given = [] if new is None else [new]
            text = f"the sum over {where} was forgotten: {said(place.part)}"
            yield Edit("sum", text, place.part, method(place.part, "sum", *given))
            if new is not None:
                kept = method(place.part, "sum", new, keepdims=ast.Constant(True))
                yield Edit("sum", text, place.part, kept)
    for place in places(tree):
        if number_of(place.part) is None and place.is_product and not _is_sum(place):
            for axis in AXES[:3]:
                new = _axis(axis)
                assert new is not None
                text = f"the mean over axis {said(new)} was forgotten: {said(place.part)}"
                kept = method(place.part, "mean", new, keepdims=ast.Constant(True))
                yield Edit("sum", text, place.part, kept)


def _is_sum(place: Place) -> bool:
    """Whether a part is summed already, or is what a sum goes over."""
    found = [called(part) for part in (place.part, place.around) if part is not None]
    return any(f is not None and f[0] in REDUCTIONS for f in found)


def lengths(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The length of another axis, that the derivation has a name for."""
    yield from _other_lengths(tree, words, ast.Name)


def unnamed_lengths(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """The length of another axis, written as a number."""
    yield from _other_lengths(tree, words, ast.Constant)


def _other_lengths(tree: ast.expr, words: Words, sort: type[ast.expr]) -> Iterator[Edit]:
    for place in places(tree):
        part, n = place.part, number_of(place.part)
        if not words.is_length(part) or (n is not None and n <= 2):
            continue
        for _, code in words.lengths:
            if isinstance(code, sort) and ast.unparse(code) != ast.unparse(part):
                text = f"{said(part)} stands where {said(code)} belongs"
                yield Edit("size", text, part, code)


def bessel(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """m - 1 in the place of m, and the other way round; ddof."""
    codes = dict(words.lengths)
    around = {id(place.part): place.around for place in places(tree)}
    for place in places(tree):
        part, n = place.part, number_of(place.part)
        kind = "bessel" if _is_of_variance(part, around) else "size"
        match part:
            case ast.BinOp(left=left, op=ast.Sub() | ast.Add(), right=ast.Constant(value=1)):
                if words.is_length(left):
                    text = f"{said(part)} should be {said(left)}{_of(kind, 'biased')}"
                    yield Edit(kind, text, part, left)
            case ast.Call(keywords=keywords) if any(k.arg == "ddof" for k in keywords):
                rest = [k for k in keywords if k.arg != "ddof"]
                text = "the variance is the biased one here: ddof is too much"
                yield Edit("bessel", text, part, ast.Call(part.func, part.args, rest))
            case ast.Call() if (found := called(part)) and found[0] in ("var", "std"):
                given = [*part.keywords, ast.keyword("ddof", constant(1))]
                text = "the variance is the unbiased one here: ddof=1 was forgotten"
                yield Edit("bessel", text, part, ast.Call(part.func, part.args, given))
        if n is not None and n > 1 and n + 1 in codes:
            text = f"{n:g} should be {n + 1:g}{_of(kind, 'biased')}"
            yield Edit(kind, text, part, codes[int(n) + 1])
        if words.is_length(part) and (n is None or n > 2):
            text = f"{said(part)} should be {said(minus(part, constant(1)))}{_of(kind, 'unbiased')}"
            yield Edit(kind, text, part, minus(part, constant(1)))


def _of(kind: str, side: str) -> str:
    return f", as in the {side} variance" if kind == "bessel" else ""


def _is_of_variance(part: ast.expr, around: Mapping[int, ast.expr | None]) -> bool:
    """Whether the product that a part belongs to names a variance, or a square."""
    while isinstance(outer := around.get(id(part)), ast.BinOp) and isinstance(
        outer.op, ast.Mult | ast.Div | ast.Sub
    ):
        if isinstance(outer.op, ast.Sub) and outer.left is not part:
            break
        part = outer
    text = ast.unparse(part).lower()
    return any(word in text for word in ("var", "std", "sig", "σ", "sq", "**"))


def transposes(tree: ast.expr, words: Words) -> Iterator[Edit]:
    """A transpose forgotten or too much; the factors of a matrix product exchanged."""
    for place in places(tree):
        part = place.part
        match part:
            case ast.Attribute(value=inner, attr="T"):
                text = f"{said(inner)} should not be transposed"
                yield Edit("transposed", text, part, inner)
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                yield from _by_a_vector(left, right, words)
                text = f"the factors of {said(part)} stand in the wrong order"
                for a, b in ((right, left), (_turned(right), _turned(left))):
                    yield Edit("transposed", text, part, ast.BinOp(a, ast.MatMult(), b))
                text = f"the wrong factor of {said(part)} is transposed"
                yield Edit(
                    "transposed",
                    text,
                    part,
                    ast.BinOp(_turned(left), ast.MatMult(), _turned(right)),
                )
                yield Edit("transposed", text, part, ast.BinOp(right, ast.MatMult(), _turned(left)))
                yield Edit("transposed", text, part, ast.BinOp(_turned(right), ast.MatMult(), left))
            case ast.Call(func=func, args=[a, b]) if (called(part) or ("", None))[0] == "outer":
                text = f"the factors of {said(part)} stand in the wrong order"
                yield Edit("transposed", text, part, ast.Call(func, [b, a], []))
            case ast.Call() if (found := called(part)) and found[0] in ("transpose", "swapaxes"):
                text = f"{said(found[1])} should not be transposed"
                yield Edit("transposed", text, part, found[1])
    for place in places(tree):
        part = place.part
        if isinstance(part, ast.Attribute) or number_of(part) is not None:
            continue
        text = f"{said(part)} should be transposed"
        yield Edit("transposed", text, part, _turned(part))
        swapped = call("swapaxes", part, constant(-1), constant(-2))
        yield Edit("transposed", text, part, swapped)


def _by_a_vector(left: ast.expr, right: ast.expr, words: Words) -> Iterator[Edit]:
    """The table transposed, in its product with a vector: numpy would do the same with the factors exchanged."""
    axes = [len(words.shapes.get(ast.unparse(each), (0, 0))) for each in (left, right)]
    for each, other in ((left, axes[1]), (right, axes[0])):
        if other != 1:
            continue
        inner = _turned(each)
        is_turned = isinstance(each, ast.Attribute) and each.attr == "T"
        text = (
            f"{said(inner)} should not be transposed"
            if is_turned
            else f"{said(each)} should be transposed: {said(inner)}"
        )
        yield Edit("transposed", text, each, inner)


def _turned(part: ast.expr) -> ast.expr:
    if isinstance(part, ast.Attribute) and part.attr == "T":
        return part.value
    return ast.Attribute(part, "T", ast.Load())
