"""Tensors: a value and how it came about. One object per recorded operation; only `grad` ever changes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any, cast

import numpy as np

import ops
from ops.primitive import NOTHING, Array, Primitive
from tracer.errors import DTypeError, GradientError, GradstepError, ShapeError
from tracer.recording import CURRENT, Scope, user_frame

_next_serial = itertools.count(1).__next__
_current = CURRENT.get
_add, _sub, _mul, _div, _matmul, _pow = ops.add, ops.sub, ops.mul, ops.div, ops.matmul, ops.pow
_ndarray, _float64 = np.ndarray, np.float64
_FLOAT64 = np.dtype(np.float64)
_NUMBERS = frozenset({float, int, bool})


class Operators:
    """The operators and array methods that Tensors and Parameters share; each calls a primitive."""

    __slots__ = ()
    __hash__ = object.__hash__

    value: Array

    def __apply_primitive__(
        self, op: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any]
    ) -> Tensor:
        return record(op, inputs, params)

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

    def __getitem__(self, index: Any) -> Tensor:
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

    def numpy(self) -> Array:
        """The value as a read-only numpy array."""
        return self.value

    def tolist(self) -> Any:
        """The value as nested Python lists."""
        return self.value.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        value = read_only(np.asarray(self.value))
        return value if dtype is None and not copy else np.array(value, dtype=dtype)

    def __format__(self, form: str) -> str:
        if not form:
            return str(self)
        return format(self.value.item() if self.size == 1 else self.value, form)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over axes."""
        return cast(Tensor, ops.sum(self, axis=axis, keepdims=keepdims))

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Mean over axes."""
        return cast(Tensor, ops.mean(self, axis=axis, keepdims=keepdims))

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Largest element over axes; ties share the cotangent equally."""
        return cast(Tensor, ops.max(self, axis=axis, keepdims=keepdims))

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Smallest element over axes; ties share the cotangent equally."""
        return cast(Tensor, ops.min(self, axis=axis, keepdims=keepdims))

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
            value = as_value(value, self.dtype)
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
        text = np.array2string(
            np.asarray(self.value), separator=", ", prefix="tensor(", threshold=100
        )
        kind = "" if self.dtype == _FLOAT64 else f", dtype={self.dtype}"
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
        result = read(self.value.reshape(()) if self.ndim else self.value)
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


class Parameter(Operators):
    """A named slot that holds the current leaf; an optimiser refills it with a new leaf.

    A recorded graph keeps the leaf that it used, so no update can touch it.

    >>> import tracer as tr
    >>> w = tr.parameter([1.0, 2.0])
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.])
    >>> w.set(w.value - 0.1 * w.grad)
    >>> w.value, w.grad
    (array([0.8, 1.6]), None)
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def value(self) -> Array:
        """The current value, read-only."""
        return self.tensor.value

    @property
    def grad(self) -> Array | None:
        """The gradient of the current leaf."""
        return self.tensor.grad

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
        self.tensor = leaf(
            new, "parameter", name=old.name, tracked=True, place=(old.code, old.offset)
        )

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


def record(op: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any] = NOTHING) -> Tensor:
    """Run one primitive and remember it: what it read, what it gave, where the user wrote it.

    The hot path of everything: a small operation must not cost more here than numpy needs to compute it.
    """
    if len(inputs) == 2:  # unrolled: nearly all of a scalar graph
        x, y = inputs
        if type(x) is Tensor:
            tracked = x.tracked
            a = x.value
        elif type(x) in _NUMBERS:
            tracked = False
            a = x
        else:
            return record(op, (as_operand(x), as_operand(y)), params)
        if type(y) is Tensor:
            tracked = tracked or y.tracked
            b = y.value
        elif type(y) in _NUMBERS:
            b = y
        else:
            return record(op, (x, as_operand(y)), params)
        values: Sequence[Any] = (a, b)
    else:
        if not all(type(x) is Tensor or type(x) in _NUMBERS for x in inputs):
            return record(op, tuple([as_operand(x) for x in inputs]), params)
        values = [x.value if type(x) is Tensor else x for x in inputs]
        tracked = any(type(x) is Tensor and x.tracked for x in inputs)
    now = _current()
    saved: Mapping[str, Array] = NOTHING
    try:
        if params:
            out = op.kernel(*values, **params)
        elif len(inputs) == 2:
            out = op.kernel(a, b)
        else:
            out = op.kernel(*values)
    except (RuntimeWarning, FloatingPointError):
        with np.errstate(all="ignore"):
            out = op.kernel(*values, **params)
    except Exception as error:
        raise _explained(op, inputs, error, now.hidden) from error
    if op.saves:
        out, saved = out
    kind = type(out)
    if kind is _ndarray:
        if out.ndim == 0:
            out = out[()]
        else:
            out.setflags(False)
        admitted = out.dtype is _FLOAT64
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


def _admitted(op: Primitive, out: Any) -> Array:
    """The result of a kernel as a numpy value of a dtype that Gradstep takes."""
    if type(out) is not _ndarray and not isinstance(out, np.generic):
        out = np.asarray(
            out
        )  # a list; or an array of another kind, which multiplies in its own way
    _check_dtype(out.dtype, f"{op.name} gave")
    return read_only(out) if out.ndim else out[()]


def _check_dtype(dtype: np.dtype[Any], what: str) -> None:
    if dtype.kind in "iub" or dtype in (_FLOAT64, np.dtype(np.float32)):
        return
    if dtype.kind == "c":
        cure = "the real and imaginary parts as two arrays"
    elif dtype.kind == "f":
        cure = "x.astype('float32')" if dtype.itemsize < 4 else "x.astype('float64')"
    else:
        cure = "numbers, or lists of equal length"
    raise DTypeError(
        f"{what} {dtype}, but values are float32, float64, integer or bool\n  try: {cure}"
    )


def _explained(
    op: Primitive, inputs: Sequence[Any], error: Exception, hidden: frozenset[str]
) -> GradstepError:
    """A kernel's complaint in the user's words: the operation, the shapes, the line, one thing to try."""
    if isinstance(error, GradstepError):
        return error
    from tracer.places import place_of

    shapes = ", ".join(
        f"{label} {_described(x)}"
        for label, x in zip(_labels(op, len(inputs)), inputs, strict=True)
    )
    code, offset = user_frame(3, hidden)
    place = place_of(code, offset)
    where = f"\n  at {place.file}:{place.line}" if place else ""
    if place and place.text:
        where += f": {place.text}"
    hint = op.hint or "check the values and shapes of the inputs"
    known: type[GradstepError] = DTypeError if isinstance(error, TypeError) else ShapeError
    if op.elementwise and _is_whole_and_fits(inputs):
        known, hint = DTypeError, "x.astype('float64'), where the data comes in"
    return known(f"{op.name}: {error}\n  with {shapes}{where}\n  try: {hint}")


def _is_whole_and_fits(inputs: Sequence[Any]) -> bool:
    """Whether nothing but integers and booleans came together, in shapes that are not to blame."""
    values = [np.asarray(getattr(x, "value", x)) for x in inputs]
    try:
        np.broadcast_shapes(*(value.shape for value in values))
    except ValueError:
        return False
    return all(value.dtype.kind in "iubO" for value in values)  # O: beyond 64 bits


def _labels(op: Primitive, count: int) -> list[str]:
    names = list(op.inputs)
    while len(names) < count:
        names.append(names[-1])
    return names[:count]


def _described(x: Any) -> str:
    value = getattr(x, "value", x)
    return f"{value.dtype}{list(value.shape)}" if hasattr(value, "dtype") else repr(value)


def as_operand(x: Any) -> Any:
    """What may stand in the inputs of a node: a Tensor, or a Python number, which keeps numpy's weak promotion."""
    kind = type(x)
    if kind is Tensor or kind in _NUMBERS:
        return x
    if isinstance(x, Parameter):
        return x.tensor
    if isinstance(x, Tensor):
        return x
    return leaf(as_value(x), "constant")


def as_value(data: Any, dtype: Any = None) -> Array:
    """Data as a value of ours: a numpy scalar for rank 0, else a read-only array; copied if somebody could change it.

    Raises `DTypeError` for complex, half precision, strings, objects and ragged lists.
    """
    if isinstance(data, Operators):
        data = data.value
    elif isinstance(data, (list, tuple)) and _holds_tensor(data):
        raise DTypeError(
            "a list of recorded values is not data: their history would be lost\n  try: tr.stack([...])"
        )
    try:
        value = np.asarray(data, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"not an array of numbers: {error}\n  try: lists of equal length"
        ) from None
    _check_dtype(value.dtype, "data of dtype")
    if value.ndim == 0:
        return value[()]
    shared = not isinstance(data, (list, tuple)) and (
        value.flags.writeable or value.base is not None
    )
    return read_only(np.array(value) if shared else value)


def read_only(value: Any) -> Any:
    """The value itself, marked read-only if it is an array: for memory of ours."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return value


def _holds_tensor(data: Any) -> bool:
    for _ in range(64):
        if isinstance(data, Operators):
            return True
        if not isinstance(data, (list, tuple)) or not data:
            return False
        if any(isinstance(x, Operators) for x in data):
            return True
        data = data[0]
    return False


def leaf(
    data: Any,
    kind: str,
    *,
    name: str | None = None,
    tracked: bool = False,
    place: tuple[CodeType | None, int] | None = None,
) -> Tensor:
    """A node without inputs: of kind input, parameter, buffer or constant."""
    now = _current()
    made = _new(Tensor)
    made.value = as_value(data)
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
    value: Any, *, name: str | None = None, dtype: Any = None, requires_grad: bool | None = None
) -> Tensor:
    """A leaf whose gradient is wanted, from a number, a list or an array (which is copied).

    Integers and booleans are data without a gradient. dtype: float32 or float64; Python numbers become float64.
    Raises `DTypeError` for `requires_grad=True` of integers.

    >>> tensor([[1.0, 2.0]], name="x").shape
    (1, 2)
    """
    made = leaf(as_value(value, dtype), "input", name=name)
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


def constant(value: Any, *, name: str | None = None, dtype: Any = None) -> Tensor:
    """A leaf without a gradient: data, targets, masks."""
    return leaf(as_value(value, dtype), "constant", name=name)


def parameter(value: Any, *, name: str | None = None, dtype: Any = None) -> Parameter:
    """A slot for what is trained. Integers become float64, since a parameter is there to be changed a little."""
    data = as_value(value, dtype)
    if data.dtype.kind != "f":
        data = as_value(data.astype(np.float64))
    return Parameter(leaf(data, "parameter", name=name, tracked=True))


_NEAR, _FEW = 16, 8
"""So many nodes behind a look are remembered with it; leaves remember it too if there are so few."""

_by_serial = attrgetter("serial")


def guard(tensor: Tensor, kind: str, result: Any) -> None:
    """Remember that Python looked at a value, so that a replay can say when it would have taken another way.

    The guard stays with its Tensor. A comparison is not on the way to the loss, so the nodes behind it remember how it
    came about, once for each source place: as copies that lead to no node of the graph, since a graph that held itself
    would stay until the garbage collector comes.
    """
    now = _current()
    if not now.enabled:
        return
    place = user_frame(3, now.hidden)
    if tensor.extras is None:
        tensor.extras = {}
    tensor.extras.setdefault("guards", {})[place] = (kind, result)
    behind, seen = [tensor], {tensor.serial}
    for node in behind:  # grows while it is walked
        if node is not tensor and place in (node.extras or {}).get("looks", ()):
            continue  # so that a loop over its own result stays linear
        for x in node.inputs:
            if type(x) is Tensor and x.serial not in seen and len(behind) < _NEAR:
                seen.add(x.serial)
                behind.append(x)
    copies: dict[int, Tensor] = {}
    for node in sorted(behind, key=_by_serial):
        inputs = [_copied(x, copies) if type(x) is Tensor else x for x in node.inputs]
        copies[node.serial] = _alike(node, node.op, tuple(inputs), node.params)
    for node in behind[1:]:
        if node.op is not None or len(behind) <= _FEW:
            if node.extras is None:
                node.extras = {}
            node.extras.setdefault("looks", {})[place] = copies[tensor.serial]


def _copied(x: Tensor, copies: Mapping[int, Tensor]) -> Tensor:
    """The copy of a node; where it is too far away to have one, a leaf that says so by its kind."""
    found = copies.get(x.serial)
    return _alike(x, None, (), {"kind": "op", "name": ""}) if found is None else found


def _alike(
    node: Tensor, op: Primitive | None, inputs: tuple[Any, ...], params: Mapping[str, Any]
) -> Tensor:
    """A node with the value, serial, place and guards of another."""
    made = _new(Tensor)
    made.value, made.op, made.inputs, made.params = node.value, op, inputs, params
    made.saved, made.serial, made.scope = node.saved, node.serial, node.scope
    made.code, made.offset = node.code, node.offset
    made.gradient, made.tracked = None, node.tracked
    made.extras = None
    if node.extras is not None and "guards" in node.extras:
        made.extras = {"guards": node.extras["guards"]}
    return made
