"""Tensors: a value and how it came about. One object per recorded operation; only `grad` ever changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

import numpy as np

import ops
from ops.primitive import Array, Primitive
from tracer.errors import DTypeError, GradientError, ShapeError
from tracer.operands import Operators
from tracer.recording import CURRENT, Scope
from tracer.tape import leaf, made_here, record
from tracer.values import FLOAT64, as_value, lies_elsewhere, on_host, placed, read_only


@made_here
class Tensor(Operators):
    """A value and how it came about: a leaf has `op` None. Nothing of it ever changes but `grad`.

    >>> import tracer as tr
    >>> x = tr.tensor(3.0)
    >>> y = x * x
    >>> y.backward()
    >>> x.grad, y.grad
    (np.float64(6.0), np.float64(1.0))
    """

    __slots__ = (
        "code",
        "extras",
        "gradient",
        "inputs",
        "offset",
        "op",
        "params",
        "saved",
        "scope",
        "serial",
        "tracked",
        "value",
    )

    value: Array
    op: Primitive | None
    inputs: tuple[Any, ...]
    params: Mapping[str, Any]
    saved: Mapping[str, Array]
    serial: int
    scope: Scope
    code: CodeType | None
    offset: int
    gradient: Array | None
    """What `grad` shows, not yet marked read-only."""
    tracked: bool
    extras: dict[str, Any] | None

    @property
    def recorded(self) -> Tensor:
        """Itself."""
        return self

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient can flow here: a float that depends on a tracked leaf."""
        return self.tracked

    @property
    def grad(self) -> Array | None:
        """The gradient that the backward passes brought here, read-only; None before the first one."""
        return read_only(self.gradient)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = placed(as_value(value, self.dtype), self.device)
            if value.shape != self.shape:
                raise ShapeError(
                    f"a gradient of shape {value.shape} for a value of shape {self.shape}"
                )
        self.gradient = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self.op is None

    @property
    def name(self) -> str:
        """The name given to a leaf; variable names are found when the graph is frozen."""
        return "" if self.op is not None else self.params.get("name", "")

    def __repr__(self) -> str:
        from tracer.fetching import PRINTED, edges

        value, threshold = self.value, PRINTED
        if lies_elsewhere(value) and value.size > PRINTED:
            value, threshold = edges(value), 0
        text = np.array2string(
            np.asarray(on_host(value)), separator=", ", prefix="tensor(", threshold=threshold
        )
        kind = "" if self.dtype == FLOAT64 else f", dtype={self.dtype}"
        kind += "" if self.device == "cpu" else f", device={self.device!r}"
        made = f", op={self.op.name}" if self.op is not None else ""
        return f"tensor({text}{kind}{made})"

    def __copy__(self) -> Tensor:
        if self.op is not None:
            raise GradientError(
                f"copy: what {self.op.name} gave belongs to the graph that it was recorded in\n"
                f"  try: x.detach() for its value alone"
            )
        place = (self.code, self.offset)
        made = leaf(
            self.value, self.params["kind"], name=self.name, tracked=self.tracked, place=place
        )
        made.gradient = self.gradient
        return made

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self.__copy__()

    def __bool__(self) -> bool:
        return bool(self._guarded("bool", bool))

    def __int__(self) -> int:
        return int(self._guarded("int", int))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"a {self.dtype} value cannot be an index")
        return int(self._guarded("int", int))

    def __float__(self) -> float:
        return float(self._guarded("item", float))

    def item(self) -> Any:
        """The one element as a Python number. Code that branches on it is guarded: a replay says if it would differ."""
        return self._guarded("item", lambda value: value.item())

    def _guarded(self, kind: str, read: Callable[[Any], Any]) -> Any:
        if self.size != 1:
            raise ShapeError(
                f"{kind}() needs one element, but the shape is {self.shape}\n"
                f"  try: x.sum(), x.mean(), or (x > 0).sum() > 0"
            )
        value = on_host(self.value)
        result = read(value.reshape(()) if self.ndim else value)
        from tracer.guards import guard

        guard(self, kind, result)
        return result

    def backward(self, seed: Any = None) -> None:
        """Send the seed cotangent back through the graph; every node keeps its gradient in `grad`.

        A rank-0 loss starts from 1; any other needs a seed of its shape. Leaves add to their `grad` (see `zero_grad`),
        inner nodes keep that of the latest pass. Raises `GradientError` for a loss without a gradient.
        """
        from tracer.sweep import backward

        backward(self, seed)

    def zero_grad(self) -> None:
        """Forget the gradient, so that the next backward pass starts from nothing."""
        self.gradient = None

    def detach(self) -> Tensor:
        """The same value as a constant: no gradient flows through it. Inside `tr.record()` its source is kept."""
        if CURRENT.get().kept is not None:
            return record(ops.detach, (self,))
        return leaf(self.value, "constant")

    def register_hook(self, hook: Callable[[Array], Array | None]) -> Callable[[], None]:
        """Call `hook(gradient)` when the gradient of this node is complete; what it returns, if anything, replaces it.

        Returns a function that removes the hook. Hooks act on live backward passes; a Trace shows the rules alone.
        """
        extras = self.extras
        if extras is None:
            extras = self.extras = {}
        hooks = extras.setdefault("hooks", [])
        hooks.append(hook)
        return lambda: hooks.remove(hook)


def tensor(
    value: Any,
    *,
    name: str | None = None,
    dtype: Any = None,
    requires_grad: bool | None = None,
    device: str | None = None,
) -> Tensor:
    """A leaf whose gradient is wanted, from a number, a list or an array (which is copied).

    Integers and booleans are data without a gradient. dtype: float32 or float64; Python numbers become float64.
    device: `cpu`, `cuda` or `interpret`, where CUDA kernels are interpreted; see `tr.devices()`.
    Raises `DTypeError` for `requires_grad=True` of integers, `DeviceError` where there is no such device.

    >>> tensor([[1.0, 2.0]], name="x").shape
    (1, 2)
    """
    data = as_value(value, dtype)
    made = leaf(data, "input", name=name, device=chosen(device, data))
    floating = made.dtype.kind == "f"
    if requires_grad and not floating:
        raise DTypeError(
            f"a {made.dtype} tensor has no gradient: small changes of it do not exist\n"
            f"  try: {_as_float_text(value)}"
        )
    made.tracked = floating if requires_grad is None else requires_grad
    if not made.tracked and floating:
        made.params = {"kind": "constant", "name": name or ""}
    return made


def _as_float_text(value: Any) -> str:
    return f"{float(value)!r}" if isinstance(value, (int, np.integer)) else "dtype=float"


def constant(
    value: Any, *, name: str | None = None, dtype: Any = None, device: str | None = None
) -> Tensor:
    """A leaf without a gradient: data, targets, masks. device: as for `tensor`."""
    data = as_value(value, dtype)
    return leaf(data, "constant", name=name, device=chosen(device, data))


def chosen(device: Any, value: Any) -> Any:
    """Where a leaf that the user makes is put: where they say, else by `tr.device`, unless it lies on a device already;
    None: where it lies."""
    if device is not None or lies_elsewhere(value):
        return device
    now = CURRENT.get().device
    return None if now == "cpu" else now
