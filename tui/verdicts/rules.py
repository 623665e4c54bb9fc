"""What a rule that is wrong says, as a formula, and where it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tracer import formulas
from tracer.checking.report import Report, Row
from tracer.errors import GradstepError
from tracer.traces import Trace


def with_rules(report: Report, trace: Trace) -> Report:
    """The report, with a note under each rule at fault: its formula, and the line of the file that declares it."""
    return replace(report, faults=tuple(_noted(row, trace) for row in report.faults))


def _noted(row: Row, trace: Trace) -> Row:
    op, node = trace.op(row.node), trace[row.node]
    name = row.name.rpartition(" by ")[2]
    if op is None or name not in node.argument_names:
        return row
    try:
        says = formulas.local_derivative(node, node.argument_names.index(name))
    except GradstepError:
        return row
    code = getattr(op.vjps.get(name), "__code__", None)
    place = f"  ({Path(code.co_filename).name}:{code.co_firstlineno})" if code is not None else ""
    return replace(row, notes=(*row.notes, f"its rule says {says}{place}"))
