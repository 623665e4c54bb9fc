"""What an optimiser writes to where arrays never change: on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Cell(NDArrayOperatorsMixin):
    """An array of a device that numpy's functions write to, as an update does: each time another takes its place.

    `np.multiply(g, -lr, out=cell)`, `cell += w` and `np.copyto(cell, g)` run as kernels over there, and nothing is
    copied to the host. So an update is written once: for memory that it overwrites here, and for cells there.

    >>> import tracer as tr
    >>> cell = Cell(tr.tensor([1.0, 2.0], device="interpret").value)
    >>> cell *= 3
    >>> cell.held
    interpret array([3., 6.])
    """

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: tuple[Any, ...], **others: Any
    ) -> Any:
        if method != "__call__" or others:
            raise NotImplementedError(f"an update on a device knows no {ufunc.__name__}.{method}")
        (cell,) = out
        made = ufunc(*[x.held if type(x) is Cell else x for x in inputs])
        cell.held = made.astype(cell.held.dtype)  # a number of numpy's may have promoted it
        return cell

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> None:
        if function is not np.copyto or kwargs:
            raise NotImplementedError(f"an update on a device knows no {function.__name__}")
        cell, source = args
        cell.held = source.held
