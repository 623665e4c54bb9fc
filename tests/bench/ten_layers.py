"""The five initialisation tables of the gallery, ten layers of 500 units on 1,000 samples each, forward and backward.

Against the matrix products alone that this takes: per layer one forward and two backward, but for the input of the
first, which gets no gradient. What is left is tanh, recording, freezing, and random numbers.
"""

from __future__ import annotations

import numpy as np

import tracer as tr
from gallery.initialisation.ten_layers import LAYERS, SAMPLES, TABLES, UNITS, ten_layers
from tests.bench.harness import Case, Row, compared, interleave, limited


def recorded(tables: int) -> None:
    """Build so many of the tables, and run their backward passes."""
    for weights, activation in list(TABLES.values())[:tables]:
        trace = tr.trace(ten_layers(weights, activation))
        assert trace.gradient("W1") is not None


def rows(*, tables: int = 5, rounds: int = 5) -> list[Row]:
    """One seed of all tables against the products in numpy."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, UNITS), dtype=np.float32)
    W = rng.standard_normal((UNITS, UNITS), dtype=np.float32)  # noqa: N806

    def products() -> None:
        for _ in range(tables):
            for _ in range(LAYERS):
                x @ W
                x.T @ x
            for _ in range(LAYERS - 1):
                x @ W.T

    name, peer = "initialization, 5 tables of one seed", "the matrix products, numpy"
    cases = [Case(name, lambda: recorded(tables)), Case(peer, products)]
    seconds = interleave(cases, rounds=rounds, sample_seconds=0)
    return [compared(name, peer, seconds, goal=3.0), limited(name, seconds[name], 5.0)]
