"""Traces as a hostile file would hold them, run under a limit on memory and time: a program, for it limits itself.

python -m tests.tracer.hostile params|files|shapes|literals COUNT [NAME ...]    prints what went wrong, a line each

COUNT: so many samples of every operation.
"""

from __future__ import annotations

import contextlib
import itertools
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from ops import PRIMITIVES
from tests.ops.cases import Case, cases_of
from tests.ops.test_second_order import leaves
from tests.patience import PATIENCE
from tracer import running
from tracer.backing import References
from tracer.errors import GradstepError
from tracer.replay import parts_trace

Array = Any

MEMORY = 400 * 2**20
LONG = 8_000
"""An axis so long that two of them make half a gigabyte."""
HUGE = (10**12, -(10**12), 10**30, 0, 1e300, float("nan"), None, (), "x", "", ((10**12,) * 2,) * 2)


class Claimed(References):
    """Numbers that somebody claims: no operation ran on them."""

    def is_proven(self, node: int) -> bool:
        return False


def traced(case: Case) -> tr.Trace:
    out = case.op(*leaves(case), **case.params)
    seed = np.ones(out.shape) if out.ndim and out.dtype.kind == "f" else None
    if out.tracked:
        return tr.trace(out, seed=seed)
    with tr.record() as recorded:
        x = tr.tensor(1.0)
        out = case.op(*leaves(case), **case.params)
        return tr.trace(x * 1.0, recorded=recorded)


def node_of(trace: tr.Trace, case: Case) -> int:
    return max(k for k in range(len(trace)) if (op := trace.op(k)) and op.name == case.op.name)


def actions(trace: tr.Trace, node: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    inputs = [k for k in trace.inputs_of(node) if k >= 0]
    yield "replay", lambda: trace.replay({k: trace.value(k) for k in inputs[:1]})
    yield "gradient", lambda: [trace.replay({}).gradient(k) for k in inputs]
    yield "flows", lambda: trace.flows_from(node)
    op = trace.op(node)
    steps = op is not None and op.name.endswith("_layer") and trace.value(0).shape[:1] == (LONG,)
    if op and op.parts and not steps:  # a graph of all time steps is long honest work
        yield "parts", lambda: [part.gradient for part in parts_trace(trace, node)]


class EndlessError(BaseException):
    """An action has used all the CPU that there is patience for."""


def stop(*_: Any) -> None:
    raise EndlessError


def faults(trace: tr.Trace, node: int) -> Iterator[str]:
    """What goes wrong when all is done with a trace that the user may do: nothing but errors of Gradstep may."""
    for name, action in actions(trace, node):
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            action()
        except GradstepError as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, MemoryError):
                yield f"{name}: out of memory: {cause}"
            if "\n  try: " not in str(error):
                yield f"{name}: says nothing to try: {error}"
            if len(str(error)) > 2000:
                yield f"{name}: says {len(str(error))} characters"
        except EndlessError:
            yield f"{name}: does not end"
        except MemoryError as error:
            yield f"{name}: out of memory: {error}"
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {error!s:.200}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def absurd(value: Any) -> Iterator[Any]:
    """What a hostile file may hold in place of a parameter: huge or senseless values, also inside of tuples."""
    yield from HUGE
    if type(value) is str:
        yield from (
            "ab,bc,cd,de->ae",
            "..." * 10**5,
            "abcdefghijklmnopq,rstuvwxyz->az",
            "S1000000000",
            "O",
        )
    if type(value) is tuple:
        yield value * 10**5
        for k, each in enumerate(value):
            yield from (
                (*value[:k], new, *value[k + 1 :])
                for new in (10**12, -(10**12), None, *absurd(each))
            )
    else:
        yield from ((10**12,) * n for n in (1, 2, 3))
        yield (10**7,) * 10**5


def claimed(trace: tr.Trace, **changes: Any) -> tr.Trace:
    """The trace with some fields replaced, on a storage in which nothing is proven."""
    held = trace.storage
    nodes = range(len(trace))
    storage = Claimed([held.value(k) for k in nodes], [held.saved(k) for k in nodes])
    return replace(trace, **{"storage": storage, **changes})


def of_params(case: Case) -> Iterator[str]:
    """Every parameter replaced, one after the other."""
    trace = traced(case)
    node = node_of(trace, case)
    which = int(trace.params_of[node])
    for name, value in case.params.items():
        for new in itertools.islice(absurd(value), 60):
            params = list(trace.params)
            params[which] = {**params[which], name: new}
            for fault in faults(claimed(trace, params=tuple(params)), node):
                yield f"{name}={new!r:.60}: {fault}"


def of_files(case: Case) -> Iterator[str]:
    """One parameter after the other made huge, in a file that is saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.trace"
        traced(case).save(path)
        trace = tr.load(path)
        node = node_of(trace, case)
        which = int(trace.params_of[node])
        for name in case.params:
            params = list(trace.params)
            params[which] = {**params[which], name: 10**12}
            replace(trace, params=tuple(params)).save(path)
            for fault in faults(tr.load(path), node):
                yield f"{name}: {fault}"


def of_shapes(case: Case) -> Iterator[str]:
    """Every one and two axes of the inputs made long."""
    trace = traced(case)
    node = node_of(trace, case)
    arrays = [k for k in dict.fromkeys(trace.inputs_of(node)) if k >= 0]
    axes = [(k, axis) for k in arrays for axis in range(np.ndim(trace.value(k)))]
    for chosen in (*itertools.combinations(axes, 1), *itertools.combinations(axes, 2)):
        values = [trace.value(k) for k in range(len(trace))]
        for k, axis in chosen:
            shape = list(values[k].shape)
            shape[axis] = LONG
            if np.prod(np.maximum(shape, 1)) <= 10 * LONG:
                values[k] = np.resize(values[k], shape)
        kept = [trace.storage.saved(k) for k in range(len(trace))]
        said = [values[k].shape for k in arrays]
        long = claimed(trace, storage=Claimed(values, kept))
        for fault in faults(long, node):
            yield f"{said}: {fault}"
        with contextlib.suppress(
            GradstepError
        ):  # where the shapes fit: with the value that they give
            values[node], kept[node] = honest(long, node)
            seed = np.ones(values[node].shape) if trace.loss == node else trace.seed
            for fault in faults(claimed(trace, storage=Claimed(values, kept), seed=seed), node):
                yield f"{said}, honestly: {fault}"


def honest(trace: tr.Trace, node: int) -> tuple[Array, Mapping[str, Array]]:
    """What the operation of a node gives, if it may run."""
    op = trace.op(node)
    assert op is not None
    args = trace.input_values(node)
    running.check_size(trace, node, op, args)
    try:
        return op.run(args, trace.params[trace.params_of[node]])
    except Exception as error:
        raise GradstepError from error


def of_literals(case: Case) -> Iterator[str]:
    """Every input replaced by a huge number, and all of them."""
    trace = traced(case)
    node = node_of(trace, case)
    first, last = trace.input_start[node], trace.input_start[node + 1]
    for number in (10**12, 10**30, -(10**30), 1e300, True):
        for places in (*([k] for k in range(first, last)), list(range(first, last))):
            inputs = trace.input_of.copy()
            inputs[places] = -1 - len(trace.literals)
            literals = (*trace.literals, number)
            for fault in faults(claimed(trace, input_of=inputs, literals=literals), node):
                yield f"{number} at {places}: {fault}"


TAMPERING = {"params": of_params, "files": of_files, "shapes": of_shapes, "literals": of_literals}


def main(which: str, most: str, *names: str) -> None:
    """Print the faults of so many samples of the operations of those names, or of all."""
    tamper = TAMPERING[which]
    ops = [op for op in PRIMITIVES.values() if op.home.startswith("ops.")]
    cases = [
        case for op in ops if not names or op.name in names for case in cases_of(op)[: int(most)]
    ]
    running.ROOM = 2**20
    signal.signal(signal.SIGPROF, stop)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    count = 0
    for case in cases:
        for fault in tamper(case):
            print(f"{case.op.name}: {fault!r}", flush=True)
        count += 1
    print(f"{count} samples")


if __name__ == "__main__":
    main(*sys.argv[1:])
