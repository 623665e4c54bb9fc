"""Whether the columns of a trace file make a trace: every number points at something, and no node reads a later one."""

from __future__ import annotations

import numpy as np

from ops.primitive import PRIMITIVES, Array
from tracer.archive import DamageError
from tracer.kinds import KINDS
from tracer.mapped import Mapped
from tracer.traces import Trace

GUARDS = ("bool", "int", "item")
"""The looks that Python takes at a value."""


def check_trace(trace: Trace, numbers: Mapped) -> None:
    """Raise `DamageError` that says what does not hold. Walks columns and tables, and reads no tensor."""
    nodes = len(trace)
    if nodes == 0:
        raise DamageError("it has no nodes")
    _check_inputs(trace)
    _check_range("operations", trace.op_of, -1, len(trace.ops))
    _check_range("kinds", trace.kind_of, 0, len(KINDS))
    _check_range("parameters", trace.params_of, 0, len(trace.params))
    _check_range("scopes", trace.scope_of, 0, len(trace.scopes))
    _check_range("places", trace.place_of, -1, len(trace.places))
    leaf = trace.op_of < 0
    counts = np.diff(trace.input_start)
    if np.any(leaf != (trace.kind_of != 0)) or np.any(counts[leaf]):
        raise DamageError("a leaf has inputs, or an operation has none to run")
    if not all(isinstance(each, (bool, int, float, np.generic)) for each in trace.literals):
        raise DamageError("a number in it is none")
    _check_calls(trace, counts)
    _check_names(trace)
    numbers.check(nodes)
    if not -1 <= trace.loss < nodes:
        raise DamageError("its loss is no node")
    for guard in (*trace.guards, *trace.flipped):
        if guard.kind not in GUARDS or not -1 <= guard.place < len(trace.places):
            raise DamageError("a guard of it is unknown")
        if (
            not 0 <= guard.node < nodes
            or np.prod(numbers.tensors.shape(numbers.value_of[guard.node])) != 1
        ):
            raise DamageError("a guard looks at a node that is not one number")


def _check_inputs(trace: Trace) -> None:
    start, inputs = trace.input_start, trace.input_of
    if start[0] != 0 or start[-1] != len(inputs) or np.any(np.diff(start) < 0):
        raise DamageError("the inputs of its nodes are counted wrongly")
    if np.any(inputs >= trace.edge_consumer):
        raise DamageError("a node reads one that runs later")
    if len(inputs) and inputs.min() < -len(trace.literals):
        raise DamageError("a node reads a number that is not there")


def _check_range(what: str, column: Array, low: int, end: int) -> None:
    if column.min() < low or column.max() >= end:
        raise DamageError(f"a node points beyond the table of {what}")


def _check_calls(trace: Trace, counts: Array) -> None:
    """Every operation has as many inputs as it takes, and only parameters that it knows."""
    runs = trace.op_of >= 0
    for which, count in _pairs(trace.op_of[runs], counts[runs]):
        op = trace.ops[which]
        least = len(op.inputs) - op.variadic
        if count < least or (count > least and not op.variadic):
            raise DamageError(f"operation {op.name} has {count} inputs")
    for which, params in _pairs(trace.op_of[runs], trace.params_of[runs]):
        op = trace.ops[which]
        known = PRIMITIVES.get(op.name) is op.definition
        unknown = set(trace.params[params]) - set(op.defaults)
        if known and unknown:
            raise DamageError(f"operation {op.name} has no parameter {min(unknown)!r:.40}")


def _pairs(firsts: Array, seconds: Array) -> list[tuple[int, int]]:
    """The different pairs that two columns make."""
    together = (firsts.astype(np.int64) << 32) + seconds
    return [(pair >> 32, pair & 0xFFFFFFFF) for pair in np.unique(together).tolist()]


def _check_names(trace: Trace) -> None:
    nodes = len(trace)
    for node in trace.given_names:
        if not 0 <= node < nodes:
            raise DamageError("it names a node that is not there")
    for scope in trace.scopes:
        for entry in scope:
            if entry.is_sweep and isinstance(entry.index, int) and not 0 <= entry.index < nodes:
                raise DamageError("a backward node belongs to a node that is not there")
    for place in trace.places:
        if min(place.line, place.end_line, place.column, place.end_column) < 0:
            raise DamageError("a place in the source has a negative line")
