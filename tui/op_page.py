"""The page of one operation: what `gradstep ops NAME` prints. Everything on it is read from the declaration."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import tracer as tr
from ops import Primitive
from ops.catalogue import ACCELERATED, COMPILED, NEVER
from ops.primitive import NUMBERS, Sample
from tracer import formulas
from tracer.format import number, shape, typed
from tracer.replay import parts_trace
from tracer.symbols import param_text
from tui.curves import curves, has_curve
from tui.operations import Entry, compiled_from, example, formula_of, second_order
from tui.printing import Line, Piece, Terminal, reflowed, wrapped

PAGE = 100
"""Text is not set wider than this."""
LABEL = 14
"""The width of the labels beside the facts."""
MANY = 12
"""Of more parts than this, each kind is named once, with its count."""

TWICE = {
    "✓": "its gradient has a gradient again",
    "0": "differentiable, but its second derivative is zero",
    "—": "not differentiable",
}


def op_page(each: Entry, terminal: Terminal) -> list[Line]:
    """One operation: its call, formula and derivatives, its help, its curve, its samples, kernels and parts."""
    columns = min(terminal.columns, PAGE)
    spell = terminal.spell
    lines: list[Line] = [(Piece(x, "name"),) for x in wrapped(spell(each.usage), columns, "    ")]
    op = each.op
    if op is not None:
        lines += [(), *_formulas(op, columns, terminal)]
    lines += [(), *((Piece(line),) for line in reflowed(spell(each.doc), columns))]
    if op is not None and each.function is not None:
        recorded = spell(f"recorded as the primitive {op.usage()}:")
        lines += [(), *((Piece(line, "faint"),) for line in wrapped(recorded, columns, "    "))]
        lines += [(Piece(line),) for line in reflowed(spell(op.doc), columns)]
    if op is not None and has_curve(op):
        lines += [(), *plot(op, terminal)]
    return [*lines, (), *_facts(each, columns, terminal)]


# ----- formulas


def _formulas(op: Primitive, columns: int, terminal: Terminal) -> Iterator[Line]:
    """The formula, the derivative by each input, what the names in them stand for, and the sizes that they hold."""
    texts = [("value", formula_of(op)), *(("gradient", text) for text in derivatives(op))]
    sizes = shapes_of(op)
    if sizes:
        texts.append(("faint", sizes))
    for shows, text in texts:
        after = " " * (len(text) - len(text.lstrip()) + 6)
        for line in wrapped(terminal.spell(text), columns - 2, after):
            yield (Piece(f"  {line}", shows),)


def derivatives(op: Primitive) -> list[str]:
    """The local derivative by each input, as a formula: `∂/∂x: y`, or the linear map of a cotangent `g ↦ g @ yᵀ`.

    Names that a rule gives to parts of it follow below: once for all inputs if they mean the same everywhere.
    """
    node = example(op)
    if node is None:
        return []
    bodies: list[tuple[str, dict[str, str]]] = []
    for k, name in enumerate(node.argument_names):
        if not op.differentiable(k):
            bodies.append((f"∂/∂{name}: no derivative", {}))
        elif node.trace.inputs_of(node.index)[k] >= 0:
            body, clauses = _clauses(formulas.local_derivative(node, k))
            bodies.append((f"∂/∂{name}: {body}", clauses))
    meanings: dict[str, str] = {}
    shared = all(
        meanings.setdefault(name, text) == text
        for _, named in bodies
        for name, text in named.items()
    )
    lines = []
    for body, named in bodies:
        lines += [body] if shared else [body, *_where(named)]
    return [*lines, *_where(meanings)] if shared else lines


def _clauses(formula: str) -> tuple[str, dict[str, str]]:
    """A formula and what follows its "where", by name.

    >>> _clauses("g · a where a = max(x, 0), b = 2")
    ('g · a', {'a': 'max(x, 0)', 'b': '2'})
    """
    body, _, rest = formula.partition(" where ")
    parts = re.split(r", (?=[^\s,()]+ = )", rest) if rest else []
    return body, dict(tuple(part.split(" = ", 1)) for part in parts)


def _where(named: dict[str, str]) -> list[str]:
    return [
        f"  {'where' if not k else '     '} {name} = {text}"
        for k, (name, text) in enumerate(named.items())
    ]


def shapes_of(op: Primitive) -> str:
    """The shapes for which the formulas of the page are written: counts such as N stand in them as numbers."""
    node = example(op)
    leaves = [leaf for leaf in node.trace if leaf.is_leaf] if node is not None else []
    sizes = ", ".join(f"{leaf.label} {shape(leaf.shape)}" for leaf in leaves)
    return f"with {sizes}" if sizes else ""


# ----- the curve


def plot(op: Primitive, terminal: Terminal) -> list[Line]:
    """The value and the slope of an operation of one number, the slope from its rule."""
    columns = max(min(terminal.columns, PAGE) - 2, 34)
    found = curves(op)
    marks = [replace(mark, label=terminal.spell(mark.label)) for mark in found.marks]
    rows = min(max(columns // 4, 10), 20) + 1
    lines = replace(found, marks=marks).lines(columns, rows, braille=terminal.signs)
    return [(Piece("  "), *line) for line in lines]


# ----- the facts


def _facts(each: Entry, columns: int, terminal: Terminal) -> Iterator[Line]:
    for label, texts in facts(each):
        for text in filter(None, texts):
            for line in wrapped(terminal.spell(text), columns - LABEL, "  "):
                yield (Piece(f"{label:<{LABEL}}", "faint"), Piece(line))
                label = ""


def facts(each: Entry) -> list[tuple[str, list[str]]]:
    """What there is to know beside the help: a label, and lines."""
    op = each.op
    if op is None:
        return [("family", [f"{each.family}; a function, which records what it calls"])]
    public = "" if hasattr(tr, each.name) else ", called by other operations only"
    return [
        ("family", [each.family + public]),
        ("same as", ["" if op.name == each.name else op.name]),
        ("second order", [TWICE[second_order(op)]]),
        ("kernels", [kernels_of(op)]),
        ("opens into", [opens_into(op)]),
        ("tested on", [call_text(op, one) for one in op.samples(np.random.default_rng(0))]),
    ]


def kernels_of(op: Primitive) -> str:
    """Which kernels compute an operation, and when."""
    least = compiled_from(op)
    if op.name in ACCELERATED:
        return f"numpy; numba from {least:,} elements of {op.inputs[0]}"
    if least:
        value = COMPILED[op.name].value
        if value < NEVER:
            return f"numpy; numba flows from {least:,}, values from {value:,} elements"
        return f"numpy; numba for what flows back, from {least:,} elements"
    if op.elementwise and any(op.rules):
        return 'numpy; numba where tr.kernels("numba") asks for it'
    return "numpy"


def opens_into(op: Primitive) -> str:
    """The smaller operations that a fused one opens into, in order; of many, each once with its count."""
    node = example(op) if op.parts is not None else None
    if node is None:
        return ""
    parts = [part.op_name for part in parts_trace(node.trace, node.index) if not part.is_leaf]
    if len(parts) <= MANY:
        return ", ".join(parts)
    counted = (f"{count} × {name}" if count > 1 else name for name, count in Counter(parts).items())
    return f"{len(parts)} operations: {', '.join(counted)}"


def call_text(op: Primitive, one: Sample) -> str:
    """A sample as a call, with types and shapes for its arrays: `sum(f64[2×3×4], axis=1)`."""
    args = [_argument_text(x) for x in one.args]
    params = [
        f"{name}={value!r}" if isinstance(value, str) else f"{name}={param_text(value)}"
        for name, value in one.params.items()
    ]
    return f"{op.name}({', '.join(args + params)})"


def _argument_text(x: Any) -> str:
    if x is None or isinstance(x, Sequence):
        return repr(x)
    return number(x) if type(x) in NUMBERS else typed(np.asarray(x))
