"""Sums, means and maxima over axes: `axis` is None, an int or a tuple; `keepdims` leaves axes of size 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import astype, where
from ops.formula import Formula, call
from ops.primitive import Array, Rule, sample
from ops.shape import broadcast_to, reshape
from ops.summing import total

Axis = int | tuple[int, ...] | None


def kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape of a reduction with `keepdims`: (3, 4) over axis 0 becomes (1, 4).

    >>> kept_shape((3, 4), 0), kept_shape((3, 4), None)
    ((1, 4), (1, 1))
    """
    if axis is None:
        return (1,) * len(shape)
    axes = {a % (len(shape) or 1) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if k in axes else size for k, size in enumerate(shape))


def spread(reduced: Any, x: Any, axis: Axis) -> Any:
    """A reduced value, broadcast back over the axes that were reduced."""
    if x.ndim == 0:
        return reduced
    return broadcast_to(reshape(reduced, shape=kept_shape(x.shape, axis)), shape=x.shape)


def _samples(rng: np.random.Generator) -> list[Any]:
    x = rng.normal(size=(2, 3, 4))
    return [
        (x,),
        sample(x, axis=1),
        sample(x, axis=(0, -1), keepdims=True),
        sample(rng.normal(size=3), axis=0),
        sample(np.float64(2.5)),
    ]


@primitive(
    vjps={"x": lambda g, out, x, *, axis, keepdims: spread(g, x, axis)},
    formula=Formula("sum({x})", r"\sum\left({x}\right)", symbol="Σ"),
    samples=lambda rng: [*_samples(rng), (np.empty((0, 3)),)],
)
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over axes. Every summed element receives the whole cotangent."""
    return total(x, axis, keepdims)


def mean_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """Every element receives its share, 1/m of the cotangent."""
    m = x.size // out.size if out.size else 1
    return spread(g / m, x, axis)


@primitive(
    vjps={"x": mean_x},
    formula=call("mean", r"\operatorname{mean}"),
    samples=lambda rng: [
        *_samples(rng),
        sample(rng.normal(size=(2, 0)), axis=0),
        sample(rng.normal(size=(0, 2)), axis=1),
    ],
)
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Mean over axes of m elements; NaN where m is 0. Every element receives 1/m of the cotangent."""
    whole = total(x, axis, keepdims)
    return whole / (x.size // whole.size if whole.size else 1)


SHOWS = 3e-5
"""From which part of a standard deviation on an error of the mean is taken out again."""


def deviations(x: Array, axis: Axis) -> tuple[Array, Array, Array]:
    """x less its mean over axes, that mean, and the sum of the squares of what is left, both with the axes kept.

    What is left of float32 may have a mean of its own, by which the first was rounded; it is taken out too where it
    shows: beside a mean of 1e4, which float32 holds to a thousandth, a deviation of 1 keeps all its digits.
    """
    mu = mean.kernel(x, axis=axis, keepdims=True)
    away = x - mu
    squares = total(np.square(away), axis, keepdims=True)
    if away.dtype.char == "f" and squares.size:
        rest = mean.kernel(away, axis=axis, keepdims=True)
        if (np.square(rest) * (x.size // squares.size) > SHOWS**2 * squares).any():
            away -= rest
            mu = mu + rest
            squares = total(np.square(away), axis, keepdims=True)
    return away, mu, squares


def max_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The elements that are not smaller than the largest share the cotangent equally; the others receive 0."""
    smaller = x < spread(out, x, axis)
    ties = sum(where(smaller, 0, 1), axis=axis, keepdims=keepdims)
    return where(smaller, 0, spread(g / astype(ties, dtype=g.dtype.name), x, axis))


def min_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The elements that are not larger than the smallest share the cotangent equally; the others receive 0."""
    larger = x > spread(out, x, axis)
    ties = sum(where(larger, 0, 1), axis=axis, keepdims=keepdims)
    return where(larger, 0, spread(g / astype(ties, dtype=g.dtype.name), x, axis))


def _extreme(name: str, reduce: Callable[..., Any], rule: Rule) -> Any:
    return primitive(
        vjps={"x": rule},
        formula=call(name, f"\\{name}"),
        samples=lambda rng: [
            *_samples(rng),
            sample(np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 0.0]]), axis=1),
            sample(rng.normal(size=(0, 3)), axis=1),
        ],
        hint="an empty array has no extreme: check the shape, or leave empty batches out",
        name=name,
        kernel=reduce,
    )


def _max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element over axes. It receives the cotangent; ties, or all where one is NaN, share it equally."""


def _min(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest element over axes. It receives the cotangent; ties, or all where one is NaN, share it equally."""


max = _extreme("max", np.maximum.reduce, max_x)(_max)
min = _extreme("min", np.minimum.reduce, min_x)(_min)
