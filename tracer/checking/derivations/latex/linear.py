"""Products of matrices and vectors, where the axes that bear no index stand as in linear algebra."""

from __future__ import annotations

import ast
from dataclasses import replace

from tracer.checking.derivations.refusals import RefusedError

from .arrays import Term, called, contracted, ordered, said, spread, summed, unnamed


def transposed(term: Term) -> Term:
    """The transpose of the axes that bear no index: of a vector it is a row, of a number itself."""
    count = len(term.free)
    if term.ones or count == 1:
        return replace(term, row=not term.row)
    if not count:
        return term
    if count > 2:
        raise RefusedError(
            f"{said(term)} has {count} axes: which are transposed?", "an index for each axis"
        )
    if term.named:
        swapped = tuple({"~1": "~2", "~2": "~1"}.get(axis, axis) for axis in term.axes)
        wanted = (*term.named, *unnamed(2))
        lengths = dict(zip(swapped, term.shape, strict=True))
        code = spread(replace(term, axes=swapped), wanted)
        return Term(code, wanted, tuple(lengths[axis] for axis in wanted))
    return Term(ast.Attribute(term.code, "T"), term.axes, term.shape[::-1])


def matrix_product(a: Term, b: Term) -> Term | None:
    """The product of matrices and vectors as in linear algebra, over the axes without an index; None if it is none."""
    if a.ones or b.ones:
        return _with_ones(a, b)
    left, right = ([t.length(axis) for axis in t.free] for t in (a, b))
    if not left or not right or len(left) > 2 or len(right) > 2:
        return None
    if len(left) == len(right) == 1:
        if a.row and not b.row and left == right:
            return _inner(a, b)
        if b.row != a.row:
            return _outer(a, b)
        return None
    if left[-1] != right[0 if len(right) == 1 else -2]:
        return None
    return _inner(a, b)


def _inner(a: Term, b: Term) -> Term:
    """The last free axis of one with the first of the other."""
    left, right = list(a.free), list(b.free)
    if not a.named and not b.named:
        shape = (*a.shape[:-1], *(b.shape[1:] if len(right) > 1 else ()))
        return Term(ast.BinOp(a.code, ast.MatMult(), b.code), unnamed(len(shape)), shape)
    names = {left[-1]: "over"}
    if len(left) == 2:
        names[left[0]] = "row"
    others = {right[0]: "over"} | ({right[1]: "column"} if len(right) == 2 else {})
    found = contracted([_renamed(a, names), _renamed(b, others)], ["over"])
    back = [axis for axis in ("row", "column") if axis in found.axes]
    return _settled(found, dict(zip(back, unnamed(len(back)), strict=True)))


def _outer(a: Term, b: Term) -> Term:
    """A vector times a transposed vector: the table of all products; also of rows, `x^T d` for `x` (1, n)."""
    if not a.named and not b.named:
        shape = (*a.shape, *b.shape)
        return Term(called("np.outer", a.code, b.code), unnamed(2), shape)
    found = contracted([_renamed(a, {"~1": "row"}), _renamed(b, {"~1": "column"})], [])
    return _settled(found, {"row": "~2", "column": "~1"})


def _renamed(term: Term, names: dict[str, str]) -> Term:
    return replace(term, axes=tuple(names.get(axis, axis) for axis in term.axes))


def _settled(term: Term, names: dict[str, str]) -> Term:
    """A product with its free axes named as such again, and last."""
    term = _renamed(term, names)
    wanted = ordered(term.axes, ())
    lengths = dict(zip(term.axes, term.shape, strict=True))
    return Term(spread(term, wanted), wanted, tuple(lengths[axis] for axis in wanted))


def _with_ones(a: Term, b: Term) -> Term | None:
    """A vector of ones beside an array: a sum over its rows or columns, or the array itself repeated."""
    if a.ones and b.ones:
        return None
    ones, other = (a, b) if a.ones else (b, a)
    if not other.free:
        return other
    if ones is a and a.row:
        return summed(other, [other.free[0]])
    if ones is b and not b.row and (len(other.free) == 2 or other.row):
        return summed(other, [other.free[-1]])
    return replace(other, row=False)
