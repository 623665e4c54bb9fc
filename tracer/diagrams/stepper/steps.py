"""The steps of a walk through a trace as a reader meets them: which ones, each as a formula and in plain words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tracer import format as short
from tracer.diagrams.names import formula_text, plain
from tracer.errors import GradstepError
from tracer.formulas import Naming, bracketed, flow_formula, formula
from tracer.nodes import Node
from tracer.symbols import viewed
from tracer.timeline import Timeline
from tracer.traces import Trace

MOST_STEPS = 1000
"""A page of more steps would be too heavy for a phone; of a longer walk a part of the steps is shown."""
MOST_WORK = 150_000
"""So many nodes times steps are drawn at most: some ten seconds of work."""
LOWERED, LEVEL = "\x01", "\x02"
"""Around what a formula sets as a subscript; no name holds them, because names are made printable."""
_LONGEST_NAME, _LONGEST_FORMULA, _LONGEST_NUMBERS = 40, 320, 90


class Told(NamedTuple):
    """One step: the node that ran or sent, the lines of its formula, and what happens, in words."""

    position: int
    node: int
    formula: tuple[str, ...]
    """What is computed, then `= …` with names, with numbers, and the result, which is always the last."""
    words: str


def positions(timeline: Timeline, most: int | None = None) -> list[int]:
    """The positions that a page shows: all, else whole nodes, else as many of those as allowed, evenly.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> positions(tr.trace(x * x * x).timeline), positions(tr.trace(x * x * x).timeline, 5)
    ([0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 4, 6])
    """
    if most is None:
        most = min(MOST_STEPS, MOST_WORK // len(timeline.trace))
    most = max(most, 3)
    if timeline.last < most:
        return list(range(timeline.last + 1))
    found = [0]
    while found[-1] < timeline.last:
        found.append(timeline.next_boundary(found[-1]))
    if len(found) > most:
        chosen = np.linspace(0, len(found) - 1, most).round().astype(int)
        found = sorted({*(found[k] for k in chosen), timeline.forward_steps})
    return found


Called = Callable[[int], str]
"""What the figure calls a node."""


def told(trace: Trace, position: int, called: Called | None = None) -> Told:
    """What happens at the step that leads to a position; with nodes named as in a figure, else by their labels.

    >>> import tracer as tr
    >>> x, y = tr.tensor(2.0, name="x"), tr.tensor(5.0, name="y")
    >>> trace = tr.trace(x * y)
    >>> told(trace, 1).formula[1:], told(trace, 2).formula
    (('= x · y', '= 2 · 5', '= 10'), ('∂L/∂x', '+= ∂L/∂mul@2 · y', '= 1 · 5', '= 5'))
    """
    step = trace.timeline.step(position)
    called = _in_full(trace, called or (lambda i: plain(trace.label(i))))
    if step.phase == "start":
        return Told(position, -1, (), _beginning(trace))
    if step.phase == "forward":
        return _forward(trace, position, trace[step.node], called)
    return _backward(trace, position, trace[step.node], called)


def _beginning(trace: Trace) -> str:
    if not trace.timeline.forward_steps:
        return "Nothing runs in this trace: it has inputs and parameters only."
    return "Inputs and parameters have their values. The forward pass comes next, then the backward pass."


def _forward(trace: Trace, position: int, node: Node, called: Called) -> Told:
    label = _label(node, called)
    symbol = _symbol_of(called)
    value = _number(node.seen)
    lines = (
        _set(label),
        *_right_sides(
            "=",
            _written(formula, node, naming=symbol),
            _written(formula, node, numbers=True, naming=symbol),
            value,
        ),
    )
    sources = [
        _label(source, called) if isinstance(source, Node) else _number(source)
        for source in node.inputs
    ]
    words = (
        f"{plain(node.op_name)} of {_listed(sources)} gives {label} = {value}{_sized(node.seen)}."
    )
    if node.index == trace.loss:
        seed = node.seen_gradient
        if seed is not None:
            words += f" {label} is the loss L: the backward pass starts here, with ∂L/∂{label} = {_number(seed)}."
    return Told(position, node.index, lines, words)


def _backward(trace: Trace, position: int, node: Node, called: Called) -> Told:
    timeline = trace.timeline
    edge = timeline.flow_at(position)
    assert edge is not None
    flow, argument = trace.seen_flow(edge), int(trace.edge_argument[edge])
    target = trace[int(trace.input_of[edge])]
    amount = _number(flow)
    symbol = _symbol_of(called)
    lines = (
        f"∂L/∂{_set(bracketed(_label(target, called)))}",
        *_right_sides(
            "+=",
            _written(flow_formula, node, argument, naming=symbol),
            _written(flow_formula, node, argument, numbers=True, naming=symbol),
            amount,
        ),
    )
    label = _label(target, called)
    words = f"{_label(node, called)} sends {amount}{_sized(flow)} to {label}."
    status = timeline.status(position, target.index)
    if status.expected == 1:
        words += f" It is the only flow to {label}: its gradient is final."
    else:
        total = timeline.seen_gradient(position, target.index)
        words += f" Flow {status.arrived} of {status.expected}: the gradient of {label} is "
        words += (
            f"{_number(total)} so far."
            if status.state == "partial"
            else f"final, {_number(total)}."
        )
    return Told(position, node.index, lines, words)


def _right_sides(sign: str, names: str, numbers: str, result: str) -> tuple[str, ...]:
    """`= x · y`, `= 2 · 5`, `= 10`: without a side that says nothing new or takes too much room."""
    sides = [_set(names)] if names else []
    if numbers not in ("", names, result) and len(numbers) <= _LONGEST_NUMBERS:
        sides.append(numbers)
    if result != names:
        sides.append(result)
    signs = (sign, *("=" for _ in sides))
    return tuple(f"{mark} {side}" for mark, side in zip(signs, sides, strict=False))


def _written(write: Any, node: Node, *argument: int, naming: Naming, numbers: bool = False) -> str:
    """A formula, or nothing where the operation came without one."""
    try:
        return plain(
            write(node, *argument, numbers=numbers, naming=naming), longest=_LONGEST_FORMULA
        )
    except GradstepError:
        return ""


def _set(text: str) -> str:
    """The text with its subscripts between `LOWERED` and `LEVEL`."""
    runs = formula_text(text, longest=_LONGEST_FORMULA)
    return "".join(f"{LOWERED}{run.text}{LEVEL}" if run.lowered else run.text for run in runs)


def _label(node: Node, called: Called) -> str:
    return plain(called(node.index), longest=_LONGEST_NAME)


def _symbol_of(called: Called) -> Naming:
    """How formulas write a node: as the figure calls it."""
    return lambda node: viewed(node.seen, called(node.index))


def _in_full(trace: Trace, called: Called) -> Called:
    """What the figure calls a node; a formula that it shortens in full if that is short, else the label of the node."""

    def known(i: int) -> str:
        return plain(trace.label(i)) if "…" in called(i) else called(i)

    @cache
    def name(i: int) -> str:
        if known(i) == called(i) or trace.op_of[i] < 0:
            return known(i)
        whole = _written(formula, trace[i], naming=_symbol_of(known))
        return whole if whole and len(whole) <= _LONGEST_NAME else known(i)

    return name


def _number(value: Any) -> str:
    if np.ndim(value):
        return f"[{short.elided(value)}]"
    return short.number(value)


def _sized(value: Any) -> str:
    sizes = np.shape(value)
    return f" ({short.shape(sizes)})" if sizes else ""


def _listed(words: list[str]) -> str:
    if len(words) > 4:
        return f"{words[0]}, {words[1]} and {len(words) - 2} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
