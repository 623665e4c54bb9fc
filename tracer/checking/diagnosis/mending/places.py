"""The parts of an expression at which something can be changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

MODULES = ("np", "numpy")


@dataclass(frozen=True, eq=False)
class Place:
    """A part of an expression that stands for numbers, and the part around it; None around the whole."""

    part: ast.expr
    around: ast.expr | None

    @property
    def is_product(self) -> bool:
        """Whether it is the whole of a product or quotient, and not a factor of a larger one."""
        if isinstance(self.part, ast.Compare):
            return False
        match self.around:
            case ast.BinOp(left=left, op=ast.Mult()) if left is not None:
                return False
            case ast.BinOp(left=left, op=ast.Div() | ast.Pow()):
                return False
            case ast.UnaryOp(op=ast.USub()) | ast.Compare():
                return False
        return True

    @property
    def is_sum(self) -> bool:
        """Whether it is the whole of a sum, and not a term of a larger one."""
        match self.around:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return False
        return True


def places(tree: ast.expr) -> list[Place]:
    """All parts that stand for numbers, the whole first, then inwards; indices and keywords are none."""
    found: list[Place] = []
    layer: list[Place] = [Place(tree, None)]
    while layer:
        found += layer
        layer = [Place(inner, place.part) for place in layer for inner in _inside(place.part)]
    return found


def _inside(part: ast.expr) -> Iterator[ast.expr]:
    match part:
        case ast.BinOp(left=left, op=ast.Pow(), right=right) if number_of(right) is not None:
            yield left
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Compare(left=left, comparators=comparators):
            yield from (left, *comparators)
        case ast.Subscript(value=value):
            yield value
        case ast.Attribute(value=ast.Name(id=name)) if name in MODULES:
            return
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Call(func=func, args=args):
            if isinstance(func, ast.Attribute) and not is_module(func.value):
                yield func.value
                return
            for argument in args:
                if isinstance(argument, (ast.Tuple, ast.List)):
                    yield from argument.elts
                elif not isinstance(argument, ast.Constant):
                    yield argument


def is_module(part: ast.expr) -> bool:
    """Whether a name is numpy's."""
    return isinstance(part, ast.Name) and part.id in MODULES


def called(part: ast.expr) -> tuple[str, ast.expr] | None:
    """The name of the function and its first argument: `sum` and x for `x.sum(0)` and `np.sum(x, 0)`."""
    match part:
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args):
            if not is_module(value):
                return name, value
            return (name, args[0]) if args else None
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            return name, first
    return None


def number_of(part: ast.expr) -> float | None:
    """A number written out: `2`, `-0.5`, `-3/2`, `(1/2)`; None for anything else."""
    match part:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found = number_of(inner)
            return None if found is None else -found
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = number_of(left), number_of(right)
            return None if above is None or not below else above / below
    return None


def constant(value: float) -> ast.expr:
    """A number as code: `2`, `-0.5`."""
    if value < 0:
        return ast.UnaryOp(ast.USub(), constant(-value))
    return ast.Constant(int(value) if value == int(value) else value)


def constant_like(part: ast.expr, value: float) -> ast.expr:
    """A number as code, as a fraction where the number in its place is one: `-3/2`."""
    halves = 2 * value
    fraction = any(isinstance(inner, ast.BinOp) for inner in ast.walk(part))
    if fraction and halves == int(halves) and halves % 2:
        return ast.BinOp(constant(halves), ast.Div(), constant(2))
    return constant(value)


def named(name: str) -> ast.expr:
    """A name as code."""
    return ast.Name(name, ast.Load())


def times(a: ast.expr, b: ast.expr) -> ast.expr:
    """`a * b` as code."""
    return ast.BinOp(a, ast.Mult(), b)


def over(a: ast.expr, b: ast.expr) -> ast.expr:
    """`a / b` as code."""
    return ast.BinOp(a, ast.Div(), b)


def plus(a: ast.expr, b: ast.expr) -> ast.expr:
    """`a + b` as code."""
    return ast.BinOp(a, ast.Add(), b)


def minus(a: ast.expr, b: ast.expr) -> ast.expr:
    """`a - b` as code."""
    return ast.BinOp(a, ast.Sub(), b)


def power(a: ast.expr, exponent: float) -> ast.expr:
    """`a ** exponent` as code."""
    return ast.BinOp(a, ast.Pow(), constant(exponent))


def negative(a: ast.expr) -> ast.expr:
    """`-a` as code; `a` of `-a`."""
    if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
        return a.operand
    return ast.UnaryOp(ast.USub(), a)


def call(name: str, *args: ast.expr) -> ast.expr:
    """`np.name(args)` as code."""
    return ast.Call(ast.Attribute(named("np"), name, ast.Load()), list(args), [])


def method(subject: ast.expr, name: str, *args: ast.expr, **keywords: ast.expr) -> ast.expr:
    """`subject.name(args)` as code."""
    spelled = [ast.keyword(key, value) for key, value in keywords.items()]
    return ast.Call(ast.Attribute(subject, name, ast.Load()), list(args), spelled)
