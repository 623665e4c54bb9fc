"""What the kernels of products are tested on: odd shapes, transposed operands, stacks and sums of them, splits of k."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ops.cuda.kernel import Kernel, Launch, Trial
from ops.cuda.products.kernels import build_add_splits, build_product, build_small_product

Array = Any
Rng = np.random.Generator


class Case(NamedTuple):
    """A product of `stack` pairs of matrices (rows, k) and (k, columns), and which matrices are paired."""

    rows: int
    k: int
    columns: int
    transposed: str = ""
    """Which operands lie transposed: letters a and b."""
    stack: int = 1
    left: tuple[int, int, int] = (1, 1, 0)
    right: tuple[int, int, int] = (1, 1, 0)
    summed: int = 1
    splits: int = 1


CASES = (
    Case(0, 3, 2),
    Case(1, 1, 1),
    Case(3, 0, 2),
    Case(1, 33, 1),
    Case(5, 7, 9),
    Case(9, 17, 4, "a"),
    Case(4, 9, 11, "b"),
    Case(7, 8, 3, "ab"),
    Case(2, 9, 3, stack=4, left=(2, 2, 0), right=(1, 2, 0)),
    Case(2, 3, 3, stack=4, left=(1, 2, 0), right=(2, 2, 0)),
    Case(3, 10, 5, "b", stack=2, left=(1, 2, 2), right=(1, 2, 2), summed=3),
)
SPLIT = (
    Case(3, 33, 2, "a", splits=3),
    Case(2, 9, 3, stack=2, left=(1, 2, 2), right=(1, 2, 2), summed=3, splits=2),
)
DEPTH = 8
"""Of the tiles on trial: so that 9 and 17 reach over the end, and 33 takes five."""


def _matrices(case: Case) -> list[tuple[list[int], list[int]]]:
    """For every matrix of the stack, the numbers of the matrices of a and of b that it sums the products of."""
    found = []
    for s in range(case.stack):
        pair = []
        for every, count, step in (case.left, case.right):
            pair.append([s // every % count + n * step for n in range(case.summed)])
        found.append((pair[0], pair[1]))
    return found


def _expected(a: Array, b: Array, case: Case) -> Array:
    """Each split's part of the sum over all matrices and all k, one chain that is cut after whole tiles."""
    out = np.zeros((case.splits, case.stack, case.rows, case.columns))
    steps = -(-case.k // DEPTH)
    for s, (left, right) in enumerate(_matrices(case)):
        for step in range(case.summed * steps):
            n, k = step // steps, slice(step % steps * DEPTH, (step % steps + 1) * DEPTH)
            split = next(
                p for p in range(case.splits) if step < case.summed * steps * (p + 1) // case.splits
            )
            out[split, s] += a[left[n]][:, k] @ b[right[n]][k]
    return out


def _products(cases: tuple[Case, ...], **tile: Any) -> Any:
    def trials(rng: Rng, T: Any) -> Iterator[Trial]:
        for case in cases:
            many = [1 + max(n for pair in _matrices(case) for n in pair[i]) for i in (0, 1)]
            a = rng.normal(size=(many[0], case.rows, case.k)).astype(T)
            b = rng.normal(size=(many[1], case.k, case.columns)).astype(T)
            ta, tb = "a" in case.transposed, "b" in case.transposed
            shape = (case.splits, case.stack, case.rows, case.columns)
            yield Trial(
                (
                    np.ascontiguousarray(a.swapaxes(1, 2) if ta else a).reshape(-1),
                    np.ascontiguousarray(b.swapaxes(1, 2) if tb else b).reshape(-1),
                    np.full(shape, np.nan, T),
                    case.k,
                    *case.left,
                    *case.right,
                    case.summed,
                ),
                {2: _expected(a.astype(np.float64), b.astype(np.float64), case)},
                {"ta": ta, "tb": tb, **tile},
                " ".join(f"{name}={value}" for name, value in case._asdict().items() if value),
            )

    return trials


def _sums_of_splits(rng: Rng, T: Any) -> Iterator[Trial]:
    for splits, size, depth in ((1, 1, 1), (3, 33, 2), (2, 0, 1), (7, 31, 1), (40, 70, 8)):
        parts = rng.normal(size=(splits, size)).astype(T)
        expected = {1: parts.astype(np.float64).sum(0)}
        out = np.full(size, np.nan, T)
        yield Trial((parts, out), expected, {"depth": depth}, f"{splits} of {size}")


_ARGUMENTS = "T[:] T[:] T[:,:,:,:] i8 i8 i8 i8 i8 i8 i8 i8"

PRODUCT = Kernel(
    "product",
    "products",
    build_product,
    _ARGUMENTS,
    _products(CASES + SPLIT, per=2, depth=DEPTH),
    ulps=16,
    # the block is a square of threads, so its tile grows with it
    launches=(Launch(1, 16), Launch(2, 64), Launch(5, 16)),
    options={"per": 8, "depth": 8, "ta": False, "tb": False},
    doc="Products of matrices, one tile of the result to a block, its elements in registers.",
)

SMALL_PRODUCT = Kernel(
    "small_product",
    "products",
    build_small_product,
    _ARGUMENTS,
    _products(CASES),
    ulps=16,
    options={"ta": False, "tb": False},
    doc="Products of small matrices, one thread to an element.",
)

ADD_SPLITS = Kernel(
    "add_splits",
    "products",
    build_add_splits,
    "T[:,:] T[:]",
    _sums_of_splits,
    options={"depth": 1},
    doc="The second stage of a product whose k was split: the parts, added in a fixed order.",
)

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (PRODUCT, SMALL_PRODUCT, ADD_SPLITS)
}
