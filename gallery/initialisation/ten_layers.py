"""Ten layers of 500 units: what becomes of the activations, and of the gradients, for five ways to draw the weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tracer as tr
from tracer.format import number
from tracer.plots import Array, Axis, Band, Curve, Histogram, Plot

LAYERS, UNITS, SAMPLES = 10, 500, 1000
WEIGHTS = ("small", "large", "xavier", "he")
"""0.01 N(0, 1), N(0, 1), N/√fan_in and N/√(fan_in / 2)."""
ACTIVATIONS = {"tanh": tr.tanh, "relu": tr.relu}
TABLES = {
    "small, tanh": ("small", "tanh"),
    "large, tanh": ("large", "tanh"),
    "xavier, tanh": ("xavier", "tanh"),
    "xavier, relu": ("xavier", "relu"),
    "he, relu": ("he", "relu"),
}
"""The five tables of the lecture: weights and activation."""
SEEDS_FILE = Path(__file__).with_name("over_seeds.json")


def samples_for(units: int) -> int:
    """Two samples for each unit: the lecture's thousand for its five hundred."""
    return units * SAMPLES // UNITS


def drawn(weights: str, rng: np.random.Generator, units: int = UNITS) -> Array:
    """A weight of one layer, by one of the rules of the lecture. Returns: float32 (units, units)."""
    scale = {"small": 0.01, "large": 1.0, "xavier": units**-0.5, "he": (units / 2) ** -0.5}[weights]
    return np.float32(scale) * rng.standard_normal((units, units), dtype=np.float32)


def ten_layers(
    weights: str = "xavier", activation: str = "tanh", seed: int = 0, units: int = UNITS
) -> tr.Tensor:
    """h⟨l⟩ = f(h⟨l−1⟩ W⟨l⟩), ten times; the loss is the mean of h⟨10⟩ v, with a unit Gaussian v.

    A loss that is linear in the last layer sends back the same whatever the activations are, so that the gradients
    show what the ten layers do to them. In float32; numpy's kernels, since loading Numba would take half of the time.
    """
    rng = np.random.default_rng(seed)
    f = ACTIVATIONS[activation]
    with tr.kernels("numpy"):
        x = tr.constant(rng.standard_normal((samples_for(units), units), dtype=np.float32))
        h = x
        for layer in range(1, LAYERS + 1):
            W = tr.parameter(drawn(weights, rng, units), name=f"W{layer}")
            with tr.scope("layer", l=layer):
                z = h @ W
                h = f(z)
        v = tr.constant(rng.standard_normal(units, dtype=np.float32))
        loss = tr.mean(h @ v)
    return loss


# ----- what the tables tell


def stds(trace: tr.Trace) -> Array:
    """Standard deviation of each layer's activations. Returns: float (10,)."""
    return np.array([h.std() for h in activations(trace)])


def means(trace: tr.Trace) -> Array:
    """Mean of each layer's activations. Returns: float (10,)."""
    return np.array([h.mean() for h in activations(trace)])


def gradients(trace: tr.Trace) -> Array:
    """Root mean square of the loss's gradient by each layer's activations. Returns: float (10,)."""
    sent = (np.asarray(trace.gradient(f"h#{k}"), float) for k in range(1, LAYERS + 1))
    return np.array([np.sqrt(np.mean(each**2)) for each in sent])


def slopes(trace: tr.Trace) -> Array:
    """Median of each layer's local derivative 1 − h², if its activation is tanh. Returns: float (10,)."""
    return np.array([np.median(1 - h**2) for h in activations(trace)])


def activations(trace: tr.Trace) -> Iterator[Array]:
    """What each layer gives, in float64 so that sums over half a million numbers are right: float (1000, 500)."""
    for layer in range(1, LAYERS + 1):
        yield np.asarray(trace.value(f"h#{layer}"), float)


@cache
def over_seeds() -> dict[str, dict[str, Array]]:
    """By table: `std`, `mean` and `gradient` of each layer for each of twenty seeds, float (20, 10)."""
    import json  # only where the spread is asked for

    read: dict[str, Any] = json.loads(SEEDS_FILE.read_text())
    return {
        name: {what: np.array(rows) for what, rows in table.items()}
        for name, table in read["tables"].items()
    }


def spread(table: str, what: str) -> tuple[Array, Array]:
    """Mean and standard deviation over the seeds, by layer. Returns: two float (10,)."""
    numbers = over_seeds()[table][what]
    return numbers.mean(axis=0), numbers.std(axis=0, ddof=1)


# ----- pictures


def plots(
    weights: str = "xavier", activation: str = "tanh", seed: int = 0, units: int = UNITS
) -> tuple[Plot, ...]:
    """A histogram for each layer; the standard deviation and the gradient by layer, for all five tables."""
    trace = tr.trace(ten_layers(weights, activation, seed, units))
    return (
        _by_layer("std of the activations", "std", stds(trace)),
        _by_layer("rms of the gradient by the activations", "gradient", gradients(trace)),
        *(_histogram(layer, h) for layer, h in enumerate(activations(trace), 1)),
    )


def _by_layer(title: str, what: str, here: Array) -> Plot:
    layers = np.arange(1, LAYERS + 1)
    marks: list[Band | Curve] = []
    for name in over_seeds():
        middle, one = spread(name, what)
        off = 4 * one
        if (off > 0.02 * middle).any():  # narrower than the line that is drawn on it
            marks.append(Band(name, layers, np.maximum(middle - off, middle / 100), middle + off))
        marks.append(Curve(name, layers, middle))
    marks.append(Curve("this one", layers, np.where(here > 0, here, np.nan), dashed=True))
    return Plot(
        f"{title}, by layer",
        marks,
        Axis("layer"),
        Axis(scale="log"),
        note="mean of 20 random seeds, and four standard deviations where they are wider than the line",
    )


def _histogram(layer: int, h: Array) -> Plot:
    some = h[:100]  # a tenth of the samples has the same shape
    return Plot(
        f"layer {layer}: mean {number(round(h.mean(), 4), 3)}, std {number(h.std(), 3)}",
        [Histogram.of(f"h#{layer}", some, low=min(-1.0, h.min()), high=max(1.0, h.max()))],
        Axis("activation"),
        Axis("count, 100 samples"),
    )
