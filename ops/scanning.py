"""Running sums and products along an axis, and the product over axes, with gradients that are right around zeros.

No rule here divides by an element: the product of the others is made of the products before and after. So the
gradient of a product with one zero, or two, is exact, and so are its derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ops.axes import axis_of, merged, parted
from ops.copying import pad
from ops.declaring import primitive
from ops.formula import Formula, call
from ops.primitive import Array, sample
from ops.rearranging import flip
from ops.reduce import Axis, spread
from ops.shape import getitem, reshape


def previous(x: Any, axis: int, first: float) -> Any:
    """What stands one place before along an axis; before the first stands a number."""
    one_more = tuple((1, 0) if k == axis else (0, 0) for k in range(x.ndim))
    without_last = (slice(None),) * axis + (slice(0, x.shape[axis]),)
    return getitem(pad(x, one_more, constant_values=first), without_last)


def _runs(rng: np.random.Generator) -> list[Any]:
    return [
        sample(rng.normal(size=(3, 4)), axis=1),
        sample(rng.normal(size=(2, 3, 2)), axis=-2),
        sample(rng.normal(size=(2, 3))),
        sample(np.array([[2.0, 0.0, 3.0, -1.0], [0.0, 1.5, 0.0, 2.0]]), axis=-1),
        sample(rng.normal(size=(0, 3)), axis=0),
        sample(np.float64(2.5)),
    ]


# ----- running sum


def cumsum_x(g: Any, out: Any, x: Any, *, axis: int | None) -> Any:
    """The running sum from the other end: an element is in every later sum."""
    if axis is None:
        return reshape(flip(cumsum(flip(g), axis=0)), shape=x.shape)
    return flip(cumsum(flip(g, axis), axis=axis), axis)


@primitive(
    vjps={"x": cumsum_x},
    formula=call("cumsum", r"\operatorname{cumsum}", symbol="Σ→"),
    samples=_runs,
)
def cumsum(x: Array, *, axis: int | None = None) -> Array:
    """Running sum along an axis; without one, of all elements as one vector."""
    return np.cumsum(_checked(x, axis), axis)


def _checked(x: Array, axis: int | None) -> Array:
    """The array itself. numpy would give a single number an axis."""
    if axis is not None:
        axis_of(axis, np.ndim(x))
    return x


# ----- linear recurrence


def recurrence_values(
    g: Any, out: Any, values: Any, factors: Any, *, axis: int, reverse: bool
) -> Any:
    """The same recurrence run the other way."""
    return linear_recurrence(g, factors, axis=axis, reverse=not reverse)


def recurrence_factors(
    g: Any, out: Any, values: Any, factors: Any, *, axis: int, reverse: bool
) -> Any:
    """What arrived at a value times what the factor multiplied."""
    arrived = linear_recurrence(g, factors, axis=axis, reverse=not reverse)
    if reverse:
        return previous(arrived, axis, 0.0) * out
    return arrived * previous(out, axis, 0.0)


@primitive(
    vjps={"values": recurrence_values, "factors": recurrence_factors},
    formula=Formula(
        "recurrence({values}, {factors})",
        r"\operatorname{{recurrence}}\left({values}, {factors}\right)",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 4)), rng.normal(size=(2, 4)), axis=1),
        sample(rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), axis=0, reverse=True),
        sample(rng.normal(size=4), np.array([1.0, 0.0, 0.0, 2.0]), axis=0),
        sample(rng.normal(size=(0, 2)), rng.normal(size=(0, 2)), axis=0),
    ],
)
def linear_recurrence(values: Array, factors: Array, *, axis: int, reverse: bool = False) -> Array:
    """sᵢ = vᵢ + fᵢ sᵢ₋₁ along an axis, or in reverse sᵢ₋₁ = vᵢ₋₁ + fᵢ sᵢ: fᵢ joins places i−1 and i, and f₀ joins none.

    values, factors: float, of one shape. The two directions are transposes of each other.
    """
    out = np.array(values)
    states, rates = np.moveaxis(out, axis, 0), np.moveaxis(factors, axis, 0)
    if states.size < _FEW * len(states):
        for line in np.ndindex(states.shape[1:]):
            states[:, *line] = _run(states[:, *line], rates[:, *line], reverse)
        return out
    places = range(1, len(states))
    for i in reversed(places) if reverse else places:
        if reverse:
            states[i - 1] += rates[i] * states[i]
        else:
            states[i] += rates[i] * states[i - 1]
    return out


_FEW = 16
"""Fewer lines than that run faster one after the other on Python's numbers than side by side in numpy."""


def _run(values: Array, factors: Array, reverse: bool) -> list[float]:
    """The recurrence along one line."""
    steps = zip(values.tolist(), [0.0, *factors[1:].tolist()], strict=True)
    if reverse:
        steps = zip(values[::-1].tolist(), [0.0, *factors[:0:-1].tolist()], strict=True)
    state, states = 0.0, []
    for value, factor in steps:
        state = value + factor * state
        states.append(state)
    return states[::-1] if reverse else states


# ----- running product


def cumprod_x(g: Any, out: Any, x: Any, *, axis: int | None) -> Any:
    """The product of those before, times the cotangents of this and every later product by what came between."""
    if axis is None:
        line = reshape(x, shape=(x.size,))
        return reshape(cumprod_x(g, out, line, axis=0), shape=x.shape)
    axis = axis_of(axis, x.ndim)
    since = linear_recurrence(g, x, axis=axis, reverse=True)
    return previous(out, axis, 1.0) * since


@primitive(
    vjps={"x": cumprod_x},
    formula=call("cumprod", r"\operatorname{cumprod}", symbol="Π→"),
    samples=_runs,
)
def cumprod(x: Array, *, axis: int | None = None) -> Array:
    """Running product along an axis; without one, of all elements as one vector. Exact gradients around zeros."""
    return np.cumprod(_checked(x, axis), axis)


# ----- product


def prod_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The product of the others: of those before times those after, so that a zero is not divided by."""
    line = merged(x, axis)
    last = line.ndim - 1
    before = previous(cumprod(line, axis=last), last, 1.0)
    after = flip(previous(cumprod(flip(line, last), axis=last), last, 1.0), last)
    return spread(g, x, axis) * parted(before * after, x.shape, axis)


@primitive(
    vjps={"x": prod_x},
    formula=Formula("prod({x})", r"\prod\left({x}\right)", symbol="Π"),
    samples=lambda rng: [
        (rng.normal(size=(2, 3)),),
        sample(rng.normal(size=(2, 3, 2)), axis=1),
        sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True),
        sample(np.array([[2.0, 0.0, 3.0], [0.0, 1.5, 0.0], [0.0, 0.0, 0.0]]), axis=1),
        sample(rng.normal(size=(2, 0)), axis=1),
        sample(np.float64(2.5)),
    ],
)
def prod(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product over axes; 1 of no elements. An element receives the product of the others, also where some are 0."""
    return _multiply_reduce(x, axis=axis, keepdims=keepdims)


_multiply_reduce: Callable[..., Array] = np.multiply.reduce
