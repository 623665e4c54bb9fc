"""The structure of a trace: integer columns over its nodes and edges, pointing into interned tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ops.primitive import Array, Primitive
from tracer.places import Place
from tracer.recording import Scope


@dataclass(frozen=True, eq=False)
class Structure:
    """Which operation made each node, of which inputs, under which scope and where; nodes stand as they ran."""

    ops: tuple[Primitive, ...]
    op_of: Array
    """int (nodes,): which entry of `ops` ran, -1 for a leaf."""
    kind_of: Array
    """int (nodes,): which of KINDS."""
    input_start: Array
    """int (nodes + 1,): the inputs of node i are `input_of[input_start[i]:input_start[i + 1]]`."""
    input_of: Array
    """int (edges,): a node, or -1 - k for the Python number `literals[k]`."""
    literals: tuple[Any, ...]
    params_of: Array
    params: tuple[Mapping[str, Any], ...]
    scope_of: Array
    scopes: tuple[Scope, ...]
    place_of: Array
    """int (nodes,): which entry of `places`, -1 if unknown."""
    places: tuple[Place, ...]
    given_names: Mapping[int, str]
    """The names that the user gave to leaves; the others follow from the source."""

    def __post_init__(self) -> None:
        for column in (self.op_of, self.kind_of, self.input_start, self.input_of):
            column.setflags(write=False)
        for column in (self.params_of, self.scope_of, self.place_of):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.op_of)

    def op(self, node: int) -> Primitive | None:
        """The primitive that made a node, None for a leaf."""
        which = self.op_of[node]
        return self.ops[which] if which >= 0 else None

    def made_by(self, node: int) -> int | None:
        """The forward node whose rule made this one in a recorded backward pass, None for a forward node."""
        for entry in reversed(self.scopes[self.scope_of[node]]):
            if entry.is_sweep and isinstance(entry.index, int):
                return entry.index
        return None

    def inputs_of(self, node: int) -> list[int]:
        """The input numbers of a node, in argument order."""
        found: list[int] = self.input_of[
            self.input_start[node] : self.input_start[node + 1]
        ].tolist()
        return found

    @cached_property
    def edge_consumer(self) -> Array:
        """int (edges,): the node that each edge enters."""
        return np.repeat(np.arange(len(self)), np.diff(self.input_start))

    @cached_property
    def edge_argument(self) -> Array:
        """int (edges,): which argument of its consumer each edge is."""
        return np.arange(len(self.input_of)) - self.input_start[self.edge_consumer]

    @cached_property
    def _uses(self) -> tuple[Array, Array]:
        order = np.argsort(self.input_of, kind="stable")
        order = order[np.searchsorted(self.input_of[order], 0) :]
        start = np.searchsorted(self.input_of[order], np.arange(len(self) + 1))
        return start, order

    def uses_of(self, node: int) -> list[int]:
        """The edges that read a node, rising."""
        start, order = self._uses
        found: list[int] = order[start[node] : start[node + 1]].tolist()
        return found
