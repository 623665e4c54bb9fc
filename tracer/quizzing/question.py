"""A question about a trace: what is asked, what is given with its numbers, and what is right, on any replay too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from tracer import elements
from tracer.checking.otherwise import other_runs
from tracer.checking.promote import promoted
from tracer.diagrams.algebra.chain import Chain
from tracer.diagrams.algebra.notation import notation_of
from tracer.elements import Element, ElementNode, element_of, within
from tracer.formulas import flow_symbol
from tracer.lettering import tex_name
from tracer.nodes import Node
from tracer.symbols import Symbol
from tracer.traces import Trace

from .losses import loss_in_words
from .one_element import at_element
from .ones import without_ones
from .wording import Line, Said, formula, leaves, line, numbers

Array = Any
"""A numpy array or numpy scalar."""

VALUE, LOCAL, FLOW, GRADIENT, FORMULA = "value", "local", "flow", "gradient", "formula"
KINDS = {
    VALUE: "the value of a node",
    LOCAL: "the local derivative of a node by one of its inputs",
    FLOW: "the flow that a node sends to one of its inputs",
    GRADIENT: "a gradient, the sum of several flows",
    FORMULA: "a gradient as a formula",
}
"""What can be asked for."""
MOST_GIVEN = 12
"""Numbers of an array that are given; of larger ones single elements are."""
EASY = frozenset(("add", "sub", "neg", "transpose", "reshape", "broadcast_to"))
"""Operations that pass a flow on, or turn its sign."""
RUNS = 3
"""Replays with other numbers on which an answer must hold."""
MOST_OPERATIONS = 2000
"""Of a longer trace the operations nearest to the loss are asked about."""


class Subject:
    """A trace that is asked about, and how its nodes are written."""

    def __init__(self, trace: Trace) -> None:
        trace = self.trace = trace.on_host()  # answers are judged by all numbers
        ran = np.flatnonzero(trace.op_of >= 0).tolist()[-MOST_OPERATIONS:]
        near = sorted({*ran, *(j for i in ran for j in trace.inputs_of(i) if j >= 0)})
        self.chain = Chain(trace, tuple(ran), notation_of(trace, near))

    @cached_property
    def twin(self) -> Trace:
        """The trace in float64."""
        return promoted(self.trace)

    @cached_property
    def runs(self) -> tuple[Trace, ...]:
        """Replays with other numbers, on which an answer must hold."""
        return tuple(other_runs(self.twin, RUNS, seed=0))

    @property
    def operations(self) -> list[int]:
        """The operations with a name, or with a line of their own in the formulas."""
        return [i for i in self.chain.operations if i not in self.chain.nested]

    def named(self, node: int, at: Element | None = None) -> Said:
        """A node, or one of its elements."""
        label = self.trace.label(node)
        tex = self.chain.notation.names.get(node, tex_name(label))
        return Said(label + _index(at), tex + _index(at))

    def gradient(self, node: int, at: Element | None = None) -> Said:
        """The gradient of a node, or of one of its elements."""
        tex = self.chain.notation.gradient(node)
        return Said(f"∂L/∂{self.trace.label(node)}{_index(at)}", tex + _index(at))


def _index(at: Element | None) -> str:
    return f"[{','.join(map(str, at))}]" if at else ""


@dataclass(frozen=True, eq=False)
class Question:
    """One question.

    node: whose value or gradient is asked for; of a flow or local derivative, the input. edge: the flow, the local
    derivative. at: which element; None for the whole.
    """

    subject: Subject
    kind: str
    node: int
    edge: int = -1
    at: Element | None = None

    @property
    def trace(self) -> Trace:
        """What is asked about."""
        return self.subject.trace

    @property
    def sender(self) -> int:
        """The node that sends the flow, or whose local derivative is asked for."""
        if self.kind == FLOW:
            return self.subject.chain.reader_of(self.edge)
        return int(self.trace.edge_consumer[self.edge]) if self.edge >= 0 else self.node

    @property
    def edges(self) -> list[int]:
        """The flows that make a gradient."""
        return self.trace.timeline.arrivals(self.node)

    @property
    def operation(self) -> str:
        """The operation that one has to know: of those on the way of a flow, the first that is more than a sum."""
        if self.kind in (VALUE, LOCAL):
            return self.trace[self.sender].op_name
        edge = self.edge if self.kind == FLOW else self.edges[0]
        passed = [int(self.trace.edge_consumer[each]) for each in self.subject.chain.path(edge)]
        names = [self.trace[i].op_name for i in passed]
        return next((name for name in names if name not in EASY), names[-1])

    @cached_property
    def position(self) -> int:
        """Where the debugger would stand: the step that follows shows the answer."""
        timeline = self.trace.timeline
        if self.kind == VALUE:
            return timeline.after_forward(self.node) - 1
        if self.kind == GRADIENT:
            return (timeline.when_final(self.node) or timeline.last) - 1
        edges = self.edges if self.kind == FORMULA else [self.edge]
        first = [self.subject.chain.path(edge)[-1] for edge in edges]
        return timeline.forward_steps + int(np.flatnonzero(np.isin(timeline.flow_edges, first))[0])

    def right(self, trace: Trace | None = None) -> Array:
        """The right answer, on the trace or on a replay of it."""
        trace = trace or self.trace
        if self.kind == LOCAL:
            consumer, argument = self.sender, int(trace.edge_argument[self.edge])
            return elements.derivative(trace[consumer], argument, self.at or ())[1]
        if self.kind == VALUE:
            whole = trace.value(self.node)
        elif self.kind == FLOW:
            whole = trace.flow(self.edge).cotangent
        else:
            whole = trace.gradient(self.node)
        return whole if self.at is None else np.asarray(whole)[self.at]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the answer."""
        return tuple(np.shape(self.right()))

    @property
    def asks(self) -> str:
        """What an answer is: a number, a matrix, or a formula."""
        return "formula" if self.kind == FORMULA else "matrix" if self.shape else "number"

    # ----- what is right, as a formula

    @cached_property
    def expression(self) -> Any:
        """What the answer is made of, in names: of single elements, where one is asked for and follows from these."""
        return without_ones(self._expression())

    def _expression(self) -> Any:
        chain = self.subject.chain
        if self.kind == LOCAL:
            return self._of_element(1)
        if self.kind in (VALUE, FLOW):
            value = self.kind == VALUE
            whole = chain.computed(self.trace[self.node]) if value else chain.flow(self.edge)[0]
            single = None if self.at is None else at_element(whole, self.at)
            return whole if single is None else single
        terms = self._flows() if self.kind == GRADIENT else self.terms
        return reduce(lambda a, b: a + b, terms)

    @cached_property
    def terms(self) -> list[Any]:
        """What each use of the node sends to it, as a formula."""
        return [self.subject.chain.flow(edge)[0] for edge in self.edges]

    def _flows(self) -> list[Symbol]:
        """The flows that make the gradient, each with its numbers."""
        found = []
        for edge in self.edges:
            reader = self.subject.named(self.subject.chain.reader_of(edge))
            flow = np.asarray(self.trace.flow(edge).cotangent)
            value = flow if self.at is None else flow[self.at]
            tex = rf"\mathrm{{flow}}_{{{reader.tex}}}"
            found.append(Symbol(value[()], f"flow from {reader.text}", tex))
        return found

    def _of_element(self, upstream: Any) -> Any:
        """What the consumer makes of an upstream number, at the element."""
        consumer = element_of(self.trace[self.sender], self.at or ())
        argument = int(self.trace.edge_argument[self.edge])
        return flow_symbol(consumer, argument, upstream, self._element)[0]

    def _element(self, node: Node) -> Symbol:
        """An element in a formula, by name and index."""
        at = node.at if isinstance(node, ElementNode) else ()
        return Symbol(node.value, *self.subject.named(node.index, at or None))

    # ----- in words

    @property
    def asked(self) -> Said:
        """What is asked for, in signs: the left side of the solution."""
        subject = self.subject
        if self.kind == VALUE:
            return subject.named(self.node, self.at)
        if self.kind == LOCAL:
            inside = within(self.at or (), self.trace[self.node].shape)
            out, x = subject.named(self.sender, self.at), subject.named(self.node, inside)
            return Said(
                f"∂{out.text}/∂{x.text}", rf"\frac{{\partial {out.tex}}}{{\partial {x.tex}}}"
            )
        if self.kind == FLOW:
            sender, x = subject.named(self.sender), subject.named(self.node, self.at)
            return Said(
                f"flow {sender.text} → {x.text}", rf"\mathrm{{flow}}_{{{sender.tex} \to {x.tex}}}"
            )
        return subject.gradient(self.node, self.at)

    @property
    def statement(self) -> Line:
        """The question in a sentence."""
        subject = self.subject
        element = f"element {_index(self.at)} of " if self.at else ""
        if self.kind == VALUE:
            return line(f"What is {element or 'the value of '}", subject.named(self.node), "?")
        if self.kind == LOCAL:
            where = f" at {_index(self.at)}" if self.at else ""
            return line(
                "What is the local derivative of ", subject.named(self.sender), " by ",
                subject.named(self.node), f"{where}?",
            )  # fmt: skip
        if self.kind == FLOW:
            return line(
                f"What is {element}the flow that ", subject.named(self.sender), " sends to ",
                subject.named(self.node), "?",
            )  # fmt: skip
        if self.kind == GRADIENT:
            return line(
                f"What is {element}the gradient ", subject.gradient(self.node), ", to which "
                f"{len(self.edges)} uses of ", subject.named(self.node), " send a flow?",
            )  # fmt: skip
        return line("What is ", subject.gradient(self.node), ", as a formula?")

    @property
    def definitions(self) -> tuple[Line, ...]:
        """What the nodes compute that the question is about: `h = σ(z1)`."""
        if self.kind == GRADIENT:
            return ()
        subject, edges = self.subject, self.edges if self.kind == FORMULA else ()
        about = [subject.chain.reader_of(edge) for edge in edges] or [self.sender]
        found = []
        for i in dict.fromkeys(about):
            node = self.trace[i]
            found.append(
                line(subject.named(i), Said(" = ", "="), formula(subject.chain.computed(node)))
            )
            found += loss_in_words(node)
        return tuple(found)

    @property
    def givens(self) -> tuple[Line, ...]:
        """The numbers that one needs: `z1 = [1, −2]`. A formula is made without any."""
        if self.kind == FORMULA:
            return ()
        return tuple(
            line(Said(leaf.text, leaf.tex), Said(" = ", "="), numbers(leaf.value))
            for leaf in self.operands
        )

    @property
    def operands(self) -> list[Symbol]:
        """The values with a name that the right answer is made of."""
        return [leaf for leaf in leaves(self.expression) if is_named(leaf)]


def is_named(leaf: Symbol) -> bool:
    """Whether a leaf of a formula is a value with a name, and no number."""
    return bool(leaf.text) and leaf.text != "1"


def is_small(expression: Any) -> bool:
    """Whether all numbers that an expression is made of can be given."""
    return all(np.size(leaf.value) <= MOST_GIVEN for leaf in leaves(expression) if is_named(leaf))
