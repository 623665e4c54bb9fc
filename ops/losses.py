"""Softmax and one-hot: what the losses of classifiers are made of. The losses load when one of them is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import exp, log
from ops.formula import Formula
from ops.primitive import Array, sample
from ops.reduce import max as largest
from ops.reduce import sum
from ops.shape import room, shape_of
from ops.summing import add_reduce


def softmax_parts(x: Any, *, axis: int = -1) -> Any:
    """The shift by the largest element, the exponentials, their share."""
    shifted = x - largest(x, axis=axis, keepdims=True) if x.size else x
    exponential = exp(shifted)
    return exponential / sum(exponential, axis=axis, keepdims=True)


def _below_top(x: Array, axis: int) -> Array:
    """x less its largest element along an axis, so that no exponential overflows; of no elements there is none."""
    return x - np.max(x, axis=axis, keepdims=True) if x.size else x


def _logits(rng: np.random.Generator) -> list[Any]:
    return [
        (rng.normal(size=(3, 4)),),
        sample(rng.normal(size=(3, 4)), axis=0),
        (np.array([1000.0, 999.0, -1000.0]),),
    ]


@primitive(
    vjps={"x": lambda g, out, x, *, axis: out * (g - sum(g * out, axis=axis, keepdims=True))},
    formula=Formula("softmax({x})", r"\operatorname{{softmax}}\left({x}\right)", symbol="softmax"),
    samples=_logits,
    parts=softmax_parts,
)
def softmax(x: Array, *, axis: int = -1) -> Array:
    """Shares that sum to 1 along an axis: eˣ / Σ eˣ. Its Jacobian is diag(s) − s sᵀ."""
    exponential = np.exp(_below_top(x, axis))
    return exponential / add_reduce(exponential, axis=axis, keepdims=True)


def log_softmax_parts(x: Any, *, axis: int = -1) -> Any:
    """The shift by the largest element, and the logarithm of the sum of exponentials."""
    shifted = x - largest(x, axis=axis, keepdims=True) if x.size else x
    return shifted - log(sum(exp(shifted), axis=axis, keepdims=True))


@primitive(
    vjps={"x": lambda g, out, x, *, axis: g - exp(out) * sum(g, axis=axis, keepdims=True)},
    formula=Formula(
        "log_softmax({x})", r"\log\operatorname{{softmax}}\left({x}\right)", symbol="log softmax"
    ),
    samples=_logits,
    parts=log_softmax_parts,
)
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """Logarithm of softmax along an axis, exact also where the share underflows."""
    shifted = _below_top(x, axis)
    return shifted - np.log(add_reduce(np.exp(shifted), axis=axis, keepdims=True))


@primitive(
    formula=Formula("onehot({x})", r"\operatorname{{onehot}}\left({x}\right)", symbol="onehot"),
    samples=lambda rng: [
        sample(np.array([2, 0]), classes=3),
        sample(np.int64(1), classes=2),
        sample(np.empty((0, 2), dtype=int), classes=3),
        sample(np.array([[2, -1], [0, 1]]), classes=3, axis=1, ignore_index=-1),
    ],
    size=lambda x, *, classes, **_: room(*shape_of(x), classes),
)
def one_hot(x: Array, *, classes: int, axis: int = -1, ignore_index: int = -100) -> Array:
    """True at the class, False elsewhere: int (...) to bool (..., classes). Not differentiable.

    axis: where the axis of classes is put. ignore_index: what stands for no class at all, as in the losses; all False.
    Raises `TypeError` for classes that are not integers, `ValueError` for one outside 0 to classes − 1.
    """
    x = class_numbers(x, classes, ignore_index)[..., None]
    picked = np.arange(classes) == x
    if 0 <= ignore_index < classes:
        picked &= x != ignore_index
    return picked if axis == -1 else np.moveaxis(picked, -1, axis)


def class_numbers(x: Any, count: int, ignore_index: int) -> Array:
    """Class numbers as an integer array, each in [0, count) or the one to ignore."""
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"classes are integers, not {x.dtype}")
    if x.size and not (x.min() >= 0 and x.max() < count):
        wrong = x[((x < 0) | (x >= count)) & (x != ignore_index)]
        if wrong.size:
            raise ValueError(
                f"class {wrong.flat[0]} lies outside the {count} classes, 0 to {count - 1}"
            )
    return x
