"""Embedding: rows of a table picked by whole numbers, such as the vectors of words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.declaring import primitive
from ops.elementwise import detach, not_equal, where
from ops.formula import ATOM, Formula
from ops.losses import one_hot
from ops.primitive import Array, sample
from ops.shape import Shape, reshape, room, shape_of


def embedding_parts(indices: Any, weight: Any, *, padding_idx: int | None = None) -> Any:
    """The one-hot rows of the indices times the table: what an embedding is. The row of the padding is detached."""
    rows = weight.shape[0]
    if padding_idx is not None:
        padding = one_hot(padding_idx % rows, classes=rows)
        weight = where(reshape(padding, shape=(rows, 1)), detach(weight), weight)
    return one_hot(indices, classes=rows) @ weight


def embedding_weight(
    g: Any, out: Any, indices: Any, weight: Any, *, padding_idx: int | None
) -> Any:
    """Each row of the table receives the sum over the places that picked it; the row of the padding receives 0."""
    if padding_idx is not None:
        counts = not_equal(indices, padding_idx % weight.shape[0])
        g = where(reshape(counts, shape=(*shape_of(indices), 1)), g, 0)
    return add_rows(g, indices, shape=weight.shape)


@primitive(
    vjps={"weight": embedding_weight},
    formula=Formula(
        "{weight}[{indices}]", r"{weight}\left[{indices}\right]", needs=(0, ATOM), symbol="embed"
    ),
    samples=lambda rng: [
        (np.array([[2, 0, 2], [3, 2, 0]]), rng.normal(size=(4, 3))),
        (np.int64(1), rng.normal(size=(3, 2))),
        (2, rng.normal(size=(3, 2))),
        (np.empty((0, 2), dtype=int), rng.normal(size=(2, 3))),
        (np.array([1, 1, 0], dtype=np.uint8), rng.normal(size=(2, 1))),
        # a padding that is picked has another gradient than the derivative, so here it is not
        sample(np.array([1, 2, 1]), rng.normal(size=(3, 2)), padding_idx=0),
        sample(1, rng.normal(size=(3, 2)), padding_idx=-1),
    ],
    parts=embedding_parts,
    size=lambda indices, weight, **_: room(*shape_of(indices), weight.shape[-1]),
    parts_size=lambda indices, weight, **_: room(*shape_of(indices), sum(weight.shape)),
    hint="weight is (rows, features); the indices are integers from 0 to rows − 1",
)
def embedding(indices: Array, weight: Array, *, padding_idx: int | None = None) -> Array:
    """The rows of a table at some indices, as `torch.nn.functional.embedding`.

    y[..., :] = weight[indices[...], :], which is onehot(indices) @ weight without the product. A row that is picked k
    times receives k flows. The row `padding_idx` is picked like any other, but receives 0: training leaves it as it is.

    indices: int, any shape (...). weight: float (rows, features).  Returns: float (..., features).
    Raises `TypeError` for indices that are not integers, `ValueError` for one outside 0 to rows − 1.
    """
    rows = _check_table(weight, padding_idx)
    return weight.take(checked_indices(indices, rows), axis=0)


def _check_table(weight: Array, padding_idx: int | None) -> int:
    """The number of rows of a table; complains of what is none, and of a padding that lies outside."""
    if np.ndim(weight) != 2:
        raise ValueError(f"weight has rank {np.ndim(weight)}, but a table has 2: (rows, features)")
    rows = len(weight)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(f"padding_idx {padding_idx} lies outside the {rows} rows")
    return rows


def checked_indices(indices: Array, rows: int) -> Array:
    """The indices as an array of integers, each in [0, rows): negative ones would count from the end unnoticed."""
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices are integers, not {indices.dtype}")
    if indices.size and not (indices.min() >= 0 and indices.max() < rows):
        wrong = indices[(indices < 0) | (indices >= rows)].flat[0]
        raise ValueError(f"index {wrong} lies outside the {rows} rows, 0 to {rows - 1}")
    return indices


@primitive(
    vjps={"values": lambda g, out, values, indices, *, shape: embedding(indices, g)},
    formula=Formula(
        "add_rows({values}, {indices})",
        r"\operatorname{{add\_rows}}\left({values}, {indices}\right)",
        symbol="Σ rows",
    ),
    samples=lambda rng: [
        sample(rng.normal(size=(2, 3, 2)), np.array([[2, 0, 2], [3, 2, 0]]), shape=(4, 2)),
        sample(rng.normal(size=3), np.int64(1), shape=(2, 3)),
        sample(rng.normal(size=3), 1, shape=(2, 3)),
        sample(np.empty((0, 2)), np.empty(0, dtype=int), shape=(3, 2)),
    ],
    size=lambda values, indices, *, shape: room(*shape) + room(*shape_of(indices), shape[-1]),
)
def add_rows(values: Array, indices: Array, *, shape: Shape) -> Array:
    """Zeros of a shape, with each row of values added to the row that its index names: the transpose of embedding.

    values: float (..., features). indices: int (...). shape: (rows, features).  Returns: float (rows, features).
    Rows are added in the order in which they stand, in float64, and rounded once.
    """
    rows, features = shape
    indices = checked_indices(indices, rows).astype(np.intp, copy=False)
    if values.shape != (*indices.shape, features):
        raise ValueError(f"indices {indices.shape} name no rows of values {values.shape}")
    # one bin for each element of the table: four times faster than np.add.at on whole rows
    bins = indices.reshape(-1, 1) * features + np.arange(features)
    sums = np.bincount(bins.ravel(), values.ravel(), minlength=math.prod(shape))
    return sums.reshape(shape).astype(values.dtype, copy=False)
