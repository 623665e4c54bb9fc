"""The walk over the syntax tree of an expression: what is not listed is refused, the rest becomes closures.

What the words do stands in `tracer.operators` and `tracer.vocabulary`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from tracer import operators, vocabulary
from tracer.errors import ConditionError
from tracer.operators import truth
from tracer.spelling import spelled, unspelled
from tracer.vocabulary import ATTRIBUTES, CONSTANTS, FUNCTIONS

DEEPEST = 40
"""Brackets, signs and operators inside one another."""
LONGEST_SHAPE = 64
"""Entries of a shape such as (32, 64); numpy's own limit of axes."""

Numbers = Callable[[str, str], Any]
"""Where an expression finds its numbers: by the name of a node (empty: the one in question), and one of QUANTITIES.

Raises `AbsentError`, with the reason, for a number that is not there (yet).
"""
Reading = Callable[[Numbers], Any]
"""A text that has been read: from numbers to what the text says of them."""

QUANTITIES = ("value", "grad", "it")
"""`it` is the number that has just come: the value when a node has run, the gradient when it is final."""
OWN = (*QUANTITIES, "shape", "size", "ndim", "dtype")
"""The words about the node in question."""
MODULES = ("np", "numpy")
WORDS = (
    f"{' '.join(QUANTITIES)}; names of nodes, with .value or .grad; {' '.join(ATTRIBUTES)}; {' '.join(FUNCTIONS)}; "
    "and or not & | ~; < <= > >= == !=; + - * / // % ** @; numbers; elements such as value[0, 1]"
)
HINT = "nan(value), or norm(grad) < 1e-8"


def refusal(text: str, what: str, hint: str, span: tuple[int, int]) -> ConditionError:
    """The error that shows the text with a mark under the place."""
    first, last = span
    mark = " " * first + "^" * max(1, last - first)
    return ConditionError(
        f"expression {text!r}: {what}\n    {text}\n    {mark}\n  words: {WORDS}\n  try: {hint or HINT}"
    )


def meant(close: list[str]) -> str:
    """The question after a word that does not exist, where another one is close."""
    return f": did you mean {close[0]}?" if close else ""


class Reader:
    """One walk over one text. Raises `ConditionError` for what is not listed.

    reading: the text as a function of numbers. uses: the (node, quantity) pairs that it asks for. spans: where in the
    text each node is named.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.uses: set[tuple[str, str]] = set()
        self.spans: dict[str, tuple[int, int]] = {}
        self._spelled = spelled(text)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python warns of `1is 2`; we refuse it
                tree = ast.parse(self._spelled, mode="eval")
        except SyntaxError as error:
            at = max((error.offset or 1) - 1, 0)
            raise refusal(text, "this is not an expression", "", (at, at + 1)) from None
        except (ValueError, MemoryError, RecursionError):
            raise refusal(text, "this cannot be read", "", (0, 1)) from None
        self.reading = self.read(tree.body, 1)

    def refusal(self, what: str, node: ast.AST, hint: str = "") -> ConditionError:
        """The error about a part of the text."""
        return refusal(self.text, what, hint, self.span(node))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Characters of a node; `ast` counts bytes."""
        raw = self._spelled.encode("utf-8", "surrogatepass")
        ends = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
        first, last = (len(raw[:end].decode("utf-8", "replace")) for end in ends)
        return first, last

    def read(self, node: ast.expr, depth: int) -> Reading:
        """The reading of one part; `depth` counts what it stands inside of."""
        if depth > DEEPEST:
            raise self.refusal(
                f"more than {DEEPEST} brackets or operators inside one another", node
            )
        match node:
            case ast.Name():
                return self.word(node)
            case ast.Attribute():
                return self.attribute(node, depth)
            case ast.Constant():
                return self.constant(node)
            case ast.Call():
                return self.call(node, depth)
            case ast.UnaryOp():
                return self.unary(node, depth)
            case ast.BinOp():
                return self.binary(node, depth)
            case ast.Compare():
                return self.compare(node, depth)
            case ast.BoolOp():
                parts = [self.read(part, depth + 1) for part in node.values]
                join = all if isinstance(node.op, ast.And) else any
                return lambda numbers: join(truth(part(numbers)) for part in parts)
            case ast.Subscript():
                return self.element(node, depth)
            case ast.Tuple() if len(node.elts) <= LONGEST_SHAPE:
                return _always(tuple(self.integer(part) for part in node.elts))
        raise self.refusal("this is not a word of expressions", node)

    # ----- names

    def word(self, node: ast.Name) -> Reading:
        """A word about the node in question, or the name of a node, which stands for its value."""
        name = unspelled(node.id)
        if name in ("inf", "pi"):
            return _always(CONSTANTS[name])
        if name in QUANTITIES:
            return self.quantity("", name, node)
        if name in OWN:
            return _then(ATTRIBUTES[name], self.quantity("", "value", node))
        if name in ("nan", "zero"):
            raise self.refusal(f"{name} is a function", node, f"{name}(value)")
        return self.quantity(name, "value", node)

    def quantity(self, name: str, which: str, node: ast.AST) -> Reading:
        """The value or gradient of a node."""
        self.uses.add((name, which))
        if name:
            self.spans.setdefault(name, self.span(node))
        return lambda numbers: numbers(name, which)

    def attribute(self, node: ast.Attribute, depth: int) -> Reading:
        """`w.grad`, `w.T`, `np.inf`, or a name with dots in it."""
        last, path = node.attr, _path(node)
        if path[:1] and path[0] in MODULES:
            if len(path) == 2 and last in CONSTANTS:
                return _always(CONSTANTS[last])
            near = get_close_matches(last, (*FUNCTIONS, *CONSTANTS), n=1)
            raise self.refusal(f"there is no {'.'.join(path)}" + meant(near), node, "".join(near))
        if last in ATTRIBUTES:
            return _then(ATTRIBUTES[last], self.read(node.value, depth + 1))
        if last in ("value", "grad"):
            name = self.node_name(node.value)
            if not name:
                raise self.refusal(f"only a node has .{last}", node, f"xhat.{last}")
            return self.quantity(name, last, node)
        if path and path[0] not in OWN:
            return self.quantity(".".join(path), "value", node)
        near = get_close_matches(last, (*ATTRIBUTES, *FUNCTIONS), n=1)
        what = f"nothing here has an attribute {last!r}{meant(near)}"
        raise self.refusal(what, node, "".join(near))

    def node_name(self, node: ast.expr) -> str:
        """The name of a node as written: `w`, `layers.0.weight`, `node("w")`; empty for anything else."""
        match node:
            case ast.Call(func=ast.Name(id="node"), args=[ast.Constant(value=str() as name)]):
                return name
        path = _path(node)
        plain = path and path[0] not in OWN and path[-1] not in (*ATTRIBUTES, *QUANTITIES)
        return ".".join(path) if plain else ""

    # ----- numbers

    def constant(self, node: ast.Constant) -> Reading:
        """A number, kept as a float so that no power grows without end; a word such as 'float32'."""
        if type(node.value) in (bool, str):
            return _always(node.value)
        if type(node.value) not in (int, float):
            raise self.refusal("only numbers stand here", node)
        try:
            return _always(float(node.value))  # type: ignore[arg-type]
        except OverflowError:
            raise self.refusal("this number is too large", node) from None

    def integer(self, node: ast.expr) -> int:
        """A written integer, perhaps with a minus sign."""
        match node:
            case ast.Constant(value=int() as number) if type(number) is int and number < 2**62:
                return number
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)) if (
                type(number) is int and number < 2**62
            ):
                return -number
        raise self.refusal("a whole number stands here", node, "shape == (32, 64)")

    # ----- functions

    def call(self, node: ast.Call, depth: int) -> Reading:
        """`norm(x, axis=0)`, `np.norm(x)`, `x.sum(0)`, `node("a name")`."""
        name = self.node_name(node)
        if name:
            return self.quantity(name, "value", node)
        name, subject = self.function(node)
        wanted = FUNCTIONS[name]
        given = [*subject, *node.args]
        operands, free = given[: len(wanted.takes)], given[len(wanted.takes) :]
        fits = len(operands) == len(wanted.takes) and len(free) <= wanted.free
        named = [each.arg for each in node.keywords]
        if (
            not fits
            or not set(named) <= {*wanted.options[len(free) :]}
            or len(set(named)) < len(named)
            or any(isinstance(each, ast.Starred) for each in given)
        ):
            raise self.refusal(f"{name} is written {wanted.usage(name)}", node, wanted.usage(name))
        options = dict(zip(wanted.options, free, strict=False))
        options |= {str(each.arg): each.value for each in node.keywords}
        settings = {key: self.option(key, each) for key, each in options.items()}
        parts = [self.read(each, depth + 1) for each in operands]
        return lambda numbers: vocabulary.call(name, [part(numbers) for part in parts], settings)

    def function(self, node: ast.Call) -> tuple[str, list[ast.expr]]:
        """The name of the function that is called, and what stands before the dot of a method."""
        called, subject = node.func, list[ast.expr]()
        path = _path(called)
        if not isinstance(called, (ast.Name, ast.Attribute)):
            raise self.refusal("this cannot be called", called)
        if isinstance(called, ast.Attribute) and (not path or path[0] not in MODULES):
            subject = [called.value]
        elif len(path) > 1 and path[1:-1] not in ([], ["linalg"]):
            raise self.refusal(f"there is no {'.'.join(path)}", called)
        name = called.attr if isinstance(called, ast.Attribute) else called.id
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, n=1)
            raise self.refusal(f"there is no function {name!r}{meant(near)}", called, "".join(near))
        return name, subject

    def option(self, name: str, node: ast.expr) -> Any:
        """What follows by name: axis, keepdims, ddof, decimals."""
        match node:
            case ast.Constant(value=bool() as truth) if name == "keepdims":
                return truth
            case ast.Constant(value=None) if name == "axis":
                return None
            case ast.Tuple() if name == "axis" and len(node.elts) <= LONGEST_SHAPE:
                return tuple(self.integer(part) for part in node.elts)
        if name == "keepdims":
            raise self.refusal("keepdims is True or False", node, "keepdims=True")
        return self.integer(node)

    # ----- operators

    def unary(self, node: ast.UnaryOp, depth: int) -> Reading:
        """A sign, `not`, or `~` on truths."""
        inner = self.read(node.operand, depth + 1)
        match node.op:
            case ast.Not():
                return lambda numbers: not truth(inner(numbers))
            case ast.USub():
                return lambda numbers: -operators.number(inner(numbers))
            case ast.Invert():
                return lambda numbers: operators.opposite(inner(numbers))
        return _then(operators.number, inner)

    def binary(self, node: ast.BinOp, depth: int) -> Reading:
        """Arithmetic, with numpy's rules: nothing raises, and 1/0 is inf."""
        sign = type(node.op)
        if sign not in (*operators.ARITHMETIC, *operators.MASKS, ast.MatMult):
            raise self.refusal("this operator is not a word of expressions", node)
        left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        if sign is ast.MatMult:
            return lambda numbers: operators.product(left(numbers), right(numbers))
        return lambda numbers: operators.combine(sign, left(numbers), right(numbers))

    def compare(self, node: ast.Compare, depth: int) -> Reading:
        """One comparison, or a chain of them, element by element."""
        signs = [type(each) for each in node.ops]
        if not set(signs) <= operators.COMPARISONS.keys():
            raise self.refusal("this comparison is not a word of expressions", node)
        sides = [self.read(side, depth + 1) for side in (node.left, *node.comparators)]

        def reading(numbers: Numbers) -> Any:
            terms = [side(numbers) for side in sides]
            pairs = zip(signs, terms, terms[1:], strict=False)
            found = [operators.compare(*pair) for pair in pairs]
            return found[0] if len(found) == 1 else operators.all_of(found)

        return reading

    # ----- elements

    def element(self, node: ast.Subscript, depth: int) -> Reading:
        """Elements at whole numbers, slices and masks."""
        inner = self.read(node.value, depth + 1)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        places = [self.place(part, depth + 1) for part in parts]
        words = self.text[slice(*self.span(node.slice))]

        def reading(numbers: Numbers) -> Any:
            return operators.pick(inner(numbers), tuple(at(numbers) for at in places), words)

        return reading

    def place(self, node: ast.expr, depth: int) -> Reading:
        """One entry of an index."""
        match node:
            case ast.Slice():
                ends = [
                    _always(None) if end is None else self.read(end, depth + 1)
                    for end in (node.lower, node.upper, node.step)
                ]
                return lambda numbers: slice(*(end(numbers) for end in ends))
            case ast.Constant() if node.value is None or node.value is Ellipsis:
                return _always(node.value)
            case ast.Constant() if type(node.value) is not int:
                raise self.refusal("an index is a whole number or a slice", node, "value[0, -1]")
        return self.read(node, depth + 1)


def _always(answer: Any) -> Reading:
    return lambda numbers: answer


def _then(work: Callable[[Any], Any], inner: Reading) -> Reading:
    return lambda numbers: work(inner(numbers))


def _path(node: ast.expr) -> list[str]:
    """The names of `a.b.c`, empty for what is no such chain."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(unspelled(node.attr))
        node = node.value
    return [unspelled(node.id), *reversed(names)] if isinstance(node, ast.Name) else []
