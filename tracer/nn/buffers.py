"""Buffers: what a layer remembers that is not trained, such as running statistics."""

from __future__ import annotations

from typing import Any

from ops.primitive import Array
from tracer.errors import ShapeError
from tracer.operands import Operators
from tracer.tape import leaf
from tracer.tensors import Tensor, chosen
from tracer.values import as_value, device_name, placed


class Buffer(Operators):
    """A named slot for numbers without a gradient; they are saved with the parameters, but no optimiser moves them.

    It becomes a node (of kind buffer) only where an operation reads it, so refilling it records nothing.

    >>> import numpy as np
    >>> mean = Buffer(np.zeros(3), name="running_mean")
    >>> mean.set([1.0, 2.0, 3.0])
    >>> (mean * 2).value
    array([2., 4., 6.])
    """

    __slots__ = ("leaf", "name", "value")

    def __init__(self, value: Any, *, name: str = "", dtype: Any = None) -> None:
        self.name = name
        data = as_value(value, dtype)
        self.value: Array = placed(data, chosen(None, data) or device_name(data))
        self.leaf: Tensor | None = None

    @property
    def recorded(self) -> Tensor:
        """The leaf that stands for the current value."""
        if self.leaf is None:
            self.leaf = leaf(self.value, "buffer", name=self.name)
        return self.leaf

    def set(self, value: Any) -> None:
        """Refill the slot with a value of the same shape, in its dtype. Raises `ShapeError` if the shape differs."""
        new = as_value(value, self.value.dtype)
        if new.shape != self.value.shape:
            raise ShapeError(
                f"buffer {self.name or 'set'}: the new value has shape {new.shape}, the slot {self.value.shape}\n"
                f"  try: a value of shape {self.value.shape}"
            )
        self.value, self.leaf = placed(new, device_name(self.value)), None

    def place(self, device: str) -> None:
        """Lie on another device from now on."""
        value = placed(self.value, device)
        if value is not self.value:
            self.value, self.leaf = value, None

    def rename(self, name: str) -> None:
        """Bear another name from now on."""
        self.name, self.leaf = name, None

    def __repr__(self) -> str:
        return f"buffer({self.value!r})"
