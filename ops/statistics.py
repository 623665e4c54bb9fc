"""Variance, standard deviation, norm and log-sum-exp over axes, as numpy has them: `ddof` is 0 unless given.

`var` and `std` are functions around primitives of their names, since numpy calls one parameter by two names.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import abs as magnitude
from ops.elementwise import astype, exp, log, not_equal, sign, square, where
from ops.formula import Formula, call
from ops.primitive import Array, Saved, sample
from ops.reduce import Axis, deviations, mean, spread, sum
from ops.reduce import max as largest
from ops.summing import total

INF = math.inf


def _floating(x: Array) -> Array:
    """Integers and truths as float64."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


# ----- variance and standard deviation


def freedom(x: Any, out: Any, ddof: float) -> float:
    """By what a sum of squares is divided: m − ddof for m elements, never below 0, where numpy's quotient is NaN."""
    m = x.size // out.size if out.size else 1
    return max(m - ddof, 0) or math.nan


def centre(x: Any, *, axis: Axis, ddof: float, keepdims: bool) -> Any:
    """The mean, with the axes kept."""
    return mean(x, axis=axis, keepdims=True)


def _spreads(rng: np.random.Generator) -> list[Any]:
    return [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True),
        sample(rng.normal(size=(3, 2)) * 3 + 1, axis=0, ddof=1),
        sample(np.array([[2.0, 2.0, 2.0], [0.5, 1.0, -3.0]]), axis=1),
        sample(np.float64(2.5)),
        sample(rng.normal(size=(0, 3)), axis=1),
    ]


def var_parts(x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The mean, the deviations from it, their squares, and the sum of these over m − ddof."""
    deviation = x - mean(x, axis=axis, keepdims=True)
    squares = sum(square(deviation), axis=axis, keepdims=keepdims)
    return squares / freedom(x, squares, ddof)


def var_x(g: Any, out: Any, x: Any, *, axis: Axis, ddof: float, keepdims: bool, mean: Any) -> Any:
    """2 (x − μ) / (m − ddof): the way through the mean adds nothing, as deviations sum to 0."""
    return spread(g * (2 / freedom(x, out, ddof)), x, axis) * (x - mean)


@primitive(
    vjps={"x": var_x},
    saves=(Saved("mean", "μ", r"\mu", centre),),
    formula=call("var", r"\operatorname{Var}", symbol="σ²"),
    samples=_spreads,
    parts=var_parts,
    parts_ulps=16,
    name="var",
)
def _var(
    x: Array, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> tuple[Array, dict[str, Array]]:
    """Variance over axes of m elements: Σ (x − μ)² / (m − ddof), in two passes; NaN where m is not above ddof.

    ddof=0 divides by m, as numpy does; ddof=1 by m − 1, as PyTorch does.
    """
    _, mu, squares = deviations(x, axis)
    found = squares / freedom(x, squares, ddof)
    return found if keepdims else np.squeeze(found, axis), {"mean": mu}


def std_parts(x: Any, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The length of the vector of deviations over √(m − ddof)."""
    length = norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)
    return length / math.sqrt(freedom(x, length, ddof))


def std_x(g: Any, out: Any, x: Any, *, axis: Axis, ddof: float, keepdims: bool, mean: Any) -> Any:
    """(x − μ) / ((m − ddof) σ), and 0 where all elements are equal."""
    slope = g / (where(out == 0, 1, out) * freedom(x, out, ddof))
    return spread(slope, x, axis) * (x - mean)


@primitive(
    vjps={"x": std_x},
    saves=(Saved("mean", "μ", r"\mu", centre),),
    formula=call("std", r"\operatorname{std}", symbol="σ"),
    samples=_spreads,
    parts=std_parts,
    parts_ulps=16,
    name="std",
)
def _std(
    x: Array, *, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> tuple[Array, dict[str, Array]]:
    """Standard deviation over axes of m elements: √(Σ (x − μ)² / (m − ddof)); NaN where m is not above ddof.

    ddof=0 divides by m, as numpy does; ddof=1 by m − 1, as PyTorch does. Where all elements are equal, which is a kink,
    the cotangent is 0.
    """
    variance, saved = _var.kernel(x, axis=axis, ddof=ddof, keepdims=keepdims)
    return np.sqrt(variance), saved


def var(
    x: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
    **unknown: Any,
) -> Any:
    """Variance over axes of m elements: Σ (x − μ)² / (m − ddof).

    correction: numpy's newer name of ddof, and PyTorch's, where it is 1 if not given.

    >>> var([1.0, 2.0, 6.0]), var([1.0, 2.0, 6.0], correction=1)
    (np.float64(4.666666666666667), np.float64(7.0))
    """
    ddof = ddof if correction is None else correction
    return _var(x, axis=axis, ddof=ddof, keepdims=keepdims, **unknown)


def std(
    x: Any,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
    **unknown: Any,
) -> Any:
    """Standard deviation over axes of m elements: √(Σ (x − μ)² / (m − ddof)).

    correction: numpy's newer name of ddof, and PyTorch's, where it is 1 if not given.

    >>> std([[1.0, 3.0], [5.0, 5.0]], axis=1)
    array([1., 0.])
    """
    ddof = ddof if correction is None else correction
    return _std(x, axis=axis, ddof=ddof, keepdims=keepdims, **unknown)


# ----- norms


def norm_x(g: Any, out: Any, x: Any, *, ord: float | str | None, axis: Axis, keepdims: bool) -> Any:
    """sign(x) (|x| / ‖x‖)^(p−1); for p = 2 that is x / ‖x‖."""
    length = where(out == 0, 1, out)  # at the origin x is 0 too, and so is the quotient
    if ord in (None, 2, "fro"):
        return x * spread(g / length, x, axis)
    if ord == 1:
        return sign(x) * spread(g, x, axis)
    if ord in (INF, -INF):
        others = not_equal(magnitude(x), spread(out, x, axis))
        ties = sum(where(others, 0, 1), axis=axis, keepdims=True)
        share = sign(x) * spread(g, x, axis) / astype(ties, dtype=g.dtype.name)
        return where(others, 0, share)
    ratio = where(x == 0, 1, magnitude(x)) / spread(length, x, axis)
    return where(x == 0, 0, sign(x) * ratio ** (float(ord) - 1) * spread(g, x, axis))


@primitive(
    vjps={"x": norm_x},
    formula=call("norm", r"\operatorname{norm}", symbol="‖x‖"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True),
        sample(np.array([[0.0, 0.0], [3.0, -4.0]]), axis=1),
        sample(rng.normal(size=(3, 2)), ord=1, axis=0),
        sample(np.array([1.5, 0.0, -2.0]), ord=1),
        sample(rng.normal(size=(2, 3)), ord=INF, axis=1, keepdims=True),
        sample(np.array([2.0, -2.0, 1.0]), ord=INF),
        sample(rng.normal(size=(2, 3)), ord=-INF, axis=-1),
        sample(rng.normal(size=(2, 3)), ord=3, axis=1),
        sample(rng.normal(size=4), ord=1.5),
        sample(np.float64(-2.0)),
        sample(np.empty((0, 3))),
    ],
    hint="norm(x.reshape(-1), ord=...) for the norm of all elements as one vector, or axis=",
)
def norm(
    x: Array, *, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Array:
    """Length of vectors along axes: (Σ |x|^p)^(1/p) for ord=p, as `np.linalg.norm`.

    ord: None or 2 for √(Σ x²), over any axes ("fro" says the same of a matrix); 1 for Σ |x|; inf and −inf for the
    largest and smallest magnitude, of which ties share the cotangent equally; any other number but 0. But for the
    first, a single axis, or none for a vector: over two axes numpy means norms of a matrix, which are not offered.
    At a kink, where x (of 2: the whole vector) is 0, the cotangent is 0.
    """
    _check_order(ord, np.ndim(x) if axis is None else np.size(axis))
    x = _floating(x)
    if ord in (None, 2, "fro"):
        return np.sqrt(total(np.square(x), axis, keepdims))
    size = np.abs(x)
    if ord in (INF, -INF):
        extreme = np.max if ord == INF else np.min
        return extreme(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return total(size, axis, keepdims)
    p = float(ord)
    return total(size**p, axis, keepdims) ** (1 / p)


def _check_order(ord: Any, axes: int) -> None:
    if ord is None or (ord == "fro" and axes == 2):
        return
    if not isinstance(ord, (int, float)) or ord == 0 or ord != ord:
        raise ValueError(f"ord is None, 'fro', inf, -inf or a number that is not 0, not {ord!r}")
    if axes > 1:
        raise ValueError(f"ord={ord} over {axes} axes is a norm of matrices, which is not offered")


# ----- log-sum-exp


def logsumexp_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The softmax of x; 0 where all elements are −inf."""
    level = where(out > -INF, out, 0)
    return spread(g, x, axis) * exp(x - spread(level, x, axis))


def logsumexp_parts(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element is taken out of the exponentials and added to the logarithm of their sum."""
    top = largest(x, axis=axis, keepdims=keepdims)
    level = where(top > -INF, top, 0)
    return log(sum(exp(x - spread(level, x, axis)), axis=axis, keepdims=keepdims)) + level


@primitive(
    vjps={"x": logsumexp_x},
    formula=Formula("logsumexp({x})", r"\log\sum\exp\left({x}\right)", symbol="log Σ exp"),
    samples=lambda rng: [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True),
        sample(np.array([[1000.0, 999.0], [-1000.0, 0.0], [3.0, 3.0]]), axis=1),
        sample(np.array([-INF, 0.5, 1.0])),
        sample(np.float64(2.5)),
        sample(rng.normal(size=(0, 3)), axis=1),
    ],
    parts=logsumexp_parts,
    parts_ulps=1024,  # exp(x − out) feels the rounding of out, which is of the size of x
)
def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """log Σ eˣ over axes, without overflow: the largest element is taken out first. −inf for no elements.

    Its derivative is the softmax of x; elements of −inf receive 0, also where there are no others.
    """
    x = _floating(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-INF)
    top = np.where(np.isfinite(top), top, 0)
    whole = total(np.exp(x - top), axis, keepdims)
    return np.log(whole) + top.reshape(np.shape(whole))
