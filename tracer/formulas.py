"""Formulas of nodes: what a node computes, its local derivatives and its flows, with names or with the numbers put in.

The rule that computed is run on Symbols. A local variable of a rule becomes a "where" clause of its formula.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

import ops
from ops.formula import call_formula
from ops.primitive import Primitive
from tracer.errors import GradstepError
from tracer.lettering import tex_name, text_name
from tracer.running import prove
from tracer.symbols import Style, Symbol, apply, is_seen_through, viewed, write

if TYPE_CHECKING:
    from tracer.nodes import Node


Naming = Callable[["Node"], Symbol]
"""How a node is written where others use it."""


def by_label(node: Node) -> Symbol:
    """A node under its label."""
    return viewed(node.seen, node.label, tex_name(node.label))


def formula(
    node: Node, *, numbers: bool = False, tex: bool = False, naming: Naming | None = None
) -> str:
    """What a node computes: `w · x`, or `2 · −1` with the numbers put in; empty for a leaf.

    >>> import tracer as tr
    >>> x, y = tr.tensor(2.0, name="x"), tr.tensor(5.0, name="y")
    >>> node = tr.trace((x + y) * y)[3]
    >>> formula(node), formula(node, numbers=True), formula(node, tex=True)
    ('add@2 · y', '7 · 5', 'v_{2} \\\\cdot y')
    """
    op = node.op
    if op is None:
        return ""
    return write(value_symbol(node, naming or by_label), Style(tex, numbers))


def local_derivative(node: Node, argument: int, *, numbers: bool = False, tex: bool = False) -> str:
    """The derivative of a node by one argument: `y` for a product by x; `g ↦ g @ yᵀ` where it is a linear map.

    Empty where no derivative exists.
    """
    op = node.op
    if op is None or not op.differentiable(argument) or _is_literal(node, argument):
        return ""
    if op.elementwise:
        return _rule_text(node, argument, 1, Style(tex, numbers))
    g = Symbol(np.ones(node.shape)[()], "g", "g")
    body = _rule_text(node, argument, g, Style(tex, numbers, {id(g): ("g", "g")}))
    return rf"g \mapsto {body}" if tex else f"g ↦ {body}"


def flow_formula(
    node: Node,
    argument: int,
    *,
    numbers: bool = False,
    tex: bool = False,
    naming: Naming | None = None,
) -> str:
    """What a node sends to one argument, upstream times local: `∂L/∂q · z`.

    Sums over broadcast axes, which the engine adds, are written too. Empty where no derivative exists.
    """
    op = node.op
    if op is None or not op.differentiable(argument) or _is_literal(node, argument):
        return ""
    gradient = node.seen_gradient if numbers else None  # names alone need no backward pass
    upstream = viewed(
        np.ones(node.shape)[()] if gradient is None else gradient,
        f"∂L/∂{bracketed((naming or by_label)(node).text)}",
        rf"\frac{{\partial L}}{{\partial {tex_name(node.label)}}}",
    )
    return _rule_text(node, argument, upstream, Style(tex, numbers), naming)


def bracketed(name: str) -> str:
    """What stands behind ∂: a name, or a formula in brackets.

    >>> bracketed("h₂"), bracketed("W @ h₂"), bracketed("tanh(x + y)"), bracketed("(y − t)²")
    ('h₂', '(W @ h₂)', 'tanh(x + y)', '((y − t)²)')
    """
    if name.startswith("("):
        return f"({name})"
    depth = 0
    for letter in name:
        depth += (letter == "(") - (letter == ")")
        if letter == " " and not depth:
            return f"({name})"
    return name


def _is_literal(node: Node, argument: int) -> bool:
    return node.trace.inputs_of(node.index)[argument] < 0


def _inputs(node: Node, naming: Naming = by_label) -> list[Any]:
    return [naming(x) if hasattr(x, "label") else x for x in node.inputs]


def value_symbol(node: Node, naming: Naming = by_label) -> Symbol:
    """What an operation computes of its inputs, as a Symbol."""
    return Symbol(node.form, op=node.op, args=tuple(_inputs(node, naming)), params=node.params)


def flow_symbol(
    node: Node,
    argument: int,
    g: Any,
    naming: Naming = by_label,
    saved_tex: Callable[[str], str] = str,
) -> tuple[Any, dict[str, Symbol]]:
    """What the rule of a node makes of an upstream g for one argument, and the Symbols that it named on the way.

    The argument must have a derivative. `saved_tex` says how what the operation has saved is written, such as its μ.
    A rule that asks for arrays of numpy cannot be read: it is written as the call of a function, `cubed_vjp(∂L/∂y, x)`.
    """
    op = node.op
    assert op is not None
    prove(node.trace, node.index)  # a rule runs on Symbols with their numbers
    inputs = _inputs(node, naming)
    kept = node.seen_saved
    saved = {
        s.name: viewed(kept[s.name], s.glyph, saved_tex(s.tex)) for s in op.saves if s.name in kept
    }
    extra: dict[str, Any] = {**node.params, **saved}
    first = len(op.inputs) - 1
    repeated = op.variadic and argument >= first
    if repeated and op.joint is None:
        extra["position"] = argument - first
    rule = op.rule_of(argument)
    assert rule is not None
    target = inputs[argument]
    try:
        result, variables = _with_locals(rule, (g, naming(node), *inputs), extra)
        if op.joint is not None:
            result = (
                result[op.inputs[-1]][argument - first] if repeated else result[op.inputs[argument]]
            )
    except (GradstepError, MemoryError):
        raise
    except Exception:  # of any kind: what somebody else's rule says of what is no array
        like = np.broadcast_to(np.ones((), target.dtype), target.shape)[()]
        return Symbol(like, op=_unread(op.definition), args=(g, *inputs)), {}
    if (
        op.elementwise
        and isinstance(result, Symbol)
        and isinstance(g, Symbol)
        and result.shape != target.shape
    ):
        result = apply(ops.sum_to, (result,), {"shape": target.shape})
    return result, variables


@cache
def _unread(op: Primitive) -> Primitive:
    """What stands for the rules of an operation that are written for numpy's arrays: a function of their inputs."""
    name, inputs = f"{op.name}_vjp", ("g", *op.inputs)
    formula = call_formula(name, inputs, op.variadic)
    return Primitive(name, inputs, op.kernel, variadic=op.variadic, formula=formula)


def _rule_text(
    node: Node, argument: int, g: Any, style: Style, naming: Naming | None = None
) -> str:
    return _with_where(*flow_symbol(node, argument, g, naming or by_label), style)


def _with_locals(
    rule: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]
) -> tuple[Any, dict[str, Symbol]]:
    """The result of a rule and the Symbols that it gave a name on the way."""
    code = getattr(rule, "__code__", None)
    kept: dict[str, Any] = {}

    def watch(frame: FrameType, event: str, value: Any) -> None:
        if event == "return" and frame.f_code is code:
            kept.update(frame.f_locals)

    before = sys.getprofile()
    if before is not None and not callable(before):  # cProfile runs, and cannot be put back
        return rule(*args, **params), {}
    sys.setprofile(watch)
    try:
        result = rule(*args, **params)
    finally:
        sys.setprofile(before)
    given = {id(x) for x in (*args, *params.values())}
    if _GELU.keys() <= kept.keys():
        kept = {_GELU.get(name, name): x for name, x in kept.items()}
    return result, {
        name: x
        for name, x in kept.items()
        if isinstance(x, Symbol) and id(x) not in given and not is_seen_through(x)
    }


_GELU = {"share": "Phi", "density": "phi"}
"""What a rule calls by a word: the normal distribution and its density."""


def _with_where(result: Any, variables: Mapping[str, Symbol], style: Style) -> str:
    body, clauses = with_clauses(result, variables, style)
    if not clauses:
        return body
    word = r" \quad\text{where } " if style.tex else " where "
    return body + word + ", ".join(clauses)


def with_clauses(
    result: Any, variables: Mapping[str, Symbol], style: Style
) -> tuple[str, list[str]]:
    """An expression, and the definitions of the variables that it mentions; with numbers there are none."""
    named = dict(style.named)
    if not style.numbers:
        named |= {id(x): (text_name(name), tex_name(name)) for name, x in variables.items()}
    style = Style(style.tex, style.numbers, named)
    body = write(result, style)
    clauses = []
    pending = _used(result, variables)
    seen: set[str] = set()
    while pending and not style.numbers:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        x = variables[name]
        clauses.append(f"{named[id(x)][style.tex]} = {write(x, style)}")
        pending += _used(x, variables)
    return body, clauses


def _used(x: Any, variables: Mapping[str, Symbol]) -> list[str]:
    """The named Symbols that an expression mentions, itself excepted, in order of appearance."""
    names = {id(v): name for name, v in variables.items()}
    found: list[str] = []
    stack = list(reversed(x.args)) if isinstance(x, Symbol) else []
    while stack:
        part = stack.pop()
        if not isinstance(part, Symbol):
            continue
        if id(part) in names:
            if names[id(part)] not in found:
                found.append(names[id(part)])
        else:
            stack += reversed(part.args)
    return found
