"""Guards: that Python looked at a value, and how that value came about."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from ops.primitive import Primitive
from tracer.recording import CURRENT, user_frame
from tracer.tensors import Tensor

_NEAR, _FEW = 16, 8
"""So many nodes behind a look are remembered with it; leaves remember it too if there are so few."""

_by_serial = attrgetter("serial")


def guard(tensor: Tensor, kind: str, result: Any) -> None:
    """Remember that Python looked at a value, so that a replay can say when it would have taken another way.

    The guard stays with its Tensor. A comparison is not on the way to the loss, so the nodes behind it remember how it
    came about, once for each source place: as copies that lead to no node of the graph, since a graph that held itself
    would stay until the garbage collector comes.
    """
    now = CURRENT.get()
    if not now.enabled:
        return
    place = user_frame(3, now.hidden)
    if tensor.extras is None:
        tensor.extras = {}
    tensor.extras.setdefault("guards", {})[place] = (kind, result)
    behind, seen = [tensor], {tensor.serial}
    for node in behind:  # grows while it is walked
        if node is not tensor and place in (node.extras or {}).get("looks", ()):
            continue  # so that a loop over its own result stays linear
        for x in node.inputs:
            if type(x) is Tensor and x.serial not in seen and len(behind) < _NEAR:
                seen.add(x.serial)
                behind.append(x)
    copies: dict[int, Tensor] = {}
    for node in sorted(behind, key=_by_serial):
        inputs = [_copied(x, copies) if type(x) is Tensor else x for x in node.inputs]
        copies[node.serial] = _alike(node, node.op, tuple(inputs), node.params)
    for node in behind[1:]:
        if node.op is not None or len(behind) <= _FEW:
            if node.extras is None:
                node.extras = {}
            node.extras.setdefault("looks", {})[place] = copies[tensor.serial]


def _copied(x: Tensor, copies: Mapping[int, Tensor]) -> Tensor:
    """The copy of a node; where it is too far away to have one, a leaf that says so by its kind."""
    found = copies.get(x.serial)
    return _alike(x, None, (), {"kind": "op", "name": ""}) if found is None else found


def _alike(
    node: Tensor, op: Primitive | None, inputs: tuple[Any, ...], params: Mapping[str, Any]
) -> Tensor:
    """A node with the value, serial, place and guards of another."""
    made = object.__new__(Tensor)
    made.value, made.op, made.inputs, made.params = node.value, op, inputs, params
    made.saved, made.serial, made.scope = node.saved, node.serial, node.scope
    made.code, made.offset = node.code, node.offset
    made.gradient, made.tracked = None, node.tracked
    made.extras = None
    if node.extras is not None and "guards" in node.extras:
        made.extras = {"guards": node.extras["guards"]}
    return made
