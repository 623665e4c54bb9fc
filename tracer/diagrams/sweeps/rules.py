"""What a figure of the backward pass writes: the names of gradients, and the rule by which each flow is computed."""

from __future__ import annotations

import re

from tracer.diagrams.boxed.titles import called, in_own_words
from tracer.diagrams.measure import letters_width
from tracer.diagrams.moments import Moment
from tracer.diagrams.names import formula_text, name_text, plain
from tracer.diagrams.picture import Role, Run, Text
from tracer.formulas import flow_formula, local_derivative
from tracer.insight.routes import slope
from tracer.traces import Trace

MOST_LETTERS = 22
"""A factor longer than this is shown by its number alone."""
LONGEST = 52
UPSTREAM = "∂L/∂"
SIZE = 13
SENT = "g"
"""How a formula calls the gradient of an unnamed value, which the arrow brings."""
_NUMBER = re.compile(r"−?\d+(\.\d+)?")
_SUM = re.compile(r" [+−] (?![^(]*\))")
"""A plus or minus outside brackets."""


def gradient_name(trace: Trace, i: int, *, role: Role = "gradient") -> Text:
    """`∂L/∂w₀`; an unnamed value is called by its formula, `∂L/∂(w₀ · x₀)`."""
    head = Run(UPSTREAM, role, SIZE)
    if trace.names[i]:
        number = trace.labels[i].removeprefix(trace.names[i])
        again = (
            (Run(number, "quiet", round(SIZE * 0.72), lowered=True),) if number[:1] == "#" else ()
        )
        return (head, *name_text(trace.names[i], role=role, size=SIZE), *again)
    written = called(trace, i)
    if trace.op_of[i] < 0:
        return (head, Run(plain(written, longest=24), role, SIZE))
    inner = tuple(
        Run(run.text, role, run.size, run.bold, run.italic, run.lowered)
        for run in formula_text(written, longest=24)
    )
    return (head, Run("(", role, SIZE), *inner, Run(")", role, SIZE))


def factor_text(moment: Moment, edge: int) -> Text:
    """What a scalar flow is multiplied by: `× z = −4`, `×−1`, or a number alone where the formula is long."""
    trace = moment.trace
    written = _factor(trace, edge)
    if _NUMBER.fullmatch(written):
        return (Run(f"×{written}", size=13),)
    number = moment.write(slope(trace, edge))
    if not moment.has_run(int(trace.edge_consumer[edge])):
        number = blank_as_wide(number)
    if not written:
        return (Run(f"×{number}", size=13),)
    if written.startswith("−") or _SUM.search(written):
        written = f"({written})"
    return (Run("× ", size=13), *formula_text(written), Run(f" = {number}", "value", 12))


def blank_as_wide(written: str) -> str:
    """Blanks about as wide as a number that is not known yet, so that a gate keeps its size.

    >>> len(blank_as_wide("−0.53"))
    9
    """
    return "\xa0" * round(letters_width(written, 100) / letters_width("\xa0", 100))


def says_out(trace: Trace, edge: int) -> bool:
    """Whether the factor of a flow calls what the operation gave `out`, because it has no name."""
    return not trace.names[trace.edge_consumer[edge]] and "out" in _factor(trace, edge)


def _factor(trace: Trace, edge: int) -> str:
    """The local derivative as a formula; empty if it is long or speaks of other values that have no name."""
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    written = local_derivative(trace[consumer], argument).partition(" where ")[0]
    if not trace.names[consumer]:
        written = written.replace(trace.labels[consumer], "out")
    return "" if "@" in written or "↦" in written or len(written) > MOST_LETTERS else written


def rule_text(trace: Trace, edge: int) -> Text:
    """The formula of a flow between tensors, `∂L/∂y @ Wᵀ`, without the meaning of its abbreviations."""
    written = rule_formula(trace, edge).partition(" where ")[0]
    consumer = int(trace.edge_consumer[edge])
    if not trace.names[consumer]:
        written = written.replace(UPSTREAM + trace.labels[consumer], SENT)
    others = [j for j in (*trace.inputs_of(consumer), consumer) if j >= 0]
    return formula_text(in_own_words(trace, written, others), longest=LONGEST)


def rule_formula(trace: Trace, edge: int) -> str:
    """The whole formula of a flow, with what its abbreviations mean."""
    consumer, argument = int(trace.edge_consumer[edge]), int(trace.edge_argument[edge])
    written = flow_formula(trace[consumer], argument)
    return written or f"{UPSTREAM}{trace.labels[consumer]} through {trace[consumer].op_name}"
