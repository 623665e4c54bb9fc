"""Evaluates the expressions of a derivation: arithmetic, indexing and a fixed list of functions on arrays.

The syntax tree is walked here; nothing is handed to Python's own `eval`. What is not listed does not exist, and no
result may grow beyond a size, so that text from a stranger can neither reach out nor exhaust the machine.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from tracer.checking.derivations.refusals import RefusedError
from tracer.format import shape
from tracer.tensors import Tensor

from .complaints import applied, number_of, refusals, refuse_randomness, text_of
from .functions import function_of
from .known import Known
from .limits import ENTRY, STEP, Cost, within_reach
from .looping import items, unpacked
from .meanings import Meanings, Steps, Value
from .operators import BINARY, UNARY, longer
from .sizes import afford, indexed, operated
from .spending import Spending
from .vocabulary import (
    ATTRIBUTES,
    CONSTANTS,
    FOREIGN,
    FUNCTIONS,
    GATHERING,
    METHODS,
    MODULES,
    SPELLED,
    TYPES,
    near,
)

MOST_ARGUMENTS = 32


def evaluate(expression: ast.expr, meanings: Meanings, known: Known | None = None) -> Value:
    """The value of an expression. Raises `RefusedError` for whatever is not allowed or not possible.

    known: the values of parts that were evaluated before, where the names meant the same.
    """
    with refusals(), np.errstate(all="ignore"):
        walk = _Walk(meanings, known)
        value = walk.value(expression)
        walk.tell()
        return value


def turns(expression: ast.expr, meanings: Meanings) -> Iterable[Value]:
    """What a `for` goes through: range, reversed, enumerate and zip of lists, arrays, and values at each step."""
    with refusals(), np.errstate(all="ignore"):
        return _Walk(meanings).turns(expression)


class _Walk(Spending):
    """One walk over an expression."""

    def __init__(self, meanings: Meanings, known: Known | None = None) -> None:
        super().__init__(meanings)
        self.known = known
        self.bound: dict[str, Value] = {}
        """The variables of comprehensions."""

    def value(self, node: ast.expr) -> Value:
        """The value of a part of the expression."""
        known = self.known
        if known is None or self.bound or not isinstance(node, (ast.BinOp, ast.Call)):
            return self._value(node)
        return known.of(node, self._value)

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() | int() | float() | None | EllipsisType()):
                return within_reach(node.value)
            case ast.Name(id=name):
                return self.bound[name] if name in self.bound else self.meanings.value(name)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined(node, op, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.compared(node, op, self.value(left), self.value(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.truth(operand)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
                number = number_of(node, self.value(operand))
                self.spend(operated("-", number, 0))
                return applied(node, UNARY[type(op)], number)
            case ast.BoolOp(op=op, values=parts):
                return (all if isinstance(op, ast.And) else any)(map(self.truth, parts))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.truth(test) else other)
            case ast.Subscript(value=inner, slice=index):
                return self.indexed(node, inner, index)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if s is None else self.value(s) for s in (lower, upper, step)))
            case ast.Tuple(elts=parts):
                return self.entries(tuple([self.value(part) for part in parts]))
            case ast.List(elts=parts):
                return self.entries([self.value(part) for part in parts])
            case ast.Dict(keys=keys, values=parts):
                return self.table(node, keys, parts)
            case (
                ast.ListComp(elt=each, generators=[generator])
                | ast.GeneratorExp(elt=each, generators=[generator])
            ):
                return self.listed(each, generator)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
                if name in CONSTANTS:
                    return CONSTANTS[name]
            case ast.Attribute(value=inner, attr=name) if name in ATTRIBUTES:
                return getattr(_array(number_of(node, self.value(inner))), name)
            case ast.Call():
                return self.called(node)
        raise RefusedError(
            f"{text_of(node)} is not allowed here",
            "arithmetic, indexing, and functions such as np.sqrt",
        )

    def truth(self, node: ast.expr) -> bool:
        """Whether a condition holds."""
        value = self.value(node)
        if isinstance(value, np.ndarray) and value.size != 1:
            raise RefusedError(
                f"{text_of(node)} is a table of {shape(value.shape)} truths, not one",
                "np.where(condition, a, b)",
            )
        return bool(value)

    def compared(self, node: ast.expr, op: ast.AST, a: Value, b: Value) -> Value:
        """A comparison."""
        if isinstance(op, (ast.Is, ast.IsNot)):
            return (a is b) == isinstance(op, ast.Is)
        if isinstance(op, (ast.In, ast.NotIn)) and isinstance(b, (tuple, list, dict)):
            if not all(isinstance(each, (int, float, np.number)) for each in (a, *b)):
                raise RefusedError(
                    f"{text_of(node)} looks for more than a number among numbers", "k in (0, 1)"
                )
            return (a in self.entries(b)) == isinstance(op, ast.In)
        return self.combined(node, op, a, b)

    def combined(self, node: ast.expr, op: ast.AST, a: Value, b: Value) -> Value:
        """A binary operator or comparison."""
        known = BINARY.get(type(op))
        if known is None:
            cure = "** for powers" if isinstance(op, ast.BitXor) else "+ - * / ** @ and comparisons"
            raise RefusedError(f"the operator in {text_of(node)} is not allowed", cure)
        sign, function = known
        if isinstance(a, (list, tuple)) and sign in ("*", "+"):
            return self.entries(longer(node, sign, a, b))
        a, b = number_of(node, a), number_of(node, b)
        self.spend(operated(sign, a, b))
        whole = isinstance(a, int) and isinstance(b, int)
        if sign == "**" and whole and (b < 0 or b * a.bit_length() > 63):
            a = float(a)
        return applied(node, function, a, b)

    def indexed(self, node: ast.expr, inner: ast.expr, index: ast.expr) -> Value:
        """An element or a part of an array, a size out of a shape, an entry of a list, a value at a time step."""
        if isinstance(inner, ast.Name):
            steps = self.steps(inner.id)
            if steps is not None:
                return self.at_step(node, inner.id, steps, index)
        held, key = self.value(inner), self.value(index)
        if isinstance(held, dict):
            if not isinstance(key, (int, np.integer)) or key not in held:
                known = ", ".join(map(str, held)) or "none yet"
                raise RefusedError(f"{text_of(node)}: there is no such entry", f"one of: {known}")
            return held[key]
        if not isinstance(held, (tuple, list)):
            held = _array(number_of(node, held))
            return self.picked(node, held, key)
        found = applied(node, operator.getitem, held, key)
        return self.entries(found) if isinstance(key, slice) else found

    def at_step(self, node: ast.expr, name: str, steps: Steps, index: ast.expr) -> Value:
        """`h[t]`, `h[t, 0]`, `h[1:]` of a value that was recorded at each step."""
        key = self.value(index)
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        if isinstance(first, (int, np.integer)) and not isinstance(first, bool):
            plain = index.elts[0] if isinstance(index, ast.Tuple) else index
            written = isinstance(plain, (ast.Constant, ast.UnaryOp))
            value = steps.at(int(first), written=written)
            return self.picked(node, _array(value), rest) if rest else value
        if isinstance(first, slice):
            every = steps.all()
            self.spend(afford("stack", (every,)))
            return self.picked(node, applied(node, np.stack, every), key)
        return self.picked(node, _array(self.value(ast.Name(name))), key)

    def picked(self, node: ast.expr, array: Value, key: Value) -> Value:
        """A part of an array."""
        self.spend(indexed(array, key))
        return applied(node, operator.getitem, array, key)

    def table(
        self, node: ast.expr, keys: Sequence[ast.expr | None], parts: Sequence[ast.expr]
    ) -> Value:
        """A dictionary whose keys are whole numbers or names."""
        found = {}
        for key, part in zip(keys, parts, strict=True):
            match key:
                case ast.Constant(value=str() | int()):
                    found[key.value] = self.value(part)
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                    found[-number] = self.value(part)
                case _:
                    raise RefusedError(
                        f"{text_of(node)}: keys are numbers or names", "{}, and d[t] = ..."
                    )
        return self.entries(found)

    def listed(self, each: ast.expr, generator: ast.comprehension) -> Value:
        """`[f(a) for a in b if c]`."""
        before, found = dict(self.bound), []
        for item in self.turns(generator.iter):
            self.meanings.tick()
            self.bound |= unpacked(generator.target, item)
            if all(map(self.truth, generator.ifs)):
                found.append(self.value(each))
                self.spend(Cost(ENTRY, STEP))
        self.bound = before
        return found

    def turns(self, node: ast.expr) -> list[Value]:
        """What a `for` goes through."""
        found = items(node, self.value, self.steps)
        self.entries(found)
        if found and isinstance(found[0], tuple):  # a tuple for each turn, of zip or enumerate
            self.spend(Cost(3 * ENTRY * len(found), 0))
        return found

    def steps(self, name: str) -> Steps | None:
        """The steps of a name, None for one that means one value, as the variable of a comprehension does."""
        return None if name in self.bound else self.meanings.steps(name)

    def called(self, node: ast.Call) -> Value:
        """A call of a function on the list, or of a method of an array."""
        subject: tuple[Value, ...] = ()
        given: Sequence[Value] | None = None
        function: Callable[..., Any] | None
        match node.func:
            case ast.Name(id="list" | "tuple" | "reversed" | "range" | "zip" | "enumerate"):
                return self.turns(node)
            case ast.Name(id=name):
                given = [self.argument(name, part) for part in node.args[:MOST_ARGUMENTS]]
                function = function_of(node, name, given)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in FOREIGN:
                cure = f"np.{name}" if name in FUNCTIONS else near(node.func)
                raise RefusedError(f"{text_of(node.func)} is not on the list of functions", cure)
            case ast.Attribute(attr="sliding_window_view" as name):
                function = FUNCTIONS[name]
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
                function = FUNCTIONS.get(name, TYPES.get(name))
            case ast.Attribute(value=inner, attr=name) if name in METHODS:
                array = _array(number_of(node, self.value(inner)))
                subject = (array,)
                function = getattr(type(array), name, None)
            case _:
                function, name = None, ""
        if function is None:
            refuse_randomness(node.func)
            raise RefusedError(
                f"{text_of(node.func)} is not on the list of functions", near(node.func)
            )
        if len(node.args) > MOST_ARGUMENTS or any(k.arg is None for k in node.keywords):
            raise RefusedError(
                f"the arguments of {text_of(node)} are not allowed", f"at most {MOST_ARGUMENTS}"
            )
        if given is None:
            given = [self.argument(name, part) for part in node.args]
        args = (*subject, *given)
        keywords = {str(k.arg): self.argument(str(k.arg), k.value) for k in node.keywords}
        self.spend(afford(name, args, keywords, function))
        return applied(node, function, *args, **keywords)

    def argument(self, name: str, node: ast.expr) -> Value:
        """An argument of a call: some functions take text or a type, some a value of all time steps."""
        match node:
            case ast.Constant(value=str() as text) if name in SPELLED or name == "mode":
                return text
            case ast.Name(id=kind) | ast.Attribute(attr=kind) if name in ("astype", "dtype"):
                return TYPES.get(kind, float)
            case ast.Name(id=many) if name in GATHERING:
                steps = self.steps(many)
                if steps is not None and (name not in ("sum", "len") or len(steps.all()) > 1):
                    return steps.all()
        return self.value(node)


def _array(value: Value) -> Any:
    return value if isinstance(value, Tensor) else np.asarray(value)
