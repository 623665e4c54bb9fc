"""Tensors: a value and how it came about. One object per recorded operation; only `grad` ever changes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, cast

import numpy as np

import ops
from ops.primitive import NOTHING, Array, Primitive
from tracer.errors import DTypeError, GradientError, ShapeError
from tracer.methods import Methods
from tracer.recording import CURRENT, Scope, scope, user_frame
from tracer.values import (
    FLOAT32,
    FLOAT64,
    as_value,
    check_dtype,
    device_name,
    lies_elsewhere,
    masks,
    on_host,
    placed,
    read_only,
)

_next_serial = itertools.count(1).__next__
_current = CURRENT.get
_detach = ops.detach
_add, _sub, _mul, _div, _matmul, _pow = ops.add, ops.sub, ops.mul, ops.div, ops.matmul, ops.pow
_getitem = ops.PRIMITIVES["getitem"]
_ndarray, _float64 = np.ndarray, np.float64
_NUMBERS = frozenset({float, int, bool})


class Operators(Methods):
    """The operators and array methods that Tensors and Parameters share; each calls a primitive."""

    __slots__ = ()
    __hash__ = object.__hash__

    value: Array

    @property
    def recorded(self) -> Tensor:
        """The Tensor that stands in a graph for this: itself, or the current leaf of a slot."""
        raise TypeError(f"{type(self).__name__} stands for no recorded value")

    def __apply_primitive__(
        self, op: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Tensor:
        if op is _detach:
            return self.recorded.detach()
        return record(op, inputs, params)

    def __scope__(self, name: str, **index: int | str) -> scope:
        """What `ops` enters to put the parts of a fused operation under a scope, such as a time step."""
        return scope(name, **index)

    def __add__(self, other: Any) -> Tensor:
        return record(_add, (self, other))

    def __radd__(self, other: Any) -> Tensor:
        return record(_add, (other, self))

    def __sub__(self, other: Any) -> Tensor:
        return record(_sub, (self, other))

    def __rsub__(self, other: Any) -> Tensor:
        return record(_sub, (other, self))

    def __mul__(self, other: Any) -> Tensor:
        return record(_mul, (self, other))

    def __rmul__(self, other: Any) -> Tensor:
        return record(_mul, (other, self))

    def __truediv__(self, other: Any) -> Tensor:
        return record(_div, (self, other))

    def __rtruediv__(self, other: Any) -> Tensor:
        return record(_div, (other, self))

    def __matmul__(self, other: Any) -> Tensor:
        return record(_matmul, (self, other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return record(_matmul, (other, self))

    def __pow__(self, other: Any) -> Tensor:
        return record(_pow, (self, other))

    def __rpow__(self, other: Any) -> Tensor:
        return record(_pow, (other, self))

    def __neg__(self) -> Tensor:
        return record(ops.neg, (self,))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Tensor:
        return record(ops.abs, (self,))

    def __lt__(self, other: Any) -> Tensor:
        return record(ops.less, (self, other))

    def __le__(self, other: Any) -> Tensor:
        return record(ops.less_equal, (self, other))

    def __gt__(self, other: Any) -> Tensor:
        return record(ops.greater, (self, other))

    def __ge__(self, other: Any) -> Tensor:
        return record(ops.greater_equal, (self, other))

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]  # elementwise, as numpy's
        return record(ops.equal, (self, other))

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]  # elementwise, as numpy's
        return record(ops.not_equal, (self, other))

    def __and__(self, other: Any) -> Tensor:
        return record(ops.logical_and, masks("&", self, other))

    def __rand__(self, other: Any) -> Tensor:
        return record(ops.logical_and, masks("&", other, self))

    def __or__(self, other: Any) -> Tensor:
        return record(ops.logical_or, masks("|", self, other))

    def __ror__(self, other: Any) -> Tensor:
        return record(ops.logical_or, masks("|", other, self))

    def __xor__(self, other: Any) -> Tensor:
        return record(ops.logical_xor, masks("^", self, other))

    def __rxor__(self, other: Any) -> Tensor:
        return record(ops.logical_xor, masks("^", other, self))

    def __invert__(self) -> Tensor:
        return record(ops.logical_not, masks("~", self))

    def __getitem__(self, index: Any) -> Tensor:
        if (
            type(index) is int
        ):  # x[t] of a loop over time: half the cost of looking what the index is made of
            return record(_getitem, (self.recorded,), {"index": (index,)})
        return cast(Tensor, ops.getitem(self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise GradientError(
            "a recorded value cannot be changed in place: the backward pass needs it as it was\n"
            "  try: tr.where(mask, new, x), or x + tr.scatter_add(v, index, shape=x.shape)"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a value of rank 0 has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self)))

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis; () for a single number."""
        return cast("tuple[int, ...]", self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return cast(int, self.value.ndim)

    @property
    def size(self) -> int:
        """The number of elements."""
        return cast(int, self.value.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return cast("np.dtype[Any]", self.value.dtype)

    @property
    def T(self) -> Tensor:
        """The transpose: all axes reversed."""
        return record(ops.transpose, (self,), ops.transpose.defaults)

    @property
    def device(self) -> str:
        """Where the value lies: `cpu`, `cuda`, or `interpret`."""
        return device_name(self.value)

    def to(self, target: Any, dtype: Any = None) -> Tensor:
        """The same value on another device, or in another dtype, recorded. Itself, if it is there already.

        target: `cpu`, `cuda` or `interpret`, where CUDA kernels are interpreted; or a dtype, as for `astype`; or a
        recorded value, for its device and its dtype. dtype: beside a device.
        Raises `DeviceError` where there is no such device.
        """
        from tracer.placing import is_dtype, moved

        if isinstance(target, Operators):
            target, dtype = target.device, target.dtype
        elif is_dtype(target):
            return self.astype(target)
        found: Tensor = moved(self, target)
        return found if dtype is None or found.dtype == dtype else found.astype(dtype)

    def cpu(self) -> Tensor:
        """The same value in the memory of the process."""
        return self.to("cpu")

    def cuda(self) -> Tensor:
        """The same value on the GPU."""
        return self.to("cuda")

    def numpy(self) -> Array:
        """The value as a read-only numpy array; from a device it is copied."""
        return read_only(on_host(self.value))

    def tolist(self) -> Any:
        """The value as nested Python lists."""
        return on_host(self.value).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        value = read_only(np.asarray(on_host(self.value)))
        return value if dtype is None and not copy else np.array(value, dtype=dtype)

    def __format__(self, form: str) -> str:
        if not form:
            return str(self)
        value = on_host(self.value)
        return format(value.item() if self.size == 1 else value, form)

    def _repr_html_(self) -> str:
        from tracer.diagrams.notebook import tensor_html

        return tensor_html(self)

    def sum(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Sum over axes."""
        return cast(Tensor, ops.sum(self, axis=axis, keepdims=keepdims, **unknown))

    def mean(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Mean over axes."""
        return cast(Tensor, ops.mean(self, axis=axis, keepdims=keepdims, **unknown))

    def max(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Largest element over axes; ties share the cotangent equally."""
        return cast(Tensor, ops.max(self, axis=axis, keepdims=keepdims, **unknown))

    def min(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Smallest element over axes; ties share the cotangent equally."""
        return cast(Tensor, ops.min(self, axis=axis, keepdims=keepdims, **unknown))

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: `x.reshape(3, 4)` or `x.reshape((3, 4))`."""
        return cast(Tensor, ops.reshape(self, shape=shape[0] if len(shape) == 1 else shape))

    def transpose(self, *axes: Any) -> Tensor:
        """Permute the axes; reverse them if none are given."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return cast(Tensor, ops.transpose(self, axes=order))

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another dtype; the cotangent comes back in this one."""
        return cast(Tensor, ops.astype(self, dtype=np.dtype(dtype).name))

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return record(ops.exp, (self,))

    def log(self) -> Tensor:
        """Natural logarithm of each element."""
        return record(ops.log, (self,))

    def sqrt(self) -> Tensor:
        """Square root of each element."""
        return record(ops.sqrt, (self,))

    def square(self) -> Tensor:
        """Square of each element."""
        return record(ops.square, (self,))

    def abs(self) -> Tensor:
        """Magnitude of each element."""
        return record(ops.abs, (self,))

    def tanh(self) -> Tensor:
        """Hyperbolic tangent of each element."""
        return record(ops.tanh, (self,))

    def sigmoid(self) -> Tensor:
        """1 / (1 + e⁻ˣ) of each element."""
        return record(ops.sigmoid, (self,))

    def relu(self) -> Tensor:
        """max(x, 0) of each element."""
        return record(ops.relu, (self,))

    def matmul(self, other: Any) -> Tensor:
        """Matrix product."""
        return record(_matmul, (self, other))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tracer.interop import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tracer.interop import apply_function

        return apply_function(function, args, kwargs)


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
        if _current().kept is not None:
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


def record(op: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any] = NOTHING) -> Tensor:
    """Run one primitive and remember it: what it read, what it gave, where the user wrote it.

    The hot path of everything: a small operation must not cost more here than numpy needs to compute it.
    """
    count = len(inputs)
    if count == 2:  # unrolled: nearly all of a scalar graph
        x, y = inputs
        if type(x) is Tensor:
            tracked = x.tracked
            a = x.value
        elif type(x) in _NUMBERS:
            tracked = False
            a = x
        else:
            x = as_operand(x)
            inputs = (x, y)
            tracked = x.tracked
            a = x.value
        if type(y) is Tensor:
            tracked = tracked or y.tracked
            b = y.value
        elif type(y) in _NUMBERS:
            b = y
        else:
            y = as_operand(y)
            inputs = (x, y)
            tracked = tracked or y.tracked
            b = y.value
        values: Sequence[Any] = (a, b)
    elif count == 1 and type(inputs[0]) is Tensor:
        (x,) = inputs
        tracked = x.tracked
        a = x.value
        values = (a,)
    else:
        tracked = False
        values = []
        for x in inputs:
            if type(x) is Tensor:
                values.append(x.value)
                tracked = tracked or x.tracked
            elif type(x) in _NUMBERS:
                values.append(x)
            else:
                return record(op, tuple([as_operand(x) for x in inputs]), params)
    now = _current()
    saved: Mapping[str, Array] = NOTHING
    try:
        if _elsewhere is not None and (
            type(values[0]) is _device_array
            or type(values[-1]) is _device_array
            or (count > 2 and _device_array in map(type, values))
        ):
            op, inputs, out = _elsewhere(op, inputs, values, params)
        elif op.fused and type(values[0]) is _ndarray:
            op, run = (_choose or _chooser())(op, values, params, now.kernels)
            out = run(*values, **params)
        elif params:
            out = op.kernel(*values, **params)
        elif count == 2:
            out = op.kernel(a, b)
        elif count == 1:
            out = op.kernel(values[0])
        else:
            out = op.kernel(*values)
    except (RuntimeWarning, FloatingPointError):
        with np.errstate(all="ignore"):
            out = op.kernel(*values, **params)
    except Exception as error:
        from tracer.complaints import explained

        said = explained(op, inputs, error, now.hidden)
        raise said from (None if op.home.startswith("ops.") else error)
    if op.saves:
        out, saved = out
    kind = type(out)
    if kind is _ndarray:
        if out.ndim == 0:
            out = out[()]
        else:
            if out.size >= op.least or now.kernels:
                op, out = _looped(op, values, params, out, now.kernels)
            out.setflags(False)
        admitted = out.dtype is FLOAT64 or out.dtype is FLOAT32
    else:
        admitted = kind is _float64
    if not admitted:
        out = _admitted(op, out)
        tracked = tracked and out.dtype.kind == "f"
    if tracked and not op.vjps:
        tracked = False

    made = _new(Tensor)
    made.value = out
    made.tracked = tracked
    made.serial = _next_serial()
    made.gradient = None
    made.extras = None
    made.scope = now.scope
    frame: FrameType | None = sys._getframe(2)
    hidden = now.hidden
    while frame is not None:
        code = frame.f_code
        if code.co_filename not in hidden:
            made.code = code
            made.offset = frame.f_lasti
            break
        frame = frame.f_back
    else:
        made.code, made.offset = None, 0
    if now.enabled:
        made.op = op
        made.inputs = inputs
        made.params = params
        made.saved = saved
        if now.kept is not None:
            now.kept.nodes.append(made)
    else:
        made.op = None
        made.inputs = ()
        made.params = {"kind": "constant", "name": ""}
        made.saved = NOTHING
        made.tracked = False
    return made


_new = cast("Callable[[type[Tensor]], Tensor]", object.__new__)


_elsewhere: Callable[..., tuple[Primitive, tuple[Any, ...], Any]] | None = None
"""What runs an operation whose numbers lie on a device. None until a device is opened: small operations never pay."""

_device_array: type[Any] = type(None)
"""What such numbers are."""


def watch_for_devices(
    run: Callable[..., tuple[Primitive, tuple[Any, ...], Any]], kind: type[Any]
) -> None:
    """From now on, let this run every operation that reads a value of that kind."""
    global _elsewhere, _device_array
    _elsewhere, _device_array = run, kind


_choose: Callable[..., tuple[Primitive, Callable[..., Any]]] | None = None


def _chooser() -> Callable[..., tuple[Primitive, Callable[..., Any]]]:
    """The choice of kernels for fused operations, kept: an import on every call costs half a microsecond."""
    global _choose
    from ops.kernels.choice import accelerated

    _choose = accelerated
    return accelerated


def _looped(
    op: Primitive, values: Sequence[Any], params: Mapping[str, Any], out: Array, kernels: str
) -> tuple[Primitive, Array]:
    """The form of an elementwise operation that suits its size, and its value by that form."""
    from ops.kernels.choice import looped

    form = looped(op, values, out, kernels)
    return form, form.kernel(*values, **params) if form.kernel is not op.kernel else out


def _admitted(op: Primitive, out: Any) -> Array:
    """The result of a kernel as a numpy value of a dtype that Gradstep takes, or as the array of a device."""
    if lies_elsewhere(out):
        check_dtype(out.dtype, f"{op.name} gave")
        return out
    if type(out) is not _ndarray and not isinstance(out, np.generic):
        out = np.asarray(
            out
        )  # a list; or an array of another kind, which multiplies in its own way
    check_dtype(out.dtype, f"{op.name} gave")
    return read_only(out) if out.ndim else out[()]


def as_operand(x: Any) -> Any:
    """What may stand in the inputs of a node: a Tensor, or a Python number, which keeps numpy's weak promotion.

    Raw data becomes a constant where it lies, whatever `tr.device` says: it follows the values beside it.
    """
    kind = type(x)
    if kind is Tensor or kind in _NUMBERS:
        return x
    if isinstance(x, Operators):
        return x.recorded
    return leaf(as_value(x), "constant")


def chosen(device: Any, value: Any) -> Any:
    """Where a leaf that the user makes is put: where they say, else by `tr.device`, unless it lies on a device already;
    None: where it lies."""
    if device is not None or lies_elsewhere(value):
        return device
    now = _current().device
    return None if now == "cpu" else now


def leaf(
    data: Any,
    kind: str,
    *,
    name: str | None = None,
    tracked: bool = False,
    place: tuple[CodeType | None, int] | None = None,
    device: str | None = None,
) -> Tensor:
    """A node without inputs: of kind input, parameter, buffer or constant; where its data lies, or on that device."""
    now = _current()
    made = _new(Tensor)
    made.value = as_value(data) if device is None else placed(as_value(data), device)
    made.op = None
    made.inputs = ()
    made.params = {"kind": kind, "name": name or ""}
    made.saved = NOTHING
    made.serial = _next_serial()
    made.scope = now.scope
    made.code, made.offset = place or user_frame(2, now.hidden)
    made.gradient = None
    made.tracked = tracked
    made.extras = None
    if now.kept is not None:
        now.kept.nodes.append(made)
    return made


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
