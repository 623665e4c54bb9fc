"""The reading of an elementwise rule that compiles: run on Terms, a rule becomes lines of scalar code.

A Term is the name of a scalar in the loop to come. Operators and primitives called with Terms write one line each,
equal lines once; Python's numbers are typed as the arrays are, so that no float64 leaks into float32. The same function
that computes, records and writes its formula is what is compiled: no derivative is written twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ops.operators import Operators
from ops.primitive import NUMBERS, Primitive


class UnreadableError(Exception):
    """The rule calls what has no scalar form: it stays with numpy."""


SCALARS: dict[str, str] = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "square": "{0} * {0}",
    "reciprocal": "one / {}",
    "abs": "abs({})",
    "sqrt": "sqrt({})",
    "greater": "{} > {}",
    "greater_equal": "{} >= {}",
    "less": "{} < {}",
    "less_equal": "{} <= {}",
    "equal": "{} == {}",
    "not_equal": "{} != {}",
    "logical_and": "{} and {}",
    "logical_or": "{} or {}",
    "logical_not": "not {}",
    "where": "{1} if {0} else {2}",
    # NaN of either goes through, and of two zeros the second, as in numpy
    "maximum": "{0} if {0} > {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} < {1} or {0} != {0} else {1}",
    "relu": "{0} if {0} > zero or {0} != {0} else zero",
    "sign": "one if {0} > zero else (-one if {0} < zero else ({0} if {0} != {0} else zero))",
    "floor": "floor({})",
    "ceil": "ceil({})",
    "astype": "{}",  # the kernel runs in one dtype
}
"""How a primitive is written for scalars."""

FUNCTIONS = {
    **dict.fromkeys(("exp", "expm1", "tanh"), "ops.kernels.full_exponential"),
    **dict.fromkeys(("log", "log1p"), "ops.kernels.full_logarithm"),
    **dict.fromkeys(("erf", "erfc"), "ops.kernels.error_function"),
}
"""The functions that are written so that a loop of them vectorises, and the modules that hold them."""

_LIBRARY: dict[str, str] = {
    name: f"{name}({{}})" for name in "log2 log10 sin cos tan sinh cosh exp2 cbrt".split()
} | {
    "arcsin": "asin({})",
    "arccos": "acos({})",
    "arctan": "atan({})",
    "arcsinh": "asinh({})",
    "arccosh": "acosh({})",
    "arctanh": "atanh({})",
    "arctan2": "atan2({}, {})",
    "hypot": "hypot({}, {})",
    "pow": "{} ** {}",
}
"""The same for what calls the mathematical library once per element, where numpy's vectors are faster."""

TRUTHS = frozenset(
    "greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not".split()
)
"""The operations of which True or False results."""


class Term(Operators):
    """A scalar of the loop, by name. Rules compute with it, and every operation writes a line of code."""

    __slots__ = ("name", "truth", "writer")

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    def __init__(self, writer: Writer, name: str, truth: bool = False) -> None:
        self.writer, self.name, self.truth = writer, name, truth

    def __apply_primitive__(
        self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Any:
        return self.writer.apply(op, args, params)

    def __bool__(self) -> bool:
        raise UnreadableError("it branches on a value")


class Writer:
    """The lines of one loop body, and what they call."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.library = False
        """Whether any line calls the mathematical library."""
        self.functions: set[str] = set()
        """The functions of ours that lines call."""
        self.calls: list[str] = []
        """The names of the scalars that they give, in order."""
        self._known: dict[tuple[str, bool], Term] = {}

    def term(self, name: str, *, truth: bool = False) -> Term:
        """A scalar by its name: an element that was loaded, or what a line computes."""
        return Term(self, name, truth)

    def named(self, x: Any) -> str:
        """The name of a Term, or a Python number in the dtype of the kernel."""
        if isinstance(x, Term):
            return x.name
        if type(x) is bool:
            return str(x)
        if type(x) in NUMBERS:
            return f"T({x!r})" if math.isfinite(x) else f"T(float({str(x)!r}))"
        raise UnreadableError(f"it computes with {type(x).__name__}")

    def apply(self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """One operation on Terms and numbers: a line, or the lines that the operation itself consists of."""
        if op.name == "where" and type(args[0]) is bool:
            return args[1] if args[0] else args[2]
        if op.name in FUNCTIONS:
            self.functions.add(op.name)
            found = self.line(f"{op.name}({self.named(args[0])})", truth=False)
            if found.name not in self.calls:
                self.calls.append(found.name)
            return found
        if op.name in SCALARS:
            form = SCALARS[op.name]
        elif op.name in _LIBRARY:
            self.library = True
            form = _LIBRARY[op.name]
        else:
            return self.opened(op, args, params)
        code = form.format(*map(self.named, args))
        return self.line(code, truth=op.name in TRUTHS)

    def opened(self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """An operation without a scalar form of its own: its kernel where primitives make it up, or its parts.

        The kernel first: it is the one that refuses parameters.
        """
        if not op.elementwise:
            raise UnreadableError(f"{op.name} has no scalar form")
        for body in (op.kernel, op.parts):
            if body is not None:
                try:
                    return body(*args, **params)
                except UnreadableError:
                    raise
                except (
                    ValueError
                ) as error:  # it refuses its parameters; numpy's kernels raise TypeError here
                    raise UnreadableError(str(error)) from error
                except Exception as error:  # whatever numpy says of an argument that is no array
                    reason = error
        raise UnreadableError(f"{op.name} has no scalar form") from reason

    def line(self, code: str, *, truth: bool) -> Term:
        """The scalar that a code computes: a new line, unless it is the code of one before."""
        found = self._known.get((code, truth))
        if found is None:
            found = self.term(f"t{len(self.lines)}", truth=truth)
            self.lines.append(f"{found.name} = {code if truth else self.typed(code)}")
            self._known[code, truth] = found
        return found

    def typed(self, code: str) -> str:
        """The code of a number, so that it has the dtype of the kernel."""
        return f"T({code})"
