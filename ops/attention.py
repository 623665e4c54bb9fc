"""Scaled dot-product attention: a mean of values, weighted by how well each key answers the query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import where
from ops.formula import Formula
from ops.linalg import swap_last
from ops.losses import softmax
from ops.primitive import NUMBERS, Array, Saved, sample
from ops.reduce import max as largest
from ops.reduce import sum
from ops.shape import joint_room, room, shape_of
from ops.summing import add_reduce


def scale_of(query: Any, scale: float | None) -> float:
    """What the scores are multiplied by: 1/√E for queries of E numbers, unless it is given."""
    return 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale


def _may_attend(queries: int, keys: int) -> Array:
    """The causal mask: query i may attend to keys 0 to i. It depends on sizes only, so it is a constant."""
    return np.tri(queries, keys, dtype=bool)


def attention_weights(
    query: Any, key: Any, value: Any, mask: Any, *, causal: bool, scale: float | None
) -> Any:
    """softmax(Q Kᵀ · scale + mask) over the keys; 0 in the rows of a query that may attend to no key."""
    scores = query @ swap_last(key) * scale_of(query, scale)
    if causal:
        scores = where(_may_attend(query.shape[-2], key.shape[-2]), scores, -math.inf)
    if not key.shape[-2]:
        return scores  # no keys, no weights
    if _is_open(mask):
        return softmax(scores)
    scores = where(mask, scores, -math.inf) if _is_bool(mask) else scores + mask
    alone = largest(scores, axis=-1, keepdims=True) == -math.inf
    return where(alone, 0.0, softmax(where(alone, 0.0, scores)))


def _is_open(mask: Any) -> bool:
    """Whether a mask is the Python number that changes nothing: True, or 0."""
    return type(mask) in NUMBERS and bool(mask if type(mask) is bool else mask == 0)


def _is_bool(mask: Any) -> bool:
    return type(mask) is bool or (type(mask) not in NUMBERS and mask.dtype.kind == "b")


def attention_parts(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = 0.0,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Scores, mask, softmax, and the weighted mean of the values."""
    _check_shapes(query, key, value)
    return attention_weights(query, key, value, mask, causal=causal, scale=scale) @ value


def attention_rule(
    g: Any,
    out: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    *,
    causal: bool,
    scale: float | None,
    weights: Any,
) -> dict[str, Any]:
    """Cotangents of query, key, value and a mask of numbers. Where a weight is 0, so is what passes through it."""
    by_weight = g @ swap_last(value)
    by_score = weights * (by_weight - sum(weights * by_weight, axis=-1, keepdims=True))
    factor = scale_of(query, scale)
    return {
        "query": by_score @ key * factor,
        "key": swap_last(by_score) @ query * factor,
        "value": swap_last(weights) @ g,
        "mask": by_score,
    }


def _attention_size(query: Any, key: Any, value: Any, mask: Any, **_: Any) -> float:
    """Of the scores, and of what comes of them for every query and key."""
    stack = joint_room(*(shape_of(x)[:-2] for x in (query, key, value, mask)))
    queries, keys = (
        max(pair)
        for pair in zip((query.shape[-2], key.shape[-2]), (1, 1, *shape_of(mask))[-2:], strict=True)
    )
    features = query.shape[-1] + value.shape[-1]
    return stack * (room(queries, keys) + room(queries + keys, features))


def _samples(rng: np.random.Generator) -> list[Any]:
    def draw(*shape: int) -> Array:
        return rng.normal(size=shape)

    partial = np.array([[True, False, True], [False, False, False]])
    return [
        (draw(3, 4), draw(2, 4), draw(2, 3)),
        sample(draw(2, 3, 2), draw(2, 3, 2), draw(2, 3, 1), causal=True),
        (draw(2, 2, 2), draw(3, 2), draw(3, 2), partial),
        sample(draw(2, 2), draw(3, 2), draw(3, 2), draw(2, 1, 3), scale=0.3),
        sample(draw(4, 2), draw(3, 2), draw(3, 2), np.array([True, False, True]), causal=True),
        (draw(2, 2), draw(2, 2), draw(2, 2), False),
        sample(
            np.array([[30.0, 1.0]]), np.array([[30.0, 1.0], [-30.0, 0.0]]), draw(2, 2), scale=1.0
        ),
        (draw(0, 2), draw(3, 2), draw(3, 2)),
        (draw(2, 1), draw(1, 1), draw(1, 2), np.array([[0.0], [-np.inf]])),
    ]


@primitive(
    joint=(attention_rule, ("query", "key", "value", "mask")),
    saves=(Saved("weights", "A", "A", attention_weights),),
    optional={"mask": 0.0},
    formula=Formula(
        "attention({query}, {key}, {value})",
        r"\operatorname{{attention}}\left({query}, {key}, {value}\right)",
        symbol="attention",
    ),
    samples=_samples,
    parts=attention_parts,
    size=_attention_size,
    parts_ulps=16,
    hint="query is (..., L, E), key (..., S, E), value (..., S, Ev), mask broadcasts to (..., L, S)",
)
def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> tuple[Array, dict[str, Array]]:
    """Mean of the values, weighted by softmax(Q Kᵀ/√E + mask) (Vaswani et al. 2017, equation 1).

    A = softmax(Q Kᵀ · scale + mask), y = A V

    query: float (..., L, E). key: float (..., S, E). value: float (..., S, Ev).  Returns: float (..., L, Ev).
    mask: what broadcasts to (..., L, S). Of bools, True says that a query may attend to a key; numbers are added to the
    scores and receive a gradient. causal: query i attends to keys 0 to i only, beside what the mask says.
    scale: 1/√E if not given. As `torch.nn.functional.scaled_dot_product_attention`.

    A query that may attend to no key at all gives 0, and 0 flows back through it, never NaN.
    """
    _check_shapes(query, key, value)
    scores = np.matmul(query, key.swapaxes(-1, -2)) * scale_of(query, scale)
    if causal:
        scores = np.where(_may_attend(*scores.shape[-2:]), scores, -np.inf)
    scores = _masked(scores, mask)
    top = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    scores -= np.where(top == -np.inf, 0, top)
    weights = np.exp(scores, out=scores)
    total = add_reduce(weights, axis=-1, keepdims=True)
    weights /= np.where(total == 0, 1, total)
    return np.matmul(weights, value), {"weights": weights}


def _masked(scores: Array, mask: Any) -> Array:
    """The scores with −inf where a mask of bools forbids to attend, or with a mask of numbers added."""
    if _is_open(mask):
        return scores
    if _is_bool(mask):
        return np.where(mask, scores, -np.inf)
    if type(mask) not in NUMBERS and mask.dtype.kind != "f":
        raise TypeError(f"a mask is of bools (True: may attend) or floats, not {mask.dtype}")
    return scores + mask


def _check_shapes(query: Any, key: Any, value: Any) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        if np.ndim(x) < 2:
            raise ValueError(f"{name} has rank {np.ndim(x)}, but needs at least 2")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"a query has {query.shape[-1]} numbers, a key {key.shape[-1]}: no product of them"
        )
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"there are {key.shape[-2]} keys, but {value.shape[-2]} values")
