"""One operation with inputs of which some have lanes, and what needs no rule: running it lane by lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array, Primitive


class Run(NamedTuple):
    """One operation with its inputs, of which some have lanes."""

    op: Primitive
    args: Sequence[Any]
    laned: Sequence[bool]
    params: Mapping[str, Any]
    lanes: int
    """How many."""
    shape: tuple[int, ...]
    """Of the value of one lane."""

    def rank(self, k: int) -> int:
        """The rank of input k in one lane."""
        return int(np.ndim(self.args[k])) - self.laned[k]

    def aligned(self, k: int, rank: int) -> Any:
        """Input k with axes of size 1 put in behind the lanes, as broadcasting would put them in front."""
        x = self.args[k]
        if not self.laned[k] or self.rank(k) >= rank:
            return x
        return x.reshape(self.lanes, *(1,) * (rank - self.rank(k)), *x.shape[1:])

    def spread(self, k: int) -> Array:
        """Input k in every lane, whether it differs there or not."""
        x = self.args[k]
        return x if self.laned[k] else np.broadcast_to(x, (self.lanes, *np.shape(x)))

    def __call__(self, *args: Any, **changed: Any) -> Array:
        """The operation on other inputs, or with other parameters."""
        return self.op.run(args, {**self.params, **changed})[0]


Rule = Callable[[Run], "Array | None"]
"""The value with lanes; None where the operation, with these inputs, cannot be run so."""


def from_end(axis: Any, rank: int) -> Any:
    """Axes counted from the end, where lanes in front make no difference."""
    if isinstance(axis, tuple):
        return tuple(a if a < 0 else a - rank for a in axis)
    return axis if axis < 0 else axis - rank


def looped(run: Run) -> Array:
    """The value of an operation lane by lane; NaN where it refuses a lane, or gives another shape."""
    out = None
    for k in range(run.lanes):
        pairs = zip(run.args, run.laned, strict=True)
        try:
            value = run(*(x[k] if laned else x for x, laned in pairs))
        except Exception:
            continue
        if value.shape != run.shape:  # a mask that picks another number of elements
            continue
        if out is None:
            empty = np.nan if value.dtype.kind == "f" else 0
            out = np.full((run.lanes, *run.shape), empty, value.dtype)
        out[k] = value
    return np.full((run.lanes, *run.shape), np.nan) if out is None else out
