"""Which questions a trace is good for, and which of them are asked: by lot, along the timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tracer.elements import Element
from tracer.errors import GradstepError
from tracer.formulas import local_derivative
from tracer.symbols import is_seen_through
from tracer.traces import Trace

from .keyboard import typed
from .question import (
    FLOW,
    FORMULA,
    GRADIENT,
    KINDS,
    LOCAL,
    VALUE,
    Question,
    Subject,
    is_small,
)
from .wording import formula

LEVELS = {1: (VALUE, LOCAL), 2: (VALUE, LOCAL, FLOW, GRADIENT), 3: tuple(KINDS)}
"""What is asked at each level."""
MOST_ASKED = 6
"""Numbers of an array that are asked for together; of larger ones an element is."""
MOST_FLOWS = 6
"""Flows of a gradient that are added up."""
MOST_TERMS = 3
"""Flows of a gradient that is asked for as a formula."""
LONGEST = 100
"""Characters of a formula that is asked about."""
MOST_NUMBERS = 2_000_000
"""Of a trace with more numbers no formulas are asked for: they are judged on whole runs of it."""
MOST_NODES = 400
"""Of a longer trace so many nodes are looked at, drawn by lot."""
MOVING = frozenset(
    (
        "reshape transpose broadcast_to concatenate stack getitem scatter astype detach flatten ravel squeeze "
        "expand_dims swapaxes moveaxis flip roll repeat tile pad take gather take_along_axis split sum_to one_hot "
        "diagonal tril triu embedding"
    ).split()
)
"""Operations that move numbers and compute nothing: no question."""

Weight = Callable[[str, str], float]
"""How much an operation and a kind of question is to be practised; 1 is as much as any other."""


class QuizError(GradstepError):
    """A quiz that cannot be made: of a kind that there is not, or of a trace without questions."""


class Candidate(NamedTuple):
    """What may be asked, before anybody has worked out whether it makes a good question."""

    kind: str
    node: int
    edge: int = -1


def draw(
    trace: Trace,
    count: int = 10,
    *,
    seed: int = 0,
    kinds: Sequence[str] = tuple(KINDS),
    weight: Weight = lambda operation, kind: 1.0,
    from_start: bool = False,
) -> tuple[Question, ...]:
    """So many questions about a trace, or as many as it is good for, in the order of its timeline.

    seed: the random seed; the same seed draws the same questions. kinds: of KINDS. weight: what is to be practised.
    from_start: the first questions along the timeline, without lots.
    Raises `QuizError` for an unknown kind, and for a trace that has no question of these kinds.

    >>> import tracer as tr
    >>> x, y = tr.tensor(3.0, name="x"), tr.tensor(-4.0, name="y")
    >>> [question.kind for question in draw(tr.trace(x * y), 2, kinds=["value"])]
    ['value']
    """
    for kind in kinds:
        if kind not in KINDS:
            raise QuizError(
                f"there are no questions of the kind {kind!r}\n  try: {', '.join(KINDS)}"
            )
    if trace.loss < 0:
        raise QuizError("the trace has no loss, so there is nothing to ask\n  try: tr.trace(loss)")
    rng = np.random.default_rng(seed)
    maker = _Maker(Subject(trace), rng)
    waiting = list(maker.candidates(kinds))
    chosen: list[Question] = []
    if from_start:
        for candidate in sorted(waiting, key=maker.when):
            if len(chosen) == count:
                break
            chosen += filter(None, [maker.question(candidate)])
    asked = Counter[object]()
    while waiting and len(chosen) < count and not from_start:
        likely = np.array([_likely(maker, each, asked, weight) for each in waiting])
        candidate = waiting.pop(int(rng.choice(len(waiting), p=likely / likely.sum())))
        question = maker.question(candidate)
        if question is not None:
            chosen.append(question)
            asked.update((candidate.kind, question.operation, (candidate.kind, candidate.node)))
            asked.update({candidate.node})
    if not chosen:
        raise QuizError(
            f"there is no question about {' or '.join(kinds)} in this trace\n"
            f"  try: {_cure(kinds)}, or a network with more operations"
        )
    return tuple(sorted(chosen, key=lambda each: (each.position, tuple(KINDS).index(each.kind))))


def _cure(kinds: Sequence[str]) -> str:
    """Other kinds."""
    return f"--kind {next((kind for kind in KINDS if kind not in kinds), VALUE)}"


def _likely(maker: _Maker, candidate: Candidate, asked: Counter[object], weight: Weight) -> float:
    """How likely a candidate is drawn: by what is to be practised, less so if its like was asked before."""
    trace, (kind, node, _) = maker.trace, candidate
    operation = Question(maker.subject, *candidate).operation
    often = (1.0 + 2 * asked[kind] + 2 * asked[operation]) * (1 + 3 * asked[node]) ** 2
    again = 10.0 if asked[(kind, node)] else 1.0
    mere = 4.0 if operation == "add" and kind in (FLOW, LOCAL) else 1.0
    named = 1.0 if trace.names[node] else 0.4
    return max(weight(operation, kind), 1e-3) * named / (often * again * mere)


class _Maker:
    """Makes questions about one trace."""

    def __init__(self, subject: Subject, rng: np.random.Generator) -> None:
        self.subject, self.trace, self.rng = subject, subject.trace, rng

    def when(self, candidate: Candidate) -> tuple[int, int, int]:
        """Where a candidate stands in time: forward steps by their node, then gradients from the loss back."""
        if candidate.kind == VALUE:
            return (0, candidate.node, 0)
        return (1, -candidate.node, list(KINDS).index(candidate.kind))

    def candidates(self, kinds: Sequence[str]) -> Iterator[Candidate]:
        """What may be asked of these kinds."""
        trace, chain = self.trace, self.subject.chain
        own = [i for i in self.subject.operations if trace.value(i).dtype.kind == "f"]
        if VALUE in kinds:
            yield from (Candidate(VALUE, i) for i in self._some(own))
        formulas = FORMULA in kinds and sum(np.size(each.value) for each in trace) <= MOST_NUMBERS
        near = [i for i in chain.notation.names if trace.receives[i] and i not in chain.nested]
        for i in self._some([i for i in near if i != trace.loss]):
            edges = trace.timeline.arrivals(i)
            known = [e for e in edges if int(trace.edge_consumer[e]) in chain.operations]
            if not edges or len(known) < len(edges):
                continue
            if LOCAL in kinds:
                yield from (Candidate(LOCAL, i, e) for e in edges[:MOST_FLOWS])
            if FLOW in kinds:
                yield from (Candidate(FLOW, i, e) for e in edges[:MOST_FLOWS])
            if GRADIENT in kinds and 1 < len(edges) <= MOST_FLOWS:
                yield Candidate(GRADIENT, i)
            if formulas and len(edges) <= MOST_TERMS and trace.names[i]:
                yield Candidate(FORMULA, i)

    def _some(self, nodes: list[int]) -> list[int]:
        if len(nodes) <= MOST_NODES:
            return nodes
        return sorted(self.rng.choice(nodes, MOST_NODES, replace=False).tolist())

    def question(self, candidate: Candidate) -> Question | None:
        """The question, None where it would be a bad one."""
        kind, node, edge = candidate
        question = Question(self.subject, kind, node, edge)
        with np.errstate(all="ignore"):
            if kind == LOCAL:
                return self._local(question)
            if self.trace[question.sender].op_name in MOVING and kind in (VALUE, FLOW):
                return None
            if kind == FORMULA:
                return question if self._is_worth_a_formula(question) else None
            return self._of_numbers(question)

    def _of_numbers(self, question: Question) -> Question | None:
        """A question for numbers: of a small array for all, of a larger one for an element that can be worked out."""
        found = np.asarray(question.right())
        if not found.size or not np.isfinite(found).all():
            return None
        kind = question.kind
        if kind != VALUE and not found.any():
            return None
        whole = question.expression
        if len(formula(whole).text) > LONGEST or not _is_computed(whole, kind):
            return None
        if is_small(whole) and found.size <= MOST_ASKED:
            return question
        at = self._element(found)
        question = Question(self.subject, kind, question.node, question.edge, at)
        return question if is_small(question.expression) else None

    def _element(self, found: object) -> Element:
        """An element that is not zero, if there is one."""
        array = np.asarray(found)
        places = np.argwhere(array != 0) if array.any() else np.argwhere(np.ones(array.shape))
        return tuple(int(k) for k in places[int(self.rng.integers(len(places)))])

    def _local(self, question: Question) -> Question | None:
        """A local derivative at a number: not one that is the same everywhere."""
        trace = self.trace
        consumer, argument = trace[question.sender], int(trace.edge_argument[question.edge])
        if consumer.op is None or not consumer.op.elementwise or not consumer.value.size:
            return None
        if consumer.index in self.subject.chain.nested or consumer.op.name in MOVING:
            return None
        if not any(letter.isalpha() for letter in local_derivative(consumer, argument)):
            return None
        at = self._element(np.ones(consumer.shape)) if consumer.shape else None
        made = Question(self.subject, LOCAL, question.node, question.edge, at)
        right = made.right()
        return made if right is not None and np.isfinite(right).all() else None

    def _is_worth_a_formula(self, question: Question) -> bool:
        """Whether all that the formula is made of has a name that can be typed, and it is no riddle."""
        trace = self.trace
        right = trace.gradient(question.node)
        if right is None or not np.isfinite(right).all() or not np.any(right):
            return False
        if any(len(formula(term).text) > LONGEST for term in question.terms):
            return False
        readers = [self.subject.chain.reader_of(edge) for edge in question.edges]
        known = (trace.names[i] or i == trace.loss for i in readers)
        return (
            bool(question.operands)
            and all(known)
            and all("@" not in leaf.text for leaf in question.operands)
            and bool(typed(question))
        )


def _is_computed(expression: object, kind: str) -> bool:
    """Whether there is anything to compute: a value that is only moved is none; a flow that is passed on is one."""
    return kind != VALUE or not (hasattr(expression, "op") and is_seen_through(expression))  # type: ignore[arg-type]
