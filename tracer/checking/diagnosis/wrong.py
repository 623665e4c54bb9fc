"""What is known of a wrong gradient: the claim, the right one, the trace it belongs to, and the lines that gave it."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tracer.traces import Trace

from .patience import Patience

Array = Any
"""A numpy array or numpy scalar."""

CLOSE = 1e-7
"""Relative difference up to which a cause explains an error exactly."""
ROUGHLY, NOTHING = 1e-3, 1e-11
"""Relative difference of a single element at most, and the part of an array below which its elements are noise."""
MOST_FLOWS = 256
"""Nodes with more flows are not taken apart."""


class SourceLine(Protocol):
    """An assignment of a derivation, as the user wrote it."""

    @property
    def number(self) -> int:
        """Which line of the derivation, counted from 1."""

    @property
    def text(self) -> str:
        """The line as written."""

    @property
    def target(self) -> str:
        """What it assigns to."""

    @property
    def expression(self) -> ast.expr:
        """What it assigns."""


class Repairs(Protocol):
    """The lines that feed a wrong claim, and a way to see what it comes to if one of them is written otherwise."""

    @property
    def lines(self) -> Sequence[SourceLine]:
        """The assignments since the last gradient that was judged, the claim's own line last."""

    @property
    def names(self) -> Mapping[str, Any]:
        """What the lines above define, and the claim's line could use, with the values it has there."""

    @property
    def written(self) -> Sequence[ast.expr]:
        """What all lines of the derivation assign, for the words that its author uses."""

    def again(self, index: int, expression: ast.expr) -> Array | None:
        """The claim, on recorded upstream gradients, if that line said `expression`; None if it cannot be computed."""

    @property
    def effort(self) -> int:
        """How many assignments that takes, at most."""

    @property
    def patience(self) -> Patience:
        """What may still be spent on it; `again` spends it, and raises `EndedError` where nothing is left."""


@dataclass(frozen=True, eq=False)
class Wrong:
    """A wrong gradient.

    trace, node: whose gradient it is; None and −1 where there is no trace. claim, right: float64, of any shapes.
    sizes: the lengths of axes that a factor may stand for. repairs: the lines that gave the claim; None for an array.
    elsewhere: the same claim on runs with other numbers, where a cause must hold too. It is a number, not a formula,
    where `bare`: then what the numbers tell of it holds here only.
    """

    trace: Trace | None
    node: int
    claim: Array
    right: Array
    sizes: Collection[int] = ()
    repairs: Repairs | None = None
    elsewhere: tuple[Wrong, ...] = ()

    @property
    def bare(self) -> bool:
        """Whether the claim is the same number whatever the inputs."""
        return bool(self.elsewhere) and all(
            np.array_equal(each.claim, self.claim) for each in self.elsewhere
        )

    @cached_property
    def spelled(self) -> Mapping[int, str]:
        """The lengths that the derivation has a name for."""
        names = {} if self.repairs is None else self.repairs.names
        return {v: name for name, v in reversed([*names.items()]) if type(v) is int and v > 1}

    @property
    def fits(self) -> bool:
        """Whether the claim has the shape of what is right."""
        return bool(self.claim.shape == self.right.shape)

    @property
    def name(self) -> str:
        """What it is a gradient of, as people read it."""
        return "the value" if self.trace is None else self.trace.label(self.node)

    @property
    def is_of_variance(self) -> bool:
        """Whether it is, or is made of, the gradient of a variance: there m and m − 1 are mixed up."""
        if self.trace is None:
            return False
        text = self.trace.names[self.node].lower()
        op = self.trace.op(self.node)
        return any(w in text for w in ("var", "std", "sig", "σ", "sq")) or (
            op is not None and op.name in ("var", "std", "square")
        )

    @property
    def spreads(self) -> bool:
        """Whether the claim has that shape, or would by broadcasting."""
        try:
            return bool(np.broadcast_shapes(self.claim.shape, self.right.shape) == self.right.shape)
        except ValueError:
            return False

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of axes that a factor may stand for, those of the claim and the gradient among them."""
        found = {*self.sizes, *self.claim.shape, *self.right.shape}
        found |= {self.claim.size, self.right.size}
        return tuple(sorted(length for length in found if length > 1))


def wrong_in(
    trace: Trace,
    node: int,
    claim: Array,
    repairs: Repairs | None = None,
    elsewhere: tuple[Wrong, ...] = (),
) -> Wrong | None:
    """A claim for the gradient of a recorded value, that is wrong; None if no gradient was recorded to mend it by."""
    right = trace.gradient(node)
    if right is None:
        return None
    given, recorded = np.asarray(claim, np.float64), np.asarray(right, np.float64)
    sizes = set(sizes_near(trace, node))
    if repairs is not None:
        sizes |= {int(v) for v in repairs.names.values() if isinstance(v, int) and 1 < v < 2**31}
    return Wrong(trace, node, given, recorded, frozenset(sizes), repairs, elsewhere)


def sizes_near(trace: Trace, node: int) -> frozenset[int]:
    """The lengths of the axes of a node and of what stands beside it."""
    shapes = [np.shape(trace.value(k)) for k in neighbours(trace, node)]
    return frozenset(length for shape in shapes for length in (*shape, int(np.prod(shape))))


def neighbours(trace: Trace, node: int) -> frozenset[int]:
    """A node, what it reads, what reads it, and what else that reads."""
    near = {node, *trace.inputs_of(node)}
    for edge in trace.uses_of(node)[:MOST_FLOWS]:
        consumer = int(trace.edge_consumer[edge])
        near.update((consumer, *trace.inputs_of(consumer)))
    return frozenset(k for k in near if k >= 0)


def same(a: Array, b: Array, close: float = CLOSE) -> bool:
    """Whether two arrays are equal up to rounding, relative to the larger; never if their lengths overflow.

    Small elements beside large ones count too: a gradient with one tiny wrong element is not the right one.
    """
    if np.shape(a) != np.shape(b):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
        off = float(np.linalg.norm(np.subtract(a, b)))
        if not (math.isfinite(size) and off <= close * size):
            return False
        larger = np.maximum(np.abs(a), np.abs(b))
        return bool((np.abs(np.subtract(a, b)) <= ROUGHLY * larger + NOTHING * size).all())


def step_of(trace: Trace, node: int) -> int | None:
    """The time step that a node belongs to; None if it belongs to none."""
    for entry in reversed([*trace.scopes[trace.scope_of[node]]]):
        if entry.key == "t" and isinstance(entry.index, int):
            return int(entry.index)
    return None


def is_mask(value: Array) -> bool:
    """Whether a value is 0 or one other number, as a dropout mask is."""
    found = np.unique(value) if 1 < np.size(value) <= 100_000 else np.zeros(0)
    return len(found) == 2 and not found[0]
