"""Why an answer is wrong: of numbers, the mistakes that come to them; of a formula, the verifier's diagnosis.

What is typed is rounded, so it is the mistakes that are worked out, and compared to the digits that were typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from tracer.checking.derivations.claims import claims_of_text
from tracer.checking.derivations.names import Names
from tracer.checking.diagnosis.constants import factor
from tracer.checking.diagnosis.finders import diagnose
from tracer.checking.diagnosis.wrong import sizes_near, wrong_in
from tracer.errors import GradstepError
from tracer.traces import Trace

from .answers import as_line
from .mistaken import alone, other_operations, parts_of, products
from .question import FLOW, FORMULA, GRADIENT, LOCAL, VALUE, Question
from .wording import formula

Array = Any
"""A numpy array or numpy scalar."""
Mistake = tuple[Array, str]
"""What a mistake comes to, and what it is."""

MOST_SIZES = 12
"""Lengths of axes that a factor may stand for."""


def about_numbers(question: Question, matches: Callable[[Array], bool]) -> tuple[str, ...]:
    """What explains wrong numbers: the first mistake that comes to them. matches: whether an answer is an array."""
    right = np.asarray(question.right(), np.float64)
    with np.errstate(all="ignore"):
        for found, said in mistakes(question):
            found = np.asarray(found, np.float64)
            if found.shape != right.shape or not np.isfinite(found).all():
                continue
            if matches(found) and not np.allclose(found, right, rtol=1e-3, atol=0):
                return (said,)
    return ()


def about_the_sign(found: Array, right: Array) -> tuple[str, ...]:
    """What is said of numbers that no mistake explains."""
    if np.ndim(right):
        good = int(np.sum(np.sign(found) == np.sign(right)))
        which = "all" if good == np.size(right) else f"{good} of {np.size(right)}"
        return (f"{which} signs are right",) if np.isfinite(found).all() else ()
    if not np.isfinite(found):
        return ()
    if not right:
        return ("it is nearer to 0",)
    if not found:
        return ("it is not 0",)
    if found * right > 0:
        return (
            f"the sign is right, but it is too {'large' if abs(found) > abs(right) else 'small'}",
        )
    return ("the sign is wrong, and the size too",)


def about_formula(
    question: Question,
    text: str,
    runs: Sequence[Trace],
    gradients: Collection[int],
    *,
    coincident: bool = False,
) -> tuple[str, ...]:
    """What the verifier finds about a wrong formula: only what it finds on every run, or it would be a coincidence.

    runs: replays with other numbers. gradients: those that an answer may use, and so a cure. coincident: whether the
    formula is right by the recorded numbers, on which nothing is found then.
    """
    traces = [*runs] if coincident else [question.subject.twin, *runs]
    if len(traces) < 2:
        return ()
    each = []
    for trace in traces:
        each.append(_diagnosed(question, text, trace))
        if not each[-1]:
            return ()
    names = Names(question.trace)
    for said in each[0]:
        used = (names.gradient(name) for name in re.findall(r"\bdL_d[\w#]+", said))
        if all(said in other for other in each[1:]) and all(node in gradients for node in used):
            return (said.replace("dL_d", "dL/d"),)
    return ()


def _diagnosed(question: Question, text: str, trace: Trace) -> tuple[str, ...]:
    label = trace.label(question.node)
    try:
        derived = claims_of_text(Names(trace), as_line(text, label))
    except GradstepError:
        return ()
    for claim in derived.claims:
        if claim.node == question.node:
            with np.errstate(all="ignore"):
                found = diagnose(wrong_in(trace, claim.node, claim.alone, claim.repairs))
            return tuple(re.sub(r"^line \d+( \([^)]*\))?: ", "", each.text) for each in found)
    return ()


def mistakes(question: Question) -> Iterator[Mistake]:
    """The mistakes that can be made, those that say most first."""
    yield from _KINDS[question.kind](question)
    yield from _of_any(question)


# ----- by kind


def _of_values(question: Question) -> Iterator[Mistake]:
    """An operation left out, or taken for another; the gradient in place of the value."""
    node = question.trace[question.node]
    for part, value in parts_of(question):
        yield value, f"that is {part}: there is more to do"
    yield from other_operations(question)
    if node.gradient is not None:
        yield _at(question, node.gradient), "that is its gradient, and its value is asked for"


def _of_locals(question: Question) -> Iterator[Mistake]:
    """What the node sends, or its value, in place of its local derivative; that by another input."""
    trace, at = question.trace, question.at or ()
    sender = trace[question.sender]
    right = question.right()
    upstream = np.asarray(trace.gradient(question.sender))[at]
    yield right * upstream, "that is the flow: the local derivative is without what comes in"
    yield upstream, f"that is what comes in, ∂L/∂{sender.label}"
    yield from products(question.expression)
    yield sender.value[at], f"that is the value of {sender.label}, and its derivative is asked for"
    for edge in range(trace.input_start[sender.index], trace.input_start[sender.index + 1]):
        if edge != question.edge and trace.edge_flows[edge]:
            other = Question(question.subject, LOCAL, int(trace.input_of[edge]), edge, question.at)
            name = trace.label(other.node)
            yield other.right(), f"that is the local derivative by {name}"
    yield 1 / right, "that is one over it"


def _of_flows(question: Question) -> Iterator[Mistake]:
    """The upstream gradient without the local derivative, or the other way round; a factor forgotten; another flow."""
    trace, sender = question.trace, question.sender
    came = f"∂L/∂{trace.label(sender)}"
    local = f" {formula(alone(question.expression, came)).text}" if sender != trace.loss else ""
    upstream = trace.gradient(sender)
    at = question.at or ()
    if upstream is not None:
        if np.shape(upstream) == np.shape(trace.value(question.node)):
            upstream = np.asarray(upstream)[at]
        yield upstream, f"that is what comes in, {came}: the local derivative{local} was forgotten"
    yield from products(question.expression)
    yield from _other_flows(question)
    whole = trace.gradient(question.node)
    count = len(question.edges)
    if count > 1 and whole is not None:
        yield (
            _at(question, whole),
            f"that is the whole gradient, of {count} flows: one is asked for",
        )
    yield from _values_for_gradients(question)


def _other_flows(question: Question) -> Iterator[Mistake]:
    """What the node sends to its other inputs."""
    trace, chain = question.trace, question.subject.chain
    for other in chain.notation.names:
        if other == question.node or not trace.receives[other] or other in chain.nested:
            continue
        if (
            other >= question.sender
            or trace.value(other).shape != question.trace[question.node].shape
        ):
            continue
        for edge in trace.timeline.arrivals(other):
            if chain.reader_of(edge) == question.sender:
                flow = trace.flow(edge).cotangent
                yield _at(question, flow), f"that is the flow to {trace.label(other)}"


def _of_gradients(question: Question) -> Iterator[Mistake]:
    """A flow forgotten, counted twice, or of the wrong sign; flows that are averaged or multiplied."""
    trace, edges = question.trace, question.edges
    flows = [np.asarray(_at(question, trace.flow(edge).cotangent)) for edge in edges]
    names = [question.subject.named(question.subject.chain.reader_of(e)).text for e in edges]
    total = np.asarray(question.right())
    for flow, name in zip(flows, names, strict=True):
        yield total - flow, f"the flow from {name} was forgotten"
    for flow, name in zip(flows, names, strict=True):
        yield flow, f"that is the flow from {name} alone: a gradient is the sum of all"
        yield total + flow, f"the flow from {name} is counted twice"
        yield total - 2 * flow, f"the flow from {name} has the wrong sign"
    yield total / len(flows), "flows are added, and that is their mean"
    yield np.prod(flows, axis=0), "flows are added, and that is their product"
    yield from _values_for_gradients(question)


def _of_formulas(question: Question) -> Iterator[Mistake]:
    """A formula has its lines, by which the verifier finds more."""
    return iter(())


_KINDS: dict[str, Callable[[Question], Iterator[Mistake]]] = {
    VALUE: _of_values,
    LOCAL: _of_locals,
    FLOW: _of_flows,
    GRADIENT: _of_gradients,
    FORMULA: _of_formulas,
}


# ----- of any kind


def _values_for_gradients(question: Question) -> Iterator[Mistake]:
    """The value in place of the gradient."""
    node = question.trace[question.node]
    yield _at(question, node.value), f"that is the value of {node.label}, and not a gradient"
    if question.kind == FLOW:
        sender = question.trace[question.sender]
        if sender.shape == node.shape:
            yield _at(question, sender.value), f"that is the value of {sender.label}"


def _of_any(question: Question) -> Iterator[Mistake]:
    """A sign, a factor, axes in the wrong order, what the operands are."""
    right = np.asarray(question.right(), np.float64)
    sizes = sorted(size for size in sizes_near(question.trace, question.node) if size > 1)
    sizes = sizes[:MOST_SIZES]
    for k in (-1.0, 2.0, 0.5, *(float(m) for m in sizes), *(1 / m for m in sizes), -2.0, -0.5):
        yield k * right, f"it is {factor(k, sizes)[1]}"
    if right.ndim == 2:
        yield right.T, "it is transposed: rows and columns are exchanged"
    for leaf in question.operands:
        yield leaf.value, f"that is {leaf.text} alone"


def _at(question: Question, array: Array) -> Array:
    """The element that is asked for."""
    return array if question.at is None else np.asarray(array)[question.at]
