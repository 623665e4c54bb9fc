"""Products of vectors, matrices and tensors beyond `@`: numpy's dot, outer and tensordot, and the affine map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import ADD, ATOM, MUL, POW, Formula
from ops.linalg import matmul_size, matmul_x, matmul_y, times
from ops.primitive import NUMBERS, Array, sample
from ops.shape import Shape, joint_room, reshape, room, shape_of, sum_to, transpose


def as_arrays(operands: Sequence[Any]) -> list[Array]:
    """The operands as arrays; Python's numbers, which promote weakly, in the dtype of the result."""
    dtype = np.result_type(*operands)
    return [np.asarray(x, dtype if type(x) in NUMBERS else None) for x in operands]


# ----- the affine map


def _rows(x: Any) -> Any:
    """All axes but the last as one."""
    if x.ndim == 2:
        return x
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def linear_x(g: Any, out: Any, x: Any, weight: Any, bias: Any) -> Any:
    """g W."""
    flow = times(_rows(g), weight)
    return flow if x.ndim == 2 else reshape(flow, shape=x.shape)


def linear_weight(g: Any, out: Any, x: Any, weight: Any, bias: Any) -> Any:
    """gᵀ x, summed over all axes but the last."""
    return times(_rows(g).T, _rows(x))


def linear_bias(g: Any, out: Any, x: Any, weight: Any, bias: Any) -> Any:
    """The sum over all axes but the last."""
    return sum_to(g, shape=bias.shape)


def linear_parts(x: Any, weight: Any, bias: Any = 0.0) -> Any:
    """The transposed weight, the product, the bias."""
    _checked_sizes(x, weight, bias)
    product = x @ transpose(weight)
    return product if _is_left_out(bias) else product + bias


def _checked_sizes(x: Any, weight: Any, bias: Any) -> tuple[Shape, Shape]:
    """The shapes of x and of the weight. Raises `ValueError` where they and the bias do not fit."""
    size, lanes = shape_of(x), shape_of(weight)
    if len(lanes) != 2 or not size or size[-1] != lanes[1]:
        raise ValueError(f"x {size} does not end in the last size of a weight (out, in), {lanes}")
    if shape_of(bias) not in ((), lanes[:1]):
        raise ValueError(f"bias {bias.shape} is not of shape {lanes[:1]}, one for each output")
    return size, lanes


def _is_left_out(bias: Any) -> bool:
    return type(bias) in NUMBERS and bias == 0


@primitive(
    vjps={"x": linear_x, "weight": linear_weight, "bias": linear_bias},
    optional={"bias": 0.0},
    formula=Formula(
        "{x} @ {weight}ᵀ + {bias}",
        r"{x} \, {{{weight}}}^{{\mathsf{{T}}}} + {bias}",
        ADD,
        (MUL, ATOM, ADD),
        symbol="linear",
    ),
    samples=lambda rng: [
        (rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        (rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=2)),
        (rng.normal(size=(2, 2, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)),
        (rng.normal(size=(4, 3)), rng.normal(size=(2, 3))),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), 0.5),
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), np.float64(0.5)),
        (rng.normal(size=(0, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        (rng.normal(size=(3, 0)), rng.normal(size=(2, 0)), rng.normal(size=2)),
    ],
    parts=linear_parts,
    parts_ulps=8,
    size=lambda x, weight, bias: room(*shape_of(x)[:-1], len(weight)),
    hint="x is (..., in), weight (out, in), bias (out,), as in PyTorch; of a weight (in, out) give weight.T",
)
def linear(x: Array, weight: Array, bias: Array) -> Array:
    """The affine map of a layer: y = x Wᵀ + b, the weight stored as PyTorch stores it.

    dx = dy W        dW = dyᵀ x        db = Σ dy, each summed over all axes of x but the last

    x: float (..., in). weight: float (out, in). bias: float (out,), or left out.  Returns: float (..., out).
    """
    size, lanes = _checked_sizes(x, weight, bias)
    out = _rows(x).dot(weight.T)
    if not _is_left_out(bias):
        fits = type(bias) not in NUMBERS and bias.dtype == out.dtype
        out = np.add(out, bias, out=out if fits else None)
    return out if len(size) == 2 else out.reshape((*size[:-1], lanes[0]))


# ----- outer and dot


def outer_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """g y, in the shape of x."""
    flow = g * y if type(y) in NUMBERS else g @ reshape(y, shape=(y.size,))
    return reshape(flow, shape=x.shape)


def outer_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """gᵀ x, in the shape of y."""
    flow = x * g if type(x) in NUMBERS else reshape(x, shape=(x.size,)) @ g
    return reshape(flow, shape=y.shape)


@primitive(
    vjps={"x": outer_x, "y": outer_y},
    formula=Formula("{x} ⊗ {y}", r"{x} \otimes {y}", MUL, (MUL, POW), symbol="⊗"),
    samples=lambda rng: [
        (rng.normal(size=3), rng.normal(size=4)),
        (rng.normal(size=(2, 2)), rng.normal(size=(3, 1))),
        (np.float64(1.5), rng.normal(size=3)),
        (rng.normal(size=3), 2.0),
        (-0.5, rng.normal(size=2)),
        (rng.normal(size=0), rng.normal(size=2)),
    ],
    size=lambda x, y: room(*shape_of(x), *shape_of(y)),
)
def outer(x: Array, y: Array) -> Array:
    """Every product of an element of x with one of y, as a matrix: outᵢⱼ = xᵢ yⱼ, so dx = g y and dy = gᵀ x.

    x, y: float of any shape, read in order as vectors.  Returns: float (x.size, y.size).
    """
    column, row = as_arrays((x, y))
    return np.multiply(column.reshape(-1, 1), row.reshape(1, -1))


_LAST = ((-1,), (-2,))
"""The axes that `dot` sums over where y is no vector."""


def is_matmul(x: Any, y: Any) -> bool:
    """Whether `dot` is `@` for these ranks: none is a single number, and no two stacks meet."""
    return bool(y.ndim == 1 or (x.ndim <= 2 and y.ndim == 2))


def dot_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """g yᵀ, as for `@`; g y if one of them is a single number."""
    if not x.ndim or not shape_of(y):
        return sum_to(g * y, shape=x.shape)
    return matmul_x(g, out, x, y) if is_matmul(x, y) else tensordot_x(g, out, x, y, axes=_LAST)


def dot_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """xᵀ g, as for `@`; g x if one of them is a single number."""
    if not shape_of(x) or not y.ndim:
        return sum_to(x * g, shape=y.shape)
    return matmul_y(g, out, x, y) if is_matmul(x, y) else tensordot_y(g, out, x, y, axes=_LAST)


def _dot_size(x: Any, y: Any) -> float:
    if not shape_of(x) or not shape_of(y):
        return joint_room(shape_of(x), shape_of(y))
    return matmul_size(x, y) if is_matmul(x, y) else _tensordot_size(x, y, axes=_LAST)


@primitive(
    vjps={"x": dot_x, "y": dot_y},
    size=_dot_size,
    samples=lambda rng: [
        (rng.normal(size=3), rng.normal(size=3)),
        (rng.normal(size=(2, 3)), rng.normal(size=(3, 2))),
        (rng.normal(size=(2, 3)), rng.normal(size=3)),
        (rng.normal(size=(2, 2, 3)), rng.normal(size=3)),
        (rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 3, 2))),
        (rng.normal(size=3), rng.normal(size=(2, 3, 2))),
        (rng.normal(size=(2, 3)), 2.0),
        (np.float64(1.5), rng.normal(size=3)),
        (rng.normal(size=2), np.float64(-0.5)),
        (rng.normal(size=(2, 0)), rng.normal(size=(0, 3))),
    ],
    hint="the last size of x must equal the last but one of y (of a vector, its size)",
)
def dot(x: Array, y: Array) -> Array:
    """numpy's dot: of two vectors Σᵢ xᵢ yᵢ, of two matrices x @ y, of a single number and anything x · y.

    Of higher ranks every row of x meets every column of y: (..., k) and (+++, k, n) give (..., +++, n), where `@`
    would broadcast the stacks. dx = g yᵀ and dy = xᵀ g.
    """
    size, other = shape_of(x), shape_of(y)
    if not size or not other:
        return x * y
    if size[-1] != other[max(len(other) - 2, 0)]:
        inner = other[max(len(other) - 2, 0)]
        raise ValueError(f"inner sizes differ, {size[-1]} against {inner}")
    return np.dot(x, y)


# ----- tensordot

Axes = int | tuple[Any, Any]


def paired_axes(axes: Axes, rank: int, other: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of x and those of y that are summed over together, counted from the front.

    >>> paired_axes(2, 3, 4), paired_axes((-1, 0), 3, 4)
    (((1, 2), (0, 1)), ((2,), (0,)))
    """
    if isinstance(axes, int):
        if not 0 <= axes <= min(rank, other):
            raise ValueError(f"{axes} axes to sum over, but the ranks are {rank} and {other}")
        return tuple(range(rank - axes, rank)), tuple(range(axes))
    if len(axes) != 2:
        raise ValueError(f"axes is a number, or two lists of axes, not {axes}")
    first, second = ((one,) if isinstance(one, int) else tuple(one) for one in axes)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} axes of x are paired with {len(second)} of y")
    for name, count, which in (("x", rank, first), ("y", other, second)):
        if not all(-count <= k < count for k in which):
            raise ValueError(f"{name} has rank {count}, but its axes are {which}")
        if len({k % count for k in which}) < len(which):
            raise ValueError(f"an axis of {name} stands twice in {which}")
    return tuple(k % rank for k in first), tuple(k % other for k in second)


def _without(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The axes that are not summed over."""
    return tuple(k for k in range(rank) if k not in axes)


def _put_back(flow: Any, free: tuple[int, ...], summed: tuple[int, ...], at: int) -> Any:
    """A cotangent whose axes are the free ones and, from place `at` on, the summed ones, in the order of its input."""
    order = (*free[:at], *summed, *free[at:])
    if order == tuple(range(len(order))):
        return flow
    return transpose(flow, axes=tuple(order.index(k) for k in range(len(order))))


def tensordot_x(g: Any, out: Any, x: Any, y: Any, *, axes: Axes) -> Any:
    """The cotangent summed with y over the axes that y kept."""
    mine, theirs = paired_axes(axes, x.ndim, len(shape_of(y)))
    free, kept = _without(mine, x.ndim), _without(theirs, len(shape_of(y)))
    flow = _tensordot(g, y, axes=(tuple(range(len(free), g.ndim)), kept))
    # what is left of y are its summed axes in their own order
    summed = tuple(one for _, one in sorted(zip(theirs, mine, strict=True)))
    return _put_back(flow, free, summed, len(free))


def tensordot_y(g: Any, out: Any, x: Any, y: Any, *, axes: Axes) -> Any:
    """x summed with the cotangent over the axes that x kept."""
    theirs, mine = paired_axes(axes, len(shape_of(x)), y.ndim)
    free, kept = _without(mine, y.ndim), _without(theirs, len(shape_of(x)))
    flow = _tensordot(x, g, axes=(kept, tuple(range(len(kept)))))
    summed = tuple(one for _, one in sorted(zip(theirs, mine, strict=True)))
    return _put_back(flow, free, summed, 0)


def _tensordot_size(x: Any, y: Any, *, axes: Axes) -> float:
    sizes = shape_of(x), shape_of(y)
    summed = paired_axes(axes, len(sizes[0]), len(sizes[1]))
    return room(
        *(
            n
            for shape, gone in zip(sizes, summed, strict=True)
            for k, n in enumerate(shape)
            if k not in gone
        )
    )


@primitive(
    vjps={"x": tensordot_x, "y": tensordot_y},
    size=_tensordot_size,
    samples=lambda rng: [
        (rng.normal(size=(2, 3, 2)), rng.normal(size=(3, 2, 2))),
        sample(rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), axes=1),
        sample(rng.normal(size=(2, 3)), rng.normal(size=2), axes=0),
        sample(rng.normal(size=(3, 2)), rng.normal(size=(2, 3)), axes=(0, -1)),
        sample(rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 2, 2)), axes=((0, 2), (1, 0))),
        sample(rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3)), axes=((2, 1), (0, 1))),
        sample(2.0, rng.normal(size=3), axes=0),
        sample(rng.normal(size=3), np.float64(0.5), axes=((), ())),
        sample(rng.normal(size=(2, 0)), rng.normal(size=(0, 2)), axes=1),
    ],
    hint="axes=n sums the last n axes of x with the first n of y; axes=((0, 2), (1, 0)) names them pair by pair",
    name="tensordot",
)
def _tensordot(x: Array, y: Array, *, axes: Axes = 2) -> Array:
    """Sum of products over pairs of axes; the result has the other axes of x, then those of y.

    axes: a number n, the last n axes of x with the first n of y; or one axis, or several, of each: (of x, of y).
    """
    first, second = paired_axes(axes, len(shape_of(x)), len(shape_of(y)))
    for k, j in zip(first, second, strict=True):
        if x.shape[k] != y.shape[j]:
            raise ValueError(f"axis {k} of x has size {x.shape[k]}, axis {j} of y {y.shape[j]}")
    left, right = as_arrays((x, y))
    return np.tensordot(left, right, axes=(first, second))


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes, as numpy's: the other axes of x, then those of y, remain.

    axes: a number n, the last n axes of x with the first n of y; or one axis, or several, of each: (of x, of y).
    Raises `ShapeError` for sizes that differ, and for axes that are not there or not paired.

    >>> tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), axes=[[1, 2], [1, 0]])
    array([12., 12.])
    """
    if not isinstance(axes, int):
        axes = tuple(one if isinstance(one, int) else tuple(map(int, one)) for one in axes)
    return _tensordot(x, y, axes=axes)
