"""Formulas: the same rule that computes, run on Symbols, writes itself; with names, or with the numbers put in.

A `Symbol` is a value and the expression that gives it. Primitives called with Symbols return Symbols, so what is
printed is what runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

import ops
from ops.formula import ADD
from ops.operators import Operators
from ops.primitive import ATOM, MUL, NEG, NOTHING, POW, Array, Primitive
from ops.shape import Slot
from tracer import format as fmt
from tracer.fetching import Distant, formed
from tracer.mathematics import Form, constant
from tracer.tex import tex_text


@dataclass(frozen=True, eq=False)
class Symbol(Operators):
    """A value and how it is written: a named leaf, or a primitive applied to Symbols and numbers."""

    value: Array
    text: str = ""
    tex: str = ""
    op: Primitive | None = None
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    afar: Distant | None = None
    """Of a large array of a device, where its numbers are read; ones of its shape stand as its value."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; rules may branch on it."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.value.size)

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.value.dtype

    @property
    def T(self) -> Symbol:
        """The transpose."""
        transposed: Symbol = apply(ops.transpose, (self,), {"axes": None})
        return transposed

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """None: a rule that asks for an array cannot be read as a formula."""
        raise TypeError(f"{write(self, Style())} is a formula, not an array of numpy's")

    def __apply_primitive__(
        self, op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Any:
        return apply(op, args, params)


def viewed(seen: Any, text: str = "", tex: str = "") -> Symbol:
    """The Symbol of a value as views read it: with one that is seen from afar formulas run as on any of its shape."""
    afar = seen if isinstance(seen, Distant) else None
    return Symbol(formed(seen), text, tex, afar=afar)


def apply(op: Primitive, args: Sequence[Any], params: Mapping[str, Any] = NOTHING) -> Any:
    """The Symbol of a primitive applied to Symbols and numbers, with factors of one left out."""
    if op.name == "mul" and any(_is_number(x, 1) for x in args):
        return args[1] if _is_number(args[0], 1) else args[0]
    if op.name in ("pow", "div") and _is_number(args[1], 1):
        return args[0]
    if op.name == "neg" and isinstance(args[0], Symbol) and args[0].op is ops.neg:
        return args[0].args[0]
    if (
        op.name == "transpose"
        and params.get("axes") is None
        and isinstance(args[0], Symbol)
        and args[0].op is ops.transpose
        and args[0].params.get("axes") is None
    ):
        return args[0].args[0]
    if op.name == "sum_to" and isinstance(args[0], Symbol) and args[0].shape == params["shape"]:
        return args[0]
    if op.name == "where" and _is_number(args[1], 0) and _is_number(args[2], 0):
        return 0
    if op.name == "where" and type(args[0]) is bool:
        return args[1] if args[0] else args[2]
    values = [x.value if isinstance(x, Symbol) else x for x in args]
    with np.errstate(all="ignore"):
        value = op.run(values, params)[0]
    return Symbol(value, op=op, args=tuple(args), params=params)


def _is_number(x: Any, number: int) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, np.ndarray) and x == number


# ----- writing


@dataclass(frozen=True)
class Style:
    """How Symbols are written: as text or TeX, with names or with numbers, and which sub-expressions have a name."""

    tex: bool = False
    numbers: bool = False
    named: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def write(symbol: Any, style: Style) -> str:
    """A Symbol or number as a formula."""
    return _written(symbol, style)[0]


def _written(x: Any, style: Style, top: bool = True) -> tuple[str, float]:
    """The text of an expression and how strongly it binds."""
    if not isinstance(x, Symbol):
        known = constant(x) if style.tex and not style.numbers else None
        return known or _number_text(x, style)
    if not top and id(x) in style.named:
        return style.named[id(x)][style.tex], ATOM
    if x.op is None:
        if style.numbers:
            return _number_text(x.value if x.afar is None else x.afar, style)
        name = x.tex if style.tex else x.text
        if not name:
            return _written(x.value if x.afar is None else x.afar, style)
        if style.tex and (name.startswith(r"\frac") or _RAISED.search(name)):
            return name, POW  # its bar is a bracket; a second superscript would stand on the first
        return name, _binding_of(x.text)
    form = x.op.formula
    template: str = form.text
    binding: float = form.binding
    needs: Sequence[float] = form.needs
    if style.tex:
        written_as = Form(x.op, x.args, x.params)
        template, binding, needs = written_as.template, written_as.binding, written_as.needs
    if is_seen_through(x):
        return _written(x.args[0], style, top=False)
    fields: dict[str, Any] = {}
    inputs = x.op.inputs
    for k, name in enumerate(inputs):
        if x.op.variadic and k == len(inputs) - 1:
            fields[name] = ", ".join(_written(a, style, top=False)[0] for a in x.args[k:])
        else:
            text, strength = _written(x.args[k], style, top=False)
            need = needs[k] if k < len(needs) else 0
            if k and need and text.startswith((fmt.MINUS, "-")):  # 1 − (−2 · 3)
                strength = min(strength, NEG)
            fields[name] = _bracketed(text, style) if strength < need else text
    for name, value in x.params.items():
        fields[name] = _param_tex(value) if style.tex else param_text(value)
    written = _with_params(template.format(**fields), x.op, x.params, style)
    return (written if style.tex else _superscripts(written)), binding


def _binding_of(name: str) -> float:
    """How strongly a name binds that may be a formula itself: `y − t` as a sum, `W @ x` and `f(x + y)` as a product."""
    if name.startswith("∂") or not re.search(r"[ +−·/]", name):
        return ATOM
    depth = 0
    for letter, after in pairwise(name):
        depth += (letter == "(") - (letter == ")")
        if not depth and letter == " " and after in "+−":
            return ADD
    return MUL


_RAISED = re.compile(r"(?<!\\)\^")


def _bracketed(text: str, style: Style) -> str:
    return rf"\left({text}\right)" if style.tex else f"({text})"


def _number_text(value: Any, style: Style) -> tuple[str, int]:
    if getattr(value, "ndim", 0):
        text = f"[{fmt.elided(value)}]"
        return (_array_tex(text) if style.tex else text), ATOM
    text = fmt.number(value, minus="-" if style.tex else fmt.MINUS)
    negative = text.startswith(("-", fmt.MINUS))
    if style.tex and text[-1:].isalpha():
        text = text.replace("inf", r"\infty") if "inf" in text else rf"\mathrm{{{text}}}"
    elif style.tex and "e" in text:
        mantissa, power = text.split("e")
        if mantissa in ("1", "-1"):
            return f"{mantissa[:-1]}10^{{{power}}}", NEG if negative else POW
        return rf"{mantissa} \cdot 10^{{{power}}}", NEG if negative else MUL
    return text, NEG if negative else ATOM


def _array_tex(text: str) -> str:
    text = text.replace(fmt.MINUS, "-").replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    return rf"\left{text[:-1]}\right]".replace("…", r"\dots").replace(" ", r"\;")


_DIGITS = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _superscripts(text: str) -> str:
    """Small whole exponents raised: x^2 becomes x²."""
    return re.sub(
        r"\^(?:\((−\d{1,3})\)|(\d{1,3}))(?![\d.·^e])",
        lambda found: (found[1] or found[2]).translate(_DIGITS),
        text,
    )


_UNSHOWN = frozenset({"classes", "shape", "index"})
"""Parameters that a formula leaves out: they follow from what stands around it."""


def _with_params(text: str, op: Primitive, params: Mapping[str, Any], style: Style) -> str:
    extra = [
        rf"\mathrm{{{tex_text(name)}}}={_param_tex(value)}"
        if style.tex
        else f"{name}={param_text(value)}"
        for name, value in params.items()
        if name not in _UNSHOWN
        and not (style.tex and name in ("keepdims", "axis"))
        and f"{{{name}}}" not in op.formula.text
        and value != op.defaults.get(name)
        and value is not None
    ]
    end = r"\right)" if style.tex else ")"
    return (
        f"{text.removesuffix(end)}, {', '.join(extra)}{end}"
        if extra and text.endswith(end)
        else text
    )


def _param_tex(value: Any) -> str:
    if isinstance(value, float):
        return _number_text(value, Style(tex=True))[0]
    text = param_text(value)
    if isinstance(value, str | bool) or not _PLAIN.fullmatch(text):
        return rf"\text{{{tex_text(text)}}}"
    return text.replace("…", r"\dots ").replace("·", r"\cdot ")


_PLAIN = re.compile(r"[\w\s.,:()…·+-]*")


def param_text(value: Any) -> str:
    """A parameter as it is written: an index as between square brackets, `:, 1`.

    >>> param_text((slice(None), 1)), param_text((0, 2)), param_text("mean")
    (':, 1', '(0, 2)', 'mean')
    """
    if isinstance(value, tuple) and any(
        isinstance(v, (slice, Slot, type(...))) or v is None for v in value
    ):
        return ", ".join(map(_index_text, value))
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], int):
        return str(value[0])
    return str(value)


def _index_text(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if v is None else str(v) for v in (part.start, part.stop, part.step)]
        return ":".join(ends if ends[2] else ends[:2])
    if isinstance(part, Slot):
        return "·" if part.number == 0 else "·" * (part.number + 1)
    return "…" if part is Ellipsis else "None" if part is None else str(part)


def is_seen_through(x: Symbol) -> bool:
    """Whether a Symbol is written as its operand is: a leaf, or a change of shape or dtype."""
    return x.op is None or x.op.formula.text == "{x}"
