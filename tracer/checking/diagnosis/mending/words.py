"""The words for the lines of a wrong claim: what stands in them, what stands above, and what was recorded."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from tracer.checking.derivations.calculator.vocabulary import FUNCTIONS
from tracer.checking.derivations.reading import REPEAT
from tracer.checking.diagnosis.wrong import SourceLine, Wrong, is_mask, neighbours
from tracer.traces import Trace

from .edits import Words, leaves
from .multipliers import multipliers
from .places import call, constant, minus, named, number_of, places, plus

MOST_WORDS = 40
"""Words of one sort, at most."""
MOST_PHRASES = 6
"""Phrases of the derivation that are used as words, at most."""
MOST_NODES = 2000
"""Nodes that are looked at for words, the nearest first."""
SMALL = 1e-2
"""Numbers below it may be an epsilon."""

OPERATORS: Mapping[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "mul": ast.Mult,
    "div": ast.Div,
    "pow": ast.Pow,
}


def words_for(wrong: Wrong) -> Words:
    """The words for the lines of a wrong claim: those in its lines first, then helpers above, then recorded names."""
    repairs, trace = wrong.repairs, wrong.trace
    if repairs is None or trace is None:
        return Words()
    own = repairs.lines[-1].target
    written: list[ast.expr] = [p.part for line in repairs.lines for p in places(line.expression)]
    others = [p.part for said in repairs.written for p in places(said)]
    known: dict[str, Any] = dict(repairs.names)
    numbers = {name: float(v) for name, v in known.items() if is_number(v)}
    beside = neighbours(trace, wrong.node)
    order = sorted(range(len(trace)), key=lambda k: (k not in beside, abs(k - wrong.node), k))
    nodes = order[:MOST_NODES]
    recorded = _recorded(trace, nodes)
    prefix = "dL_d" if own.startswith("dL_d") else "d"
    values: dict[str, ast.expr] = {}
    near: dict[str, ast.expr] = {}
    far: dict[str, ast.expr] = {}
    shapes = {name: np.shape(value) for name, value in known.items()}
    written += [named(n) for n, k in recorded.items() if k == wrong.node and REPEAT not in n]
    above: list[ast.expr] = [named(name) for name, v in known.items() if _is_array(v)]
    for part in (*written, *above, *others):
        if not isinstance(part, (ast.Name, ast.Subscript)):
            continue
        base = ast.unparse(part).split("[")[0]
        if base not in numbers and base != "True":
            is_gradient = base.startswith("d") and base not in recorded
            (near if is_gradient else values).setdefault(ast.unparse(part), part)
    spelled = frozenset((*values, *near))
    values |= _phrases(wrong, others, near, shapes)
    for name, k in recorded.items():
        values.setdefault(name, named(name))
        shapes.setdefault(name, np.shape(trace.value(k)))
        if k > wrong.node and k != trace.loss and trace.gradient(k) is not None:
            if prefix + name not in near:
                far.setdefault(prefix + name, named(prefix + name))
            shapes.setdefault(prefix + name, np.shape(trace.value(k)))
    for table in (values, near, far):
        table.pop(own, None)
    unnamed = _unnamed(trace, nodes, recorded, shapes)
    literals = {float(v) for v in trace.literals if is_number(v)}
    literals |= {float(v) for given in trace.params for v in given.values() if is_number(v)}
    known_by_name = {1.0, 2.0, 0.5, *(math.sqrt(n) for n in wrong.lengths)}
    return Words(
        values=tuple(values.values())[:MOST_WORDS],
        unnamed=tuple(unnamed.values())[:MOST_WORDS],
        near=tuple(near.values())[:MOST_WORDS],
        far=tuple(far.values())[:MOST_WORDS],
        lengths=_lengths(wrong, numbers),
        literals=tuple(sorted(v for v in literals if v >= SMALL and v not in known_by_name)),
        shapes=shapes,
        masks=frozenset(name for name, k in recorded.items() if is_mask(trace.value(k))),
        shares=frozenset(name for name, k in recorded.items() if is_share(trace.value(k))),
        epsilons=_epsilons(written, numbers, literals),
        indices=_indices(repairs.lines, numbers),
        numbers=frozenset(numbers),
        made=tuple(p for p in above if ast.unparse(p) not in recorded),
        only_recorded=frozenset((*recorded, *far)) - spelled,
        helpers=tuple(p for p in above if (n := ast.unparse(p)) in values and n not in recorded),
        one_sided=frozenset(
            name
            for name, value in [*known.items(), *((n, trace.value(k)) for n, k in recorded.items())]
            if _is_one_sided(np.asarray(value))
        ),
        multipliers={
            text: multipliers(trace, wrong.node, of)
            for text in (*near, *far)
            if (of := recorded.get(_subject(text), -1)) > wrong.node
        },
    )


def _subject(gradient: str) -> str:
    """The name that a gradient is of: `var` of `dvar` and of `dL_dvar`."""
    base = gradient.split("[")[0]
    return base.removeprefix("dL_d") if base.startswith("dL_d") else base.removeprefix("d")


def _phrases(
    wrong: Wrong,
    parts: Iterable[ast.expr],
    gradients: Collection[str],
    shapes: dict[str, tuple[int, ...]],
) -> dict[str, ast.expr]:
    """What the derivation's author makes of recorded values elsewhere: `x - mu`, `np.sqrt(var + eps)`."""
    assert wrong.repairs is not None
    own = len(wrong.repairs.lines) - 1
    found: dict[str, ast.expr] = {}
    for part in parts:
        text = ast.unparse(part)
        made = isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add | ast.Sub | ast.Pow)
        rooted = isinstance(part, ast.Call) and ".sqrt(" in f".{text}"
        names = {ast.unparse(leaf) for leaf in leaves(part)}
        if (
            text in found
            or not (made or rooted)
            or not names.isdisjoint(gradients)
            or len(text) > 30
        ):
            continue
        value = wrong.repairs.again(own, part)
        if value is None or not np.ndim(value):
            continue
        found[text] = part
        shapes.setdefault(text, np.shape(value))
        if len(found) == MOST_PHRASES:
            break
    return found


def _indices(lines: Iterable[SourceLine], numbers: Mapping[str, float]) -> tuple[ast.expr, ...]:
    """The whole numbers that lines use as an index, and those beside them."""
    used: dict[str, ast.expr] = {}
    for line in lines:
        for part in ast.walk(line.expression):
            if isinstance(part, ast.Subscript):
                for inner in ast.walk(part.slice):
                    if isinstance(inner, ast.Name) and inner.id in numbers:
                        used.setdefault(inner.id, inner)
    turns = [named(name) for name in numbers if len(name) == 1 and name.islower()]
    every = {ast.unparse(name): name for name in [*used.values(), *turns]}
    found: list[ast.expr] = []
    for name in every.values():
        found += [name, minus(name, constant(1)), plus(name, constant(1))]
    return tuple(found[:12])


def _recorded(trace: Trace, nodes: Iterable[int]) -> dict[str, int]:
    """Names, and labels where a name repeats, to nodes."""
    found: dict[str, int] = {}
    for k in nodes:
        name, label = trace.names[k], trace.labels[k].replace("#", REPEAT)
        for spelled in (label, name):
            if name and spelled.isidentifier():
                found.setdefault(spelled, k)
    return found


def _unnamed(
    trace: Trace,
    nodes: Iterable[int],
    recorded: Mapping[str, int],
    shapes: dict[str, tuple[int, ...]],
) -> dict[str, ast.expr]:
    """What nodes without a name compute, where that is short: `x - mu`, `np.sqrt(var + 1e-05)`."""
    spelled = {k: name for name, k in reversed([*recorded.items()])}
    found: dict[str, ast.expr] = {}
    for k in nodes:
        if not trace.names[k]:
            code = _spelled(trace, k, spelled, 2)
            if code is not None:
                found.setdefault(ast.unparse(code), code)
                shapes.setdefault(ast.unparse(code), np.shape(trace.value(k)))
    return found


def _spelled(trace: Trace, node: int, names: Mapping[int, str], depth: int) -> ast.expr | None:
    """A node as code: its name, or what it computes."""
    if node < 0:
        literal = trace.literals[-1 - node]
        return constant(literal) if is_number(literal) else None
    if node in names:
        return named(names[node])
    op = trace.op(node)
    if op is None or not depth or trace.params[trace.params_of[node]]:
        return None
    inner = [_spelled(trace, k, names, depth - 1) for k in trace.inputs_of(node)]
    parts = [part for part in inner if part is not None]
    if len(parts) < len(inner):
        return None
    if op.name in OPERATORS and len(parts) == 2:
        return ast.BinOp(parts[0], OPERATORS[op.name](), parts[1])
    if len(parts) == 1 and op.elementwise:
        if op.name in FUNCTIONS:
            return call(op.name, parts[0])
        return ast.Call(named(op.name), parts, []) if op.name != "neg" else None
    return None


def _lengths(wrong: Wrong, numbers: Mapping[str, float]) -> tuple[tuple[int, ast.expr], ...]:
    """The lengths of axes, under the user's own names for them."""
    found: list[tuple[int, ast.expr]] = []
    for length in wrong.lengths:
        spelled = next((name for name, v in numbers.items() if v == length), "")
        found.append((length, named(spelled) if spelled else ast.Constant(length)))
    own = [(int(v), named(name)) for name, v in numbers.items() if v == int(v) and v > 1]
    return tuple({ast.unparse(code): (n, code) for n, code in [*own, *found]}.values())


def _epsilons(
    written: Iterable[ast.expr], numbers: Mapping[str, float], literals: Iterable[float]
) -> tuple[ast.expr, ...]:
    """The small numbers of a derivation and its trace."""
    found = [p for p in written if 0 < abs(numbers.get(ast.unparse(p), 1.0)) < SMALL]
    found += [p for p in written if 0 < abs(number_of(p) or 1.0) < SMALL]
    found += [named(name) for name, v in numbers.items() if 0 < abs(v) < SMALL]
    found += [ast.Constant(v) for v in sorted(literals) if 0 < v < SMALL]
    return tuple({ast.unparse(e): e for e in found}.values())


def is_number(value: Any) -> bool:
    """Whether something is a plain number."""
    plain = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return plain and np.ndim(value) == 0 and bool(np.isfinite(value))


def is_share(value: Any) -> bool:
    """Whether a value is positive and adds up to 1 along some axis, as what softmax gives."""
    value = np.asarray(value)
    if (
        not 1 < value.size <= 100_000
        or value.ndim < 1
        or value.dtype.kind != "f"
        or (value < 0).any()
    ):
        return False
    totals = (np.sum(value, axis) for axis in range(value.ndim) if value.shape[axis] > 1)
    return any(np.allclose(total, 1.0, rtol=1e-6) for total in totals)


def _is_one_sided(value: Any) -> bool:
    """Whether a value is positive everywhere, or nowhere."""
    return value.dtype.kind in "fiu" and bool((value > 0).all() or not (value > 0).any())


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0
