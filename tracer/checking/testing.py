"""Checks for test suites: `tr.assert_gradients` and `tr.assert_derivation` raise where a gradient is wrong.

They work under any runner; under pytest the traceback ends at the caller's own line, and the plugin `gradstep` collects
the reports (`made`) for JUnit, for a JSON file and for the debugger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ops.primitive import Primitive
from tracer.errors import CheckError, GradstepError
from tracer.format import number, printable
from tracer.freezing import trace as freeze
from tracer.parameters import Parameter
from tracer.tensors import Tensor
from tracer.traces import Trace

from .bounded import certified
from .functions import verify_function
from .functions.arrays import is_torch
from .functions.torches import is_function
from .judge import DISAGREE
from .ladder.calls import Call
from .ladder.checker import check
from .ladder.local import signed
from .report import VACUOUS, Report, Row
from .verifying import verify


@dataclass(frozen=True, eq=False)
class Made:
    """A report that an assertion made, and what it is about: the trace, if one was recorded, and the lines by hand."""

    report: Report
    trace: Trace | None = None
    derivation: str = ""


class WrongGradientError(AssertionError):
    """A gradient that is wrong, or could not be decided: the message is the report, its first line the worst element.

    report: what was found. trace: what was recorded, None for a kernel. derivation: the lines by hand, if it was text.
    """

    __module__ = "tracer"

    def __init__(self, made: Made) -> None:
        super().__init__(f"{headline(made.report)}\n{made.report}")
        self.made = made
        self.report, self.trace, self.derivation = made.report, made.trace, made.derivation

    def __reduce__(self) -> tuple[Any, ...]:
        return WrongGradientError, (self.made,)


made: list[Made] = []
"""What the assertions of the test that runs now have made; pytest's plugin takes them away. Empty outside of pytest."""


def assert_gradients(
    fn: Callable[..., Any] | Primitive | Trace,
    args: Any = (),
    *,
    backward: Callable[..., Any] | None = None,
    **options: Any,
) -> Report:
    """Raise `WrongGradientError` unless the gradients of a function are right: `tr.check` as an assertion.

    With backward=, or for a `torch.autograd.Function` or tensors of PyTorch, it is `tr.verify_function`. options: what
    those functions take, such as seed and elements. Returns the report.

    >>> import tracer as tr
    >>> tr.assert_gradients(lambda x: tr.tanh(x), [[0.5, -1.0]]).outcome
    'PASS'
    >>> tr.assert_gradients(np.sin, [[0.5, -1.0]], backward=lambda g, x: g * np.cos(x)).outcome
    'PASS'
    """
    __tracebackhide__ = True
    given = args if isinstance(args, (tuple, list)) else (args,)
    if backward is not None or is_function(fn) or any(map(is_torch, given)):
        return _settled(lambda: Made(verify_function(fn, backward, args, **options)))  # type: ignore[arg-type]

    def work() -> Made:
        report = check(fn, args, **options)
        if report.ok:
            return Made(report)
        return Made(report, fn if isinstance(fn, Trace) else _recorded(fn, given, options))

    return _settled(work)


def assert_derivation(
    target: Trace | Tensor | Callable[..., Any],
    derivation: str | Mapping[str, Any],
    args: Any = (),
    **options: Any,
) -> Report:
    """Raise `WrongGradientError` unless a derivation by hand is right, line by line: `tr.verify` as an assertion.

    target: a Trace, a loss, or a function that returns one. args: what the function is called with; its float arguments
    are known to the derivation by the names of the parameters. options: what `tr.verify` takes. Returns the report.

    >>> import tracer as tr
    >>> tr.assert_derivation(lambda x, w: tr.square(x * w), "dL/dw = 2 * x * w * x", (3.0, 2.0)).ok
    True
    """
    __tracebackhide__ = True

    def work() -> Made:
        trace = _trace_of(target, args)
        lines = derivation if isinstance(derivation, str) else ""
        return Made(verify(trace, derivation, **options), trace, lines)

    return _settled(work)


def _settled(work: Callable[[], Made]) -> Report:
    """The report of some work, remembered for pytest. Raises `WrongGradientError`, or what the work raised."""
    __tracebackhide__ = True
    try:
        found = work()
    except GradstepError as error:
        raise error.with_traceback(None) from error.__cause__  # our insides are no news
    if "PYTEST_CURRENT_TEST" in os.environ:
        made.append(found)
    if not found.report.ok:
        raise WrongGradientError(found)
    return found.report


def _recorded(fn: Any, args: Any, options: Mapping[str, Any]) -> Trace | None:
    """The trace that `check` judged, for the debugger."""
    call = Call(fn, args, options.get("params") or {})
    out = call.value(call.args)
    rng = np.random.default_rng(options.get("seed", 0))
    cotangent = signed(np.shape(out), rng) if np.ndim(out) else np.float64(1.0)
    return call.recorded(np.where(np.isfinite(out), cotangent, 0.0)[()])[0]


def _trace_of(target: Any, args: Any) -> Trace:
    """The trace of what a derivation is about. Raises `CheckError` for what records nothing."""
    if isinstance(target, (Trace, Tensor, Parameter)):
        return target if isinstance(target, Trace) else freeze(target)
    if not callable(target):
        raise CheckError(
            f"assert_derivation: {type(target).__name__} is no trace, no loss and no function\n"
            f"  try: tr.assert_derivation(loss, derivation), with the loss as tr gave it"
        )
    given = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    if not given:
        return _trace_of_result(target())
    trace, _ = Call(target, given, {}).recorded(np.float64(1.0))
    return _trace_of_result(trace)


def _trace_of_result(found: Any) -> Trace:
    if isinstance(found, (Trace, Tensor, Parameter)):
        return found if isinstance(found, Trace) else freeze(found)
    raise CheckError(
        f"assert_derivation: the function records nothing: it returns {type(found).__name__}\n"
        f"  try: return the loss, computed from its arguments or from tr.tensor(...)"
    )


def headline(report: Report) -> str:
    """The outcome and the worst element in one line, for a summary of many tests.

    >>> headline(verify_function(np.sin, lambda g, x: -g * np.cos(x), [[0.0]]))
    'FAIL: x[0] is −1.137, and 1.13696 ± ... is right: it is of the wrong sign'
    """
    row = _at_fault(report)
    if row is None:
        failed = next((rung for rung in report.rungs if rung.failed), None)
        said = "" if failed is None else f"{failed.label} {failed.said or failed.name}".strip()
        return ": ".join(filter(None, (report.outcome, said)))
    name = f"line {row.line} ({row.name})" if row.line else row.name
    if report.outcome == VACUOUS:
        why = row.reason or "zero whatever the rule"
        return f"{VACUOUS}: {name}: {why}; try: {row.vacuous}"
    reasons = [cause.text for cause in row.causes] or [row.because]
    if row.unjudged:
        reasons = ["; ".join([row.reason, *(cause.text for cause in row.causes)])]
    why = f": {reasons[0]}" if reasons[0] else ""
    element = row.worst
    if element is None or (row.wrong and element.verdict != DISAGREE):
        return printable(f"{report.outcome}: {name}{why}")
    where = f" along {element.where}" if element.where.startswith("d") else element.where
    said = f"{name}{where} is {number(element.claim)}"
    if element.verdict == DISAGREE:
        said += f", and {certified(element.numerical, 6)} is right"
    return printable(f"{report.outcome}: {said}{why}")


def _at_fault(report: Report) -> Row | None:
    """The row that the outcome is owed to; None where it is owed to none."""
    rows = (*report.faults, *report.rows)
    return report.first_wrong or next((row for row in rows if not row.passed), None)
