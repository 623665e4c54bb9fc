"""How the text of a condition or watch is read: a list of allowed words, and a walk over the syntax tree.

Two names, the value and the gradient of a node, a dozen functions, numbers, arithmetic and comparisons, written as
Python writes them. A text is read once, into a function of numbers; it is never handed to Python to run.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np

from ops.primitive import Array
from tracer.errors import ConditionError

LONGEST = 500
"""Characters in a condition."""
DEEPEST = 40
"""Brackets, signs and operators inside one another."""


class Numbers(NamedTuple):
    """What a condition is asked about: the value of a node and its gradient, None where there is none (yet)."""

    value: Array | None
    grad: Array | None


Reading = Callable[[Numbers], Any]
"""A text that has been read: from the numbers of a node to what the text says of them."""


class AbsentError(Exception):
    """A number that the text asks for is not there: a gradient that nothing has reached, an element out of range."""


# ----- what may be written


def _number(x: Any) -> Any:
    """Truths and integers as floats, so that arithmetic neither overflows nor raises."""
    if not hasattr(x, "dtype"):
        return float(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _flat(x: Any) -> Array:
    return np.asarray(x, dtype=np.float64).ravel()


def _root_mean_square(x: Any, count: int) -> float:
    """√(Σ x² / count). The largest element is taken out first where its square would overflow or vanish."""
    flat = _flat(x)
    plain = math.sqrt(np.dot(flat, flat) / count)
    if 1e-150 < plain < math.inf or not flat.size:
        return plain
    top = float(np.max(np.abs(flat)))
    if top == 0 or not math.isfinite(top):
        return plain
    return top * math.sqrt(np.dot(flat / top, flat / top) / count)


def _over(reduce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A reduction that gives NaN, which compares false with everything, where there is no element."""
    return lambda x: reduce(x) if np.size(x) else np.nan


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "nan": lambda x: bool(np.isnan(x).any()),
    "inf": lambda x: bool(np.isinf(x).any()),
    "zero": lambda x: bool((np.asarray(x) == 0).any()),
    "norm": lambda x: _root_mean_square(x, 1),
    "rms": _over(lambda x: _root_mean_square(x, np.size(x))),
    "max": _over(np.max),
    "min": _over(np.min),
    "mean": _over(lambda x: np.mean(x, dtype=np.float64)),
    "sum": lambda x: np.sum(x, dtype=np.float64),
    "abs": lambda x: np.abs(_number(x)),
    "any": lambda x: bool(np.any(x)),
    "all": lambda x: bool(np.all(x)),
}
"""The functions, each of one argument. `nan inf zero` ask whether any element is; `abs` works element by element."""

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.remainder,
    ast.Pow: np.float_power,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
NAMES = Numbers._fields
WORDS = (
    f"{' '.join(NAMES)}; {' '.join(FUNCTIONS)}; and or not; < <= > >= == !=; + - * / // % **; "
    "numbers; elements such as value[0, 1]"
)


def truth(x: Any) -> bool:
    """One truth out of what an expression gives: of an array, one true element is enough."""
    return bool(x.any()) if isinstance(x, np.ndarray) else bool(x)


# ----- reading


@lru_cache(maxsize=256)
def read(text: str) -> tuple[Reading, frozenset[str]]:
    """A text as a function of numbers, and which of the names it uses.

    Raises `ConditionError` that names the text, the place in it, and the words there are.
    """
    clean = " ".join(text.split())
    if not clean:
        raise ConditionError(f"an empty condition\n  words: {WORDS}\n  try: nan(value)")
    if len(clean) > LONGEST:
        raise ConditionError(
            f"a condition of {len(clean)} characters begins {clean[:40]!r}; at most {LONGEST} are read\n"
            f"  try: several breakpoints, one for each part"
        )
    reader = _Reader(clean)
    return reader.reading, frozenset(reader.names)


class _Reader:
    """Walks a syntax tree once, refusing what is not listed and building closures for the rest."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python warns of `1is 2`; we refuse it
                tree = ast.parse(text, mode="eval")
        except SyntaxError as error:
            raise self.refusal("this is not an expression", (error.offset or 1) - 1) from None
        except (ValueError, MemoryError, RecursionError):
            raise self.refusal("this cannot be read", 0) from None
        self.reading = self.expression(tree.body, 1)

    def refusal(self, what: str, at: ast.AST | int, hint: str = "") -> ConditionError:
        """The error that shows the text with a mark under the place."""
        first, last = (at, at + 1) if isinstance(at, int) else self._span(at)
        mark = " " * first + "^" * max(1, last - first)
        advice = f"\n  try: {hint}" if hint else "\n  try: nan(value), or norm(grad) < 1e-8"
        return ConditionError(
            f"condition {self.text!r}: {what}\n    {self.text}\n    {mark}\n  words: {WORDS}{advice}"
        )

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """Characters of a node; `ast` counts bytes."""
        raw = self.text.encode("utf-8", "surrogatepass")
        ends = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0) or 0
        first, last = (len(raw[:end].decode("utf-8", "replace")) for end in ends)
        return first, last

    def expression(self, node: ast.expr, depth: int) -> Reading:
        """The reading of one expression; `depth` counts what it stands inside of."""
        if depth > DEEPEST:
            raise self.refusal(
                f"more than {DEEPEST} brackets or operators inside one another", node
            )
        match node:
            case ast.Name():
                return self.name(node)
            case ast.Constant():
                return self.constant(node)
            case ast.Call():
                return self.call(node, depth)
            case ast.UnaryOp():
                return self.unary(node, depth)
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                return self.binary(node, depth)
            case ast.Compare():
                return self.compare(node, depth)
            case ast.BoolOp():
                parts = [self.expression(part, depth + 1) for part in node.values]
                join = all if isinstance(node.op, ast.And) else any
                return lambda numbers: join(truth(part(numbers)) for part in parts)
            case ast.Subscript():
                return self.element(node, depth)
            case ast.Attribute():
                raise self.refusal(f"nothing here has an attribute {node.attr!r}", node)
        raise self.refusal("this is not a word of conditions", node)

    def name(self, node: ast.Name) -> Reading:
        """`value` or `grad`."""
        if node.id in FUNCTIONS:
            raise self.refusal(f"{node.id} is a function", node, f"{node.id}(value)")
        if node.id not in NAMES:
            near = get_close_matches(node.id, (*NAMES, *FUNCTIONS), n=1) or ["value or grad"]
            raise self.refusal(f"{node.id!r} is not a word of conditions", node, near[0])
        self.names.add(node.id)
        fetch = cast("Reading", operator.attrgetter(node.id))
        word = "no gradient" if node.id == "grad" else "no value"

        def present(numbers: Numbers) -> Any:
            found = fetch(numbers)
            if found is None:
                raise AbsentError(word)
            return found

        return present

    def constant(self, node: ast.Constant) -> Reading:
        """A number, kept as a float so that no power grows without end."""
        if type(node.value) is bool:
            answer = node.value
            return lambda numbers: answer
        if type(node.value) not in (int, float):
            raise self.refusal("only numbers stand here", node)
        try:
            number = float(cast(float, node.value))
        except OverflowError:
            raise self.refusal("this number is too large", node) from None
        return lambda numbers: number

    def call(self, node: ast.Call, depth: int) -> Reading:
        """A function of one argument."""
        if not isinstance(node.func, ast.Name):
            raise self.refusal("this cannot be called", node.func)
        name = node.func.id
        function = FUNCTIONS.get(name)
        if function is None:
            near = get_close_matches(name, FUNCTIONS, n=1)
            raise self.refusal(f"there is no function {name!r}", node.func, near[0] if near else "")
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            raise self.refusal(f"{name} takes one argument", node, f"{name}(value)")
        inner = self.expression(node.args[0], depth + 1)
        return lambda numbers: function(inner(numbers))

    def unary(self, node: ast.UnaryOp, depth: int) -> Reading:
        """A sign, or `not`."""
        inner = self.expression(node.operand, depth + 1)
        match node.op:
            case ast.Not():
                return lambda numbers: not truth(inner(numbers))
            case ast.USub():
                return lambda numbers: -_number(inner(numbers))
            case ast.UAdd():
                return inner
        raise self.refusal("this sign is not a word of conditions", node)

    def binary(self, node: ast.BinOp, depth: int) -> Reading:
        """Arithmetic, with numpy's rules: nothing raises, and 1/0 is inf."""
        left = self.expression(node.left, depth + 1)
        right = self.expression(node.right, depth + 1)
        combine = ARITHMETIC[type(node.op)]

        def reading(numbers: Numbers) -> Any:
            x, y = _number(left(numbers)), _number(right(numbers))
            try:
                found = combine(x, y)
            except ValueError:
                raise AbsentError(_unfit(x, y)) from None
            # two numbers give a number again: a numpy scalar would raise float32 arrays to float64
            return float(found) if type(x) is type(y) is float else found

        return reading

    def compare(self, node: ast.Compare, depth: int) -> Reading:
        """One comparison, or a chain of them, element by element."""
        for each in node.ops:
            if type(each) not in COMPARISONS:
                raise self.refusal("this comparison is not a word of conditions", node)
        sides = [self.expression(side, depth + 1) for side in (node.left, *node.comparators)]
        signs = [COMPARISONS[type(each)] for each in node.ops]

        def reading(numbers: Numbers) -> Any:
            terms = [side(numbers) for side in sides]
            found: Any = True
            for k, sign in enumerate(signs):
                x, y = terms[k], terms[k + 1]
                try:
                    found = sign(x, y) if k == 0 else np.logical_and(found, sign(x, y))
                except ValueError:
                    raise AbsentError(_unfit(x, y)) from None
            return found

        return reading

    def element(self, node: ast.Subscript, depth: int) -> Reading:
        """Elements at constant integers and slices."""
        inner = self.expression(node.value, depth + 1)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = tuple(self.index(part) for part in parts)
        words = ast.unparse(node.slice)

        def reading(numbers: Numbers) -> Any:
            x = np.asarray(inner(numbers))
            try:
                return x[index]
            except (IndexError, ValueError):
                shape = "×".join(map(str, x.shape)) or "a single number"
                raise AbsentError(f"no element [{words}] in {shape}") from None

        return reading

    def index(self, node: ast.expr) -> int | slice:
        """An integer such as 0 or -1, or a slice of them."""
        match node:
            case ast.Slice():
                ends = (node.lower, node.upper, node.step)
                return slice(*(None if end is None else self.integer(end) for end in ends))
            case _:
                return self.integer(node)

    def integer(self, node: ast.expr) -> int:
        """A written integer, perhaps with a minus sign."""
        match node:
            case ast.Constant(value=int() as number) if type(number) is int and number < 2**62:
                return number
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)) if (
                type(number) is int and number < 2**62
            ):
                return -number
        raise self.refusal("an index is a written integer or a slice", node, "value[0, -1]")


def _unfit(x: Any, y: Any) -> str:
    return f"shapes {np.shape(x)} and {np.shape(y)} do not fit"
