"""The scalar that a trace differentiates, held on the pieces on which it was recorded: see `certified.held`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tracer.cones import Cone
from tracer.lanes import Run
from tracer.nodes import Guard
from tracer.traces import Trace

from .certified.branches import HELD
from .certified.held import Piece, near_zero, piece_of
from .certified.kinks import margins_of
from .certified.margins import MARGINS
from .numerical import LossBy

Array = Any
"""A numpy array or numpy scalar."""


class HeldCone(Cone):
    """A cone whose operations stay on the pieces on which they were recorded; it runs as lanes only."""

    def __init__(
        self,
        trace: Trace,
        sources: Sequence[int],
        target: int | Sequence[int],
        shaken: Sequence[Trace],
    ) -> None:
        super().__init__(trace, sources, target)
        self.shaken = shaken
        self._pieces: dict[int, Piece | None] = {}

    def like(self, trace: Trace, sources: Sequence[int], target: int) -> Cone:
        """A cone of another trace, held on its pieces too."""
        return HeldCone(trace, sources, target, ())

    def _lanes_of(self, node: int, run: Run) -> Array:
        if node not in self._pieces:
            trace = self.trace
            args, out = trace.input_values(node), trace.value(node)
            self._pieces[node] = piece_of(
                run.op,
                args,
                run.params,
                out,
                [(other.input_values(node), other.value(node)) for other in self.shaken],
            )
        piece = self._pieces[node]
        if piece is not None:
            return piece(run)
        if _opens(run.op):
            value = self._by_parts(node, run)
            if value is not None:
                return value
        return super()._lanes_of(node, run)


class OnPiece(LossBy):
    """The scalar as a function of one node, on the pieces on which it was recorded.

    At the node's recorded value it has the derivative of the scalar itself, exactly; but it goes on straight where that
    has a kink, however close. Where a recorded value lies at a kink, to rounding, it is the scalar itself.
    """

    def __init__(self, trace: Trace, node: int, shaken: Sequence[Trace] = ()) -> None:
        super().__init__(trace, node)
        self.shaken = shaken

    def __reduce__(self) -> tuple[Any, ...]:
        return OnPiece, (self.trace, self.node, self.shaken)

    def __call__(self, value: Array) -> float:
        """The scalar for one value of the node."""
        return float(self.many(np.asarray(value)[None])[0])

    def cone(self, targets: Sequence[int]) -> Cone:
        """What runs between the node and some targets, held on its pieces."""
        return HeldCone(self.trace, [self.node, *self._fixed], targets, self.shaken)

    @cached_property
    def looks(self) -> dict[int, Guard]:
        """Where Python looked at a value that lies at the edge of its branch; from all others it goes on straight."""
        looks = super().looks
        here = {node: self.trace.value(node) for node in looks}
        return {
            node: guard
            for node, guard in looks.items()
            if any(near_zero(margin).any() for margin in margins_of(self.trace, node, here, looks))
        }


def on_piece(trace: Trace, node: int, shaken: Sequence[Trace] = ()) -> LossBy:
    """The scalar that a trace differentiates as a function of one node, held on its pieces if it has any.

    shaken: the trace with everything moved by rounding, where it was recorded in float32: what lies closer to a kink
    than float32 tells lies at it.

    >>> import tracer as tr
    >>> x = tr.tensor([1e-9, -2.0], name="x")
    >>> trace = tr.trace(tr.relu(x).sum())
    >>> on_piece(trace, 0).many(np.array([[-3.0, 5.0]]))
    array([-3.])
    """
    loss = LossBy(trace, node)
    return OnPiece(trace, node, shaken) if loss.looks or _bends(trace, node) else loss


def _bends(trace: Trace, node: int) -> bool:
    """Whether an operation with pieces comes after a node."""
    ops = [k for k, op in enumerate(trace.ops) if op.name in HELD or _opens(op)]
    return bool(np.isin(trace.op_of[node:], ops).any())


def _opens(op: Any) -> bool:
    """Whether an operation is held by its parts, among which those with pieces are."""
    fused = op.parts is not None and op.name in MARGINS and op.name not in HELD
    return bool(fused and op.home.startswith("ops."))
