r"""The chain rule of a trace as aligned LaTeX: what was given, what was computed, and every gradient as a sum of flows.

Nodes without a name that are used once are written where they are used, so that batch normalisation reads as on paper.
The lines need amsmath and amssymb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer import format as short
from tracer.diagrams.algebra.aligned import WIDE, Term, aligned, broken, width
from tracer.diagrams.algebra.chain import Chain, is_literal
from tracer.diagrams.algebra.factors import blackboard
from tracer.diagrams.algebra.notation import Notation, notation_of, sums_itself
from tracer.diagrams.frames import Part
from tracer.fetching import fetched
from tracer.formulas import with_clauses
from tracer.kinds import KINDS
from tracer.lettering import tex_name
from tracer.nodes import Node
from tracer.symbols import Style, Symbol, write

MOST = 60
"""Operations of which a derivation speaks: five pages or so."""
MOST_GIVEN = 24
"""Inputs of each kind that are listed, and that get a gradient."""
MOST_FLOWS = 6
"""Flows of one gradient that are written out."""


def derivation_tex(
    part: Part, position: int | None = None, *, numbers: bool = True, most: int = MOST
) -> str:
    """The derivation of a part of a trace as far as it has run at a position; the whole run by default.

    With `numbers`, scalars and short vectors follow their formula. Of more than `most` operations only those nearest
    to the loss are written, and a sentence says so.
    """
    last = part.trace.timeline.last
    paper = _Paper.of(part, last if position is None else position, numbers, most)
    paragraphs = [*_said(paper), _given(paper)]
    forward = [row for i in paper.own_lines for row in paper.definition(i)]
    if forward:
        paragraphs += [r"\par\noindent\textbf{Forward}", aligned(forward)]
    backward = list(paper.gradients())
    if backward:
        over = "; what was broadcast along an axis gets the sum over it" if paper.summed else ""
        title = rf"\par\noindent\textbf{{Backward}}, by the chain rule{over}"
        paragraphs += [title, aligned(backward, "[4pt]")]
    elif paper.position >= paper.trace.timeline.forward_steps:
        paragraphs.append("No gradient flows.")
    return "\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _said(paper: _Paper) -> Iterator[str]:
    """What the reader should know first: where the timeline stands, and what is left out."""
    timeline = paper.trace.timeline
    if paper.position < timeline.last:
        yield f"After step {paper.position} of {timeline.last}.\n"
    left = paper.total - len(paper.operations)
    if left:
        yield (
            f"The {len(paper.operations)} operations nearest to the loss, of {paper.total:,}; "
            "a figure of one scope derives that scope.\n"
        )


def _given(paper: _Paper) -> str:
    """The leaves and the values from elsewhere, by kind."""
    groups: dict[str, list[str]] = {}
    for i in paper.given:
        kind = KINDS[paper.trace.kind_of[i]] if paper.trace.op_of[i] < 0 else "from elsewhere"
        groups.setdefault(_PLURALS.get(kind, kind), []).append(
            f"${paper.notation.names[i]}{_set(paper.trace[i])}$"
        )
    phrases = []
    for kind, names in groups.items():
        more = f" and {len(names) - MOST_GIVEN:,} more" if len(names) > MOST_GIVEN else ""
        phrases.append(f"{kind} {', '.join(names[:MOST_GIVEN])}{more}")
    return (
        r"{\raggedright\noindent\textbf{Given} " + "; ".join(phrases) + r".\par}" if phrases else ""
    )


PARAMETER = KINDS.index("parameter")
_PLURALS = {
    "parameter": "parameters",
    "input": "inputs",
    "constant": "constants",
    "buffer": "buffers",
}


def _set(node: Node) -> str:
    if node.shape:
        return rf" \in {_space(node.shape)}"
    return f" = {_number(node.seen)}"


def _space(shape: Sequence[int]) -> str:
    return r"\mathbb{R}^{" + r" \times ".join(map(str, shape)) + "}"


def _number(value: Any) -> str:
    return write(Symbol(value, " ", " "), Style(tex=True, numbers=True))


def _short(array: Any) -> str:
    """A number, or a vector of up to four; empty for anything larger."""
    if np.ndim(array) == 0:
        return _number(array)
    if np.ndim(array) != 1 or not 0 < np.size(array) <= 4:
        return ""
    numbers = [short.number(x, 3, minus="-") for x in array]
    if any(text[-1].isalpha() or "e" in text for text in numbers):
        return ""
    return rf"\left({', '.join(numbers)}\right)"


@dataclass
class _Paper:
    """What is written about a part of a trace at a position."""

    part: Part
    position: int
    numbers: bool
    operations: tuple[int, ...]
    total: int
    notation: Notation
    chain: Chain
    summed: bool = False
    """Whether a flow has been summed over axes along which a value was broadcast."""
    said: dict[str, str] = field(default_factory=dict)
    """The variables of rules that are defined by now, each as it was last defined."""

    @classmethod
    def of(cls, part: Part, position: int, numbers: bool, most: int) -> _Paper:
        trace = part.trace
        ran = [
            i for i in part.nodes if part.draws_operation(i) and trace.timeline.has_run(position, i)
        ]
        kept = tuple(ran[-most:])
        read = {j for i in kept for j in trace.inputs_of(i) if j >= 0}
        names = notation_of(trace, sorted({*kept, *read}))
        return cls(part, position, numbers, kept, len(ran), names, Chain(trace, kept, names))

    @property
    def trace(self) -> Any:
        return self.part.trace

    @property
    def given(self) -> list[int]:
        """What the operations read and do not compute."""
        computed = set(self.operations)
        return [
            i for i in self.notation.names if i not in computed and not is_literal(self.trace[i])
        ]

    @property
    def own_lines(self) -> list[int]:
        """The operations that are not written into another."""
        return [i for i in self.operations if i not in self.chain.nested]

    # ----- forward

    def definition(self, i: int) -> list[str]:
        """The rows that define a node."""
        node = self.trace[i]
        formula = blackboard(self.chain.computed(node), ())
        text = write(formula, Style(tex=True))
        value = _short(node.seen) if self.numbers else ""
        middle = ""
        if value and not node.shape:
            middle = write(formula, Style(tex=True, numbers=True))
        tail = "" if not node.shape else rf" \;\in {_space(node.shape)}"
        return broken(self.notation.names[i], [Term("", text, "")], middle, value, tail)

    # ----- backward

    def gradients(self) -> Iterator[str]:
        """A block of rows for every gradient that has begun to arrive, in the order in which they become final."""
        trace, timeline = self.trace, self.trace.timeline
        if self.position < timeline.forward_steps:
            return
        if trace.loss in self.operations and trace.receives[trace.loss]:
            yield from self.seed()
        given = sorted(self.given, key=lambda i: (trace.kind_of[i] != PARAMETER, -i))
        shown = [*self.own_lines, *given[:MOST_GIVEN]]
        when = {i: timeline.when_final(i) for i in shown}
        received = (i for i in shown if when[i] is not None and i != trace.loss)
        for i in sorted(received, key=lambda i: (when[i], i)):
            arrived = timeline.arrived(self.position, i)[0]
            edges = [
                edge
                for edge in timeline.arrivals(i)[:arrived]
                if int(trace.edge_consumer[edge]) in self.operations
            ]
            if edges:
                yield from self.sum_of(i, edges)

    def seed(self) -> Iterator[str]:
        """The row with which the backward pass starts."""
        loss = self.trace.loss
        given = r"\text{the seed cotangent}"
        value = "1" if sums_itself(self.trace) else _short(fetched(self.trace.seed))
        yield f"{self.notation.gradient(loss)} &= " + (value or given)

    def sum_of(self, i: int, edges: Sequence[int]) -> list[str]:
        """The rows of one gradient: its flows, with numbers where they are short, and what they come to."""
        arrived, expected = self.trace.timeline.arrived(self.position, i)
        defined: dict[str, str] = {}
        terms = [self.term(edge, defined) for edge in edges[:MOST_FLOWS]]
        self.said |= defined
        left = arrived - len(terms)
        tail = ""
        if left:
            terms.append(Term(rf"\text{{{left:,} more}}", r"\cdots", r"\cdots"))
        if arrived < expected:
            tail = rf" \qquad \text{{({arrived} of {expected} flows so far)}}"
        gradient = self.trace.timeline.seen_gradient(self.position, i)
        total = _short(gradient) if self.numbers else ""
        middle = ""
        if total and np.ndim(gradient) == 0:
            middle = _sum(term.numbers for term in terms)
            if width(middle) > WIDE and len(terms) > 1:
                middle = _sum(self.amounts(edges, left))
        return broken(self.notation.gradient(i), terms, middle, total, tail)

    def term(self, edge: int, defined: dict[str, str]) -> Term:
        """A flow along an edge; `defined` is what this equation has called something by now."""
        flow, variables = self.chain.flow(edge)
        self.summed = self.summed or _sums_broadcast(flow)
        formula, clauses = self.in_own_words(flow, variables, defined)
        known = self.said | defined
        said = all(known.get(name) == clause for name, clause in clauses.items())
        new = [] if said else list(clauses.values())  # one that changed may stand in the others
        defined |= clauses
        origin = rf"\text{{from }}{self.notation.names[self.chain.reader_of(edge)]}"
        numbers = write(flow, Style(tex=True, numbers=True)) if self.numbers else ""
        return Term(origin, formula, numbers, new)

    def in_own_words(
        self, flow: Any, variables: Mapping[str, Symbol], defined: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """A flow and what its variables are by name; one whose name means something else here gets a number."""
        numbered = dict.fromkeys(variables, 1)
        taken = set(self.notation.names.values())
        for _ in range(len(variables) * (len(defined) + len(taken) + 1) + 1):
            called = {
                name if k == 1 else f"{name}_{k}": variables[name] for name, k in numbered.items()
            }
            formula, clauses = with_clauses(flow, called, Style(tex=True))
            meanings = {clause.partition(" = ")[0]: clause for clause in clauses}
            again = [
                name
                for name, k in numbered.items()
                if (written := tex_name(name if k == 1 else f"{name}_{k}")) in meanings
                and (
                    written in taken or defined.get(written, meanings[written]) != meanings[written]
                )
            ]
            if not again:
                break
            for name in again:
                numbered[name] += 1
        return formula, meanings

    def amounts(self, edges: Sequence[int], left: int) -> Iterator[str]:
        """What scalar flows come to, and a sign for those that are not written."""
        for edge in edges[:MOST_FLOWS]:
            yield _number(self.trace.seen_flow(edge))
        if left:
            yield r"\cdots"


def _sums_broadcast(flow: Any) -> bool:
    parts = [flow]
    while parts:
        part = parts.pop()
        if isinstance(part, Symbol) and part.op is not None:
            if part.op.name == "sum_to":
                return True
            parts += part.args
    return False


def _sum(numbers: Iterable[str]) -> str:
    written = list(numbers)
    if len(written) > 1:
        written = [
            rf"\left({one}\right)" if one.startswith(r"\begin{cases}") else one for one in written
        ]
    return " + ".join(written).replace("+ -", "- ")
