"""What is given on paper, where all questions are seen at once: never what another of them asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracer.symbols import Symbol

from .question import FLOW, FORMULA, GRADIENT, VALUE, Question
from .wording import Line, Said, line, numbers

_IS = Said(" = ", "=")


def given(questions: Sequence[Question], question: Question) -> tuple[Line, ...]:
    """What a question gives, with the answers to the others left out: `q = your answer to 1`."""
    if question.kind == FORMULA:
        return ()
    return tuple(_given(questions, question, leaf) for leaf in question.operands)


def _given(questions: Sequence[Question], question: Question, leaf: Symbol) -> Line:
    shown, told = numbers(leaf.value), ""
    hidden = np.zeros(np.shape(leaf.value), bool)
    for number, other in enumerate(questions, start=1):
        if other is question:
            continue
        for name in _answers(question, other):
            if leaf.text == name or leaf.text.startswith(f"{name}["):
                return line(Said(leaf.text, leaf.tex), f" = from your answer to {number}")
            if other.at and name == f"{leaf.text}[{','.join(map(str, other.at))}]":
                hidden[other.at] = True
                told += f", with your answer to {number}"
    if hidden.any() and np.isfinite(leaf.value).all():
        blank = numbers(np.where(hidden, np.nan, leaf.value))
        shown = Said(blank.text.replace("nan", "?"), blank.tex.replace(r"\mathrm{nan}", "?"))
    return line(Said(leaf.text, leaf.tex), _IS, shown, *((told,) if told else ()))


def _answers(question: Question, other: Question) -> Iterator[str]:
    """How a given number would be called that is the answer to another question."""
    subject = other.subject
    if other.kind == VALUE:
        yield subject.named(other.node, other.at).text
    if other.kind == GRADIENT or (other.kind == FLOW and len(other.edges) == 1):
        yield subject.gradient(other.node, other.at).text
    same_number = (other.node, other.at) == (question.node, question.at)
    if other.kind == FLOW and question.kind == GRADIENT and same_number:
        yield f"flow from {subject.named(other.sender).text}"
