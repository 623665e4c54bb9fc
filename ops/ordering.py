"""What depends on the order of elements: sorting and the median, the places of extremes, and whether any or all hold.

A sorted value is a copy of one element, to which its cotangent goes. Equal elements stay in the order in which they
came, so each receives the cotangent of its own place: of a tie, which is a kink, that is one member of the subgradient.
Places and truths are not differentiable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ops.axes import merged, parted
from ops.declaring import primitive
from ops.formula import Formula, call
from ops.picking import scatter_along_axis
from ops.primitive import Array, sample
from ops.reduce import Axis, kept_shape
from ops.shape import broadcast_to, getitem, reshape

# ----- places

_EMPTY = "an empty array has no extreme: check the shape, or leave empty batches out"


def _place(name: str, find: Callable[..., Any]) -> Any:
    def kernel(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
        return find(x, axis=axis, keepdims=keepdims)

    extreme = "largest" if name == "argmax" else "smallest"
    kernel.__doc__ = (
        f"Index of the {extreme} element along an axis, of ties the first, or of the first NaN; without an axis, "
        f"counted through all elements. Not differentiable."
    )
    declare = primitive(
        name=name,
        formula=call(name, rf"\arg\{name[3:]}"),
        samples=lambda rng: [
            (rng.normal(size=(3, 4)),),
            sample(rng.normal(size=(2, 3, 2)), axis=1),
            sample(np.array([[1.0, 3.0, 3.0], [0.0, 0.0, 2.0]]), axis=-1, keepdims=True),
            sample(rng.normal(size=(0, 3)), axis=1),
            sample(np.float64(2.5)),
        ],
        hint=_EMPTY,
    )
    return declare(kernel)


argmax = _place("argmax", np.argmax)
argmin = _place("argmin", np.argmin)


# ----- truths


def _truth(name: str, word: str, symbol: str, tex: str, hold: Callable[..., Any]) -> Any:
    def kernel(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return hold(x, axis=axis, keepdims=keepdims)

    nothing = "False" if name == "any" else "True"
    kernel.__doc__ = (
        f"Whether {word} element over axes is true, that is, not 0; of no elements, {nothing}. "
        f"Not differentiable."
    )
    declare = primitive(
        name=name,
        formula=call(name, tex, symbol=symbol),
        samples=lambda rng: [
            (rng.normal(size=(2, 3)) > 0,),
            sample(rng.normal(size=(2, 3, 2)) > 0, axis=(0, -1), keepdims=True),
            sample(np.array([[0.0, 1.0], [0.0, 0.0], [2.0, np.nan]]), axis=1),
            sample(np.empty((2, 0)), axis=1),
            sample(np.float64(0.0)),
        ],
    )
    return declare(kernel)


any = _truth("any", "any", "∃", r"\exists", np.any)
all = _truth("all", "every", "∀", r"\forall", np.all)


# ----- sorting


def _lines(rng: np.random.Generator) -> list[Any]:
    return [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(3, 2, 2)), axis=0),
        sample(rng.normal(size=(2, 3)), axis=None),
        sample(np.array([[2.0, 1.0, 2.0, 3.0], [0.5, 0.5, -1.0, 0.0]])),
        (rng.normal(size=(0, 3)),),
    ]


@primitive(formula=call("argsort", r"\operatorname{argsort}"), samples=_lines)
def argsort(x: Array, *, axis: int | None = -1) -> Array:
    """The order that sorts along an axis: `take_along_axis(x, argsort(x))` is `sort(x)`. Not differentiable.

    Equal elements keep their order, and NaN comes last. axis=None takes all elements as one vector.
    """
    return np.argsort(x, axis=axis, kind="stable")


def sort_x(g: Any, out: Any, x: Any, *, axis: int | None) -> Any:
    """The cotangents, put back where the sorted elements came from."""
    if axis is None:
        line = reshape(x, shape=(x.size,))
        return reshape(sort_x(g, out, line, axis=0), shape=x.shape)
    order = argsort(x, axis=axis)
    return scatter_along_axis(g, order, axis=axis, shape=x.shape)


@primitive(vjps={"x": sort_x}, formula=call("sort", r"\operatorname{sort}"), samples=_lines)
def sort(x: Array, *, axis: int | None = -1) -> Array:
    """Elements in rising order along an axis, NaN last; axis=None takes all elements as one vector.

    Each element receives the cotangent of the place that it goes to. Equal ones keep their order.
    """
    return np.sort(x, axis=axis, kind="stable")


def median_x(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """All to the middle element; of an even number, half to each of the two."""
    line = merged(x, axis)
    *rest, size = line.shape
    if not size:
        return reshape(line, shape=x.shape)
    first, last = (size - 1) // 2, size // 2
    middle = getitem(argsort(line), (Ellipsis, slice(first, last + 1)))
    share = broadcast_to(reshape(g / (last - first + 1), shape=(*rest, 1)), shape=middle.shape)
    return parted(scatter_along_axis(share, middle, axis=-1, shape=line.shape), x.shape, axis)


@primitive(
    vjps={"x": median_x},
    formula=Formula("median({x})", r"\operatorname{{median}}\left({x}\right)"),
    samples=lambda rng: [
        (rng.normal(size=(3, 3)),),
        sample(rng.normal(size=(2, 4)), axis=1),
        sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True),
        sample(np.array([[2.0, 1.0, 2.0, 0.5, 5.0], [0.5, 0.5, -1.0, 3.0, 2.0]]), axis=1),
        sample(np.array([1.0, 3.0, 3.0, 1.0])),
        sample(rng.normal(size=(0, 3)), axis=1),
        sample(np.float64(2.5)),
    ],
)
def median(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The middle element over axes; of an even number, the mean of the two, as numpy (PyTorch takes the lower).

    It receives the cotangent, each of two its half; of equal elements the one that a stable sort puts there. NaN where
    one is NaN, and of no elements.
    """
    line = merged(np.asarray(x), axis)
    size = line.shape[-1]
    if size:
        ordered = np.partition(line, sorted({(size - 1) // 2, size // 2, size - 1}), axis=-1)
        middle = (ordered[..., (size - 1) // 2] + ordered[..., size // 2]) / 2
        out = np.where(np.isnan(ordered[..., -1]), np.nan, middle).astype(middle.dtype)
    else:
        out = np.full(line.shape[:-1], np.nan, dtype=np.result_type(line, np.float32))
    return out.reshape(kept_shape(np.shape(x), axis)) if keepdims else out
