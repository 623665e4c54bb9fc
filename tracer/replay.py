"""Running a trace again: with values overridden, only for what they affect, from the trace alone.

Replay follows the recorded path of control. Guards say where Python looked at a value, and a replay under which one
would have seen another value names it. Overriding an inner node makes it a leaf: what flowed further up from it is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ops.primitive import NOTHING, Array
from tracer.backing import Overlay
from tracer.errors import GradstepError, ReplayError
from tracer.freezing import freeze
from tracer.nodes import Guard
from tracer.overrides import cut, fitting, reading, with_params
from tracer.recording import OWN_FILES, Recorded, switched
from tracer.running import prove, run_op
from tracer.tensors import Tensor, tensor
from tracer.traces import Trace
from tracer.values import lies_elsewhere

Told = Callable[[int, int], None]
"""Told how many of how many nodes have run; it may raise, and then nothing comes of the run."""
OFTEN = 256
"""It is told after so many nodes."""


def _nothing_to_tell(done: int, of: int) -> None: ...


def replay(
    trace: Trace,
    values: Mapping[Any, Any] = NOTHING,
    *,
    params: Mapping[Any, Mapping[str, Any]] = NOTHING,
    numbers: Mapping[Any, Any] = NOTHING,
    told: Told = _nothing_to_tell,
) -> Trace:
    """The same run with some values overridden: a new Trace with the same node numbers.

    values: name, label or number of a node to its new value; the shape stays: a number goes to all elements, an array
    is broadcast as numpy does. params: node to the parameters of its
    operation that change. numbers: node and argument to the number read there in place of a recorded Python number.
    Only the affected nodes run.
    `flipped` of the result lists the guards that would have seen another value.
    Raises `ShapeError`, `DTypeError` or `UnknownNameError` for what does not fit, `ReplayError` where a node cannot
    run.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0, name="x")
    >>> again = tr.trace(x * x).replay({"x": 5.0})
    >>> again.value(1), again.gradient("x")
    (np.float64(25.0), np.float64(10.0))
    """
    if trace.device != "cpu" and not any(map(lies_elsewhere, _held(trace))):
        trace = (
            trace.on_host()
        )  # read from a file: what runs again are numpy's kernels, and it says so
    overrides = {
        node: fitting(trace, node, value)
        for node, value in ((trace.node_index(key), value) for key, value in values.items())
    }
    changed = {trace.node_index(node): given for node, given in params.items()}
    read = {(trace.node_index(node), k): number for (node, k), number in numbers.items()}
    trace = reading(with_params(trace, changed), read)
    new = dict(overrides)
    kept: dict[int, Mapping[str, Array]] = dict.fromkeys(overrides, NOTHING)
    plan = run_again(trace, overrides, {*changed, *(node for node, _ in read)})
    for count, node in enumerate(plan):
        if count % OFTEN == 0:
            told(count, len(plan))
        new[node], kept[node] = run_node(trace, node, new)
    inner = [node for node in overrides if trace.op_of[node] >= 0]
    under = trace.storage
    if isinstance(under, Overlay):  # a replay of a replay: one layer, however many came before
        new, kept = {**under.values, **new}, {**under.kept, **kept}
        under = under.under
    again = replace(trace, storage=Overlay(under, new, kept), like=trace.skeleton)
    if inner:
        again = cut(again, inner)
    return replace(again, flipped=_flipped(again, new))


def _held(trace: Trace) -> Iterator[Array]:
    return (trace.storage.held(node) for node in range(len(trace)))


def run_again(trace: Trace, overrides: Collection[int], altered: Collection[int] = ()) -> list[int]:
    """The nodes that run when some have other values and others compute in another way, in order."""
    sources = [*overrides, *altered]
    return sorted({*affected(trace, sources), *altered}.difference(overrides))


def affected(
    trace: Trace,
    sources: Mapping[int, Any] | Sequence[int],
    target: int | Sequence[int] | None = None,
) -> list[int]:
    """The nodes that must run again when some nodes change, in order; with targets, only those on the way to them."""
    n = len(trace)
    targets = [target] if isinstance(target, int) else target
    last = n - 1 if targets is None else max(targets, default=-1)
    changed = np.zeros(n, dtype=bool)
    changed[list(sources)] = True
    starts = trace.input_start.tolist()
    inputs = trace.input_of.tolist()
    first = min(sources, default=n)
    marks = changed.tolist()
    for k in range(first + 1, last + 1):
        if not marks[k]:
            for i in inputs[starts[k] : starts[k + 1]]:
                if i >= 0 and marks[i]:
                    marks[k] = True
                    break
    found = [
        k for k in range(first, last + 1) if marks[k] and not changed[k] and trace.op_of[k] >= 0
    ]
    if targets is None:
        return found
    needed = set(targets)
    for k in reversed(found):
        if k in needed:
            needed.update(inputs[starts[k] : starts[k + 1]])
    return [k for k in found if k in needed]


def run_node(
    trace: Trace, node: int, values: Mapping[int, Array]
) -> tuple[Array, Mapping[str, Array]]:
    """Run the primitive of a node on recorded values, with some of them replaced."""
    op = trace.op(node)
    assert op is not None
    args = [
        trace.literals[-1 - i] if i < 0 else values[i] if i in values else trace.storage.held(i)
        for i in trace.inputs_of(node)
    ]
    return run_op(trace, node, op, args)


def detached(trace: Trace, node: int) -> dict[int, Array]:
    """The recorded values of what was detached after a node: as far as derivatives go, they stay as they are."""
    detach = [k for k, op in enumerate(trace.ops) if op.name == "detach"]
    cut = np.flatnonzero(np.isin(trace.op_of, detach)).tolist()
    return {k: trace.value(k) for k in cut if k > node}


def _flipped(trace: Trace, changed: Mapping[int, Array]) -> tuple[Guard, ...]:
    read: dict[str, Callable[[Any], Any]] = {
        "bool": bool,
        "int": int,
        "item": lambda value: value.item(),
    }
    found = []
    for guard in trace.guards:
        if guard.node in changed:
            try:
                now = read[guard.kind](changed[guard.node].reshape(()))
            except (ValueError, OverflowError):
                now = None  # int() of NaN or inf: the run would have stopped here
            if now != guard.result and not (now != now and guard.result != guard.result):
                found.append(guard)
    return tuple(found)


def opened(trace: Trace, node: int, args: Sequence[Any]) -> Tensor:
    """What the parts of a fused node give for some arguments, recorded."""
    op = trace.op(node)
    assert op is not None
    assert op.parts is not None
    file = op.parts.__code__.co_filename
    recorded = Recorded([], [])  # so that a part that detaches keeps what it cut off
    with switched(scope=(), enabled=True, kept=recorded, hidden=OWN_FILES - {file}):
        try:
            out: Tensor = op.parts(*args, **trace.params[trace.params_of[node]])
            return out
        except GradstepError:
            raise
        except Exception as error:
            raise ReplayError(
                f"{trace.label(node)} ({op.name}) cannot be opened into its parts: {error!s:.400}\n"
                f"  try: a trace recorded by this version"
            ) from error


def parts_trace(trace: Trace, node: int) -> Trace:
    """The parts of a fused node as a trace of their own: its inputs are leaves, its gradient is the seed cotangent.

    Raises `ReplayError` for a node whose primitive has no parts.
    """
    op = trace.op(node)
    if op is None or op.parts is None:
        raise ReplayError(
            f"{trace.label(node)} ({trace[node].op_name}) has no parts to step into\n"
            f"  try: a fused operation, such as batch_norm or softmax"
        )
    prove(trace, node, parts=True)
    first = trace.input_start[node]
    flows = trace.edge_flows[first : trace.input_start[node + 1]]
    args = []
    for k, (name, value) in enumerate(
        zip(trace[node].argument_names, trace.input_values(node), strict=True)
    ):
        # by exact type: a numpy scalar is a float too, but a value of rank 0
        plain = type(value) in (int, float, bool)
        if not plain:
            value = tensor(value, name=name, requires_grad=bool(flows[k]), device="cpu")
            value.code = None  # no line of the user's, and none of ours
        args.append(value)
    out = opened(trace, node, args)
    inner = freeze(out, trace.gradient(node))
    return replace(inner, meta={**trace.meta, "parts_of": trace.label(node), "op": op.name})
