"""`tr.check`: the automatic gradients of a function, a primitive or a trace against certified numbers.

Everything runs in float64, whatever the arguments were. An output that is not a single number is projected on a fixed
random cotangent with both signs, so that errors do not cancel and the sum of a normalised batch is not vacuously flat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ops.primitive import Primitive
from tracer.checking.judge import DISAGREE, UNDECIDABLE
from tracer.checking.numerical import (
    Context,
    Measured,
    absent,
    context,
    largest,
    looked_at,
    loss_by,
    measure,
    shake,
)
from tracer.checking.progress import Progress, Told
from tracer.checking.promote import promoted
from tracer.checking.report import Report, Row
from tracer.errors import CheckError
from tracer.format import shape, typed
from tracer.traces import Trace

from .calls import Call

Array = Any
"""A numpy array or numpy scalar."""

NO_FLOW = (
    "no gradient arrives here: the value is not used, or the recording was cut (detach, np.asarray)"
)


def check(
    fn: Callable[..., Any] | Primitive | Trace,
    args: Any = (),
    *,
    seed: int = 0,
    elements: int | None = None,
    params: Mapping[str, Any] | None = None,
) -> Report:
    """Compare every gradient of a function with certified numerical derivatives.

    fn: takes Tensors and returns a Tensor; or a primitive; or a Trace, which is replayed and needs no args.
    args: one argument, or a tuple or list of them. Float arrays and numbers are checked, everything else is handed over
    as it is. params: keyword arguments. seed: the random seed of the projection and of samples.
    elements: look at so many elements of an argument at most; by default at all of up to 4096.
    Raises `CheckError` where fn raises, returns something else, or gives other numbers when called again.

    >>> import tracer as tr
    >>> report = tr.check(lambda x, w: tr.tanh(x @ w), ([[0.5, -1.0]], [[2.0], [0.3]]))
    >>> report.ok, [(row.name, row.verdict) for row in report.rows]
    (True, [('x', 'AGREE'), ('w', 'AGREE')])
    """
    if isinstance(fn, Trace):
        return check_trace(fn, seed=seed, elements=elements)
    call = Call(fn, args if isinstance(args, (tuple, list)) else (args,), params or {})
    rng = np.random.default_rng(seed)
    out = call.value(call.args)
    if not _same(call.value(call.args), out):
        raise call.unsteady()
    cotangent, notes = _cotangent(out, rng)
    trace, nodes = call.recorded(cotangent)
    rounded = trace is not None and _computes_in_float32(trace)
    if trace is not None:
        trace = promoted(trace)
        shaken = shake(trace, rng)
    if rounded:
        notes.append("computed in float32 inside: checked by a replay in float64")
    rows = []
    for k in call.checked:
        function, around = call.projected(k, cotangent), None
        if trace is not None and k in nodes:
            around = context(trace, shaken, nodes[k])
            function = loss_by(trace, nodes[k]) if rounded else function
        measured = measure(function, call.args[k], elements=elements, rng=rng)
        row = _row(call.names[k], measured, around, largest(out) * np.size(out))
        rows.append(row if np.isfinite(out).all() else _excused(row))
    if not _same(call.value(call.args), out):
        raise call.unsteady()
    return Report(f"check {call.title}", tuple(rows), (*notes, f"random seed {seed}"))


def check_trace(
    trace: Trace,
    nodes: Sequence[int] | None = None,
    *,
    seed: int = 0,
    elements: int | None = None,
    told: Told | None = None,
) -> Report:
    """Compare the gradients of the inputs and parameters of a trace with certified numbers, by replays in float64.

    nodes: check these instead. seed: the random seed of samples. told: called with how many numbers are certified, and
    of how many; what it raises ends the check.
    Raises `CheckError` for a trace without a loss, or without anything to check.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0], name="x")
    >>> print(check_trace(tr.trace((x * x).sum())).summary)
    check: 1 of 1 inputs agree
    """
    if trace.loss < 0 or trace.seed is None:
        raise CheckError("check: the trace has no loss\n  try: tr.trace(loss), of a single number")
    twin = promoted(trace)
    leaves = [k for k in range(len(twin)) if twin.op_of[k] < 0 and twin.tracked[k]]
    chosen = leaves if nodes is None else nodes
    if not chosen:
        raise CheckError(
            "check: the trace has no input or parameter with a gradient\n  try: tr.tensor(...) or tr.parameter(...)"
        )
    for k in chosen:
        if twin.value(k).dtype.kind != "f":
            raise CheckError(
                f"check: {twin.label(k)} holds whole numbers, which have no gradient\n  try: a float value"
            )
    rng = np.random.default_rng(seed)
    rows, shaken = [], shake(twin, rng)
    sizes = [looked_at(np.size(twin.value(k)), elements) for k in chosen]
    progress = Progress(told, sizes)
    for k, size in zip(chosen, sizes, strict=True):
        function = progress.counted(loss_by(twin, k), size)
        measured = measure(function, twin.value(k), elements=elements, rng=rng)
        around = None if twin.gradient(k) is None else context(twin, shaken, k)
        row = _row(twin.label(k), measured, around, largest(twin.value(twin.loss)))
        rows.append(replace(row, node=k))
    return Report("check", tuple(rows))


def _row(name: str, measured: Measured, around: Context | None, size: float) -> Row:
    """The row of one input: its gradient beside the numbers; without a context it counts as 0.

    size: of the terms that the function adds up.
    """
    if not measured.elements.size:
        return Row(name, measured.shape, reason="empty: nothing to check")
    if around is None:
        return Row(name, measured.shape, measured.compare(absent(measured, size)), notes=(NO_FLOW,))
    return Row(name, measured.shape, measured.compare(around))


def _excused(row: Row) -> Row:
    """A row in which a gradient that is not finite is not held against an input whose outputs were left out."""
    elements = tuple(
        replace(element, verdict=UNDECIDABLE, reason="its outputs are not finite")
        if element.verdict == DISAGREE and not np.isfinite(element.automatic)
        else element
        for element in row.elements
    )
    return replace(row, elements=elements)


def _computes_in_float32(trace: Trace) -> bool:
    """Whether some operation of the trace gives float32."""
    return any(
        trace.value(k).dtype == np.float32 for k in np.flatnonzero(trace.op_of >= 0).tolist()
    )


def _cotangent(out: Array, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """A random cotangent with both signs, 1 for a single number, and 0 where the output is not finite."""
    if out.dtype.kind != "f":
        raise CheckError(
            f"check: the output is {typed(out)}, which has no gradient\n  try: a function with a float output"
        )
    if not out.ndim:
        return np.float64(1.0), []
    cotangent = rng.uniform(0.5, 1.5, out.shape) * rng.choice((-1.0, 1.0), out.shape)
    lost = int(np.count_nonzero(~np.isfinite(out)))
    cotangent[~np.isfinite(out)] = 0.0
    notes = [f"the output, {shape(out.shape)}, was projected on a random signed cotangent"]
    if lost:
        notes.append(f"{lost} of {out.size} outputs are not finite and were left out")
    return cotangent, notes


def _same(a: Array, b: Array) -> bool:
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)
