"""Whether an answer is right: a number to the digits typed, a formula on the trace and on runs with other numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from tracer.checking.derivations.claims.counting import first_step
from tracer.checking.derivations.names import Names
from tracer.checking.diagnosis.wrong import same
from tracer.checking.verifying.judged import fitted
from tracer.format import shape as shown
from tracer.replay import affected
from tracer.traces import Trace

from .answers import (
    LEAST_DIGITS,
    TOLERANCE,
    AnswerError,
    Expression,
    Typed,
    read_answer,
)
from .explaining import about_formula, about_numbers, about_the_sign
from .known import ForbiddenError, Known, known_to, worked_out
from .nearness import disagreeing, in_shape, is_close, matches, other_shape, rounds_to
from .question import FLOW, FORMULA, LOCAL, VALUE, Question, Subject
from .readings import Reading, as_gradient, as_outer, elementwise
from .wording import numbers

Array = Any
"""A numpy array or numpy scalar."""

RIGHT, WRONG, AGAIN = "right", "wrong", "again"
EXACT, ROUGH = 1e-6, 1e-3
"""How near a formula comes that is right, and one that is so but for an epsilon or a rounded number in it."""
MOST_SHOWN = 6
"""Numbers of a wrong formula that are shown beside the right ones."""
_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class Judgement:
    """What became of an answer. verdict: RIGHT, WRONG, or AGAIN for one that does not count; said: why, in words."""

    verdict: str
    said: tuple[str, ...] = ()


class Judge:
    """Judges the answers to one question, and explains what is wrong, unless told not to."""

    def __init__(self, question: Question, *, explains: bool = True) -> None:
        self.question, self.explains = question, explains
        self.names = Names(question.trace)
        self.base = first_step(self.names)

    @property
    def twin(self) -> Trace:
        """The trace in float64."""
        return self.question.subject.twin

    @property
    def asked(self) -> tuple[str, ...]:
        """How the left side of an answer may be written."""
        label = self.question.trace.label(self.question.node)
        if self.question.kind == VALUE:
            return (label,)
        if self.question.kind in (LOCAL, FLOW):
            return (self.question.asked.text,)
        return (f"dL/d{label}", f"dL_d{label}", f"d{label}", f"{label}.grad", f"dLd{label}")

    def of(self, text: str) -> Judgement:
        """The judgement of an answer as it was typed; it never fails, whatever was typed."""
        try:
            answer = read_answer(text, self.names, self.asked)
            if isinstance(answer, Typed):
                if _COMMA.fullmatch(text.strip()) and not self.question.shape:
                    point = text.strip().replace(",", ".")
                    raise AnswerError(f"a comma parts two numbers\n  try: {point}")
                return self.of_numbers(answer)
            return self.of_expression(elementwise(answer))
        except AnswerError as error:
            return Judgement(AGAIN, tuple(str(error).splitlines()))
        except (RecursionError, MemoryError):
            return Judgement(
                AGAIN, ("that is nested too deep to be read", "  try: a shorter answer")
            )

    # ----- numbers

    def of_numbers(self, answer: Typed) -> Judgement:
        """Numbers, right if they are to the digits that were typed, or but for the rounding of what is given."""
        question = self.question
        if question.kind == FORMULA:
            return self.number_for_a_formula(answer)
        right = np.asarray(question.right(), np.float64)
        answer = in_shape(answer, right.shape)
        off = disagreeing(answer, right)
        if not off.any():
            return Judgement(RIGHT, self.tolerance(answer, right))
        if rounds_to(answer, right):
            return Judgement(
                AGAIN,
                (f"right as far as it goes: at least {LEAST_DIGITS} significant digits, please",),
            )
        said = about_numbers(question, lambda other: matches(answer, other))
        return Judgement(WRONG, (*_where(off), *(said or about_the_sign(answer.value, right))))

    def number_for_a_formula(self, answer: Typed) -> Judgement:
        """A number where a formula is asked for."""
        right = np.asarray(self.question.right(), np.float64)
        if matches(answer, right):
            return Judgement(
                AGAIN,
                (
                    "that is its number here; asked for is a formula that holds for other numbers too",
                ),
            )
        return Judgement(AGAIN, ("asked for is a formula, such as dL/dy * w",))

    def tolerance(self, answer: Typed, right: Array) -> tuple[str, ...]:
        """What was allowed, where that was needed."""
        if np.array_equal(answer.value, right):
            return ()
        if rounds_to(answer, right):
            return ("to the digits typed",)
        return (f"within {TOLERANCE:.1%}, which is allowed: the given numbers are rounded",)

    # ----- expressions

    def of_expression(self, answer: Expression) -> Judgement:
        """An expression: as it is read in Python, else as it is written on a blackboard, or in a derivation."""
        try:
            found = self.as_read(answer, worked_out)
        except ForbiddenError:
            raise
        except AnswerError:
            if not self.otherwise(answer):
                raise
            return Judgement(RIGHT)
        return Judgement(RIGHT) if found.verdict == WRONG and self.otherwise(answer) else found

    def otherwise(self, answer: Expression) -> bool:
        """Whether a formula is right with its vectors as columns and rows, or as a line of a derivation."""
        if self.question.kind != FORMULA or not self.may_use(answer):
            return False
        for reading in (as_outer, as_gradient(self.question.node)):
            try:
                if self.as_read(answer, reading, explains=False).verdict == RIGHT:
                    return True
            except AnswerError:
                continue
        return False

    def may_use(self, answer: Expression) -> bool:
        """Whether all gradients in an answer may stand in it."""
        allowed = self.known(self.twin).gradients
        nodes = (self.names.gradient(name) for name in answer.names)
        return all(node is None or node in allowed for node in nodes)

    def as_read(self, answer: Expression, read: Reading, *, explains: bool = True) -> Judgement:
        """An expression: its number, and, as far as it is made of recorded values, its number on other runs."""
        question = self.question
        found = read(answer, self.known(self.twin))
        right = np.asarray(question.right(self.twin), np.float64)
        formula = bool(answer.names)
        if question.kind == FORMULA and not formula:
            exact = Typed(found, np.zeros_like(found), np.full(np.shape(found), 17))
            return self.number_for_a_formula(exact)
        whole = self.fitted(found, right.shape)
        if whole is None and (not formula or question.at is not None):
            raise AnswerError(other_shape(np.shape(found), right.shape))
        close = EXACT if formula else TOLERANCE
        near = whole is not None and (
            same(whole, right, close) if formula else is_close(whole, right)
        )
        if formula and not near and whole is not None and same(whole, right, ROUGH):
            close, near = ROUGH, True
        if not near:
            return self.wrong(answer, found, whole, right) if explains else Judgement(WRONG)
        if formula:
            moved = self.differs(answer, close, read)
            if moved is not None:
                return self.coincidence(answer, *moved) if explains else Judgement(WRONG)
        rough = formula and close == ROUGH
        return Judgement(RIGHT, (f"to {ROUGH:.1%}: for an epsilon, or a rounded number",) * rough)

    def fitted(self, found: Array, shape: tuple[int, ...]) -> Array | None:
        """A result in the shape that is asked for: of a whole array, the element; None if it does not fit."""
        at = self.question.at
        if at is None or np.size(found) == 1:
            return fitted(found, shape)
        local = self.question.kind == LOCAL
        whole = self.question.trace[self.question.sender if local else self.question.node].shape
        try:
            return np.broadcast_to(found, whole)[at]
        except ValueError:
            return None

    def wrong(
        self, answer: Expression, found: Array, whole: Array | None, right: Array
    ) -> Judgement:
        """Why an expression is wrong."""
        question = self.question
        if not self.explains:
            return Judgement(WRONG)
        if whole is None:
            note = f"its shape is {shown(np.shape(found))}, and {shown(right.shape)} is asked for"
            said: tuple[str, ...] = (note,)
        else:
            said = _where(~np.isclose(whole, right, rtol=1e-6, atol=0))
        if question.kind == FORMULA:
            about = about_formula(question, answer.text, self.runs, self.known(self.twin).gradients)
            return Judgement(WRONG, (*said, *(about or _beside(found, right))))
        if whole is None:
            return Judgement(WRONG, said)
        about = about_numbers(question, lambda other: is_close(whole, other))
        if answer.names and about != self.about_on_a_run(answer):
            about = ()
        return Judgement(WRONG, (*said, *(about or about_the_sign(whole, right))))

    def about_on_a_run(self, answer: Expression) -> tuple[str, ...]:
        """What explains an expression on a run with other numbers: what does not is a coincidence of these."""
        for run in self.runs:
            moved = replace(self.question, subject=Subject(run))
            try:
                found = self.fitted(worked_out(answer, self.known(run)), moved.shape)
            except AnswerError:
                continue
            return about_numbers(moved, partial(is_close, found))
        return ()

    def coincidence(self, answer: Expression, run: Trace, found: Array, right: Array) -> Judgement:
        """An answer that is right by these numbers alone."""
        if not self.explains:
            return Judgement(WRONG)
        said = ("the number is right, but only by coincidence: with other inputs it is not",)
        if np.size(found) == np.size(right) == 1:
            there, here = numbers(np.ravel(found)[0], 4).text, numbers(np.ravel(right)[0], 4).text
            said = (
                f"right only by coincidence: with other inputs it comes to {there}, not {here}",
            )
        if self.question.kind != FORMULA:
            return Judgement(RIGHT, said)
        about = about_formula(
            self.question, answer.text, self.runs, self.known(run).gradients, coincident=True
        )
        return Judgement(WRONG, (*said, *about))

    def known(self, trace: Trace) -> Known:
        """What an answer may use: the values so far, and the gradients on the way from the loss to what is asked."""
        question = self.question
        if question.kind == VALUE:
            return known_to(trace, range(question.node), (), self.base)
        source = question.sender if question.kind == FLOW else question.node
        ahead = set(affected(question.trace, [source], question.trace.loss))
        ahead |= {source} if question.kind == FLOW else set()
        gradients = () if question.kind == LOCAL else ahead
        return known_to(trace, range(len(trace)), gradients, self.base)

    def differs(
        self, answer: Expression, close: float, read: Reading
    ) -> tuple[Trace, Array, Array] | None:
        """A run with other numbers on which an answer is wrong, what it comes to there, and what is right."""
        for run in self.runs:
            right = np.asarray(self.question.right(run), np.float64)
            try:
                found = read(answer, self.known(run))
            except AnswerError:
                continue
            whole = self.fitted(found, right.shape)
            if whole is None or not same(whole, right, close):
                return run, found, right
        return None

    @cached_property
    def runs(self) -> Sequence[Trace]:
        """The trace with other numbers in its inputs and parameters, by the same path of control."""
        with np.errstate(all="ignore"):
            return [
                run
                for run in self.question.subject.runs
                if np.isfinite(np.asarray(self.question.right(run), np.float64)).all()
            ]


def judge(question: Question, text: str) -> Judgement:
    """The judgement of an answer as it was typed.

    >>> import tracer as tr
    >>> from tracer.quizzing.making import draw
    >>> x, y = tr.tensor(3.0, name="x"), tr.tensor(-4.0, name="y")
    >>> (question,) = draw(tr.trace(x * y), kinds=["value"])
    >>> judge(question, "-12").verdict, judge(question, "-1").verdict, judge(question, "x + y").said
    ('right', 'wrong', ('that is the sum, and this is a product',))
    """
    return Judge(question).of(text)


def _where(off: Array) -> tuple[str, ...]:
    """Which numbers of a matrix are wrong, if not all are."""
    count = int(np.sum(off))
    if not np.ndim(off) or not 0 < count < np.size(off):
        return ()
    places = ", ".join(str([int(k) for k in place]) for place in np.argwhere(off)[:4])
    return (f"{np.size(off) - count} of {np.size(off)} numbers are right; wrong at {places}",)


def _beside(found: Array, right: Array) -> tuple[str, ...]:
    """What a formula comes to beside what it should come to, where that is short."""
    if np.shape(found) != np.shape(right) or np.size(right) > MOST_SHOWN:
        return ()
    return (f"it comes to {numbers(found, 4).text}, and should come to {numbers(right, 4).text}",)
