"""Arrays whose axes bear the names of indices, and the numpy expressions that combine them.

`x_i` of a batch of rows has the axes `i` and `~1`: those that the formula does not name are counted from the right, as
numpy broadcasts. The expressions are in the language of calculator.py.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.checking.derivations.refusals import MisfitError, RefusedError
from tracer.format import shape as shown

OPERATORS: Mapping[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "**": ast.Pow, "@": ast.MatMult,
}  # fmt: skip
COMPARISONS: Mapping[str, type[ast.cmpop]] = {
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "==": ast.Eq, "!=": ast.NotEq,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Term:
    """An expression and its axes. row: a vector that was transposed. ones: a vector of ones of whatever length."""

    code: ast.expr
    axes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    row: bool = False
    ones: bool = False

    @property
    def free(self) -> tuple[str, ...]:
        """The axes that the formula does not name."""
        return tuple(axis for axis in self.axes if axis.startswith("~"))

    @property
    def named(self) -> tuple[str, ...]:
        """The axes that bear an index."""
        return tuple(axis for axis in self.axes if not axis.startswith("~"))

    def length(self, axis: str) -> int:
        """The length of an axis."""
        return self.shape[self.axes.index(axis)]


def unnamed(count: int) -> tuple[str, ...]:
    """The names of axes that a formula does not name.

    >>> unnamed(2)
    ('~2', '~1')
    """
    return tuple(f"~{k}" for k in range(count, 0, -1))


def number(value: int | float) -> Term:
    """A number."""
    if value < 0:
        return Term(ast.UnaryOp(ast.USub(), ast.Constant(-value)))
    return Term(ast.Constant(value))


def called(name: str, *arguments: ast.expr) -> ast.expr:
    """A call of a function of the calculator, `np.sqrt` or `sigmoid`."""
    head, _, tail = name.partition(".")
    function = ast.Attribute(ast.Name(head), tail) if tail else ast.Name(name)
    return ast.Call(function, list(arguments), [])


def method(code: ast.expr, name: str, *arguments: ast.expr) -> ast.expr:
    """A call of a method of an array."""
    return ast.Call(ast.Attribute(code, name), list(arguments), [])


def combined(sign: str, a: Term, b: Term, order: Sequence[str] = ()) -> Term:
    """Two arrays combined element by element; axes of the same name stand for the same index.

    order: the indices in the order in which the result should have them, if neither of the two decides.

    >>> x, d = Term(ast.Name("x"), ("i",), (3,)), Term(ast.Name("d"), ("j",), (2,))
    >>> both = combined("*", x, d, ("j", "i"))
    >>> ast.unparse(both.code), both.axes
    ('x * d[:, None]', ('j', 'i'))
    """
    axes = _joint(a, b, order)
    left, right = spread(a, axes), spread(b, axes)
    lengths = tuple(_length(axis, a, b) for axis in axes)
    if sign in COMPARISONS:
        return Term(ast.Compare(left, [COMPARISONS[sign]()], [right]), axes, lengths)
    return Term(ast.BinOp(left, OPERATORS[sign](), right), axes, lengths)


def _joint(a: Term, b: Term, order: Sequence[str]) -> tuple[str, ...]:
    """The axes of two arrays together."""
    for one, other in ((a, b), (b, a)):
        if set(other.axes) <= set(one.axes):
            return one.axes
    return ordered((*a.axes, *b.axes), order)


def ordered(axes: Sequence[str], order: Sequence[str]) -> tuple[str, ...]:
    """Axes, each once: first those that bear an index, in a given order, then those that bear none.

    >>> ordered(("~1", "i", "j", "i"), ("j", "i"))
    ('j', 'i', '~1')
    """
    named = [axis for axis in dict.fromkeys(axes) if not axis.startswith("~")]
    most = max((int(axis[1:]) for axis in axes if axis.startswith("~")), default=0)
    first = [axis for axis in order if axis in named]
    return (*first, *(axis for axis in named if axis not in first), *unnamed(most))


def _length(axis: str, a: Term, b: Term) -> int:
    lengths = [term.length(axis) for term in (a, b) if axis in term.axes] or [1]
    if len(lengths) == 2 and lengths[0] != lengths[1] and 1 not in lengths:
        if axis.startswith("~"):
            raise MisfitError(
                f"{said(a)} of shape {shown(a.shape)} and {said(b)} of shape {shown(b.shape)} do not fit",
                "compare the shapes, axis by axis from the right; a transpose, or an index for each axis",
            )
        raise RefusedError(
            f"the index {axis} runs over {lengths[0]} in {said(a)} and over {lengths[1]} in {said(b)}",
            "another letter for one of them",
        )
    return max(lengths)


def said(term: Term) -> str:
    """An expression as messages show it."""
    try:
        text = ast.unparse(term.code)
    except RecursionError:
        return "a long expression"
    return text if len(text) <= 40 else text[:39] + "…"


def spread(term: Term, axes: Sequence[str]) -> ast.expr:
    """The expression of an array, so that its axes stand among the given ones as numpy broadcasts."""
    wanted = tuple(axis for axis in axes if axis in term.axes)
    code = term.code
    if wanted != term.axes:
        code = _permuted(code, tuple(term.axes.index(axis) for axis in wanted))
    if not wanted or wanted == tuple(axes[-len(wanted) :]):
        return code
    first = next(k for k, axis in enumerate(axes) if axis in wanted)
    picks: list[ast.expr] = [
        ast.Slice() if axis in wanted else ast.Constant(None) for axis in axes[first:]
    ]
    return ast.Subscript(code, ast.Tuple(picks) if len(picks) > 1 else picks[0])


def _permuted(code: ast.expr, places: tuple[int, ...]) -> ast.expr:
    if places == tuple(reversed(range(len(places)))):
        return ast.Attribute(code, "T")
    return called("np.transpose", code, ast.Tuple([ast.Constant(k) for k in places]))


def summed(term: Term, axes: Sequence[str]) -> Term:
    """The sum over some axes."""
    places = [term.axes.index(axis) for axis in axes]
    kept = [k for k in range(len(term.axes)) if k not in places]
    picks = [ast.Constant(k) for k in sorted(places)]
    over = picks[0] if len(picks) == 1 else ast.Tuple(list(picks))
    code = method(term.code, "sum", *([] if not kept and len(places) > 1 else [over]))
    left = [term.axes[k] for k in kept]
    free = iter(unnamed(sum(axis.startswith("~") for axis in left)))
    again = tuple(next(free) if axis.startswith("~") else axis for axis in left)
    return Term(code, again, tuple(term.shape[k] for k in kept))


def contracted(terms: Sequence[Term], axes: Sequence[str], order: Sequence[str] = ()) -> Term:
    """The sum over some axes of a product of arrays that bear an index on every axis, by einsum.

    >>> d, x = Term(ast.Name("d"), ("n", "j"), (8, 3)), Term(ast.Name("x"), ("n", "i"), (8, 2))
    >>> ast.unparse(contracted([d, x], ["n"], ("i", "j")).code)
    "np.einsum('nj,ni->ij', d, x)"
    """
    every = tuple(dict.fromkeys(axis for term in terms for axis in term.axes))
    lengths = {axis: max(t.length(axis) for t in terms if axis in t.axes) for axis in every}
    left = ordered([axis for axis in every if axis not in axes], order)
    letters = _letters(every)
    groups = ",".join("".join(letters[axis] for axis in term.axes) for term in terms)
    text = f"{groups}->{''.join(letters[axis] for axis in left)}"
    code = called("np.einsum", ast.Constant(text), *(term.code for term in terms))
    return Term(code, left, tuple(lengths[axis] for axis in left))


def _letters(axes: Sequence[str]) -> dict[str, str]:
    """A letter for each axis: its own, if it is one."""
    found = {axis: axis for axis in axes if len(axis) == 1 and axis.isascii() and axis.isalpha()}
    spare = iter(
        [c for c in "pqruvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in found.values()]
    )
    return found | {axis: next(spare) for axis in axes if axis not in found}


def fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape is the wanted one, but for axes of length 1."""
    return [n for n in shape if n != 1] == [n for n in wanted if n != 1]


def settled(term: Term, axes: Sequence[str], lengths: Sequence[int], like: ast.expr | None) -> Term:
    """An array with its axes in the order of the left side of an equation; repeated over those that it lacks.

    like: an array of the shape that the left side has, if it has one.
    """
    if like is None:
        axes = tuple(axis for axis in axes if axis in term.axes)
    wanted = tuple(axes) if set(term.axes) <= set(axes) else ordered((*axes, *term.axes), axes)
    if not term.axes:
        return term
    if set(term.axes) == set(wanted):
        return Term(spread(term, wanted), wanted, tuple(term.length(axis) for axis in wanted))
    if like is not None and not term.named and fits(term.shape, tuple(lengths)):
        code = called("np.reshape", term.code, ast.Attribute(like, "shape"))
        return Term(code, tuple(axes), tuple(lengths))  # a vector, where the left side is a column
    known = dict(zip(axes, lengths, strict=False))
    shape = tuple(term.length(axis) if axis in term.axes else known[axis] for axis in wanted)
    code = spread(term, wanted)
    lacking = [axis for axis in wanted if axis not in term.axes and known.get(axis, 1) > 1]
    if lacking:
        size = (
            ast.Attribute(like, "shape")
            if like is not None and shape == tuple(lengths)
            else ast.Tuple([ast.Constant(n) for n in shape])
        )
        code = called("np.broadcast_to", code, size)
    return Term(code, wanted, shape)


def finished(code: ast.expr) -> ast.expr:
    """An expression as Python's own parser would give it: with contexts and places.

    >>> finished(ast.Name("x")).ctx.__class__.__name__
    'Load'
    """
    for part in ast.walk(code):
        if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple)):
            part.ctx = ast.Load()
    return ast.fix_missing_locations(code)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a recorded value."""
    return tuple(int(n) for n in np.shape(value))
