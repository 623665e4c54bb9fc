"""The scatter of an embedding's cotangents: row by row, where numpy needs a bin for every element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ops.embeddings import checked_indices, embedding
from ops.kernels.acceleration import Acceleration
from ops.kernels.compiling import jit

Array = Any

_FLOATS = (np.float32, np.float64)


@jit
def _by_row(indices: Array, first: Array, places: Array) -> None:
    """Sort the places by the row that they name, in order within a row.

    indices: int (n,). first: int (rows + 1,), zeros; then the places of row r are places[first[r]:first[r + 1]].
    places: int (n,), overwritten.
    """
    rows = first.size - 1
    for n in range(indices.size):
        first[indices[n] + 1] += 1
    for row in range(rows):
        first[row + 1] += first[row]
    for n in range(indices.size):
        row = indices[n]
        places[first[row]] = n
        first[row] += 1
    for row in range(rows, 0, -1):  # every start has moved to the next one's
        first[row] = first[row - 1]
    first[0] = 0


@jit
def _scatter(
    values: Array, first: Array, places: Array, padding: int, total: Array, sums: Array
) -> None:
    """Sum the rows of values that belong to each row, the padding's left out.

    values: float (n, features). first, places: see `_by_row`. padding: a row, or −1. total: float64 (features,),
    overwritten. sums: float (rows, features); rows that nobody names are left as they are.
    """
    for row in range(first.size - 1):
        if first[row] == first[row + 1] or row == padding:
            continue
        total[:] = 0
        for at in range(first[row], first[row + 1]):
            n = places[at]
            for k in range(total.size):
                total[k] += values[n, k]
        for k in range(total.size):
            sums[row, k] = total[k]


def scattered(values: Array, indices: Array, shape: tuple[int, ...], padding: int = -1) -> Array:
    """Rows of values summed by index, in order and in float64, rounded once: the same bits as the definition.

    Only the rows that are named are touched: of a large table, those are few.
    """
    sums = np.zeros(shape, values.dtype)
    flat = np.ascontiguousarray(indices, np.intp).reshape(-1)
    rows = np.ascontiguousarray(values).reshape(flat.size, shape[1])
    first, places = np.zeros(shape[0] + 1, np.intp), np.empty(flat.size, np.intp)
    _by_row(flat, first, places)
    _scatter(rows, first, places, padding, np.empty(shape[1]), sums)
    return sums


def _fits_embedding(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    indices, weight = inputs
    return (
        isinstance(indices, np.ndarray)
        and isinstance(weight, np.ndarray)
        and weight.ndim == 2
        and weight.dtype in _FLOATS
        and indices.dtype.kind in "iu"
    )


def _pull_embedding(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    indices, weight = inputs
    if not wanted[1]:
        return [None, None]
    padding = params["padding_idx"]
    row = -1 if padding is None else padding % len(weight)
    return [None, scattered(g, indices, weight.shape, row)]


def _fits_add_rows(inputs: Sequence[Any], params: Mapping[str, Any]) -> bool:
    values, indices = inputs
    return (
        isinstance(values, np.ndarray)
        and isinstance(indices, np.ndarray)
        and values.dtype in _FLOATS
        and indices.dtype.kind in "iu"
        and values.shape == (*indices.shape, params["shape"][1])
    )


def _add_rows(values: Array, indices: Array, *, shape: tuple[int, ...]) -> Array:
    return scattered(values, checked_indices(indices, shape[0]), shape)


def _pull_add_rows(
    g: Array,
    out: Array,
    inputs: Sequence[Any],
    wanted: Sequence[bool],
    params: Mapping[str, Any],
    saved: Mapping[str, Any],
) -> list[Any]:
    return [g.take(inputs[1], axis=0) if wanted[0] else None, None]


ACCELERATIONS = {
    "add_rows": Acceleration(_fits_add_rows, _add_rows, _pull_add_rows, ulps=0),
    "embedding": Acceleration(_fits_embedding, embedding.kernel, _pull_embedding, ulps=0),
}
