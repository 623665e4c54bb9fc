"""What the tests of single nodes share: a node with a random signed cotangent, and what its rules make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ops.primitive import NUMBERS, Primitive
from tracer.checking.certified.held import Piece, piece_of
from tracer.lanes import Run
from tracer.traces import Trace
from tracer.values import read_only

from .probes import Bundle

Array = Any
"""A numpy array or numpy scalar."""


@dataclass(frozen=True, eq=False)
class Node:
    """A recorded operation, what it read and gave, a random signed cotangent of it, and the flows that its rules send.

    The cotangent is not the recorded one, which may be zero, or so regular that errors cancel.
    """

    trace: Trace
    index: int
    op: Primitive
    params: Mapping[str, Any]
    values: list[Any]
    out: Array
    arguments: tuple[int, ...]
    """The arguments that receive a flow."""
    g: Array
    flows: Mapping[int, Array]

    @property
    def label(self) -> str:
        """The unique label of the node in its trace."""
        return self.trace.label(self.index)

    def input_name(self, argument: int) -> str:
        """What the operation calls that argument."""
        return self.trace[self.index].argument_names[argument]

    def moved(self, direction: Mapping[int, Array], t: float) -> list[Any]:
        """The inputs moved by t along a direction, which has an array for each argument that moves."""
        return [
            value + t * direction[k] if k in direction else value
            for k, value in enumerate(self.values)
        ]

    @cached_property
    def _piece(self) -> Piece | None:
        return piece_of(self.op, self.values, self.params, self.out)

    def held(self, values: list[Any]) -> Array:
        """The result for other inputs, on the pieces on which the recorded ones lie: see `certified.held`."""
        piece = self._piece
        if piece is None:
            return self.rerun(values)
        laned = [type(x) not in NUMBERS for x in values]
        lane = [np.asarray(x)[None] if one else x for x, one in zip(values, laned, strict=True)]
        with np.errstate(all="ignore"):
            return piece(Run(self.op, lane, laned, self.params, 1, np.shape(self.out)))[0]

    def rerun(self, values: list[Any]) -> Array:
        """The result for other inputs."""
        with np.errstate(all="ignore"):
            return self.op.run(values, self.params)[0]


@dataclass(frozen=True, eq=False)
class LocalTest:
    """Probes of the rules of some nodes, and to which node and element each belongs."""

    bundle: Bundle
    nodes: tuple[Node, ...]
    owners: Array
    """int (probes,): which of `nodes`."""
    arguments: tuple[int, ...]
    """The arguments that are moved: one, or several of a variadic operation together."""
    elements: Array | None
    """int (probes,): the flat number of the element; None if the probes are directions through all of them."""


def nodes_of(trace: Trace, rng: np.random.Generator) -> list[Node]:
    """The operations of a trace along which gradients flow.

    Raises `ReplayError` where a rule cannot run on the recorded numbers.
    """
    found = []
    flows_along = trace.edge_flows.tolist()
    starts = trace.input_start.tolist()
    for k in np.flatnonzero(trace.op_of >= 0).tolist():
        wanted = flows_along[starts[k] : starts[k + 1]]
        if any(wanted) and trace.value(k).size:
            found.append(_node(trace, k, wanted, rng))
    return [node for node in found if node.arguments]


def _node(trace: Trace, k: int, wanted: list[bool], rng: np.random.Generator) -> Node:
    op = trace.op(k)
    assert op is not None
    out, values = trace.value(k), trace.input_values(k)
    g = read_only(np.where(np.isfinite(out), signed(out.shape, rng), 0.0)[()])
    with np.errstate(all="ignore"):
        flows = trace.pull_back(k, g, wanted)
    sent = {j: flow for j, flow in enumerate(flows) if flow is not None and np.size(values[j])}
    params = trace.params[trace.params_of[k]]
    return Node(trace, k, op, params, values, out, tuple(sent), g, sent)


def signed(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Random numbers of both signs, none of them near 0: errors do not cancel, nor are they weighed away."""
    return rng.uniform(0.5, 1.5, shape) * rng.choice((-1.0, 1.0), shape)


def nudged(value: Any, rng: np.random.Generator) -> Any:
    """Floats moved up or down by one unit in the last place; 0 and what is no float stay."""
    if type(value) in NUMBERS or value.dtype.kind != "f":
        return value
    towards = rng.choice((-np.inf, np.inf), np.shape(value)).astype(value.dtype)
    return np.where(value == 0, value, np.nextafter(value, towards))[()]
