"""Matrix products, by all of numpy's rules for rank: vectors, matrices, stacks of matrices that broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ops.declaring import primitive
from ops.formula import MUL, POW, Formula
from ops.primitive import Array
from ops.shape import joint_room, reshape, room, shape_of, sum_to, transpose


def swap_last(x: Any) -> Any:
    """The transpose of every matrix in a stack."""
    if x.ndim == 2:
        return x.T
    return transpose(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _as_matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """x as rows, y as columns, and the cotangent in the shape that their product then has."""
    rows = reshape(x, shape=(1, *x.shape)) if x.ndim == 1 else x
    columns = reshape(y, shape=(*y.shape, 1)) if y.ndim == 1 else y
    shape = g.shape
    if y.ndim == 1:
        shape = (*shape, 1)
    if x.ndim == 1:
        shape = (*shape[:-1], 1, shape[-1])
    return reshape(g, shape=shape), rows, columns


def times(x: Any, y: Any) -> Any:
    """x @ y of two matrices. `dot` finds the BLAS in half the time that `@` needs for a small array."""
    if type(x) is ndarray and type(y) is ndarray:
        return x.dot(y)
    return x @ y


def _matmul(x: Array, y: Array) -> Array:
    if (
        type(x) is ndarray
        and type(y) is ndarray
        and x.ndim == 2
        and y.ndim == 2
        and x.shape[1] == len(y)
    ):
        return x.dot(y)
    try:
        return np.matmul(x, y)
    except ValueError:
        raise ValueError(_why_unfit(np.shape(x), np.shape(y))) from None


def _why_unfit(x: tuple[int, ...], y: tuple[int, ...]) -> str:
    if not x or not y:
        return "a single number is no matrix"
    inner = y[-2] if len(y) > 1 else y[0]
    if x[-1] != inner:
        return f"inner sizes differ, {x[-1]} against {inner}"
    return f"the stacks {x[:-2]} and {y[:-2]} do not broadcast"


def matmul_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """g yᵀ, for vectors with the missing axis put in, for stacks summed over the broadcast axes."""
    if x.ndim == 2 and y.ndim == 2:
        return times(g, y.T)
    g, rows, columns = _as_matrices(g, x, y)
    return reshape(sum_to(g @ swap_last(columns), shape=rows.shape), shape=x.shape)


def matmul_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """xᵀ g, for vectors with the missing axis put in, for stacks summed over the broadcast axes."""
    if x.ndim == 2 and y.ndim == 2:
        return times(x.T, g)
    g, rows, columns = _as_matrices(g, x, y)
    return reshape(sum_to(swap_last(rows) @ g, shape=columns.shape), shape=y.shape)


def matmul_size(x: Any, y: Any) -> float:
    """For every pair of matrices their product, and the flow of each before it is summed over the stack."""
    one, other = shape_of(x), shape_of(y)
    rows, inner = (1, *one)[-2:]
    columns = other[-1] if len(other) > 1 else 1
    stack = joint_room(one[:-2], other[:-2])
    return stack * (room(rows, columns) + room(rows, inner) + room(inner, columns))


@primitive(
    vjps={"x": matmul_x, "y": matmul_y},
    size=matmul_size,
    kernel=_matmul,
    formula=Formula("{x} @ {y}", r"{x} \, {y}", MUL, (MUL, POW), symbol="@"),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)), rng.normal(size=(3, 4))),
        (rng.normal(size=3), rng.normal(size=3)),
        (rng.normal(size=(2, 3)), rng.normal(size=3)),
        (rng.normal(size=3), rng.normal(size=(3, 2))),
        (rng.normal(size=(2, 1, 2, 3)), rng.normal(size=(4, 3, 2))),
        (rng.normal(size=3), rng.normal(size=(2, 3, 2))),
        (rng.normal(size=(2, 2, 3)), rng.normal(size=3)),
        (rng.normal(size=(2, 0)), rng.normal(size=(0, 3))),
    ],
    hint="the last size of x must equal the last but one of y (of a vector, its size): "
    "transpose one of them, or reshape",
)
def matmul(x: Array, y: Array) -> Array:
    """Matrix product. Y = X W gives dX = dY Wᵀ and dW = Xᵀ dY."""
