"""`tr.verify_function`: a user's own forward and backward function, each held against the other and against itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from tracer.checking.asking import asked
from tracer.checking.judge import EXACT
from tracer.checking.progress import Progress, StoppedError, Told
from tracer.checking.report import UNJUDGED, Report, Row
from tracer.errors import CheckError
from tracer.values import lies_elsewhere

from . import manners, shaking, torches
from .arrays import float64, is_float
from .manners import Faults, gradients_of
from .pairs import Kernel, Pair, Ran
from .precision import prepared
from .rows import Rows, outputs_alone

Array = Any
"""A numpy array or numpy scalar."""


def verify_function(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None = None,
    args: Any = (),
    *,
    takes: str = "",
    out: Any = None,
    wrt: str | Sequence[str] = (),
    may_change: str | Sequence[str] = (),
    elements: int | None = None,
    seed: int = 0,
    told: Told | None = None,
) -> Report:
    """Compare the gradients of a kernel, a forward and a backward function, with certified numbers of its forward.

    forward: `forward(*args)` returns the output, several outputs, or (output, cache). backward: `backward(g, *args)`,
    `backward(g, out, *args)` or `backward(g, cache)` returns the gradient of <g, output> by each argument, None for one
    that has none. A `torch.autograd.Function` brings its own backward, and so does any function of PyTorch tensors.
    args: one argument, or a tuple or list of them: numbers and arrays of numpy or PyTorch. Floats are checked.
    takes: what backward takes, in words, where it cannot be told from its signature: `"g, *args"`, `"g, out, *args"`,
    `"g, cache"`, `"*g, *args"` (several cotangents, one by one), `"g, *args, *into"` (it writes the gradients into
    arrays that it is given), or with the names of single arguments: `"g, x, mask"`.
    out: an array like the output, or several, for a forward that writes into its last arguments.
    wrt: the names of the arguments to check; by default all floats. may_change: what may be written to in place, by
    name, such as `"g"`. elements: look at so many elements of an argument, beside the directions; by default at all of
    a small one, and at some of a large one where a direction disagrees. seed: the random seed.
    told: called with how many numbers are certified, and of how many; what it raises ends the check, a `StoppedError`
    with the rows known by then.

    Everything runs in float64 if the kernel can, else in its own precision. The cotangent is random and has both signs.
    Raises `CheckError` where forward or backward raises, or where it cannot be told how backward is called.

    >>> report = verify_function(np.sin, lambda g, x: g * np.cos(x), [[0.5, -1.0]])
    >>> report.ok, [(row.name, row.verdict) for row in report.rows]
    (True, [('x', 'AGREE')])
    >>> verify_function(np.sin, lambda g, x: np.cos(x), [[0.5, -1.0]]).rows[0].because
    'backward returns the same whatever g is'
    """
    asked("verify_function", seed=seed, elements=elements)
    given = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    given = tuple(_as_array(arg) for arg in given)
    kernel, args, unit, faults = prepared(forward, backward, given, takes, out)
    rng = np.random.default_rng(seed)
    ran = manners.steady(kernel, args)
    cotangents = _cotangents(ran, rng, faults)
    checked = _checked(kernel, args, wrt)
    gradients = gradients_of(kernel, args, cotangents)
    if all(gradients[k] is None for k in checked):
        raise CheckError(
            "verify_function: backward returns no gradient at all\n  try: return one for each float argument"
        )
    allowed = may_change.split() if isinstance(may_change, str) else tuple(may_change)
    manners.untouched(kernel, args, cotangents, faults, allowed)

    @cache
    def shaken() -> list[shaking.Shaken]:
        return shaking.shaken(kernel, args, cotangents, unit, np.random.default_rng((seed, 1)))

    def moves(k: int) -> tuple[Array, ...]:
        return shaking.moves(gradients, shaken(), k)

    job = Rows(kernel, args, cotangents, gradients, ran, unit, elements, rng, moves)
    manners.linear(kernel, args, checked, cotangents, rng, unit, job.rounding, faults)
    if isinstance(kernel, torches.Autograd):
        manners.alone(kernel, args, cotangents, gradients, faults)
    elif isinstance(kernel, Pair) and "*into" in kernel.words:
        faults.notes += filter(None, [manners.added_to(kernel, args, cotangents)])
    if len(cotangents) > 1 and unit == EXACT:
        outputs_alone(job, checked, faults)
    progress = Progress(told, [job.counted(k) for k in checked])
    rows: list[Row] = []
    try:
        for k in checked:
            rows.append(job.row(k, faults, progress))
    except StoppedError:
        faults.notes.append(f"stopped: {len(rows)} of {len(checked)} arguments were judged")
        rest = checked[len(rows) :]
        rows += [Row(kernel.names[k], np.shape(args[k]), reason=UNJUDGED) for k in rest]
    faults.rungs += job.rungs()
    faults.notes.append(f"random seed {seed}")
    return Report(
        f"verify {kernel.title}",
        tuple(rows),
        tuple(faults.notes),
        "argument",
        rungs=tuple(faults.rungs),
    )


def _as_array(arg: Any) -> Any:
    """Lists of numbers as arrays, arrays of a device of ours as copies on the host; all else as it is."""
    if lies_elsewhere(arg):
        return arg.numpy()
    if not isinstance(arg, (list, tuple)):
        return arg
    try:
        found = np.array(arg)
    except ValueError:
        return arg
    return found if found.dtype.kind in "fiub" else arg


def _checked(kernel: Kernel, args: Sequence[Any], wrt: str | Sequence[str]) -> tuple[int, ...]:
    """The places of the arguments to check."""
    floats = [k for k, arg in enumerate(args) if is_float(arg)]
    if isinstance(kernel, torches.Autograd):
        floats = list(kernel.floats)
    if not wrt:
        return tuple(floats)
    wanted = wrt.replace(",", " ").split() if isinstance(wrt, str) else list(wrt)
    there = [kernel.names[k] for k in floats]
    for name in wanted:
        if name not in there:
            raise CheckError(
                f"verify_function: wrt={name!r} is no float argument of {kernel.title}\n"
                f"  try: one of {', '.join(there)}"
            )
    return tuple(k for k in floats if kernel.names[k] in wanted)


def _cotangents(ran: Ran, rng: np.random.Generator, faults: Faults) -> list[Array]:
    """Random cotangents with both signs, 0 where an output is not finite."""
    found, lost, total = [], 0, 0
    for out in ran.outputs:
        values = float64(out)
        g = rng.uniform(0.5, 1.5, values.shape) * rng.choice((-1.0, 1.0), values.shape)
        finite = np.isfinite(values)
        lost, total = lost + int(np.sum(~finite)), total + values.size
        found.append(np.where(finite, g, 0.0))
    if lost:
        faults.notes.append(f"{lost} of {total} outputs are not finite and were left out")
    return found
