"""Running the operation of one node again, on numbers that may come from a hostile file.

Before a kernel, a rule or the parts of an operation run, it is asked how much they make of these inputs and parameters
(`Primitive.size`), and refused if that is far more than what the trace holds of them. Before a rule or the parts run on
numbers of a file, the kernel has run on them once: so their shapes are those that the operation gives, and not others
that a file claims.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.primitive import Array, Primitive
from ops.shape import joint_room, room, shape_of
from tracer.errors import GradstepError, ReplayError
from tracer.traces import Trace
from tracer.values import read_only

ROOM = 2**26
"""So many elements, half a gigabyte, an operation may always make."""
TIMES = 64
"""It may make more if that is at most so many times what is recorded of it: inputs, value, and what it saved."""


def run_op(
    trace: Trace, node: int, op: Primitive, args: Sequence[Any]
) -> tuple[Array, Mapping[str, Array]]:
    """Run the operation of a node. Raises `ReplayError` where it cannot, or not in the recorded shape."""
    check_size(trace, node, op, args)
    try:
        value, saved = op.run(args, trace.params[trace.params_of[node]])
    except GradstepError:
        raise
    except Exception as error:
        raise ReplayError(
            f"replay: node {trace.label(node)} ({op.name}) cannot run again: {error!s:.400}\n"
            f"  try: values of the recorded shapes and kinds"
        ) from error
    check_shape(trace, node, value)
    return read_only(value), saved


def check_size(
    trace: Trace, node: int, op: Primitive, args: Sequence[Any], *, parts: bool = False
) -> None:
    """Refuse an operation that would make far more than what the trace holds of it. Allocates nothing."""
    if not any(map(_is_array, args)):
        raise ReplayError(
            f"replay: node {trace.label(node)} ({op.name}) reads nothing that was recorded\n"
            f"  try: a trace that was recorded with this operation"
        )
    try:
        asked = asked_by(op, args, trace.params[trace.params_of[node]], parts=parts)
    except Exception as error:
        raise ReplayError(
            f"replay: node {trace.label(node)} ({op.name}) cannot run again: {error!s:.400}\n"
            f"  try: values of the recorded shapes and kinds"
        ) from error
    if asked <= ROOM:
        return
    value = trace.storage.held(node)
    kept = [value, *trace.storage.held_saved(node).values()]
    inputs = dict(
        zip(trace.inputs_of(node), args, strict=True)
    )  # one that is read twice counts once
    held = sum(getattr(x, "size", 1) for x in (*kept, *inputs.values()))
    if not asked <= TIMES * held:  # NaN too is refused
        shapes = ", ".join(str(shape_of(x)) for x in itertools.islice(args, 8))
        raise ReplayError(
            f"replay: node {trace.label(node)} ({op.name}) of inputs {shapes} would make {asked:,.0f} numbers, "
            f"far more than the {held:,} of them and of its recorded shape {value.shape}\n"
            f"  try: parameters that fit the recorded shape"
        )


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape")


def asked_by(
    op: Primitive, args: Sequence[Any], params: Mapping[str, Any], *, parts: bool = False
) -> float:
    """How many elements an operation may make of its inputs and parameters."""
    size = (parts and op.parts_size) or op.size
    if size is not None:
        return size(*args, **{**op.defaults, **params})
    shapes = {shape_of(x) for x in args}
    if len(shapes) == 1:
        return room(*shapes.pop())
    turned = (shape[::-1] for shape in shapes)
    axes = map(set, itertools.zip_longest(*turned, fillvalue=1))
    if op.elementwise or all(len(sizes - {1}) < 2 for sizes in axes):
        return joint_room(*shapes)
    return sum(room(*shape) for shape in shapes)


def check_shape(trace: Trace, node: int, value: Array) -> None:
    """Refuse a value of another shape than the recorded one, or of no numbers."""
    recorded = trace.storage.held(node).shape
    if value.shape != recorded or value.dtype.kind not in "fiub":
        raise ReplayError(
            f"replay: node {trace.label(node)} would not have its recorded shape {recorded}, but {value.shape} "
            f"of {value.dtype}\n  try: values under which every shape stays as recorded"
        )


def prove(trace: Trace, node: int, *, parts: bool = False) -> None:
    """Refuse a node whose rules or parts would make too much, or whose recorded shapes its operation does not give."""
    op = trace.op(node)
    assert op is not None
    args = trace.held_inputs(node)
    check_size(trace, node, op, args, parts=parts)
    if trace.storage.is_proven(node):
        return
    _, saved = run_op(trace, node, op, args)
    kept = trace.storage.held_saved(node)
    if {name: np.shape(x) for name, x in saved.items()} != {
        name: np.shape(x) for name, x in kept.items()
    }:
        raise ReplayError(
            f"replay: node {trace.label(node)} ({op.name}) saved other numbers than its kernel does here\n"
            f"  try: a trace recorded by this version"
        )
    trace.storage.prove(node)
