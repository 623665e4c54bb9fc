"""What the kernels of the norms are tried on: shapes around a warp and a strip, a mean far from zero, constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ops.cuda.kernel import Trial

Array = Any

SMALL = {"width": 8, "lanes": 32}
"""Few lanes, so that a trial is short; as many rows of lanes as with the usual options or fewer."""


def unwritten(*shape: int, T: Any) -> Array:
    """An array for a kernel to write, full of NaN, so that forgotten elements show."""
    return np.full(shape, np.nan, T)


def drawn(rng: np.random.Generator, T: Any, *shape: int, at: float = 0.0) -> Array:
    """Normal numbers about `at`."""
    return (rng.normal(size=shape) + at).astype(T)


def _slabs(rows: int, slabs: int) -> list[slice]:
    return [slice(rows * s // slabs, rows * (s + 1) // slabs) for s in range(slabs)]


# ----- columns

_MOMENTS = ((1, 1, 1), (1, 9, 2), (31, 8, 2), (33, 17, 2), (100, 3, 1))


def moments(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Slabs of no row, of one, and of many; a column that is constant; a mean of 100."""
    for rows, columns, slabs in _MOMENTS:
        x = drawn(rng, T, rows, columns, at=100)
        x[:, 0] = T(0.1)
        expected = np.zeros((slabs, 2, columns))
        for s, rows_of in enumerate(_slabs(rows, slabs)):
            part = x[rows_of].astype(np.float64) - x[0]
            if len(part):
                mean = part.mean(0)
                expected[s] = mean, np.square(part - mean).sum(0)
        what = f"{rows} x {columns} in {slabs} slabs"
        yield Trial((x.ravel(), unwritten(slabs, 2, columns, T=T)), {1: expected}, SMALL, what)
    x = drawn(rng, T, 70, 33)
    means = np.stack([x[s].astype(np.float64).mean(0) for s in _slabs(70, 2)])
    squares = [np.square(x[s] - m).sum(0) for s, m in zip(_slabs(70, 2), means, strict=True)]
    expected = np.stack([means - x[0], np.stack(squares)], 1)
    yield Trial(
        (x.ravel(), unwritten(2, 2, 33, T=T)), {1: expected}, what="70 x 33, the usual strip"
    )


def statistics(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Moments of slabs, of which some hold no row."""
    for rows, columns, slabs in (
        (1, 1, 1),
        (1, 9, 2),
        (31, 8, 5),
        (32, 17, 1),
        (33, 3, 9),
        (70, 33, 7),
    ):
        x = drawn(rng, T, rows, columns, at=3).astype(np.float64)
        part = np.zeros((slabs, 2, columns))
        for s, rows_of in enumerate(_slabs(rows, slabs)):
            if len(x[rows_of]):
                mean = x[rows_of].mean(0)
                part[s] = mean - x[0], np.square(x[rows_of] - mean).sum(0)
        expected = {4: x.mean(0), 5: 1 / np.sqrt(x.var(0) + 0.01)}
        yield Trial(
            (
                x.astype(T),
                part.astype(T),
                1,
                0.01,
                unwritten(columns, T=T),
                unwritten(columns, T=T),
            ),
            expected,
            SMALL,
            f"{slabs} slabs of {rows} x {columns}",
        )


_WRITTEN = ((0, 5), (1, 1), (1, 33), (31, 9), (33, 8), (130, 17))


def affine(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Vectors, and numbers in their place."""
    for rows, columns in _WRITTEN:
        x = drawn(rng, T, rows, columns)
        gamma, beta, mean, inv_std = (drawn(rng, T, columns) for _ in range(4))
        for vectors in (True, False) if rows == 31 else (True,):
            scale, shift = (gamma, beta) if vectors else (T(2), T(3))
            expected = (x.astype(np.float64) - mean) * inv_std * scale + shift
            yield Trial(
                (
                    x.ravel(),
                    gamma,
                    beta,
                    2.0,
                    3.0,
                    mean,
                    inv_std,
                    unwritten(rows * columns, T=T),
                ),
                {7: expected.ravel()},
                {**SMALL, "scaled": vectors, "shifted": vectors},
                f"{rows} x {columns}" + ("" if vectors else ", numbers"),
            )


def slopes(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Slabs of no row, of one, and of many."""
    for rows, columns, slabs in ((1, 1, 1), (1, 9, 2), (31, 8, 2), (33, 17, 2), (66, 3, 3)):
        g, x = drawn(rng, T, rows, columns), drawn(rng, T, rows, columns)
        mean, inv_std = drawn(rng, T, columns), drawn(rng, T, columns)
        hat = (x.astype(np.float64) - mean) * inv_std
        expected = np.stack(
            [
                np.stack([g[s].sum(0, dtype=np.float64), (g[s] * hat[s]).sum(0)])
                for s in _slabs(rows, slabs)
            ]
        )
        yield Trial(
            (g.ravel(), x.ravel(), mean, inv_std, unwritten(slabs, 2, columns, T=T)),
            {4: expected},
            SMALL,
            f"{rows} x {columns} in {slabs} slabs",
        )


def slopes_sum(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """One slab, and more than there are rows of lanes."""
    for slabs, columns in ((1, 1), (2, 9), (31, 8), (33, 3), (5, 33)):
        part = drawn(rng, T, slabs, 2, columns)
        total = part.astype(np.float64).sum(0)
        yield Trial(
            (part, unwritten(columns, T=T), unwritten(columns, T=T)),
            {1: total[0], 2: total[1]},
            SMALL,
            f"{slabs} slabs of {columns}",
        )


def flow(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """A scale for each column, and a number in its place."""
    for rows, columns in _WRITTEN:
        g, x = drawn(rng, T, rows, columns), drawn(rng, T, rows, columns)
        gamma, mean, inv_std, by_beta, by_gamma = (drawn(rng, T, columns) for _ in range(5))
        for scaled in (True, False) if rows == 31 else (True,):
            hat = (x.astype(np.float64) - mean) * inv_std
            slope = (gamma if scaled else 2.0) * inv_std.astype(np.float64)
            expected = slope * (g - by_beta / max(rows, 1) - hat * by_gamma / max(rows, 1))
            yield Trial(
                (
                    g.ravel(),
                    x.ravel(),
                    gamma,
                    2.0,
                    mean,
                    inv_std,
                    by_beta,
                    by_gamma,
                    unwritten(rows * columns, T=T),
                ),
                {8: expected.ravel()},
                {**SMALL, "scaled": scaled},
                f"{rows} x {columns}" + ("" if scaled else ", a number"),
            )


# ----- rows

_ROWS = ((0, 3, 32), (1, 1, 32), (3, 31, 32), (2, 33, 64), (5, 32, 32), (2, 300, 64))


def forward(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """Rows around a warp, some longer than four times the lanes; with and without a mean, vectors and numbers."""
    for number, (rows, size, lanes) in enumerate(_ROWS):
        centred, vectors = number % 3 != 1, number != 3
        x = drawn(rng, T, rows, size, at=10)
        gamma, beta = drawn(rng, T, size), drawn(rng, T, size)
        exact = x.astype(np.float64)
        mean = exact.mean(1) if centred else np.zeros(rows)
        inverse = 1 / np.sqrt(np.square(exact - mean[:, None]).mean(1) + 0.01)
        scale, shift = (gamma, beta) if vectors else (2.0, 3.0)
        y = (exact - mean[:, None]) * inverse[:, None] * scale + shift
        expected = {10: inverse, 11: y.ravel(), **({9: mean} if centred else {})}
        places = unwritten(rows, T=T), unwritten(rows, T=T), unwritten(rows * size, T=T)
        yield Trial(
            (x.ravel(), gamma, beta, 2.0, 3.0, 0.01, size, 1, 1, *places),
            expected,
            {"lanes": lanes, "centred": centred, "scaled": vectors, "shifted": vectors},
            f"{rows} x {size}"
            + ("" if centred else ", no mean")
            + ("" if vectors else ", numbers"),
        )


def grouped(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """The forward trials, and rows of channels: of one pixel, of fewer than the lanes, of more."""
    yield from forward(rng, T)
    for samples, groups, channels, pixels in (
        (1, 2, 40, 1),
        (2, 2, 14, 3),
        (2, 1, 2, 40),
        (1, 2, 1, 7),
    ):
        rows, size = samples * groups, channels * pixels
        x = drawn(rng, T, rows, size)
        gamma, beta = drawn(rng, T, groups * channels), drawn(rng, T, groups * channels)
        exact = x.astype(np.float64)
        mean, inverse = exact.mean(1), 1 / np.sqrt(exact.var(1) + 0.01)
        hat = (exact - mean[:, None]) * inverse[:, None]
        shape = samples, groups * channels, pixels
        y = hat.reshape(shape) * gamma[:, None] + beta[:, None]
        places = unwritten(rows, T=T), unwritten(rows, T=T), unwritten(rows * size, T=T)
        yield Trial(
            (x.ravel(), gamma, beta, 2.0, 3.0, 0.01, size, groups, pixels, *places),
            {9: mean, 10: inverse, 11: y.ravel()},
            {"lanes": 32, "grouped": True},
            f"{samples} x {groups} groups of {channels} x {pixels}",
        )


def backward(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """The same, with one slab and with several, and without sums over the columns."""
    for number, (rows, size, lanes) in enumerate(_ROWS):
        centred, scaled, slabs = number % 3 != 1, number != 3, 1 + number % 3
        room = 0 if number == 4 else 512
        g, x = drawn(rng, T, rows, size), drawn(rng, T, rows, size)
        gamma, mean, inverse = drawn(rng, T, size), drawn(rng, T, rows), drawn(rng, T, rows)
        hat = x.astype(np.float64) - (mean[:, None] if centred else 0)
        hat = hat * inverse[:, None]
        g_hat = g.astype(np.float64) * (gamma if scaled else 2.0)
        lean = g_hat.mean(1, keepdims=True) if centred else 0.0
        flow = (g_hat - lean - hat * (g_hat * hat).mean(1, keepdims=True)) * inverse[:, None]
        part = np.stack(
            [
                np.stack([g[s].sum(0, dtype=np.float64), (g[s] * hat[s]).sum(0)])
                for s in _slabs(rows, slabs)
            ]
        )
        places = unwritten(rows * size, T=T), unwritten(slabs, 2, size, T=T)
        yield Trial(
            (g.ravel(), x.ravel(), gamma, 2.0, size, mean, inverse, *places),
            {7: flow.ravel(), **({8: part} if room else {})},
            {"lanes": lanes, "centred": centred, "scaled": scaled, "room": room},
            f"{rows} x {size} in {slabs} slabs" + ("" if room else ", no sums"),
        )


def row_slopes(rng: np.random.Generator, T: Any) -> Iterator[Trial]:
    """No row, a column, slabs of one row and of several, more columns than lanes; with and without a mean."""
    for number, (rows, size, slabs) in enumerate(
        ((0, 3, 1), (1, 1, 1), (9, 31, 2), (3, 33, 3), (11, 70, 1))
    ):
        centred = number % 2 == 0
        g, x = drawn(rng, T, rows, size), drawn(rng, T, rows, size, at=3)
        mean, inverse = drawn(rng, T, rows), drawn(rng, T, rows)
        hat = (x.astype(np.float64) - (mean[:, None] if centred else 0)) * inverse[:, None]
        parts = [
            (g[s].sum(0, dtype=np.float64), (g[s] * hat[s]).sum(0)) for s in _slabs(rows, slabs)
        ]
        yield Trial(
            (g.ravel(), x.ravel(), mean, inverse, unwritten(slabs, 2, size, T=T)),
            {4: np.array(parts)},
            {"lanes": 32, "centred": centred},
            f"{rows} x {size} in {slabs} slabs" + ("" if centred else ", no mean"),
        )
