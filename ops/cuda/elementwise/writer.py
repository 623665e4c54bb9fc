"""The scalars of a rule as lines of a CUDA kernel: functions of `math`, and constants that `build` makes once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ops.kernels.reading import SCALARS, TRUTHS, Term, UnreadableError, Writer
from ops.primitive import NUMBERS, Primitive

LOGIC = frozenset("logical_and logical_or logical_xor logical_not".split())
"""What asks of its inputs only whether they are 0."""

COMPARISONS = TRUTHS - LOGIC

QUESTIONS = TRUTHS | LOGIC | {"isnan", "isinf", "isfinite"}
"""The operations of which True or False results."""

INTEGERS = COMPARISONS | frozenset("add sub mul neg abs square maximum minimum where".split())
"""What is computed in int64 where no input is a float."""

_ONE_ARGUMENT = {
    **{name: name for name in "sqrt floor ceil trunc exp expm1 tanh log log1p erf erfc".split()},
    **{name: name for name in "log2 log10 sin cos tan sinh cosh".split()},
    **{f"arc{name}": f"a{name}" for name in "sin cos tan sinh cosh tanh".split()},
}

_TWO_ARGUMENTS = {"arctan2": "atan2", "hypot": "hypot", "pow": "pow"}

FORMS: Mapping[str, str] = MappingProxyType(
    {name: form for name, form in SCALARS.items() if name != "where" and name not in LOGIC}
    | {name: f"math.{function}({{}})" for name, function in _ONE_ARGUMENT.items()}
    | {name: f"math.{function}({{}}, {{}})" for name, function in _TWO_ARGUMENTS.items()}
    | {
        "isnan": "{0} != {0}",
        "isinf": "math.isinf({})",
        "isfinite": "{0} - {0} == zero",
    }
)
"""How a primitive is written for scalars in a kernel; the functions are those of libdevice."""

_CONNECTED = {"logical_and": "{} and {}", "logical_or": "{} or {}", "logical_xor": "{} != {}"}


class Element(Term):
    """A scalar of a kernel. It has no shape: a rule that asks for it is for arrays."""

    __slots__ = ()

    @property
    def shape(self) -> Any:  # type: ignore[override]
        """Raises `UnreadableError`."""
        raise UnreadableError("it asks for a shape")

    ndim = size = shape


class KernelWriter(Writer):
    """The lines of one element in a kernel."""

    def __init__(self, *, integers: bool = False) -> None:
        super().__init__()
        self.integers = integers
        """Whether all numbers are int64."""
        self.constants: dict[str, str] = {}
        """What `build` computes once, and the name of each."""

    def apply(self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """One operation on Terms and numbers: a line, or the lines that the operation itself consists of."""
        name = op.name
        if name == "where":
            return self._chosen(*args)
        if name == "logical_not":
            return self.line(f"not {self._truth(args[0])}", truth=True)
        if name in _CONNECTED:
            return self.line(_CONNECTED[name].format(*map(self._truth, args)), truth=True)
        if self.integers and name not in INTEGERS:
            raise UnreadableError(f"{name} makes floats of integers")
        if name == "exp2":  # numba.cuda has no exp2
            return self.line(f"math.pow({self.named(2.0)}, {self.named(args[0])})", truth=False)
        if name == "cbrt":
            return self._cube_root(self.named(args[0]))
        if name == "round":
            return self._rounded(args[0], params["decimals"])
        if name in FORMS:
            code = FORMS[name].format(*map(self.named, args))
            return self.line(code, truth=name in QUESTIONS)
        return self.opened(op, args, params)

    def named(self, x: Any) -> str:
        """The name of a number: of a Term, of a truth as 1 or 0, of a constant that is typed once."""
        if isinstance(x, Term):
            return self.line(f"one if {x.name} else zero", truth=False).name if x.truth else x.name
        if type(x) not in NUMBERS:
            raise UnreadableError(f"it computes with {type(x).__name__}")
        if self.integers:
            return repr(int(x))
        if x == 1 or (x == 0 and math.copysign(1, x) > 0):
            return "one" if x else "zero"
        return self.constant(f"T({x!r})" if math.isfinite(x) else f"T(float({str(x)!r}))")

    def term(self, name: str, *, truth: bool = False) -> Term:
        """A scalar by its name."""
        return Element(self, name, truth)

    def constant(self, code: str) -> str:
        """The name of a number that `build` makes."""
        return self.constants.setdefault(code, f"c{len(self.constants)}")

    def typed(self, code: str) -> str:
        """The code of a number, so that it has the dtype of the kernel; of an integer, it has it."""
        return code if self.integers else super().typed(code)

    def _truth(self, x: Any) -> str:
        """A condition: of a number, whether it is not 0."""
        if isinstance(x, Term):
            return x.name if x.truth else self.line(f"{x.name} != zero", truth=True).name
        return str(bool(x))

    def _chosen(self, condition: Any, x: Any, y: Any) -> Any:
        if type(condition) is bool:
            return x if condition else y
        if isinstance(x, Term) and isinstance(y, Term) and x.truth and y.truth:
            return self.line(f"{x.name} if {self._truth(condition)} else {y.name}", truth=True)
        code = f"{self.named(x)} if {self._truth(condition)} else {self.named(y)}"
        return self.line(code, truth=False)

    def _cube_root(self, x: str) -> Term:
        """The power 1/3, and one step of Newton's that takes off the error of 1/3; 0, inf and NaN as they are."""
        third = self.named(1 / 3)
        root = self.line(f"math.pow(math.fabs({x}), {third})", truth=False).name
        better = self.line(
            f"{root} - ({root} - math.fabs({x}) / ({root} * {root})) * {third}", truth=False
        ).name
        common = f"{root} > zero and {root} - {root} == zero"
        return self.line(f"math.copysign({better}, {x}) if {common} else {x}", truth=False)

    def _rounded(self, x: Any, decimals: int) -> Any:
        """The nearest whole number, halves to the even one: from `whole` on floats have no decimals left to round."""
        scale = 10.0 ** abs(decimals)
        number = self.named(x)
        if decimals:
            sign = "*" if decimals > 0 else "/"
            number = self.line(f"{number} {sign} {self.named(scale)}", truth=False).name
        whole = self.constant("T(2**23 if T(0).itemsize == 4 else 2**52)")
        near = self.line(f"math.fabs({number}) + {whole}", truth=False).name
        code = f"math.copysign({near} - {whole}, {number}) if math.fabs({number}) < {whole} else {number}"
        found = self.line(code, truth=False)
        if not decimals:
            return found
        sign = "/" if decimals > 0 else "*"
        return self.line(f"{found.name} {sign} {self.named(scale)}", truth=False)
