"""Inverses, linear systems and the Cholesky factor, of a matrix or of every matrix in a stack (..., n, n)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.formula import ATOM, MUL, POW, Formula, call
from ops.linalg import swap_last
from ops.primitive import Array, sample
from ops.shape import joint_room, reshape, room, shape_of, sum_to


def check_square(a: Any) -> int:
    """The size n of a stack of square matrices. Raises `ValueError` for anything else."""
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"a is {shape}, not a square matrix or a stack of them, (..., n, n)")
    return int(shape[-1])


def regular(rng: np.random.Generator, *shape: int) -> Array:
    """Matrices that are far from singular: drawn numbers, and 2 on the diagonal."""
    return rng.normal(size=shape) / 2 + 2 * np.eye(shape[-1])


_SQUARE = "a is square, (n, n), or a stack of square matrices, (..., n, n)"
_SINGULAR = "a matrix is singular"


# ----- inverse and linear systems


def inv_a(g: Any, out: Any, a: Any) -> Any:
    """−A⁻ᵀ g A⁻ᵀ."""
    inverse = swap_last(out)
    return -(inverse @ g @ inverse)


@primitive(
    vjps={"a": inv_a},
    formula=Formula("{a}⁻¹", "{{{a}}}^{{-1}}", POW, (ATOM,), symbol="⁻¹"),
    samples=lambda rng: [
        (regular(rng, 3, 3),),
        (regular(rng, 2, 2, 2),),
        (regular(rng, 1, 1),),
        (np.empty((0, 2, 2)),),
    ],
    hint=_SQUARE + "; to solve A x = b, solve(a, b) is more accurate",
)
def inv(a: Array) -> Array:
    """The inverse of a square matrix, or of every one in a stack. dA = −A⁻ᵀ g A⁻ᵀ.

    a: float (..., n, n).  Returns: the same shape. Raises `ShapeError` for a singular matrix.
    """
    check_square(a)
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise ValueError(_SINGULAR) from None


def _as_columns(x: Any, vector: bool) -> Any:
    return reshape(x, shape=(*x.shape, 1)) if vector else x


def solve_rule(g: Any, out: Any, a: Any, b: Any) -> dict[str, Any]:
    """db = A⁻ᵀ g, from one more system, and dA = −db xᵀ; summed over the stacks that were broadcast."""
    vector = b.ndim == 1
    flow = solve(swap_last(a), _as_columns(g, vector))
    of_a = -(flow @ swap_last(_as_columns(out, vector)))
    of_b = sum_to(flow, shape=(*b.shape, 1) if vector else b.shape)
    return {
        "a": sum_to(of_a, shape=a.shape),
        "b": reshape(of_b, shape=b.shape) if vector else of_b,
    }


def _solve_size(a: Any, b: Any) -> float:
    """Of the matrices and the right-hand sides, for each of the stack that both make."""
    n, (*stack, columns) = check_square(a), shape_of(b)
    lead = stack[:-1] if stack else []
    return joint_room(a.shape[:-2], tuple(lead)) * room(n, n + (columns if stack else 1))


@primitive(
    joint=(solve_rule, ("a", "b")),
    size=_solve_size,
    formula=Formula("solve({a}, {b})", r"{{{a}}}^{{-1}} \, {b}", MUL, (0, 0), (ATOM, POW)),
    samples=lambda rng: [
        (regular(rng, 3, 3), rng.normal(size=3)),
        (regular(rng, 3, 3), rng.normal(size=(3, 2))),
        (regular(rng, 2, 2, 2), rng.normal(size=2)),
        (regular(rng, 3, 1, 2, 2), rng.normal(size=(2, 2, 1))),
        (regular(rng, 0, 2, 2), rng.normal(size=2)),
    ],
    hint="a is (..., n, n); b is a vector (n,), or (..., n, k), the right-hand sides as columns",
)
def solve(a: Array, b: Array) -> Array:
    """The x with A x = b. db = A⁻ᵀ g and dA = −db xᵀ.

    a: float (..., n, n). b: float (n,), or (..., n, k) with the right-hand sides as columns; stacks broadcast.
    Returns: float (..., n) for a vector, else (..., n, k). Raises `ShapeError` for a singular matrix.
    """
    n, size = check_square(a), shape_of(b)
    if not size or size[-2:][0] != n:
        raise ValueError(f"a has {n} rows, but b is {size}")
    np.broadcast_shapes(a.shape[:-2], size[:-2])
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise ValueError(_SINGULAR) from None


# ----- Cholesky


def lower_half_x(g: Any, out: Any, x: Any) -> Any:
    """The same of the cotangent: what multiplies element by element is its own transpose."""
    return lower_half(g)


@primitive(
    vjps={"x": lower_half_x},
    formula=call("Φ", r"\Phi"),
    samples=lambda rng: [(rng.normal(size=(3, 3)),), (rng.normal(size=(2, 2, 2)),)],
    hint=_SQUARE,
)
def lower_half(x: Array) -> Array:
    """The lower triangle with half the diagonal, the half of a symmetric matrix: Φ of Murray 2016, section 3."""
    half = np.tril(x)
    diagonal = np.einsum("...ii->...i", half)
    diagonal *= 0.5
    return half


def cholesky_a(g: Any, out: Any, a: Any, *, upper: bool) -> Any:
    """L⁻ᵀ Φ(Lᵀ g) L⁻¹, of which the symmetric part; Φ is the lower triangle with half the diagonal."""
    factor, flow = (swap_last(out), swap_last(g)) if upper else (out, g)
    inverse = inv(factor)
    half = swap_last(inverse) @ lower_half(swap_last(factor) @ flow) @ inverse
    return (half + swap_last(half)) / 2


def _positive(rng: np.random.Generator, *shape: int) -> Array:
    """Symmetric matrices with positive eigenvalues."""
    x = regular(rng, *shape)
    return x @ np.swapaxes(x, -1, -2)


@primitive(
    vjps={"a": cholesky_a},
    formula=Formula("chol({a})", r"\operatorname{{chol}}\left({a}\right)", symbol="chol"),
    samples=lambda rng: [
        (_positive(rng, 3, 3),),
        sample(_positive(rng, 3, 3), upper=True),
        (_positive(rng, 2, 2, 2),),
        (np.array([[4.0, 1.5], [0.5, 3.0]]),),
        (np.empty((0, 2, 2)),),
    ],
    hint="a is symmetric with positive eigenvalues, as x @ x.T + eps * eye",
)
def cholesky(a: Array, *, upper: bool = False) -> Array:
    """The lower triangular L with L Lᵀ = A, of a symmetric positive definite matrix; or U = Lᵀ.

    dA = sym(L⁻ᵀ Φ(Lᵀ g) L⁻¹), Φ the lower triangle with half the diagonal (Murray 2016, as PyTorch has it)

    A is taken as symmetric: of any other matrix the symmetric part (A + Aᵀ)/2 is factored, where numpy and PyTorch
    read one triangle. So the gradient is symmetric: an element off the diagonal has half of what moving it together
    with its mirror image would do, and a step along the gradient keeps A symmetric.

    a: float (..., n, n).  Returns: the same shape. Raises `ShapeError` for a matrix that is not positive definite.
    """
    check_square(a)
    try:
        return np.linalg.cholesky((a + np.swapaxes(a, -1, -2)) / 2, upper=upper)
    except np.linalg.LinAlgError:
        raise ValueError("a matrix is not positive definite") from None
