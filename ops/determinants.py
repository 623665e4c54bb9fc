"""Determinants of a matrix, or of every matrix in a stack (..., n, n); their gradients are right at singular ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ops.contractions import matrix_trace
from ops.declaring import primitive
from ops.decompositions import check_square, regular
from ops.formula import ATOM, POW, Formula
from ops.linalg import swap_last
from ops.primitive import Array
from ops.shape import reshape

_SQUARE = "a is square, (n, n), or a stack of square matrices, (..., n, n)"


def as_matrices(x: Any) -> Any:
    """One number for each matrix of a stack, as a stack of 1 by 1 matrices, which broadcasts against it."""
    return reshape(x, shape=(*x.shape, 1, 1))


def det_a(g: Any, out: Any, a: Any) -> Any:
    """g times the cofactors of A, which are det(A) A⁻ᵀ wherever there is an inverse."""
    return as_matrices(g) * cofactors(a)


def _squares(rng: np.random.Generator) -> list[Any]:
    return [
        (regular(rng, 3, 3),),
        (regular(rng, 2, 2, 2),),
        (np.array([[0.5, 1.5], [2.0, -1.0]]),),
        (np.array([[-2.5]]),),
        (np.empty((0, 2, 2)),),
    ]


@primitive(
    vjps={"a": det_a},
    formula=Formula("det({a})", r"\det\left({a}\right)", symbol="det"),
    samples=lambda rng: [
        *_squares(rng),
        (np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 3.0]]),),
        (np.zeros((2, 2)),),
    ],
    hint=_SQUARE,
)
def det(a: Array) -> Array:
    """The determinant of a square matrix. Its gradient is the matrix of cofactors, det(A) A⁻ᵀ where A has an inverse.

    The cofactors come from a singular value decomposition, A = U S Vᵀ: det(U V) · U diag(∏ⱼ≠ᵢ sⱼ) Vᵀ. So the gradient
    is right, and its own derivative too, at every matrix: at one of rank n − 1 it has rank 1, below that it is 0. Only
    third derivatives need an inverse, and are NaN at a singular matrix.

    a: float (..., n, n).  Returns: float (...).
    """
    check_square(a)
    with np.errstate(invalid="ignore"):
        return np.linalg.det(a)


# ----- derivatives of the determinant


def products_of_others(x: Array) -> Array:
    """For each element along the last axis the product of the others: no division, so that zeros are welcome.

    >>> products_of_others(np.array([2.0, 3.0, 0.0]))
    array([0., 0., 6.])
    """
    one = np.ones((*x.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([one, x[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, x[..., :0:-1]], -1), -1)[..., ::-1]
    return before * after


def _axes_of(a: Array) -> tuple[Array, Array, Array, Array]:
    """U, the singular values, Vᵀ, and det(U V) as 1 by 1 matrices: A = U S Vᵀ.

    The singular values of a matrix that is not finite are NaN: LAPACK would give up, for the whole stack.
    """
    finite = np.isfinite(a).all((-2, -1))
    u, s, vt = np.linalg.svd(np.where(finite[..., None, None], a, 0))
    s = np.where(finite[..., None], s, np.nan).astype(s.dtype, copy=False)
    sign = np.sign(np.linalg.det(u)) * np.sign(np.linalg.det(vt))
    return u, s, vt, sign[..., None, None]


def cofactors_a(g: Any, out: Any, a: Any) -> Any:
    """The second derivative of the determinant in direction g; it is symmetric, so it is its own transpose."""
    return cofactor_change(a, g)


@primitive(
    vjps={"a": cofactors_a},
    formula=Formula("cof({a})", r"\operatorname{{cof}}\left({a}\right)", symbol="cof"),
    samples=_squares,
    hint=_SQUARE,
)
def cofactors(a: Array) -> Array:
    """The gradient of det: at (i, j) the determinant without row i and column j, with the sign (−1)ⁱ⁺ʲ.

    a: float (..., n, n), of any rank.  Returns: the same shape.
    """
    check_square(a)
    u, s, vt, sign = _axes_of(a)
    return sign * (u * products_of_others(s)[..., None, :]) @ vt


def cofactor_change_a(g: Any, out: Any, a: Any, direction: Any) -> Any:
    """det(A) · [(tr P · tr Q − tr PQ) + PQ + QP − P tr Q − Q tr P] A⁻ᵀ with P = A⁻ᵀ Dᵀ and Q = A⁻ᵀ gᵀ."""
    inverse = inverse_transpose(a)
    p, q = inverse @ swap_last(direction), inverse @ swap_last(g)
    both = p @ q
    tr_p, tr_q, tr_both = (as_matrices(matrix_trace(x)) for x in (p, q, both))
    turned = (both + q @ p - p * tr_q - q * tr_p) @ inverse
    return as_matrices(det(a)) * ((tr_p * tr_q - tr_both) * inverse + turned)


def cofactor_change_direction(g: Any, out: Any, a: Any, direction: Any) -> Any:
    """The change in direction g: second derivatives are symmetric."""
    return cofactor_change(a, g)


@primitive(
    vjps={"a": cofactor_change_a, "direction": cofactor_change_direction},
    formula=Formula(
        "D_{direction} cof({a})",
        r"\mathrm{{D}}_{{{direction}}} \operatorname{{cof}}\left({a}\right)",
        symbol="D cof",
    ),
    samples=lambda rng: [
        (regular(rng, 3, 3), rng.normal(size=(3, 3))),
        (regular(rng, 2, 3, 3), rng.normal(size=(2, 3, 3))),
        (np.array([[-2.5]]), np.array([[0.5]])),
    ],
    hint="direction has the shape of a",
)
def cofactor_change(a: Array, direction: Array) -> Array:
    """How the cofactors of A change along a direction D: the second derivative of the determinant, at any rank.

    With A = U S Vᵀ and K = Uᵀ D V, it is det(U V) · U G Vᵀ, where Gᵢᵢ = Σⱼ≠ᵢ Pᵢⱼ Kⱼⱼ, Gᵢⱼ = −Pᵢⱼ Kⱼᵢ, and Pᵢⱼ is the
    product of all singular values but two. Its own derivative by A needs an inverse.

    a, direction: float (..., n, n).  Returns: the same shape.
    """
    check_square(a)
    if direction.shape != a.shape:
        raise ValueError(f"direction is {direction.shape}, but a is {a.shape}")
    u, s, vt, sign = _axes_of(a)
    turned = np.swapaxes(u, -1, -2) @ direction @ np.swapaxes(vt, -1, -2)
    itself = np.eye(s.shape[-1], dtype=bool)
    others = products_of_others(np.where(itself, 1.0, s[..., None, :]))
    others = np.where(itself, 0.0, others)
    diagonal = others @ np.einsum("...ii->...i", turned)[..., None]
    change = np.where(itself, diagonal, -others * np.swapaxes(turned, -1, -2))
    return sign * u @ change @ vt


# ----- sign and logarithm


class SignAndLogarithm(NamedTuple):
    """A determinant as its sign and the logarithm of its magnitude."""

    sign: Any
    logabsdet: Any


def _slogdet(a: Array) -> Any:
    """Numpy's, without its warning of a matrix that is not finite."""
    with np.errstate(invalid="ignore"):
        return np.linalg.slogdet(a)


@primitive(
    formula=Formula(
        "sign(det({a}))", r"\operatorname{{sign}} \det\left({a}\right)", symbol="sign det"
    ),
    samples=lambda rng: [*_squares(rng), (np.zeros((2, 2)),)],
    hint=_SQUARE,
)
def det_sign(a: Array) -> Array:
    """−1, 0 or 1, the sign of the determinant. Piecewise constant: no gradient goes through it."""
    check_square(a)
    return _slogdet(a).sign


def inverse_transpose_a(g: Any, out: Any, a: Any) -> Any:
    """−A⁻ᵀ gᵀ A⁻ᵀ."""
    return -(out @ swap_last(g) @ out)


@primitive(
    vjps={"a": inverse_transpose_a},
    formula=Formula("{a}⁻ᵀ", r"{{{a}}}^{{-\mathsf{{T}}}}", POW, (ATOM,), symbol="⁻ᵀ"),
    samples=_squares,
    hint=_SQUARE,
)
def inverse_transpose(a: Array) -> Array:
    """The gradient of log|det A|: the inverse of the transpose, and inf all over where a matrix is singular.

    a: float (..., n, n).  Returns: the same shape.
    """
    check_square(a)
    singular = (_slogdet(a).sign == 0)[..., None, None]
    inverse = np.linalg.inv(np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a))
    return np.where(singular, np.inf, np.swapaxes(inverse, -1, -2))


def log_abs_det_a(g: Any, out: Any, a: Any) -> Any:
    """g A⁻ᵀ."""
    return as_matrices(g) * inverse_transpose(a)


@primitive(
    vjps={"a": log_abs_det_a},
    formula=Formula("log|det({a})|", r"\log\left|\det\left({a}\right)\right|", symbol="log|det|"),
    samples=_squares,
    hint=_SQUARE,
)
def log_abs_det(a: Array) -> Array:
    """The logarithm of the magnitude of the determinant, where the determinant itself would overflow. Gradient A⁻ᵀ.

    At a singular matrix it is −inf, its slope is infinite, and every element of the gradient is inf.

    a: float (..., n, n).  Returns: float (...).
    """
    check_square(a)
    return _slogdet(a).logabsdet


def slogdet(a: Any) -> SignAndLogarithm:
    """Sign and logarithm of the determinant, as numpy's: `sign * exp(logabsdet)` is det(a), without its overflow.

    The gradient of logabsdet is A⁻ᵀ; sign is piecewise constant and has none. At a singular matrix they are 0 and
    −inf, and every element of the gradient is inf.

    a: float (..., n, n).  Returns: (sign, logabsdet), each float (...).

    >>> slogdet(np.diag([2.0, -0.5])).sign
    np.float64(-1.0)
    """
    return SignAndLogarithm(det_sign(a), log_abs_det(a))
