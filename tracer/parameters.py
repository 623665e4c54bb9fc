"""Parameters: named slots that hold the current leaf of what is trained."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ops.primitive import Array
from tracer.errors import GradientError, ShapeError
from tracer.operands import Operators
from tracer.recording import CURRENT
from tracer.tape import leaf
from tracer.tensors import Tensor, chosen
from tracer.values import as_value, placed


class Parameter(Operators):
    """A named slot that holds the current leaf; an optimiser refills it with a new leaf.

    A recorded graph keeps the leaf that it used, so no update can touch it.

    >>> import tracer as tr
    >>> w = tr.parameter([1.0, 2.0])
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.])
    >>> w -= 0.1 * w.grad  # or w.set(w.value - 0.1 * w.grad)
    >>> w.value, w.grad
    (array([0.8, 1.6]), None)
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def recorded(self) -> Tensor:
        """The current leaf."""
        return self.tensor

    @property
    def value(self) -> Array:
        """The current value, read-only; assigning refills the slot."""
        return self.tensor.value

    @value.setter
    def value(self, new: Any) -> None:
        self.set(new)

    @property
    def grad(self) -> Array | None:
        """The gradient of the current leaf."""
        return self.tensor.grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        self.tensor.grad = gradient

    @property
    def name(self) -> str:
        """The name that was given."""
        return self.tensor.name

    requires_grad = True

    def set(self, value: Any) -> None:
        """Refill the slot with a new leaf of the same shape and dtype; its gradient starts empty.

        Raises `ShapeError` if the shape differs.
        """
        old = self.tensor
        new = as_value(value, dtype=old.dtype)
        if new.shape != old.shape:
            raise ShapeError(
                f"parameter {self.name or 'set'}: the new value has shape {new.shape}, the slot {old.shape}\n"
                f"  try: a value of shape {old.shape}"
            )
        place = (old.code, old.offset)
        self.tensor = leaf(
            new, "parameter", name=old.name, tracked=True, place=place, device=old.device
        )
        self.tensor.params = {**self.tensor.params, "born": _born(old)}

    def place(self, device: str) -> None:
        """Refill the slot with the same value on another device, where its gradient and hooks go too."""
        old = self.tensor
        value = placed(old.value, device)
        if value is not old.value:
            place = (old.code, old.offset)
            self.tensor = leaf(value, "parameter", name=old.name, tracked=True, place=place)
            self.tensor.params = {**self.tensor.params, "born": _born(old)}
            if old.gradient is not None:
                self.tensor.gradient = placed(old.gradient, device)
            if (
                old.extras is not None and "hooks" in old.extras
            ):  # the list itself: one may be removed
                self.tensor.extras = {"hooks": old.extras["hooks"]}

    def __iadd__(self, step: Any) -> Any:
        return self._stepped(operator.add, step)

    def __isub__(self, step: Any) -> Any:
        return self._stepped(operator.sub, step)

    def __imul__(self, factor: Any) -> Any:
        return self._stepped(operator.mul, factor)

    def __itruediv__(self, factor: Any) -> Any:
        return self._stepped(operator.truediv, factor)

    def _stepped(self, change: Callable[[Any, Any], Any], other: Any) -> Self:
        """`w -= rate * w.grad`: refill the slot. What is recorded cannot be the step, as its history would be lost."""
        if isinstance(other, Operators):
            if other.recorded.tracked and CURRENT.get().enabled:
                raise GradientError(
                    f"parameter {self.name or 'update'}: the step is itself recorded, and its history would be lost\n"
                    f"  try: with tr.no_grad():, or w.set(...) with arrays"
                )
            other = other.value
        self.set(change(self.value, other))
        return self

    def register_hook(self, hook: Callable[[Array], Array | None]) -> Callable[[], None]:
        """Call `hook(gradient)` when the gradient of the current leaf is complete; see `Tensor.register_hook`."""
        return self.tensor.register_hook(hook)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.tensor.gradient = None

    def detach(self) -> Tensor:
        """The current value as a constant."""
        return self.tensor.detach()

    def item(self) -> Any:
        """The one element as a Python number."""
        return self.tensor.item()

    def __bool__(self) -> bool:
        return bool(self.tensor)

    def __float__(self) -> float:
        return float(self.tensor)

    def __repr__(self) -> str:
        return "parameter" + repr(self.tensor).removeprefix("tensor")


def _born(leaf: Tensor) -> int:
    """The serial number of the first leaf of a slot: slots are refilled in any order."""
    found: int = leaf.params.get("born", leaf.serial)
    return found


def parameter(
    value: Any, *, name: str | None = None, dtype: Any = None, device: str | None = None
) -> Parameter:
    """A slot for what is trained. Integers become float64, since a parameter is there to be changed a little.

    device: as for `tensor`.
    """
    data = as_value(value, dtype)
    if data.dtype.kind != "f":
        data = as_value(data.astype(np.float64))
    where = chosen(device, data)
    return Parameter(leaf(data, "parameter", name=name, tracked=True, device=where))
