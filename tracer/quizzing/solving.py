"""Hints, each saying more than the one before, and the whole solution, step by step with its numbers."""

from __future__ import annotations

from typing import Any

from tracer.format import elided
from tracer.symbols import Symbol

from .judging import RIGHT, Judge
from .keyboard import typed
from .question import FLOW, FORMULA, GRADIENT, LOCAL, VALUE, Question
from .wording import Line, Said, formula, line, listed, numbers, plain, with_numbers

WIDEST = 170
"""Characters of a calculation that is written out with its numbers."""
_IS = Said(" = ", "=")


def hints(question: Question) -> tuple[Line, ...]:
    """The rule in words, then the formula, then the formula with its numbers; of a formula, what it is made of."""
    rule = _RULES[question.kind](question)
    if question.kind == FORMULA:
        made_of = [line(Said(leaf.text, leaf.tex)) for leaf in question.operands]
        return rule, line("it is made of ", *listed(made_of)) if made_of else rule
    expression = line(question.asked, _IS, formula(question.expression))
    return tuple(dict.fromkeys((rule, expression, _calculation(question) or expression)))


def solution(question: Question) -> tuple[Line, ...]:
    """The formula, the formula with its numbers, and what that comes to."""
    steps = [line(question.asked, _IS, as_accepted(question))]
    calculation = _calculation(question)
    result = numbers(question.right()) if _is_short(question) else None
    if calculation and plain(calculation) != plain(steps[0]):
        steps.append(calculation)
    if result is not None and plain(steps[-1]) != plain(line(question.asked, _IS, result)):
        steps.append(line(question.asked, _IS, result))
    if axes := summed(question.expression):
        many = "all axes" if axes is ALL else f"axis {', '.join(map(str, axes))}"
        steps.append(line(f"Σ sums over {many}, along which it was broadcast"))
    steps += _saved(question)
    return tuple(steps)


def as_accepted(question: Question) -> Said:
    """The formula of an answer, in a form that is right if it is typed."""
    said = formula(question.expression)
    if question.kind != FORMULA or Judge(question, explains=False).of(said.text).verdict == RIGHT:
        return said
    return Said(typed(question) or said.text, said.tex)


def _saved(question: Question) -> list[Line]:
    """What operations have saved for their rules, and a formula mentions."""
    trace, found = question.trace, []
    for edge in question.edges if question.kind == FORMULA else [question.edge]:
        op = trace.op(int(trace.edge_consumer[edge])) if edge >= 0 else None
        for saved in op.saves if op is not None else ():
            leaf = next((x for x in question.operands if x.text == saved.glyph), None)
            if op is not None and leaf is not None:
                said = line(Said(leaf.text, leaf.tex), f" is what {op.name} has saved: ")
                found.append((*said, Said(f"[{elided(leaf.value)}]")))
    return found


def _is_short(question: Question) -> bool:
    size = 1
    for length in question.shape:
        size *= length
    return size <= 12


def _calculation(question: Question) -> Line | None:
    """The formula with its numbers put in, None where these are too many."""
    if question.kind == FORMULA and not _is_short(question):
        return None
    if any(leaf.value.size > 12 for leaf in question.operands):
        return None
    said = with_numbers(question.expression)
    return line(question.asked, _IS, said) if len(said.text) <= WIDEST else None


ALL = (-1,)
"""All axes."""


def summed(expression: Any) -> tuple[int, ...]:
    """The axes that a formula sums over because something was broadcast along them: it does not name them."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Symbol) and part.op is not None:
            if part.op.name == "sum_to":
                given, kept = part.args[0].shape, part.params["shape"]
                lead = len(given) - len(kept)
                spread = (lead + k for k, n in enumerate(kept) if n < given[lead + k])
                axes = (*range(lead), *spread)
                return ALL if len(axes) == len(given) else axes
            waiting += part.args
    return ()


# ----- rules in words


def _of_value(question: Question) -> Line:
    op = question.trace[question.node].op
    assert op is not None
    said = " ".join(op.doc.split("\n\n")[0].split()).partition(". ")[0].rstrip(".")
    return line(f"{op.name}: {said[:1].lower() + said[1:] or 'put the numbers into the formula'}")


def _of_local(question: Question) -> Line:
    x = question.subject.named(question.node)
    return line("it is the derivative of the formula by ", x, " alone, at these numbers")


def _of_flow(question: Question) -> Line:
    subject, sender, x = question.subject, question.sender, question.subject.named(question.node)
    if sender == question.trace.loss:
        return line("the loss's own gradient is 1, so it is the local derivative by ", x)
    came = subject.gradient(sender)
    return line("a flow is what comes in, ", came, ", times the local derivative by ", x)


def _of_gradient(question: Question) -> Line:
    return line("a gradient is the sum of its flows, one for each use of the value")


def _of_formula(question: Question) -> Line:
    subject, chain = question.subject, question.subject.chain
    readers = dict.fromkeys(chain.reader_of(edge) for edge in question.edges)
    names = listed(line(subject.named(reader)) for reader in readers)
    who = "each of which sends" if len(readers) > 1 else "which sends"
    return line("it is read by ", *names, f", {who} what comes in, times the local derivative")


_RULES = {
    VALUE: _of_value,
    LOCAL: _of_local,
    FLOW: _of_flow,
    GRADIENT: _of_gradient,
    FORMULA: _of_formula,
}
