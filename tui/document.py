"""A trace as one JSON document, for other programs: every number finite or named, large arrays by their summary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tracer import formulas
from tracer.nodes import Node
from tracer.recording import ScopeEntry
from tracer.stats import summary
from tracer.traces import Trace

FORMAT = "gradstep-show"
VERSION = 1
WHOLE_UP_TO = 1000
"""Arrays of more elements appear by their summary only."""


def document(trace: Trace, title: str, *, position: int | None = None) -> dict[str, Any]:
    """The trace at a position (the end if None) as JSON values; `json.dumps(..., allow_nan=False)` accepts them."""
    timeline = trace.timeline
    at = timeline.last if position is None else timeline.check(position)
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": title,
        "position": at,
        "last": timeline.last,
        "forward_steps": timeline.forward_steps,
        "loss": None if trace.loss < 0 else trace.loss,
        "meta": {key: plain(value) for key, value in trace.meta.items()},
        "nodes": [node_object(node, at) for node in trace],
    }


def node_object(node: Node, position: int) -> dict[str, Any]:
    """One node: what it is, where it was written, its numbers at the position, and the flows that have reached it."""
    trace, index, timeline = node.trace, node.index, node.trace.timeline
    status = timeline.status(position, index)
    has_run = timeline.has_run(position, index)
    flows = timeline.arrivals(index)[: status.arrived]
    return {
        "index": index,
        "label": node.label,
        "name": node.name,
        "kind": node.kind,
        "op": None if node.is_leaf else node.op_name,
        "kernels": node.kernels or None,
        "flow_kernels": node.flow_kernels or None,
        "inputs": [
            one.index if isinstance(one, Node) else {"literal": plain(one)} for one in node.inputs
        ],
        "params": {key: plain(value) for key, value in node.params.items()},
        "formula": None if node.is_leaf else formulas.formula(node),
        "shape": list(node.shape),
        "dtype": node.dtype.name,
        "value": numbers(node.seen) if has_run else None,
        "gradient": numbers(timeline.seen_gradient(position, index)),
        "state": status.state,
        "reason": status.reason,
        "arrived": status.arrived,
        "expected": status.expected,
        "flows": [flow_object(trace, edge) for edge in flows],
        "scope": [scope_object(entry) for entry in node.scope],
        "place": place_object(node),
    }


def flow_object(trace: Trace, edge: int) -> dict[str, Any]:
    """What one use sent back."""
    return {
        "consumer": int(trace.edge_consumer[edge]),
        "argument": int(trace.edge_argument[edge]),
        "cotangent": numbers(trace.seen_flow(edge)),
    }


def scope_object(entry: ScopeEntry) -> dict[str, Any]:
    """One level of scope."""
    return {"name": entry.name, "key": entry.key, "index": plain(entry.index)}


def place_object(node: Node) -> dict[str, Any] | None:
    """File, line and text of the place in the user's source."""
    place = node.place
    if place is None:
        return None
    text = node.trace.source_line(place).strip()
    return {"file": place.file, "line": place.line, "function": place.function, "text": text}


def numbers(array: Any) -> Any:
    """An array as nested lists, or, if it is large, as its summary; None for None."""
    if array is None:
        return None
    if array.size <= WHOLE_UP_TO:
        return plain(array.tolist())
    found = summary(array)
    return {"summary": {name: plain(value) for name, value in vars(found).items()}}


def plain(value: Any) -> Any:
    """A value as JSON allows it: what is not finite by its name ("nan", "inf", "-inf"), what is unknown as text.

    >>> plain([1.5, float("nan"), -float("inf"), (2, None)])
    [1.5, 'nan', '-inf', [2, None]]
    """
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)
