"""The operators and array methods of recorded values: each records the primitive that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import ops
from ops.primitive import Array, Primitive
from tracer.errors import GradientError
from tracer.methods import Methods
from tracer.recording import scope
from tracer.tape import record
from tracer.values import device_name, masks, on_host, read_only

if TYPE_CHECKING:
    from tracer.tensors import Tensor

_detach = ops.detach
_getitem = ops.PRIMITIVES["getitem"]

Unary = Callable[[Any], "Tensor"]
Binary = Callable[[Any, Any], "Tensor"]


def _unary(op: Primitive, doc: str | None = None) -> Unary:
    """A method that records an operation of one value."""

    def method(self: Operators) -> Tensor:
        return record(op, (self,))

    method.__doc__ = doc
    return method


def _binary(op: Primitive, doc: str | None = None) -> Binary:
    """A method that records an operation of two values."""

    def method(self: Operators, other: Any) -> Tensor:
        return record(op, (self, other))

    method.__doc__ = doc
    return method


def _reflected(op: Primitive) -> Binary:
    """The same for `other + x`."""

    def method(self: Operators, other: Any) -> Tensor:
        return record(op, (other, self))

    return method


def _of_masks(sign: str, name: str) -> tuple[Binary, Binary]:
    """The methods of an operator of bits, on truths, and of it reflected; the operation loads on first use."""

    def method(self: Operators, other: Any) -> Tensor:
        return record(ops.PRIMITIVES[name], masks(sign, self, other))

    def reflected(self: Operators, other: Any) -> Tensor:
        return record(ops.PRIMITIVES[name], masks(sign, other, self))

    return method, reflected


class Operators(Methods):
    """The operators and array methods that Tensors and Parameters share; each records a primitive."""

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

    __add__, __radd__ = _binary(ops.add), _reflected(ops.add)
    __sub__, __rsub__ = _binary(ops.sub), _reflected(ops.sub)
    __mul__, __rmul__ = _binary(ops.mul), _reflected(ops.mul)
    __truediv__, __rtruediv__ = _binary(ops.div), _reflected(ops.div)
    __matmul__, __rmatmul__ = _binary(ops.matmul), _reflected(ops.matmul)
    __pow__, __rpow__ = _binary(ops.pow), _reflected(ops.pow)
    __lt__, __le__ = _binary(ops.less), _binary(ops.less_equal)
    __gt__, __ge__ = _binary(ops.greater), _binary(ops.greater_equal)
    __eq__, __ne__ = _binary(ops.equal), _binary(ops.not_equal)  # type: ignore[assignment]  # elementwise
    __neg__, __abs__ = _unary(ops.neg), _unary(ops.abs)
    __and__, __rand__ = _of_masks("&", "logical_and")
    __or__, __ror__ = _of_masks("|", "logical_or")
    __xor__, __rxor__ = _of_masks("^", "logical_xor")

    exp = _unary(ops.exp, "e to the power of each element.")
    log = _unary(ops.log, "Natural logarithm of each element.")
    sqrt = _unary(ops.sqrt, "Square root of each element.")
    square = _unary(ops.square, "Square of each element.")
    abs = _unary(ops.abs, "Magnitude of each element.")
    tanh = _unary(ops.tanh, "Hyperbolic tangent of each element.")
    sigmoid = _unary(ops.sigmoid, "1 / (1 + e⁻ˣ) of each element.")
    relu = _unary(ops.relu, "max(x, 0) of each element.")
    matmul = _binary(ops.matmul, "Matrix product.")

    def __invert__(self) -> Tensor:
        return record(ops.logical_not, masks("~", self))

    def __pos__(self) -> Any:
        return self

    def __getitem__(self, index: Any) -> Tensor:
        if type(index) is int:
            # x[t] of a loop over time: half the cost of looking what the index is made of
            return record(_getitem, (self.recorded,), {"index": (index,)})
        return cast("Tensor", ops.getitem(self, index))

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
        return cast("Tensor", ops.sum(self, axis=axis, keepdims=keepdims, **unknown))

    def mean(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Mean over axes."""
        return cast("Tensor", ops.mean(self, axis=axis, keepdims=keepdims, **unknown))

    def max(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Largest element over axes; ties share the cotangent equally."""
        return cast("Tensor", ops.max(self, axis=axis, keepdims=keepdims, **unknown))

    def min(self, axis: Any = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        """Smallest element over axes; ties share the cotangent equally."""
        return cast("Tensor", ops.min(self, axis=axis, keepdims=keepdims, **unknown))

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: `x.reshape(3, 4)` or `x.reshape((3, 4))`."""
        return cast("Tensor", ops.reshape(self, shape=shape[0] if len(shape) == 1 else shape))

    def transpose(self, *axes: Any) -> Tensor:
        """Permute the axes; reverse them if none are given."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return cast("Tensor", ops.transpose(self, axes=order))

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another dtype; the cotangent comes back in this one."""
        return cast("Tensor", ops.astype(self, dtype=np.dtype(dtype).name))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tracer.interop import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tracer.interop import apply_function

        return apply_function(function, args, kwargs)


for _name, _method in vars(Operators).items():
    if getattr(_method, "__closure__", None):  # made above, and called so by help and tracebacks
        _method.__name__, _method.__qualname__ = _name, f"Operators.{_name}"
