"""Flows of a loss that were computed with its value, for the cotangent 1 of a backward pass that starts from it.

A kernel that holds a row of logits in registers writes its flow for one more pass over memory; asked for it later, it
would read all logits again. Whoever pulls first gets that flow, if the host knows his cotangent to be 1 and the inputs
are the same; then it is forgotten. Everybody else has it computed anew, with the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ops.devices.arrays import DeviceArray


class Ahead(NamedTuple):
    """A flow for a cotangent of 1, and what it was computed from."""

    scores: DeviceArray
    target: Any
    params: Mapping[str, Any]
    flow: DeviceArray


def leave(weights: DeviceArray, ahead: Ahead) -> None:
    """Keep a flow for whoever pulls with these saved weights, and no longer than they live."""
    weights.ahead = ahead


def taken(
    weights: DeviceArray,
    g: DeviceArray,
    scores: DeviceArray,
    target: Any,
    params: Mapping[str, Any],
) -> DeviceArray | None:
    """The flow that was left with these weights, if it is that of g and of these inputs; it is left no longer."""
    found: Ahead | None = weights.ahead
    weights.ahead = None
    if found is None or g.number != 1 or g.dtype != scores.dtype:
        return None
    same = found.scores is scores and found.target is target and found.params == params
    return found.flow if same else None
