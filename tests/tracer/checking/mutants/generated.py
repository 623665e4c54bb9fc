"""Mutants made by a seeded walk over the syntax trees of the right derivations: one small edit each, its kinds known.

A sign turned, a term dropped or doubled, a factor, an exponent, a sum, an axis, a transpose, a name or a step swapped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from copy import copy

import numpy as np

from tests.tracer.checking.mutants.derivations import RIGHT
from tests.tracer.checking.mutants.mutant import Mutant, kinds
from tests.tracer.checking.mutants.networks import traced
from tracer.checking.derivations.latex import is_latex

EACH = 9
"""Mutants of one derivation."""
Edit = tuple[str, ast.expr, str]
"""What is done, in a word; the expression with the edit in it; the kinds of cause, separated by |."""

SIZES = {"m", "n", "N", "T"}
EPSILONS = {"eps", "1e-05"}
WHOLE = {"negated", "doubled", "halved", "scaled"}
"""Edits of a whole line: the easiest to name, so each is made once in a derivation; the others twice."""


def generated(seed: int) -> tuple[Mutant, ...]:
    """Mutants of every derivation, no more than one or two of one sort in each."""
    rng = np.random.default_rng(seed)
    return tuple(
        mutant for name in RIGHT if not is_latex(RIGHT[name].text) for mutant in _of(name, rng)
    )


def _of(name: str, rng: np.random.Generator) -> Iterator[Mutant]:
    """The mutants of one derivation."""
    text, network = RIGHT[name].text, traced(RIGHT[name].network)
    shapes = {
        label.replace("#", "_"): np.shape(network.value(k))
        for k, label in enumerate(network.labels)
        if network.names[k] and np.ndim(network.value(k))
    }
    made: dict[str, int] = {}
    found: list[Mutant] = []
    candidates = [
        (sort, line, edited, words)
        for statement in _gradients(text)
        for line, sort, edited, words in _edited(statement, text, _Walk(name, shapes))
    ]
    for k in rng.permutation(len(candidates)):
        sort, line, edited, words = candidates[k]
        often = 1 if sort in WHOLE else 2
        if made.get(sort, 0) < often and text.count(line) == 1 and len(found) < EACH:
            made[sort] = made.get(sort, 0) + 1
            found.append(Mutant(name, line, edited, kinds(words)))
    yield from found


def _gradients(text: str) -> Iterator[ast.Assign | ast.AugAssign]:
    """The statements that give a gradient, or something that leads to one."""
    for node in ast.walk(ast.parse(text.replace("#", "_"))):
        if isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            about = ast.unparse(target).startswith("d") and len(ast.unparse(target)) > 1
            if about and "zeros" not in ast.unparse(node.value):
                yield node


def _edited(
    statement: ast.Assign | ast.AugAssign, text: str, walk: _Walk
) -> Iterator[tuple[str, str, str, str]]:
    """Every edit of a statement: its line as it stands, the sort of edit, the line with it, the kinds."""
    line = text.splitlines(keepends=True)[statement.lineno - 1]
    indent = line[: len(line) - len(line.lstrip())]
    for sort, expression, words in (*_whole(statement.value), *walk.edits(statement.value)):
        other = copy(statement)
        other.value = expression
        written = re.sub(r"_(?=\d)", "#", ast.unparse(ast.fix_missing_locations(other)))
        yield line, sort, f"{indent}{written}\n", words


def _whole(value: ast.expr) -> Iterator[Edit]:
    """Edits of a right-hand side as a whole; it may be that of a helper, and so a whole path."""
    yield "negated", ast.UnaryOp(ast.USub(), value), "sign"
    yield (
        "doubled",
        ast.BinOp(ast.Constant(2), ast.Mult(), value),
        "two | scaled path | doubled path",
    )
    yield "halved", ast.BinOp(value, ast.Div(), ast.Constant(2)), "two | scaled path"
    yield "scaled", ast.BinOp(ast.Constant(1.7), ast.Mult(), value), "factor | scaled path"


class _Walk:
    """The walk over one derivation's expressions. shapes: of the recorded values, by name."""

    def __init__(self, derivation: str, shapes: dict[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.missing = "missing path | softmax" if "jacobian" in derivation else "missing path"
        self.unsummed = "sum | softmax" if "jacobian" in derivation else "sum"
        if "rnn" in derivation:
            self.missing = "missing path | truncated"

    def edits(self, e: ast.expr) -> Iterator[Edit]:
        """Every edit of an expression: of itself, and of its parts."""
        yield from self.here(e)
        match e:
            case ast.BinOp():
                parts = ["left", "right"]
            case ast.UnaryOp():
                parts = ["operand"]
            case ast.Attribute(attr="T"):
                parts = ["value"]
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"))):
                for k, part in enumerate(e.args):
                    for sort, new, words in self.edits(part):
                        other = copy(e)
                        other.args = [*e.args[:k], new, *e.args[k + 1 :]]
                        yield sort, other, words
                return
            case _:
                return
        for part in parts:
            for sort, new, words in self.edits(getattr(e, part)):
                other = copy(e)
                setattr(other, part, new)
                if not _nothing(other):
                    yield sort, other, words

    def here(self, e: ast.expr) -> Iterator[Edit]:
        """Edits of the outermost part of an expression."""
        match e:
            case ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=b):
                yield from self.sums(a, op, b)
            case ast.BinOp(left=a, op=ast.Mult(), right=b):
                yield from self.products(a, b)
            case ast.BinOp(left=a, op=ast.Div(), right=b):
                yield from self.quotients(a, b)
            case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=2)):
                yield "exponent", a, "exponent | missing factor"
                cubed = ast.BinOp(a, ast.Pow(), ast.Constant(3))
                yield "exponent", cubed, "exponent | extra factor"
            case ast.BinOp(left=a, op=ast.Pow(), right=power):
                yield (
                    "exponent",
                    ast.BinOp(a, ast.Pow(), ast.UnaryOp(ast.USub(), power)),
                    "exponent",
                )
            case ast.BinOp(left=ast.Attribute(value=a, attr="T"), op=ast.MatMult(), right=b):
                turned = ast.BinOp(ast.Attribute(b, "T"), ast.MatMult(), a)
                yield "transposed", turned, "transposed"
            case ast.UnaryOp(op=ast.USub(), operand=a) if not isinstance(a, ast.Constant):
                yield "sign of a term", a, "sign"
            case ast.Call(func=ast.Attribute(attr="sum" | "mean")):
                yield from self.reductions(e)
            case ast.Name(id=name) if name in self.shapes:
                yield from self.names(name)
            case ast.Subscript(value=ast.Name(id="h") as a, slice=ast.Name(id="t")):
                yield "step", ast.Subscript(a, ast.Name("t - 1")), "shift"
            case ast.Subscript(value=ast.Name() as a, slice=ast.BinOp(left=ast.Name(id="t"))):
                yield "step", ast.Subscript(a, ast.Name("t")), "shift"

    def sums(self, a: ast.expr, op: ast.operator, b: ast.expr) -> Iterator[Edit]:
        """Edits of a sum or difference."""
        if ast.unparse(b) in EPSILONS:
            yield "epsilon", a, "epsilon"
            return
        turned = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
        yield "sign of a term", ast.BinOp(a, turned, b), "sign"
        if _constant(a) or _constant(b):
            return
        if isinstance(a, ast.Name) and isinstance(b, ast.Name) and isinstance(op, ast.Sub):
            yield "turned round", ast.BinOp(b, op, a), "sign"
            return
        yield "term dropped", a, self.missing
        if isinstance(op, ast.Add):
            yield "term dropped", b, self.missing
        twice = ast.BinOp(ast.Constant(2), ast.Mult(), b)
        yield "term doubled", ast.BinOp(a, op, twice), "doubled path | two | scaled path"

    def products(self, a: ast.expr, b: ast.expr) -> Iterator[Edit]:
        """Edits of a product: a factor left out."""
        for left_out, rest in ((b, a), (a, b)):
            written = ast.unparse(left_out)
            if _gradient(left_out) or "ones" in written or "target" in written or written in SIZES:
                continue
            if written == "2":
                yield "factor 2 dropped", rest, "two | scaled path"
            elif isinstance(left_out, ast.Compare):
                yield "factor dropped", rest, "mask"
            elif written == "mask":
                yield "factor dropped", rest, "mask | missing factor"
            elif not _constant(left_out):
                yield "factor dropped", rest, "missing factor"
        if isinstance(b, ast.Name) and b.id in self.shapes:
            inverse = "exponent | missing factor | wrong factor"
            yield "divided", ast.BinOp(a, ast.Div(), b), inverse

    def quotients(self, a: ast.expr, b: ast.expr) -> Iterator[Edit]:
        """Edits of a quotient: a divisor left out, or wrong."""
        written = ast.unparse(b)
        of_size = "size" in written or written in SIZES
        if of_size:
            yield "size dropped", a, "size | scaled path"
            less = ast.BinOp(b, ast.Sub(), ast.Constant(1))
            yield "size less one", ast.BinOp(a, ast.Div(), less), "bessel | size | scaled path"
        elif written == "np.sqrt(d)":
            yield "divisor dropped", a, "missing factor | factor | size"
        elif not _constant(b) and not _constant(a):
            yield "divisor dropped", a, "missing factor"
        if isinstance(b, ast.Call) and ast.unparse(b.func) == "np.sqrt":
            words = "exponent | factor | size" if written == "np.sqrt(d)" else "exponent"
            yield "root dropped", ast.BinOp(a, ast.Div(), b.args[0]), words

    def reductions(self, e: ast.Call) -> Iterator[Edit]:
        """Edits of a sum or mean over axes."""
        assert isinstance(e.func, ast.Attribute)
        inner = e.args[0] if ast.unparse(e.func.value) == "np" else e.func.value
        yield "sum dropped", inner, self.unsummed
        other = copy(e)
        attr = "mean" if e.func.attr == "sum" else "sum"
        other.func = ast.Attribute(e.func.value, attr)
        yield "sum or mean", other, "sum | size | scaled path"
        for k, keyword in enumerate(e.keywords):
            if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
                moved = copy(e)
                axis = ast.keyword("axis", ast.Constant(1 - min(keyword.value.value, 1)))
                moved.keywords = [*e.keywords[:k], axis, *e.keywords[k + 1 :]]
                yield "axis", moved, "sum"

    def names(self, name: str) -> Iterator[Edit]:
        """Another recorded value of the same shape in place of one; a neighbour in time is a shift."""
        stem, _, step = name.rpartition("_")
        for other, shape in self.shapes.items():
            if other == name or shape != self.shapes[name] or (step.isdigit() and "_" not in other):
                continue
            neighbour = bool(stem) and other.rpartition("_")[0] == stem
            words = "shift | wrong factor" if neighbour else "wrong factor"
            yield "step" if neighbour else "name", ast.Name(other), words


def _nothing(e: ast.expr) -> bool:
    """Whether an expression takes something from itself."""
    match e:
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            return ast.unparse(a) == ast.unparse(b)
    return False


def _gradient(e: ast.expr) -> bool:
    """Whether an expression holds a gradient."""
    names = (part.id for part in ast.walk(e) if isinstance(part, ast.Name))
    return any(
        (name.startswith("d") and len(name) > 1) or name in {"g", "G", "H"} for name in names
    )


def _constant(e: ast.expr) -> bool:
    """Whether an expression is made of numbers alone."""
    return not any(isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(e))
