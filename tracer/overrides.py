"""What a replay changes in the record before anything runs: values, parameters, and numbers that operations read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ops.primitive import NOTHING, NUMBERS, Array
from tracer.errors import DTypeError, ShapeError, UnknownNameError
from tracer.kinds import KINDS
from tracer.traces import Trace
from tracer.values import as_value, lies_elsewhere, on_host, placed, read_only


def with_params(trace: Trace, changed: Mapping[int, Mapping[str, Any]]) -> Trace:
    """The trace whose operations at some nodes have other parameters."""
    if not changed:
        return trace
    params_of, table = trace.params_of.copy(), list(trace.params)
    for node, given in changed.items():
        op = trace.op(node)
        known = op.defaults if op is not None else NOTHING
        for name in given:
            if name not in known:
                there = ", ".join(known) or "none"
                raise UnknownNameError(
                    f"replay: {trace.label(node)} ({trace[node].op_name}) has no parameter {name!r}\n"
                    f"  there are: {there}\n  try: one of these names"
                )
        params_of[node] = len(table)
        table.append({**trace.params[trace.params_of[node]], **given})
    return replace(trace, params_of=params_of, params=tuple(table))


def reading(trace: Trace, numbers: Mapping[tuple[int, int], Any]) -> Trace:
    """The trace in which some arguments that are Python numbers are others."""
    if not numbers:
        return trace
    input_of, literals = trace.input_of.copy(), list(trace.literals)
    for (node, argument), number in numbers.items():
        inputs = trace.inputs_of(node)
        if not 0 <= argument < len(inputs) or inputs[argument] >= 0:
            raise UnknownNameError(
                f"replay: argument {argument} of {trace.label(node)} is no Python number\n"
                f"  try: the value of the node that it reads"
            )
        if type(number) not in NUMBERS:
            raise DTypeError(
                f"replay: argument {argument} of {trace.label(node)} is a Python number, not {number!r:.40}\n"
                f"  try: 2.0"
            )
        literals.append(number)
        input_of[trace.input_start[node] + argument] = -len(literals)
    return replace(trace, input_of=input_of, literals=tuple(literals))


def fitting(trace: Trace, node: int, value: Any) -> Array:
    """A new value of a node, broadcast to the shape of the recorded one, in its dtype and memory layout.

    Raises `ShapeError` or `DTypeError` for a value that does not fit.
    """
    recorded = trace.storage.held(node)
    new = on_host(as_value(value))
    if new.shape != recorded.shape and not _fills(new.shape, recorded.shape):
        raise ShapeError(
            f"replay: the new value of {trace.label(node)} has shape {new.shape}, the recorded one {recorded.shape}\n"
            f"  try: a value of shape {recorded.shape}{', or a number for all its elements' * bool(recorded.ndim)}"
        )
    if new.shape != recorded.shape:
        new = np.broadcast_to(new, recorded.shape)
    if recorded.dtype.kind != "f" and new.dtype.kind == "f" and np.any(new != np.floor(new)):
        raise DTypeError(
            f"replay: {trace.label(node)} is {recorded.dtype}, the new value {new.dtype}\n"
            f"  try: whole numbers"
        )
    if lies_elsewhere(recorded):
        return placed(as_value(new.astype(recorded.dtype)), recorded.device.name)
    if not recorded.ndim:
        return as_value(new.astype(recorded.dtype))
    laid = np.empty_like(recorded, subok=False)  # its memory layout decides the order of sums
    np.copyto(laid, new, casting="unsafe")
    return read_only(laid)


def _fills(given: tuple[int, ...], recorded: tuple[int, ...]) -> bool:
    """Whether numpy broadcasts one shape to the other, as an assignment to all elements does."""
    missing = len(recorded) - len(given)
    return missing >= 0 and all(a in (1, b) for a, b in zip(given, recorded[missing:], strict=True))


def cut(trace: Trace, nodes: Sequence[int]) -> Trace:
    """The trace with some inner nodes turned into leaves: inputs, or constants where no gradient could flow."""
    op_of, kind_of = trace.op_of.copy(), trace.kind_of.copy()
    op_of[list(nodes)] = -1
    for node in nodes:
        kind_of[node] = KINDS.index("input" if trace.tracked[node] else "constant")
    keep = ~np.isin(trace.edge_consumer, list(nodes))
    counts = np.bincount(trace.edge_consumer[keep], minlength=len(trace))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    # names follow from who reads whom in a line; one without a name keeps its label, so that what the user said holds
    lines = trace.place_of[list(nodes)]
    beside = np.flatnonzero(np.isin(trace.place_of, lines[lines >= 0])).tolist()
    names = {node: trace.names[node] for node in beside}
    names |= {node: trace.names[node] or trace.labels[node] for node in nodes}
    return replace(
        trace,
        op_of=op_of,
        kind_of=kind_of,
        input_start=start,
        input_of=trace.input_of[keep],
        given_names={**trace.given_names, **names},
    )
