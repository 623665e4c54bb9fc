"""Derivatives of functions: products with vectors from both sides, Jacobians, Hessians, Hessian times vector.

All of them come from the rules of the backward pass. A vjp is linear in its cotangent: recorded with the cotangent as
its variable, and pulled back in its turn, it is the jvp. So forward mode needs no second table of rules.

The functions are called as those of `torch.autograd.functional`. `inputs` is one array, Tensor, list or number, or a
tuple of them, which `fn` gets as arguments; results come in the same form, as numpy arrays. `fn` is called once, with
new leaves of those values, and returns one recorded value. An input that it does not depend on has the derivative 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ops.primitive import Array
from tracer.errors import DTypeError, GradientError, ShapeError
from tracer.operands import Operators
from tracer.pullback import Pullback
from tracer.recording import switched
from tracer.sweep import grad
from tracer.tensors import Tensor, tensor
from tracer.values import as_value, is_recorded, on_host, read_only


def vjp(fn: Callable[..., Any], inputs: Any, v: Any = None) -> tuple[Array, Any]:
    """The value of a function, and its Jacobian times a vector from the left: vᵀ J, what a backward pass computes.

    v: a cotangent of the shape of the output; may be left out if that is one number.
    Returns: (fn(inputs), vᵀ J), the product in the form of the inputs.
    Raises `DTypeError` for inputs that are no floats, `ShapeError` for a v of another shape.

    >>> vjp(lambda x: x * x, [1.0, 2.0], [1.0, 10.0])
    (array([1., 4.]), array([ 2., 40.]))
    """
    call = _called("vjp", fn, inputs)
    seed = _vector("vjp", v, call.output)
    flows = Pullback([call.output], call.leaves)([seed])
    return call.value, call.product(flows)


def jvp(fn: Callable[..., Any], inputs: Any, v: Any = None) -> tuple[Array, Array]:
    """The value of a function, and its Jacobian times a vector from the right: J v, its slope along v.

    v: a tangent in the form of the inputs; may be left out for one number.
    Returns: (fn(inputs), J v), both of the shape of the output.
    Raises `DTypeError` for inputs that are no floats, `ShapeError` for a v of another shape.

    >>> jvp(lambda x, y: x * y, (3.0, 5.0), (1.0, 0.0))
    (np.float64(15.0), np.float64(5.0))
    """
    call = _called("jvp", fn, inputs)
    (slope,) = _push_forward(call)(call.tangents(v))
    return call.value, _or_zeros(slope, call.output)


def hvp(fn: Callable[..., Any], inputs: Any, v: Any = None) -> tuple[Array, Any]:
    """The value of a function of one number, and its Hessian times a vector: H v, the change of its gradient along v.

    v: a vector in the form of the inputs; may be left out for one number.
    Returns: (fn(inputs), H v), the product in the form of the inputs.
    Raises `ShapeError` for an output of several numbers or a v of another shape, `DTypeError` for inputs of integers.

    >>> hvp(lambda x: (x * x * x).sum(), [1.0, 2.0], [1.0, 10.0])
    (np.float64(9.0), array([  6., 120.]))
    """
    call = _called("hvp", fn, inputs)
    flows = Pullback(_gradient(call), call.leaves)(call.tangents(v))
    return call.value, call.product(flows)


def jacobian(fn: Callable[..., Any], inputs: Any) -> Any:
    """Every derivative of an element of the output by an element of the inputs.

    One recording is swept row by row or column by column, whichever are fewer.
    Returns: float (*output.shape, *input.shape), of a tuple of inputs a tuple.
    Raises `DTypeError` for inputs that are no floats.

    >>> import tracer as tr
    >>> jacobian(lambda x: tr.stack([x[0] * x[1], x[0]]), [2.0, 3.0])
    array([[3., 2.],
           [1., 0.]])
    """
    call = _called("jacobian", fn, inputs)
    output, leaves = call.output, call.leaves
    if output.size <= sum(x.size for x in leaves):
        (blocks,) = _table(Pullback([output], leaves), [output], leaves)
    else:
        columns = _table(_push_forward(call), leaves, [output])
        blocks = [block.T.astype(x.dtype) for (block,), x in zip(columns, leaves, strict=True)]
    return call.form([_shaped(b, output, x) for b, x in zip(blocks, leaves, strict=True)])


def hessian(fn: Callable[..., Any], inputs: Any) -> Any:
    """Every second derivative of a function of one number: the Jacobian of its gradient, which is recorded once.

    Returns: float (*input.shape, *input.shape), of a tuple of inputs a tuple of tuples.
    Raises `ShapeError` for an output of several numbers, `DTypeError` for inputs that are no floats.

    >>> hessian(lambda x: x[0] * x[0] * x[1], [2.0, 3.0])
    array([[6., 4.],
           [4., 0.]])
    """
    call = _called("hessian", fn, inputs)
    leaves = call.leaves
    table = _table(Pullback(_gradient(call), leaves), leaves, leaves)
    return call.form(
        [
            call.form([_shaped(b, x, y) for b, y in zip(row, leaves, strict=True)])
            for row, x in zip(table, leaves, strict=True)
        ]
    )


# ----- sweeping one recording many times


def _push_forward(call: _Call) -> Pullback:
    """From tangents of the leaves to that of the output: the vjp recorded, and transposed by its cotangent."""
    with switched(enabled=True, kept=None):
        # any value would do: a vjp is linear, so its derivative by the cotangent is the same everywhere
        zeros = np.zeros(call.output.shape, call.output.dtype)
        cotangent = tensor(zeros, device=call.output.device)
        flows = Pullback([call.output], call.leaves)([cotangent])
    return Pullback([flow if isinstance(flow, Tensor) else None for flow in flows], [cotangent])


def _gradient(call: _Call) -> Sequence[Tensor | None]:
    """The recorded gradient of an output of one number, which can be differentiated again."""
    output, leaves = call.output, call.leaves
    if output.size != 1:
        raise ShapeError(
            f"{call.name}: the function returned shape {output.shape}, but needs one number\n"
            f"  try: .sum() of it, or tr.jacobian"
        )
    if not output.tracked:
        return [None] * len(leaves)
    seed = np.ones(output.shape, output.dtype)
    with switched(kept=None):
        found: Sequence[Tensor | None] = grad(
            output, leaves, seed=seed, create_graph=True, allow_unused=True
        )
    return found


def _table(pull: Pullback, tops: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[list[Array]]:
    """For each root, of the shape of its top, and each leaf the matrix of derivatives, swept row by row."""
    table = [[np.zeros((top.size, x.size), x.dtype) for x in leaves] for top in tops]
    for k, top in enumerate(tops):
        if pull.roots[k] is None:
            continue
        for row in range(top.size):
            unit = np.zeros(top.shape, top.dtype)
            unit.reshape(-1)[row] = 1
            flows = pull([unit[()] if j == k else None for j in range(len(tops))])
            for block, flow in zip(table[k], flows, strict=True):
                if flow is not None:
                    block[row] = np.ravel(on_host(flow))
    return table


def _shaped(block: Array, top: Tensor, leaf: Tensor) -> Array:
    """A matrix of derivatives in the shapes of what was differentiated and by what."""
    return block.reshape((*top.shape, *leaf.shape))[()]


# ----- calling


class _Call(NamedTuple):
    """A function that has been called: its leaves, its output, and whether it had several inputs."""

    name: str
    leaves: list[Tensor]
    output: Tensor
    several: bool

    @property
    def value(self) -> Array:
        """The value of the output, on the host."""
        found: Array = on_host(self.output.value)
        return found

    def form(self, results: Sequence[Any]) -> Any:
        """Results for each input as the inputs were given: a tuple, or the only one."""
        return tuple(results) if self.several else results[0]

    def product(self, flows: Sequence[Any]) -> Any:
        """Cotangents of the leaves in the form of the inputs."""
        return self.form([_or_zeros(f, x) for f, x in zip(flows, self.leaves, strict=True)])

    def tangents(self, v: Any) -> list[Array]:
        """A vector for every input, from vectors in the form of the inputs."""
        if not self.several:
            return [_vector(self.name, v, self.leaves[0])]
        count = len(self.leaves)
        given = (None,) * count if v is None else v
        if not isinstance(given, tuple) or len(given) != count:
            raise ShapeError(
                f"{self.name}: there are {count} inputs, but v is {_described(v)}\n"
                f"  try: a tuple of {count} vectors, each of the shape of its input"
            )
        return [_vector(self.name, one, x) for one, x in zip(given, self.leaves, strict=True)]


def _called(name: str, fn: Callable[..., Any], inputs: Any) -> _Call:
    """Call a function with new leaves of the values of its inputs."""
    if not callable(fn):
        raise GradientError(
            f"{name}: {_described(fn)} is no function\n"
            f"  try: tr.{name}(fn, inputs), with the function itself, not its result"
        )
    several = isinstance(inputs, tuple)
    with switched(enabled=True, kept=None):
        leaves = [_leaf(name, x) for x in (inputs if several else (inputs,))]
        output = fn(*leaves)
    if not isinstance(output, Operators):
        raise GradientError(
            f"{name}: the function returned {_described(output)}, not a recorded value\n"
            f"  try: a function that returns one value computed by operations of tracer"
        )
    output = output.recorded
    if output.dtype.kind != "f":
        raise DTypeError(
            f"{name}: the function returned {output.dtype}, which has no derivative\n"
            f"  try: a function whose output is a float"
        )
    return _Call(name, leaves, output, several)


def _leaf(name: str, x: Any) -> Tensor:
    if isinstance(x, list) and any(is_recorded(part) for part in x):
        raise DTypeError(
            f"{name}: several inputs come as a tuple, not as a list\n  try: tr.{name}(fn, (x, y))"
        )
    made = tensor(as_value(x))
    if not made.tracked:
        raise DTypeError(
            f"{name}: an input is {made.dtype}, which has no derivative\n"
            f"  try: 3.0 instead of 3; data that only takes part goes into the function, lambda x: fn(x, data)"
        )
    return made


def _vector(name: str, v: Any, like: Tensor) -> Array:
    """A vector in the shape and dtype of a value; 1, if left out, where that is one number."""
    if v is None and like.size != 1:
        raise ShapeError(f"{name} needs a v of shape {like.shape}\n  try: tr.{name}(fn, inputs, v)")
    given = on_host(as_value(np.ones(like.shape) if v is None else v))
    value = np.array(given, dtype=like.dtype)
    if value.shape != like.shape:
        raise ShapeError(
            f"{name}: v has shape {value.shape}, but the value that it belongs to {like.shape}\n"
            f"  try: a v of shape {like.shape}"
        )
    return value[()]


def _or_zeros(flow: Any, like: Tensor) -> Array:
    """The cotangent that arrived, read-only; zeros in the shape of its value if none did."""
    return read_only(np.zeros(like.shape, like.dtype)[()] if flow is None else on_host(flow))


def _described(x: Any) -> str:
    """What something is, in few words."""
    return f"a tuple of {len(x)}" if isinstance(x, tuple) else type(x).__name__
