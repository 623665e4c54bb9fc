"""`tr.check`: the automatic gradients of a function, a primitive or a trace against certified numbers, rung by rung.

Everything runs in float64, whatever the arguments were. An output that is not a single number is projected on a fixed
random cotangent with both signs, so that errors do not cancel and the sum of a normalised batch is not vacuously flat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from ops.primitive import Primitive
from tracer.checking.asking import asked
from tracer.checking.numerical import LossBy
from tracer.checking.pieces import OnPiece, on_piece
from tracer.checking.progress import Told
from tracer.checking.promote import promoted
from tracer.checking.report import Report
from tracer.checking.rounding import largest
from tracer.errors import CheckError
from tracer.format import shape, typed
from tracer.recording import switched
from tracer.traces import Trace

from .calls import Call
from .climbing import Ascent, Wishes, climbed
from .local import signed
from .operations import reaching
from .second import gradient_function, rebuilt

Array = Any
"""A numpy array or numpy scalar."""

ELSEWHERE = (1.0, 2.0**-10)
"""How far from its arguments, in units of their size, a function is held against what was recorded of it."""
ROUNDING = 1e-12
"""The relative difference that is rounding."""


def check(
    fn: Callable[..., Any] | Primitive | Trace,
    args: Any = (),
    *,
    seed: int = 0,
    elements: int | None = None,
    params: Mapping[str, Any] | None = None,
    order: int = 1,
    told: Told | None = None,
    executor: Executor | None = None,
) -> Report:
    """Compare every gradient of a function with certified numerical derivatives, from cheap tests to dear ones.

    The rules of all recorded nodes, each against its own forward; a tangent forward against the cotangents backward;
    random signed directions through all elements of each input, end to end; single elements of small inputs, and where
    a direction disagrees those that are wrong, found by bisection; everything twice. `report.outcome` says in a word
    what was found, `report.faulty` which node's rule is at fault.

    fn: takes Tensors and returns a Tensor; or a primitive; or a Trace, which is replayed and needs no args.
    args: one argument, or a tuple or list of them. Float arrays and numbers are checked, everything else is handed over
    as it is. params: keyword arguments. seed: the random seed of cotangents, directions and samples.
    elements: look at so many elements of an argument at most, one by one; by default at all, if there are no more than
    256 in all arguments, else at none. order: 2 checks the gradient, as a function, too. told: called with how many
    numbers are certified, and of how many; what it raises ends the check. executor: of `concurrent.futures`, or Dask's
    `client.get_executor()`: the single elements are spread over its workers.
    Raises `CheckError` where fn raises, returns something else, gives other numbers when called again, or cannot be
    sent to the workers.

    >>> import tracer as tr
    >>> report = tr.check(lambda x, w: tr.tanh(x @ w), ([[0.5, -1.0]], [[2.0], [0.3]]))
    >>> report.outcome, [(row.name, row.verdict) for row in report.rows]
    ('PASS', [('x', 'AGREE'), ('w', 'AGREE')])
    """
    if isinstance(fn, Trace):
        return check_trace(
            fn, seed=seed, elements=elements, order=order, told=told, executor=executor
        )
    asked("check", seed=seed, elements=elements, order=order, executor=executor)
    call = Call(fn, args if isinstance(args, (tuple, list)) else (args,), params or {})
    with switched(device="cpu"):  # where fn alone does not run
        return _checked(call, Wishes(seed, elements, told, executor), order)


def _checked(call: Call, wishes: Wishes, order: int) -> Report:
    rng = np.random.default_rng(wishes.seed)
    out = call.value(call.args)
    if not _same(call.value(call.args), out):
        raise call.unsteady()
    cotangent, notes = _cotangent(out, rng)
    trace, nodes = call.recorded(cotangent)
    rounded = trace is not None and _computes_in_float32(trace)
    if rounded:
        notes.append("computed in float32 inside: checked by a replay in float64")
    lost = not np.isfinite(out).all()
    ascent = Ascent(None if trace is None else promoted(trace), rng, wishes, excused=lost)
    size = largest(out) * np.size(out)
    subjects = []
    for k in call.checked:
        node = nodes.get(k, -1)
        function = call.projected(k, cotangent)
        if ascent.trace is not None and node >= 0:
            held = on_piece(ascent.trace, node)
            if rounded or (
                isinstance(held, OnPiece)
                and _follows(LossBy(ascent.trace, node), function, call.args[k], rng)
            ):
                function = held
        subjects.append(ascent.subject(call.names[k], call.args[k], function, size, node))
    report = climbed(f"check {call.title}", ascent, subjects)
    if order == 2:
        report = report.joined(_second(call, ascent.trace, cotangent, wishes))
    if not _same(call.value(call.args), out):
        raise call.unsteady()
    return replace(report, notes=(*notes, *report.notes, f"random seed {wishes.seed}"))


def _second(
    call: Call,
    first: Trace | None,
    cotangent: Array,
    wishes: Wishes,
) -> Report:
    """The gradient of a call, projected on random signed weights, checked as a function of the same arguments.

    first: the trace of the call itself, whose rules are differentiated again.
    """
    rng = np.random.default_rng((wishes.seed, 2))
    weights = [signed(np.shape(call.args[k]), rng) for k in call.checked]
    slope = call.with_function(gradient_function(call.tensor_of, cotangent, call.checked, weights))
    trace, nodes = slope.recorded(np.float64(1.0))
    twin = None if trace is None else promoted(trace)
    ascent = Ascent(twin, rng, wishes, order=2, forward=first)
    size = largest(slope.value(slope.args))
    subjects = [
        ascent.subject(
            f"{call.names[k]} (2nd)",
            call.args[k],
            slope.projected(k, np.float64(1.0)),
            size,
            nodes.get(k, -1),
        )
        for k in call.checked
    ]
    return climbed("", ascent, subjects)


@switched(device="cpu")
def check_trace(
    trace: Trace,
    nodes: Sequence[int] | None = None,
    *,
    seed: int = 0,
    elements: int | None = None,
    order: int = 1,
    told: Told | None = None,
    executor: Executor | None = None,
) -> Report:
    """Compare the gradients of the inputs and parameters of a trace with certified numbers, by replays in float64.

    nodes: check these instead. seed, elements, order, told, executor: as in `check`.
    Raises `CheckError` for a trace without a loss, or without anything to check.

    >>> import tracer as tr
    >>> x = tr.tensor([1.0, 2.0], name="x")
    >>> print(check_trace(tr.trace((x * x).sum())).summary)
    check: PASS, 1 of 1 input right
    """
    asked("check", seed=seed, elements=elements, order=order, executor=executor)
    if trace.loss < 0 or trace.seed is None:
        raise CheckError("check: the trace has no loss\n  try: tr.trace(loss), of a single number")
    twin = promoted(trace)
    leaves = [k for k in range(len(twin)) if twin.op_of[k] < 0 and twin.tracked[k]]
    chosen = list(leaves if nodes is None else nodes)
    if not chosen:
        raise CheckError(
            "check: the trace has no input or parameter with a gradient\n  try: tr.tensor(...) or tr.parameter(...)"
        )
    for k in chosen:
        if twin.value(k).dtype.kind != "f":
            raise CheckError(
                f"check: {twin.label(k)} holds whole numbers, which have no gradient\n  try: a float value"
            )
    wishes = Wishes(seed, elements, told, executor)
    ascent = Ascent(twin, np.random.default_rng(seed), wishes)
    size = largest(twin.value(twin.loss))
    subjects = [
        ascent.subject(twin.label(k), twin.value(k), on_piece(twin, k), size, k) for k in chosen
    ]
    report = climbed("check", ascent, subjects)
    if order == 2:
        call = Call(rebuilt(twin, leaves), [twin.value(k) for k in leaves], {})
        call = call.with_names([twin.label(k) for k in leaves])
        report = report.joined(_second(call, twin, np.asarray(twin.seed)[()], wishes))
    return replace(report, notes=(*report.notes, f"random seed {seed}"))


def _follows(
    replayed: Callable[[Array], float],
    function: Callable[[Array], float],
    x: Array,
    rng: np.random.Generator,
) -> bool:
    """Whether a function is what was recorded of it, and not more: the same numbers elsewhere, to rounding.

    If a recording was cut, by a detach or np.asarray, it is not.
    """
    here = abs(function(x))
    for step in ELSEWHERE:
        at = x + step * reaching(x, rng)
        now, again = function(at), replayed(at)
        if not abs(now - again) <= ROUNDING * max(abs(now), here):
            return False
    return True


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
    cotangent = signed(out.shape, rng)
    lost = int(np.count_nonzero(~np.isfinite(out)))
    cotangent[~np.isfinite(out)] = 0.0
    notes = [f"the output, {shape(out.shape)}, was projected on a random signed cotangent"]
    if lost:
        notes.append(f"{lost} of {out.size} outputs are not finite and were left out")
    return cotangent, notes


def _same(a: Array, b: Array) -> bool:
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)
